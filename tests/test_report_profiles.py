"""Reading profiles, of this version and of those that counted less."""

import json
import shutil
from pathlib import Path

import pytest

from msanet_bench.report.profiles import Field, read_profiles
from report_text import plain, report, rows, section


@pytest.fixture
def results(small_results: Path, tmp_path: Path) -> Path:
    shutil.copytree(small_results, tmp_path / "small")
    return tmp_path / "small"


def edit_baseline(results: Path, **fields: object) -> None:
    file = results / "profile.json"
    profile = json.loads(file.read_text())
    profile["variants"]["baseline"].update(fields)
    file.write_text(json.dumps(profile))


def baseline_row(results: Path) -> list[str]:
    table = rows(section(report(results), "Cost"))
    return next(row for row in table if plain(row[0]) == "baseline")


def test_the_table_of_costs_has_what_the_profile_says(results: Path) -> None:
    field = {"theoretical": {"height": 9, "width": 7}, "whole_map_by": ["attention"]}
    peaks = {"inference_batch_1": 1, "train_batch_32": 5 * 2**19}
    edit_baseline(results, activations=1234, receptive_field=field, peak_est_bytes=peaks)
    assert baseline_row(results)[3:] == ["1,234", "9 x 7", "attention", "2.50"]


def test_a_network_that_sees_no_map_at_once_says_none_and_not_unknown(results: Path) -> None:
    edit_baseline(results, receptive_field={"theoretical": {"height": 9, "width": 9}, "whole_map_by": []})
    assert baseline_row(results)[4:6] == ["9", "none"]


def test_what_an_older_profile_does_not_say_is_absent(results: Path) -> None:
    file = results / "profile.json"
    old = {"params", "params_by_part", "macs", "macs_status"}
    variants = json.loads(file.read_text())["variants"]
    kept = {name: {k: v for k, v in fields.items() if k in old} for name, fields in variants.items()}
    file.write_text(json.dumps({"variants": kept}))
    assert baseline_row(results)[1:] == ["33,300", "3,230,100", "-", "-", "-", "-"]
    assert "training peak is estimated" not in section(report(results), "Cost")


def test_a_field_that_is_not_known_is_none(results: Path) -> None:
    edit_baseline(results, receptive_field={"theoretical": None, "whole_map_by": None})
    profiles = read_profiles(results / "profile.json")
    assert profiles["baseline"].field is None
    assert profiles["attention=none"].field == Field(47, 47, ("branches.context",))


def test_operations_are_said_once_as_twice_the_macs(results: Path) -> None:
    text = section(report(results), "Cost")
    assert text.count("FLOPs") == 1
    assert f"{2 * 3_230_100:,}" not in text


@pytest.mark.parametrize(("batch", "said"), [(32, "on 32 images"), (64, "on the variant's own batch")])
def test_the_batch_of_the_training_peak_is_said(results: Path, batch: int, said: str) -> None:
    edit_baseline(results, train_batch=batch)
    assert said in section(report(results), "Cost")
