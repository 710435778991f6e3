from pathlib import Path

import pytest
import torch

from experiments import write_experiment
from msanet_bench.checks import CheckedPlan, check_plan, load_experiment
from msanet_bench.measure.samples import read_samples
from msanet_bench.session import is_measured, measure_latency
from msanet_bench.spec import MeasureSpec

SPEC = MeasureSpec(latency_rounds=4, latency_batches=(1, 2))


@pytest.fixture
def plan(tmp_path: Path) -> CheckedPlan:
    return check_plan(load_experiment(write_experiment(tmp_path)), tmp_path)


def test_every_variant_is_visited_once_a_round_at_every_batch(plan: CheckedPlan, tmp_path: Path) -> None:
    measure_latency(SPEC, plan, tmp_path, threads=1)
    visits = [s for s in read_samples(tmp_path / "samples.parquet") if s.phase == "measure"]
    names = [variant.name for variant in plan.variants]
    expected = {(b, r, name) for b in (1, 2) for r in range(4) for name in names}
    assert {(s.batch, s.round, s.variant) for s in visits} == expected
    assert len(visits) == len(expected)
    assert {(s.device, s.threads) for s in visits} == {("cpu", 1)}


def test_the_threads_of_the_process_are_what_they_were(plan: CheckedPlan, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    measure_latency(SPEC, plan, tmp_path, threads=before + 1)
    assert torch.get_num_threads() == before


def test_a_session_is_kept_as_long_as_networks_and_settings_are_the_same(
    plan: CheckedPlan, tmp_path: Path
) -> None:
    assert not is_measured(SPEC, plan, tmp_path)
    measure_latency(SPEC, plan, tmp_path, threads=1)
    assert is_measured(SPEC, plan, tmp_path)
    assert not is_measured(SPEC.model_copy(update={"latency_rounds": 5}), plan, tmp_path)
    text = write_experiment(tmp_path).read_text(encoding="utf-8").replace("width: 0.125", "width: 0.25")
    wider = check_plan(load_experiment(write_experiment(tmp_path, text)), tmp_path)
    assert not is_measured(SPEC, wider, tmp_path)
    (tmp_path / "latency.csv").unlink()
    assert not is_measured(SPEC, plan, tmp_path)
