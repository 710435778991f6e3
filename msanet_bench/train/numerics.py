"""The number format and memory layout in which a network computes."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Precision = Literal["fp32", "bf16", "fp16"]

_AUTOCAST = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Numerics:
    """Parameters stay in float32; `bf16` and `fp16` compute where torch's autocast allows it."""

    precision: Precision = "fp32"
    channels_last: bool = False

    @property
    def memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def autocast(self, device: torch.device) -> AbstractContextManager[object]:
        """The context in which the network runs forward."""
        return torch.autocast(device.type, _AUTOCAST[self.precision], enabled=self.precision != "fp32")

    def lay_out(self, images: Tensor) -> Tensor:
        """The same images in the memory format of the network."""
        return images.contiguous(memory_format=self.memory_format)
