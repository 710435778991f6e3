"""What is said of image files: as of the same images in the data set, whatever else is among the files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from commands import run_verb
from experiments import write_experiment
from msanet_bench.checks import load_experiment
from msanet_bench.data import load
from msanet_bench.single.evaluate import evaluate_network
from msanet_bench.single.loading import load_checkpoint
from msanet_bench.single.opening import open_run
from msanet_bench.single.predict import predictions
from msanet_bench.single.train import run_to_end
from singles import EVERY_STREAM, opened, options_of

FOLDER = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data: {dataset: image_folder, options: {folder: photos, size: 12}, resize: 8, validation: 0}
train: {epochs: 1, batch_size: 4}
factors:
  attention: [self_attention, none]
seeds: 1
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of grey images, with its test images as files beside it."""
    folder = tmp_path_factory.mktemp("trained")
    run = opened(folder)
    run_to_end(run)
    for number, image in enumerate(load(run.job.settings.data, folder).test_images):
        Image.fromarray(image[0]).save(folder / f"{number:02d}.png")
    return folder


def test_a_file_gives_the_probabilities_of_the_image_in_the_data_set(trained: Path) -> None:
    loaded = load_checkpoint(trained / "network.pt")
    tested = evaluate_network(trained, loaded, trained).probabilities
    files = sorted(trained.glob("*.png"))
    said = list(predictions(loaded, files))
    assert [each.file for each in said] == files
    np.testing.assert_allclose([each.probabilities for each in said], tested, rtol=1e-5)


def test_without_the_normalisation_of_the_training_they_would_be_others(trained: Path) -> None:
    loaded = load_checkpoint(trained / "network.pt")
    (right,) = predictions(loaded, [trained / "00.png"])
    kept = loaded.card.preprocessing.model_copy(update={"mean": (0.0,)})
    card = loaded.card.model_copy(update={"preprocessing": kept})
    (wrong,) = predictions(type(loaded)(loaded.model, card, ()), [trained / "00.png"])
    assert np.abs(np.subtract(right.probabilities, wrong.probabilities)).max() > 1e-3


def test_image_folders_are_read_as_their_cache_was(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for part, count in (("train", 4), ("test", 3)):
        for name in ("cat", "dog"):
            place = tmp_path / "photos" / part / name
            place.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 256, (17, 23, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(place / f"{number}.png")
    experiment = load_experiment(write_experiment(tmp_path, FOLDER))
    run_to_end(open_run(experiment, options_of(tmp_path, data_root=tmp_path)))
    loaded = load_checkpoint(tmp_path / "network.pt")
    tested = evaluate_network(tmp_path, loaded, tmp_path).probabilities
    files = [tmp_path / "photos" / "test" / name / f"{n}.png" for name in ("cat", "dog") for n in range(3)]
    said = [each.probabilities for each in predictions(loaded, files)]
    np.testing.assert_allclose(said, tested, rtol=1e-5)
    assert loaded.card.network_image == (3, 8, 8)


def test_what_cannot_be_decoded_is_named_and_the_others_go_on(trained: Path) -> None:
    (trained / "bad.jpg").write_bytes(b"\xff\xd8 no image")
    outcome = run_verb("predict", "network.pt", "00.png", "bad.jpg", "gone.png", "01.png", cwd=trained)
    assert outcome.code == 1
    assert [line.split()[0] for line in outcome.out.splitlines()] == ["file", "00.png", "01.png"]
    first, second = outcome.err.splitlines()
    assert first == "bad.jpg: cannot be decoded (no known image format)."
    assert second == "gone.png: cannot be decoded (No such file or directory)."


def test_json_has_every_class_of_every_file(trained: Path) -> None:
    outcome = run_verb("predict", "network.pt", "00.png", "01.png", "--json", cwd=trained)
    assert outcome.code == 0
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert [line["file"] for line in lines] == ["00.png", "01.png"]
    for line in lines:
        assert list(line["probabilities"]) == ["0", "1", "2"]
        assert sum(line["probabilities"].values()) == pytest.approx(1)


def test_the_table_names_the_likeliest_classes_in_their_order(trained: Path) -> None:
    loaded = load_checkpoint(trained / "network.pt")
    (said,) = predictions(loaded, [trained / "00.png"])
    order = sorted(range(3), key=lambda number: -said.probabilities[number])
    expected = " ".join(f"{number} {said.probabilities[number]:.2%}" for number in order[:2])
    outcome = run_verb("predict", "network.pt", "00.png", "--top", "2", cwd=trained)
    assert " ".join(outcome.out.splitlines()[1].split()) == f"00.png {expected}"


def test_a_batch_of_files_none_of_which_can_be_read_is_no_defect(trained: Path) -> None:
    loaded = load_checkpoint(trained / "network.pt")
    said = list(predictions(loaded, [trained / "gone.png"] * 20))
    assert [bool(each.reason) for each in said] == [True] * 20


def test_a_file_with_deep_pixels_is_refused_as_in_training(trained: Path) -> None:
    Image.fromarray(np.zeros((8, 8), dtype=np.int32)).save(trained / "deep.tiff")
    (said,) = predictions(load_checkpoint(trained / "network.pt"), [trained / "deep.tiff"])
    assert "must have 8 bits a channel, but got mode I" in said.reason


def test_a_network_of_other_channels_takes_no_image_files(tmp_path: Path) -> None:
    run_to_end(opened(tmp_path, EVERY_STREAM.replace("channels: 1", "channels: 2")))
    Image.new("L", (8, 8)).save(tmp_path / "grey.png")
    (said,) = predictions(load_checkpoint(tmp_path / "network.pt"), [tmp_path / "grey.png"])
    assert said.reason.endswith("an image file has 1 or 3 channels, but 2 are needed.")
    assert torch.get_num_threads() == 1
