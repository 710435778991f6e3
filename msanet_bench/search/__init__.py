"""Optuna at home: the ledger of finite designs, and searches."""

from msanet_bench.search.ledger import CELL_KEY, Ledger
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

__all__ = [
    "CELL_KEY",
    "Ledger",
    "StorageLost",
    "chosen_storage",
    "name_objectives",
    "open_storage",
    "shown",
    "storage_url",
    "study_name",
    "telling",
]
