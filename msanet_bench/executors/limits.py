"""What a task may take, and what a child died of that gave no answer."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Ending: TypeAlias = Literal["crash", "memory", "timeout"]


class WorkerDied(RuntimeError):
    """The child that ran a task ended before it answered; the message says how and holds no reading."""

    def __init__(self, kind: Ending, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may take; None is no limit.

    Attributes:
        seconds: From the moment a child is handed the task.
        memory_bytes: Resident memory of the child and of its descendants; what they share counts for each.
    """

    seconds: float | None = None
    memory_bytes: int | None = None


UNLIMITED = Limits()
