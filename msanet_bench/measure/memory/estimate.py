"""Memory from shapes alone: the network runs on tensors that have sizes and no numbers."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from msanet_bench.errors import first_line
from msanet_bench.measure.hollow import hollow_copy
from msanet_bench.measure.memory.workload import classify, differentiate
from msanet_bench.measure.params import dtype_of, take_inventory

ESTIMATED = "estimated"

T = TypeVar("T")


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
    step: _Step | None = None
    with FakeTensorMode(allow_non_fake_inputs=True):
        subject = hollow_copy(model, "cpu")
        images = _images(subject, inference_batch, input_shape)
        inference, no_inference = _known(partial(_inference_peak, subject, images))
        if not no_training:
            images = _images(subject, train_batch, input_shape)
            step, no_training = _known(partial(_step_of_training, subject, images))
    saved, training = step or (None, None)
    if step is not None and training is None:
        no_training = "no parameter is trainable"
    reasons = {"inference": no_inference, "training": no_training}
    notes = [f"{kind} not estimated ({reason})" for kind, reason in reasons.items() if reason]
    return MemoryEstimate(saved, inference, training, "; ".join(notes) or ESTIMATED)


class _Step(NamedTuple):
    """What a step of training takes; no peak where nothing can be trained."""

    saved: int
    peak: int | None


def _known(work: Callable[[], T]) -> tuple[T | None, str]:
    """What some work gives, or None and why there is nothing."""
    try:
        return work(), ""
    except Exception as error:  # noqa: BLE001 - a block is anybody's code; the reason stands in place of the number
        return None, first_line(error)


def _images(model: nn.Module, batch: int, input_shape: tuple[int, ...]) -> Tensor:
    return torch.empty(batch, *input_shape, dtype=dtype_of(model))


def _inference_peak(model: nn.Module, images: Tensor) -> int:
    meter = _Meter([*model.parameters(), *model.buffers(), images])
    with meter:
        classify(model, images)
    return meter.peak


def _step_of_training(model: nn.Module, images: Tensor) -> _Step:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        return _Step(saved=0, peak=None)
    kept = [*model.parameters(), *model.buffers()]
    labels = torch.zeros(len(images), dtype=torch.int64)
    watched = _Watched(model, kept)
    meter = _Meter([*kept, images, labels])
    with meter:
        differentiate(watched, images, labels)
    # the update comes when only gradients are left of the step, and works in place: it adds no peak
    return _Step(watched.saved, meter.peak + _state_bytes(model))


def _state_bytes(model: nn.Module) -> int:
    """What AdamW keeps: two moments of each parameter that is trained, and a count of steps in float32."""
    num_trained = sum(parameter.requires_grad for parameter in model.parameters())
    return 2 * take_inventory(model).total.trainable.bytes + 4 * num_trained


class _Watched(nn.Module):
    """A network that adds up what its forward pass saves: every storage once, but those of `kept`."""

    def __init__(self, model: nn.Module, kept: Sequence[Tensor]) -> None:
        super().__init__()
        self.model = model
        self.saved = 0
        self._storages = {_identity(tensor): weakref.ref(tensor.untyped_storage()) for tensor in kept}

    def forward(self, images: Tensor) -> Tensor:
        with saved_tensors_hooks(self._pack, lambda tensor: tensor):
            outputs: Tensor = self.model(images)
        return outputs

    def _pack(self, tensor: Tensor) -> Tensor:
        known = self._storages.get(_identity(tensor))
        # one that is gone has left its identity to another
        if known is None or known() is None:
            storage = tensor.untyped_storage()
            self._storages[_identity(tensor)] = weakref.ref(storage)
            self.saved += storage.nbytes()
        return tensor


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
        identity, size = _identity(tensor), storage.nbytes()
        if identity not in self._storages:
            self._alive += size
            self.peak = max(self.peak, self._alive)
            self._storages[identity] = weakref.ref(storage, partial(self._part, identity, size))

    def _part(self, identity: int, size: int, _: object) -> None:
        del self._storages[identity]
        self._alive -= size


def _identity(tensor: Tensor) -> int:
    """That of a tensor's storage, which another may take when it is gone."""
    identity: int = tensor.untyped_storage()._cdata  # noqa: SLF001 - has no public name
    return identity
