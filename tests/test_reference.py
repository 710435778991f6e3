"""The reference pages are those that the code gives, and leave nothing out."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from msanet_bench.checks import catalog
from msanet_bench.cli import VERBS
from msanet_bench.constraint import Constraint
from msanet_bench.errors import SpecError
from msanet_bench.parse import parse_experiment
from msanet_bench.yaml_document import read_yaml
from reference import PAGES
from reference.experiment import SECTIONS
from reference.experiment_words import EXAMPLES, WORDS
from reference.words import described, meanings, shown, type_words

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
# keys that stand for others, or that exclude each other
APART = {"": {"variants", "search", "tune", "plugins"}, "factors": {"range"}, "tune": {"paths"}}


def test_the_pages_are_up_to_date(check_golden: Callable[[Path, Mapping[str, str]], None]) -> None:
    check_golden(FOLDER, {name: made() for name, made in PAGES.items()})


def test_every_verb_and_every_option_of_it_is_there() -> None:
    page = PAGES["verbs.md"]()
    for verb in VERBS:
        assert f"\n## {verb.__name__}\n" in page
    assert "`--shard`" in page
    assert "Environment variable `MSANET_BENCH_DATA`" in page


def test_every_registered_name_and_option_is_there() -> None:
    page = PAGES["blocks.md"]()
    for registry in catalog().values():
        for name in registry:
            assert f"| `{name}` |" in page
            for option in registry.options(name):
                assert f"| `{option}` | `{name}` |" in page


def test_the_costs_are_those_that_one_works_out_by_hand() -> None:
    # squeeze and excitation: 64 -> 4 -> 64 with biases, at one position
    assert "parameters | MACs" in PAGES["blocks.md"]()
    row = next(line for line in PAGES["blocks.md"]().splitlines() if line.startswith("| `se` "))
    assert row.endswith(f"| {64 * 4 + 4 + 4 * 64 + 64} | {2 * 64 * 4} |")
    # a 5x5 is no default; `conv` is 3x3 from 64 to 16 channels, with a bias and a batch norm
    row = next(line for line in PAGES["blocks.md"]().splitlines() if line.startswith("| `conv` "))
    assert row.endswith(f"| {64 * 16 * 9 + 16 + 2 * 16:,} | {14 * 14 * 64 * 16 * 9:,} |")


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_of_a_section_is_in_its_example(name: str) -> None:
    tree = read_yaml(EXAMPLES[name]).tree
    section = {"": tree, "pruner": tree.get("search", {}).get("pruner")}.get(name, tree.get(name))
    if name == "factors":
        section = {key for level in section.values() if isinstance(level, dict) for key in level}
    if name == "pruner":
        assert set(section) <= set(SECTIONS[name].model_fields)
        return
    assert set(SECTIONS[name].model_fields) - APART.get(name, set()) - set(section) == set()


@pytest.mark.parametrize("name", SECTIONS)
def test_every_example_is_read(name: str) -> None:
    tree = read_yaml(EXAMPLES[name]).tree
    rest = {"delta": "delta: 1 pp", "factors": "factors: {branches.conv3: [on, off]}"}
    if name in {"factors", "search", "pruner"}:
        rest["design"] = "design: random"
    text = "\n".join([EXAMPLES[name], *(line for key, line in rest.items() if key not in tree)])
    experiment = parse_experiment(text, source="x.yaml", name="x", catalog=catalog())
    assert experiment.factors


@pytest.mark.parametrize("limit", re.findall("`([^`]+)`", WORDS[""]["constraints"]))
def test_every_limit_of_the_page_is_one(limit: str) -> None:
    assert str(Constraint.parse(limit))


def test_an_example_with_a_wrong_key_is_noticed() -> None:
    text = (
        EXAMPLES["measure"].replace("latency_caches", "latency_cache")
        + "delta: 1 pp\nfactors: {width: [1, 2]}\n"
    )
    with pytest.raises(SpecError, match="latency_cache"):
        parse_experiment(text, source="x.yaml", name="x", catalog=catalog())


@pytest.mark.parametrize(
    ("others", "complaint"),
    [
        ({}, "beta is not explained"),
        ({"beta": "B.", "alpha": "A."}, "alpha is explained twice"),
        ({"beta": "B.", "gamma": "C."}, "there is no gamma"),
    ],
)
def test_a_column_without_words_or_words_without_a_column_are_noticed(
    others: Mapping[str, str], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        meanings(["alpha", "beta"], {"alpha": "A."}, others)


def test_docstrings_are_read_by_their_attributes() -> None:
    class Entry:
        """One line.

        Attributes:
            first: Of two lines,
                this is the second.
            second: With `code`: and a colon.

        Raises:
            nothing: at all.
        """

    assert described(Entry) == {
        "first": "Of two lines, this is the second.",
        "second": "With `code`: and a colon.",
    }


def test_types_and_defaults_are_words() -> None:
    assert type_words({"anyOf": [{"type": "integer", "minimum": 4}, {"type": "null"}]}) == (
        "integer, at least 4 or nothing (`~`)"
    )
    assert type_words({"type": "array", "items": {"enum": ["a", "b"]}}) == "list of `a`, `b`"
    assert [shown(value) for value in (None, True, (1, 2), 1e-4, "")] == [
        "`~`",
        "`true`",
        "`[1, 2]`",
        "`0.0001`",
        '`""`',
    ]
