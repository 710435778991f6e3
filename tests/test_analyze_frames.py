"""Effects of a DataFrame: those of the same table as a file, and by hand."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import msanet_bench as mb
from msanet_bench.analyze import Question, analyze
from msanet_bench.errors import ResultsError

RUNS = [
    (a, b, seed, 0.80 + 0.05 * (a == "on") + 0.01 * (b == "x") + 0.002 * seed + wave)
    for a, b, waves in (
        ("on", "x", (0.001, -0.001, 0.0)),
        ("on", "y", (-0.001, 0.001, 0.0)),
        ("off", "x", (0.0, 0.001, -0.001)),
        ("off", "y", (0.0, -0.001, 0.001)),
    )
    for seed, wave in enumerate(waves)
]


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(RUNS, columns=["a", "b", "seed", "accuracy"])


def test_effects_are_the_planted_ones_with_their_verdicts(table: pd.DataFrame) -> None:
    found = mb.effects(table, factors=["a", "b"], block="seed", delta="2 pp").set_index("effect")
    assert list(found["family"]) == ["Main effects", "Main effects", "Interactions of two factors"]
    assert found["estimate"].iloc[0] == pytest.approx(-0.05)  # off against on
    assert found["estimate"].iloc[1] == pytest.approx(-0.01)
    assert found["verdict"].iloc[:2].tolist() == ["HURTS", "negligible"]
    assert found["df"].tolist() == [6, 6, 6]  # 12 runs less 4 cells and 2 further seeds


def test_a_frame_says_what_the_file_of_it_says(table: pd.DataFrame, tmp_path: Path) -> None:
    table.to_csv(tmp_path / "runs.csv", index=False)
    question = Question("accuracy", ("a", "b"), "seed", 0.02)
    rows = [row for family in analyze(tmp_path / "runs.csv", question).families for row in family.rows]
    found = mb.effects(table, factors=("a", "b"), block="seed", delta=0.02)
    assert found["effect"].tolist() == [row.label for row in rows]
    assert found["estimate"].tolist() == [row.contrast.estimate for row in rows if row.contrast]
    assert found["p"].tolist() == [row.p for row in rows]


def test_a_missing_response_is_a_failed_run_and_no_zero(table: pd.DataFrame) -> None:
    table.loc[0, "accuracy"] = None
    found = mb.effects(table, factors=["a", "b"], block="seed")
    assert found["df"].iloc[0] == 5
    assert found["estimate"].iloc[0] == pytest.approx(-0.05, abs=0.002)
    assert found["verdict"].isna().all()


def test_a_column_that_is_not_there_is_one_clear_message(table: pd.DataFrame) -> None:
    with pytest.raises(ResultsError, match="acuracy"):
        mb.effects(table, response="acuracy")
    with pytest.raises(ValueError, match="percentage points"):
        mb.effects(table, delta="2")


def test_neither_torch_nor_optuna_is_loaded() -> None:
    code = "import sys, msanet_bench as mb; mb.effects; print({'torch', 'optuna'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
