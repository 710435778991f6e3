import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest

from msanet_bench.errors import BenchError
from msanet_bench.sweep import parse_deadline, parse_retry


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """This machine is two hours ahead of UTC, or where a POSIX name of a zone says."""

    def move(name: str) -> None:
        patch.setenv("TZ", name)
        time.tzset()

    with monkeypatch.context() as patch:
        move("XXX-2")
        yield move
    time.tzset()


ZONE = timezone(timedelta(hours=2))
EVENING = datetime(2031, 5, 1, 22, 15, 30, tzinfo=ZONE)


def test_an_unknown_retry_status_is_refused() -> None:
    with pytest.raises(BenchError, match=r"--retry: must be any of failed, oom, diverged, but got 'ok'\."):
        parse_retry("ok")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("22:16", datetime(2031, 5, 1, 22, 16, tzinfo=ZONE)),
        ("07:30", datetime(2031, 5, 2, 7, 30, tzinfo=ZONE)),
        ("7:30", datetime(2031, 5, 2, 7, 30, tzinfo=ZONE)),
        ("22:15", datetime(2031, 5, 2, 22, 15, tzinfo=ZONE)),
        ("2031-05-03T07:30", datetime(2031, 5, 3, 7, 30, tzinfo=ZONE)),
        ("2031-05-03T07:30+00:00", datetime(2031, 5, 3, 9, 30, tzinfo=ZONE)),
    ],
)
def test_a_deadline_is_the_next_time_that_a_clock_shows_it(text: str, moment: datetime) -> None:
    assert parse_deadline(text, EVENING) == moment.timestamp()


@pytest.mark.parametrize("text", ["", "soon", "24:00", "7:60", "07.30", "2031-13-01T00:00"])
def test_a_deadline_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BenchError, match=r"--deadline: must be a time such as 07:30 or .*, but got "):
        parse_deadline(text, EVENING)


def test_a_deadline_in_the_past_is_refused_with_the_time_it_is() -> None:
    with pytest.raises(BenchError, match=r"must lie ahead, but got '2031-05-01', and it is 2031-05-01T22:15"):
        parse_deadline("2031-05-01", EVENING)


# as Europe/Berlin: in 2031 summer time begins on 30 March at 02:00 and ends on 26 October at 03:00
BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.mark.parametrize(
    ("now", "text", "moment"),
    [
        ("2031-03-29T22:00+00:00", "07:30", "2031-03-30T05:30+00:00"),
        ("2031-10-25T20:00+00:00", "07:30", "2031-10-26T06:30+00:00"),
        ("2031-03-29T22:00+00:00", "2031-03-30T07:30", "2031-03-30T05:30+00:00"),
        ("2031-03-30T00:30+00:00", "07:30", "2031-03-30T05:30+00:00"),
        ("2031-05-01T00:30+00:00", "07:30", "2031-05-01T05:30+00:00"),
    ],
)
def test_a_deadline_is_what_the_clock_shows_where_summer_time_begins_or_ends(
    zone: Callable[[str], None], now: str, text: str, moment: str
) -> None:
    zone(BERLIN)
    deadline = parse_deadline(text, datetime.fromisoformat(now).astimezone())
    assert deadline == datetime.fromisoformat(moment).timestamp()
