import pytest
import torch
from torch import nn

from msanet_bench.measure.params import Holdings, Size, dtype_of, params, part_of, take_inventory
from msanet_bench.model.attention.self_attention import SelfAttention
from msanet_bench.model.build import build
from msanet_bench.spec import ModelSpec


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("stem.conv", "stem"),
        ("stages.0.downsample.0", "downsample"),
        ("stages.0.blocks.1.multi_scale.branches.conv3.conv", "branches.conv3"),
        ("stages.2.blocks.0.multi_scale.branches.my_own", "branches.my_own"),
        ("stages.0.blocks.1.multi_scale.fusion.conv", "fusion"),
        ("stages.0.blocks.1.attention", "attention"),
        ("stages.0.blocks.1.attention.query", "attention.query"),
        ("stages.0.blocks.1.attention.gate.conv", "attention.gate"),
        ("head.classify", "head"),
        ("norm", "other"),
        ("", "other"),
    ],
)
def test_a_dotted_name_tells_the_part(name: str, part: str) -> None:
    assert part_of(name) == part


def test_a_block_may_call_its_layers_like_other_parts() -> None:
    assert part_of("stages.0.blocks.0.attention.head") == "attention.head"
    assert part_of("stages.0.blocks.0.multi_scale.branches.stem.head") == "branches.stem"


def small_network() -> nn.Module:
    network = nn.Module()
    network.stem = nn.Conv2d(3, 4, 3)  # 3 * 4 * 9 + 4 = 112
    network.norm = nn.BatchNorm2d(4)  # 8, and running statistics, which are buffers
    network.head = nn.Linear(4, 2, bias=False)  # 8
    network.head.weight.requires_grad_(requires_grad=False)
    return network


def test_a_parameter_belongs_to_the_part_of_its_module() -> None:
    network = nn.Module()
    network.attention = SelfAttention(16)  # query and key 16 -> 2, value 16 -> 16, each with bias, and gamma
    assert take_inventory(network).params_by_part == {
        "attention": 1,
        "attention.query": 34,
        "attention.key": 34,
        "attention.value": 272,
    }


def test_frozen_parameters_count_and_buffers_do_not() -> None:
    assert params(small_network()) == 112 + 8 + 8
    assert take_inventory(small_network()).params_by_part == {"stem": 112, "other": 8, "head": 8}


def test_shared_parameters_count_once_where_they_are_met_first() -> None:
    network = small_network()
    network.attention = nn.Linear(4, 2, bias=False)
    network.attention.weight = network.head.weight
    assert params(network) == 128
    assert "attention" not in take_inventory(network).params_by_part


def test_parts_add_up_whatever_the_division() -> None:
    parts = take_inventory(small_network(), lambda name: name[1]).params_by_part
    assert parts == {"t": 112, "o": 8, "e": 8}
    assert sum(parts.values()) == params(small_network())


def test_an_inventory_keeps_trainable_frozen_and_buffers_apart() -> None:
    network = small_network()
    network.head.half()
    inventory = take_inventory(network)
    # the norm has 4 means, 4 variances, and one count of 8 bytes
    assert inventory.by_part == {
        "stem": Holdings(trainable=Size(112, 448), frozen=Size(0, 0), buffers=Size(0, 0)),
        "other": Holdings(trainable=Size(8, 32), frozen=Size(0, 0), buffers=Size(9, 40)),
        "head": Holdings(trainable=Size(0, 0), frozen=Size(8, 16), buffers=Size(0, 0)),
    }
    assert inventory.total == Holdings(Size(120, 480), Size(8, 16), Size(9, 40))
    assert inventory.total.parameters == Size(128, 496)


def test_an_inventory_takes_shared_tensors_once() -> None:
    network = small_network()
    network.attention = nn.Linear(4, 2, bias=False)
    network.attention.weight = network.head.weight
    network.attention.norm = network.norm
    assert take_inventory(network) == take_inventory(small_network())


def test_a_part_with_buffers_alone_has_no_parameters() -> None:
    network = small_network()
    network.attention = nn.BatchNorm2d(3, affine=False)  # 3 means, 3 variances and a count of 8 bytes
    inventory = take_inventory(network)
    assert inventory.by_part["attention"] == Holdings(Size(0, 0), Size(0, 0), Size(7, 32))
    assert "attention" not in inventory.params_by_part
    assert inventory.total.bytes == take_inventory(small_network()).total.bytes + 32


def test_an_inventory_holds_what_torch_counts() -> None:
    model = build(ModelSpec(width=0.125), num_classes=10)
    inventory = take_inventory(model)
    assert inventory.params == sum(parameter.numel() for parameter in model.parameters())
    # the state dict is all that is kept
    kept = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    assert inventory.total.bytes == kept


def test_images_have_the_type_of_the_parameters() -> None:
    assert dtype_of(small_network().double()) == torch.float64
    network = nn.Module()
    network.counts = nn.Parameter(torch.zeros(2, dtype=torch.int64), requires_grad=False)
    assert dtype_of(network) == torch.float32
