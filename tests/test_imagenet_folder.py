"""The experiment for ImageNet: what it asks for, and a small copy of it on made photos."""

from pathlib import Path

from msanet_bench.cell import Job, run_cell
from msanet_bench.checks import CheckedPlan, check_plan, load_experiment
from msanet_bench.plan import Variant
from photos import IMAGENET, write_small_copy

TOLD = "image_folder: 1 of 29 images cannot be decoded and are left out (1 of train): train/dark/cut.jpg."


def _job(folder: Path, plan: CheckedPlan, variant: Variant) -> Job:
    return Job(
        key="0" * 16,
        variant=variant.name,
        factors=variant.factors,
        settings=variant.settings,
        seed=0,
        data_digest=plan.data_digest(variant.settings.data),
        code="c" * 16,
        costs={},
        data_root=folder / "data",
        plugins=(),
        plugin_folder=folder,
        device="cpu",
        threads=1,
    )


def test_it_is_the_articles_network_at_full_size() -> None:
    experiment = load_experiment(IMAGENET)
    model = experiment.baseline
    assert (model.stem.block, model.width, model.depth) == ("imagenet", 1.0, (2, 3, 3))
    assert experiment.data.options["size"] == 224
    assert "Never run by the maintainers" in IMAGENET.read_text()


def test_a_small_copy_is_planned_with_what_was_left_out_and_trains(tmp_path: Path) -> None:
    """The baseline and two others; `make test-cluster` sweeps all."""
    path = write_small_copy(tmp_path)
    plan = check_plan(load_experiment(path), tmp_path / "data")
    assert len(plan.variants) == 7
    assert plan.notes[0] == TOLD
    assert plan.shapes["baseline"].image == (3, 32, 32)
    for variant in plan.variants[::3]:
        attempt = run_cell(_job(tmp_path, plan, variant))
        assert attempt.record.status == "ok", attempt.traceback
        assert attempt.record.test_images == 8
