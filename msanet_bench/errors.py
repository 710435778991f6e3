"""Errors that a user can cause; everything else is a defect of the program and keeps its traceback.

BenchError
|-- SpecError      an experiment file breaks rules: every problem of the file, with its line
|-- DataError      a data set is missing, unreadable or not what the experiment says
|-- ResultsError   a results folder cannot be read, written or shared
`-- BlockError     a block cannot be built from its options
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class BenchError(Exception):
    """A problem that the user can mend; the message says where, what rule, what value, what to do."""


class DataError(BenchError):
    """A data set is missing, unreadable or not what the experiment says."""


class ResultsError(BenchError):
    """A results folder cannot be read, written or shared."""


class MixedResultsError(ResultsError):
    """Results come from different environments, and nobody asked to conclude from them together."""


class BlockError(BenchError):
    """A block cannot be built; `slot` is its dotted place in the network."""

    def __init__(self, slot: str, message: str) -> None:
        super().__init__(f"{slot}: {message}")
        self.slot = slot
        self.message = message


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One broken rule of a file: its line (from 1), dotted path and message."""

    line: int
    path: str
    message: str


class SpecError(BenchError):
    """Every problem of one experiment file, in the order of its lines."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{source}:{p.line}: {_place(p)}{p.message}" for p in self.problems))


def _place(problem: Problem) -> str:
    return f"{problem.path}: " if problem.path else ""


def first_line(error: BaseException) -> str:
    """`ValueError: what was wrong`: an error of anybody's code, as a reason in a table."""
    message = _TERMINAL_COLOUR.sub("", str(error)).partition("\n")[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
