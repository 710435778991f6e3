"""Networks of other families: against the numbers that their authors publish, and against themselves."""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import torch
import torchvision
from torch import Tensor, nn

from catalogs import own_catalog
from msanet_bench import plugins
from msanet_bench.checks import build_variant, check_plan, load_experiment
from msanet_bench.errors import BenchError, BlockError, SpecError
from msanet_bench.measure.macs import count
from msanet_bench.measure.params import outermost_part, params, take_inventory
from msanet_bench.measure.receptive_field import effective_field, theoretical_field
from msanet_bench.model.build import build, start
from msanet_bench.model.families import MODELS
from msanet_bench.model.fused import fuse
from msanet_bench.parse import parse_experiment
from msanet_bench.plan import cell_key, enumerate_variants
from msanet_bench.source_digest import code_digest
from msanet_bench.spec import BlockSpec, Experiment, ModelSpec, digest
from sweeps import contents, sweep

TORCHVISION = ("resnet18", "mobilenet_v3_small", "efficientnet_b0", "convnext_tiny", "vit_b_16")

FACTORY = """
from torch import nn

def make(in_channels, num_classes, *, width: int = 4):
    return nn.Sequential(nn.Conv2d(in_channels, width, 3), nn.BatchNorm2d(width), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_classes))

def sized(in_channels, num_classes, size):
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * size[0] * size[1], num_classes))

def untyped(in_channels, num_classes, *, width=4): ...

def no_module(in_channels, num_classes):
    return 3

def three_classes(in_channels, num_classes):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(in_channels, 3))
"""

BASE = """
delta: 1 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data: {dataset: fake, options: {classes: 4, channels: 1, size: 8, images: 48, test_images: 24}, validation: 0}
train: {epochs: 1, batch_size: 16}
seeds: 1
"""


@pytest.fixture(autouse=True)
def _forget_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_loaded", {})


def model(name: str, **options: object) -> ModelSpec:
    return ModelSpec(model=BlockSpec(block=name, options=options))


def parsed(text: str) -> Experiment:
    return parse_experiment(f"{BASE}{dedent(text)}", source="x.yaml", name="x", catalog=own_catalog())


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as raised:
        parsed(text)
    return [f"{problem.path}: {problem.message}" for problem in raised.value.problems]


def written(folder: Path, variants: str) -> Path:
    (folder / "nets.py").write_text(FACTORY, encoding="utf-8")
    path = folder / "x.yaml"
    path.write_text(f"{BASE}design: list\nvariants: {variants}\n", encoding="utf-8")
    return path


# against published numbers


@pytest.mark.parametrize("name", TORCHVISION)
def test_parameters_and_macs_are_those_that_torchvision_publishes(name: str) -> None:
    published = next(iter(torchvision.models.get_model_weights(name))).meta
    network = build(model(name), num_classes=1000)
    counts = count(network, (3, 224, 224), part=outermost_part)
    assert params(network) == published["num_params"]
    # in units of 1e9 and rounded to three places
    assert counts.macs.total / 1e9 == pytest.approx(published["_ops"], abs=0.000501)
    assert counts.macs.is_exact, counts.macs.status
    assert counts.macs.sources == ("fvcore", "FlopCounterMode")
    assert sum(counts.macs.by_part.values()) == counts.macs.total
    assert set(counts.macs.by_part) <= {child for child, _ in network.named_children()}


@pytest.mark.parametrize(
    ("name", "millions", "giga_macs"),
    # param_count and infer_gmacs of timm's results/benchmark-infer-fp32-nchw-pt240-cpu-i7_12700h-dynamo.csv
    [("ghostnet_100", 5.18, 0.15), ("mobilenetv3_small_050", 1.59, 0.03)],
)
def test_parameters_and_what_fvcore_counts_are_those_that_timm_publishes(
    name: str, millions: float, giga_macs: float
) -> None:
    pytest.importorskip("timm")
    network = build(model(f"timm:{name}"), num_classes=1000)
    macs = count(network, (3, 224, 224), part=outermost_part).macs
    assert macs.is_exact, macs.status
    assert macs.flops_fvcore_stock is not None
    assert (round(params(network) / 1e6, 2), round(macs.flops_fvcore_stock / 1e9, 2)) == (millions, giga_macs)
    # fvcore's number as it comes holds the norms, ours does not
    assert 0.9 * macs.flops_fvcore_stock < macs.total < macs.flops_fvcore_stock


def test_a_transformers_fused_attention_is_counted_as_by_hand() -> None:
    pytest.importorskip("timm")
    network = build(model("timm:vit_tiny_patch16_224"), num_classes=1000)
    tokens, width = 197, 192
    # queries, keys, values, projection, a perceptron of four times the width; scores, and weights by values
    block = tokens * width * (3 * width + width + 8 * width) + 2 * tokens**2 * width
    by_hand = 196 * (3 * 16 * 16) * width + 12 * block + width * 1000
    macs = count(network, (3, 224, 224), part=outermost_part).macs
    assert (macs.total, macs.is_exact) == (by_hand, True)


def test_the_parts_of_an_inventory_are_the_outermost_modules() -> None:
    held = take_inventory(build(model("resnet18"), num_classes=10), outermost_part)
    # 512 inputs and a bias for each of 10 classes
    assert held.params_by_part["fc"] == 513 * 10
    assert set(held.by_part) == {"conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc"}


@pytest.mark.parametrize(
    ("name", "side"),
    # By hand. ResNet-18: kernels of 7 and 3 give 11 at a jump of 4; then 4 x 8, 8 + 3 x 16, 16 + 3 x 32 and
    # 32 + 3 x 64 for its four stages. ConvNeXt-T: a stem of 4; then 3, 3, 9, 3 kernels of 7 at jumps of 4, 8,
    # 16, 32 with a kernel of 2 before each but the first: 72 + 4 + 144 + 8 + 864 + 16 + 576.
    [("resnet18", 435), ("convnext_tiny", 1688)],
)
def test_the_receptive_field_is_that_of_the_sizes_of_the_windows(name: str, side: int) -> None:
    field = theoretical_field(build(model(name), num_classes=10), (3, 224, 224), behind="avgpool")
    assert (field.height, field.width, field.status) == (side, side, "exact")


def test_a_network_whose_head_takes_no_map_has_a_reason_in_place_of_a_field() -> None:
    layers = {"conv": nn.Conv2d(3, 4, 3), "flat": nn.Flatten(), "head": nn.Linear(4 * 6 * 6, 3)}
    network = nn.Sequential(OrderedDict(layers))
    assert theoretical_field(network, (3, 8, 8)).status == "not known (`head` takes no map)"
    assert effective_field(network, (3, 8, 8)).status == "not measured (`head` takes no map)"


# what the data ask for


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("name", TORCHVISION[:4])
def test_images_of_other_channels_have_a_first_layer_of_their_own(name: str, channels: int) -> None:
    network, usual = (build(model(name), num_classes=10, in_channels=c) for c in (channels, 3))
    assert network.eval()(torch.zeros(2, channels, 32, 32)).shape == (2, 10)
    first = next(m for m in usual.modules() if isinstance(m, nn.Conv2d))
    kernel = first.out_channels * first.kernel_size[0] * first.kernel_size[1]
    assert params(network) - params(usual) == (channels - 3) * kernel


def test_the_transformer_has_a_position_for_every_patch_of_the_data() -> None:
    with torch.device("meta"):
        network = build(model("vit_b_16", patch=8), num_classes=10, in_channels=1, size=(32, 32))
    # 4 x 4 patches and the class token
    assert network.get_submodule("encoder").get_parameter("pos_embedding").shape == (1, 17, 768)
    with pytest.raises(BlockError, match="squares of patches"):
        build(model("vit_b_16"), num_classes=10, size=(28, 28))


@pytest.mark.parametrize(
    ("name", "size", "way_out"), [("vit_b_16", 28, "32 x 32"), ("convnext_tiny", 28, "32 x 32")]
)
def test_images_that_are_too_small_are_refused_with_the_smallest_size_that_works(
    tmp_path: Path, name: str, size: int, way_out: str
) -> None:
    path = written(tmp_path, f"[{{model: {name}, data.resize: {size}}}]")
    with pytest.raises(
        BenchError, match=f"variant `model={name}.*larger size that it takes is {way_out}: set `data.resize"
    ):
        check_plan(load_experiment(path), tmp_path)
    assert check_plan(load_experiment(written(tmp_path, f"[{{model: {name}, data.resize: 32}}]")), tmp_path)


# starts


@pytest.mark.parametrize("name", ["resnet18", "timm:test_vit"])
def test_a_seed_gives_the_same_start_bit_by_bit_and_another_seed_another(name: str) -> None:
    if name.startswith("timm"):
        pytest.importorskip("timm")
    state = torch.get_rng_state()
    first, again, other = (
        start(model(name), seed, num_classes=10, size=(32, 32)).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(value, again[key]) for key, value in first.items())
    assert any(not torch.equal(value, other[key]) for key, value in first.items())
    assert torch.equal(torch.get_rng_state(), state)


def test_the_start_is_the_constructors_own() -> None:
    network = start(model("resnet18"), 0, num_classes=10)
    weight = network.get_parameter("layer1.0.conv1.weight")
    # He's normal start by the fan out, 64 filters of 3 x 3; torch's own for a convolution has a third of this
    assert weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)


def test_the_transformers_outputs_are_those_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast path of attention in evaluation, which no counter sees, is what is counted."""
    network = start(model("vit_b_16"), 0, num_classes=3, size=(32, 32)).eval()
    nn.init.normal_(network.get_submodule("heads").get_parameter("head.weight"), std=0.02)
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        fast = network(images)
        monkeypatch.setattr(torch.backends.mha, "_is_fastpath_enabled", False)
        assert torch.allclose(fast, network(images), atol=1e-4)


def test_a_fused_network_has_no_norm_left_and_the_same_outputs() -> None:
    network = start(model("resnet18"), 0, num_classes=10).eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    fused = fuse(network, images)
    assert not [m for m in fused.modules() if isinstance(m, nn.BatchNorm2d)]
    assert torch.allclose(fused(images), network(images), atol=1e-4)


# anybody's factory


def test_a_factory_beside_the_file_is_a_plugin_whose_arguments_are_options(tmp_path: Path) -> None:
    path = written(tmp_path, '[{model: "./nets.py:make"}, {model: {block: "./nets.py:make", width: 8}}]')
    experiment = load_experiment(path)
    assert experiment.plugins == ("./nets.py",)
    plan = check_plan(experiment, tmp_path)
    narrow, wide = (params(build_variant(v, plan.shapes[v.name])) for v in plan.variants[1:])
    # a 3 x 3 filter with bias, a norm's pair and 4 classes for each of `width` channels, and 4 biases
    assert (narrow, wide) == (4 * (10 + 2 + 4) + 4, 8 * (10 + 2 + 4) + 4)


def test_two_sweeps_of_a_factory_give_the_same_records_whose_code_is_its_too(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, '[{model: "./nets.py:make"}]')
    for results in ("one", "two"):
        sweep(path, tmp_path / results)
    first, second = (contents(tmp_path / results)["records.jsonl"] for results in ("one", "two"))
    assert first == second
    assert first.count(b'"status":"ok"') == 2
    before = code_digest(("./nets.py",), tmp_path)
    (tmp_path / "nets.py").write_text(f"{FACTORY}\n", encoding="utf-8")
    assert code_digest(("./nets.py",), tmp_path) != before


def test_a_factory_that_takes_a_size_is_given_the_datas(tmp_path: Path) -> None:
    plan = check_plan(load_experiment(written(tmp_path, '[{model: "./nets.py:sized"}]')), tmp_path)
    variant = plan.variants[1]
    assert params(build_variant(variant, plan.shapes[variant.name])) == 8 * 8 * 4 + 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "has no factory `nothing`"),
        ("untyped", "the option `width` of the model `./nets.py:untyped` needs a type and a default"),
    ],
)
def test_a_factory_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(SpecError, match=rf"x\.yaml:8: variants\[0\]\.model: .*{message}"):
        load_experiment(written(tmp_path, f'[{{model: "./nets.py:{name}"}}]'))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_module", "must give a torch.nn.Module, but gave int"),
        ("three_classes", r"must give logits of shape \(2, 4\) for two images, but gave \(2, 3\)"),
    ],
)
def test_a_factory_that_gives_something_else_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(BenchError, match=f"variant `model=./nets.py:{name}`: model: .*{message}"):
        check_plan(load_experiment(written(tmp_path, f'[{{model: "./nets.py:{name}"}}]')), tmp_path)


def test_a_module_that_no_experiment_has_named_is_not_reached() -> None:
    with pytest.raises(BlockError, match="`os` of the model `os:system` is not loaded"):
        build(model("os:system"), num_classes=3)


def test_timm_is_asked_for_its_own_names_alone() -> None:
    pytest.importorskip("timm")
    for name in ("hf-hub:anybody/anything", "hf_hub:anybody/anything"):
        assert next(MODELS.problems(f"timm:{name}", {})).message.startswith("timm has no model")


# rules


def test_slots_beside_another_model_are_an_error_that_names_both() -> None:
    assert problems("design: list\nvariants: [{attention: none, model: resnet18}]") == [
        (
            "variants[0].attention: only `model: msanet` has `attention`, but the model is 'resnet18' here."
            " Remove one of them."
        )
    ]
    assert problems("design: list\nvariants: [{model: resnet18, branches.conv5.kernel: 7}]")
    assert parsed("design: list\nvariants: [{model: resnet18}, {attention: none}]")


def test_a_baseline_of_another_family_has_no_slots() -> None:
    text = BASE.replace("{stem: small, width: 0.125, depth: [1]}", "{model: resnet18, width: 0.5}")
    with pytest.raises(SpecError, match=r"baseline\.width: only `model: msanet` has `width`"):
        parse_experiment(
            f"{text}\ndesign: list\nvariants: [{{model: msanet}}]",
            source="x",
            name="x",
            catalog=own_catalog(),
        )


def test_factors_of_slots_beside_the_factor_model_say_when() -> None:
    levels = "[self_attention, none]"
    assert problems(f"factors: {{model: [msanet, resnet18], attention: {levels}}}") == [
        (
            "factors.attention: only `model: msanet` has it, and `model` is varied too; say so: "
            "`{levels: [...], when: {model: msanet}}`."
        )
    ]
    whole = f"{{model: [msanet, resnet18], attention: {{levels: {levels}, when: {{model: msanet}}}}}}"
    variants = enumerate_variants(parsed(f"factors: {whole}"), own_catalog())
    assert {variant.name: dict(variant.factors) for variant in variants} == {
        "baseline": {"model": "msanet", "attention": "self_attention"},
        "attention=none": {"model": "msanet", "attention": "none"},
        "model=resnet18": {"model": "resnet18"},
    }


def test_what_leaves_the_model_alone_has_the_key_that_it_had_before_there_was_one() -> None:
    assert "model" not in ModelSpec().model_dump(mode="json")
    assert digest(ModelSpec()) == digest(ModelSpec(model=BlockSpec(block="msanet")))
    assert "model" in model("resnet18").model_dump(mode="json")


def test_the_key_of_another_family_hangs_on_its_options_and_not_on_msanets_slots() -> None:
    def keys(variants: str) -> Iterator[str]:
        for variant in enumerate_variants(parsed(f"design: list\nvariants: {variants}"), own_catalog())[1:]:
            yield cell_key(variant.settings, 0, "d", own_catalog())

    plain, dropout = keys("[{model: mobilenet_v3_small}, {model: {block: mobilenet_v3_small, dropout: 0.5}}]")
    assert plain != dropout
    wide = BASE.replace("width: 0.125", "width: 1.0")
    text = f"{wide}\ndesign: list\nvariants: [{{model: mobilenet_v3_small}}]"
    other = parse_experiment(text, source="x", name="x", catalog=own_catalog())
    variant = enumerate_variants(other, own_catalog())[1]
    assert cell_key(variant.settings, 0, "d", own_catalog()) == plain


def test_a_planted_forward_that_no_counter_knows_makes_the_count_incomplete() -> None:
    class Planted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, 4))

        def forward(self, x_NCHW: Tensor) -> Tensor:
            return torch.einsum("nc,ck->nk", x_NCHW.mean(dim=(2, 3)), self.weight)

    assert not count(Planted(), (3, 8, 8), part=outermost_part).macs.is_exact
