"""Results of different environments are refused by name and number, unless they are asked for."""

import json
import shutil
from pathlib import Path

import pytest

from commands import run_verb
from experiments import write_experiment
from msanet_bench.errors import MixedResultsError
from msanet_bench.report.inputs import mixed_environments, read_inputs
from planted_results import PARTS, Levels, Outcome, planted, worth_of_parts, write_results

PLANTED = Path(__file__).parent / "planted.py"
OUTCOME = planted(PARTS, worth_of_parts)


def mixed(folder: Path, name: str, value: object, outcome: Outcome = OUTCOME) -> Path:
    """Seeds 3 and 4 come from elsewhere."""
    return write_results(folder, PARTS, outcome, provenance=lambda _, seed: {name: value} if seed > 2 else {})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("torch", "3.0", "version of torch (`2.14.1` (24 records), `3.0` (16 records))"),
        ("device", "cuda", "device (`cpu` (24 records), `cuda` (16 records))"),
        ("threads", 2, "number of threads (`1` (24 records), `2` (16 records))"),
        (
            "code",
            "feed",
            "digest of the training code (`0123456789abcdef` (24 records), `feed` (16 records))",
        ),
    ],
)
def test_what_differs_is_named_with_how_many_records(
    name: str, value: object, said: str, tmp_path: Path
) -> None:
    with pytest.raises(MixedResultsError) as caught:
        read_inputs(mixed(tmp_path, name, value))
    assert f"not all results have the same {said}. Differences may come from that." in str(caught.value)
    assert "give --mixed" in str(caught.value)
    assert len(mixed_environments(read_inputs(tmp_path, allow_mixed=True))) == 1


def test_two_differences_are_both_named(tmp_path: Path) -> None:
    write_results(
        tmp_path,
        PARTS,
        OUTCOME,
        provenance=lambda _, seed: {"torch": "3.0", "threads": 2} if seed == 4 else {},
    )
    with pytest.raises(MixedResultsError, match=r"torch \(.*\); nor the same number of threads \("):
        read_inputs(tmp_path)


def test_other_provenance_is_nobodys_business(tmp_path: Path) -> None:
    assert mixed_environments(read_inputs(mixed(tmp_path, "note", "x"))) == {}


def test_a_failed_cell_from_elsewhere_does_not_count(tmp_path: Path) -> None:
    def failing(levels: Levels, seed: int) -> object:
        return "failed" if seed > 2 else OUTCOME(levels, seed)

    assert mixed_environments(read_inputs(mixed(tmp_path, "torch", "3.0", failing))) == {}


def test_report_refuses_with_2_and_reports_when_told_to(tmp_path: Path) -> None:
    mixed(tmp_path / "results", "torch", "3.0")
    refused = run_verb("report", "results", cwd=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    message = " ".join(refused.err.split())
    assert "`2.14.1` (24 records), `3.0` (16 records)" in message
    assert "--mixed" in message
    assert not (tmp_path / "reports").exists()
    told = run_verb("report", "results", "--mixed", cwd=tmp_path)
    assert (told.code, told.err) == (0, "")
    text = (tmp_path / "reports" / "results" / "report.md").read_text(encoding="utf-8")
    assert "same version of torch: `2.14.1` (24 records), `3.0` (16 records). Differences may come" in text


def test_a_check_of_mixed_results_is_refused_too(tmp_path: Path) -> None:
    mixed(tmp_path / "results", "torch", "3.0")
    run_verb("report", "results", "--mixed", cwd=tmp_path)
    assert run_verb("report", "results", "--check", cwd=tmp_path).code == 2
    assert run_verb("report", "results", "--check", "--mixed", cwd=tmp_path).code == 0


@pytest.mark.slow
@pytest.mark.parametrize(("levels", "code"), [("none]", 0), ("none, planted_error]", 1)])
def test_a_sweep_whose_report_is_refused_ends_with_its_own_code(
    levels: str, code: int, tmp_path: Path
) -> None:
    shutil.copy(PLANTED, tmp_path)
    text = write_experiment(tmp_path).read_text(encoding="utf-8").replace("none, se]", levels)
    path = write_experiment(tmp_path, f"{text}plugins: [planted.py]\n", seeds="seeds: 1")
    first = run_verb("sweep", path, "--workers", "1", cwd=tmp_path)
    assert (first.code, "Report:  reports/tiny/report.md" in first.out) == (code, True)
    file = tmp_path / "results" / "tiny" / "journal.jsonl"
    head, *others = file.read_text(encoding="utf-8").splitlines()
    attempt = json.loads(head)
    attempt["record"]["provenance"]["torch"] = "0.1"
    file.write_text("\n".join([json.dumps(attempt), *others]) + "\n", encoding="utf-8")
    again = run_verb("sweep", path, "--workers", "1", cwd=tmp_path)
    assert (again.code, again.err) == (code, "")
    assert "Report:  not written. results/tiny: not all results have the same version of torch (" in again.out
    assert "`0.1` (1 record)" in again.out
    assert ("1 of 3 cells are not ok" in again.out) == bool(code)
