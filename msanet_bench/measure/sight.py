# N batch, C channels, H height, W width
"""What one unit of a map sees of an image, followed operation by operation through a network.

A tensor's `Sight` says which of its dimensions are positions of the map, and which pixels the unit at a
position sees. Operations that work at each position alone keep it, windows widen it, and a mean or a product
over all positions sees everything. An operation that is none of these, or unknown, ends the walk: better no
number than a wrong one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Axis: TypeAlias = Literal["row", "column"]


class UnknownSightError(Exception):
    """What a tensor sees cannot be told; the message names the operation."""


@dataclass(frozen=True, slots=True)
class Span:
    """Pixels along one axis: the unit at position i sees from `i * step + first` to `i * step + last`."""

    step: int = 1
    first: int = 0
    last: int = 0

    @property
    def pixels(self) -> int:
        return self.last - self.first + 1

    def through(self, kernel: int, stride: int, padding: int, dilation: int) -> "Span":
        """The same behind a window, whose tap t lies `t * dilation - padding` units from the output's."""
        return Span(
            self.step * stride,
            self.first - padding * self.step,
            self.last + (dilation * (kernel - 1) - padding) * self.step,
        )


class Factor(NamedTuple):
    """One of the numbers that a dimension's size is the product of; without an axis it is no position."""

    size: int
    axis: Axis | None = None


# from the outermost factor to the innermost: (row, column) is a map laid out as one dimension
Dim: TypeAlias = tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """What the units of one tensor see.

    Attributes:
        dims: The dimensions of the tensor; of no meaning where `spans` is None.
        spans: Pixels seen through windows alone, by axis; None if only all of the image is seen.
        whole: All of the image is seen too.
        whole_by: The modules that look at all of it, by name, in the order in which they are met. The walk
            fills it in: a rule says only whether its operation looks at all.
    """

    dims: tuple[Dim, ...]
    spans: Mapping[Axis, Span] | None
    whole: bool = False
    whole_by: tuple[str, ...] = ()


EVERYTHING = Sight((), None, whole=True)


def of_images(shape_NCHW: Sequence[int]) -> Sight:
    """Every pixel sees itself."""
    batch, channels, height, width = shape_NCHW
    dims = ((Factor(batch),), (Factor(channels),), (Factor(height, "row"),), (Factor(width, "column"),))
    return Sight(dims, {"row": Span(), "column": Span()})


class Call(NamedTuple):
    """One operation: its arguments by name with defaults, its result's shape, and what its tensors see."""

    given: Mapping[str, Any]
    shape: tuple[int, ...]
    sight_of: Callable[[object], Sight | None]

    def sights(self) -> list[Sight]:
        """Those of all arguments that see something."""
        found = (self.sight_of(leaf) for leaf in tree_leaves(list(self.given.values())))
        return [sight for sight in found if sight is not None]

    def local(self) -> list[Sight]:
        """Those whose dimensions mean something."""
        return [sight for sight in self.sights() if sight.spans is not None]

    def only(self, name: str) -> Sight:
        """That of one argument, where no other one has positions."""
        sight = self.sight_of(self.given[name])
        if sight is None or sight.spans is None or len(self.local()) > 1:
            raise UnknownSightError(f"takes positions by other arguments than `{name}`")
        return sight


Rule: TypeAlias = Callable[[Call], Sight]


class Walk(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not annotate it
    """Watches the operations under it and keeps the sight of every tensor.

    Tensors are kept too, so it belongs on a device without memory.

    Args:
        images: What is seen.
        rules: What the result of an operation sees, by the operation's name.
        running: The names of the modules that run, the innermost last.
    """

    def __init__(self, images: Tensor, rules: Mapping[str, Rule], running: Sequence[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self._rules, self._running = rules, running
        self._sights: dict[int, tuple[Tensor, Sight | str]] = {id(images): (images, of_images(images.shape))}

    def sight_of(self, value: object) -> Sight | None:
        """None for what does not depend on the image.

        Raises:
            UnknownSightError: it does, and nobody knows how.
        """
        _, sight = self._sights.get(id(value), (None, None))
        if isinstance(sight, str):
            raise UnknownSightError(sight)
        return sight

    def __torch_dispatch__(
        self,
        operation: OpOverload,
        _types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        result = operation(*args, **(kwargs or {}))
        given = {argument.name: argument.default_value for argument in operation._schema.arguments}  # noqa: SLF001 - torch's own tools read it so
        given.update(zip(given, args, strict=False))
        given.update(kwargs or {})
        # what an argument sees, before a result that is the argument itself takes its place
        known = {id(leaf): self.sight_of(leaf) for leaf in tree_leaves(list(given.values()))}
        name = operation.overloadpacket.__name__
        if name not in _SIZES_ALONE and any(sight is not None for sight in known.values()):
            outputs = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
            self._enter(name, given, outputs, known)
        return result

    def _enter(
        self,
        name: str,
        given: Mapping[str, Any],
        outputs: Sequence[Tensor],
        known: Mapping[int, Sight | None],
    ) -> None:
        # a rule says what its operation adds, so it is shown what its operands see through windows alone
        shown = {leaf: seen and replace(seen, whole=False, whole_by=()) for leaf, seen in known.items()}
        for place, output in enumerate(outputs):
            if place > 0 and name not in _MANY_RESULTS:
                sight: Sight | str = f"no rule for the second result of {name}"
            else:
                call = Call(given, tuple(output.shape), lambda value: shown.get(id(value)))
                sight = _joined_whole(_applied(name, self._rules, call), known.values(), self._running[-1])
            if known.get(id(output), sight) != sight and output._is_view():  # noqa: SLF001 - has no public name
                raise UnknownSightError(f"{name} writes into a part of a tensor")
            self._sights[id(output)] = (output, sight)


_MANY_RESULTS = frozenset({"split", "split_with_sizes", "unbind"})
# what takes a tensor for its shape and none of its numbers
_SIZES_ALONE = frozenset(
    {"zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty"}
)


def _joined_whole(sight: Sight, before: Iterable[Sight | None], module: str) -> Sight:
    """With all who look at the whole image: those of the operands, and the module if its operation does."""
    met = [name for seen in before if seen is not None for name in seen.whole_by]
    names = tuple(dict.fromkeys([*met, module] if sight.whole else met))
    return replace(sight, whole=bool(names), whole_by=names)


def _applied(name: str, rules: Mapping[str, Rule], call: Call) -> Sight:
    if all(sight.spans is None for sight in call.sights()):
        return replace(EVERYTHING, whole=False)  # what its operands see, and no more
    rule = rules.get(name.rstrip("_"))
    if rule is None:
        raise UnknownSightError(f"no rule for {name}")
    try:
        sight = rule(call)
    except UnknownSightError as error:
        raise UnknownSightError(f"{name}: {error}") from None
    sizes = tuple(_size(dim) for dim in sight.dims)
    if sight.spans is not None and sizes != call.shape:
        raise UnknownSightError(f"{name}: the sizes {sizes} were expected, but got {call.shape}")
    return sight


def axes(dim: Dim) -> tuple[Axis, ...]:
    """The axes of the map that a dimension runs along."""
    return tuple(factor.axis for factor in dim if factor.axis is not None)


def joined(sights: Sequence[Sight], dims: tuple[Dim, ...]) -> Sight:
    """What a unit sees that takes from one unit of each of these."""
    local = [sight.spans for sight in sights if sight.spans is not None]
    return Sight(
        dims,
        {axis: _hull([spans[axis] for spans in local]) for axis in local[0]},
        whole=any(sight.whole for sight in sights),
    )


def along(sight: Sight, dims: Sequence[int], found: Sight, *, then_whole: Sight) -> Sight:
    """`found` if no position lies along these dimensions, `then_whole` if all do."""
    met = {axis for dim in dims for axis in axes(sight.dims[dim])}
    if not met:
        return found
    if met == {"row", "column"}:
        return replace(then_whole, whole=True)
    raise UnknownSightError("works along one axis of the map alone")


def _hull(spans: Sequence[Span]) -> Span:
    if len({span.step for span in spans}) > 1:
        raise UnknownSightError("joins maps of different strides")
    return Span(spans[0].step, min(span.first for span in spans), max(span.last for span in spans))


def _size(dim: Dim) -> int:
    size = 1
    for factor in dim:
        size *= factor.size
    return size
