"""Multiply-accumulates by the formulas that stand beside the blocks: `macs(shape)`, see `model.slots`.

The network runs once for the shapes that its blocks meet; the numbers are the blocks' own arithmetic.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from torch import Tensor, nn

_Shapes: TypeAlias = "tuple[int, ...] | list[_Shapes]"

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def evaluate_formulas(network: nn.Module, images: Tensor) -> dict[str, int]:
    """What each formula gives for one forward pass, by module; one that names its children adds theirs."""
    totals: Counter[str] = Counter()
    hooks = [
        module.register_forward_pre_hook(_evaluator(name, totals))
        for name, module in network.named_modules()
        if has_formula(module)
    ]
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return dict(totals)


def has_formula(module: nn.Module) -> bool:
    return callable(getattr(module, "macs", None))


def classes_without_formula(
    network: nn.Module, evaluated: Collection[str], working: Collection[str]
) -> tuple[str, ...]:
    """The modules that no formula covers, the outermost ones, by the qualified names of their classes.

    Args:
        network: What was counted.
        evaluated: The modules whose formula was asked: one that is not called by `forward` is not.
        working: The modules that multiply; these and those with parameters of their own must be covered.
    """
    covered = frozenset(module for name, module in network.named_modules() if name in evaluated)
    names = (_class_name(module) for module in _uncovered("", network, covered, working))
    return tuple(dict.fromkeys(names))


def _evaluator(name: str, totals: Counter[str]) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    def evaluate(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        cost = module.macs(*map(_shapes, inputs))  # type: ignore[operator]  # a Module may have any attribute
        if isinstance(cost, Mapping):
            for child, amount in cost.items():
                totals[_join(name, child)] += amount
            cost = sum(cost.values())
        totals[name] += cost

    return evaluate


def _shapes(value: Tensor | Sequence[Tensor]) -> _Shapes:
    return tuple(value.shape) if isinstance(value, Tensor) else [_shapes(item) for item in value]


def _uncovered(
    name: str, module: nn.Module, covered: frozenset[nn.Module], working: Collection[str]
) -> Iterator[nn.Module]:
    if module in covered:
        return
    inside = list(module.named_modules(prefix=name))
    # a block without any formula is named as a whole, one that holds others with formulas is looked into
    is_whole = not isinstance(module, _CONTAINERS) and covered.isdisjoint(part for _, part in inside)
    asked = inside if is_whole else [(name, module)]
    if any(path in working or _has_parameters(part) for path, part in asked):
        yield module
    if not is_whole:
        for child_name, child in module.named_children():
            yield from _uncovered(_join(name, child_name), child, covered, working)


def _has_parameters(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))


def _join(name: str, child: str) -> str:
    return f"{name}.{child}" if name else child


def _class_name(module: nn.Module) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"
