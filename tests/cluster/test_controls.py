"""Experiments of which the truth is known, swept and judged for real: only what was planted may HELP."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.cluster

EXPERIMENTS = Path(__file__).parents[2] / "experiments" / "controls"
PLANTED = {
    "local": frozenset[str](),
    "noise": frozenset[str](),
    "texture_scale": frozenset({"branches.conv5", "branches.dilated"}),
}


def verdicts(report: Path) -> dict[str, str]:
    """The word on this test set for what each part is worth, by the part."""
    effects = json.loads(report.read_text())["effects"]
    return {effect["factor"]: effect["claim"]["verdict"]["word"] for effect in effects}


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_planted_helps_and_nothing_else(tmp_path: Path, name: str) -> None:
    experiment = EXPERIMENTS / f"{name}.yaml"
    command = [sys.executable, "-m", "msanet_bench", "sweep", str(experiment)]
    subprocess.run(command, cwd=tmp_path, check=True)
    words = verdicts(tmp_path / "reports" / name / "report.json")
    assert {part for part, word in words.items() if word.upper() == "HELPS"} == PLANTED[name]
    assert all(words[part] == "HELPS" for part in PLANTED[name])
