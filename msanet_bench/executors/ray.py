"""Cells on a Ray cluster: one Ray task each, on whatever node has room for it.

A node that is lost costs only what ran there: its tasks run again elsewhere. What a task needs and a node
lacks is put into Ray's object store once, and travels once to each such node. Ray itself sets
CUDA_VISIBLE_DEVICES. It prints nothing here and reports its use to nobody.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from msanet_bench.errors import BenchError, first_line
from msanet_bench.executors.lacking import Lacking
from msanet_bench.executors.limits import UNLIMITED, Limits, WorkerDied

# Read when Ray is imported. It repeats messages of the cluster in the middle of ours, whatever its log level.
os.environ |= {"RAY_DEDUP_LOGS": "1", "RAY_DEDUP_LOGS_SKIP_REGEX": ".", "RAY_USAGE_STATS_ENABLED": "0"}
try:
    import ray
    from ray import exceptions
except ImportError as missing:
    raise BenchError("--executor ray: needs Ray. Install it: pip install 'msanet-bench[ray]'") from missing

# losing this many nodes in turn is no accident any more: the cell itself may be what ends them
MAX_NODES_LOST = 5

T = TypeVar("T")
R = TypeVar("R")


class RayExecutor(Generic[T, R]):
    """Runs one function on tasks in worker processes of a Ray cluster, each of which may serve many tasks.

    Args:
        function: Importable by name on every node; called there as `function(task, supply)`. It raises
            Lacking, or BenchError where the node cannot run any task.
        start: Called in a worker before each task.
        is_well: Whether a process that gave this answer can be trusted with another task.
        supply: What the function lacks for a task; it gets None before it said so.
        address: Of the cluster that this machine is part of; None takes RAY_ADDRESS, else starts Ray here.
        cpus: What a task takes of its node, as `gpus`.
        limits: Of these, the seconds, counted from when a worker has the task; memory is watched by Ray.
        local_cpus: What a Ray that is started here may take; None is all.
    """

    def __init__(
        self,
        function: Callable[[T, Any], R],
        *,
        start: Callable[[], None],
        is_well: Callable[[R], bool],
        supply: Callable[[T], object],
        address: str | None = None,
        gpus: float = 0,
        cpus: float = 1,
        limits: Limits = UNLIMITED,
        local_cpus: int | None = None,
    ) -> None:
        _connect(address or os.environ.get("RAY_ADDRESS") or None, local_cpus)
        self.slots = _slots(cpus, gpus)
        self._is_well = is_well
        self._supply = supply
        self._seconds = limits.seconds
        # by itself, Ray tries a task again that killed its worker, and ends a worker after one task on a GPU
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_retries": 0, "max_calls": 0}
        self._work = ray.remote(num_returns="streaming", **options)(_work)
        self._calls = (function, start, is_well)
        self._sent: dict[str, Any] = {}
        self._sending = threading.Lock()
        self._running: set[Any] = set()
        self._waiting: list[threading.Thread] = []
        self._closing = threading.Event()

    def submit(self, task: T) -> Future[R]:
        """The future answer; WorkerDied when the worker ended before it answered."""
        future: Future[R] = Future()
        thread = threading.Thread(target=self._serve, args=(task, future), daemon=True)
        self._waiting = [*filter(threading.Thread.is_alive, self._waiting), thread]
        thread.start()
        return future

    def cancel(self) -> None:
        """Stop every worker at once; what they were doing is given up."""
        self._closing.set()
        for answers in list(self._running):
            ray.cancel(answers, force=True)

    def close(self) -> None:
        """Wait for what was submitted, then leave the cluster; a Ray that was started here ends."""
        for thread in self._waiting:
            thread.join()
        ray.shutdown()

    def _serve(self, task: T, future: Future[R]) -> None:
        try:
            future.set_result(self._answer(task))
        except Exception as error:  # noqa: BLE001 (whoever waits for the answer must hear of it)
            future.set_exception(error)

    def _answer(self, task: T) -> R:
        """What a node says that has all it needs and is not lost."""
        supply = None
        for _ in range(MAX_NODES_LOST):
            try:
                return self._ask(task, supply)
            except exceptions.RayError as error:
                if isinstance(error, exceptions.RayTaskError) and isinstance(error.cause, Lacking):
                    supply = self._send(error.cause.name, task)
                elif self._closing.is_set() or not is_lost_node(error):
                    raise own_error(error) from error
        raise WorkerDied("crash", f"{MAX_NODES_LOST} nodes in turn were lost with it")

    def _ask(self, task: T, supply: object) -> R:
        answers = self._work.remote(*self._calls, task, supply)
        self._running.add(answers)
        try:
            if self._closing.is_set():
                ray.cancel(answers, force=True)
            ray.get(next(answers))
            if not ray.wait([answers], timeout=self._seconds)[0]:
                ray.cancel(answers, force=True)
                why = f"ran longer than the limit of {self._seconds:g} s"
                raise WorkerDied("timeout", f"the worker process {why} and was killed")
            answer: R = ray.get(next(answers))
        finally:
            self._running.discard(answers)
        if not self._is_well(answer):
            ray.cancel(answers, force=True)
        return answer

    def _send(self, name: str, task: T) -> object:
        """What a task needs, put into the object store once, whoever asks for it."""
        with self._sending:
            if name not in self._sent:
                self._sent[name] = ray.put(self._supply(task))
            return self._sent[name]


def is_lost_node(error: Exception) -> bool:
    """Whether a node was lost with a task, or with its answer; the task itself is not to blame."""
    return isinstance(error, exceptions.NodeDiedError | exceptions.ObjectLostError)


def own_error(error: Exception) -> Exception:
    """What an error of Ray's means for who waits for the answer."""
    match error:
        case exceptions.RayTaskError(cause=exceptions.RaySystemError() as cause, ip=ip):
            return BenchError(
                f"node {ip}: cannot run cells ({first_line(cause)}). "
                "Install the same msanet-bench on every node, then give the same command again."
            )
        case exceptions.RayTaskError(cause=cause):
            return cause if isinstance(cause, BenchError) else error
        case exceptions.OutOfMemoryError():
            return WorkerDied("memory", "Ray ended the worker process because its node ran out of memory")
        case exceptions.WorkerCrashedError() | exceptions.TaskCancelledError():
            return WorkerDied("crash", "the worker process ended before it answered")
        case _:
            return BenchError(f"--executor ray: {first_line(error)}. Finished cells are kept.")


def _connect(address: str | None, local_cpus: int | None) -> None:
    """Join a cluster, or start one here.

    Raises:
        BenchError: there is none at the address.
    """
    if address is not None and "://" in address:
        raise BenchError(
            "--ray-address: must be HOST:PORT of a cluster that this machine is part of, "
            f"but got {address!r}."
        )
    start = {"num_cpus": local_cpus, "include_dashboard": False} if address is None else {}
    try:
        with _own_sigterm():
            ray.init(address or "local", log_to_driver=False, logging_level=logging.CRITICAL, **start)
    except (ConnectionError, RuntimeError, ValueError) as error:
        place = f"--ray-address {address}" if address else "--executor ray"
        raise BenchError(
            f"{place}: no Ray cluster can be used there ({first_line(error)}). "
            "docs/clusters.md has the commands that start one; RAY_AUTH_MODE must be the cluster's."
        ) from error


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep what SIGTERM does; under Ray's handler the process prints registers and aborts."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def _slots(cpus: float, gpus: float) -> int:
    """How many tasks run at a time on the nodes that are there now.

    Raises:
        BenchError: none.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    slots = sum(places(node, cpus, gpus) for node in nodes)
    if not slots:
        ray.shutdown()
        raise BenchError(
            f"--executor ray: a cell takes {cpus:g} CPUs and {gpus:g} GPUs, "
            "but no node of the cluster has as many."
        )
    return slots


def places(resources: Mapping[str, float], cpus: float, gpus: float) -> int:
    """How many tasks a node has room for."""
    needs = {"CPU": cpus, "GPU": gpus}
    return min(int(resources.get(name, 0) / need) for name, need in needs.items() if need)


def _work(
    function: Callable[[T, Any], R],
    start: Callable[[], None],
    is_well: Callable[[R], bool],
    task: T,
    supply: object,
) -> Iterator[R | None]:
    """In a worker: that it has begun, then its answer."""
    yield None
    start()
    answer = function(task, supply)
    yield answer
    if not is_well(answer):
        # the executor ends this process; until then it must not be given another task
        threading.Event().wait()
