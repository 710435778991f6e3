"""Who is ready, what was timed, and what does not count: sees devices through their port alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from statistics import median
from typing import NamedTuple, Protocol

from numpy.random import Generator

from msanet_bench.measure.samples import Condition, Contender, Phase, Sample, Unmeasured, Visit
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.measure.throttle import slowdowns
from msanet_bench.measure.window import Clock, Window
from msanet_bench.session.rules import Rules

# Seconds before a visit that a slow device spoilt is made again. A device that is slow in all of them is
# capped: rejecting its visits would never end.
_PAUSES = (0.05, 0.1, 0.2)
# of the highest clock that the session has seen (NVBench's default)
_LOWEST_CLOCK = 0.75
# a median of fewer blocks is no standard to hold the next one to
_FEWEST_BLOCKS = 3
_RETURN_WINDOWS = 3


class Refused(Exception):
    """A contender cannot be timed under this condition; the message is its status."""


class Timed(Protocol):
    """A contender that is ready to be called."""

    @property
    def clock(self) -> Clock: ...

    def moved(self) -> "Timed":
        """The same at another place in memory, or itself where it has to stay."""
        ...

    def warm_up(self) -> Iterator[Window]: ...

    def visit(self) -> Iterator[tuple[Phase, Window]]: ...

    def telemetry(self) -> Telemetry: ...


class Entrant(NamedTuple):
    """A contender, and what makes it ready or raises Refused."""

    contender: Contender
    load: Callable[[], Timed]


class Outcome(NamedTuple):
    """What the session of one condition found; `notes` are what a reader of its numbers should know."""

    samples: tuple[Sample, ...]
    unmeasured: tuple[Unmeasured, ...]
    notes: tuple[str, ...]


class Recorder:
    """The samples of one condition, and who cannot be timed under it."""

    def __init__(
        self,
        entrants: Sequence[Entrant],
        condition: Condition,
        rules: Rules,
        pause: Callable[[float], None],
    ) -> None:
        self.samples: list[Sample] = []
        self.refused: dict[Contender, str] = {}
        self._loaders = {entrant.contender: entrant.load for entrant in entrants}
        self._condition, self._rules, self._pause = condition, rules, pause
        self._ready: dict[Contender, Timed] = {}
        self._anchor_medians: list[float] = []
        self._blocks = 0
        self._highest_mhz = 0
        self._is_capped = False
        self._capped = 0

    def take_block(
        self, anchor: Contender, others: Sequence[Contender], super_round: int, rounds: int, source: Generator
    ) -> None:
        """The rounds of one block; once more where the anchor says that it was another machine meanwhile."""
        members = self._made_ready([anchor, *others], super_round, source)
        if anchor in self.refused:
            return
        first = self._take_rounds(members, super_round, rounds, source)
        drift = self._drift_since(first, anchor)
        if self._rules.anchor_drift is not None and abs(drift) > self._rules.anchor_drift:
            self._reject_since(first, f"anchor {drift:+.0%}")
            first = self._take_rounds(members, super_round, rounds, source)
        if anchor not in self.refused:
            self._anchor_medians.append(self._anchor_median(first, anchor))

    def outcome(self) -> Outcome:
        rejected = sum(sample.visit.phase == "measure" and bool(sample.rejected) for sample in self.samples)
        notes = [f"{rejected} windows do not count; the samples say why."] if rejected else []
        if self._capped:
            notes.append(
                f"{self._capped} visits count although the device was slowed down: it was so again and again."
            )
        unmeasured = (
            Unmeasured(contender, self._condition, status) for contender, status in self.refused.items()
        )
        return Outcome(tuple(self.samples), tuple(unmeasured), tuple(notes))

    def _made_ready(
        self, members: Sequence[Contender], super_round: int, source: Generator
    ) -> list[Contender]:
        """Those that can be timed, each at a place in memory of its own draw.

        Where a network lies costs or saves a few per cent: of twelve twins that were loaded one after the
        other and stayed, the first was 4 % slower than the others to the end of the session. So places are
        drawn anew in each super-round, and intervals, which are taken over super-rounds, know of them.
        """
        if len(self._ready.keys() | set(members)) > self._rules.resident:
            self._ready = {member: self._ready[member] for member in members if member in self._ready}
        for place in source.permutation(len(members)):
            self._make_ready(members[place], super_round)
        return [member for member in members if member not in self.refused]

    def _make_ready(self, member: Contender, super_round: int) -> None:
        """Warm from the start, or by a few calls where others were called since."""
        if member in self.refused:
            return
        known = self._ready.get(member)
        try:
            timed = self._ready[member] = known.moved() if known else self._loaders[member]()
            state = timed.telemetry()
            for number, window in enumerate(islice(timed.warm_up(), _RETURN_WINDOWS if known else None)):
                when = Visit("warmup", super_round, self._blocks, number, 0)
                self._keep(member, when, 0, window, state)
        except Refused as refusal:
            self._ready.pop(member, None)
            self.refused[member] = str(refusal)

    def _take_rounds(
        self, members: Sequence[Contender], super_round: int, rounds: int, source: Generator
    ) -> int:
        """Visit every member in every round, in a fresh order; returns the place of the first sample."""
        first = len(self.samples)
        for number in range(rounds):
            for position, place in enumerate(source.permutation(len(members))):
                if members[place] not in self.refused:
                    when = Visit("measure", super_round, self._blocks, number, position)
                    self._visit(members[place], when)
        self._blocks += 1
        return first

    def _visit(self, member: Contender, when: Visit) -> None:
        """One visit, and again after a pause while the device is slowed down."""
        try:
            for pause in _PAUSES:
                first = len(self.samples)
                slowness = self._take(member, when)
                if not slowness:
                    self._is_capped = False
                if not slowness or self._is_capped:
                    self._capped += bool(slowness)
                    return
                self._reject_since(first, slowness)
                self._pause(pause)
            self._is_capped = True
            self._capped += bool(self._take(member, when))
        except Refused as refusal:
            self._ready.pop(member, None)
            self.refused[member] = str(refusal)

    def _take(self, member: Contender, when: Visit) -> str:
        """The windows of one visit; returns what slowed the device down meanwhile."""
        timed = self._ready[member]
        before = timed.telemetry()
        taken = list(timed.visit())
        after = timed.telemetry()
        for number, (phase, window) in enumerate(taken):
            self._keep(member, replace(when, phase=phase), number, window, after)
        reasons = slowdowns(before.event_reasons) or slowdowns(after.event_reasons)
        return ", ".join(reasons) if reasons else self._low_clock(after)

    def _low_clock(self, state: Telemetry) -> str:
        """After a visit: before it the device was idle, and its clock may have been low for that."""
        if state.sm_mhz is None:
            return ""
        self._highest_mhz = max(self._highest_mhz, state.sm_mhz)
        is_slow = state.sm_mhz < _LOWEST_CLOCK * self._highest_mhz
        return f"clock at {state.sm_mhz / self._highest_mhz:.0%}" if is_slow else ""

    def _keep(
        self,
        member: Contender,
        when: Visit,
        number: int,
        window: Window,
        state: Telemetry,
    ) -> None:
        self.samples.append(
            Sample(
                contender=member,
                condition=self._condition,
                visit=when,
                clock=self._ready[member].clock,
                window=number,
                start_ns=window.start_ns,
                seconds=window.seconds,
                host_seconds=window.host_seconds,
                calls=window.calls,
                rejected="",
                telemetry=state,
            )
        )

    def _reject_since(self, first: int, reason: str) -> None:
        """By a cause outside of whom it rejects, the anchor apart; whatever was taken is kept."""
        for place in range(first, len(self.samples)):
            if not self.samples[place].rejected:
                self.samples[place] = replace(self.samples[place], rejected=reason)

    def _drift_since(self, first: int, anchor: Contender) -> float:
        """How far the anchor is off its usual median, as a share of it."""
        if len(self._anchor_medians) < _FEWEST_BLOCKS or anchor in self.refused:
            return 0.0
        usual = median(self._anchor_medians)
        return self._anchor_median(first, anchor) / usual - 1

    def _anchor_median(self, first: int, anchor: Contender) -> float:
        return median(s.seconds for s in self.samples[first:] if s.contender == anchor and s.counts)
