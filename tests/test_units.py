"""Numbers with units, as they are written in files."""

import pytest

from msanet_bench.units import Measure, parse_bytes, parse_count, parse_duration, parse_points


@pytest.mark.parametrize(
    ("text", "fraction"),
    [("0.3 pp", 0.003), ("1pp", 0.01), (" 100 pp ", 1.0), (".5 pp", 0.005), ("2. pp", 0.02)],
)
def test_percentage_points_become_a_fraction(text: str, fraction: float) -> None:
    assert parse_points(text) == pytest.approx(fraction, rel=1e-15)


@pytest.mark.parametrize("text", ["0.3", "0.3 %", "pp", "", "-1 pp", "0 pp", "1e-1 pp", "1 pp pp", "nan pp"])
def test_a_difference_without_its_unit_or_without_size_is_refused(text: str) -> None:
    law = "must be a positive number of percentage points such as `0.5 pp`"
    with pytest.raises(ValueError, match="must be a positive") as caught:
        parse_points(text)
    assert str(caught.value) == f"{law}, but got {text!r}."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("1500", 1500),
        ("1.5k", 1500),
        ("200K", 200_000),
        ("2M", 2_000_000),
        ("0.25 G", 250_000_000),
        ("2.01M", 2_010_000),
    ],
)
def test_a_count_may_have_a_suffix(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "k", "-1", "2X", "1e3", "1 2", "2MM"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a number such as `200k` or `1\.5M`, but got "):
        parse_count(text)


@pytest.mark.parametrize("text", ["0.5", "1.2345k", "9" * 400])
def test_a_part_of_a_thing_is_no_count(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a whole number, but got "):
        parse_count(text)


def test_a_measure_comes_back_from_json_as_it_was() -> None:
    measure = Measure(0.25, "fraction", "higher")
    assert measure.to_json() == {"value": 0.25, "unit": "fraction", "better": "higher"}
    assert Measure.from_json(measure.to_json()) == measure


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30 m", 1800), ("1.5h", 5400)])
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["90", "0s", "2d", "", "-1s", "h"])
def test_a_duration_without_its_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be a duration such as `90s`, `30m` or `2h`, but got "):
        parse_duration(text)


@pytest.mark.parametrize(("text", "size"), [("500MB", 500_000_000), ("1.5 GB", 1_500_000_000)])
def test_a_size_is_read_in_bytes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["500", "0GB", "8GiB", "8 kB", ""])
def test_a_size_without_its_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be a size such as `500MB` or `8GB`, but got "):
        parse_bytes(text)
