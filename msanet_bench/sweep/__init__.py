"""The coordinator: plan, ask, submit, journal, tell, measure, export. A generator that prints nothing.

One process writes. The journal is the truth: a cell counts once its line is on the disk, and Optuna is told
afterwards. Records, results and timings are made from the journal and can be made again.
"""

from msanet_bench.sweep.options import (
    Retry,
    SweepOptions,
    parse_deadline,
    parse_limits,
    parse_other_code,
    parse_retry,
)
from msanet_bench.sweep.run import run_sweep

__all__ = [
    "Retry",
    "SweepOptions",
    "parse_deadline",
    "parse_limits",
    "parse_other_code",
    "parse_retry",
    "run_sweep",
]
