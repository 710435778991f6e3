"""The rules of `sight` for operations that move no number: the same positions in other dimensions."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from msanet_bench.measure.sight import Call, Dim, Factor, Sight, UnknownSightError, axes


def regrouped(call: Call) -> Sight:
    """The same numbers in the same order, in dimensions of other sizes."""
    sight = call.only("self")
    return replace(sight, dims=regroup(sight.dims, call.shape))


def regroup(dims: Sequence[Dim], shape: Sequence[int]) -> tuple[Dim, ...]:
    """The factors of some dimensions, dealt out in order over dimensions of a new shape.

    Positions are never split: whoever cuts a map into windows is not followed. A map of one pixel keeps its
    factors too, although their sizes say nothing: they go to the dimensions of size 1 in their place.
    """
    factors = [factor for dim in dims for factor in dim if factor.axis is not None or factor.size > 1]
    groups: list[list[Factor]] = []
    for place, size in enumerate(shape):
        group: list[Factor] = []
        while (rest := size // _product_of(group)) > 1:
            group.append(_deal(factors, rest))
        if size == 1:
            ones, places = _leading_ones([f.size for f in factors]), _leading_ones(shape[place:])
            group = [factors.pop(0) for _ in range(min(ones, max(1, ones - places + 1)))]
        groups.append(group)
    if any(factor.size > 1 for factor in factors):
        raise UnknownSightError("leaves positions out")
    groups[-1].extend(factors)
    return tuple(tuple(group) for group in groups)


def _deal(factors: list[Factor], rest: int) -> Factor:
    """Take the next factor, or as much of it as fits."""
    if not factors:
        raise UnknownSightError("makes more of a tensor than it holds")
    factor = factors.pop(0)
    if rest % factor.size == 0:
        return factor
    if factor.axis is None and factor.size % rest == 0:
        factors.insert(0, Factor(factor.size // rest))
        return Factor(rest)
    raise UnknownSightError("cuts the map into pieces")


def _product_of(factors: Sequence[Factor]) -> int:
    size = 1
    for factor in factors:
        size *= factor.size
    return size


def _leading_ones(sizes: Sequence[int]) -> int:
    return next((place for place, size in enumerate(sizes) if size != 1), len(sizes))


def reordered(order: Callable[[Call, int], Sequence[int]], call: Call) -> Sight:
    sight = call.only("self")
    return replace(sight, dims=tuple(sight.dims[dim] for dim in order(call, len(sight.dims))))


def permutation(call: Call, _: int) -> Sequence[int]:
    dims: Sequence[int] = call.given["dims"]
    return dims


def exchange(call: Call, rank: int) -> Sequence[int]:
    order = list(range(rank))
    first, second = call.given.get("dim0", 0), call.given.get("dim1", rank - 1)
    order[first], order[second] = order[second], order[first]
    return order


def unsqueeze(call: Call) -> Sight:
    sight = call.only("self")
    place = call.given["dim"] % len(call.shape)
    return replace(sight, dims=(*sight.dims[:place], (), *sight.dims[place:]))


def select(call: Call) -> Sight:
    sight = call.only("self")
    place = call.given["dim"] % len(sight.dims)
    found = replace(sight, dims=(*sight.dims[:place], *sight.dims[place + 1 :]))
    if axes(sight.dims[place]):
        raise UnknownSightError("picks positions")
    return found


def part(call: Call) -> Sight:
    """A piece along one dimension that is no position."""
    sight = call.only("self")
    dims = tuple(
        dim if axes(dim) else (Factor(size),) for dim, size in zip(sight.dims, call.shape, strict=True)
    )
    return replace(sight, dims=dims)
