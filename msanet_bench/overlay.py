"""How a dotted path changes a run: `attention=none`, `branches.dilated.dilation=3`, `width=0.5`.

A path names the network (`model`), a slot of MSANet (`attention`), an option of its block
(`attention.reduction`), a branch (`branches.conv5`), a size (`width`), or a key under `train`, `data` or
`replicate`. Values are what YAML or Python may hold: a block is a name, a mapping of options for the block
in place, or a mapping with `block:` for another one. The name of the block in place leaves it as it is,
options included.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from msanet_bench.spec import MSANET, BlockSpec, BranchSpec, DataSpec, ModelSpec, TrainSpec
from msanet_bench.strict import Spec
from msanet_bench.violations import shown, suggestion, violations

BLOCK_SLOTS = ("stem", "fusion", "attention", "head", "norm", "activation")
SIZES = ("attention_stages", "same_size_stages", "branch_width", "width", "depth")

S = TypeVar("S", bound=Spec)
B = TypeVar("B", BlockSpec, BranchSpec, DataSpec)


class Settings(Spec):
    """Everything that distinguishes one variant from another."""

    model: ModelSpec = ModelSpec()
    data: DataSpec = DataSpec()
    train: TrainSpec = TrainSpec()
    replicate: Annotated[int, Field(ge=0)] = 0


class PathError(ValueError):
    """A path that points nowhere or cannot take this value; `inside` is the place below the path."""

    def __init__(self, message: str, inside: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.inside = inside


def changed(settings: Settings, path: str, value: Any) -> Settings:
    """The settings with one path set to a value.

    Raises:
        PathError: the path points nowhere, or the value has the wrong form.
    """
    head, _, rest = path.partition(".")
    match head:
        case "train" if rest:
            _refuse_chosen(settings.train, rest)
            return settings.model_copy(update={"train": _with_field(settings.train, rest, value)})
        case "data" if rest:
            return settings.model_copy(update={"data": _with_data(settings.data, rest, value)})
        case "replicate" if not rest:
            return _with_field(settings, "replicate", value)
        case _:
            return settings.model_copy(update={"model": change_model(settings.model, path, value)})


def is_msanet(model: ModelSpec) -> bool:
    return model.model.block == MSANET.block


def is_slot(path: str) -> bool:
    """Whether a path belongs to MSANet and so means nothing to a network of another family."""
    return path.partition(".")[0] in (*BLOCK_SLOTS, *SIZES, "branches")


def in_order(choice: Mapping[str, Any]) -> list[str]:
    """The paths of a choice as they are set: the network before its slots, blocks before their options."""
    return sorted(choice, key=lambda path: (path != "model", path.count(".")))


def change_model(model: ModelSpec, path: str, value: Any) -> ModelSpec:
    """The network with one path set to a value; raises PathError as `changed` does."""
    head, _, rest = path.partition(".")
    if head in SIZES and not rest:
        return _with_field(model, head, value)
    if head in ("model", *BLOCK_SLOTS):
        current: BlockSpec = getattr(model, head)
        block = _with_option(current, rest, value) if rest else _block(current, value)
        return model.model_copy(update={head: block})
    if head == "branches" and rest:
        return _with_branch(model, rest, value)
    known = ["model", *BLOCK_SLOTS, *SIZES, "branches.<name>", "train.<key>", "data.<key>", "replicate"]
    raise PathError(f"this path points nowhere. {suggestion(path, known)}")


def same_part(path: str) -> str:
    """The slot or branch of a path: `branches.dilated` for `branches.dilated.dilation`."""
    parts = path.split(".")
    return ".".join(parts[:2]) if parts[0] == "branches" else parts[0]


def is_option(path: str) -> bool:
    """Whether a path sets one option of a block rather than the block itself."""
    return same_part(path) != path and not path.startswith(("train.", "data."))


def _refuse_chosen(train: TrainSpec, key: str) -> None:
    if key == "auto":
        raise PathError("the machine chooses once, for all variants alike. Write it under `train`.")
    if key in train.auto:
        raise PathError(f"`{key}` is left to the machine. To set it, take it out of `train.auto`.")


def _with_field(spec: S, name: str, value: Any) -> S:
    fields = {key: getattr(spec, key) for key in type(spec).model_fields}
    return _validated(type(spec), {**fields, name: value}, above=1)


def _validated(spec: type[S], fields: Mapping[str, Any], *, above: int) -> S:
    """The spec of these fields; `above` is how much of an error's place belongs to the path itself."""
    try:
        return spec.model_validate(fields)
    except ValidationError as error:
        location, message = next(violations(error, spec.model_fields))
        raise PathError(message, location[above:]) from None


def _with_data(data: DataSpec, rest: str, value: Any) -> DataSpec:
    if rest.startswith("options."):
        return _with_option(data, rest.removeprefix("options."), value)
    return _with_field(data, rest, value)


def _with_branch(model: ModelSpec, rest: str, value: Any) -> ModelSpec:
    name, _, option = rest.partition(".")
    current = model.branches.get(name)
    if current is None and (option or not isinstance(value, Mapping) or "block" not in value):
        known = suggestion(name, model.branches)
        raise PathError(f"there is no branch `{name}`. {known} A new one needs `block:`.")
    branch = _with_option(current, option, value) if option and current else _branch(current, value)
    branches = {**model.branches, name: branch}
    return model.model_copy(
        update={"branches": {key: spec for key, spec in branches.items() if spec is not None}}
    )


def _branch(current: BranchSpec | None, value: Any) -> BranchSpec | None:
    if value is None:
        return None
    switch = _switch(value)
    if current is not None and switch is not None:
        return current.model_copy(update={"on": switch})
    on = _switch(value.get("on", True)) if isinstance(value, Mapping) else True
    if on is None:
        raise PathError(f"must be on or off, but got {shown(value['on'])}.", ("on",))
    if isinstance(value, Mapping):
        value = {key: option for key, option in value.items() if key != "on"}
    block = _block(current, value)
    return BranchSpec(block=block.block, options=block.options, on=on)


def _switch(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"on": True, "off": False}.get(value) if isinstance(value, str) else None


def _block(current: BlockSpec | None, value: Any) -> BlockSpec:
    if isinstance(value, str):
        return current if current is not None and value == current.block else BlockSpec(block=value)
    if not isinstance(value, Mapping):
        raise PathError(f"must be the name of a block or a mapping of its options, but got {shown(value)}.")
    options = {key: option for key, option in value.items() if key != "block"}
    name = value.get("block", current.block if current else None)
    if not isinstance(name, str):
        raise PathError(f"must be the name of a block, but got {shown(name)}.", ("block",))
    if current is not None and "block" not in value:
        options = {**current.options, **options}
    return _validated(BlockSpec, {"block": name, "options": options}, above=1)


def _with_option(current: B, option: str, value: Any) -> B:
    if "." in option:
        raise PathError("this path points nowhere: an option of a block has no parts.")
    fields = {key: getattr(current, key) for key in type(current).model_fields}
    fields["options"] = {**current.options, option: value}
    return _validated(type(current), fields, above=2)
