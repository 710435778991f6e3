"""Optuna at home: the ledger of finite designs, and searches."""

from msanet_bench.search.candidates import tuning_candidates
from msanet_bench.search.ledger import CELL_KEY, Ledger
from msanet_bench.search.mirror import Mirror
from msanet_bench.search.searcher import Searcher, Sources, Turn
from msanet_bench.search.storage import (
    StorageLost,
    chosen_storage,
    name_objectives,
    open_storage,
    shown,
    storage_url,
    study_name,
    telling,
)
from msanet_bench.search.studies import search_id, space_of, variants_of
from msanet_bench.search.timing import Timing
from msanet_bench.search.trials import Asked, Costs, Trial, TrialFile, latest

__all__ = [
    "CELL_KEY",
    "Asked",
    "Costs",
    "Ledger",
    "Mirror",
    "Searcher",
    "Sources",
    "StorageLost",
    "Timing",
    "Trial",
    "TrialFile",
    "Turn",
    "chosen_storage",
    "latest",
    "name_objectives",
    "open_storage",
    "search_id",
    "shown",
    "space_of",
    "storage_url",
    "study_name",
    "telling",
    "tuning_candidates",
    "variants_of",
]
