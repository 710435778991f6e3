"""Verdicts, latencies from planted calls, and the verb with its exit codes."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from claim_rows import rows_of, write_rows
from commands import run_verb
from msanet_bench.claims.found import Found, Part
from msanet_bench.claims.latency import latency_ratio
from msanet_bench.claims.quantities import Range, claimed_range
from msanet_bench.claims.schema import claims_schema
from msanet_bench.claims.spec import Claim
from msanet_bench.claims.student import Interval
from msanet_bench.claims.verify import judge
from msanet_bench.measure.samples import (
    Condition,
    Contender,
    Sample,
    Session,
    Visit,
    read_session,
    write_session,
)
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.yaml_document import read_yaml
from test_architecture import imported

ROOT = Path(__file__).parents[1]
ABOVE = Range(0.005, math.inf, is_closed=False)
ABOUT = Range(0.7, 0.8, is_closed=True)


def part(low: float, high: float, joint: tuple[float, float] | None = None) -> Part:
    return Part("", (low + high) / 2, Interval(low, high), Interval(*(joint or (low, high))), 3)


@pytest.mark.parametrize(
    ("claimed", "interval", "verdict"),
    [
        (ABOVE, (0.006, 0.02), "confirmed"),
        (ABOVE, (0.004, 0.02), "undecided"),
        (ABOVE, (0.005, 0.02), "undecided"),
        (ABOVE, (-0.02, 0.006), "undecided"),
        (ABOVE, (-0.02, 0.005), "refuted"),
        (ABOVE, (-math.inf, math.inf), "undecided"),
        (ABOUT, (0.7, 0.8), "confirmed"),
        (ABOUT, (0.69, 0.75), "undecided"),
        (ABOUT, (0.6, 0.9), "undecided"),
        (ABOUT, (0.5, 0.69), "refuted"),
        (ABOUT, (0.81, 0.9), "refuted"),
        (Range(5, 5, is_closed=True), (5, 5), "confirmed"),
        (Range(5, 5, is_closed=True), (6, 6), "refuted"),
        (Range(-math.inf, 1, is_closed=False), (1, 1), "refuted"),
        (Range(-math.inf, 1, is_closed=False), (0.99, 0.99), "confirmed"),
    ],
)
def test_an_interval_decides_only_if_all_of_it_does(
    claimed: Range, interval: tuple[float, float], verdict: str
) -> None:
    assert judge(claimed, Found((part(*interval),)))[0] == verdict


def test_of_several_parts_all_must_hold_and_one_refutes_by_its_wider_interval() -> None:
    good, open_, bad = part(0.006, 0.02), part(-0.01, 0.02), part(-0.02, 0.004, joint=(-0.03, 0.006))
    sure = part(-0.02, 0.003, joint=(-0.03, 0.004))
    assert judge(ABOVE, Found((good, good)))[0] == "confirmed"
    assert judge(ABOVE, Found((good, open_))) == ("undecided", open_)
    assert judge(ABOVE, Found((good, bad))) == ("undecided", bad)
    assert judge(ABOVE, Found((good, sure, open_))) == ("refuted", sure)


def test_the_ends_of_a_claimed_range_belong_to_it_also_where_their_sum_is_rounded() -> None:
    """0.7 + 0.1 is less than 0.8 in floating point."""
    exact = claimed_range("equals", 0.7, 0.1)
    assert exact.holds_all(Interval(0.8, 0.8))
    assert not exact.holds_all(Interval(0.8001, 0.8001))
    assert not claimed_range("equals", 0.7, 0).holds_all(Interval(0.7 + 1e-15, 0.7 + 1e-15))


LATENCY = Claim(
    name="x",
    sentence="S.",
    source="me",
    declared="open",
    statistic="latency_ratio",
    below=1,
    results="x",
    variant="fast",
)


def session(folder: Path, seconds: Mapping[str, list[list[float]]], rejected: str = "") -> Path:
    """Calls by variant and super-round; those that are rejected take ten times as long."""
    roles = {name: "anchor" if name == "baseline" else "variant" for name in seconds}
    contenders = {
        name: Contender("head", name, role, "eager", "contiguous")  # type: ignore[arg-type]
        for name, role in roles.items()
    }
    condition = Condition("cpu", 1, "fp32_strict", "warm", 1)
    quiet = Telemetry(None, None, None, None, None, None, 0, 0, None)
    samples = [
        Sample(who, condition, Visit("measure", number, 0, call, 0), "host", 0, 0, time, time, 1, why, quiet)
        for name, who in contenders.items()
        for number, calls in enumerate(seconds[name])
        for call, (time, why) in enumerate([*((t, "") for t in calls), (10 * calls[0], rejected)])
        if why or time in calls
    ]
    write_session(
        folder / "samples.parquet",
        Session("x", {"cpu": 0.02}, 9, tuple(contenders.values()), (), tuple(samples)),
    )
    return folder


def test_a_ratio_of_latencies_is_that_of_the_medians_of_each_super_round(tmp_path: Path) -> None:
    planted = {
        "baseline": [[1.0, 9.0, 1.0], [2.0, 2.0, 2.0], [4.0, 4.0, 0.1]],
        "fast": [[0.5, 0.5, 7.0], [1.1, 1.1, 1.1], [1.8, 1.8, 1.8]],
    }
    found = latency_ratio(session(tmp_path, planted, "throttled"), LATENCY)
    # ratios 0.5, 0.55 and 0.45; of two degrees of freedom the 99 % point is 9.92484
    logs = [math.log(ratio) for ratio in (0.5, 0.55, 0.45)]
    mean = sum(logs) / 3
    half = 9.92484 * (sum((x - mean) ** 2 for x in logs) / 2) ** 0.5 / 3**0.5
    [only] = found.parts
    assert only.value == pytest.approx(math.exp(mean))
    assert only.interval == pytest.approx((math.exp(mean - half), math.exp(mean + half)), rel=1e-5)
    assert (only.basis, found.confidence, found.lacking) == ("3 super-rounds", 0.99, ())


def test_latencies_of_any_two_variants_are_compared(tmp_path: Path) -> None:
    planted = {"baseline": [[1.0], [2.0]], "fast": [[0.5], [1.1]], "slow": [[2.0], [4.4]]}
    claim = LATENCY.model_copy(update={"against": "slow"})
    [only] = latency_ratio(session(tmp_path, planted), claim).parts
    assert only.value == pytest.approx(0.25)
    assert only.interval == (0, math.inf)  # the ratios are equal: no spread to judge by


def test_of_two_sides_it_is_the_head_that_is_asked_for(tmp_path: Path) -> None:
    """A session against another experiment has every variant twice, under one name."""
    folder = session(tmp_path, {"baseline": [[1.0], [1.0]], "fast": [[0.5], [0.6]]})
    file = folder / "samples.parquet"
    read = read_session(file)
    base = tuple(
        replace(one, contender=replace(one.contender, side="base"), seconds=9 * one.seconds)
        for one in read.samples
        if one.contender.variant == "fast"
    )
    write_session(file, replace(read, samples=(*read.samples, *base)))
    [only] = latency_ratio(folder, LATENCY).parts
    assert only.value == pytest.approx(math.sqrt(0.5 * 0.6))


def test_latencies_that_are_missing_are_named(tmp_path: Path) -> None:
    assert latency_ratio(tmp_path, LATENCY).lacking == (f"no samples.parquet in {tmp_path.name}",)
    folder = session(tmp_path, {"baseline": [[1.0, 1.0]]})
    found = latency_ratio(folder, LATENCY)
    assert (found.parts[0].value, found.lacking) == (None, ("no calls of `fast` on cpu, batch 1, eager",))


def test_ratios_of_the_committed_session_are_those_of_its_table() -> None:
    """The table divides each call by the speed of its moment; medians alone must come near."""
    folder = ROOT / "results" / "fashion_mnist_pilot"
    lines = (folder / "latency.csv").read_text("utf-8").splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    wanted = {"role": "variant", "device": "cpu", "batch": "1", "mode": "eager"}
    rows = [row for row in rows if wanted.items() <= row.items()]
    assert len(rows) == 6
    for row in rows[::2]:
        claim = LATENCY.model_copy(update={"variant": row["variant"]})
        found = latency_ratio(folder, claim).parts[0].value
        assert found == pytest.approx(float(row["ratio_to_anchor"]), rel=0.02), row["variant"]


HEAD = """\
results: {made: made}
networks: {tiny: {image: [1, 8, 8], classes: 2, model: {stem: small, width: 0.125, depth: [1]}}}
claims:
"""
BETTER = (
    "- {name: better, sentence: A is better., source: me, declared: holds, statistic: accuracy_difference, "
    "results: made, variant: a, against: b, above: 0 pp}\n"
)
SMALL = (
    "- {name: small, sentence: It is small., source: me, declared: refuted, statistic: params, "
    "network: tiny, below: 10}\n"
)


def claims_file(folder: Path, text: str, a: list[int], b: list[int]) -> Path:
    write_rows(folder / "made", rows_of({"a": a, "b": b}))
    (folder / "claims.yaml").write_text(HEAD + text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("a", "verdict", "code"),
    [([920, 931, 925], "confirmed", 0), ([880, 891, 885], "refuted", 1), ([900, 960, 850], "undecided", 0)],
)
def test_a_claim_that_is_declared_to_hold_and_is_refuted_ends_with_1(
    a: list[int], verdict: str, code: int, tmp_path: Path
) -> None:
    claims_file(tmp_path, BETTER, a, [900, 910, 905])
    ran = run_verb("verify", "claims.yaml", cwd=tmp_path)
    assert (ran.code, ran.err) == (code, "")
    assert ran.out.startswith(f"{verdict:<9}  better: A is better.\n")
    assert ("Contrary to what is declared: better." in ran.out) is (code == 1)


@pytest.mark.parametrize(
    ("below", "declared", "code"), [("10", "refuted", 0), ("1M", "refuted", 1), ("1M", "open", 0)]
)
def test_a_claim_that_is_declared_as_refuted_and_is_confirmed_ends_with_1(
    below: str, declared: str, code: int, tmp_path: Path
) -> None:
    text = SMALL.replace("below: 10", f"below: {below}").replace("declared: refuted", f"declared: {declared}")
    claims_file(tmp_path, text, [1], [1])
    assert run_verb("verify", "claims.yaml", cwd=tmp_path).code == code


def test_a_broken_file_and_missing_records_end_with_2(tmp_path: Path) -> None:
    claims_file(tmp_path, BETTER.replace("above: 0 pp", "above: 0"), [1], [1])
    broken = run_verb("verify", "claims.yaml", cwd=tmp_path)
    assert (broken.code, broken.out) == (2, "")
    assert broken.err.startswith("claims.yaml:4: claims[0].above: must be percentage points such as `0.5 pp`")
    claims_file(tmp_path, BETTER, [1], [1])
    (tmp_path / "made" / "records.jsonl").unlink()
    assert run_verb("verify", "claims.yaml", cwd=tmp_path).code == 2
    assert run_verb("verify", "nowhere.yaml", cwd=tmp_path).code == 2
    assert run_verb("verify", "claims.yaml", "--check", cwd=tmp_path).code == 2


def test_folders_are_relative_to_the_file_wherever_it_is_called_from(tmp_path: Path) -> None:
    folder = claims_file(tmp_path / "deep", BETTER, [920, 931, 925], [900, 910, 905])
    assert run_verb("verify", "deep/claims.yaml", cwd=folder.parent).code == 0


def test_json_has_every_number_and_no_infinity(tmp_path: Path) -> None:
    claims_file(tmp_path, BETTER + SMALL, [920, 931], [900])
    ran = run_verb("verify", "claims.yaml", "--json", cwd=tmp_path)
    better, small = json.loads(ran.out)["claims"]
    assert (better["verdict"], better["lacking"], better["unit"]) == (
        "undecided",
        ["no row of `b` with seed 1"],
        "points",
    )
    [found] = better["parts"]
    assert (found["value"], found["interval"], found["pairs"]) == (pytest.approx(0.02), [None, None], 1)
    assert (small["verdict"], small["claimed"], small["contradicts"]) == ("refuted", [None, 10.0], False)


def test_a_page_is_filled_between_its_markers_and_a_difference_is_noticed(tmp_path: Path) -> None:
    claims_file(tmp_path, BETTER, [920, 931, 925], [900, 910, 905])
    page = tmp_path / "PAGE.md"
    page.write_text("Top.\n<!-- msanet-bench:begin claims -->\n<!-- msanet-bench:end claims -->\nEnd.\n")
    fill = ("verify", "claims.yaml", "--inject", "PAGE.md")
    assert run_verb(*fill, "--check", cwd=tmp_path).code == 1
    assert run_verb(*fill, cwd=tmp_path).code == 0
    assert run_verb(*fill, "--check", cwd=tmp_path).code == 0
    text = page.read_text("utf-8")
    # differences of 20, 21 and 20 images: sd 0.577, and 4.302653 / sqrt(3) of that is 1.434
    assert (
        "| `better` A is better. | me | more than 0 pp | +2.03 pp [+1.89, +2.18], 3 seeds | **confirmed** |"
        in text
    )
    assert (text[:5], text[-5:]) == ("Top.\n", "End.\n")
    page.write_text(text.replace("2.03", "2.04"))
    changed = run_verb(*fill, "--check", "--json", cwd=tmp_path)
    assert (changed.code, changed.err) == (1, "PAGE.md: differs from what the claims give.\n")
    assert json.loads(changed.out)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "msanet_bench" / "claims").glob("*.py")), ids=lambda p: p.stem
)
def test_claims_use_none_of_the_statistics_that_they_are_to_check(path: Path) -> None:
    theirs = {"analysis", "analyze", "compare", "report", "session"}
    used = {
        name.split(".")[1] for name in imported(path.read_text("utf-8")) if name.startswith("msanet_bench.")
    }
    assert used & theirs == set()


def test_a_sentence_cannot_break_out_of_its_row(tmp_path: Path) -> None:
    text = BETTER.replace("A is better.", "'a | `b|c` <b> *d*'")
    claims_file(tmp_path, text, [920, 931, 925], [900, 910, 905])
    lines = run_verb("verify", "claims.yaml", "--format", "markdown", cwd=tmp_path).out.splitlines()
    assert lines[2].startswith(r"| `better` a \| `b\|c` &lt;b> \*d\* | me |")


def test_the_schema_takes_the_committed_file_and_no_broken_one() -> None:
    schema = json.loads(json.dumps(claims_schema()))
    check = jsonschema.Draft202012Validator(schema)
    check.check_schema(schema)
    text = (ROOT / "experiments" / "claims.yaml").read_text("utf-8")
    assert list(check.iter_errors(read_yaml(text).tree)) == []
    for right, wrong in [
        ("statistic: params\n", "statistic: parms\n"),
        ("declared: holds", "declared: true"),
        ("sentence:", "sentense:"),
        ("[on, off]", "[on]"),
        ("image: [3, 224, 224]", "image: [3, 224]"),
    ]:
        assert right in text
        assert not check.is_valid(read_yaml(text.replace(right, wrong, 1)).tree), wrong


def test_the_schema_is_printed_for_editors(tmp_path: Path) -> None:
    assert json.loads(run_verb("verify", "--schema", cwd=tmp_path).out) == json.loads(
        json.dumps(claims_schema())
    )
