"""Where cells run. An executor has three calls: `submit(task) -> Future`, `cancel()` and `close()`."""

from msanet_bench.executors.endings import WorkerDied
from msanet_bench.executors.limits import Limits
from msanet_bench.executors.local import LocalExecutor

__all__ = ["PRELOAD", "Limits", "LocalExecutor", "WorkerDied"]

# Imported once by the fork server, which all executors of a process share: the first that starts decides.
# Without torch._dynamo the first optimiser of a child costs a second.
PRELOAD = ("torch", "torch._dynamo", "msanet_bench.cell", "msanet_bench.profile.costs")
