from pathlib import Path

import pytest
import torch

import msanet_bench.measure.latency_table
import msanet_bench.session
from experiments import write_experiment
from msanet_bench.checks import CheckedPlan, check_plan, load_experiment
from msanet_bench.measure.samples import read_samples
from msanet_bench.session import forget_latency, is_measured, measure_latency, session_digest
from msanet_bench.spec import MeasureSpec
from msanet_bench.train.seed import flags_restored

SPEC = MeasureSpec(latency_rounds=4, latency_batches=(1, 2))


@pytest.fixture
def plan(tmp_path: Path) -> CheckedPlan:
    return check_plan(load_experiment(write_experiment(tmp_path)), tmp_path)


def _session(plan: CheckedPlan, spec: MeasureSpec = SPEC, *, threads: int = 1, code: str = "c") -> str:
    return session_digest(spec, plan, threads=threads, code=code)


def _measure(plan: CheckedPlan, folder: Path, *, threads: int = 1) -> None:
    measure_latency(SPEC, plan, folder, threads=threads, session=_session(plan))


def test_every_variant_is_visited_once_a_round_at_every_batch(plan: CheckedPlan, tmp_path: Path) -> None:
    _measure(plan, tmp_path)
    visits = [s for s in read_samples(tmp_path / "samples.parquet") if s.phase == "measure"]
    names = [variant.name for variant in plan.variants]
    expected = {(b, r, name) for b in (1, 2) for r in range(4) for name in names}
    assert {(s.batch, s.round, s.variant) for s in visits} == expected
    assert len(visits) == len(expected)
    assert {(s.device, s.threads) for s in visits} == {("cpu", 1)}


def test_the_threads_of_the_process_are_what_they_were(plan: CheckedPlan, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    _measure(plan, tmp_path, threads=before + 1)
    assert torch.get_num_threads() == before


def test_a_session_is_kept_as_long_as_everything_it_depends_on_is_the_same(
    plan: CheckedPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_measured(tmp_path, _session(plan))
    _measure(plan, tmp_path)
    assert is_measured(tmp_path, _session(plan))
    assert not is_measured(tmp_path, _session(plan, SPEC.model_copy(update={"latency_rounds": 5})))
    assert not is_measured(tmp_path, _session(plan, threads=2))
    assert not is_measured(tmp_path, _session(plan, code="d"))
    text = write_experiment(tmp_path).read_text(encoding="utf-8").replace("width: 0.125", "width: 0.25")
    wider = check_plan(load_experiment(write_experiment(tmp_path, text)), tmp_path)
    assert not is_measured(tmp_path, _session(wider))
    monkeypatch.setattr(msanet_bench.session, "environment", lambda: {"cpu": "another machine"})
    assert not is_measured(tmp_path, _session(plan))


def test_half_a_session_counts_as_none(
    plan: CheckedPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between its two files, in whatever order they are written."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    _measure(plan, tmp_path)
    forget_latency(tmp_path)
    monkeypatch.setattr(msanet_bench.measure.latency_table, "write_samples", die)
    with pytest.raises(KeyboardInterrupt):
        _measure(plan, tmp_path)
    assert not is_measured(tmp_path, _session(plan))


def test_flags_of_the_process_are_what_they_were(plan: CheckedPlan, tmp_path: Path) -> None:
    with flags_restored():
        torch.use_deterministic_algorithms(mode=True)
        torch.backends.cudnn.benchmark = False
        _measure(plan, tmp_path)
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.benchmark
