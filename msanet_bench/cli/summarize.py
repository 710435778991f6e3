"""`msanet-bench summarize RESULTS`."""

from msanet_bench.cli.arguments import ResultsFolder


def summarize(results: ResultsFolder) -> None:
    """Make the tables of latency again from the samples alone.

    They are the same byte for byte, on whatever machine. Exit code 0: written; 2: no samples can be read.
    """
    from msanet_bench.session.files import rewrite_tables

    for path in rewrite_tables(results):
        print(path)
