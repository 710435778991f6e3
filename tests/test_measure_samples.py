from pathlib import Path

import pytest

from msanet_bench.errors import ResultsError
from msanet_bench.measure.samples import Sample, read_samples, write_samples

SAMPLE = Sample("baseline", "cpu", 1, "fp32", "eager", "warm", 1, "warmup", 0, 0, 123456789012345, 0.1 + 0.2)


def test_samples_come_back_bit_for_bit(tmp_path: Path) -> None:
    write_samples(tmp_path / "samples.parquet", [SAMPLE, SAMPLE])
    assert read_samples(tmp_path / "samples.parquet") == [SAMPLE, SAMPLE]
    assert [file.name for file in tmp_path.iterdir()] == ["samples.parquet"]


def test_no_samples_are_a_file_too(tmp_path: Path) -> None:
    write_samples(tmp_path / "samples.parquet", [])
    assert read_samples(tmp_path / "samples.parquet") == []


def test_a_missing_or_damaged_file_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "damaged").write_bytes(b"no parquet")
    for name in ("missing", "damaged"):
        with pytest.raises(ResultsError, match="no samples can be read"):
            read_samples(tmp_path / name)
