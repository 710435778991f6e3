"""What NVML means by its reasons for a clock, and which of them make a measurement slower."""

from dataclasses import dataclass

from msanet_bench.measure.nvml import Gpu, ask

# The bits of nvmlClocksEventReasons in CUDA 13; older headers say ThrottleReasons and have the first nine.
REASONS = {
    0x001: "idle",
    0x002: "application clocks",
    0x004: "power cap",
    0x008: "hardware slowdown",
    0x010: "sync boost",
    0x020: "thermal slowdown by software",
    0x040: "thermal slowdown by hardware",
    0x080: "power brake",
    0x100: "display clocks",
    0x200: "board limit",
    0x400: "reliability",
}
# An idle device waits for work, and somebody chose the clocks of applications, displays and sync boost.
# `reliability` is the voltage that bounds every boost: a device at its highest clock may show it.
SLOWING = 0x004 | 0x008 | 0x020 | 0x040 | 0x080 | 0x200

# nvmlPerfPolicyType_t
_POWER, _THERMAL, _BOARD_LIMIT = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Throttled:
    """Nanoseconds for which each cause held the clock down, since the driver was loaded or between two looks.

    Attributes:
        power_ns: None, as the others, where the device does not count it.
    """

    power_ns: int | None
    thermal_ns: int | None
    board_limit_ns: int | None


def slowdowns(event_reasons: int | None) -> tuple[str, ...] | None:
    """The reasons that make a measurement slower, in words; empty where there is none, None where unknown."""
    return None if event_reasons is None else reason_words(event_reasons & SLOWING)


def reason_words(event_reasons: int) -> tuple[str, ...]:
    """All reasons in words, in the order of their bits; a bit that this version does not know as a number."""
    known = tuple(word for bit, word in REASONS.items() if event_reasons & bit)
    unknown = event_reasons & ~sum(REASONS)
    return (*known, f"unknown {unknown:#x}") if unknown else known


def read_throttled(gpu: Gpu) -> Throttled:
    """The counters of now. They miss no short event, as looks at the reasons around a block would."""
    return Throttled(_held(gpu, _POWER), _held(gpu, _THERMAL), _held(gpu, _BOARD_LIMIT))


def throttled_between(before: Throttled, after: Throttled) -> Throttled:
    """How far the counters went on from one look to the next."""
    return Throttled(
        _difference(before.power_ns, after.power_ns),
        _difference(before.thermal_ns, after.thermal_ns),
        _difference(before.board_limit_ns, after.board_limit_ns),
    )


def _held(gpu: Gpu, policy: int) -> int | None:
    status = ask(gpu, "nvmlDeviceGetViolationStatus", policy)
    # in nanoseconds, while `referenceTime` beside it is in microseconds
    return None if status is None else int(status.violationTime)


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before
