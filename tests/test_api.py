import subprocess
import sys
from pathlib import Path

import pytest
import torch

import msanet_bench as mb
from experiments import write_experiment
from msanet_bench.errors import BenchError


def test_the_articles_network_has_the_published_number_of_parameters() -> None:
    model = mb.msanet(num_classes=1000)
    assert sum(parameter.numel() for parameter in model.parameters()) == 15_426_928


def test_slots_change_as_they_do_in_yaml() -> None:
    changes = {"width": 0.25, "attention": "none", "branches": {"dilated": {"dilation": 3}, "conv5": "off"}}
    model = mb.msanet(num_classes=7, in_channels=1, stem="small", **changes)
    branches = model.stages[0].blocks[0].multi_scale.branches
    assert list(branches) == ["conv3", "dilated", "context"]
    assert branches["dilated"].conv.dilation == (3, 3)
    assert model(torch.zeros(2, 1, 16, 16)).shape == (2, 7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"atention": "none"}, "Did you mean 'attention'"),
        ({"attention": "eka"}, "unknown attention entry `eka`"),
        ({"branches": {"conv9": "off"}}, "there is no branch `conv9`"),
        ({"attention": {"reduction": 0}}, "`reduction`"),
    ],
)
def test_a_wrong_change_is_one_clear_message(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        mb.msanet(**changes)


def test_macs_are_exact_or_refused() -> None:
    # 3x3 convolution with padding on 8x8: 8 * 8 positions, 3 * 3 taps, 2 inputs, 4 outputs
    assert mb.macs(torch.nn.Conv2d(2, 4, 3, padding=1), (2, 8, 8)) == 8 * 8 * 9 * 2 * 4

    class Cumulative(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.linalg.matrix_exp(x)

    with pytest.raises(BenchError, match="incomplete"):
        mb.macs(Cumulative(), (2, 8, 8))


def test_a_sweep_is_a_generator_of_records_in_plan_order(tmp_path: Path) -> None:
    experiment = mb.load_experiment(write_experiment(tmp_path, seeds="seeds: 1"))
    records = list(mb.run(experiment, tmp_path / "results", workers=1))
    assert [record.variant for record in records] == ["baseline", "attention=none", "attention=se"]
    table = mb.read_results(tmp_path / "results")
    assert list(table["attention"]) == ["self_attention", "none", "se"]


def test_a_plugin_file_needs_to_be_found_by_the_workers_too(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text("", encoding="utf-8")
    text = write_experiment(tmp_path).read_text(encoding="utf-8") + "plugins: [lab.py]\n"
    experiment = mb.load_experiment(write_experiment(tmp_path, text))
    with pytest.raises(BenchError, match="give `plugin_folder`"):
        next(iter(mb.run(experiment, tmp_path / "results")))


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, msanet_bench; print([m for m in ('torch', 'optuna', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_resolves_and_no_other_does() -> None:
    assert all(getattr(mb, name) is not None for name in mb.__all__)
    assert set(mb.__all__) <= set(dir(mb))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mb.nonsense
