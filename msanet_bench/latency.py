"""The verb `latency`: an experiment's networks timed without training, alone or against another's."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import torch

from msanet_bench.cell import THREADS_PER_WORKER
from msanet_bench.checks import check_plan, load_experiment
from msanet_bench.errors import BenchError
from msanet_bench.journal import sole_writer
from msanet_bench.measure.samples import Session
from msanet_bench.session.checkout import measure_checkouts
from msanet_bench.session.files import write_latency
from msanet_bench.session.loop import Progress
from msanet_bench.session.networks import BASE, networks_of
from msanet_bench.session.run import measure_latency, session_digest
from msanet_bench.source_digest import code_digest


@dataclass(frozen=True, slots=True)
class LatencyOptions:
    """What takes turns, and where the tables go.

    Attributes:
        against: Another experiment, whose variants are the base of comparisons.
        against_checkout: Another checkout of this package, whose networks are.
    """

    results: Path
    data_root: Path = Path("data")
    against: Path | None = None
    against_checkout: Path | None = None


def run_latency(experiment: Path, options: LatencyOptions) -> Generator[Progress, None, Session]:
    """Time what the experiment asks for and write the tables of latency.

    Raises:
        BenchError: an experiment, a checkout or the results folder is not in order.
    """
    spec = load_experiment(experiment).measure
    if not spec.latency_rounds:
        raise BenchError(f"{experiment}: measure.latency_rounds: must be above 0 to time anything, but is 0.")
    with sole_writer(options.results):
        if options.against_checkout is None:
            return (yield from _of_experiments(experiment, options))
        session = yield from measure_checkouts(
            spec,
            experiment,
            options.against_checkout,
            data_root=options.data_root,
            threads=THREADS_PER_WORKER,
            device="cuda" if torch.cuda.is_available() else "cpu",
        )
        write_latency(options.results, session)
        return session


def default_results(name: str, against: Path | None) -> Path:
    """`results/NAME`, where a sweep of the experiment leaves its own; a comparison has its own folder."""
    other = None if against is None else against.resolve()
    if other is not None:
        name += f"_against_{other.name if other.is_dir() else other.stem}"
    return Path("results") / name


def _of_experiments(experiment: Path, options: LatencyOptions) -> Generator[Progress, None, Session]:
    loaded = load_experiment(experiment)
    plan = check_plan(loaded, options.data_root)
    networks = networks_of(plan)
    code = code_digest(loaded.plugins, experiment.parent)
    identity = session_digest(loaded.measure, plan, threads=THREADS_PER_WORKER, code=code)
    if options.against is not None:
        base = check_plan(load_experiment(options.against), options.data_root)
        networks += networks_of(base, BASE)
        identity = ""  # a sweep of the experiment measures its own
    return (
        yield from measure_latency(
            loaded.measure, networks, options.results, threads=THREADS_PER_WORKER, identity=identity
        )
    )
