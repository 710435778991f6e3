"""Which tries go on after a kill: what the journal says of them, line by line."""

from dataclasses import replace

import pytest

from msanet_bench.journal import Attempt
from msanet_bench.records import Record
from msanet_bench.sweep.tries import may_pass, tries_in_vain


def tried(key: str, how: str, code: str = "today") -> Attempt:
    """An attempt that ended well, by a death, by a lack of memory, or by an error of its own."""
    status = {"died": "failed", "error": "failed"}.get(how, how)
    record = Record(key, "baseline", {}, 0, 0, status, provenance={"code": code})  # type: ignore[arg-type]
    return Attempt(record, 0.0, 1.0, None, None, "cpu", "here", "Traceback" if how == "error" else "")


@pytest.mark.parametrize(
    ("how", "expected"), [("died", True), ("oom", True), ("error", False), ("diverged", False), ("ok", False)]
)
def test_only_a_death_and_a_lack_of_memory_may_pass(how: str, *, expected: bool) -> None:
    assert may_pass(tried("a", how)) is expected


def test_an_out_of_memory_that_a_cell_caught_itself_may_pass_too() -> None:
    assert may_pass(replace(tried("a", "oom"), traceback="Traceback"))


def test_tries_are_counted_until_a_cell_has_ended_otherwise() -> None:
    attempts = [
        *(tried("a", "died"), tried("b", "died"), tried("a", "oom")),
        *(tried("b", "ok"), tried("c", "error"), tried("c", "died"), tried("d", "died", code="older")),
    ]
    assert tries_in_vain(attempts, "today") == {"a": 2}
