import json
from pathlib import Path

import pytest
import torch

import msanet_bench.session.run
from experiments import write_experiment
from msanet_bench.checks import CheckedPlan, check_plan, load_experiment
from msanet_bench.measure.device import CpuDevice
from msanet_bench.measure.samples import Session, read_session
from msanet_bench.session.files import ABOUT, SAMPLES, is_measured
from msanet_bench.session.networks import networks_of
from msanet_bench.session.run import Place, measure_latency, session_digest
from msanet_bench.session.table import summarise
from msanet_bench.spec import MeasureSpec
from msanet_bench.train.seed import flags_restored
from replay import ended

SPEC = MeasureSpec(latency_rounds=4, latency_batches=(1, 2))
SHORT = MeasureSpec(latency_rounds=1)


@pytest.fixture
def plan(tmp_path: Path) -> CheckedPlan:
    return check_plan(load_experiment(write_experiment(tmp_path)), tmp_path)


def digest(plan: CheckedPlan, spec: MeasureSpec = SPEC, *, threads: int = 1, code: str = "c") -> str:
    return session_digest(spec, plan, threads=threads, code=code)


def measure(plan: CheckedPlan, folder: Path, spec: MeasureSpec = SPEC, *, threads: int = 1) -> Session:
    networks = networks_of(plan)
    return ended(measure_latency(spec, networks, folder, threads=threads, identity=digest(plan, spec)))


def test_every_variant_is_visited_once_a_round_at_every_batch(plan: CheckedPlan, tmp_path: Path) -> None:
    visits = [s for s in measure(plan, tmp_path).samples if s.counts]
    names = [(variant.name, "variant") for variant in plan.variants[1:]]
    names += [("baseline", "anchor"), ("baseline", "twin"), (plan.variants[-1].name, "twin")]
    expected = {(batch, number, *who) for batch in (1, 2) for number in range(4) for who in names}
    found = [(s.condition.batch, s.visit.round, s.contender.variant, s.contender.role) for s in visits]
    assert sorted(found) == sorted(expected)
    assert {(s.condition.device, s.condition.threads) for s in visits} == {("cpu", 1)}


def test_what_is_written_is_what_was_measured(plan: CheckedPlan, tmp_path: Path) -> None:
    session = measure(plan, tmp_path)
    assert read_session(tmp_path / SAMPLES) == session
    assert is_measured(tmp_path, digest(plan))
    about = json.loads((tmp_path / ABOUT).read_text(encoding="utf-8"))
    assert [row["batch"] for row in about["conditions"]] == [1, 2]
    assert about["conditions"][0]["flags"]["backends.cudnn.allow_tf32"] is False
    assert about["torch"] == torch.__version__


def test_every_mode_precision_and_cache_has_its_rows_or_its_reason(plan: CheckedPlan, tmp_path: Path) -> None:
    spec = MeasureSpec(
        latency_rounds=2,
        latency_modes=("eager", "fused", "cuda_graph"),
        latency_precisions=("fp32_strict", "tf32", "amp_bf16"),
        latency_caches=("warm", "cold"),
    )
    cpu = CpuDevice()
    cpu._ballast = torch.empty(1)  # whatever is flushed, the rows are the same
    measured = measure_latency(
        spec, networks_of(plan), tmp_path, threads=1, identity="d", on=[Place(cpu, torch.device("cpu"))]
    )
    rows = [row for row in summarise(ended(measured)) if row.device == "cpu"]
    assert len(rows) == 3 * 2 * (3 * 3 + 2)
    for row in rows:
        if row.precision == "tf32":
            assert row.status == "not measured (tf32 is a format of CUDA devices)"
        elif row.mode == "cuda_graph":
            assert row.status == "not measured (cuda_graph is a mode of CUDA devices)"
        else:
            assert row.n == 2
        assert (row.latency_s is None) == (row.n == 0)


def test_the_threads_of_the_process_are_what_they_were(plan: CheckedPlan, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    session = measure(plan, tmp_path, SHORT, threads=before + 1)
    assert {sample.condition.threads for sample in session.samples} == {before + 1}
    assert torch.get_num_threads() == before


def test_a_session_is_kept_as_long_as_everything_it_depends_on_is_the_same(
    plan: CheckedPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = digest(plan)
    assert digest(plan) == kept
    assert digest(plan, SPEC.model_copy(update={"latency_rounds": 5})) != kept
    assert digest(plan, SPEC.model_copy(update={"latency_modes": ("fused",)})) != kept
    assert digest(plan, threads=2) != kept
    assert digest(plan, code="d") != kept
    text = write_experiment(tmp_path).read_text(encoding="utf-8").replace("width: 0.125", "width: 0.25")
    assert digest(check_plan(load_experiment(write_experiment(tmp_path, text)), tmp_path)) != kept
    monkeypatch.setattr(msanet_bench.session.run, "environment", lambda: {"cpu": "another machine"})
    assert digest(plan) != kept


def test_flags_of_the_process_are_what_they_were(plan: CheckedPlan, tmp_path: Path) -> None:
    with flags_restored():
        torch.use_deterministic_algorithms(mode=True)
        torch.backends.cudnn.benchmark = False
        measure(plan, tmp_path, SHORT)
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.benchmark
