"""The seam: what is written is read again, bit for bit; what is damaged or too new is named by its line."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from msanet_bench.errors import ResultsError
from msanet_bench.migrations import newest
from msanet_bench.records import (
    Record,
    json_line,
    numbered_lines,
    pack_bits,
    read_records,
    replace_bytes,
    replace_text,
    write_records,
)
from msanet_bench.units import Measure

# 1011 0010 1 and seven bits of padding: 0xB2, 0x80
BITS = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1], dtype=np.bool_)

OK = Record(
    key="00ff",
    variant="attention=se(reduction=8)",
    factors={"attention": "se(reduction=8)", "width": "0.5"},
    seed=3,
    replicate=1,
    status="ok",
    measures={"accuracy": Measure(5 / 9, "fraction", "higher"), "params": Measure(10**12, "count", "lower")},
    curve=({"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": 1 / 3}),
    correct=pack_bits(BITS),
    test_images=9,
    provenance={"torch": "2.14", "threads": 1},
)
FAILED = Record(
    key="01",
    variant="baseline",
    factors={},
    seed=0,
    replicate=0,
    status="failed",
    reason="RuntimeError: \u201cno\u201d\u2028next",
)


def test_bits_are_packed_most_significant_first() -> None:
    assert OK.correct == "soA="  # base64 of B2 80
    assert OK.correct_bits().tolist() == BITS.tolist()


def test_ten_thousand_images_take_1668_characters() -> None:
    assert len(pack_bits(np.ones(10_000, dtype=np.bool_))) == 1668


def test_records_come_back_as_they_were(tmp_path: Path) -> None:
    write_records(tmp_path / "records.jsonl", [OK, FAILED])
    assert read_records(tmp_path) == [OK, FAILED]
    assert read_records(tmp_path / "records.jsonl") == [OK, FAILED]


def test_equal_records_have_equal_bytes_and_stand_one_a_line(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_records(tmp_path / name, [OK, FAILED])
    content = (tmp_path / "a").read_bytes()
    assert content == (tmp_path / "b").read_bytes()
    first, second, rest = content.split(b"\n")
    assert rest == b""
    assert json.loads(first)["measures"]["accuracy"] == {
        "value": 5 / 9,
        "unit": "fraction",
        "better": "higher",
    }
    assert (json.loads(second)["schema_version"], json.loads(second)["correct"]) == (2, "")


def test_a_record_holds_no_time_host_or_path() -> None:
    assert set(OK.to_json()) == {
        "schema_version",
        "key",
        "variant",
        "factors",
        "seed",
        "replicate",
        "status",
        "reason",
        "measures",
        "curve",
        "correct",
        "test_images",
        "provenance",
    }


def test_nan_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_line({"loss": float("nan")})


def test_bytes_of_a_path_that_are_no_text_survive() -> None:
    line = json_line({"reason": "no \udcff.png"})
    assert line.isascii()
    assert json.loads(line) == {"reason": "no \udcff.png"}


def changed(**changes: Any) -> bytes:
    return json_line({**OK.to_json(), **changes}).encode()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"schema":1,"key":"0', "JSONDecodeError"),
        (b"[1]", "TypeError"),
        (b"3", "TypeError"),
        (b'{"key":"00"}', "KeyError"),
        (b'{"schema":1,"key":"\xff"}', "UnicodeDecodeError"),
        (changed(colour="red"), "TypeError"),
        (changed(correct="*"), "Error"),
        (changed(measures=[]), "AttributeError"),
        (changed(schema_version="new"), "ValueError"),
        (changed(status="fine"), "ValueError"),
        (changed(correct=""), "ValueError"),
        (changed(test_images=8), "ValueError"),
        (changed(test_images=17), "ValueError"),
        (changed(test_images=9.0), "TypeError"),
        (changed(measures={"loss": {"value": None, "unit": "nat", "better": "lower"}}), "TypeError"),
        (changed(measures={"loss": {"value": "0.1", "unit": "nat", "better": "lower"}}), "TypeError"),
        (changed(measures={"loss": {"value": 1, "unit": 2, "better": "lower"}}), "TypeError"),
        (changed(measures={"loss": {"value": 1, "unit": "nat", "better": "less"}}), "KeyError"),
        (changed(seed=3).replace(b'"seed":3', b'"seed":NaN'), "ValueError"),
        (changed(seed=3).replace(b'"seed":3', b'"seed":-Infinity'), "ValueError"),
    ],
)
def test_a_damaged_line_is_named_by_its_number(line: bytes, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_bytes(json_line(FAILED.to_json()).encode() + line.rstrip(b"\n") + b"\n")
    with pytest.raises(ResultsError) as caught:
        read_records(tmp_path)
    assert str(caught.value).startswith(f"{file}:2: not a record ({kind}: ")


def test_a_newer_schema_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_bytes(changed(schema_version=newest("record") + 1))
    with pytest.raises(ResultsError) as caught:
        read_records(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'records.jsonl'}:1: written by a newer msanet-bench (record of schema version 3, "
        "this one knows up to 2). Upgrade msanet-bench to read it: the file is left as it is."
    )


def test_what_records_have_in_common_is_kept_once_and_told_apart_by_type(tmp_path: Path) -> None:
    levels: list[Any] = [1, 1.0, True, "1", 1, True]
    records = [replace(OK, factors={"width": level}, provenance={"threads": level}) for level in levels]
    write_records(tmp_path / "records.jsonl", records)
    read = read_records(tmp_path)
    assert [repr(record.factors) for record in read] == [repr({"width": level}) for level in levels]
    assert [repr(record.provenance) for record in read] == [repr({"threads": level}) for level in levels]
    assert read[0].factors is read[4].factors
    assert read[2].provenance is read[5].provenance


def test_a_missing_file_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(ResultsError) as caught:
        read_records(tmp_path)
    file = tmp_path / "records.jsonl"
    law = f"{file}: cannot be read (No such file or directory)"
    assert str(caught.value) == f"{law}. Run `msanet-bench sweep` first."


def test_only_newlines_end_a_line() -> None:
    assert "a\u2028b\x0cc".splitlines() == ["a", "b", "c"]
    lines = BytesIO("a\u2028b\x0cc\n\nd".encode())
    assert list(numbered_lines(lines)) == [(1, "a\u2028b\x0cc\n".encode()), (3, b"d")]


def test_a_file_is_replaced_whole_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    for text in ("old\n", "new\n"):
        replace_text(path, text)
    assert path.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [path]


def test_bytes_are_replaced_whole_and_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "figure.pdf"
    for content in (b"old", b"\r\n\xff\x00"):
        replace_bytes(path, content)
    assert path.read_bytes() == b"\r\n\xff\x00"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.csv"
    replace_text(path, "old\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ResultsError, match=r"results\.csv: cannot be written \(No space left on device\)"):
        replace_text(path, "new\n")
    assert path.read_bytes() == b"old\n"
    assert list(tmp_path.iterdir()) == [path]
