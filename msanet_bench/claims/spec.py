"""What a claims file may say: networks, results and claims, as frozen values."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

from msanet_bench.strict import Spec
from msanet_bench.violations import shown

# what is larger is no number of a network's, and infinity and NaN are not smaller
_HUGE = 1e30


def _level(value: Any) -> str:
    """A level as records name it: `2` is "2"."""
    is_scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    if not is_scalar:
        raise ValueError(f"must be the name of a level, but got {shown(value)}.")
    return str(value)


def _number(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _HUGE
    if not (is_number or isinstance(value, str | None)):
        raise ValueError(f"must be a number, with its unit if it has one, but got {shown(value)}.")
    return value


def _network_or_names(value: Any) -> Any:
    are_names = isinstance(value, list) and value and all(isinstance(name, str) for name in value)
    if not (are_names or isinstance(value, str | Mapping | None)):
        law = "must be a mapping of paths for a network, or the name of a variant of results"
        raise ValueError(f"{law}, but got {shown(value)}.")
    return tuple(value) if are_names else value


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Size = Annotated[int, Field(ge=1, le=1024)]
Level = Annotated[str, BeforeValidator(_level), WithJsonSchema({"type": ["string", "number"]})]
Levels = Annotated[tuple[Level, ...], Field(strict=False, min_length=2, max_length=2)]
Number: TypeAlias = int | float | str
Value = Annotated[Number | None, BeforeValidator(_number)]
Variant = Annotated[Mapping[str, Any] | str | None, BeforeValidator(_network_or_names)]
Variants = Annotated[Mapping[str, Any] | str | tuple[str, ...] | None, BeforeValidator(_network_or_names)]
Declaration: TypeAlias = Literal["holds", "refuted", "open"]
Statistic: TypeAlias = Literal[
    "params",
    "params_difference",
    "params_ratio",
    "macs",
    "macs_difference",
    "macs_ratio",
    "receptive_field",
    "receptive_field_difference",
    "reach",
    "reach_difference",
    "attention_at_start",
    "accuracy_difference",
    "main_effect",
    "interaction",
    "latency_ratio",
]


class Network(Spec):
    """A network that is built when claims are verified.

    Attributes:
        image: Channels, height and width of what it is given.
        classes: How many classes its head tells apart.
        model: What differs from the network of the design article: values by their paths.
    """

    image: Annotated[tuple[Size, ...], Field(strict=False, min_length=3, max_length=3)] = (3, 224, 224)
    classes: Annotated[int, Field(ge=1, le=100_000)] = 1000
    model: Mapping[str, Any] = {}


class Claim(Spec):
    """A sentence and the number by which it is judged.

    Attributes:
        sentence: What is claimed, for readers.
        source: Who says so.
        declared: What we hold of it: that it holds, that it does not, or neither.
        note: What a reader of the verdict should know, such as what would decide it.
        equals: The claimed value; it may be off by `tolerance`.
        above: The value that is exceeded, by more than `tolerance`.
        below: The value that is undercut, by more than `tolerance`.
        network: For live networks: which one.
        variant: Of a live network, the paths that are changed; of results, a variant's name.
        against: With what it is compared: the same; of results, it may be a list, of which all must be so.
        behind: The module whose input is the map that receptive fields belong to.
        results: For rows: which results folder.
        factors: For effects: the two levels of each factor, the first one being what is there.
        device: For latencies, with `batch` and `mode`: which rows of a session.
    """

    name: Name
    sentence: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    declared: Declaration
    note: str = ""
    statistic: Statistic
    equals: Value = None
    above: Value = None
    below: Value = None
    tolerance: Value = None
    network: str | None = None
    variant: Variant = None
    against: Variants = None
    behind: str = "head"
    results: str | None = None
    factors: Annotated[Mapping[str, Levels], Field(min_length=1)] | None = None
    device: Literal["cpu", "cuda"] = "cpu"
    batch: Annotated[int, Field(ge=1)] = 1
    mode: Literal["eager", "cuda_graph", "compile", "fused"] = "eager"


class ClaimsFile(Spec):
    """All of one file; folders of results are relative to it."""

    networks: Mapping[Name, Network] = {}
    results: Mapping[Name, Annotated[str, Field(min_length=1)]] = {}
    claims: Annotated[tuple[Claim, ...], Field(strict=False, min_length=1)]
