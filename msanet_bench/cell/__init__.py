"""One cell of a plan: what it is, how it begins, how it runs, and how it ends."""

from msanet_bench.cell.job import THREADS_PER_WORKER, Job, device_name, job_provenance, start_worker
from msanet_bench.cell.outcome import NotFinite, broken_off, failure, require_finite
from msanet_bench.cell.ready import Ready, cell_data, dataset_of, made_ready, network, set_process
from msanet_bench.cell.run import run_cell

__all__ = [
    "THREADS_PER_WORKER",
    "Job",
    "NotFinite",
    "Ready",
    "broken_off",
    "cell_data",
    "dataset_of",
    "device_name",
    "failure",
    "job_provenance",
    "made_ready",
    "network",
    "require_finite",
    "run_cell",
    "set_process",
    "start_worker",
]
