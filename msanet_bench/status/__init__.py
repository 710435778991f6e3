"""How far a sweep is: every planned cell by what became of it. Reads files only."""

from msanet_bench.status.look import COLUMNS, ELSEWHERE, Failure, Look, VariantStatus, Watcher, read_status

__all__ = ["COLUMNS", "ELSEWHERE", "Failure", "Look", "VariantStatus", "Watcher", "read_status"]
