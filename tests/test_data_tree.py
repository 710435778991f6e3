"""Folders of images that are not as they should be: each is one message, and none is passed over."""

import os
from pathlib import Path

import pytest

from msanet_bench.data import load
from msanet_bench.data.listing import list_tree
from msanet_bench.errors import DataError
from msanet_bench.spec import DataSpec
from test_data_image_folder import _write as write_pets
from test_data_listing import TREE, _touch


def _refusal(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        list_tree(folder)
    return str(caught.value).removeprefix(str(folder))


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_class_folder_without_training_images_is_named_wherever_it_is(part: str, tmp_path: Path) -> None:
    (_touch(tmp_path, *TREE) / part / "cow").mkdir()
    assert _refusal(tmp_path) == ": every class needs training images, but cow has none."


def test_of_many_classes_without_training_images_twenty_are_named(tmp_path: Path) -> None:
    _touch(tmp_path, *TREE, *(f"test/{number:02}/a.png" for number in range(23)))
    assert _refusal(tmp_path).endswith("18, 19, and 3 more has none.")


def test_one_class_is_nothing_to_learn(tmp_path: Path) -> None:
    _touch(tmp_path, "train/cat/1.png", "test/cat/1.png")
    assert _refusal(tmp_path) == ": there must be 2 classes or more, but got only cat."


@pytest.mark.parametrize("name", ["a\nb", "a\x1fb", "a\udcff"])
def test_the_name_of_a_class_is_printable_text(name: str, tmp_path: Path) -> None:
    _touch(tmp_path, *TREE, f"train/{name}/1.png")
    expected = f": the name of a class must be printable text, but got {name!a}."
    assert _refusal(tmp_path).startswith(expected)


def test_other_names_of_classes_and_files_are_taken_as_they_are(tmp_path: Path) -> None:
    odd = ("b, c", "Löwe & <cat>", "|*_`", "汉字")
    names = [f"{part}/{label}/{file}.png" for part in ("train", "test") for label in odd for file in odd]
    listing = list_tree(_touch(tmp_path, *names, "train/b, c/\udcff\n.png"))
    assert set(listing.classes) == set(odd)
    assert len(listing.entries) == len(names) + 1


def test_a_link_that_leads_back_is_named_instead_of_followed_for_ever(tmp_path: Path) -> None:
    (_touch(tmp_path, *TREE) / "train/cat/again").symlink_to("..")
    assert _refusal(tmp_path) == (
        "/train/cat/again/cat: this link leads back to a folder that it lies in. Remove it."
    )


def test_a_link_to_itself_or_to_nothing_is_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    spec = DataSpec(dataset="image_folder", options={"folder": "pets", "size": 8})
    link = write_pets(tmp_path) / "pets/train/cat/link.png"
    for target, why in (("nothing.png", "No such file or directory"), ("link.png", "Too many levels")):
        link.symlink_to(target)
        with pytest.raises(DataError, match=rf"train/cat/link\.png: cannot be read \({why}"):
            load(spec, tmp_path)
        link.unlink()


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(write_pets(tmp_path) / "pets/train/cat/pipe.png")
    with pytest.raises(DataError, match=r"train/cat/pipe\.png: must be a file with an image"):
        load(DataSpec(dataset="image_folder", options={"folder": "pets", "size": 8}), tmp_path)


def test_a_folder_that_may_not_be_read_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by the system's own error, since a test that runs as root may read everything."""
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "cat":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert _refusal(_touch(tmp_path, *TREE)) == "/train/cat: cannot be read (Permission denied)."


def test_classes_that_are_learnt_and_never_asked_for_are_noted(tmp_path: Path) -> None:
    write_pets(tmp_path)
    (tmp_path / "pets/test/dog/a.png").unlink()
    dataset = load(DataSpec(dataset="image_folder", options={"folder": "pets", "size": 8}), tmp_path)
    assert dataset.notes == (
        "image_folder: the val part has no image of cat: nothing is said of them.",
        "image_folder: the test part has no image of dog: nothing is said of them.",
    )
