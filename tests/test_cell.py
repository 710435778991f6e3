import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

import msanet_bench.cell.ready
import msanet_bench.cell.run
from experiments import TINY, write_experiment
from msanet_bench.cell import Job, run_cell
from msanet_bench.checks import check_plan, load_experiment
from msanet_bench.data import load
from msanet_bench.plan import baseline_settings
from msanet_bench.source_digest import code_digest, cost_digest
from msanet_bench.train.evaluate import Evaluation
from msanet_bench.units import Measure


def _job(folder: Path, **changes: str) -> Job:
    settings = baseline_settings(load_experiment(write_experiment(folder, **changes)))
    return Job(
        key="0" * 16,
        variant="baseline",
        factors={"attention": "self_attention"},
        settings=settings,
        seed=0,
        data_digest=load(settings.data, folder).digest,
        code="c" * 16,
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


DRAWS = """
import torch
from torch import nn
from msanet_bench.model.slots import ATTENTION
from msanet_bench.source_digest import code_digest, cost_digest

@ATTENTION.register("drawing_buffer")
class DrawingBuffer(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1, 1))
        self.register_buffer("noise", torch.randn(channels, 1, 1))

    def forward(self, x):
        return x * self.gain + self.noise
"""


def test_what_ran_before_in_a_worker_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "draws.py").write_text(DRAWS, encoding="utf-8")
    text = write_experiment(tmp_path).read_text(encoding="utf-8") + "plugins: [draws.py]\n"
    text = text.replace("depth: [1]}", "depth: [1], attention: drawing_buffer}")
    settings = baseline_settings(load_experiment(write_experiment(tmp_path, text)))
    job = dataclasses.replace(_job(tmp_path), settings=settings)
    first = run_cell(job).record
    assert first.status == "ok", first.reason
    run_cell(dataclasses.replace(_job(tmp_path), seed=7))
    assert run_cell(job).record == first


def test_a_defect_becomes_a_record_and_its_trace_stays_in_the_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(msanet_bench.cell.ready, "start", break_down)
    attempt = run_cell(_job(tmp_path))
    assert (attempt.record.status, attempt.record.reason) == ("failed", "KeyError: 'planted'")
    assert "break_down" in attempt.traceback
    assert attempt.record.measures == {}


def test_a_cell_that_finds_no_memory_on_the_host_is_an_oom_and_not_a_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_too_much(*_: object, **__: object) -> None:
        torch.empty(10**15, dtype=torch.uint8)

    monkeypatch.setattr(msanet_bench.cell.ready, "start", take_too_much)
    attempt = run_cell(_job(tmp_path))
    assert attempt.record.status == "oom"
    assert "DefaultCPUAllocator: can't allocate memory" in attempt.record.reason
    assert "take_too_much" in attempt.traceback


def test_data_that_changed_since_the_plan_are_not_stored_under_the_old_key(tmp_path: Path) -> None:
    attempt = run_cell(dataclasses.replace(_job(tmp_path), data_digest="d" * 16))
    assert attempt.record.status == "failed"
    assert "the data have changed since the sweep began" in attempt.record.reason


def test_a_measure_that_is_not_finite_is_a_diverged_cell_and_not_a_broken_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = msanet_bench.cell.run.evaluate

    def overflow(*arguments: Any) -> Evaluation:
        tested = sound(*arguments)
        loss = dataclasses.replace(tested.measures["loss"], value=math.nan)
        return tested._replace(measures={**tested.measures, "loss": loss})

    monkeypatch.setattr(msanet_bench.cell.run, "evaluate", overflow)
    record = run_cell(_job(tmp_path)).record
    assert (record.status, record.reason) == ("diverged", "the test's loss is nan")


def test_the_code_digest_changes_with_the_code_and_the_plugins_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("cell", "data", "model", "train", "measure", "profile"):
        (tmp_path / part).mkdir()
    names = ("__init__.py", "cell/run.py", "spec.py", "streams.py", "model/build.py", "report.py", "lab.py")
    for name in names:
        (tmp_path / name).write_text("1\n")
    monkeypatch.setattr(msanet_bench, "__file__", str(tmp_path / "__init__.py"))

    def digest(*plugins: str) -> str:
        return code_digest(plugins, tmp_path)

    plain, plugged = digest(), digest("lab.py")
    assert plain != plugged
    (tmp_path / "report.py").write_text("2\n")
    assert (digest(), digest("lab.py")) == (plain, plugged)
    (tmp_path / "lab.py").write_text("2\n")
    assert digest() == plain
    assert digest("lab.py") != plugged
    counted = cost_digest((), tmp_path)
    (tmp_path / "measure" / "macs.py").write_text("2\n")
    assert digest() == plain
    assert cost_digest((), tmp_path) != counted
    (tmp_path / "model" / "build.py").write_text("2\n")
    assert digest() != plain


def test_norms_and_activations_are_factors_from_the_plan_to_the_record(tmp_path: Path) -> None:
    levels = "  norm: [batch, group, none]\n  activation: [relu, gelu]\n"
    text = TINY.replace("  attention: [self_attention, none, se]\n", levels)
    plan = check_plan(load_experiment(write_experiment(tmp_path, text)), tmp_path)
    assert [v.name for v in plan.variants] == ["baseline", "norm=group", "norm=none", "activation=gelu"]
    job, records = _job(tmp_path), []
    for variant in plan.variants:
        records.append(run_cell(dataclasses.replace(job, settings=variant.settings)).record)
        assert records[-1].status == "ok", records[-1].reason
    curves = {json.dumps([epoch["train_loss"] for epoch in record.curve]) for record in records}
    assert len(curves) == len(records)
