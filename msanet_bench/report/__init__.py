"""Records to text: reads a results folder, imports no torch and no optuna.

Names resolve on first use, so that reading a table does not load the drawing of figures.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msanet_bench.report.build import build_report, differing_files, write_report

__all__ = ["build_report", "differing_files", "write_report"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 (a module's attributes may be anything)
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from msanet_bench.report import build  # noqa: PLC0415 (see the docstring)

    return getattr(build, name)
