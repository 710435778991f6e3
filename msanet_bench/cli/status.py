"""`msanet-bench status RESULTS`."""

from msanet_bench.cli.arguments import ResultsFolder


def status(results: ResultsFolder) -> None:
    """Show how many cells of each variant are ok, failed, oom, diverged, pruned or missing."""
    from msanet_bench.console import show_status
    from msanet_bench.status import read_status

    show_status(read_status(results))
