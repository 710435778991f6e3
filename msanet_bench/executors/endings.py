"""How a child ended that gave no answer."""

import signal
from collections.abc import Iterator
from pathlib import Path

from msanet_bench.executors.limits import WorkerDied

_SIGNALS = {each.value: each.name for each in signal.Signals}


def ending(code: int | None, *, oom_kills: int) -> WorkerDied:
    """What an exit code tells; None is that of a child that lives.

    `oom_kills` is how many processes the kernel has ended for want of memory while the child had its task. It
    is counted for a control group or for the whole machine and names nobody: a child that somebody else
    killed by SIGKILL in those seconds is taken for one that ran out of memory.
    """
    if code is None:
        return WorkerDied("crash", "the worker process closed its connection without an answer")
    if code >= 0:
        return WorkerDied("crash", f"the worker process ended with exit code {code}")
    killed = f"the worker process was killed by {_SIGNALS.get(-code, f'signal {-code}')}"
    if code == -signal.SIGKILL and oom_kills:
        return WorkerDied("memory", f"{killed} while memory had run out")
    return WorkerDied("crash", killed)


def count_oom_kills(root: Path = Path("/")) -> int:
    """How many processes the kernel's out-of-memory killer has ended so far; 0 where nothing tells.

    Those of our control group where it keeps count (`memory.events` of cgroup v2, `memory.oom_control` of
    v1), else those of the whole machine (`/proc/vmstat`): each has a line `oom_kill N`.
    """
    for file in _counters(root):
        for line in _lines(file):
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


def _counters(root: Path) -> Iterator[Path]:
    groups = root / "sys/fs/cgroup"
    # lines such as `0::/user.slice` and `4:memory:/job`
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield groups / path.lstrip("/") / "memory.events"
        elif "memory" in controllers.split(","):
            yield groups / "memory" / path.lstrip("/") / "memory.oom_control"
    yield root / "proc/vmstat"


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
