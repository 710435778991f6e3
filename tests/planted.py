"""Blocks with planted faults: a plug-in of the tests."""

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from msanet_bench.model.slots import ATTENTION


class _Fault(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        # only the children train; the coordinator's checks and counts run in eval mode
        if self.training:
            self.go_wrong()
        return x_NCHW * self.gain[:, None, None]

    def go_wrong(self) -> None:
        raise NotImplementedError


@ATTENTION.register("planted_error")
class PlantedError(_Fault):
    """Raises in training."""

    def go_wrong(self) -> None:
        raise RuntimeError("planted: shapes do not fit\nsecond line with /a/path")


@ATTENTION.register("planted_memory_error")
class PlantedMemoryError(_Fault):
    """Runs out of memory in training."""

    def go_wrong(self) -> None:
        raise MemoryError("planted: no memory left")


STEP_SECONDS = 0.3


@ATTENTION.register("planted_sleep")
class PlantedSleep(_Fault):
    """Takes its time in training."""

    def go_wrong(self) -> None:
        time.sleep(STEP_SECONDS)


@ATTENTION.register("planted_crash")
class PlantedCrash(_Fault):
    """Kills its process in training."""

    def go_wrong(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


@ATTENTION.register("planted_hang")
class PlantedHang(_Fault):
    """Never comes back."""

    def go_wrong(self) -> None:
        time.sleep(3600)


@ATTENTION.register("planted_hang_in_c")
class PlantedHangInC(_Fault):
    """Never comes back and holds the interpreter's lock, as a kernel that hangs does."""

    def go_wrong(self) -> None:
        ctypes.PyDLL(None).sleep(3600)


@ATTENTION.register("planted_memory_eater")
class PlantedMemoryEater(_Fault):
    """Takes memory, 2.5 GB of it at most, and never comes back."""

    def go_wrong(self) -> None:
        kept = [b"1" * 250_000_000 for _ in range(10)]
        time.sleep(3600)
        del kept


@ATTENTION.register("planted_exit")
class PlantedExit(_Fault):
    """Ends its process without a word."""

    def go_wrong(self) -> None:
        os._exit(7)


@ATTENTION.register("planted_cuda_memory_error")
class PlantedCudaMemoryError(_Fault):
    """Runs out of a CUDA device's memory in training."""

    def go_wrong(self) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 0 bytes free")


@ATTENTION.register("planted_exit_once")
class PlantedExitOnce(_Fault):
    """Ends its process three times: when it is counted, in the step before training, and in a cell."""

    def go_wrong(self) -> None:
        for name in ("counted", "stepped", "trained"):
            with contextlib.suppress(FileExistsError):
                Path(__file__).with_name(name).touch(exist_ok=False)
                os._exit(7)
