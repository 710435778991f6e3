"""Where cells run. An executor has three calls: `submit(task) -> Future`, `cancel()` and `close()`."""

from msanet_bench.executors.local import LocalExecutor, WorkerDied

__all__ = ["LocalExecutor", "WorkerDied"]
