"""Optuna at home: the ledger of finite designs, and searches."""

from msanet_bench.search.ledger import CELL_KEY, Ledger, storage_url
from msanet_bench.search.searcher import Searcher, Sources, Turn
from msanet_bench.search.trials import Asked, Costs, Trial, TrialFile

__all__ = [
    "CELL_KEY",
    "Asked",
    "Costs",
    "Ledger",
    "Searcher",
    "Sources",
    "Trial",
    "TrialFile",
    "Turn",
    "storage_url",
]
