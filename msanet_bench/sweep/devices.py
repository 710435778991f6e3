"""Which devices a sweep trains on, and what each of its slots sees of them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import torch

from msanet_bench.errors import BenchError

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class Devices:
    """Where cells run.

    Attributes:
        kind: What a cell calls its device: `cpu` or `cuda`, of which every process sees one.
        visible: What CUDA calls each of them; none for `cpu`.
    """

    kind: str
    visible: tuple[str, ...] = ()

    def slots(self, workers: int | None) -> list[Mapping[str, str]]:
        """The environment of each slot: one a core or a device, else as many as asked for, dealt in turn."""
        if not self.visible:
            return [{VISIBLE: ""}] * (workers or len(os.sched_getaffinity(0)))
        dealt = islice(cycle(self.visible), workers or len(self.visible))
        return [{VISIBLE: device} for device in dealt]


def visible_devices() -> tuple[str, ...]:
    """The CUDA devices that this process may use, by the names that it was given for them."""
    count = torch.cuda.device_count()
    given = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return tuple(given[:count]) if given else tuple(str(number) for number in range(count))


def parse_devices(text: str, visible: Sequence[str]) -> Devices:
    """What `--devices` asks for; numbers count the visible devices, as everywhere in CUDA.

    Raises:
        BenchError: there is no such device.
    """
    words = [word.strip() for word in text.split(",")]
    if text == "cpu" or (text == "auto" and not visible):
        return Devices("cpu")
    if text == "auto":
        return Devices("cuda", tuple(visible))
    if len(set(words)) < len(words):
        raise BenchError(f"--devices: each device once, but got {text!r}. Several cells a device: --workers.")
    return Devices("cuda", tuple(_device(word, visible) for word in words))


def _device(word: str, visible: Sequence[str]) -> str:
    if word.isdecimal() and int(word) < len(visible):
        return visible[int(word)]
    if word.startswith(("GPU-", "MIG-")) and visible:
        return word
    seen = f"{len(visible)} CUDA devices are" if len(visible) != 1 else "1 CUDA device is"
    raise BenchError(
        f"--devices: must be auto, cpu, or numbers or UUIDs of CUDA devices, but got {word!r}; "
        f"{seen} visible here."
    )
