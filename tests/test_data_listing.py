"""Which files a folder tree or a table names; what is refused, word for word."""

from pathlib import Path

import pytest

from msanet_bench.data.listing import Entry, list_table, list_tree
from msanet_bench.errors import DataError

TREE = ("train/cat/2.png", "train/cat/1.png", "train/dog/deep/1.png", "test/dog/1.png", "val/cat/1.png")


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def _table(folder: Path, text: str) -> Path:
    (folder / "images.csv").write_text(text, encoding="utf-8")
    return folder / "images.csv"


def test_a_tree_is_listed_in_a_fixed_order_without_hidden_and_classless_files(tmp_path: Path) -> None:
    _touch(tmp_path, *TREE, "train/cat/.DS_Store", ".cache/a/b.png", "LICENSE", "train/README")
    listing = list_tree(tmp_path)
    assert listing.entries == (
        Entry("test", "dog", "test/dog/1.png"),
        Entry("train", "cat", "train/cat/1.png"),
        Entry("train", "cat", "train/cat/2.png"),
        Entry("train", "dog", "train/dog/deep/1.png"),
        Entry("val", "cat", "val/cat/1.png"),
    )
    assert listing.classes == ("cat", "dog")


def test_linked_folders_are_followed(tmp_path: Path) -> None:
    _touch(tmp_path / "elsewhere", *TREE)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train").symlink_to(tmp_path / "elsewhere" / "train")
    (tmp_path / "data" / "test").mkdir()
    (tmp_path / "data" / "test" / "dog").symlink_to(tmp_path / "elsewhere" / "test" / "dog")
    assert len(list_tree(tmp_path / "data").entries) == 4


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("train/cat/1.png",),
            (
                "the test part has no image. Give it one as {train,val,test}/<class>/<image> "
                "or in the table's column split; a fixed test part makes results comparable."
            ),
        ),
        (
            (*TREE, "valid/cat/1.png"),
            "must hold {train,val,test}/<class>/<image> and no other folder, but got valid.",
        ),
        ((*TREE, "test/cow/1.png"), "every class needs training images, but cow has none."),
    ],
)
def test_a_tree_of_another_layout_is_refused(names: tuple[str, ...], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        list_tree(_touch(tmp_path, *names))
    assert str(caught.value) == f"{tmp_path}: {message}"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none: no such folder\. It must hold"):
        list_tree(tmp_path / "none")


def test_a_table_is_listed_relative_to_itself(tmp_path: Path) -> None:
    table = _table(
        tmp_path, "label,path,split,note\ncat,a/1.png,train,x\ndog,2.png,train,\ncat,3.png,test,\n"
    )
    listing = list_table(table)
    assert listing.folder == tmp_path
    assert [entry.name for entry in listing.part("train")] == ["a/1.png", "2.png"]
    assert listing.part("test") == [Entry("test", "cat", "3.png")]
    assert listing.part("val") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path,label,split\n1.png,cat,train\n2.png,cat,validation\n",
            (
                "{table}:3: needs the columns path, label and split (one of train, test, val), "
                "but got (path=2.png, label=cat, split=validation)."
            ),
        ),
        (
            "file,label,split\n1.png,cat,train\n",
            (
                "{table}:2: needs the columns path, label and split (one of train, test, val), "
                "but got (file=1.png, label=cat, split=train)."
            ),
        ),
        (
            "path,label,split\n1.png,cat,train\na/../../1.png,cat,test\n",
            (
                "{table}:3: a path must be relative to the table and stay in its folder, "
                "but got (path=a/../../1.png)."
            ),
        ),
        (
            "path,label,split\n/pets/1.png,cat,train\n",
            (
                "{table}:2: a path must be relative to the table and stay in its folder, "
                "but got (path=/pets/1.png)."
            ),
        ),
        (
            "path,label,split\n1.png,cat,train\n1.png,cat,test\n",
            "{folder}: every image must be named once, but 1.png is named again.",
        ),
        (
            "path,label,split\n1.png,cat,test\n",
            (
                "{folder}: the train part has no image. Give it one as {{train,val,test}}/<class>/<image> "
                "or in the table's column split; a fixed test part makes results comparable."
            ),
        ),
    ],
    ids=["split", "column", "above", "absolute", "twice", "no training"],
)
def test_a_wrong_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    table = _table(tmp_path, text)
    with pytest.raises(DataError) as caught:
        list_table(table)
    assert str(caught.value) == message.format(table=table, folder=tmp_path)


@pytest.mark.parametrize(
    "content", [None, b"path,label,split\n\xff\xfe,cat,train\n"], ids=["missing", "binary"]
)
def test_an_unreadable_table_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "images.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"images\.csv: cannot be read as a CSV table"):
        list_table(tmp_path / "images.csv")
