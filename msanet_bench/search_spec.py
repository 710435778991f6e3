"""What a search is, as frozen values: how many trials, for what, and what is stopped early."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, Field, field_validator

from msanet_bench.strict import Seed, Spec
from msanet_bench.units import Better
from msanet_bench.violations import shown, suggestion

SearchDesign: TypeAlias = Literal["random", "tpe", "nsga2", "qmc"]
Objective: TypeAlias = Literal["accuracy", "params", "macs", "memory", "latency"]

SEARCHES: tuple[SearchDesign, ...] = get_args(SearchDesign)

DIRECTIONS: Mapping[Objective, Better] = {
    "accuracy": "higher",
    "params": "lower",
    "macs": "lower",
    "memory": "lower",
    "latency": "lower",
}

# of NSGA-II, and how many trials TPE draws at random before it has learnt anything
POPULATION, STARTUP = 10, 10

# a space with few configurations, or tight limits, answers with what is known or not allowed
ASKED_A_TRIAL = 20

_Whole = Annotated[int, Field(ge=1, le=100_000)]


def _known(objective: object) -> object:
    if objective not in get_args(Objective):
        raise ValueError(f"unknown objective {shown(objective)}. {suggestion(str(objective), DIRECTIONS)}")
    return objective


PrunerName: TypeAlias = Literal["median", "successive_halving", "hyperband"]
PRUNER_OPTIONS: Mapping[PrunerName, frozenset[str]] = {
    "median": frozenset({"startup", "warmup"}),
    "successive_halving": frozenset({"factor", "first"}),
    "hyperband": frozenset({"factor", "first"}),
}


class PrunerSpec(Spec):
    """What stops a training run early, by its validation accuracy beside that of earlier trials.

    Attributes:
        startup: Trials that must be complete before the median stops one.
        warmup: Epochs that every run has before the median may stop it.
        factor: Of `factor` runs that reach a rung, about one goes on.
        first: The epoch of the first rung; those of the others are `factor` times that of the one before.
    """

    name: PrunerName
    startup: Annotated[int, Field(ge=1)] = 4
    warmup: Annotated[int, Field(ge=1)] = 1
    factor: Annotated[int, Field(ge=2)] = 3
    first: Annotated[int, Field(ge=1)] = 1


def _pruner(given: object) -> object:
    """`median` is short for `{name: median}`, and `none` for nothing."""
    if isinstance(given, str):
        return None if given == "none" else {"name": given}
    return given


class SearchSpec(Spec):
    """A search over the space that the factors span; configurations are judged on validation images.

    Attributes:
        trials: How many configurations are trained beside the baseline.
        objectives: The first is the one that progress is shown of; accuracy is the mean over the seeds.
        batch: Trials that are asked together and told together, in their order: the same search every time.
            None asks for the next trial as soon as a worker is free.
        population: Trials of one generation of NSGA-II.
    """

    trials: Annotated[int, Field(ge=1, le=10_000)] = 40
    objectives: Annotated[
        tuple[Annotated[Objective, BeforeValidator(_known)], ...], Field(strict=False, min_length=1)
    ] = ("accuracy",)
    batch: _Whole | None = None
    seed: Seed = 0
    pruner: Annotated[PrunerSpec | None, BeforeValidator(_pruner)] = None
    population: Annotated[int, Field(ge=2, le=10_000)] | None = None

    @field_validator("objectives")
    @classmethod
    def _objectives_differ(cls, objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
        if len(set(objectives)) < len(objectives):
            raise ValueError(f"must be different, but got {shown(objectives)}.")
        if "accuracy" not in objectives:
            law = "must contain accuracy, since every trial is trained"
            raise ValueError(f"{law}, but got {shown(objectives)}.")
        return objectives
