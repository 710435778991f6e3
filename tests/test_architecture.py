"""Who may import whom, and where each third-party package is at home."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import msanet_bench

ROOT = Path(msanet_bench.__file__).parent

# A module imports only from rows below its own; members of a row do not import each other.
ROWS = (
    "__init__ __main__",
    "cli",
    "api console",
    "dashboard doctor latency merge single sweep",
    "node",
    "duration",
    "profile",
    "cell executors exports search session",
    "analyze checks claims compare report schema testing",
    "analysis data measure model source_digest train",
    "amendments events finished parse plugins status",
    "parse_factors parse_search parse_tune",
    "journal plan running tabulate",
    "overlay records",
    "factories",
    "registry shipped spec yaml_document",
    "constraint factor_spec search_spec",
    "gfm migrations shard streams strict units violations",
    "errors",
)
ROW = {member: number for number, row in enumerate(ROWS) for member in row.split()}

HOMES = {
    "PIL": "data",
    "fvcore": "measure",
    "jinja2": "report",
    "markdown_it": "report",
    "matplotlib": "report",
    "numpy": "analysis data doctor exports records report session train",
    "onnxruntime": "single",
    "onnxscript": "single",
    "optuna": "search",
    "optuna_dashboard": "dashboard",
    "pandas": "analyze report",
    "pyarrow": "measure",
    # options of data sets carry their bounds as pydantic fields
    "pydantic": "claims data factor_spec model overlay parse registry schema search_spec single spec strict "
    "violations",
    "pydantic_core": "violations",
    "psutil": "executors",
    "pynvml": "measure",
    "ray": "executors",
    "rich": "console",
    "sqlalchemy": "search",
    "scipy": "analysis",
    "sklearn": "data",
    "timm": "model",
    "torch": "api cell checks claims data doctor duration latency measure model profile session single "
    "sweep testing train",
    "torchvision": "data model",
    "triton": "doctor",
    "typer": "cli",
    "yaml": "yaml_document",
}


def member_of(path: Path) -> str:
    """The package or module right below the root that a file belongs to."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported(source: str) -> Iterator[str]:
    """Every module that a text imports, wherever in it, as a dotted name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            # `from msanet_bench import plan` imports msanet_bench.plan
            yield from (
                f"{module}.{alias.name}" if module == "msanet_bench" else module for alias in node.names
            )


def broken_rules(member: str, source: str) -> Iterator[str]:
    """What a text imports although its member may not."""
    for name in imported(source):
        top, _, rest = name.partition(".")
        below = rest.partition(".")[0]
        if top == "msanet_bench":
            if below not in {"", member} and ROW[below] <= ROW[member]:
                yield f"{member} may not import {name}"
        elif top not in sys.stdlib_module_names and member not in HOMES.get(top, "").split():
            yield f"{name} is not at home in {member}"


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_imports_from_below_and_what_is_at_home_there(path: Path) -> None:
    assert list(broken_rules(member_of(path), path.read_text(encoding="utf-8"))) == []


def test_every_member_stands_in_one_row() -> None:
    members = [member for row in ROWS for member in row.split()]
    assert sorted(members) == sorted({member_of(path) for path in FILES})


def test_every_home_is_lived_in() -> None:
    lived_in = {
        (name.partition(".")[0], member_of(path))
        for path in FILES
        for name in imported(path.read_text(encoding="utf-8"))
    }
    assert {(top, home) for top, homes in HOMES.items() for home in homes.split()} <= lived_in


@pytest.mark.parametrize(
    ("member", "source", "rule"),
    [
        ("plan", "from msanet_bench.sweep import run_sweep", "plan may not import msanet_bench.sweep"),
        ("plan", "from msanet_bench import checks", "plan may not import msanet_bench.checks"),
        ("plan", "import msanet_bench.journal", "plan may not import msanet_bench.journal"),
        ("report", "def f():\n    import torch.nn", "torch.nn is not at home in report"),
        ("cli", "from pandas import DataFrame", "pandas is not at home in cli"),
        ("model", "import requests", "requests is not at home in model"),
        ("model", "from . import data", ". is not at home in model"),
    ],
)
def test_a_planted_import_is_found(member: str, source: str, rule: str) -> None:
    assert list(broken_rules(member, source)) == [rule]


@pytest.mark.parametrize(
    "source",
    ["import msanet_bench", "from msanet_bench.model.slots import STEMS", "import msanet_bench.spec"],
)
def test_imports_of_the_root_the_own_package_and_from_below_are_free(source: str) -> None:
    assert list(broken_rules("model", source)) == []
