import dataclasses
from pathlib import Path

import pytest

import msanet_bench.cell
from experiments import write_experiment
from msanet_bench.cell import Job, code_digest, run_cell
from msanet_bench.checks import load_experiment
from msanet_bench.plan import baseline_settings
from msanet_bench.units import Measure


def _job(folder: Path, **changes: str) -> Job:
    settings = baseline_settings(load_experiment(write_experiment(folder, **changes)))
    return Job(
        key="0" * 16,
        variant="baseline",
        factors={"attention": "self_attention"},
        settings=settings,
        seed=0,
        data_digest="d" * 16,
        costs={"params": Measure(1, "count", "lower")},
        data_root=folder,
        plugins=(),
        plugin_folder=folder,
        device="cpu",
        threads=1,
    )


def test_a_cell_run_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = run_cell(_job(tmp_path)), run_cell(_job(tmp_path))
    assert first.record.status == "ok", first.traceback
    assert first.record == second.record
    assert first.train_seconds is not None
    assert first.seconds >= first.train_seconds


@pytest.mark.parametrize("field", ["seed", "replicate"])
def test_another_seed_or_replicate_gives_other_numbers(tmp_path: Path, field: str) -> None:
    job = _job(tmp_path)
    if field == "seed":
        other = dataclasses.replace(job, seed=1)
    else:
        other = dataclasses.replace(job, settings=job.settings.model_copy(update={"replicate": 1}))
    assert run_cell(job).record.curve != run_cell(other).record.curve


def test_augmentation_changes_the_training_and_nothing_else(tmp_path: Path) -> None:
    plain = run_cell(_job(tmp_path)).record
    job = _job(tmp_path)
    data = job.settings.data.model_copy(update={"augment": ("flip", "shift", "erase")})
    job = dataclasses.replace(job, settings=job.settings.model_copy(update={"data": data}))
    augmented = run_cell(job).record
    assert augmented.status == "ok", augmented.reason
    assert augmented.curve != plain.curve


def test_the_checkpoint_rule_says_which_epoch_was_tested(tmp_path: Path) -> None:
    job = _job(tmp_path)
    train = job.settings.train.model_copy(update={"checkpoint": "best_val", "epochs": 4})
    data = job.settings.data.model_copy(update={"validation": 0.25})
    settings = job.settings.model_copy(update={"train": train, "data": data})
    record = run_cell(dataclasses.replace(job, settings=settings)).record
    accuracies = [epoch["validation_accuracy"] for epoch in record.curve]
    assert record.provenance["chosen_epoch"] == 1 + accuracies.index(max(accuracies))


def test_a_defect_becomes_a_record_and_its_trace_stays_in_the_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(msanet_bench.cell, "build", break_down)
    attempt = run_cell(_job(tmp_path))
    assert (attempt.record.status, attempt.record.reason) == ("failed", "KeyError: 'planted'")
    assert "break_down" in attempt.traceback
    assert attempt.record.measures == {}


def test_the_code_digest_changes_with_the_code_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("data", "model", "train"):
        (tmp_path / part).mkdir()
    for name in ("__init__.py", "cell.py", "spec.py", "streams.py", "model/build.py", "report.py"):
        (tmp_path / name).write_text("1\n")
    monkeypatch.setattr(msanet_bench, "__file__", str(tmp_path / "__init__.py"))

    def digest() -> str:
        code_digest.cache_clear()
        return code_digest()

    before = digest()
    (tmp_path / "report.py").write_text("2\n")
    assert digest() == before
    (tmp_path / "model" / "build.py").write_text("2\n")
    assert digest() != before
    code_digest.cache_clear()
