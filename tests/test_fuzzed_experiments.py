"""Any experiment file becomes an experiment or a list of problems, never a traceback."""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs import own_catalog
from msanet_bench.errors import SpecError
from msanet_bench.parse import parse_experiment
from msanet_bench.plan import baseline_settings, cell_key, enumerate_variants

CATALOG = own_catalog()

VALID = """
name: fuzzed
question: What breaks?
delta: 0.5 pp
baseline:
  stem: small
  width: 0.25
  depth: [1, 1, 1]
  attention_stages: [1, 2]
  attention: {block: self_attention, reduction: 4}
  branches:
    conv5: off
    wide: {block: depthwise, kernel: 7, on: true}
data: {dataset: fake, options: {classes: 3, size: 16}, validation: 0.2, augment: [flip, shift]}
train: {epochs: 2, lr: 1e-3, checkpoint: best_val}
measure: {latency_rounds: 5, latency_batches: [1, 8]}
design: factorial
factors:
  branches.dilated: [on, off]
  branches.dilated.dilation: {levels: [2, 3], when: {branches.dilated: on}}
  attention: [self_attention, {block: se, reduction: 8}, none]
  train.lr: [1e-3, 1e-4]
  data.options.size: [16, 32]
seeds: [3, 5]
constraints: [params <= 2M]
plugins: []
"""

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([-1, 0, 1, 10**30, 2**63, 0.5, 1e300, float("nan"), float("inf")]),
    st.sampled_from(
        ["", "on", "off", "none", "conv", "factorial", "list", "one_at_a_time", "1 pp", "x.y", "."]
    ),
    st.sampled_from(["attention", "branches.conv3.kernel", "data.options.seed", "train.epochs", "replicate"]),
    st.text(max_size=5),
    st.lists(st.one_of(st.integers(), st.text(max_size=3), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.lists(st.integers())), max_size=2),
    st.sampled_from(
        [
            [[1]],
            {"block": "se"},
            {"block": None},
            {"on": 3},
            {"levels": [1, 2], "when": {"attention": "se"}},
            {"attention": ["se", "eca"]},
            [{"attention": "se"}, {"width": 0.5}],
        ]
    ),
)


def judged(text: str) -> bool:
    """Whether a file is in order; anything but a list of problems is a defect of the program."""
    try:
        experiment = parse_experiment(text, source="fuzzed.yaml", name="fuzzed", catalog=CATALOG)
    except SpecError as error:
        return not error.problems
    for variant in enumerate_variants(experiment, CATALOG):
        cell_key(variant.settings, experiment.seeds[0], "digest", CATALOG)
    cell_key(baseline_settings(experiment), 0, "digest", CATALOG)
    return True


def spots(tree: Any) -> list[tuple[Any, Any]]:
    """Every place of a tree that can be changed, as its container and its key there."""
    if not isinstance(tree, dict | list):
        return []
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    return [(tree, key) for key in keys] + [spot for key in keys for spot in spots(tree[key])]


@st.composite
def broken_trees(draw: st.DrawFn) -> str:
    tree = copy.deepcopy(yaml.safe_load(VALID))
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        container, key = draw(st.sampled_from(spots(tree) or [({0: 0}, 0)]))
        change = draw(st.sampled_from(["replace", "remove", "rename"]))
        if change == "replace":
            container[key] = copy.deepcopy(draw(JUNK))
        elif change == "rename" and isinstance(container, dict):
            container[draw(st.text(max_size=6))] = container.pop(key)
        else:
            del container[key]
    return yaml.safe_dump(tree, allow_unicode=True)


@st.composite
def broken_texts(draw: st.DrawFn) -> str:
    start = draw(st.integers(min_value=0, max_value=len(VALID)))
    length = draw(st.integers(min_value=0, max_value=40))
    return (
        VALID[:start]
        + draw(st.text(alphabet="[]{}:,-&*!|>'\"#%@` \n\tab0.~?<", max_size=4))
        + VALID[start + length :]
    )


FUZZ = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def test_the_file_that_is_broken_below_is_in_order() -> None:
    assert judged(VALID)


def test_a_defect_of_the_program_is_not_taken_for_a_problem_of_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("msanet_bench.parse.factor_problems", lambda *_: {}["planted"])
    with pytest.raises(KeyError):
        judged(VALID)


@FUZZ
@given(broken_trees())
def test_no_change_of_a_value_makes_a_traceback(text: str) -> None:
    judged(text)


@FUZZ
@given(broken_texts())
def test_no_change_of_the_text_makes_a_traceback(text: str) -> None:
    judged(text)
