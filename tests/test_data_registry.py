"""Data sets by name, their options checked before anything is read."""

from pathlib import Path

import pytest

from msanet_bench.data import DATASETS, load
from msanet_bench.errors import DataError
from msanet_bench.spec import DataSpec


def test_the_data_sets_are_registered() -> None:
    assert list(DATASETS) == [
        "cifar10",
        "control_global_mean",
        "control_local",
        "control_long_range",
        "control_noise",
        "control_texture_scale",
        "digits",
        "fake",
        "fashion_mnist",
        "image_folder",
    ]


def test_a_data_set_is_loaded_with_its_options(tmp_path: Path) -> None:
    options = {"classes": 3, "channels": 1, "size": 8, "images": 12, "test_images": 6}
    dataset = load(DataSpec(dataset="fake", options=options), tmp_path)
    assert dataset.train_images.shape == (12, 1, 8, 8)
    assert dataset.test_images.shape == (6, 1, 8, 8)
    assert dataset.classes == ("0", "1", "2")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            DataSpec(dataset="digit"),
            (
                "data.dataset: unknown data entry `digit`. Did you mean 'digits'? "
                "Known: cifar10, control_global_mean, control_local, control_long_range, control_noise, "
                "control_texture_scale, digits, fake, fashion_mnist, image_folder."
            ),
        ),
        (
            DataSpec(dataset="fashion_mnist", options={"downlod": True}),
            (
                "data.options.downlod: unknown option of 'fashion_mnist'. "
                "Did you mean 'download'? Known: download."
            ),
        ),
    ],
)
def test_an_unknown_name_is_reported_with_a_suggestion(spec: DataSpec, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(spec, tmp_path)
    assert str(caught.value) == message


def test_every_wrong_option_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(DataSpec(dataset="fake", options={"classes": 1, "size": "8"}), tmp_path)
    places = [line.partition(":")[0] for line in str(caught.value).splitlines()]
    assert places == ["data.options.classes", "data.options.size"]
