"""Memory that is measured on this machine: it costs a process or a device, so a sweep does without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import ImageShape, build_variant
from msanet_bench.measure.memory.cuda import Allocator, MeasuredPeaks, Peak, cuda_allocator, measured_peaks
from msanet_bench.measure.memory.host import host_baseline_rss, host_peak_rss
from msanet_bench.plan import Variant
from msanet_bench.plugins import load_entry_points, load_plugins
from msanet_bench.profile import Network, network_of
from msanet_bench.profile.costs import by_batch


@dataclass(frozen=True, slots=True)
class MeasuredMemory:
    """Bytes that a network took; all in fp32, inference with one image.

    Attributes:
        cuda: On the CUDA device; a step of training takes `train_batch` images.
        host_peak_rss: Of a fresh process that ran inference on the CPU, with interpreter and libraries.
        host_baseline_rss: Of a fresh process that imported the same and built nothing.
    """

    train_batch: int
    cuda: MeasuredPeaks
    host_peak_rss: int
    host_baseline_rss: int

    def to_json(self) -> dict[str, Any]:
        inference, training = _peak_json(self.cuda.inference), _peak_json(self.cuda.training)
        is_known = inference or training
        return {
            "peak_cuda_bytes": by_batch(inference, training, self.train_batch) if is_known else None,
            "peak_cuda_status": self.cuda.status,
            "host_peak_rss_bytes": self.host_peak_rss,
            "host_baseline_rss_bytes": self.host_baseline_rss,
        }


def measure_memory(
    plan: CheckedPlan, *, plugins: Sequence[str] = (), plugin_folder: Path = Path()
) -> dict[str, MeasuredMemory]:
    """The memory of every variant of a plan, in its order; variants of one network and batch share theirs."""
    known: dict[Network, MeasuredMemory] = {}
    measured = {}
    baseline = None
    for variant in plan.variants:
        shape = plan.shapes[variant.name]
        make = partial(_make, variant, shape, tuple(plugins), plugin_folder.resolve())
        # the same for all: it imports and builds nothing
        baseline = baseline or host_baseline_rss(make)
        network = network_of(variant, shape)
        if network not in known:
            known[network] = _measured(make, shape, variant.settings.train.batch_size, baseline)
        measured[variant.name] = known[network]
    return measured


def with_memory(content: Mapping[str, Any], measured: Mapping[str, MeasuredMemory]) -> dict[str, Any]:
    """What `profile_json` gives, with what was measured beside."""
    variants = content["variants"].items()
    return {**content, "variants": {name: {**costs, **measured[name].to_json()} for name, costs in variants}}


def _make(variant: Variant, shape: ImageShape, plugins: Sequence[str], plugin_folder: Path) -> nn.Module:
    load_entry_points()
    load_plugins(plugins, plugin_folder)
    return build_variant(variant, shape)


def _measured(make: partial[nn.Module], shape: ImageShape, train_batch: int, baseline: int) -> MeasuredMemory:
    return MeasuredMemory(
        train_batch=train_batch,
        cuda=_cuda_peaks(cuda_allocator(), make, shape, train_batch),
        host_peak_rss=host_peak_rss(make, shape.image),
        host_baseline_rss=baseline,
    )


def _cuda_peaks(
    allocator: Allocator | None, make: partial[nn.Module], shape: ImageShape, train_batch: int
) -> MeasuredPeaks:
    where = torch.device("cpu" if allocator is None else "cuda")
    images = [torch.zeros(batch, *shape.image, device=where) for batch in (1, train_batch)]
    return measured_peaks(allocator, make().to(where), *images)


def _peak_json(peak: Peak | None) -> dict[str, int] | None:
    if peak is None:
        return None
    return {"base": peak.base, "allocated": peak.allocated, "reserved": peak.reserved}
