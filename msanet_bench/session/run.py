"""Latency of every variant on every kind of device there is, after training has left the machine."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch

from msanet_bench.checks import CheckedPlan
from msanet_bench.measure.cuda import CudaDevice
from msanet_bench.measure.device import CpuDevice, Device
from msanet_bench.measure.environment import environment, session_environment
from msanet_bench.measure.flags import torch_flags
from msanet_bench.measure.nvml import NO_GPU, foreign_processes
from msanet_bench.measure.samples import Session, Unmeasured
from msanet_bench.measure.throttle import read_throttled, throttled_between
from msanet_bench.records import replace_text
from msanet_bench.session.files import ABOUT, write_latency
from msanet_bench.session.loop import Progress, run_session
from msanet_bench.session.networks import SEED, Bench, Network, contenders, entrants
from msanet_bench.session.precision import precision_set, why_not
from msanet_bench.session.recorder import Outcome
from msanet_bench.session.rules import RULES, Schedule
from msanet_bench.spec import MeasureSpec, digest

# of session.json
SCHEMA = 1
# raised when a change of this package makes its latencies other ones
PROTOCOL = 3


class Place(NamedTuple):
    """A device as a session and as torch knows it."""

    device: Device
    where: torch.device


class Taken(NamedTuple):
    """A session, and what a reader should know of how it came about."""

    session: Session
    about: dict[str, Any]


def session_digest(spec: MeasureSpec, plan: CheckedPlan, *, threads: int, code: str) -> str:
    """What is timed, how, and on what: equal digests mean that the samples need not be taken again."""
    networks = {
        variant.name: {
            "model": variant.settings.model.model_dump(mode="json"),
            "channels_last": variant.settings.train.channels_last,
            "shape": plan.shapes[variant.name],
        }
        for variant in plan.variants
    }
    return digest(
        {
            "networks": networks,
            "measure": spec.model_dump(mode="json"),
            "threads": threads,
            "code": code,
            "protocol": PROTOCOL,
            "environment": environment(),
        }
    )


def places() -> list[Place]:
    """The processor, and the first CUDA device if there is one."""
    found = [Place(CpuDevice(), torch.device("cpu"))]
    if torch.cuda.is_available():
        cuda = CudaDevice()
        found.append(Place(cuda, cuda.device))
    return found


def measure_latency(
    spec: MeasureSpec,
    networks: Sequence[Network],
    results: Path,
    *,
    threads: int,
    identity: str,
    on: Sequence[Place] | None = None,
) -> Generator[Progress, None, Session]:
    """Time every network in every mode and condition; writes the samples and all that is made of them."""
    taken = yield from take_session(spec, networks, threads=threads, identity=identity, on=on)
    results.mkdir(parents=True, exist_ok=True)
    replace_text(results / ABOUT, json.dumps(taken.about, indent=1, ensure_ascii=False) + "\n")
    write_latency(results, taken.session)
    return taken.session


def take_session(
    spec: MeasureSpec,
    networks: Sequence[Network],
    *,
    threads: int,
    identity: str,
    on: Sequence[Place] | None = None,
) -> Generator[Progress, None, Taken]:
    """Time every network in every mode and condition; writes nothing."""
    outcomes: list[Outcome] = []
    about: list[dict[str, Any]] = []
    with threads_set(threads):
        for place in places() if on is None else on:
            for batch, precision, cache in product(
                dict.fromkeys(spec.latency_batches),
                dict.fromkeys(spec.latency_precisions),
                dict.fromkeys(spec.latency_caches),
            ):
                rules = RULES[place.device.name]
                bench = Bench(place.device, place.where, rules, batch, precision, cache, {})
                outcome, facts = yield from _measured(spec, networks, bench)
                outcomes.append(outcome)
                about.append(facts)
        surroundings = session_environment()
    session = Session(
        identity,
        {name: rules.half_width for name, rules in RULES.items()},
        spec.latency_rounds,
        contenders(networks, spec.latency_modes),
        tuple(row for outcome in outcomes for row in outcome.unmeasured),
        tuple(sample for outcome in outcomes for sample in outcome.samples),
    )
    content = {"schema": SCHEMA, "protocol": PROTOCOL, "seed": SEED, "conditions": about, **surroundings}
    return Taken(session, content)


@contextmanager
def threads_set(threads: int) -> Iterator[None]:
    """Threads that one call may use on the host, as in training."""
    were = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(were)


def _measured(
    spec: MeasureSpec, networks: Sequence[Network], bench: Bench
) -> Generator[Progress, None, tuple[Outcome, dict[str, Any]]]:
    """One condition: what was found, and what a reader should know of how it came about."""
    entering = entrants(networks, spec.latency_modes, bench)
    reason = why_not(bench.precision, bench.device.name)
    if reason is not None:
        refused = tuple(Unmeasured(entrant.contender, bench.condition, reason) for entrant in entering)
        return Outcome((), refused, ()), {**asdict(bench.condition), "notes": [reason]}
    gpu = bench.device.gpu if isinstance(bench.device, CudaDevice) else NO_GPU
    schedule = Schedule(spec.latency_rounds, spec.latency_seconds, SEED)
    with precision_set(bench.precision, bench.where), torch.compiler.set_stance("fail_on_recompile"):
        before = read_throttled(gpu)
        outcome = yield from run_session(entering, bench.condition, bench.rules, schedule)
        facts = {
            **asdict(bench.condition),
            "rules": asdict(bench.rules),
            "rounds": schedule.rounds,
            "flags": torch_flags(),
            "notes": list(outcome.notes),
            "compile_s": bench.compile_seconds,
            "throttled": asdict(throttled_between(before, read_throttled(gpu))),
            "foreign_processes": asdict(foreign_processes(gpu)),
            "unread": dict(gpu.unread),
        }
    return outcome, facts
