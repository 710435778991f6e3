"""Designs against enumeration by hand, and keys against what they must and must not depend on."""

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import pytest

from catalogs import own_catalog
from msanet_bench.overlay import Settings, changed
from msanet_bench.parse import parse_experiment
from msanet_bench.plan import Variant, cell_key, enumerate_variants, level_name, plan_cells, resolved
from msanet_bench.spec import DataSpec, Experiment

CATALOG = own_catalog()
SETTINGS = Settings()


def experiment(text: str) -> Experiment:
    return parse_experiment(f"delta: 1 pp\n{dedent(text)}", source="x.yaml", name="x", catalog=CATALOG)


def variants(text: str) -> list[Variant]:
    return enumerate_variants(experiment(text), CATALOG)


def names(text: str) -> list[str]:
    return [variant.name for variant in variants(text)]


def factors(text: str) -> list[Mapping[str, Any]]:
    return [variant.factors for variant in variants(text)]


def test_factorial_is_every_combination_with_the_baseline_first() -> None:
    text = "factors: {attention: [none, self_attention], branches.conv3: [on, off]}"
    assert names(text) == [
        "baseline",
        "attention=none",
        "attention=none,branches.conv3=off",
        "branches.conv3=off",
    ]
    assert factors(text) == [
        {"attention": "self_attention", "branches.conv3": "on"},
        {"attention": "none", "branches.conv3": "on"},
        {"attention": "none", "branches.conv3": "off"},
        {"attention": "self_attention", "branches.conv3": "off"},
    ]


DILATION = """
factors:
  branches.dilated: [on, off]
  branches.dilated.dilation: {levels: [2, 3], when: {branches.dilated: on}}
"""


def test_a_factor_with_when_varies_only_where_it_applies() -> None:
    assert names(DILATION) == ["baseline", "branches.dilated.dilation=3", "branches.dilated=off"]
    assert factors(DILATION) == [
        {"branches.dilated": "on", "branches.dilated.dilation": "2"},
        {"branches.dilated": "on", "branches.dilated.dilation": "3"},
        {"branches.dilated": "off"},
    ]


def test_a_factor_that_hangs_on_one_that_does_not_apply_does_not_apply() -> None:
    text = """
        factors:
          attention: [none, self_attention]
          attention.reduction: {levels: [8, 4], when: {attention: self_attention}}
          train.epochs: {levels: [10, 20], when: {attention.reduction: 4}}
        """
    assert names(text) == [
        "baseline",
        "attention=none",
        "attention.reduction=4",
        "attention.reduction=4,train.epochs=20",
    ]
    assert factors(text) == [
        {"attention": "self_attention", "attention.reduction": "8"},
        {"attention": "none"},
        {"attention": "self_attention", "attention.reduction": "4", "train.epochs": "10"},
        {"attention": "self_attention", "attention.reduction": "4", "train.epochs": "20"},
    ]


def test_one_at_a_time_changes_one_factor_of_the_baseline() -> None:
    text = "design: one_at_a_time\nfactors: {attention: [self_attention, none, se], width: [0.5, 0.25]}"
    assert names(text) == ["baseline", "attention=none", "attention=se", "width=0.5", "width=0.25"]
    assert factors(text)[0] == {"attention": "self_attention", "width": "1.0"}
    assert factors(text)[3] == {"attention": "self_attention", "width": "0.5"}


def test_leave_one_out_takes_each_out_of_the_whole() -> None:
    text = f"design: leave_one_out{DILATION}  attention: [self_attention, none]"
    assert names(text) == [
        "baseline",
        "branches.dilated=off",
        "branches.dilated.dilation=3",
        "attention=none",
    ]
    assert factors(text)[1] == {"branches.dilated": "off", "attention": "self_attention"}


def test_add_one_in_adds_each_to_nothing_and_keeps_the_whole() -> None:
    text = """
        design: add_one_in
        factors: {branches.conv3: [on, off], branches.conv5: [on, off], attention: [self_attention, none]}
        """
    assert names(text) == [
        "baseline",
        "branches.conv3=off,branches.conv5=off,attention=none",
        "branches.conv5=off,attention=none",
        "branches.conv3=off,attention=none",
        "branches.conv3=off,branches.conv5=off",
    ]


def test_a_list_is_the_baseline_and_what_it_names() -> None:
    text = """
        design: list
        variants:
          - {attention: {block: se, reduction: 8}, train.epochs: 20}
          - {attention_stages: [1, 3], train.clip_norm: 0.5}
          - {replicate: 1}
        """
    assert names(text) == [
        "baseline",
        "attention=se(reduction=8),train.epochs=20",
        "attention_stages=1+3,train.clip_norm=0.5",
        "replicate=1",
    ]
    assert factors(text)[:2] == [{}, {"attention": "se(reduction=8)", "train.epochs": "20"}]


def test_a_baseline_of_its_own_is_the_level_it_equals() -> None:
    text = """
        baseline: {attention: {reduction: 4}, width: 0.5}
        factors: {attention: [none, self_attention], attention_stages: [[1, 2, 3], [1]], width: [0.50, 1]}
        """
    assert names(text)[0] == "baseline"
    assert len(names(text)) == 8
    assert factors(text)[0] == {"attention": "self_attention", "attention_stages": "1+2+3", "width": "0.5"}
    seen = {tuple(levels.items()) for levels in factors(text)}
    assert len(seen) == 8


def test_a_default_that_is_not_written_has_the_level_that_is_written() -> None:
    assert factors("factors: {head.dropout: [0.5, 0.1]}") == [
        {"head.dropout": "0.5"},
        {"head.dropout": "0.1"},
    ]
    assert factors("design: one_at_a_time\nfactors: {head.dropout: [0.2, 0.1]}")[0] == {"head.dropout": "0.5"}


def test_a_level_that_changes_nothing_is_not_in_the_name() -> None:
    text = """
        design: list
        variants:
          - {branches.conv5: {kernel: 7}, branches.conv5.kernel: 7, attention.reduction: 8}
        """
    assert names(text) == ["baseline", "branches.conv5.kernel=7"]


def test_replicates_are_twins_with_keys_of_their_own() -> None:
    twins = variants("factors: {replicate: [0, 1]}")
    assert [variant.name for variant in twins] == ["baseline", "replicate=1"]
    assert twins[0].settings.model == twins[1].settings.model
    assert len({key(variant.settings) for variant in twins}) == 2


def test_cells_come_seed_by_seed() -> None:
    made = variants("factors: {attention: [self_attention, none]}")
    cells = plan_cells(made, (3, 5), CATALOG, lambda data: f"digest of {data.dataset}")
    assert [(cell.seed, cell.variant.name) for cell in cells] == [
        (3, "baseline"),
        (3, "attention=none"),
        (5, "baseline"),
        (5, "attention=none"),
    ]
    assert cells[0].key == cell_key(made[0].settings, 3, "digest of digits", CATALOG)
    assert len({cell.key for cell in cells}) == 4


def key(settings: Settings, seed: int = 0, data_digest: str = "d") -> str:
    return cell_key(settings, seed, data_digest, CATALOG)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("attention", {"block": "self_attention", "reduction": 8, "scaled": False}),
        # options that came after published results, at their defaults
        ("attention", {"block": "self_attention", "heads": 1, "pool": 1, "pooling": "max"}),
        ("attention.heads", 1),
        ("head.dropout", 0.5),
        ("branches.conv3", {"block": "conv", "kernel": 3, "dilation": 1}),
        ("width", 1),
        ("attention_stages", [3, 2, 1]),
        ("train.lr", 1e-4),
    ],
)
def test_the_key_is_the_same_where_only_the_writing_differs(path: str, value: object) -> None:
    assert key(changed(SETTINGS, path, value)) == key(SETTINGS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("attention.reduction", 4),
        ("attention.heads", 2),
        ("attention.pool", 2),
        ("attention.pooling", "average"),
        ("branches.conv3", "off"),
        ("branches.conv3", None),
        ("branch_width", "shared"),
        ("train.epochs", 11),
        ("train.deterministic", False),
        ("data.validation", 0.2),
        ("replicate", 1),
    ],
)
def test_the_key_differs_where_the_numbers_may(path: str, value: object) -> None:
    assert key(changed(SETTINGS, path, value)) != key(SETTINGS)


def test_the_key_depends_on_the_seed_and_on_the_data_themselves() -> None:
    assert len({key(SETTINGS), key(SETTINGS, seed=1), key(SETTINGS, data_digest="e")}) == 3


def test_the_key_depends_on_the_order_in_which_branches_are_joined() -> None:
    branches = dict(SETTINGS.model.branches)
    turned = SETTINGS.model.model_copy(update={"branches": dict(reversed(branches.items()))})
    other = SETTINGS.model_copy(update={"model": turned})
    assert turned.branches == branches
    assert key(other) != key(SETTINGS)


def test_an_option_of_a_branch_that_is_off_is_not_in_the_key() -> None:
    off = changed(SETTINGS, "branches.dilated", "off")
    assert key(changed(off, "branches.dilated.dilation", 3)) == key(off)
    assert resolved(off, CATALOG)["model"]["branches"]["dilated"] == "off"


def test_names_questions_delta_and_measurement_are_not_in_the_key() -> None:
    plain = "factors: {attention: [self_attention, none]}"
    dressed = f"name: other\nquestion: Why?\nmeasure: {{latency_rounds: 1}}\nseeds: 9\n{plain}"
    other = parse_experiment(f"delta: 2 pp\n{dressed}", source="x", name="x", catalog=CATALOG)
    keys = [[key(v.settings) for v in enumerate_variants(e, CATALOG)] for e in (experiment(plain), other)]
    assert keys[0] == keys[1]


def test_images_are_in_the_key_by_their_digest_and_not_by_how_they_were_found() -> None:
    found = SETTINGS.model_copy(update={"data": DataSpec(dataset="fashion_mnist")})
    fetched = changed(found, "data.options.download", value=True)
    assert key(found) == key(fetched)
    assert key(found) != key(found, data_digest="e")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (True, "on"),
        ("off", "off"),
        (None, "none"),
        (3, "3"),
        (0.001, "0.001"),
        ([1, 3], "1+3"),
        ([], "none"),
        ({"block": "eca", "gamma": 3}, "eca(gamma=3)"),
        ({"block": "eca"}, "eca"),
        ({"reduction": 4, "scaled": True}, "(reduction=4,scaled=on)"),
    ],
)
def test_levels_have_short_names(value: object, name: str) -> None:
    assert level_name(value) == name
