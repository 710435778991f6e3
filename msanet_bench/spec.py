"""What an experiment is, as frozen values: network, data, training, measurement, plan.

The defaults of `ModelSpec` are the network of the design article; those of `TrainSpec` its training.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, Field, field_validator

from msanet_bench.constraint import Constraint
from msanet_bench.factor_spec import Factor, TuneSpec
from msanet_bench.search_spec import SearchDesign, SearchSpec
from msanet_bench.strict import Seed, Spec
from msanet_bench.units import parse_points


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


# which values an option takes is the registry's to say
OptionValue: TypeAlias = Annotated[Any, BeforeValidator(_frozen)]
Options: TypeAlias = Mapping[str, OptionValue]
FiniteDesign: TypeAlias = Literal["factorial", "one_at_a_time", "leave_one_out", "add_one_in", "list"]
Design: TypeAlias = Literal[FiniteDesign, SearchDesign]
DESIGNS: tuple[Design, ...] = get_args(Design)

MOST_SEEDS = 1000

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Stages = Annotated[tuple[Annotated[int, Field(ge=1, le=6)], ...], Field(strict=False)]


class BlockSpec(Spec):
    """A registered block and the options it is built with."""

    block: str
    options: Options = {}  # noqa: RUF012 (pydantic copies it)


class BranchSpec(BlockSpec):
    """A block of the multi-scale stage; a branch that is off keeps its place in the width budget."""

    on: bool = True


ARTICLE_BRANCHES: Mapping[str, BranchSpec] = {
    "conv3": BranchSpec(block="conv", options={"kernel": 3}),
    "conv5": BranchSpec(block="conv", options={"kernel": 5}),
    "dilated": BranchSpec(block="conv", options={"kernel": 3, "dilation": 2}),
    "context": BranchSpec(block="global_context"),
}

BATCH_NORM = BlockSpec(block="batch")
RELU = BlockSpec(block="relu")


MSANET = BlockSpec(block="msanet")


class ModelSpec(Spec):
    """Which network, and for MSANet which block fills each slot, and its size.

    Attributes:
        model: MSANet or a network of another family, to which no other field means anything.
        norm: What takes the place of the batch norms that blocks build.
        activation: What takes the place of their ReLUs.
        attention_stages: The stages, from 1, whose blocks have attention.
        branch_width: Whether the channels of a branch that is off are left out or shared by the others.
        width: Factor on the channels of stem, stages and head.
        depth: Blocks of each stage.
        same_size_stages: The stages, from 1, that keep the size of their map; the others halve it.
    """

    # left out at its default, so that it is no part of the keys of what was trained without it
    model: BlockSpec = Field(default=MSANET, exclude_if=lambda model: model == MSANET)
    stem: BlockSpec = BlockSpec(block="imagenet")
    branches: Mapping[str, BranchSpec] = ARTICLE_BRANCHES
    fusion: BlockSpec = BlockSpec(block="concat")
    attention: BlockSpec = BlockSpec(block="self_attention")
    attention_stages: Stages = (1, 2, 3)
    head: BlockSpec = BlockSpec(block="mlp")
    # left out where they say nothing new, so that cells of older versions keep their keys
    norm: BlockSpec = Field(default=BATCH_NORM, exclude_if=lambda norm: norm == BATCH_NORM)
    activation: BlockSpec = Field(default=RELU, exclude_if=lambda activation: activation == RELU)
    branch_width: Literal["fixed", "shared"] = "fixed"
    width: Annotated[float, Field(gt=0, le=8)] = 1.0
    depth: Annotated[
        tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(strict=False, min_length=1, max_length=6)
    ] = (2, 3, 3)
    same_size_stages: Stages = ()


Augmentation: TypeAlias = Literal["flip", "shift", "erase"]


class DataSpec(Spec):
    """Which images, how many, and what is done to them before the network sees them.

    Attributes:
        dataset: A registered data set.
        options: Its options.
        resize: Side of the square that every image is resized to; None keeps the size.
        train_images: How many training images a seed draws, stratified by class; None takes all.
        validation: Share of the training images set aside by the seed's split stream.
        normalise: Subtract the training mean and divide by the training deviation, a channel.
        augment: Random changes of each training batch.
    """

    dataset: str = "digits"
    options: Options = {}  # noqa: RUF012 (pydantic copies it)
    resize: Annotated[int, Field(ge=4, le=4096)] | None = None
    train_images: Annotated[int, Field(ge=2)] | None = None
    validation: Fraction = 0.1
    normalise: bool = True
    augment: Annotated[tuple[Augmentation, ...], Field(strict=False)] = ()


Choosable: TypeAlias = Literal["precision", "fused_attention", "channels_last", "fused_optimiser", "compile"]


class TrainSpec(Spec):
    """One training run; `lr` and `weight_decay` as in the optimiser of that name in torch.

    Attributes:
        fused_attention: torch's kernels for all of dot-product attention, on a CPU too; elsewhere always.
        fused_optimiser: One kernel for the update of all weights, on a CPU too; on CUDA devices always.
        compile: Train through `torch.compile`; what is tested is the plain network.
        auto: The keys of which a sweep measures which value is fastest on its machine, and takes that.
    """

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 10
    batch_size: Annotated[int, Field(ge=1)] = 32
    optimiser: Literal["adamw", "sgd"] = "adamw"
    lr: Annotated[float, Field(gt=0, le=1000)] = 1e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    momentum: Fraction = 0.9
    schedule: Literal["constant", "one_cycle", "cosine"] = "constant"
    label_smoothing: Fraction = 0.0
    clip_norm: Positive | None = None
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    channels_last: bool = False
    # those below stay out of a cell's key where nothing is asked for: older cells keep theirs
    fused_attention: bool = Field(default=False, exclude_if=lambda is_on: not is_on)
    fused_optimiser: bool = Field(default=False, exclude_if=lambda is_on: not is_on)
    compile: bool = Field(default=False, exclude_if=lambda is_on: not is_on)
    auto: Annotated[tuple[Choosable, ...], Field(strict=False)] = Field(
        default=(), exclude_if=lambda keys: not keys
    )
    deterministic: bool = True
    checkpoint: Literal["last", "best_val"] = "last"


LatencyMode: TypeAlias = Literal["eager", "cuda_graph", "compile", "fused"]
LatencyPrecision: TypeAlias = Literal["fp32_strict", "tf32", "amp_bf16", "amp_fp16"]
LatencyCache: TypeAlias = Literal["warm", "cold"]


class MeasureSpec(Spec):
    """What is timed after training: forward passes, interleaved over all variants and modes.

    Attributes:
        latency_rounds: Visits of each variant at most; one whose interval is narrow enough is done earlier.
        latency_seconds: After which a session of one batch, precision and cache ends all the same.
        latency_modes: `fused` has norms folded and small branches merged; `cuda_graph` is device time.
        latency_precisions: For convolutions and products together.
        latency_caches: `cold` drives all data out of the caches before each call.
    """

    latency_rounds: Annotated[int, Field(ge=0, le=100_000)] = 160
    latency_seconds: Annotated[float, Field(gt=0)] | None = None
    latency_batches: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False, min_length=1)] = (
        1,
    )
    latency_modes: Annotated[tuple[LatencyMode, ...], Field(strict=False, min_length=1)] = ("eager",)
    latency_precisions: Annotated[tuple[LatencyPrecision, ...], Field(strict=False, min_length=1)] = (
        "fp32_strict",
    )
    latency_caches: Annotated[tuple[LatencyCache, ...], Field(strict=False, min_length=1)] = ("warm",)


Family: TypeAlias = Literal["main_effects", "interactions", "leave_one_out", "variants"]


class AnalysisSpec(Spec):
    """What will be concluded, declared before the results are seen.

    Attributes:
        alpha: The chance of a false claim in each family, all its comparisons together.
        families: Of which verdicts are given; of all others there are intervals only.
    """

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    families: Annotated[tuple[Family, ...], Field(strict=False)] = get_args(Family)


class Experiment(Spec):
    """One YAML file: a baseline, what is varied, on which data, how it is trained and measured.

    Attributes:
        delta: The smallest difference in accuracy that matters, with its unit, declared beforehand.
        search: How the space is searched; None for a design whose variants are all known beforehand.
        tune: What of the training each variant of such a design is given its best value of.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    question: str = ""
    baseline: ModelSpec = ModelSpec()
    data: DataSpec = DataSpec()
    train: TrainSpec = TrainSpec()
    design: Design = "factorial"
    factors: Mapping[str, Factor] = {}
    variants: tuple[Mapping[str, Any], ...] = ()
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=MOST_SEEDS)]
    delta: str
    constraints: tuple[Constraint, ...] = ()
    search: SearchSpec | None = Field(default=None, exclude_if=lambda search: search is None)
    tune: TuneSpec | None = Field(default=None, exclude_if=lambda tune: tune is None)
    measure: MeasureSpec = MeasureSpec()
    analysis: AnalysisSpec = AnalysisSpec()
    plugins: tuple[str, ...] = ()

    @field_validator("delta", mode="before")
    @classmethod
    def _delta_has_its_unit(cls, delta: Any) -> Any:
        parse_points("" if delta is None else str(delta))
        return delta

    @field_validator("seeds")
    @classmethod
    def _seeds_differ(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"must be different numbers, but got {list(seeds)}.")
        return seeds


def canonical_json(value: BaseModel | Mapping[str, Any]) -> str:
    """The one way a value is written for hashing and comparing: sorted keys, no spaces."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: BaseModel | Mapping[str, Any]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]
