"""`msanet-bench status RESULTS`."""

from msanet_bench.cli.arguments import ResultsFolder


def status(results: ResultsFolder) -> None:
    """Show what became of every planned cell.

    A row a variant: how many of its cells are ok, failed, oom, diverged, pruned or missing. Of a search, also
    what became of its trials.
    """
    from msanet_bench.console import show_status
    from msanet_bench.status import count_trials, read_status

    show_status(read_status(results))
    trials = count_trials(results)
    if trials:
        print(f"trials: {', '.join(f'{number} {state}' for state, number in trials.items())}.")
