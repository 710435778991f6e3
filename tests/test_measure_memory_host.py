"""Peaks of whole processes."""

import multiprocessing
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest
import torch
from torch import nn

from msanet_bench.measure.memory import host
from msanet_bench.measure.memory.host import host_baseline_rss, host_peak_rss, peak_rss
from msanet_bench.model.build import build
from msanet_bench.spec import ModelSpec

MIB = 2**20


def inherited_peak() -> int:
    """What Linux's `ru_maxrss` says of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def both_peaks() -> tuple[int, int]:
    return inherited_peak(), peak_rss()


@pytest.mark.skipif(sys.platform != "linux", reason="is about Linux's counters")
def test_the_memory_of_the_parent_is_not_counted() -> None:
    """A twin: by `ru_maxrss`, a child of this process is at least as large as this process."""
    ballast = torch.ones(600 * MIB // 4)
    assert ballast.sum() > 0
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        inherited, own = pool.submit(both_peaks).result()
    assert inherited >= 600 * MIB
    assert own < inherited_peak() - 500 * MIB


def ballast_of(mebibytes: int) -> nn.Module:
    """A network that is nothing but weights: 1024 of 4 bytes for each of 256 outputs make one MiB."""
    return nn.Sequential(nn.Flatten(), nn.Linear(1024, mebibytes * 256, bias=False))


def test_weights_are_found_in_the_peak() -> None:
    make = partial(ballast_of, 300)
    peak, baseline = host_peak_rss(make, (1024,)), host_baseline_rss(make)
    # the first product loads libraries, some ten MiB of them
    assert 300 * MIB < peak - baseline < 400 * MIB
    # interpreter and torch alone
    assert 50 * MIB < baseline < 1000 * MIB


def test_an_error_of_the_process_is_raised_here() -> None:
    make = partial(build, ModelSpec(width=0.125), num_classes=10)
    with pytest.raises(ValueError, match="images must be at least 16 x 16"):
        host_peak_rss(make, (3, 8, 8))


@pytest.mark.parametrize(("platform", "unit"), [("darwin", 1), ("freebsd14", 1024)])
def test_other_systems_count_in_their_own_unit(
    platform: str, unit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "_STATUS", host._STATUS / "absent")
    monkeypatch.setattr(host.sys, "platform", platform)
    monkeypatch.setattr(host.resource, "getrusage", lambda _: type("Usage", (), {"ru_maxrss": 5}))
    assert peak_rss() == 5 * unit
