"""Limits, what they catch, and exit codes."""

from pathlib import Path
from typing import Any

import pytest

from commands import run_verb
from compared import cell, cells, compare_records, write_folder
from msanet_bench.compare import Comparison, exit_code, parse_gate, rule
from msanet_bench.errors import BenchError

BASE = (0.900, 0.910, 0.920, 0.930, 0.940)
# differences of five seeds: mean -0.010 and +-0.0005 around it, and others
WORSE = tuple(v - 0.010 + d for v, d in zip(BASE, (0.0005, -0.0005, 0.0, 0.0003, -0.0003), strict=True))
SAFE = tuple(v + d for v, d in zip(BASE, (0.0005, -0.0005, 0.0, 0.0003, -0.0003), strict=True))
# mean 0, deviation 0.01: an interval of 1.2 pp to each side
VAGUE = tuple(v + d for v, d in zip(BASE, (0.012, -0.012, 0.0, 0.008, -0.008), strict=True))


@pytest.mark.parametrize(
    ("text", "limit", "is_relative"),
    [
        ("accuracy:-0.2pp", 0.002, False),
        ("accuracy: -1 pp", 0.01, False),
        ("accuracy:0", 0, False),
        ("latency_p50:+5%", 0.05, True),
        ("params:0", 0, False),
        ("params:+1000", 1000, False),
        ("params:1000", 1000, False),
        ("macs:+2%", 0.02, True),
        ("macs:2 %", 0.02, True),
    ],
)
def test_limits_are_losses(text: str, limit: float, is_relative: bool) -> None:  # noqa: FBT001
    gate = parse_gate(text)
    assert (gate.limit, gate.is_relative) == (pytest.approx(limit), is_relative)


@pytest.mark.parametrize(
    "text",
    [
        *("", "accuracy", "accuracy:", "accuracy:-0.2", "accuracy:+0.2pp", "accuracy:0.2pp", "accuracy:-5%"),
        *("accuracy:-1e-3pp", "accuracy:--1pp", "loss:0", "latency_p50:-5%", "latency_p50:5"),
        *("latency_p50:+5pp", "params:-5", "params:0:0", "macs:-1%", "macs:+1pp", "macs:nan%"),
    ],
)
def test_nonsense_is_one_clear_message(text: str) -> None:
    with pytest.raises(
        BenchError, match=r"^--gate: (must be METRIC:LIMIT|a limit of \w+ must be a loss) such as"
    ):
        parse_gate(text)


def _against(
    folder: Path, head: tuple[float | None, ...], base: tuple[float | None, ...] = BASE
) -> Comparison:
    return compare_records(folder, cells("a", *base), cells("a", *head))


@pytest.mark.parametrize(
    ("head", "mode", "status", "codes"),
    [
        (WORSE, "regression", "fails", (1, 1)),
        (SAFE, "regression", "holds", (0, 0)),
        (VAGUE, "regression", "inconclusive", (0, 3)),
        (WORSE, "noninferiority", "fails", (1, 1)),
        (SAFE, "noninferiority", "holds", (0, 0)),
        (VAGUE, "noninferiority", "fails", (1, 1)),
    ],
)
def test_a_gate_judges_whole_intervals(
    tmp_path: Path, head: tuple[float, ...], mode: Any, status: str, codes: tuple[int, int]
) -> None:
    comparison = _against(tmp_path, head)
    rulings = rule(comparison, [parse_gate("accuracy:-0.2pp")], mode)
    assert rulings[0].status == status
    assert tuple(exit_code(comparison, rulings, strict=strict) for strict in (False, True)) == codes


def test_many_rows_make_a_gate_no_easier_to_fail_by_chance(tmp_path: Path) -> None:
    # alone, this row's interval lies beyond the limit: -1.0 [-1.7, -0.3]; among eight it may be chance
    head = tuple(v + d for v, d in zip(BASE, (-0.016, -0.004, -0.010, -0.014, -0.006), strict=True))
    gate = [parse_gate("accuracy:-0.2pp")]
    alone = _against(tmp_path, head)
    assert rule(alone, gate, "regression")[0].status == "fails"
    others = [(f"v{n}", VAGUE) for n in range(7)]
    base = [*cells("a", *BASE), *(r for name, _ in others for r in cells(name, *BASE))]
    among = [*cells("a", *head), *(r for name, values in others for r in cells(name, *values))]
    assert rule(compare_records(tmp_path, base, among), gate, "regression")[0].status == "inconclusive"


def test_one_seed_can_tell_neither(tmp_path: Path) -> None:
    comparison = _against(tmp_path, (0.5,), (0.9,))
    gate = [parse_gate("accuracy:-0.2pp")]
    assert rule(comparison, gate, "regression")[0].status == "inconclusive"
    assert rule(comparison, gate, "noninferiority")[0].status == "fails"


@pytest.mark.parametrize("mode", ["regression", "noninferiority"])
@pytest.mark.parametrize("head", [(None,) * 5, (*SAFE[:4], None)])
def test_a_new_failure_fails_the_gate_on_accuracy(
    tmp_path: Path, head: tuple[float | None, ...], mode: Any
) -> None:
    comparison = _against(tmp_path, head)
    assert rule(comparison, [parse_gate("accuracy:-50pp")], mode)[0].status == "fails"
    # what failed before as well is no regression, and neither is what no longer fails
    assert rule(_against(tmp_path, SAFE, head), [parse_gate("accuracy:-0.2pp")], mode)[0].status in {
        "holds",
        "not comparable",
    }


def test_a_missing_variant_is_not_overlooked_and_a_new_one_is_free(tmp_path: Path) -> None:
    both, one = [*cells("a", *BASE), *cells("b", *BASE)], cells("a", *BASE)
    gate = [parse_gate("accuracy:0")]
    (ruling,) = rule(compare_records(tmp_path, both, one), gate, "regression")
    assert (ruling.status, ruling.rows) == ("inconclusive", ("b (head)",))
    assert rule(compare_records(tmp_path, both, one), gate, "noninferiority")[0].status == "fails"
    assert rule(compare_records(tmp_path, one, both), gate, "regression")[0].status == "holds"


@pytest.mark.parametrize(
    ("gate", "params", "status"),
    [
        ("params:0", 100, "holds"),
        ("params:0", 99, "holds"),
        ("params:0", 101, "fails"),
        ("params:+1%", 101, "holds"),
        ("params:+1%", 102, "fails"),
        ("params:+5", 105, "holds"),
        ("params:+5", 106, "fails"),
        ("macs:0", 101, "fails"),
    ],
)
def test_exact_costs_are_held_exactly(tmp_path: Path, gate: str, params: int, status: str) -> None:
    comparison = compare_records(
        tmp_path, [cell("a", 0, 0.5, params=100)], [cell("a", 0, 0.5, params=params)]
    )
    for mode in ("regression", "noninferiority"):
        assert rule(comparison, [parse_gate(gate)], mode)[0].status == status


def test_the_worst_of_several_gates_decides(tmp_path: Path) -> None:
    comparison = _against(tmp_path, WORSE)
    texts = {"fails": "accuracy:-0.2pp", "holds": "params:0", "not comparable": "latency_p50:+5%"}
    rulings = {
        status: rule(comparison, [parse_gate(text)], "regression")[0] for status, text in texts.items()
    }
    assert {status: ruling.status for status, ruling in rulings.items()} == {s: s for s in texts}
    codes = [
        exit_code(comparison, [rulings[status] for status in statuses], strict=False)
        for statuses in (["holds"], ["holds", "not comparable"], list(texts))
    ]
    assert codes == [0, 3, 1]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    for name, values in {"base": BASE, "worse": WORSE, "vague": VAGUE}.items():
        medians = {"a": 0.003 if name == "worse" else 0.002}
        write_folder(tmp_path / name, cells("a", *values), medians=medians)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["base", "base"], 0),
        (["base", "worse"], 0),
        (["base", "worse", "--gate", "accuracy:-0.2pp"], 1),
        (["base", "worse", "--gate", "accuracy:-5pp"], 0),
        (["base", "worse", "--gate", "latency_p50:+5%"], 1),
        (["worse", "base", "--gate", "latency_p50:+5%"], 0),
        (["base", "base", "worse", "--gate", "accuracy:-0.2pp"], 1),
        (["base", "vague", "--gate", "accuracy:-0.2pp"], 0),
        (["base", "vague", "--gate", "accuracy:-0.2pp", "--strict"], 3),
        (["base", "vague", "--gate", "accuracy:-0.2pp", "--gate-mode", "noninferiority"], 1),
        (["base", "worse", "--gate", "nonsense"], 2),
        (["base", "nowhere"], 2),
        (["base"], 2),
        (["base", "worse", "--delta", "3"], 2),
        (["base", "worse", "--gate-mode", "other"], 2),
        (["base", "worse", "--format", "xml"], 2),
        (["a=base", "a=worse"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_the_verb_ends_as_it_should(desk: Path, arguments: list[str], code: int) -> None:
    outcome = run_verb("compare", *arguments, cwd=desk)
    assert outcome.code == code, outcome
    assert (outcome.err == "") == (code != 2)


def test_what_cannot_be_told_is_said(desk: Path) -> None:
    out = run_verb("compare", "base", "vague", "--gate", "accuracy:-0.2pp", cwd=desk).out
    assert "gate accuracy:-0.2pp: inconclusive: a (head)" in out
    out = run_verb("compare", "base", "worse", "--gate", "params:0", cwd=desk).out
    assert "gate params:0: holds\n" in out
