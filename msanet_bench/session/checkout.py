"""Two checkouts of this package in one session, each in its own process, taking turns in one schedule."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, cast

import msanet_bench
from msanet_bench.errors import BenchError
from msanet_bench.measure.device import NANOSECOND, DeviceName
from msanet_bench.measure.samples import Condition, Contender, Phase, Role, Sample, Session, Unmeasured
from msanet_bench.measure.telemetry import Telemetry, read_telemetry
from msanet_bench.measure.window import Clock, Window, warm_up
from msanet_bench.session import turns
from msanet_bench.session.loop import Progress, run_session
from msanet_bench.session.networks import BASE, HEAD, SEED
from msanet_bench.session.recorder import Entrant
from msanet_bench.session.rules import RULES, Schedule
from msanet_bench.spec import MeasureSpec

THIS_CHECKOUT = Path(msanet_bench.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Worker:
    """The process of one checkout."""

    checkout: Path
    requests: IO[str]
    answers: IO[str]
    errors: IO[str]

    def ask(self, request: object) -> Any:  # noqa: ANN401  # an answer may be any JSON
        """The answer to one request.

        Raises:
            BenchError: the process has ended.
        """
        with suppress(BrokenPipeError):  # it has ended, and its standard error says why
            self.requests.write(json.dumps(request) + "\n")
            self.requests.flush()
        line = self.answers.readline()
        if not line:
            raise BenchError(f"{self.checkout}: its process ended ({_last_line(self.errors)}).")
        return json.loads(line)


@dataclass(frozen=True, slots=True)
class Remote:
    """A variant of a checkout."""

    worker: Worker
    variant: str
    warm_seconds: float
    clock: Clock = "host"

    def moved(self) -> "Remote":
        self._take("move")
        return self

    def warm_up(self) -> Iterator[Window]:
        return warm_up(self._take, most_seconds=self.warm_seconds)

    def visit(self) -> Iterator[tuple[Phase, Window]]:
        yield "discard", self._take()  # after a wait for its turn a process finds its caches cold
        yield "measure", self._take()

    def telemetry(self) -> Telemetry:
        return read_telemetry()

    def _take(self, do: str = "call") -> Window:
        start_ns, ns = self.worker.ask({"variant": self.variant, "do": do})
        return Window(start_ns, ns * NANOSECOND, ns * NANOSECOND, 1)


def measure_checkouts(
    spec: MeasureSpec,
    experiment: Path,
    base: Path,
    *,
    data_root: Path,
    threads: int,
    device: DeviceName,
    head: Path = THIS_CHECKOUT,
) -> Generator[Progress, None, Session]:
    """Time the variants that two checkouts both have of an experiment; run eagerly, in float32, warm.

    Raises:
        BenchError: a folder is no checkout, or its process ends.
    """
    rules = RULES[device]
    schedule = Schedule(spec.latency_rounds, spec.latency_seconds, SEED)
    samples: list[Sample] = []
    contenders: list[Contender] = []
    unmeasured: list[Unmeasured] = []
    for batch in spec.latency_batches:
        setting = {
            "experiment": str(experiment.resolve()),
            "data_root": str(data_root.resolve()),
            "batch": batch,
            "threads": threads,
            "device": device,
        }
        with ExitStack() as stack:
            sides = {
                side: stack.enter_context(_worker(folder)) for side, folder in ((HEAD, head), (BASE, base))
            }
            names = {side: worker.ask(setting) for side, worker in sides.items()}
            entrants = _entrants(sides, names, rules.warm_seconds)
            condition = Condition(device, batch, "fp32_strict", "warm", threads)
            outcome = yield from run_session(entrants, condition, rules, schedule)
        samples += outcome.samples
        unmeasured += outcome.unmeasured
        contenders += [entrant.contender for entrant in entrants]
    widths = {name: of.half_width for name, of in RULES.items()}
    return Session(
        "", widths, spec.latency_rounds, tuple(dict.fromkeys(contenders)), tuple(unmeasured), tuple(samples)
    )


def _entrants(
    sides: dict[str, Worker], names: dict[str, Sequence[str]], warm_seconds: float
) -> list[Entrant]:
    """The anchor is the head's first variant."""
    shared = [name for name in names[HEAD] if name in names[BASE]]
    if not shared:
        raise BenchError("the two checkouts have no variant of this experiment in common.")
    roles: list[tuple[str, str, Role]] = [
        (side, name, "anchor" if (side, name) == (HEAD, shared[0]) else "variant")
        for name in shared
        for side in (HEAD, BASE)
    ]
    return [
        Entrant(
            Contender(side, name, role, "eager", "contiguous"),
            partial(Remote, sides[side], name, warm_seconds),
        )
        for side, name, role in sorted(roles, key=lambda who: who[2] != "anchor")
    ]


@contextmanager
def _worker(checkout: Path) -> Iterator[Worker]:
    if not (checkout / "msanet_bench" / "__init__.py").is_file():
        raise BenchError(
            f"{checkout}: must be a checkout of this package, but has no msanet_bench/__init__.py."
        )
    with TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(  # noqa: S603  # this interpreter, and a script of ours
            # -P: the folder of the script, which is another checkout's, is kept off the path
            [sys.executable, "-P", turns.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONPATH": _first_on_the_path(checkout)},
        )
        try:
            yield Worker(checkout, cast("IO[str]", process.stdin), cast("IO[str]", process.stdout), errors)
        finally:
            process.kill()
            process.communicate()


def _first_on_the_path(checkout: Path) -> str:
    return os.pathsep.join(filter(None, (str(checkout.resolve()), os.environ.get("PYTHONPATH"))))


def _last_line(errors: IO[str]) -> str:
    errors.seek(0)
    return (errors.read().strip().splitlines() or ["without a word"])[-1]
