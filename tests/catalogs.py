"""The blocks and data sets of this package, without what plug-ins of other tests have registered."""

from collections.abc import Callable
from typing import Any

from msanet_bench.checks import catalog
from msanet_bench.plan import Catalog
from msanet_bench.registry import Registry


def own_catalog() -> Catalog:
    return {slot: _own(registry) for slot, registry in catalog().items()}


def _own(registry: Registry[Callable[..., Any]]) -> Registry[Callable[..., Any]]:
    own: Registry[Callable[..., Any]] = Registry(registry.slot, probe=registry._probe)
    for name in registry:
        if registry[name].__module__.startswith("msanet_bench."):
            own.register(name)(registry[name])
    for prefix, find in registry.families.items():
        if find.__module__.startswith("msanet_bench."):
            own.register_family(prefix)(find)
    return own
