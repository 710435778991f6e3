"""A folder of photos from files to report by the plain command, with one that cannot be decoded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from photos import write_small_copy

pytestmark = pytest.mark.cluster

TOLD = "1 of 29 images cannot be decoded and are left out (1 of train): train/dark/cut.jpg."


def test_what_is_left_out_stands_in_output_manifest_and_report(tmp_path: Path) -> None:
    path = write_small_copy(tmp_path)
    command = [sys.executable, "-m", "msanet_bench", "sweep", path.name]
    swept = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert swept.returncode == 0, swept.stderr
    assert TOLD in swept.stdout
    notes = json.loads((tmp_path / "results/imagenet_folder/manifest.json").read_text())["notes"]
    assert TOLD in notes[0]
    report = (tmp_path / "reports/imagenet_folder/report.md").read_text()
    assert TOLD in report.replace("\\", "").replace("`", "")
    records = (tmp_path / "results/imagenet_folder/records.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in records] == ["ok"] * 7


def test_the_report_of_a_single_network_says_so_too(tmp_path: Path) -> None:
    path = write_small_copy(tmp_path)
    verb = [sys.executable, "-m", "msanet_bench"]
    subprocess.run([*verb, "train", path.name, "--out", "photos.pt"], cwd=tmp_path, check=True)
    subprocess.run([*verb, "evaluate", "photos.pt", "--out", "told"], cwd=tmp_path, check=True)
    assert "1 of 29 images cannot be decoded" in (tmp_path / "told/report.md").read_text()


def test_refused_by_default_before_anything_is_trained(tmp_path: Path) -> None:
    path = write_small_copy(tmp_path)
    path.write_text(path.read_text().replace(", corrupt: skip", ""))
    command = [sys.executable, "-m", "msanet_bench", "sweep", path.name]
    swept = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert swept.returncode == 2
    assert "1 of 29 images cannot be decoded" in swept.stderr
    assert "train/dark/cut.jpg (image file is truncated" in swept.stderr
    assert not (tmp_path / "results/imagenet_folder/records.jsonl").exists()
