"""Memory from shapes alone: the network runs on tensors that have sizes and no numbers."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from msanet_bench.errors import first_line
from msanet_bench.measure.hollow import hollow_copy
from msanet_bench.measure.memory.workload import classify, make_optimiser, train_step
from msanet_bench.measure.params import dtype_of

ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """What the tensors of a network take on an ideal allocator, with the CPU's operations.

    Not in it: what kernels take while they run, rounding and fragmentation of a real allocator, the
    interpreter, a CUDA context. So a real peak lies above, and the two never share a column.

    Attributes:
        saved_bytes: What one forward pass in training keeps for the backward pass, without parameters and
            buffers. Storages count, whole and once: a saved slice keeps all of its storage.
        inference_peak_bytes: Most that is alive at once in a forward pass: parameters, buffers and images
            are.
        training_peak_bytes: The same of a step of training when the optimiser (AdamW) has its state.
        status: `estimated`, or why what is None is not known.
    """

    saved_bytes: int | None
    inference_peak_bytes: int | None
    training_peak_bytes: int | None
    status: str = ESTIMATED


def estimate_memory(
    model: nn.Module,
    input_shape: tuple[int, ...],
    *,
    inference_batch: int = 1,
    train_batch: int = 1,
    no_training: str = "",
) -> MemoryEstimate:
    """Count a forward pass and a step of training on images of `input_shape` (C, H, W).

    Nothing is computed and no image, map or weight is allocated; the model itself is not touched. Where
    `no_training` gives a reason, nothing runs in training mode.
    """
    with FakeTensorMode(allow_non_fake_inputs=True):
        subject = hollow_copy(model, "cpu")
        images = _images(subject, inference_batch, input_shape)
        inference, no_inference = _known(partial(_inference_peak, subject, images))
        saved = training = None
        if not no_training:
            images = _images(subject, train_batch, input_shape)
            saved, no_training = _known(partial(_saved_bytes, subject, images))
            if saved is not None:
                training, no_training = _known(partial(_training_peak, subject, images))
    reasons = {"inference": no_inference, "training": no_training}
    notes = [f"{kind} not estimated ({reason})" for kind, reason in reasons.items() if reason]
    return MemoryEstimate(saved, inference, training, "; ".join(notes) or ESTIMATED)


class _NothingTrainsError(Exception):
    """There is no step of training."""


def _known(work: Callable[[], int]) -> tuple[int | None, str]:
    """A number, or None and why there is none."""
    try:
        return work(), ""
    except _NothingTrainsError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 - a block is anybody's code; the reason stands in place of the number
        return None, first_line(error)


def _images(model: nn.Module, batch: int, input_shape: tuple[int, ...]) -> Tensor:
    return torch.empty(batch, *input_shape, dtype=dtype_of(model))


def _inference_peak(model: nn.Module, images: Tensor) -> int:
    return _peak([*model.parameters(), *model.buffers(), images], partial(classify, model, images))


def _training_peak(model: nn.Module, images: Tensor) -> int:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise _NothingTrainsError("no parameter is trainable")
    optimiser = _optimiser_with_state(model)
    labels = torch.zeros(len(images), dtype=torch.int64)
    states = [x for state in optimiser.state.values() for x in state.values() if isinstance(x, Tensor)]
    held = [*model.parameters(), *model.buffers(), images, labels, *states]
    return _peak(held, partial(train_step, model, optimiser, images, labels))


def _saved_bytes(model: nn.Module, images: Tensor) -> int:
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage  # noqa: SLF001 - a storage's identity has no public name
        return tensor

    model.train()
    with saved_tensors_hooks(pack, lambda tensor: tensor):
        model(images)
    own = {x.untyped_storage()._cdata for x in [*model.parameters(), *model.buffers()]}  # noqa: SLF001 - as above
    return sum(storage.nbytes() for identity, storage in kept.items() if identity not in own)


def _optimiser_with_state(model: nn.Module) -> torch.optim.Optimizer:
    optimiser = make_optimiser(model)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.empty_like(parameter)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return optimiser


def _peak(held: Sequence[Tensor], work: Callable[[], object]) -> int:
    meter = _Meter(held)
    with meter:
        work()
    return meter.peak


class _Meter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not annotate it
    """Counts the bytes of every storage from its first operation until it is freed.

    torch's own MemTracker counts the same, by module and kind, in about three times the time (and in a
    private module): the tests hold this one to it.
    """

    def __init__(self, held: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.peak = self._alive = 0
        self._storages: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        for tensor in held:
            self._meet(tensor)

    def __torch_dispatch__(
        self,
        operation: Callable[..., object],
        _types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        result = operation(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._meet(leaf)
        return result

    def _meet(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        identity, size = storage._cdata, storage.nbytes()  # noqa: SLF001 - a storage's identity has no public name
        if identity not in self._storages:
            self._alive += size
            self.peak = max(self.peak, self._alive)
            self._storages[identity] = weakref.ref(storage, partial(self._part, identity, size))

    def _part(self, identity: int, size: int, _: object) -> None:
        del self._storages[identity]
        self._alive -= size
