"""One cell, from its settings to its record: build, train, evaluate. Runs in a worker process."""

import socket
import time
import traceback

from msanet_bench.cell.job import Job
from msanet_bench.cell.outcome import NotFinite, broken_off, failure, pruned, success, untested
from msanet_bench.cell.ready import made_ready
from msanet_bench.data import Dataset
from msanet_bench.journal import Attempt
from msanet_bench.records import Record
from msanet_bench.train.evaluate import evaluate
from msanet_bench.train.fit import Diverged, fit
from msanet_bench.train.seed import nondeterministic_kernels
from msanet_bench.train.stop import watching


def run_cell(job: Job, sent: Dataset | None = None) -> Attempt:
    """Run a cell, with data that were `sent` or those of its `data_root`; what goes wrong is its record."""
    started, clock = time.time(), time.perf_counter()
    train_seconds = evaluate_seconds = None
    trace = ""
    try:
        record, train_seconds, evaluate_seconds = _train_and_evaluate(job, sent)
    except (Diverged, NotFinite) as error:
        record = failure(job, "diverged", str(error))
    except Exception as error:  # noqa: BLE001 (a cell's failure is a result: the sweep goes on)
        record = failure(job, *broken_off(error))
        trace = traceback.format_exc()
    return Attempt(
        record=record,
        started=started,
        seconds=time.perf_counter() - clock,
        train_seconds=train_seconds,
        evaluate_seconds=evaluate_seconds,
        device=job.device,
        host=socket.gethostname(),
        traceback=trace,
    )


def _train_and_evaluate(job: Job, sent: Dataset | None) -> tuple[Record, float, float | None]:
    ready, settings = made_ready(job, sent), job.settings
    data = ready.data
    clock = time.perf_counter()
    with nondeterministic_kernels() as kernels:
        trained = fit(
            ready.model,
            data,
            settings.train,
            seed=job.seed,
            replicate=settings.replicate,
            augment=ready.augment,
            on_epoch=None if job.stops is None else watching(job.stops),
        )
        train_seconds = time.perf_counter() - clock
        if job.stops is not None and (reason := job.stops.reason(trained.curve)):
            return pruned(job, trained, reason), train_seconds, None
        if not job.is_tested:
            return untested(job, trained), train_seconds, None
        tested = evaluate(ready.model, data.test, settings.train, data.num_classes)
    evaluate_seconds = time.perf_counter() - clock - train_seconds
    return success(job, trained, tested, [*ready.notes, *kernels]), train_seconds, evaluate_seconds
