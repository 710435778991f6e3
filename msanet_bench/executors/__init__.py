"""Where cells run. An executor has three calls: `submit(task) -> Future`, `cancel()` and `close()`."""

from concurrent.futures import Future
from typing import Protocol, TypeVar

from msanet_bench.executors.lacking import Lacking
from msanet_bench.executors.limits import Limits, WorkerDied
from msanet_bench.executors.local import LocalExecutor, begin_preloading

__all__ = ["PRELOAD", "Executor", "Lacking", "Limits", "LocalExecutor", "WorkerDied", "begin_preloading"]

# Imported once by the fork server, which all executors of a process share: the first that starts decides.
# Without torch._dynamo the first optimiser of a child costs a second.
PRELOAD = (
    "torch",
    "torch._dynamo",
    "msanet_bench.executors.child",
    "msanet_bench.cell",
    "msanet_bench.profile.costs",
    "msanet_bench.duration.workers",
    "msanet_bench.node",
)

T_contra = TypeVar("T_contra", contravariant=True)
R = TypeVar("R")


class Executor(Protocol[T_contra, R]):
    """Runs tasks elsewhere and holds nothing: whatever it loses can be submitted again."""

    def submit(self, task: T_contra) -> Future[R]:
        """The future answer; WorkerDied when whoever ran the task ended before it answered."""

    def cancel(self) -> None:
        """Stop what runs at once; it is given up."""

    def close(self) -> None:
        """Wait for what was submitted, then let the workers go."""
