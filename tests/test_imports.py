"""What the light verbs must not load: budgets of modules, not of seconds."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from planted_shards import write_shards

HEAVY = {"torch", "torchvision", "optuna", "pandas", "pyarrow", "scipy.stats", "matplotlib", "sklearn"}

RUN = """
import json, sys
from msanet_bench.cli import main
try:
    main(json.loads(sys.argv[1]))
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded_by(code: str, *arguments: str | Path) -> set[str]:
    """The modules that a fresh process has loaded when it ends."""
    command = [sys.executable, "-c", code, json.dumps([str(argument) for argument in arguments])]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return set(json.loads(ran.stderr.splitlines()[-1]))


def test_help_loads_nothing_heavy() -> None:
    assert loaded_by(RUN, "--help") & HEAVY == set()


@pytest.mark.parametrize(
    "verb",
    [
        *("sweep", "check", "profile", "merge", "report", "table", "compare", "analyze", "doctor"),
        *("train", "evaluate", "predict", "export", "verify"),
    ],
)
def test_the_help_of_a_verb_loads_nothing_heavy(verb: str) -> None:
    assert loaded_by(RUN, verb, "--help") & HEAVY == set()


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import json, sys, msanet_bench\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    assert loaded_by(code) & HEAVY == set()


def test_compare_loads_nothing_heavy(small_results: Path) -> None:
    assert loaded_by(RUN, "compare", small_results, small_results) & HEAVY == set()


def test_analyze_loads_nothing_heavy(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("net,seed,accuracy\na,0,0.1\nb,0,0.2\na,1,0.3\nb,1,0.5\n")
    loaded = loaded_by(RUN, "analyze", table, "--block", "seed", "--delta", "0.1")
    assert "scipy.special" in loaded
    assert loaded & HEAVY == set()


def test_verifying_an_examination_loads_nothing_heavy(tmp_path: Path) -> None:
    content = {"kind": "msanet_bench.examination"}
    digest = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(content | {"digest": digest}))
    assert loaded_by(RUN, "doctor", "--verify", path) & HEAVY == set()


def test_report_loads_no_torch_and_no_optuna(small_results: Path, tmp_path: Path) -> None:
    loaded = loaded_by(RUN, "report", small_results, "--out", tmp_path)
    assert "matplotlib" in loaded
    assert loaded & {"torch", "torchvision", "optuna"} == set()


def test_merge_loads_no_torch_and_no_optuna(tmp_path: Path) -> None:
    folders = write_shards(tmp_path)
    loaded = loaded_by(RUN, "merge", *folders, "-o", tmp_path / "merged")
    assert loaded & {"torch", "torchvision", "optuna", "pandas", "matplotlib"} == set()


def test_table_draws_no_figure_and_loads_nothing_heavy(small_results: Path) -> None:
    assert loaded_by(RUN, "table", small_results, "--format", "latex") & HEAVY == set()


@pytest.mark.parametrize("module", ["scipy.stats", "torch"])
def test_a_heavy_import_would_be_seen(module: str) -> None:
    assert module in loaded_by(f"import {module}\n{RUN}", "--help") & HEAVY
