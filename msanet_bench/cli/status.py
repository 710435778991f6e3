"""`msanet-bench status RESULTS`."""

from msanet_bench.cli.arguments import ResultsFolder


def status(results: ResultsFolder) -> None:
    """Show what became of every planned cell.

    A row a variant: how many of its cells are ok, failed, oom, diverged, pruned or missing.
    """
    from msanet_bench.console import show_status
    from msanet_bench.status import read_status

    show_status(read_status(results))
