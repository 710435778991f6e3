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


def classes_without_formula(network: nn.Module, working: Collection[str]) -> tuple[str, ...]:
    """The modules that no formula covers, the outermost ones, by the qualified names of their classes.

    Asked for is a formula of whatever has parameters of its own or is among the `working`, by name.
    """
    names = (_class_name(module) for module in _uncovered("", network, working))
    return tuple(dict.fromkeys(names))


def _evaluator(name: str, totals: Counter[str]) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    def evaluate(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        cost = module.macs(*map(_shapes, inputs))  # type: ignore[operator]  # a Module may have any attribute
        parts: Mapping[str, int] = cost if isinstance(cost, Mapping) else {}
        totals[name] += sum(parts.values()) if parts else cost
        for child, amount in parts.items():
            totals[_join(name, child)] += amount

    return evaluate


def _shapes(value: Tensor | Sequence[Tensor]) -> _Shapes:
    return tuple(value.shape) if isinstance(value, Tensor) else [_shapes(item) for item in value]


def _uncovered(name: str, module: nn.Module, working: Collection[str]) -> Iterator[nn.Module]:
    if has_formula(module):
        return
    inside = list(module.named_modules(prefix=name))
    is_whole = not isinstance(module, _CONTAINERS) and not any(has_formula(part) for _, part in inside)
    asked = inside if is_whole else [(name, module)]
    if any(path in working or _has_parameters(part) for path, part in asked):
        yield module
    if not is_whole:
        for child_name, child in module.named_children():
            yield from _uncovered(_join(name, child_name), child, working)


def _has_parameters(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))


def _join(name: str, child: str) -> str:
    return f"{name}.{child}" if name else child


def _class_name(module: nn.Module) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"
