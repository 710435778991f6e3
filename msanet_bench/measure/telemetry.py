"""The state of machine and device between two timed visits: what may explain a slow one.

To be read between visits and never inside a timed window. Without a device a look took 0.06 ms in the median
on a machine of two processors; what NVML's questions add was never measured.
"""

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from msanet_bench.measure.kernel_files import read_number, read_text
from msanet_bench.measure.nvml import NO_GPU, Gpu, ask, ask_newest

# nvmlClockType_t and nvmlTemperatureSensors_t
CLOCK_SM, CLOCK_MEMORY = 1, 2
_SENSOR_GPU = 0
_WATTS = 1e-3
# /proc/stat: `cpu` and then user, nice, system, idle, iowait, irq, softirq, steal
_STEAL = 8
# /proc/PID/stat after the name in parentheses: field 39 is the processor last used, and 3 is the first
_LAST_PROCESSOR = 39 - 3
_MEGAHERTZ = 1e-3


@dataclass(frozen=True, slots=True)
class Telemetry:
    """One look at machine and device; None where a value cannot be read.

    Attributes:
        event_reasons: NVML's bits, which `throttle.slowdowns` puts into words; 0 is no reason.
        cpu_mhz: Of the processor that the main thread last ran on.
        involuntary_switches: How often this process, with all its threads, had to give way so far.
        steal_ticks: Hundredths of a second that other guests took from all processors so far.
        load: Processes that ran or wanted to, mean of about a minute, this one among them.
    """

    sm_mhz: int | None
    memory_mhz: int | None
    temperature_c: int | None
    power_w: float | None
    event_reasons: int | None
    cpu_mhz: float | None
    involuntary_switches: int
    steal_ticks: int | None
    load: float | None


def read_telemetry(gpu: Gpu = NO_GPU, *, root: Path = Path("/")) -> Telemetry:
    """The state now; without a device its columns are None."""
    power_mw = ask(gpu, "nvmlDeviceGetPowerUsage")
    return Telemetry(
        sm_mhz=ask(gpu, "nvmlDeviceGetClockInfo", CLOCK_SM),
        memory_mhz=ask(gpu, "nvmlDeviceGetClockInfo", CLOCK_MEMORY),
        temperature_c=ask(gpu, "nvmlDeviceGetTemperature", _SENSOR_GPU),
        power_w=None if power_mw is None else power_mw * _WATTS,
        event_reasons=read_event_reasons(gpu),
        cpu_mhz=_cpu_mhz(root),
        involuntary_switches=resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw,
        steal_ticks=_steal_ticks(root / "proc/stat"),
        load=_load(),
    )


def read_event_reasons(gpu: Gpu) -> int | None:
    """NVML's reasons for the present clocks as bits; drivers before 535 know them by an older name."""
    answer: int | None = ask_newest(
        gpu, "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"
    )
    return answer


def _steal_ticks(stat: Path) -> int | None:
    try:
        with stat.open(encoding="ascii") as lines:
            fields = next(lines).split()
    except OSError:
        return None
    return int(fields[_STEAL]) if len(fields) > _STEAL else None


def _cpu_mhz(root: Path) -> float | None:
    status = read_text(root / "proc/self/stat")
    if status is None:
        return None
    processor = status.rpartition(")")[2].split()[_LAST_PROCESSOR]
    # most guests do not see their clock
    khz = read_number(root / f"sys/devices/system/cpu/cpu{processor}/cpufreq/scaling_cur_freq")
    return None if khz is None else khz * _MEGAHERTZ


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None
