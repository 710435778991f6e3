"""An examination in words, section by section. Loads no torch."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from msanet_bench.doctor.examination import Check, Examination, NoiseFloor
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.measure.throttle import reason_words

NUM_CHECKS = 8
NO_DEVICE = f"no CUDA device: {NUM_CHECKS} checks not run"

_NOT_TOLD = "not told"
_BEWARE = {
    "memory": ", which does not outlive the machine",
    "network": ", which may not keep a lock: let one machine write there",
}


class Section(NamedTuple):
    """A title and its rows, each a label and what it stands for."""

    title: str
    rows: tuple[tuple[str, str], ...]


def sections(examination: Examination) -> list[Section]:
    """All that a reader should see; the file has more."""
    about = examination.environment
    return [
        Section("machine", tuple(_machine(examination))),
        Section("software", tuple(_software(about))),
        Section("flags", tuple(_flags(about["flags"]))),
        Section("storage of the results", (("results", _storage(examination)),)),
        *(Section(f"noise floor: {noise.device}", tuple(_noise(noise))) for noise in examination.noise),
        Section("checks of a CUDA device", tuple(_checks(examination.checks))),
    ]


def conclusion(examination: Examination) -> str:
    """Whether all that could be tried is in order."""
    if examination.failed:
        return f"Not in order: {', '.join(examination.failed)}."
    return "In order, as far as this machine can tell."


def verdict(noise: NoiseFloor) -> str:
    """What the noise means for whoever measures here."""
    if noise.latency_s is None:
        return noise.status
    if noise.half_width is None:
        return f"no interval: {noise.seconds:.1f} s were enough for one super-round; give more seconds"
    width = _percent(noise.half_width)
    seen = f"differences below about {width} cannot be seen here in {noise.seconds:.1f} s"
    return f"{seen}, and some that are seen are none" if noise.surely_apart else seen


def _machine(examination: Examination) -> Iterator[tuple[str, str]]:
    about = examination.environment
    machine, processor = about["machine"], about["processor"]
    kind = {True: ", a guest's", False: ""}.get(machine["virtual_machine"], "")
    yield "processor", f"{about['cpu']}{kind}; {about['cores']} processors, {processor['affinity']} for us"
    yield "memory", _gibibytes(machine["memory_bytes"])
    where = ", ".join(part for part in (machine["libc"], machine["container"]) if part)
    yield "system", f"{about['platform']}, kernel {machine['kernel'] or _NOT_TOLD}, {where}"
    step = examination.clock_step_s
    steps = "steps not seen" if step is None else f"steps of {step * 1e9:.0f} ns"
    yield "clock", f"{machine['clocksource'] or _NOT_TOLD}, {steps}"
    governors = ", ".join(processor["governors"] or ()) or _NOT_TOLD
    yield "frequency", f"governor {governors}, boost {_switch(processor['boost'])}"
    yield "CUDA", _gpu(about["gpu"], examination.cuda_devices)


def _gpu(gpu: Mapping[str, Any] | None, count: int) -> str:
    if gpu is None:
        return "no device"
    driver, clock = gpu["driver"] or _NOT_TOLD, gpu["max_sm_mhz"] or _NOT_TOLD
    memory = _gibibytes(gpu["memory_bytes"])
    others = f", the first of {count}" if count > 1 else ""
    return f"{gpu['name']}{others}; {memory}, driver {driver}, highest clock {clock} MHz"


def _software(about: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    software = about["software"]
    yield "python", about["python"]
    versions = ", ".join(f"{name} {about[name]}" for name in ("torchvision", "numpy"))
    yield "torch", f"{about['torch']}, {versions}"
    cuda = f"CUDA {software['torch_cuda']}, cuDNN {software['cudnn']}"
    yield "built for", cuda if software["torch_cuda"] else "the CPU alone"
    commit = f"commit {software['commit'][:12]}" if software["commit"] else software["not_read"]
    yield "msanet_bench", commit + (", with changes" if software["dirty"] else "")
    variables = ", ".join(f"{name}={value}" for name, value in about["variables"].items())
    yield "variables", variables or "none that torch reads"


def _flags(flags: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "products", f"float32 at precision {flags['get_float32_matmul_precision']}"
    names = ("benchmark", "deterministic", "allow_tf32")
    yield "cuDNN", ", ".join(f"{name} {_switch(flags[f'backends.cudnn.{name}'])}" for name in names)
    yield "algorithms", f"deterministic {_switch(flags['are_deterministic_algorithms_enabled'])}"
    yield "threads", f"{flags['get_num_threads']}; a session uses one"


def _storage(examination: Examination) -> str:
    if examination.storage is None:
        return f"cannot be written ({examination.storage_refusal})"
    speed = examination.storage
    kind = speed.kind or "of unknown kind"
    file_system = speed.file_system or "file system " + _NOT_TOLD
    return f"{file_system} ({kind}{_BEWARE.get(kind, '')}): {_milliseconds(speed.sync_s)} to keep a line"


def _noise(noise: NoiseFloor) -> Iterator[tuple[str, str]]:
    if noise.latency_s is not None:
        yield (
            "session",
            (
                f"one network under {noise.names} names, batch {noise.batch}, {noise.threads} thread: "
                f"{noise.rounds} rounds in {_super_rounds(noise)}, {noise.seconds:.1f} s"
            ),
        )
        yield "latency", _milliseconds(noise.latency_s)
    if noise.first_call_s is not None:
        yield "first call", _milliseconds(noise.first_call_s)
    if noise.half_width is not None:
        yield "interval", f"a ratio +/- {_percent(noise.half_width)} (95 %, median of {noise.pairs} pairs)"
        yield "differences", f"{_percent(noise.largest_difference)} at most, and all of them are noise"
        yield (
            "told apart",
            (
                f"{noise.told_apart} of {noise.pairs} pairs; 5 % would be {0.05 * noise.pairs:.2f}; "
                f"beyond chance: {noise.surely_apart}"
            ),
        )
        yield "drift", f"{_percent(noise.drift)} between the slowest and the fastest super-round"
    yield "state after it", _state(noise.state)
    if noise.rejected:
        yield "not counted", f"{_percent(noise.rejected)} of the windows, since the device was slowed down"
    yield "verdict", verdict(noise)


def _super_rounds(noise: NoiseFloor) -> str:
    return "1 super-round" if noise.super_rounds == 1 else f"{noise.super_rounds} super-rounds"


def _state(state: Telemetry) -> str:
    """What may explain a noisy session: the host's load, and the clock of the device if it has one."""
    load = "load of the host " + (_NOT_TOLD if state.load is None else f"{state.load:.2f}")
    if state.sm_mhz is None and state.event_reasons is None:
        return load
    words = (_NOT_TOLD,) if state.event_reasons is None else reason_words(state.event_reasons)
    measures = ((state.sm_mhz, "MHz"), (state.temperature_c, "C"), (state.power_w, "W"))
    told = ", ".join(f"{value:g} {unit}" for value, unit in measures if value is not None)
    return f"{told}, reasons for the clock: {', '.join(words) or 'none'}; {load}"


def _checks(checks: tuple[Check, ...]) -> Iterator[tuple[str, str]]:
    if not checks:
        yield "CUDA", NO_DEVICE
    for check in checks:
        outcome = {True: "ok", False: "FAILED", None: "-"}[check.passed]
        numbers = "" if check.value is None else f" {check.value:.4g}"
        limit = "" if check.value is None or check.limit is None else f" (limit {check.limit:.4g})"
        yield check.name, f"{outcome}{numbers}{limit}: {check.detail}"


def _percent(share: float | None) -> str:
    if share is None:
        return _NOT_TOLD
    return f"{100 * share:.1f} %" if share >= 0.01 else f"{100 * share:.2f} %"  # noqa: PLR2004  # a hundredth


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.2f} ms"


def _gibibytes(size: int | None) -> str:
    return _NOT_TOLD if size is None else f"{size / 2**30:.1f} GiB"


def _switch(state: object) -> str:
    return {"True": "on", "False": "off", "None": _NOT_TOLD}.get(str(state), str(state))
