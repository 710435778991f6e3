"""`msanet-bench blocks`."""


def blocks() -> None:
    """List every block and data set that YAML can name.

    With the options of each, their defaults, and where it comes from.
    """
    from msanet_bench.checks import catalog
    from msanet_bench.console import show_catalog

    show_catalog(catalog())
