"""What a search has asked for: a trial and what became of it, and the file that keeps the questions.

One line a trial is on the disk before its first cell runs; of one that is timed, a second line that holds
instead. So times are measured once, and a search that was stopped goes on from those it has. Two runs of one
file measure different ones: equal bytes are not promised of a search that asks for latency. Answers stand in
the journal of cells alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msanet_bench.errors import ResultsError
from msanet_bench.journal import append_durably, cut_off_torn, whole_length
from msanet_bench.plan import Variant
from msanet_bench.records import Record, json_fields, json_line, numbered_lines
from msanet_bench.search.space import Params
from msanet_bench.search.timing import Timing, counted

SCHEMA = 1
FILE = "trials.jsonl"

State: TypeAlias = Literal["open", "complete", "pruned", "failed", "rejected", "repeated"]
Costs: TypeAlias = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration that was asked for.

    Attributes:
        number: From 0, which is the baseline.
        params: What Optuna answered; None of a baseline that the space does not hold.
        costs: What is known without training; None of what cannot be counted exactly.
        reason: Why it is rejected, or stopped, or of which trial it is a repetition.
        records: Of its seeds, in their order, as far as they have ended.
        values: Of the objectives, once complete.
        is_told: Whether Optuna knows how it ended.
        timing: Where latency was asked for; what follows from it is among the costs.
    """

    number: int
    params: Params | None
    variant: Variant
    costs: Costs
    state: State = "open"
    reason: str = ""
    records: tuple[Record, ...] = ()
    values: tuple[float, ...] = ()
    is_told: bool = False
    timing: Timing | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of the file.

    Attributes:
        study: The space and the rules that it was asked under.
        code: The digest of the code that its costs were counted with.
        rejected: Why it is not trained; "" if it is.
        timing: None of what was not timed.
    """

    study: str
    number: int
    variant: str
    params: Params | None
    costs: Costs
    rejected: str
    code: str
    timing: Timing | None = None

    def to_json(self) -> dict[str, Any]:
        timing = {} if self.timing is None else {"timing": self.timing.to_json()}
        return {
            "schema_version": SCHEMA,
            "study": self.study,
            "number": self.number,
            "variant": self.variant,
            "params": None if self.params is None else dict(self.params),
            "costs": dict(self.costs),
            "rejected": self.rejected,
            "code": self.code,
            **timing,
        }


class TrialFile:
    """An append-only file with a single writer; a torn last line is asked for anew."""

    def __init__(self, results: Path) -> None:
        self._path = results / FILE

    def read(self) -> list[Asked]:
        """Every whole line; of a trial that has two, the second in the place of the first.

        Raises:
            ResultsError: a line before the last is damaged, or of a newer schema.
        """
        lines = numbered_lines(BytesIO(self._whole()))
        return latest(_asked(f"{self._path}:{number}", line) for number, line in lines)

    def repair(self) -> None:
        """Cut off a torn last line.

        Raises:
            ResultsError: the disk refuses.
        """
        cut_off_torn(self._path)

    def append(self, asked: Asked) -> None:
        """Add one line and wait until it is on the disk.

        Raises:
            ResultsError: the disk refuses; the file is as it was before.
        """
        append_durably(self._path, json_line(asked.to_json()).encode("utf-8"))

    def _whole(self) -> bytes:
        content = self._path.read_bytes() if self._path.exists() else b""
        return content[: whole_length(content)]


def latest(lines: Iterable[Asked]) -> list[Asked]:
    """The line that holds of each trial, in the place of its first."""
    return list({(asked.study, asked.number): asked for asked in lines}.values())


def asked_line(trial: Trial, study: str, code: str) -> Asked:
    """What the file says of a trial."""
    rejected = trial.reason if trial.state == "rejected" else ""
    costs = counted(trial.costs)
    return Asked(study, trial.number, trial.variant.name, trial.params, costs, rejected, code, trial.timing)


def _asked(place: str, line: bytes) -> Asked:
    try:
        fields = json_fields(line)
        if fields.pop("schema_version") != SCHEMA:
            raise ResultsError(
                f"{place}: written by a newer msanet-bench. Upgrade it: the file is as it was."
            )
        timing = fields.pop("timing", None)
        return Asked(**fields, timing=None if timing is None else Timing(**timing))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"{place}: not a trial ({type(error).__name__}: {error}). The file is left as it is: delete it "
            "to ask anew; cells that are trained stay so."
        ) from error
