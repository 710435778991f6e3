"""A plug-in for tests: where it is loaded, all replicates of a seed draw the same numbers."""

from msanet_bench import streams

_derive_seed = streams.derive_seed


def _without_replicate(*parts: int | str) -> int:
    seed, _, stream = parts
    return _derive_seed(seed, 0, stream)


streams.derive_seed = _without_replicate
