"""The latency pass of a sweep: all variants interleaved, after training has left the machine."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import build_variant
from msanet_bench.measure.device import CpuDevice, CudaDevice, Device
from msanet_bench.measure.environment import environment
from msanet_bench.measure.latency import Call, forward_call, interleaved_session
from msanet_bench.measure.latency_table import write_latency
from msanet_bench.measure.samples import Sample, session_of
from msanet_bench.model.initialise import initialise
from msanet_bench.plan import BASELINE
from msanet_bench.spec import MeasureSpec, digest
from msanet_bench.train.seed import flags_restored, set_determinism

SEED = 0


def session_digest(spec: MeasureSpec, plan: CheckedPlan, *, threads: int, code: str) -> str:
    """What is timed, how, and on what: equal digests mean that the samples need not be taken again."""
    networks = {
        variant.name: {
            "model": variant.settings.model.model_dump(mode="json"),
            "shape": plan.shapes[variant.name],
        }
        for variant in plan.variants
    }
    return digest(
        {
            "networks": networks,
            "measure": spec.model_dump(mode="json"),
            "threads": threads,
            "code": code,
            "environment": environment(),
        }
    )


def is_measured(results: Path, session: str) -> bool:
    """Whether the folder holds this session, whole."""
    return (results / "latency.csv").exists() and session_of(results / "samples.parquet") == session


def forget_latency(results: Path) -> None:
    """Remove what an earlier session left, so that its numbers cannot stand beside other networks."""
    for name in ("latency.csv", "samples.parquet"):
        (results / name).unlink(missing_ok=True)


def measure_latency(
    spec: MeasureSpec, plan: CheckedPlan, results: Path, *, threads: int, session: str
) -> None:
    """Time every variant on every kind of device there is; writes `samples.parquet` and `latency.csv`."""
    was_threads = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with flags_restored():
            samples = [sample for device, where in _devices() for sample in _timed(spec, plan, device, where)]
    finally:
        torch.set_num_threads(was_threads)
    write_latency(results, samples, BASELINE, session=session)


def _timed(spec: MeasureSpec, plan: CheckedPlan, device: Device, where: torch.device) -> Iterator[Sample]:
    # full float32 precision, and on CUDA the fastest kernels rather than reproducible ones
    set_determinism(where, deterministic=False)
    for batch in spec.latency_batches:
        calls = _calls(plan, batch, where)
        yield from interleaved_session(calls, device, rounds=spec.latency_rounds, seed=SEED, batch=batch)


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
