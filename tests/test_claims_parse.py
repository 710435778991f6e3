"""Files of claims that break rules: each one is named with its line, all at once, and without a traceback."""

import copy
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from claim_rows import row, write_rows
from msanet_bench.claims.parse import Claims, load_claims, parse_claims
from msanet_bench.claims.quantities import Range
from msanet_bench.errors import BenchError, SpecError

ROOT = Path(__file__).parents[1]
HEAD = """\
networks:
  tiny: {image: [1, 8, 8], classes: 2, model: {stem: small, width: 0.125, depth: [1]}}
results: {made: made}
claims:
"""
LIVE = "- {name: a, sentence: S., source: me, declared: open, statistic: params, network: tiny, equals: 1}"
ROWS = (
    "- {name: a, sentence: S., source: me, declared: open, statistic: accuracy_difference, results: made, "
    "variant: x, against: y, above: 0 pp}"
)
EFFECT = (
    "- {name: a, sentence: S., source: me, declared: open, statistic: main_effect, results: made, "
    "factors: {x: [on, off]}, above: 0 pp}"
)
TIMED = (
    "- {name: a, sentence: S., source: me, declared: open, statistic: latency_ratio, results: made, "
    "variant: x, below: 1}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("claims")
    write_rows(made / "made", [row("x", 0, 500)])
    return made


def parsed(text: str, folder: Path) -> Claims:
    return parse_claims(text, source="claims.yaml", folder=folder)


def problems(text: str, folder: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parsed(text, folder)
    return [line.removeprefix("claims.yaml:") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize("claim", [LIVE, ROWS, EFFECT, TIMED])
def test_the_examples_are_in_order(claim: str, folder: Path) -> None:
    assert len(parsed(HEAD + claim, folder).stated) == 1


@pytest.mark.parametrize(
    ("claim", "right", "wrong", "message"),
    [
        (LIVE, "statistic: params", "statistic: parms", "claims[0].statistic: must be 'params', 'params_d"),
        (
            LIVE,
            "declared: open",
            "declared: true",
            "claims[0].declared: must be 'holds', 'refuted' or 'open'",
        ),
        (LIVE, "sentence: S., ", "", "claims[0].sentence: this key is required."),
        (LIVE, "equals: 1", "equal: 1", "claims[0].equal: unknown key. Did you mean 'equals'? Known: above,"),
        (LIVE, ", equals: 1", "", "claims[0]: must have one of `equals`, `above` and `below`, but got none."),
        (
            LIVE,
            "equals: 1",
            "equals: 1, above: 2",
            "claims[0]: must have one of `equals`, `above` and `below`",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: 25MB",
            "claims[0].equals: must be a number such as `200k` or `1.5M`, but",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: true",
            "claims[0].equals: must be a number, with its unit if it has one,",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: .nan",
            "claims[0].equals: must be a number, with its unit if it has one,",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: .inf",
            "claims[0].equals: must be a number, with its unit if it has one,",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: 1, tolerance: -1",
            "claims[0].tolerance: must not be negative, but got -1",
        ),
        (
            LIVE,
            "network: tiny",
            "network: tny",
            "claims[0].network: must be a name that stands under `networks`",
        ),
        (LIVE, "network: tiny, ", "", "claims[0]: the statistic `params` needs the key `network`."),
        (
            LIVE,
            "equals: 1",
            "equals: 1, against: {}",
            "claims[0].against: means nothing to the statistic `par",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: 1, behind: head",
            "claims[0].behind: means nothing to the statistic `par",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: 1, variant: baseline",
            "claims[0].variant: must be a mapping of paths to",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: 1, variant: 3",
            "claims[0].variant: must be a mapping of paths for a net",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: 1, variant: {widht: 2}",
            "claims[0].variant.widht: this path points nowhere. Did you mean 'width'?",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: 1, variant: {attention.reduction: 0}",
            "claims[0].variant.attention.reduction: `reduction` must be positive, but got (reduction=0).",
        ),
        (
            LIVE,
            "equals: 1",
            "equals: 1, variant: {attention: nine}",
            "claims[0].variant.attention: unknown attention entry `nine`. Did you mean 'none'?",
        ),
        (
            LIVE.replace("params", "reach"),
            "equals: 1",
            "equals: 1, behind: had",
            "claims[0].variant: `behind` must name a module that is given a map, but got 'had'. Did you mean",
        ),
        (
            LIVE.replace("params", "reach"),
            "equals: 1",
            "equals: 1, behind: stages.0.blocks.0.multi_scale.branches",
            "claims[0].variant: `behind` must name a module that is given a map",
        ),
        (
            LIVE.replace("params", "params_ratio"),
            "equals: 1",
            "equals: 1, against: {replicate: 1}",
            "claims[0].against.replicate: this path points nowhere.",
        ),
        (ROWS, "above: 0 pp", "above: 0", "claims[0].above: must be percentage points such as `0.5 pp`, but"),
        (
            ROWS,
            "results: made",
            "results: mad",
            "claims[0].results: must be a name that stands under `results`",
        ),
        (ROWS, "variant: x", "variant: {x: on}", "claims[0].variant: must be the name of a variant, but got"),
        (
            ROWS,
            "against: y",
            "against: {x: on}",
            "claims[0].against: must be the name of a variant, or a list",
        ),
        (
            ROWS,
            "against: y",
            "against: []",
            "claims[0].against: must be a mapping of paths for a network, or",
        ),
        (ROWS, "against: y", "against: [y, x]", "claims[0].against: must be another variant than `x`."),
        (EFFECT, "[on, off]", "[on]", "claims[0].factors.x: must have 2 or more entries, but got ['on']."),
        (EFFECT, "[on, off]", "[on, on]", "claims[0].factors.x: must have two different levels, but got"),
        (EFFECT, "[on, off]", "[on, {}]", "claims[0].factors.x[1]: must be the name of a level, but got {}."),
        (EFFECT, "{x: [on, off]}", "{}", "claims[0].factors: must have 1 or more entries, but got {}."),
        (EFFECT, "main_effect", "interaction", "claims[0].factors: `interaction` is of two factors or more,"),
        (
            EFFECT,
            "off]}",
            "off], y: [1, 2]}",
            "claims[0].factors: `main_effect` is of one factor, but got 2.",
        ),
        (
            TIMED,
            "below: 1",
            "below: 1, against: [y]",
            "claims[0].against: must be the name of a variant, but",
        ),
        (TIMED, "below: 1", "below: 1, batch: 0", "claims[0].batch: must be at least 1, but got 0."),
        (TIMED, "below: 1", "below: fast", "claims[0].below: must be a number, but got 'fast'."),
    ],
)
def test_a_broken_rule_of_a_claim_is_named_with_its_line(
    claim: str, right: str, wrong: str, message: str, folder: Path
) -> None:
    assert right in claim
    [problem] = problems(HEAD + claim.replace(right, wrong, 1), folder)
    line, _, said = problem.partition(": ")
    assert (line, said[: len(message)]) == ("5", message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1: the file is empty."]),
        ("- a\n", ["1: a claims file must be a mapping of keys."]),
        ("claims: 3\n", ["1: claims: must be a list of claims, but got 3."]),
        ("claims: []\n", ["1: claims: must be a list of claims, but got []."]),
        (
            "networks: 3\nclaims: [4]\n",
            ["1: networks: must be a mapping, but got 3.", "2: claims[0]: must be a mapping, but got 4."],
        ),
        (
            "claim: 3\n",
            [
                "1: claim: unknown key. Did you mean 'claims'? Known: claims, networks, results.",
                "1: claims: must be a list of claims, but got nothing.",
            ],
        ),
    ],
)
def test_a_file_that_is_none_says_so(text: str, expected: list[str], folder: Path) -> None:
    assert problems(text, folder) == expected


def test_the_example_of_the_page_is_in_order() -> None:
    page = (ROOT / "docs" / "claims.md").read_text("utf-8")
    example = textwrap.dedent(page[page.index("    networks:") : page.index("\n`equals`")])
    [stated] = parsed(example, ROOT / "experiments").stated
    assert stated.claimed == Range(22.5e6, 27.5e6, is_closed=True)


def test_what_is_no_yaml_says_so(folder: Path) -> None:
    [problem] = problems("a: [\n", folder)
    assert problem.startswith("2: not valid YAML: while parsing a flow node")


def test_a_folder_that_is_not_there_is_an_error_with_its_line(folder: Path) -> None:
    [problem] = problems(HEAD.replace("made: made", "made: mode") + ROWS, folder)
    assert problem == (
        f"3: results.made: must be a results folder, but there is no folder {folder / 'mode'}. "
        "Sweep the experiment, or name another one."
    )


def test_a_broken_network_is_one_problem_and_its_claims_are_not_blamed(folder: Path) -> None:
    [problem] = problems(HEAD.replace("stem: small", "stem: smal") + LIVE, folder)
    assert problem.startswith("2: networks.tiny.model.stem: unknown stem entry `smal`. Did you mean 'small'?")
    [problem] = problems(HEAD.replace("image: [1, 8, 8]", "image: [1, 8]") + LIVE, folder)
    assert problem == "2: networks.tiny.image: must have 3 or more entries, but got [1, 8]."
    [problem] = problems(HEAD.replace("stem: small", "stem: imagenet").replace("8, 8", "1, 1") + LIVE, folder)
    assert problem.startswith("2: networks.tiny: the network must take images of [1, 1, 1], but it says: Val")


def test_a_name_may_not_stand_twice_on_one_line_either(folder: Path) -> None:
    claim = LIVE.removeprefix("- ")
    (problem,) = problems(f"{HEAD.rstrip()} [{claim}, {claim}]\n", folder)
    assert "stands twice; first in line 4." in problem


def test_all_problems_are_named_at_once_in_the_order_of_their_lines(folder: Path) -> None:
    text = HEAD + "\n".join(
        [
            LIVE.replace("equals: 1", "equals: x"),
            ROWS.replace("0 pp", "0"),
            EFFECT.replace("name: a", "name: b").replace("open", "maybe"),
        ]
    )
    assert [problem.partition(": ")[2].partition(":")[0] for problem in problems(text, folder)] == [
        "claims[0].equals",
        "claims[1].above",
        "claims[1].name",
        "claims[2].declared",
    ]


@pytest.mark.parametrize(
    ("claim", "claimed"),
    [
        (LIVE.replace("equals: 1", "equals: 25M, tolerance: 2.5M"), Range(22.5e6, 27.5e6, is_closed=True)),
        (LIVE.replace("equals: 1", "equals: -3"), Range(-3, -3, is_closed=True)),
        (LIVE.replace("equals: 1", "above: 2k"), Range(2000, float("inf"), is_closed=False)),
        (ROWS.replace("0 pp", "0 pp, tolerance: 0.5 pp"), Range(0.005, float("inf"), is_closed=False)),
        (ROWS.replace("above: 0 pp", "below: -1 pp"), Range(-float("inf"), -0.01, is_closed=False)),
        (TIMED.replace("below: 1", "below: 1, tolerance: 0.25"), Range(-float("inf"), 0.75, is_closed=False)),
    ],
)
def test_a_claimed_value_and_its_tolerance_are_a_range(claim: str, claimed: Range, folder: Path) -> None:
    [stated] = parsed(HEAD + claim, folder).stated
    assert stated.claimed == claimed


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff", "not UTF-8 text"), (None, "cannot be read (No such file or directory).")],
)
def test_a_file_that_cannot_be_read_is_one_message(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "claims.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BenchError) as caught:
        load_claims(file)
    assert str(caught.value).startswith(f"{file}: {message}")


NONSENSE = (
    None,
    True,
    -1,
    10**400,
    float("nan"),
    "",
    "x",
    "\x00",
    "0 pp",
    [],
    [[]],
    {},
    {"": ""},
    {"a.b.": [1]},
)


def places(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value."""
    if at:
        yield at
    for key, value in (
        tree.items() if isinstance(tree, dict) else enumerate(tree if isinstance(tree, list) else ())
    ):
        yield from places(value, (*at, key))


def broken_in_one_place(tree: Any) -> Iterator[str]:
    for place in places(tree):
        for value in NONSENSE:
            broken = copy.deepcopy(tree)
            inner = broken
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = value
            yield yaml.safe_dump(broken, allow_unicode=True)


def refused_lines(text: str, folder: Path) -> list[int]:
    """The lines of the problems of a file; whatever else is raised fails the test."""
    try:
        parsed(text, folder)
    except SpecError as error:
        return [problem.line for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("results: {made: made}\nclaims:\n" + "\n".join([ROWS, EFFECT.replace(" a,", " b,")]), 250),
        (HEAD + LIVE, 20),
    ],
)
def test_nonsense_anywhere_in_a_file_is_never_a_traceback(text: str, least: int, folder: Path) -> None:
    files = list(broken_in_one_place(yaml.safe_load(text)))
    # building a network takes longer than all else
    files = files[::7] if "networks" in text else files
    found = [refused_lines(file, folder) for file in files]
    assert all(
        1 <= line <= len(file.splitlines())
        for file, lines in zip(files, found, strict=True)
        for line in lines
    )
    assert sum(map(bool, found)) > least
