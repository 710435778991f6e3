"""What an examination of a machine found, as plain values. Loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msanet_bench.measure.storage import StorageSpeed
from msanet_bench.measure.telemetry import Telemetry

STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the timing relies on, tried on a device.

    Attributes:
        passed: None where it could not be tried; `detail` says why.
        value: What was measured; `detail` says of what, and on which side of the limit it belongs.
    """

    name: str
    passed: bool | None
    value: float | None
    limit: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """One latency session over one network under several names, so that every difference in it is noise.

    What needs two super-rounds is None where there was time for one.

    Attributes:
        latency_s: Median of the anchor.
        first_call_s: The first call of a network on the device, with all that libraries prepare for it.
        pairs: Of the names, each with each; they share names, so they are not independent.
        half_width: Of the 95 % intervals of the pairs' ratios, as a share of the ratio; their median.
        largest_difference: Of a ratio to 1.
        told_apart: Pairs with a 95 % interval without 1; about 5 % of them are to be expected.
        surely_apart: The same of intervals that would hold 1 in all pairs of 99 of 100 such sessions.
        drift: Range of the anchor's medians over the super-rounds, as a share of their median.
        rejected: Share of the windows that do not count, since the device was slowed down.
        seconds: That the session took, warm-up and all.
        flags: The switches of torch that a session sets, where they were otherwise.
        state: The look at device and host after the session.
        status: `measured`, or why there are no numbers.
    """

    device: str
    threads: int
    batch: int
    precision: str
    names: int
    pairs: int
    super_rounds: int
    rounds: int
    latency_s: float | None
    first_call_s: float | None
    half_width: float | None
    largest_difference: float | None
    told_apart: int | None
    surely_apart: int | None
    drift: float | None
    rejected: float | None
    seconds: float
    flags: Mapping[str, Any]
    state: Telemetry
    status: str


@dataclass(frozen=True, slots=True)
class Examination:
    """A machine and its devices.

    Attributes:
        environment: As a session's file has it, without the number that identifies a device.
        clock_step_s: The smallest step that the host's clock was seen to make.
        storage: None where nothing can be kept in the folder; `storage_refusal` says why.
        noise: One session a kind of device.
        checks: Of the first CUDA device; empty without one.
    """

    environment: Mapping[str, Any]
    clock_step_s: float | None
    cuda_devices: int
    storage: StorageSpeed | None
    storage_refusal: str | None
    noise: tuple[NoiseFloor, ...]
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """What is not in order. Noise is never among it: how much is too much depends on the question."""
        storage = () if self.storage else (STORAGE,)
        return storage + tuple(check.name for check in self.checks if check.passed is False)
