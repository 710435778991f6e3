from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from msanet_bench.errors import ResultsError
from msanet_bench.measure.samples import (
    Condition,
    Contender,
    Sample,
    Session,
    Unmeasured,
    Visit,
    digest_of,
    read_session,
    write_session,
)
from msanet_bench.measure.telemetry import Telemetry

CONTENDER = Contender("head", "attention=none,branches.conv5=off", "variant", "fused", "channels_last")
CONDITION = Condition("cpu", 32, "amp_bf16", "cold", 1)
SAMPLE = Sample(
    contender=CONTENDER,
    condition=CONDITION,
    visit=Visit("measure", 3, 7, 9, 2),
    clock="host",
    window=0,
    start_ns=123456789012345,
    seconds=0.1 + 0.2,
    host_seconds=1 / 3,
    calls=1,
    rejected="",
    telemetry=Telemetry(None, None, None, None, None, 2400.5, 17, 0, 1.25),
)
GONE = Unmeasured(replace(CONTENDER, mode="cuda_graph"), CONDITION, "oom")
SESSION = Session("d1g3st", {"cpu": 0.02}, 160, (CONTENDER, GONE.contender), (GONE,), (SAMPLE, SAMPLE))


def test_a_session_comes_back_bit_for_bit(tmp_path: Path) -> None:
    write_session(tmp_path / "samples.parquet", SESSION)
    assert read_session(tmp_path / "samples.parquet") == SESSION
    assert digest_of(tmp_path / "samples.parquet") == "d1g3st"
    assert [file.name for file in tmp_path.iterdir()] == ["samples.parquet"]


def test_no_samples_are_a_session_too(tmp_path: Path) -> None:
    empty = replace(SESSION, samples=())
    write_session(tmp_path / "samples.parquet", empty)
    assert read_session(tmp_path / "samples.parquet") == empty


def test_what_could_not_be_read_stays_unknown(tmp_path: Path) -> None:
    write_session(tmp_path / "samples.parquet", SESSION)
    column = pq.read_table(tmp_path / "samples.parquet").column("sm_mhz")
    assert column.null_count == len(column) == 2


@pytest.mark.parametrize(
    ("phase", "rejected", "counts"),
    [("measure", "", True), ("measure", "power cap", False), ("warmup", "", False), ("discard", "", False)],
)
def test_only_measured_windows_without_a_cause_against_them_count(
    phase: str, rejected: str, *, counts: bool
) -> None:
    sample = replace(SAMPLE, visit=replace(SAMPLE.visit, phase=phase), rejected=rejected)
    assert sample.counts == counts


def test_a_missing_damaged_or_older_file_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "damaged").write_bytes(b"no parquet")
    older = pa.table({"variant": ["baseline"], "seconds": [1.0]})
    pq.write_table(older.replace_schema_metadata({"msanet_bench.session": "0123abcd"}), tmp_path / "older")
    for name in ("missing", "damaged", "older"):
        with pytest.raises(ResultsError, match=r"no session can be read .* `msanet-bench latency`"):
            read_session(tmp_path / name)
    assert digest_of(tmp_path / "missing") is None
    assert digest_of(tmp_path / "older") is None
