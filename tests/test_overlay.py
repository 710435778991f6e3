"""How a path changes a run: each kind of path, each form of a value, and what neither can be."""

from typing import Any

import pytest

from msanet_bench.overlay import PathError, Settings, changed, is_option, same_part
from msanet_bench.spec import BlockSpec, BranchSpec, ModelSpec, TrainSpec

BASE = Settings()


def model_with(path: str, value: object, base: Settings = BASE) -> ModelSpec:
    return changed(base, path, value).model


def test_a_path_changes_one_thing_and_leaves_the_settings_as_they_were() -> None:
    after = changed(BASE, "train.epochs", 3)
    assert after == Settings(train=TrainSpec(epochs=3))
    assert Settings() == BASE


@pytest.mark.parametrize(
    ("path", "value", "block"),
    [
        ("attention", "se", BlockSpec(block="se")),
        ("attention", {"reduction": 4}, BlockSpec(block="self_attention", options={"reduction": 4})),
        ("attention", {"block": "se", "reduction": 4}, BlockSpec(block="se", options={"reduction": 4})),
        ("attention.reduction", 4, BlockSpec(block="self_attention", options={"reduction": 4})),
        ("stem", "small", BlockSpec(block="small")),
        ("head.dropout", 0.1, BlockSpec(block="mlp", options={"dropout": 0.1})),
        ("fusion", {"block": "sum"}, BlockSpec(block="sum")),
    ],
)
def test_a_slot_takes_a_name_or_options_or_both(path: str, value: object, block: BlockSpec) -> None:
    assert getattr(model_with(path, value), same_part(path)) == block


def test_the_name_of_the_block_in_place_keeps_its_options_and_block_in_a_mapping_drops_them() -> None:
    base = changed(BASE, "attention", {"reduction": 4})
    assert model_with("attention", "self_attention", base).attention.options == {"reduction": 4}
    assert model_with("attention", {"scaled": True}, base).attention.options == {
        "reduction": 4,
        "scaled": True,
    }
    assert model_with("attention", {"block": "self_attention"}, base).attention.options == {}


@pytest.mark.parametrize(
    ("value", "branch"),
    [
        ("off", BranchSpec(block="conv", options={"kernel": 5}, on=False)),
        (False, BranchSpec(block="conv", options={"kernel": 5}, on=False)),
        ("on", BranchSpec(block="conv", options={"kernel": 5})),
        ("conv", BranchSpec(block="conv", options={"kernel": 5})),
        ("max_pool", BranchSpec(block="max_pool")),
        ({"dilation": 2}, BranchSpec(block="conv", options={"kernel": 5, "dilation": 2})),
        ({"block": "depthwise", "on": "off"}, BranchSpec(block="depthwise", on=False)),
    ],
)
def test_a_branch_is_switched_changed_or_replaced(value: object, branch: BranchSpec) -> None:
    model = model_with("branches.conv5", value)
    assert model.branches["conv5"] == branch
    assert list(model.branches) == ["conv3", "conv5", "dilated", "context"]


def test_a_branch_is_removed_by_null_and_a_new_one_comes_last() -> None:
    assert list(model_with("branches.conv5", None).branches) == ["conv3", "dilated", "context"]
    assert list(model_with("branches.seven", {"block": "conv", "kernel": 7}).branches) == [
        "conv3",
        "conv5",
        "dilated",
        "context",
        "seven",
    ]


def test_an_option_of_a_branch_that_is_off_leaves_it_off() -> None:
    off = changed(BASE, "branches.dilated", "off")
    branch = model_with("branches.dilated.dilation", 3, off).branches["dilated"]
    assert branch == BranchSpec(block="conv", options={"kernel": 3, "dilation": 3}, on=False)


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("width", 0.5, lambda s: s.model.width == 0.5),
        ("depth", [1, 2], lambda s: s.model.depth == (1, 2)),
        ("attention_stages", [], lambda s: s.model.attention_stages == ()),
        ("same_size_stages", [1], lambda s: s.model.same_size_stages == (1,)),
        ("branch_width", "shared", lambda s: s.model.branch_width == "shared"),
        ("train.clip_norm", None, lambda s: s.train.clip_norm is None),
        ("data.augment", ["flip"], lambda s: s.data.augment == ("flip",)),
        ("data.options.size", 16, lambda s: s.data.options == {"size": 16}),
        ("data.options", {"sizes": [1, 2]}, lambda s: s.data.options == {"sizes": (1, 2)}),
        ("replicate", 2, lambda s: s.replicate == 2),
    ],
)
def test_sizes_training_data_and_replicate_are_paths_too(path: str, value: object, read: Any) -> None:
    assert read(changed(BASE, path, value))


def test_data_options_are_added_to_those_that_stand() -> None:
    after = changed(changed(BASE, "data.options.size", 16), "data.options.classes", 3)
    assert after.data.options == {"size": 16, "classes": 3}


NOWHERE = "this path points nowhere."


@pytest.mark.parametrize(
    ("path", "value", "start", "inside"),
    [
        ("colour", 1, NOWHERE, ()),
        ("train", {"epochs": 3}, NOWHERE, ()),
        ("branches", "off", NOWHERE, ()),
        ("width.x", 1, NOWHERE, ()),
        ("attention.reduction.x", 1, "this path points nowhere: an option of a block has no parts.", ()),
        ("branches.conv4", "off", "there is no branch `conv4`. Did you mean 'conv5'?", ()),
        ("branches.conv4.kernel", 3, "there is no branch `conv4`. Did you mean 'conv5'?", ()),
        ("train.epoch", 3, "unknown key. Did you mean 'epochs'? Known: auto, batch_size, ", ()),
        ("train.epochs", "3", "must be a whole number, but got '3'.", ()),
        ("depth", [1, 0], "must be at least 1, but got 0.", (1,)),
        ("attention", 3, "must be the name of a block or a mapping of its options, but got 3.", ()),
        ("attention", {"block": 3}, "must be the name of a block, but got 3.", ("block",)),
        ("branches.conv3", {"on": 3}, "must be on or off, but got 3.", ("on",)),
        ("branches.conv3", 3, "must be the name of a block or a mapping of its options, but got 3.", ()),
        ("data.options", 3, "must be a mapping, but got 3.", ()),
        ("replicate", -1, "must be at least 0, but got -1.", ()),
        ("width", float("nan"), "must be finite, but got nan.", ()),
    ],
)
def test_a_path_or_value_that_does_not_fit_says_why_and_where_inside(
    path: str, value: object, start: str, inside: tuple[str | int, ...]
) -> None:
    with pytest.raises(PathError) as caught:
        changed(BASE, path, value)
    assert str(caught.value).startswith(start)
    assert caught.value.inside == inside


@pytest.mark.parametrize(
    ("path", "part", "option"),
    [
        ("attention", "attention", False),
        ("attention.reduction", "attention", True),
        ("branches.dilated", "branches.dilated", False),
        ("branches.dilated.dilation", "branches.dilated", True),
        ("train.lr", "train", False),
        ("data.options.size", "data", False),
        ("width", "width", False),
    ],
)
def test_a_path_belongs_to_a_part_and_may_set_an_option_of_it(path: str, part: str, *, option: bool) -> None:
    assert (same_part(path), is_option(path)) == (part, option)
