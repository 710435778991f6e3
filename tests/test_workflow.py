"""The GitHub workflow and the Dockerfile: what they name exists, and strangers' code may write nothing."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from commands import run_verb
from msanet_bench.yaml_document import read_yaml

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "test.yml"
SMALL = Path(__file__).parent / "data" / "small_results"


def _tree(text: str) -> dict[str, Any]:
    document = read_yaml(text)
    assert document.problems == ()
    return dict(document.tree)


TEXT = WORKFLOW.read_text(encoding="utf-8")
JOBS: Mapping[str, Any] = _tree(TEXT)["jobs"]
SCRIPTS = [step["run"] for job in JOBS.values() for step in job["steps"] if "run" in step]


def _unsafe(text: str) -> Iterator[str]:
    """What would let a stranger's change write to the repository, or run what nobody has read."""
    tree = _tree(text)
    if "pull_request_target" in tree["on"] or "workflow_run" in tree["on"]:
        yield "runs a stranger's change with the rights of the repository"
    if tree["permissions"] != {"contents": "read"}:
        yield "every job may do more than read"
    for name, job in tree["jobs"].items():
        uses = [step["uses"] for step in job["steps"] if "uses" in step]
        if "permissions" in job and any("checkout" in action for action in uses):
            yield f"{name} may write and runs code of the change"
        if "permissions" in job and "head.repo.full_name == github.repository" not in job["if"]:
            yield f"{name} may write and runs for forks"
        yield from (f"{action} is not pinned" for action in uses if not re.search(r"@[0-9a-f]{40}$", action))
        for step in job["steps"]:
            if "checkout" in step.get("uses", "") and step["with"].get("persist-credentials") is not False:
                yield f"{name} leaves its token on the disk"
            if "${{" in step.get("run", ""):
                yield f"{name} pastes text of others into a script"


def test_the_workflow_lets_no_stranger_write() -> None:
    assert list(_unsafe(TEXT)) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("  pull_request:\n", "  pull_request_target:\n", "with the rights of the repository"),
        ("contents: read", "contents: write", "every job may do more than read"),
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@v7", "actions/checkout@v7 is not pinned"),
        ("persist-credentials: false", "persist-credentials: true", "leaves its token on the disk"),
        ("head.repo.full_name == github.repository", "number > 0", "comment may write and runs for forks"),
        ('"$NUMBER"', '"${{ github.event.pull_request.title }}"', "pastes text of others into a script"),
        ("    timeout-minutes: 60", "    if: a\n    permissions: {}", "test may write and runs code of"),
    ],
)
def test_a_hole_in_the_workflow_is_found(old: str, new: str, found: str) -> None:
    assert old in TEXT
    assert any(found in hole for hole in _unsafe(TEXT.replace(old, new)))


def test_every_target_of_make_exists() -> None:
    targets = {found for script in SCRIPTS for found in re.findall(r"^make (?:-C \w+ )?(\w+)", script)}
    assert targets == {"test", "sweep"}
    for target in targets:
        command = ["make", "--dry-run", target]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


COMPARE = next(script for script in SCRIPTS if "compare" in script and "msanet-bench" in script)


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A folder as it is after both sweeps: two checkouts, of which `head` has the program."""
    program = tmp_path / "head" / ".venv" / "bin" / "msanet-bench"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m msanet_bench "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    for side in ("base", "head"):
        shutil.copytree(SMALL, tmp_path / side / "results" / "ablation")
    return tmp_path


def _run_step(folder: Path) -> tuple[int, str]:
    """The exit code of the step that compares, and the summary that it leaves; run as GitHub runs it."""
    summary = folder / "summary.md"
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(summary), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-e", "-c", COMPARE], cwd=folder, env=environment, check=False)
    return done.returncode, summary.read_text(encoding="utf-8")


def test_the_step_that_compares_shows_the_table_of_equal_results(runner: Path) -> None:
    code, summary = _run_step(runner)
    table = run_verb(
        "compare", "base/results/ablation", "head=head/results/ablation", "--format", "markdown", cwd=runner
    )
    assert code == 0
    assert set(table.out.splitlines()) <= set(summary.splitlines())
    assert [limit for limit in ("accuracy:-1pp", "params:0", "macs:0") if limit not in summary] == []
    assert (runner / "comparison.md").read_text(encoding="utf-8") == summary


def test_a_gate_that_fails_fails_the_step_and_still_shows_the_table(runner: Path) -> None:
    records = runner / "head" / "results" / "ablation" / "records.jsonl"
    text = records.read_text(encoding="utf-8")
    assert '"params":{"value":33300,' in text
    records.write_text(text.replace('"params":{"value":33300,', '"params":{"value":33301,'), encoding="utf-8")
    code, summary = _run_step(runner)
    assert code == 1
    assert "params:0" in summary


def test_what_cannot_be_compared_is_said_in_the_summary(runner: Path) -> None:
    (runner / "base" / "results" / "ablation" / "records.jsonl").unlink()
    code, summary = _run_step(runner)
    assert code == 2
    assert "base/results/ablation" in summary


DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def _sent_to_docker(path: str) -> bool:
    """Whether .dockerignore lets a top-level entry through: the last line that matches decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#") and fnmatch(path, line.removeprefix("!")):
            sent = line.startswith("!")
    return sent


def test_docker_is_sent_what_the_wheel_is_made_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    metadata = [project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"]
    named = re.findall(r"^COPY ([\w.]{2,}) ", DOCKERFILE, re.MULTILINE)
    needed = [*wheel, *metadata, *named]
    assert named == ["constraints.txt"]
    assert [path for path in needed if not ((ROOT / path).exists() and _sent_to_docker(path))] == []
    assert not _sent_to_docker(".venv")
    assert not _sent_to_docker("results")


def test_the_image_runs_our_program_as_nobody_special_and_says_that_it_was_not_built() -> None:
    extras = re.findall(r'\[([\w,]+)\]"', DOCKERFILE)[0].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(extras) <= set(project["optional-dependencies"])
    assert re.findall(r'^ENTRYPOINT \["(.*)"\]$', DOCKERFILE, re.MULTILINE) == [*project["scripts"]]
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1] not in {"root", "0"}
    assert "the maintainers have not built it" in DOCKERFILE
