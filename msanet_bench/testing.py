"""The contract of a block, as a function that anybody's tests may call.

def test_my_attention_keeps_the_contract():
    check_block("attention", MyAttention, reduction=4)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from msanet_bench.measure.formulas import has_formula
from msanet_bench.measure.macs import count_macs
from msanet_bench.model.catalogue import SLOTS
from msanet_bench.model.initialise import initialise

Size: TypeAlias = tuple[int, int]

_SIZES: tuple[Size, ...] = ((7, 9), (4, 6), (1, 1))


def check_block(slot: str, block: str | Callable[..., nn.Module], **options: Any) -> None:  # noqa: ANN401 - as YAML
    """Build a block with these options and hold it to everything that the network relies on.

    Shape (odd sizes and one pixel too), finite output, training on one image, a gradient to the input and to
    every parameter, the input left as it was, the same output again in evaluation, a state dict that holds
    all there is, bfloat16 autocast, a start drawn from the seed alone, a build without memory, and, where it
    has a formula of its multiply-accumulates, that both counters agree with it.

    Args:
        slot: stem, branches, fusion, attention, head, norm or activation.
        block: A registered name, or the class itself.
        options: What YAML would set.

    Raises:
        AssertionError: the block breaks the contract; the message says where and how.
    """
    entry = SLOTS[slot][block] if isinstance(block, str) else block
    name = block if isinstance(block, str) else getattr(block, "__name__", repr(block))
    trial = _Trial(f"{slot} `{name}`", partial(entry, *_PLACES[slot].given, **options), _PLACES[slot])
    if slot == "stem":
        trial = replace(trial, sizes=_stem_sizes(trial, entry))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        for check in _CHECKS:
            check(trial)


class _Place(NamedTuple):
    """What a slot gives a block, the channels of its inputs, and the shape it wants; None is free."""

    given: tuple[Any, ...]
    channels: tuple[int, ...]
    shape: Callable[[int, Size], tuple[int | None, ...]]
    takes_a_list: bool = False


_PLACES = {
    "stem": _Place((3, 16), (3,), lambda n, _: (n, 16, None, None)),
    "branches": _Place((16, 4), (16,), lambda n, size: (n, 4, *size)),
    "fusion": _Place(((4, 6), 16), (4, 6), lambda n, size: (n, 16, *size), takes_a_list=True),
    "attention": _Place((16,), (16,), lambda n, size: (n, 16, *size)),
    "norm": _Place((16,), (16,), lambda n, size: (n, 16, *size)),
    "activation": _Place((), (16,), lambda n, size: (n, 16, *size)),
    "head": _Place((16, 32, 5), (16,), lambda n, _: (n, 5)),
}


@dataclass(frozen=True, slots=True)
class _Trial:
    """One block under test: how it is built, and how it is fed."""

    name: str
    construct: Callable[[], nn.Module]
    place: _Place
    sizes: tuple[Size, ...] = _SIZES

    def build(self) -> nn.Module:
        """A block whose parameters are all at work: a gate that starts at zero would hide the rest."""
        module = self.construct()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.uniform_(-0.5, 0.5)
        return module

    def inputs(self, num_images: int, size: Size) -> list[Tensor]:
        return [torch.randn(num_images, channels, *size) for channels in self.place.channels]

    def call(self, module: nn.Module, inputs: list[Tensor]) -> Tensor:
        output: Tensor = module(inputs) if self.place.takes_a_list else module(*inputs)
        return output

    def broken(self, message: str) -> AssertionError:
        return AssertionError(f"{self.name}: {message}")


def _stem_sizes(trial: _Trial, entry: Callable[..., nn.Module]) -> tuple[Size, ...]:
    smallest: int = getattr(entry, "min_image", 0)
    if not (smallest and getattr(entry, "min_map", 0)):
        raise trial.broken("must declare the class attributes `min_image` and `min_map`.")
    return (smallest + 1, smallest + 6), (smallest, smallest)


def _keeps_its_shape(trial: _Trial) -> None:
    module = trial.build().eval()
    for size in trial.sizes:
        output = trial.call(module, trial.inputs(2, size))
        wanted = trial.place.shape(2, size)
        at = f"for an input of {size[0]} x {size[1]}"
        if output.dim() != len(wanted) or any(
            want not in {None, got} for want, got in zip(wanted, output.shape, strict=True)
        ):
            raise trial.broken(f"must return the shape {wanted}, but got {tuple(output.shape)} {at}.")
        if not output.isfinite().all():
            raise trial.broken(f"must return finite numbers, but did not {at}.")


def _trains_on_one_image(trial: _Trial) -> None:
    module = trial.build().train()
    for size in trial.sizes:
        at = f"one image of {size[0]} x {size[1]}"
        try:
            output = trial.call(module, trial.inputs(1, size))
        except ValueError as error:
            raise trial.broken(
                f"must train on {at}, but raised: {error} "
                "If it is a batch norm's, take msanet_bench.model.norm.BatchNorm2d."
            ) from error
        if not output.isfinite().all():
            raise trial.broken(f"must return finite numbers in training, but did not for {at}.")


def _leaves_its_input(trial: _Trial) -> None:
    module = trial.build().eval()
    inputs = trial.inputs(2, trial.sizes[0])
    before = [x.clone() for x in inputs]
    with torch.no_grad():
        trial.call(module, inputs)
    if not all(torch.equal(x, was) for x, was in zip(inputs, before, strict=True)):
        raise trial.broken("must not write into its input, which other blocks read too.")


def _passes_gradients(trial: _Trial) -> None:
    module = trial.build().train()
    inputs = [x.requires_grad_() for x in trial.inputs(2, trial.sizes[0])]
    torch.autograd.backward(trial.call(module, inputs).square().sum())
    ends = [*((f"input {i}", x) for i, x in enumerate(inputs)), *module.named_parameters()]
    for name, end in ends:
        if end.grad is None:
            raise trial.broken(f"`{name}` must receive a gradient, but got none.")
        if not end.grad.isfinite().all():
            raise trial.broken(f"the gradient of `{name}` must be finite, but is not.")


def _repeats_itself(trial: _Trial) -> None:
    module = trial.build().eval()
    inputs = trial.inputs(2, trial.sizes[0])
    if not torch.equal(trial.call(module, inputs), trial.call(module, inputs)):
        raise trial.broken("must return the same output twice in evaluation mode.")


def _survives_saving(trial: _Trial) -> None:
    module, twin = trial.build(), trial.build()
    inputs = trial.inputs(2, trial.sizes[0])
    trial.call(module.train(), inputs)  # running statistics are part of the state
    twin.load_state_dict(module.state_dict())
    if not torch.equal(trial.call(module.eval(), inputs), trial.call(twin.eval(), inputs)):
        raise trial.broken("must return the same output after its state dict was loaded into a second one.")


def _runs_in_bfloat16(trial: _Trial) -> None:
    module = trial.build().train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = trial.call(module, trial.inputs(2, trial.sizes[0]))
    if not output.isfinite().all():
        raise trial.broken("must return finite numbers under bfloat16 autocast.")


def _starts_from_the_seed(trial: _Trial) -> None:
    first, second = trial.construct(), trial.construct()
    worked_out = {name: x.clone() for name, x in _equal_tensors(first, second).items()}
    initialise(first, 0)
    initialise(second, 0)
    same = _equal_tensors(first, second)
    for name in first.state_dict():
        if name not in same:
            raise trial.broken(
                f"`{name}` must depend on the seed alone. Draw it in `reset_parameters` of its own module."
            )
        if name in worked_out and not torch.equal(worked_out[name], same[name]):
            raise trial.broken(
                f"`{name}` must keep its start, which is worked out, not drawn. "
                "Set it in `reset_parameters` of its own module."
            )


def _equal_tensors(first: nn.Module, second: nn.Module) -> dict[str, Tensor]:
    """What two blocks of one kind hold in common, by name."""
    theirs = second.state_dict()
    return {name: x for name, x in first.state_dict().items() if torch.equal(x, theirs[name])}


def _builds_on_meta(trial: _Trial) -> None:
    try:
        with torch.device("meta"):
            trial.construct()
    except RuntimeError as error:
        raise trial.broken(f"must build on the meta device, but raised: {error}") from error


def _costs_what_its_formula_says(trial: _Trial) -> None:
    module = trial.build()
    if not has_formula(module):
        return
    fed = _Fed(module, trial.place)
    for size in trial.sizes:
        for num_images in (1, 2):
            counted = count_macs(fed, (sum(trial.place.channels), *size), batch=num_images)
            if counted.status != "exact":
                at = f"{num_images} x {size[0]} x {size[1]}"
                raise trial.broken(
                    f"must cost what its formula `macs` says, but for {at} it is {counted.status}."
                )


class _Fed(nn.Module):
    """A block behind one tensor, which holds all of its inputs side by side."""

    def __init__(self, block: nn.Module, place: _Place) -> None:
        super().__init__()
        self.block, self.place = block, place

    def forward(self, images: Tensor) -> Tensor:
        inputs = torch.split(images, list(self.place.channels), dim=1)
        output: Tensor = self.block(inputs) if self.place.takes_a_list else self.block(*inputs)
        return output


_CHECKS: tuple[Callable[[_Trial], None], ...] = (
    _keeps_its_shape,
    _trains_on_one_image,
    _leaves_its_input,
    _passes_gradients,
    _repeats_itself,
    _survives_saving,
    _runs_in_bfloat16,
    _starts_from_the_seed,
    _builds_on_meta,
    _costs_what_its_formula_says,
)
