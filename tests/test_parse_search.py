"""What a search file must not say, each found at its line and never as a traceback."""

import pytest

from msanet_bench.errors import BenchError
from searching import SPACE, searched


def test_a_search_that_is_no_section_is_told_as_one() -> None:
    with pytest.raises(BenchError, match="search"):
        searched("tpe", "[1]")


@pytest.mark.parametrize(
    "factor", ["replicate: [0, 1]", "data.dataset: [fake, mnist]", "data.options.size: [8, 16]"]
)
def test_a_search_varies_neither_its_luck_nor_its_task(factor: str) -> None:
    text = SPACE.replace("factors:\n", f"factors:\n  {factor}\n")
    with pytest.raises(BenchError, match="one task and by the same luck"):
        searched("tpe", "{trials: 4}", text=text)


def test_a_search_may_vary_what_is_of_training() -> None:
    assert "train.lr" in searched("tpe", "{trials: 4}").factors


def test_a_limit_of_hundreds_of_digits_is_refused() -> None:
    with pytest.raises(BenchError, match="whole number"):
        searched("tpe", "{trials: 4}", constraints=f"[params <= {'9' * 400}]")


def test_a_latency_of_hundreds_of_digits_is_refused() -> None:
    with pytest.raises(BenchError, match="must be a latency such as `2 ms`"):
        searched("tpe", "{trials: 4, batch: 2}", constraints=f"[latency <= {'9' * 400} s]")


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("{trials: 9, pruner: median, objectives: [accuracy, macs]}", "judges by accuracy alone"),
        ("{trials: 9, pruner: {name: median, warmup: 4}}", r"`warmup` must be less than `train\.epochs`"),
        ("{trials: 9, pruner: {name: hyperband, first: 100}}", r"`first` must be less than `train\.epochs`"),
        ("{trials: 3, pruner: {name: median, startup: 3}}", "`startup` must be less than `trials`"),
    ],
)
def test_a_pruner_that_spoils_or_does_nothing_is_refused(search: str, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        searched("tpe", search, epochs=4)


def test_the_last_epoch_but_one_may_be_a_pruners_first() -> None:
    found = searched("tpe", "{trials: 9, pruner: {name: hyperband, first: 3}}", epochs=4).search
    assert found is not None
    assert found.pruner is not None


@pytest.mark.parametrize("search", ["{trials: 10}", "{trials: 9}", "{trials: 12, population: 12}"])
def test_nsga2_has_a_second_generation(search: str) -> None:
    with pytest.raises(BenchError, match="or there is no second generation"):
        searched("nsga2", search)
    assert searched("nsga2", "{trials: 11}").search is not None
