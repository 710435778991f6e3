"""Images that cannot be decoded: refused with their names, or left out on purpose and told of everywhere."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import run_verb
from msanet_bench.checks import catalog
from msanet_bench.data import image_folder, load
from msanet_bench.errors import DataError
from msanet_bench.overlay import Settings
from msanet_bench.plan import cell_key, resolved
from msanet_bench.spec import DataSpec

EXPERIMENT = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data: {dataset: image_folder, options: {folder: pets, size: 8CORRUPT}, validation: 0}
train: {epochs: 1, batch_size: 8, lr: 1e-2}
factors: {attention: [self_attention, none]}
seeds: 1
measure: {latency_rounds: 0}
"""


def _spec(**options: str) -> DataSpec:
    return DataSpec(dataset="image_folder", options={"folder": "pets", "size": 8, **options})


def _write(root: Path) -> Path:
    """Four images of two classes in two parts, beside a broken one and an odd one: 18 files."""
    draw = np.random.default_rng(0)
    for place in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (root / "pets" / place).mkdir(parents=True)
        for number in range(4):
            pixels = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "pets" / place / f"{number}.png")
    (root / "pets/train/dog/2b.png").write_text("no image")
    (root / "pets/test/cat/with\nline.png").touch()
    return root


def test_by_default_they_are_refused_with_count_names_reasons_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(_spec(), _write(tmp_path))
    (cache,) = (tmp_path / ".msanet_cache").iterdir()
    assert str(caught.value).splitlines() == [
        (
            f"{tmp_path}/pets: 2 of 18 images cannot be decoded. Mend or remove them, or leave them out "
            "(data.options.corrupt: skip), for which nothing is decoded again. All are named in "
            f"{cache}/corrupt.json:"
        ),
        "train/dog/2b.png (no known image format)",
        "'test/cat/with\\nline.png' (empty file)",
    ]


def test_of_many_twenty_are_named_and_all_are_counted(tmp_path: Path) -> None:
    _write(tmp_path)
    for number in range(23):
        (tmp_path / f"pets/train/cat/x{number:02}.png").touch()
    with pytest.raises(DataError) as caught:
        load(_spec(), tmp_path)
    first, *named = str(caught.value).splitlines()
    assert "25 of 41 images" in first
    assert len(named) == 21
    assert named[-1] == "and 5 more"
    (cache,) = (tmp_path / ".msanet_cache").iterdir()
    assert len(json.loads((cache / "corrupt.json").read_text())) == 25


def test_left_out_on_purpose_the_data_are_those_of_a_folder_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    (tmp_path / "there/pets/train/dog/2b.png").unlink()
    (tmp_path / "there/pets/test/cat/with\nline.png").unlink()
    with pytest.raises(DataError):
        load(_spec(), tmp_path / "here")
    whole = load(_spec(), tmp_path / "there")
    monkeypatch.setattr(image_folder, "build_cache", lambda *_: pytest.fail("decoded again"))
    left = load(_spec(corrupt="skip"), tmp_path / "here")
    assert left.digest == whole.digest
    assert np.array_equal(left.train_images, whole.train_images)
    assert left.train_labels.tolist() == whole.train_labels.tolist() == [0] * 4 + [1] * 4
    assert left.test_labels.tolist() == whole.test_labels.tolist()
    assert whole.notes == ()
    (note,) = left.notes
    assert note == (
        "image_folder: 2 of 18 images cannot be decoded and are left out (1 of test, 1 of train): "
        "train/dog/2b.png, 'test/cat/with\\nline.png'."
    )


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("train/dog", "every class needs training images, but dog has none."),
        ("test", "no image of the test part can be decoded."),
    ],
)
def test_a_class_or_a_part_of_which_nothing_is_left_is_refused(
    place: str, message: str, tmp_path: Path
) -> None:
    for image in (_write(tmp_path) / "pets" / place).rglob("*.png"):
        image.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        load(_spec(corrupt="skip"), tmp_path)
    assert str(caught.value) == f"{tmp_path}/pets: {message}"


def test_the_option_changes_no_key() -> None:
    """A cell of images that are all whole keeps the key that it had before there was the option."""
    plain, asked = (Settings(data=_spec(**options)) for options in ({}, {"corrupt": "refuse"}))
    assert resolved(plain, catalog())["data"]["options"] == {"folder": "pets", "size": 8, "table": ""}
    # of the version before: `git show cf00f5d`, the same call
    assert (
        cell_key(plain, 0, "0" * 16, catalog())
        == cell_key(asked, 0, "0" * 16, catalog())
        == "b2e688d4a5572b9d"
    )


def _experiment(folder: Path, corrupt: str = "") -> Path:
    path = folder / "pets.yaml"
    path.write_text(EXPERIMENT.replace("CORRUPT", corrupt), encoding="utf-8")
    return path


def test_check_refuses_with_exit_code_2_and_no_traceback(tmp_path: Path) -> None:
    _write(tmp_path / "data")
    code, _, err = run_verb("check", _experiment(tmp_path), cwd=tmp_path)
    assert code == 2
    assert "2 of 18 images cannot be decoded" in err
    assert "Traceback" not in err


def test_check_tells_what_was_left_out(tmp_path: Path) -> None:
    _write(tmp_path / "data")
    outcome = run_verb("check", _experiment(tmp_path, ", corrupt: skip"), cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "note: image_folder: 2 of 18 images cannot be decoded and are left out" in outcome.out


def test_a_single_run_tells_it_too(tmp_path: Path) -> None:
    _write(tmp_path / "data")
    trained = run_verb("train", _experiment(tmp_path, ", corrupt: skip"), cwd=tmp_path)
    assert trained.code == 0, trained.err
    assert "note: image_folder: 2 of 18 images" in trained.out
