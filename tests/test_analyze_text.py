"""What is printed of a table: word for word, at any width, and as Markdown that nothing breaks out of."""

import re
from pathlib import Path

import pytest

import result_tables as tables
from commands import run_verb
from msanet_bench.analyze import Question, analyze
from msanet_bench.analyze.markdown import render_markdown
from msanet_bench.analyze.text import render_text

PILOT_PLANT = """\
table.csv: `yield`, higher is better, in 16 rows.
  T: 160, 180
  C: 20, 40
  K: A, B
8 cells, 2 values each; no block, so rows of a cell are replicates.

Main effects
effect              pairs       estimate [95 %]             verdict  p (Holm)  p (<5)  detects
T: 180 against 160      4  +23.0 [+19.7, +26.3]               HELPS     <.001   1.000      4.5
C: 40 against 20        4     -5.0 [-8.3, -1.7]               hurts      .015    .500      4.5
K: B against A          4     +1.5 [-1.8, +4.8]  NO MATERIAL EFFECT      .320    .019      4.5

Interactions of two factors
effect  groups      estimate [95 %]             verdict  p (Holm)  p (<5)  detects
T x C        2    +1.5 [-1.8, +4.8]  NO MATERIAL EFFECT      .640    .019      4.5
T x K        2  +10.0 [+6.7, +13.3]               HELPS     <.001    .996      4.5
C x K        2    +0.0 [-3.3, +3.3]  NO MATERIAL EFFECT     1.000    .004      4.5

Credit: who earned the difference between everything and nothing?
component            remove from all  add to nothing  average (main)        Shapley
T (180 against 160)    +35.0 +/- 6.5   +12.0 +/- 6.5   +23.0 +/- 3.3  +23.2 +/- 3.4
C (40 against 20)       -3.0 +/- 6.5    -6.0 +/- 6.5    -5.0 +/- 3.3   -4.8 +/- 3.4
K (B against A)        +12.0 +/- 6.5    -8.0 +/- 6.5    +1.5 +/- 3.3   +1.7 +/- 3.4
sum                            +44.0            -2.0           +19.5          +20.0
Everything against nothing: +20.0 +/- 6.5 (half of the 95 % interval).
The Shapley values add up to it, the others need not.

What to know
8 degrees of freedom, residual deviation 2.83. `detects`: the effect that would be found four times in five.
`p (<5)`: of two one-sided tests that an effect is smaller, whatever its sign.
An interaction is half of what one change does more when the other one is made too.
What one does depends on the other, so their main effects are means of unlike numbers: `T x K`.
Intervals are about repeating these runs, not about new data.
"""


def test_the_pilot_plant_word_for_word(tmp_path: Path) -> None:
    """In a pipe, where nothing is wrapped."""
    tables.pilot_plant(tmp_path)
    code, out, err = run_verb("analyze", "table.csv", "--response", "yield", "--delta", "5", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out == PILOT_PLANT


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_every_width_says_the_same_and_keeps_to_it_where_it_can(width: int, tmp_path: Path) -> None:
    analysis = analyze(tables.pilot_plant(tmp_path), Question("yield", delta=5.0))
    text, wide = render_text(analysis, width), render_text(analysis, 200)
    assert sorted(text.split()) == sorted(wide.split())
    for line in text.splitlines():
        assert len(line) <= width or "  " not in line.strip(), line


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        (tables.filtration, [], "Nothing is repeated, so there is no error to compare with"),
        (tables.filtration, [], "`active` rests on the assumption that most effects are nothing"),
        (tables.filtration, [], "A +21.6 active, beyond SME"),
        (tables.filtration, [], "C +9.9 active, beyond ME"),
        (tables.pilot_plant, [], "No verdicts: --delta names the smallest difference that matters"),
        (tables.peas, ["--block", "block"], "8 cells in 6 blocks of `block`, 24 of 48 cells x blocks empty."),
        (
            tables.peas,
            ["--block", "block", "--order", "3"],
            "Not known: `N x P x K` (cannot be told from the differences between blocks).",
        ),
        (tables.shoes, ["--block", "boy"], "Exact p of 10 pairs by flipping signs: .014 (14 of 1,024)."),
        (tables.shoes, ["--block", "boy"], "Without `boy` as block it would take 82 times as many rows."),
        (tables.shoes, ["--block", "boy", "--lower-is-better"], "lower is better"),
    ],
)
def test_what_has_to_be_said_is_said(table: object, options: list[str], said: str, tmp_path: Path) -> None:
    path = table(tmp_path)  # type: ignore[operator] - one of the functions above
    response = {tables.filtration: "rate", tables.shoes: "wear"}.get(table, "yield")
    outcome = run_verb("analyze", path.name, "--response", response, *options, cwd=tmp_path)
    assert outcome.code == 0
    assert said in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ["a,0,1", "b,0,", "a,1,2", "b,1,4"],
            "1 row without a response, a failed run each, not averaged",
        ),
        (["a,0,1", "b,0,", "a,1,2", "b,1,4"], "line 3 (net=b)"),
        (["a,0,1", "b,0,2", "a,1,2", "b,1,4"], "Rows of a cell count as replicates; --block seed compares"),
        (["a,0,1", "b,0,2", "a,1,2", "b,1,4"], "No factor, since its name is one of repetitions or outcomes"),
        (["a,0,1", "b,0,2"], "Lenth's pseudo standard error needs a balanced design of several two-level"),
    ],
)
def test_what_a_small_table_lacks_is_said(rows: list[str], said: str, tmp_path: Path) -> None:
    path = tables.write(tmp_path, "net,seed,y", *rows)
    assert said in " ".join(render_text(analyze(path, Question("y")), 200).split())


def test_cells_that_do_not_spread_alike_are_reported(tmp_path: Path) -> None:
    sizes = {"a": 0.01, "b": 10}
    rows = [f"{net},{size * (-1) ** i * (1 + i / 10)}" for net, size in sizes.items() for i in range(10)]
    text = render_text(analyze(tables.write(tmp_path, "net,y", *rows), Question("y")), 200)
    assert "The cells do not spread alike (Brown and Forsythe, p <.001)" in text


def test_names_cannot_break_out_of_markdown(tmp_path: Path) -> None:
    rows = [f'"<script>|{net}",{place + net}' for net in (0, 1) for place in range(3)]
    path = tables.write(tmp_path, '"**net**|",y', *rows)
    text = render_markdown(analyze(path, Question("y")))
    assert "<script>" not in text.replace("`", "")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {6}


def test_markdown_and_text_say_the_same_numbers(tmp_path: Path) -> None:
    analysis = analyze(tables.pilot_plant(tmp_path), Question("yield", delta=5.0))
    numbers = re.compile(r"[+-]\d+\.\d")
    assert numbers.findall(render_markdown(analysis)) == numbers.findall(render_text(analysis, 300))


@pytest.mark.parametrize("options", [["--json"], ["--format", "json"]])
def test_json_is_asked_for_in_two_ways(options: list[str], tmp_path: Path) -> None:
    tables.pilot_plant(tmp_path)
    out = run_verb("analyze", "table.csv", "--response", "yield", *options, cwd=tmp_path).out
    assert out.startswith('{\n "kind": "msanet_bench.analysis",\n "source": "table.csv"')


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--response", "yeld"], "has no column `yeld`. Did you mean 'yield'?"),
        (["--delta", "0"], "--delta: must be a positive number, but got 0."),
        (["--delta", "nan"], "--delta: must be a positive number, but got nan."),
        (["--alpha", "5"], "--alpha: must be at least 1e-06 and below 1, but got 5."),
        (["--alpha", "1e-9"], "--alpha: must be at least 1e-06 and below 1, but got 1e-09."),
        (["--delta", "inf"], "--delta: must be a positive number, but got inf."),
        (["--format", "xml"], "xml"),
    ],
)
def test_a_wrong_option_is_one_message_and_exit_code_2(
    options: list[str], message: str, tmp_path: Path
) -> None:
    tables.pilot_plant(tmp_path)
    code, _, err = run_verb("analyze", "table.csv", "--response", "yield", *options, cwd=tmp_path)
    assert code == 2
    assert message in err


def test_numbers_with_an_exponent_have_its_decimals(tmp_path: Path) -> None:
    """As pandas writes them, and without replicates: one digit more than the table has."""
    table = tmp_path / "table.csv"
    table.write_text("net,y\na,1e-05\nb,3e-05\n")
    assert "+0.000020" in render_text(analyze(table, Question("y")), 100)
