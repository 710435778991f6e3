"""What every variant is tried with when all are tuned alike."""

from collections.abc import Iterator, Mapping
from typing import Any

from msanet_bench.factor_spec import TuneSpec
from msanet_bench.plan import Catalog, Choice, apply, baseline_settings
from msanet_bench.search.space import Space
from msanet_bench.search.study import SearchStudy
from msanet_bench.search_spec import SearchSpec
from msanet_bench.spec import Experiment

# of levels and whole numbers there may be fewer candidates than are asked for
_MOST_ASKED = 16


def tuning_candidates(experiment: Experiment, tune: TuneSpec, catalog: Catalog) -> tuple[Choice, ...]:
    """What the file says, then points of a scrambled Sobol sequence, rounded as a search's are; each once.

    More trials go on with the same sequence. Where there are fewer different points, there are fewer
    candidates.
    """
    found: dict[str, Choice] = {}
    base = baseline_settings(experiment)
    for choice in (
        {path: _own(experiment, path) for path in tune.paths},
        *_points(experiment, tune, catalog),
    ):
        # as it is stored: 0 and 0.0 are one learning rate
        found.setdefault(apply(base, choice).model_dump_json(), choice)
        if len(found) == tune.trials:
            break
    return tuple(found.values())


def _own(experiment: Experiment, path: str) -> Any:  # noqa: ANN401 (whatever a file can say)
    section, _, key = path.partition(".")
    return getattr(getattr(experiment, section), key)


def _points(experiment: Experiment, tune: TuneSpec, catalog: Catalog) -> Iterator[Mapping[str, Any]]:
    space = Space(experiment.model_copy(update={"factors": tune.paths}), catalog, asks_all=True)
    study = SearchStudy("qmc", SearchSpec(seed=tune.seed), space)
    for number in range(_MOST_ASKED * tune.trials):
        params = study.ask(number)
        study.tell_values(number, [0.0], [])
        # the first answer is no point of the sequence: the sampler learns from it which coordinates there are
        if number:
            yield space.choice(params)
