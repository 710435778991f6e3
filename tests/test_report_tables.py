"""Results as a DataFrame."""

import io
from pathlib import Path

import pandas as pd

from msanet_bench.records import read_records
from msanet_bench.report.tables import read_results
from msanet_bench.tabulate import results_csv


def test_every_record_is_a_row(small_results: Path) -> None:
    table = read_results(small_results)
    assert len(table) == len(read_records(small_results)) == 17
    assert table["status"].value_counts().to_dict() == {"ok": 15, "failed": 1, "diverged": 1}


def test_the_level_none_is_a_level_and_not_a_gap(small_results: Path) -> None:
    table = read_results(small_results)
    assert set(table["attention"]) == {"self_attention", "none", "eca"}


def test_measures_are_numbers_and_missing_where_a_cell_failed(small_results: Path) -> None:
    table = read_results(small_results)
    assert table["accuracy"].dtype == float
    assert table.loc[table["status"] != "ok", "accuracy"].isna().all()
    assert table.loc[table["status"] == "ok", "accuracy"].between(0.8, 1).all()


def test_it_has_the_columns_of_results_csv(small_results: Path) -> None:
    text = results_csv(read_records(small_results))
    exported = pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])
    assert list(exported.columns) == list(read_results(small_results).columns)
