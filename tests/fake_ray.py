"""A stand-in for the module `ray` 2.60, as far as the executor uses it: tasks run in this process.

A function plays what happens to its worker by raising one of Ray's errors, or Hang. `tests/cluster` has the
same cases on real Ray.
"""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception, ip: str = "10.0.0.9") -> None:
        super().__init__(f"ray::_work() (ip={ip})")
        self.cause, self.ip = cause, ip


class NodeDiedError(RayError):
    pass


class ObjectLostError(RayError):
    pass


class OutOfMemoryError(RayError):
    pass


class RaySystemError(RayError):
    pass


class TaskCancelledError(RayError):
    pass


class WorkerCrashedError(RayError):
    pass


class Hang(BaseException):
    """The task goes on for ever."""


class Ref:
    """What `put` gives, or an answer of a task that may be an error."""

    def __init__(self, value: object) -> None:
        self.value = value


class Answers:
    """A streaming generator: what a task yields, then what became of it."""

    def __init__(self, yielded: Iterator[object]) -> None:
        self._yielded = yielded
        self._ahead: list[Ref] = []

    def look(self) -> bool:
        """Whether the next answer comes."""
        try:
            self._ahead = self._ahead or [Ref(next(self._yielded))]
        except Hang:
            return False
        except RayError as error:
            self._ahead = [Ref(error)]
        except Exception as error:  # noqa: BLE001 (Ray wraps whatever a task raises)
            self._ahead = [Ref(RayTaskError(error))]
        return True

    def __next__(self) -> Ref:
        assert self.look()
        return self._ahead.pop()


class FakeRay(ModuleType):
    """The module, and what was asked of it.

    Attributes:
        resources: Of each node of the cluster; the last one is not alive.
    """

    def __init__(self) -> None:
        super().__init__("ray")
        self.exceptions = sys.modules[__name__]
        self.resources: list[dict[str, float]] = [{"CPU": 2.0}, {"CPU": 1.5, "GPU": 1.0}, {"CPU": 64.0}]
        self.begun: list[dict[str, Any]] = []
        self.options: dict[str, Any] = {}
        self.puts: list[object] = []
        self.cancelled: list[Answers] = []
        self.is_up = False

    def init(self, address: str, **options: Any) -> None:
        if address == "nobody:6379":
            raise ConnectionError("Could not find any running Ray instance.\nSecond line")
        self.begun.append({"address": address, **options})
        self.is_up = True

    def shutdown(self) -> None:
        self.is_up = False

    def nodes(self) -> list[dict[str, Any]]:
        last = len(self.resources) - 1
        return [{"Resources": r, "Alive": number < last} for number, r in enumerate(self.resources)]

    def remote(self, **options: Any) -> Callable[[Callable[..., Iterator[object]]], Any]:
        self.options = options

        class Remote:
            def __init__(self, function: Callable[..., Iterator[object]]) -> None:
                self._function = function

            def remote(self, *arguments: object) -> Answers:
                values = [a.value if isinstance(a, Ref) else a for a in arguments]
                return Answers(self._function(*values))

        return Remote

    def get(self, ref: Ref) -> object:
        if isinstance(ref.value, RayError):
            raise ref.value
        return ref.value

    def put(self, value: object) -> Ref:
        self.puts.append(value)
        return Ref(value)

    def wait(self, answers: list[Answers], timeout: float | None) -> tuple[list[Answers], list[Answers]]:
        ready = answers[0].look()
        assert ready or timeout is not None
        return (answers, []) if ready else ([], answers)

    def cancel(self, answers: Answers, *, force: bool) -> None:
        assert force
        self.cancelled.append(answers)
