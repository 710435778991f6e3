"""The executor of Ray tasks against a stand-in; `tests/cluster/test_ray.py` has real clusters."""

import contextlib
import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import fake_ray
from fake_ray import FakeRay
from msanet_bench.errors import BenchError
from msanet_bench.executors import Lacking, Limits, WorkerDied


@pytest.fixture
def ray() -> FakeRay:
    return FakeRay()


@pytest.fixture
def module(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The executor's module, imported anew on the stand-in."""
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", fake_ray)
    monkeypatch.setattr(os, "environ", {**os.environ, "RAY_ADDRESS": ""})
    monkeypatch.delitem(sys.modules, "msanet_bench.executors.ray", raising=False)
    yield importlib.import_module("msanet_bench.executors.ray")
    del sys.modules["msanet_bench.executors.ray"]


def _nothing() -> None:
    return None


def _always(_: object) -> bool:
    return True


def _executor(module: ModuleType, function: Callable[[Any, Any], Any], **options: Any) -> Any:
    settings = {"start": _nothing, "is_well": _always, "supply": _always, **options}
    return module.RayExecutor(function, **settings)


def _scripted(*ends: Exception | int) -> Callable[[Any, Any], int]:
    """A function that comes to these ends in turn."""
    rest = list(ends)

    def function(_task: object, _supply: object) -> int:
        end = rest.pop(0)
        if isinstance(end, BaseException):
            raise end
        return end

    return function


def _error(module: ModuleType, *ends: Exception | int, **options: Any) -> BaseException | None:
    executor = _executor(module, _scripted(*ends), **options)
    error: BaseException | None = executor.submit("task").exception(timeout=10)
    executor.close()
    return error


def test_each_task_gets_its_answer_and_the_cluster_is_left_at_the_end(
    module: ModuleType, ray: FakeRay
) -> None:
    executor = _executor(module, lambda task, _: 2 * task)
    assert [executor.submit(task).result(timeout=10) for task in (1, 2, 3)] == [2, 4, 6]
    assert ray.is_up
    executor.close()
    assert not ray.is_up


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (fake_ray.WorkerCrashedError(), "crash"),
        (fake_ray.TaskCancelledError(), "crash"),
        (fake_ray.OutOfMemoryError(), "memory"),
    ],
)
def test_a_worker_that_dies_is_not_tried_again_by_itself(
    module: ModuleType, end: Exception, kind: str
) -> None:
    error = _error(module, end, 7)
    assert isinstance(error, WorkerDied)
    assert error.kind == kind


def test_a_task_that_goes_on_for_ever_is_ended(module: ModuleType, ray: FakeRay) -> None:
    error = _error(module, fake_ray.Hang(), limits=Limits(seconds=2))
    assert isinstance(error, WorkerDied)
    assert (error.kind, str(error)) == (
        "timeout",
        "the worker process ran longer than the limit of 2 s and was killed",
    )
    assert len(ray.cancelled) == 1


def test_a_task_whose_node_is_lost_runs_elsewhere(module: ModuleType) -> None:
    ends = [fake_ray.NodeDiedError(), fake_ray.ObjectLostError(), fake_ray.NodeDiedError(), 7]
    executor = _executor(module, _scripted(*ends))
    assert executor.submit("task").result(timeout=10) == 7


def test_a_task_that_takes_every_node_with_it_is_given_up(module: ModuleType) -> None:
    error = _error(module, *[fake_ray.NodeDiedError()] * module.MAX_NODES_LOST, 7)
    assert isinstance(error, WorkerDied)
    assert str(error) == "5 nodes in turn were lost with it"


def test_what_nodes_lack_is_sent_once(module: ModuleType, ray: FakeRay) -> None:
    asked: list[str] = []

    def supply(task: str) -> str:
        asked.append(task)
        return "images"

    def function(task: str, sent: str | None) -> tuple[str, str]:
        if sent is None:
            raise Lacking("digest")
        return task, sent

    executor = _executor(module, function, supply=supply)
    answers = [executor.submit(task).result(timeout=10) for task in ("a", "b", "c")]
    assert answers == [("a", "images"), ("b", "images"), ("c", "images")]
    assert (asked, ray.puts) == (["a"], ["images"])


def test_nothing_is_sent_to_nodes_that_have_it(module: ModuleType, ray: FakeRay) -> None:
    executor = _executor(module, lambda _, sent: sent)
    assert executor.submit("a").result(timeout=10) is None
    assert ray.puts == []


@pytest.mark.parametrize(("answer", "ended"), [(1, 0), (-1, 1)])
def test_only_a_process_that_is_unwell_is_ended(
    module: ModuleType, ray: FakeRay, answer: int, ended: int
) -> None:
    executor = _executor(module, _scripted(answer), is_well=lambda given: given > 0)
    assert executor.submit("task").result(timeout=10) == answer
    executor.close()
    assert len(ray.cancelled) == ended


def test_what_a_user_can_mend_reaches_the_user(module: ModuleType) -> None:
    own = BenchError("node b: has other code")
    assert _error(module, own) is own
    missing = fake_ray.RayTaskError(fake_ray.RaySystemError("No module named 'msanet_bench'"))
    assert str(_error(module, missing)) == (
        "node 10.0.0.9: cannot run cells (RaySystemError: No module named 'msanet_bench'). "
        "Install the same msanet-bench on every node, then give the same command again."
    )


def test_an_error_of_the_program_keeps_its_traceback(module: ModuleType) -> None:
    error = _error(module, ValueError("a defect"))
    assert isinstance(error, fake_ray.RayTaskError)


def test_no_task_begins_after_a_cancel(module: ModuleType, ray: FakeRay) -> None:
    executor = _executor(module, _scripted(fake_ray.TaskCancelledError()))
    executor.cancel()
    assert isinstance(executor.submit("task").exception(timeout=10), WorkerDied)
    assert len(ray.cancelled) == 1


def test_ray_retries_nothing_keeps_its_workers_and_hands_out_devices(
    module: ModuleType, ray: FakeRay
) -> None:
    _executor(module, _scripted(), gpus=1)
    assert ray.options == {
        "num_returns": "streaming",
        "num_cpus": 1,
        "num_gpus": 1,
        "max_retries": 0,
        "max_calls": 0,
    }


@pytest.mark.parametrize(
    ("address", "variable", "joined"),
    [(None, "", "local"), (None, "a:1", "a:1"), ("b:2", "a:1", "b:2")],
)
def test_ray_is_joined_where_it_is_named_and_else_started_here(
    module: ModuleType,
    ray: FakeRay,
    monkeypatch: pytest.MonkeyPatch,
    address: str | None,
    variable: str,
    joined: str,
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", variable)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: contextlib.nullcontext())
    _executor(module, _scripted(), address=address, local_cpus=3)
    quiet = {"log_to_driver": False, "logging_level": 50}
    here = {"num_cpus": 3, "include_dashboard": False} if joined == "local" else {}
    assert ray.begun == [{"address": joined, **quiet, **here}]
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_sigterm_does_what_it_did_before(module: ModuleType, ray: FakeRay) -> None:
    def init(*_: Any, **__: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: None)

    ray.init = init  # type: ignore[method-assign]
    _executor(module, _scripted())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def _unused_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("address", ["an unused port", "ray://127.0.0.1:10001", "127.0.0.1"])
def test_an_address_where_nobody_listens_is_refused_before_ray_tries_it(
    module: ModuleType, ray: FakeRay, address: str
) -> None:
    if address == "an unused port":
        address = _unused_address()
    with pytest.raises(BenchError, match=f"^--ray-address {address}: no Ray cluster can be used there"):
        _executor(module, _scripted(), address=address)
    assert ray.begun == []


def test_an_address_of_something_else_than_ray_is_refused(module: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(BenchError, match=rf"no Ray cluster .* \(ConnectionError: {address}\)"):
            _executor(module, _scripted(), address=address)


@pytest.mark.parametrize(
    ("cpus", "gpus", "slots"),
    # 2 and 1.5 cores, the second node with a device; the third node is gone
    [(1, 0, 3), (0.5, 0, 7), (2, 0, 1), (1, 1, 1), (0.25, 0.5, 2), (0, 1, 1)],
)
def test_there_are_as_many_slots_as_live_nodes_have_room_for(
    module: ModuleType, cpus: float, gpus: float, slots: int
) -> None:
    assert _executor(module, _scripted(), cpus=cpus, gpus=gpus).slots == slots


def test_a_cluster_without_room_for_a_cell_is_left_and_refused(module: ModuleType, ray: FakeRay) -> None:
    with pytest.raises(BenchError, match="a cell takes 1 CPUs and 2 GPUs, but no node"):
        _executor(module, _scripted(), gpus=2)
    assert not ray.is_up


def test_ray_that_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "msanet_bench.executors.ray", raising=False)
    with pytest.raises(BenchError, match=r"needs Ray\. Install it: pip install 'msanet-bench\[ray\]'"):
        importlib.import_module("msanet_bench.executors.ray")


def test_a_sweep_without_ray_does_not_load_it() -> None:
    code = "import sys, msanet_bench.sweep, msanet_bench.node; sys.exit('ray' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
