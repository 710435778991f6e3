"""The reference pages, made from the code: `pytest --update-golden tests/test_reference.py` writes them."""

from collections.abc import Callable, Mapping

from reference.blocks import blocks_page
from reference.columns import columns_page
from reference.experiment import experiment_page
from reference.verbs import verbs_page

PAGES: Mapping[str, Callable[[], str]] = {
    "verbs.md": verbs_page,
    "experiment.md": experiment_page,
    "blocks.md": blocks_page,
    "columns.md": columns_page,
}
