"""How often a cell was tried in vain through what may be the machine's fault."""

from collections.abc import Iterable

from msanet_bench.journal import Attempt, code_of


def may_pass(attempt: Attempt) -> bool:
    """Whether another try may go well: its process died or lacked memory. An error of its own comes again."""
    # only an error of a cell's own leaves a traceback
    return attempt.record.status == "oom" or (attempt.record.status == "failed" and not attempt.traceback)


def tries_in_vain(attempts: Iterable[Attempt], code: str) -> dict[str, int]:
    """Of each cell how many tries may pass, if it has no other of this code: by its key.

    A sweep that was killed between two tries of a cell goes on with the next.
    """
    tries: dict[str, int] = {}
    over: set[str] = set()
    for attempt in attempts:
        key = attempt.record.key
        if code_of(attempt.record) == code:
            tries[key] = tries.get(key, 0) + 1
            if not may_pass(attempt):
                over.add(key)
    return {key: number for key, number in tries.items() if key not in over}
