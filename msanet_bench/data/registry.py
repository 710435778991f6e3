"""The data sets that YAML can name.

@DATASETS.register("my_images")
def my_images(root: Path, *, size: int = 32) -> Dataset: ...
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from msanet_bench.data.dataset import Dataset
from msanet_bench.errors import DataError
from msanet_bench.registry import Registry
from msanet_bench.spec import DataSpec

DatasetFunction: TypeAlias = Callable[..., Dataset]

DATASETS: Registry[DatasetFunction] = Registry("data")


def load(spec: DataSpec, root: Path) -> Dataset:
    """The data set that a spec names; `root` is the folder of `--data-root`.

    Raises:
        DataError: the name or an option is unknown, or the data are missing or damaged.
    """
    problems = list(DATASETS.problems(spec.dataset, spec.options))
    if problems:
        raise DataError("\n".join(f"data.{_place(option)}: {message}" for option, message in problems))
    return DATASETS[spec.dataset](root, **spec.options)


def _place(option: str | None) -> str:
    return "dataset" if option is None else f"options.{option}"
