import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import msanet_bench
from commands import run_verb
from experiments import TINY, write_experiment
from msanet_bench.session.files import LATENCY

TWO = TINY.replace("[self_attention, none, se]", "[self_attention, none]")
PACKAGE = Path(msanet_bench.__file__).parent

HOLD = """
from pathlib import Path
from msanet_bench.journal import sole_writer
with sole_writer(Path("results/tiny")):
    print("held", flush=True)
    input()
"""
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


def checkout(folder: Path, *, slower: bool = False) -> Path:
    """A copy of this package, in which the second variant may take much longer."""
    shutil.copytree(PACKAGE, folder / "msanet_bench", ignore=shutil.ignore_patterns("__pycache__"))
    if slower:
        block = folder / "msanet_bench" / "model" / "attention" / "none.py"
        text = block.read_text(encoding="utf-8")
        slow = text.replace(
            "        return x_NCHW", "        import time\n\n        time.sleep(0.002)\n        return x_NCHW"
        )
        assert slow != text
        block.write_text(slow, encoding="utf-8")
    return folder


def test_latency_needs_no_training_and_summarize_makes_its_tables_again(tmp_path: Path) -> None:
    outcome = run_verb("latency", write_experiment(tmp_path, TWO), cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "baseline" in outcome.out
    assert "one super-round alone has no intervals" in outcome.out
    assert "not measured (no CUDA device): cuda" in outcome.out
    results = tmp_path / "results" / "tiny"
    assert not (results / "records.jsonl").exists()
    written = (results / LATENCY).read_bytes()
    (results / LATENCY).unlink()
    again = run_verb("summarize", results, cwd=tmp_path)
    assert again.code == 0
    assert (results / LATENCY).read_bytes() == written


def test_summarize_without_samples_says_what_to_do(tmp_path: Path) -> None:
    outcome = run_verb("summarize", tmp_path, cwd=tmp_path)
    assert outcome.code == 2
    assert "Measure again with `msanet-bench latency`" in outcome.err


def test_another_experiment_takes_turns_and_a_gate_judges(tmp_path: Path) -> None:
    head = write_experiment(tmp_path, TWO, measure="measure: {latency_rounds: 40}")
    base = head.with_name("small.yaml")
    base.write_text(TWO.replace("width: 0.125", "width: 0.0625").replace("depth: [1]", "depth: [1, 1]"))
    wide = head.with_name("wide.yaml")
    wide.write_text(head.read_text().replace("width: 0.125", "width: 2"))
    same = run_verb("latency", head, "--against", head, "--gate", "+50%", cwd=tmp_path)
    assert same.code == 0, same.err
    assert "gate: no pair is seen to be slower by more than 50 %" in same.out
    slower = run_verb("latency", wide, "--against", head, "--gate", "+50%", cwd=tmp_path)
    assert slower.code == 1, slower.err
    assert "beyond the gate" in slower.out
    assert (tmp_path / "results" / "wide_against_tiny" / LATENCY).exists()


def test_another_checkout_takes_turns_in_its_own_process(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, TWO, measure="measure: {latency_rounds: 40}")
    # the head is this package and the base a copy: a base that is slow is a head that is fast
    slow = checkout(tmp_path / "slow", slower=True)
    outcome = run_verb("latency", experiment, "--against-checkout", slow, "--gate", "+50%", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    row = next(line for line in outcome.out.splitlines()[::-1] if line.startswith("attention=none"))
    assert row.rstrip().endswith("faster")


def test_a_folder_that_is_no_checkout_and_a_broken_one_are_told(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, TWO)
    outcome = run_verb("latency", experiment, "--against-checkout", tmp_path, cwd=tmp_path)
    assert outcome.code == 2
    assert "must be a checkout of this package" in outcome.err
    broken = checkout(tmp_path / "broken")
    (broken / "msanet_bench" / "checks" / "__init__.py").write_text("raise RuntimeError('planted')\n")
    outcome = run_verb("latency", experiment, "--against-checkout", broken, cwd=tmp_path)
    assert outcome.code == 2
    assert "its process ended (RuntimeError: planted)" in outcome.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--gate", "+5%"), "--gate needs --against"),
        (("--against", "x.yaml", "--against-checkout", "y"), "exclude each other"),
        (("--against", "tiny.yaml", "--gate", "five"), "--gate: must be a percentage"),
        (("--against", "missing.yaml"), "missing.yaml: cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    write_experiment(tmp_path, TWO)
    outcome = run_verb("latency", "tiny.yaml", *options, cwd=tmp_path)
    assert outcome.code == 2
    assert message in outcome.err
    assert not list(tmp_path.glob("results/*/samples.parquet"))


def test_nothing_to_time_is_an_error(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, TWO, measure="measure: {latency_rounds: 0}")
    outcome = run_verb("latency", experiment, cwd=tmp_path)
    assert outcome.code == 2
    assert "measure.latency_rounds: must be above 0" in outcome.err


def test_the_folder_of_a_running_sweep_is_left_alone(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, TWO)
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=tmp_path, text=True, **PIPES) as holder:
        assert holder.stdout.readline() == "held\n"
        outcome = run_verb("latency", experiment, cwd=tmp_path)
        holder.communicate("\n")
    assert outcome.code == 2
    assert str(holder.pid) in outcome.err
