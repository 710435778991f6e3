"""Experiments of which the truth is known, swept and judged for real: only what was planted may HELP."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.cluster

EXPERIMENTS = Path(__file__).parents[2] / "experiments" / "controls"
PARTS = ("branches.conv5", "branches.dilated", "branches.context", "attention")
PLANTED = {
    "local": frozenset[str](),
    "noise": frozenset[str](),
    "texture_scale": frozenset({"branches.conv5", "branches.dilated"}),
    "long_range": frozenset({"attention"}),
    "global_mean": frozenset({"branches.context"}),
}
NO_DIFFERENCE = ("NO MATERIAL EFFECT", "UNRESOLVED")
SMALL = """
question: Is a leak found?
delta: 5 pp
data: {dataset: leaking, validation: 0}
baseline: {stem: small, width: 0.25, depth: [1], attention: none}
train: {epochs: 2, batch_size: 32, lr: 5e-3, schedule: one_cycle}
design: list
seeds: 3
measure: {latency_rounds: 0}
analysis: {families: [variants]}
"""


@pytest.mark.parametrize("name", PLANTED)
def test_what_was_planted_helps_and_nothing_else(tmp_path: Path, name: str) -> None:
    words = verdicts(sweep(EXPERIMENTS / f"{name}.yaml", tmp_path))
    assert set(words) == set(PARTS)
    assert helping(words) == PLANTED[name]
    # the planted ones beyond delta
    assert all(words[part] == "HELPS" for part in PLANTED[name])


def test_five_twins_do_not_differ_and_are_not_the_same(tmp_path: Path) -> None:
    words = verdicts(sweep(EXPERIMENTS / "twins.yaml", tmp_path))
    assert list(words) == [f"replicate={number}" for number in (1, 2, 3, 4)]
    assert differing(words) == set()
    assert repeated(tmp_path / "results" / "twins" / "results.csv") == set()


def test_a_leak_in_noise_is_caught(tmp_path: Path) -> None:
    variants = "[{attention: se}, {data.options.leaks: true}]"
    words = verdicts(sweep(small(tmp_path, variants, "leaking.py"), tmp_path), "verdict")
    assert helping(words) == {"data.options.leaks"}


def test_a_twin_with_a_leak_is_caught(tmp_path: Path) -> None:
    variants = "[{replicate: 1}, {replicate: 2, data.options.leaks: true}]"
    words = verdicts(sweep(small(tmp_path, variants, "leaking.py"), tmp_path), "verdict")
    assert len(differing(words)) == 1


def test_twins_that_share_their_streams_are_caught(tmp_path: Path) -> None:
    experiment = small(tmp_path, "[{replicate: 1}, {replicate: 2}]", "leaking.py", "shared_streams.py")
    words = verdicts(sweep(experiment, tmp_path))
    # the verdicts see nothing: what never varies never differs
    assert differing(words) == set()
    assert repeated(tmp_path / "results" / experiment.stem / "results.csv") == {0, 1, 2}


def sweep(experiment: Path, folder: Path) -> dict[str, Any]:
    """The report of an experiment, swept in a folder of its own."""
    command = [sys.executable, "-m", "msanet_bench", "sweep", str(experiment)]
    subprocess.run(command, cwd=folder, check=True)
    report: dict[str, Any] = json.loads((folder / "reports" / experiment.stem / "report.json").read_text())
    return report


def small(folder: Path, variants: str, *plugins: str) -> Path:
    """An experiment of a minute or less, with plug-ins from beside this file."""
    for plugin in plugins:
        shutil.copy(Path(__file__).with_name(plugin), folder)
    path = folder / "small.yaml"
    path.write_text(f"{SMALL}plugins: [{', '.join(plugins)}]\nvariants: {variants}\n")
    return path


def verdicts(report: dict[str, Any], kind: str = "verdict_new") -> dict[str, str]:
    """The word, on new data, for each part: left out of the full network, or added to the bare one.

    Where variants have test images of their own there is no word on new data, but one on these: `verdict`.
    """
    if report["families"] == ["leave_one_out"]:
        claims = {share["component"]: share["removed"] for share in report["credit"]["shares"]}
    else:
        claims = {_part(each["name"]): each["claim"] for each in report["variants"] if each["claim"]}
    return {part: claim[kind]["word"] for part, claim in claims.items()}


def _part(variant: str) -> str:
    return variant if variant.startswith("replicate=") else variant.partition("=")[0]


def helping(words: dict[str, str]) -> set[str]:
    return {part for part, word in words.items() if word.upper() == "HELPS"}


def differing(words: dict[str, str]) -> set[str]:
    return {part for part, word in words.items() if word not in NO_DIFFERENCE}


def repeated(results: Path) -> set[int]:
    """The seeds of which two cells end at the same loss, to its last digit."""
    with results.open(newline="") as file:
        rows = list(csv.DictReader(file))
    losses: dict[int, list[str]] = {}
    for row in rows:
        losses.setdefault(int(row["seed"]), []).append(row["loss"])
    return {seed for seed, each in losses.items() if len(set(each)) < len(each)}
