import os
import sys
from pathlib import Path

import pytest

from msanet_bench.errors import BenchError
from msanet_bench.executors import LocalExecutor
from msanet_bench.sweep import SweepOptions
from msanet_bench.sweep.devices import Devices
from msanet_bench.sweep.place import open_place

CPU, TWO = Devices("cpu"), Devices("cuda", ("0", "1"))


@pytest.mark.parametrize(
    ("workers", "devices", "cells", "slots"),
    # at most one a cell, and one for a plan that is done
    [(4, CPU, 10, 4), (4, CPU, 3, 3), (4, CPU, 0, 1), (None, TWO, 10, 2), (3, TWO, 10, 3)],
)
def test_here_there_are_as_many_slots_as_workers_or_devices(
    workers: int | None, devices: Devices, cells: int, slots: int
) -> None:
    with open_place(SweepOptions(Path("results"), workers=workers), devices, cells) as place:
        assert isinstance(place.executor, LocalExecutor)
        assert place.slots == slots


@pytest.fixture
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "msanet_bench.executors.ray", raising=False)


@pytest.mark.usefixtures("no_ray")
def test_a_plan_that_is_done_needs_no_cluster() -> None:
    options = SweepOptions(Path("results"), executor="ray")
    with open_place(options, CPU, cells=0) as place:
        assert place.slots >= 1
    with pytest.raises(BenchError, match="needs Ray"), open_place(options, CPU, cells=1):
        pass


def test_ray_hands_out_devices_itself() -> None:
    options = SweepOptions(Path("results"), executor="ray", devices="1")
    message = "^--devices: must be auto or cpu with --executor ray, .* but got '1'"
    with pytest.raises(BenchError, match=message), open_place(options, TWO, cells=1):
        pass


@pytest.mark.usefixtures("no_ray")
def test_a_cluster_that_nobody_would_use_is_not_passed_over() -> None:
    options = SweepOptions(Path("results"), ray_address="first:6379")
    message = "^--ray-address: means something only with --executor ray"
    with pytest.raises(BenchError, match=message), open_place(options, CPU, cells=1):
        pass
