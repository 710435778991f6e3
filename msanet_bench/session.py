"""The latency pass of a sweep: all variants interleaved, after training has left the machine."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import build_variant
from msanet_bench.measure.device import CpuDevice, CudaDevice, Device
from msanet_bench.measure.latency import Call, forward_call, interleaved_session
from msanet_bench.measure.latency_table import write_latency
from msanet_bench.measure.samples import Sample, session_of
from msanet_bench.model.initialise import initialise
from msanet_bench.plan import BASELINE
from msanet_bench.spec import MeasureSpec, digest
from msanet_bench.train.seed import set_determinism

SEED = 0


def is_measured(spec: MeasureSpec, plan: CheckedPlan, results: Path) -> bool:
    """Whether the folder holds a session of these very networks under these settings."""
    wanted = session_digest(spec, plan)
    return (results / "latency.csv").exists() and session_of(results / "samples.parquet") == wanted


def measure_latency(spec: MeasureSpec, plan: CheckedPlan, results: Path, *, threads: int) -> None:
    """Time every variant on every kind of device there is; writes `samples.parquet` and `latency.csv`."""
    was_threads = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        samples = [sample for device, where in _devices() for sample in _timed(spec, plan, device, where)]
    finally:
        torch.set_num_threads(was_threads)
    write_latency(results, samples, BASELINE, session=session_digest(spec, plan))


def _timed(spec: MeasureSpec, plan: CheckedPlan, device: Device, where: torch.device) -> Iterator[Sample]:
    # full float32 precision, and on CUDA the fastest kernels rather than reproducible ones
    set_determinism(where, deterministic=False)
    for batch in spec.latency_batches:
        calls = _calls(plan, batch, where)
        yield from interleaved_session(calls, device, rounds=spec.latency_rounds, seed=SEED, batch=batch)


def session_digest(spec: MeasureSpec, plan: CheckedPlan) -> str:
    """What was timed and how: equal digests mean that the samples need not be taken again."""
    networks = {
        variant.name: {
            "model": variant.settings.model.model_dump(mode="json"),
            "shape": plan.shapes[variant.name],
        }
        for variant in plan.variants
    }
    return digest({"networks": networks, "measure": spec.model_dump(mode="json")})


def _devices() -> list[tuple[Device, torch.device]]:
    devices: list[tuple[Device, torch.device]] = [(CpuDevice(), torch.device("cpu"))]
    if torch.cuda.is_available():
        devices.append((CudaDevice(), torch.device("cuda")))
    return devices


def _calls(plan: CheckedPlan, batch: int, device: torch.device) -> Mapping[str, Call]:
    calls = {}
    for variant in plan.variants:
        shape = plan.shapes[variant.name]
        model = build_variant(variant, shape)
        initialise(model, SEED)
        calls[variant.name] = forward_call(model, shape.image, batch=batch, device=device)
    return calls
