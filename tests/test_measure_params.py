import pytest
from torch import nn

from msanet_bench.measure.params import params, params_by_part, part_of


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("stem.conv.weight", "stem"),
        ("stages.0.downsample.0.weight", "downsample"),
        ("stages.0.blocks.1.multi_scale.branches.conv3.conv.weight", "branches.conv3"),
        ("stages.2.blocks.0.multi_scale.branches.my_own", "branches.my_own"),
        ("stages.0.blocks.1.multi_scale.fusion.conv.bias", "fusion"),
        ("stages.0.blocks.1.attention.query.weight", "attention"),
        ("head.classify.bias", "head"),
        ("gamma", "other"),
        ("", "other"),
    ],
)
def test_a_dotted_name_tells_the_part(name: str, part: str) -> None:
    assert part_of(name) == part


def test_a_block_may_call_its_layers_like_other_parts() -> None:
    assert part_of("stages.0.blocks.0.attention.head.weight") == "attention"
    assert part_of("stages.0.blocks.0.multi_scale.branches.stem.head.weight") == "branches.stem"


def small_network() -> nn.Module:
    network = nn.Module()
    network.stem = nn.Conv2d(3, 4, 3)  # 3 * 4 * 9 + 4 = 112
    network.norm = nn.BatchNorm2d(4)  # 8, and running statistics, which are buffers
    network.head = nn.Linear(4, 2, bias=False)  # 8
    network.head.weight.requires_grad_(requires_grad=False)
    return network


def test_frozen_parameters_count_and_buffers_do_not() -> None:
    assert params(small_network()) == 112 + 8 + 8
    assert params_by_part(small_network()) == {"stem": 112, "other": 8, "head": 8}


def test_shared_parameters_count_once_where_they_are_met_first() -> None:
    network = small_network()
    network.attention = nn.Linear(4, 2, bias=False)
    network.attention.weight = network.head.weight
    assert params(network) == 128
    assert "attention" not in params_by_part(network)


def test_parts_add_up_whatever_the_division() -> None:
    parts = params_by_part(small_network(), lambda name: name[-4:])
    assert parts == {"ight": 108 + 4 + 8, "bias": 4 + 4}
    assert sum(parts.values()) == params(small_network())
