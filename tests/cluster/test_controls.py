"""Experiments of which the truth is known, swept and judged for real: only what was planted may HELP."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.cluster

EXPERIMENTS = Path(__file__).parents[2] / "experiments" / "controls"
PARTS = ("branches.conv5", "branches.dilated", "branches.context", "attention")
PLANTED = {
    "local": frozenset[str](),
    "noise": frozenset[str](),
    "texture_scale": frozenset({"branches.conv5", "branches.dilated"}),
}


def verdicts(report: Path) -> dict[str, str]:
    """The word on new data for each part: left out of the full network, or added to the bare one."""
    content = json.loads(report.read_text())
    if content["families"] == ["leave_one_out"]:
        claims = {share["component"]: share["removed"] for share in content["credit"]["shares"]}
    else:
        variants = content["variants"]
        claims = {each["name"].split("=")[0]: each["claim"] for each in variants if each["claim"]}
    return {part: claim["verdict_new"]["word"] for part, claim in claims.items()}


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_planted_helps_and_nothing_else(tmp_path: Path, name: str) -> None:
    experiment = EXPERIMENTS / f"{name}.yaml"
    command = [sys.executable, "-m", "msanet_bench", "sweep", str(experiment)]
    subprocess.run(command, cwd=tmp_path, check=True)
    words = verdicts(tmp_path / "reports" / name / "report.json")
    assert set(words) == set(PARTS)
    assert {part for part in PARTS if words[part].upper() == "HELPS"} == PLANTED[name]
    # the planted ones beyond delta
    assert all(words[part] == "HELPS" for part in PLANTED[name])
