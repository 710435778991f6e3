"""What right files become; broken ones are in test_bad_experiments."""

from pathlib import Path

import pytest

from catalogs import own_catalog
from experiments import COMMITTED
from msanet_bench.factor_spec import Factor
from msanet_bench.parse import parse_experiment
from msanet_bench.plan import enumerate_variants
from msanet_bench.spec import BranchSpec, Experiment, ModelSpec

CATALOG = own_catalog()


def experiment(text: str) -> Experiment:
    return parse_experiment(f"delta: 1 pp\n{text}", source="x.yaml", name="stem", catalog=CATALOG)


ATTENTION = "factors: {attention: [self_attention, none]}\n"


def test_a_short_file_is_the_article_with_three_seeds() -> None:
    short = experiment(ATTENTION)
    assert (short.name, short.seeds, short.design) == ("stem", (0, 1, 2), "factorial")
    assert short.baseline == ModelSpec()
    assert short.factors == {"attention": Factor(levels=("self_attention", "none"))}


def test_the_name_in_the_file_wins() -> None:
    assert experiment(f"name: given\n{ATTENTION}").name == "given"


@pytest.mark.parametrize(
    ("text", "seeds"), [("4", (0, 1, 2, 3)), ("[7, 3]", (7, 3)), ("0x2", (0, 1)), ("1", (0,))]
)
def test_a_number_of_seeds_counts_from_zero_and_a_list_names_them(text: str, seeds: tuple[int, ...]) -> None:
    assert experiment(f"seeds: {text}\n{ATTENTION}").seeds == seeds


def test_the_baseline_is_the_article_with_changes() -> None:
    model = experiment(
        "baseline:\n"
        "  stem: small\n"
        "  attention: {reduction: 4}\n"
        "  branches: {conv3: off, conv5: ~, context: max_pool, extra: {block: conv, kernel: 7, on: false}}\n"
        "  depth: [1, 1, 1]\n" + ATTENTION
    ).baseline
    assert (model.stem.block, model.attention.options, model.depth) == ("small", {"reduction": 4}, (1, 1, 1))
    assert model.branches == {
        "conv3": BranchSpec(block="conv", options={"kernel": 3}, on=False),
        "dilated": BranchSpec(block="conv", options={"kernel": 3, "dilation": 2}),
        "context": BranchSpec(block="max_pool"),
        "extra": BranchSpec(block="conv", options={"kernel": 7}, on=False),
    }
    assert list(model.branches) == ["conv3", "dilated", "context", "extra"]


def test_numbers_may_be_written_as_people_write_them() -> None:
    train = experiment(f"train: {{lr: 1e-3, epochs: 010, clip_norm: 1}}\n{ATTENTION}").train
    assert (train.lr, train.epochs, train.clip_norm) == (0.001, 10, 1.0)


def test_sections_without_a_value_keep_their_defaults() -> None:
    text = "train:\ndata:\nmeasure:\nbaseline:\nconstraints:\nplugins:\n"
    assert experiment(text + ATTENTION) == experiment(ATTENTION)


def test_constraints_are_read_with_their_suffixes() -> None:
    limits = experiment(f"constraints: [params <= 2M, macs >= 1.5k]\n{ATTENTION}").constraints
    assert list(map(str, limits)) == ["params <= 2000000", "macs >= 1500"]


def test_data_options_and_levels_that_are_lists_are_kept() -> None:
    read = experiment(
        "data: {dataset: fake, options: {size: 16}}\n"
        "factors: {data.options.size: [16, 8], depth: [[1, 1, 1], [2, 2, 2]]}"
    )
    assert read.data.options == {"size": 16}
    assert read.factors["depth"].levels == ([1, 1, 1], [2, 2, 2])


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_experiment_of_the_repository_is_planned(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    read = parse_experiment(text, source=str(path), name=path.stem, catalog=CATALOG)
    made = enumerate_variants(read, CATALOG)
    assert made[0].name == "baseline"
    assert len({variant.name for variant in made}) == len(made) > 1
    assert read.question
    assert f"Command: msanet-bench sweep experiments/{path.name}" in text
    assert "# Cost: " in text


def test_the_ablation_is_every_combination_of_branches_and_attention() -> None:
    path = next(path for path in COMMITTED if path.stem == "ablation")
    read = parse_experiment(path.read_text(encoding="utf-8"), source="x", name="x", catalog=CATALOG)
    assert (len(enumerate_variants(read, CATALOG)), len(read.seeds)) == (2**5, 3)
