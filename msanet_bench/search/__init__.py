"""Optuna at home: the ledger of finite designs, and searches."""

from msanet_bench.search.ledger import CELL_KEY, Ledger, storage_url

__all__ = ["CELL_KEY", "Ledger", "storage_url"]
