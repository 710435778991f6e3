"""What is each part of a multi-scale + self-attention image classifier worth, and what does it cost?

Names resolve on first use, so that importing the package loads none of torch, optuna or pandas.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msanet_bench.analyze.frames import effects
    from msanet_bench.api import macs, msanet, run
    from msanet_bench.checks import load_experiment
    from msanet_bench.model.article import load_article_state_dict
    from msanet_bench.report.tables import read_results
    from msanet_bench.single.loading import load_checkpoint

__version__ = "0.1.0"

__all__ = [
    "effects",
    "load_article_state_dict",
    "load_checkpoint",
    "load_experiment",
    "macs",
    "msanet",
    "read_results",
    "run",
]

_HOMES = {
    "effects": "msanet_bench.analyze.frames",
    "load_article_state_dict": "msanet_bench.model.article",
    "load_checkpoint": "msanet_bench.single.loading",
    "load_experiment": "msanet_bench.checks",
    "macs": "msanet_bench.api",
    "msanet": "msanet_bench.api",
    "read_results": "msanet_bench.report.tables",
    "run": "msanet_bench.api",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 (a module's attributes may be anything)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
