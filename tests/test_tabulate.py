"""Records as a flat table."""

import csv
import io

from msanet_bench.records import Record
from msanet_bench.tabulate import columns, results_csv
from msanet_bench.units import Measure


def record(**changes: object) -> Record:
    fields = {
        "key": "k1",
        "variant": "baseline",
        "factors": {"attention": "none", "width": 0.5},
        "seed": 0,
        "replicate": 0,
        "status": "ok",
        "measures": {
            "params": Measure(12, "count", "lower"),
            "accuracy": Measure(0.1, "fraction", "higher"),
            "auc": Measure(0.5, "fraction", "higher"),
        },
    }
    return Record(**{**fields, **changes})


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


FAILED = record(
    key="k2", seed=1, status="failed", reason='a, b\nand "c"', measures={}, factors={"train.lr": 0.1}
)


def test_columns_stand_in_their_fixed_order() -> None:
    assert columns([record(), FAILED]) == [
        *("status", "variant", "attention", "width", "train.lr", "seed", "replicate"),
        *("accuracy", "auc", "params", "reason", "key"),
    ]


def test_values_come_back_as_they_were_written() -> None:
    ok, failed = read(results_csv([record(), FAILED]))
    assert (ok["attention"], ok["width"], ok["train.lr"], ok["accuracy"]) == ("none", "0.5", "", "0.1")
    assert (failed["status"], failed["reason"], failed["accuracy"]) == ("failed", FAILED.reason, "")


def test_every_digit_of_a_measure_is_kept() -> None:
    value = 0.1 + 0.2
    (row,) = read(results_csv([record(measures={"accuracy": Measure(value, "fraction", "higher")})]))
    assert float(row["accuracy"]) == value


def test_a_level_that_is_a_list_is_its_json() -> None:
    (row,) = read(results_csv([record(factors={"depth": [1, 2]})]))
    assert row["depth"] == "[1, 2]"


def test_a_factor_named_like_a_column_does_not_make_two() -> None:
    assert columns([record(factors={"replicate": 1})]).count("replicate") == 1


def test_lines_end_in_a_plain_newline() -> None:
    assert "\r" not in results_csv([record()])


def test_without_records_there_is_a_header() -> None:
    assert results_csv([]) == "status,variant,seed,replicate,reason,key\n"
