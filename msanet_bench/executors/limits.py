"""What a task may take."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Ending: TypeAlias = Literal["crash", "memory", "timeout"]


class WorkerDied(RuntimeError):
    """The child that ran a task ended before it answered; the message says how."""

    def __init__(self, kind: Ending, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may take; None is no limit."""

    seconds: float | None = None
    memory_bytes: int | None = None


UNLIMITED = Limits()
