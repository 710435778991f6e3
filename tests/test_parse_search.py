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
