"""Blocks with planted faults: a plug-in of the tests."""

import os
import signal
import time

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
