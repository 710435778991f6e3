"""`msanet-bench blocks`."""


def blocks() -> None:
    """List every block and data set that YAML can name, with its options and its source."""
    from msanet_bench.checks import catalog
    from msanet_bench.console import show_catalog

    show_catalog(catalog())
