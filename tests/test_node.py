import dataclasses
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments import write_experiment
from msanet_bench.cell import Job, run_cell
from msanet_bench.checks import load_experiment
from msanet_bench.data import assemble, load
from msanet_bench.data.dataset import Part, unmapped
from msanet_bench.errors import BenchError
from msanet_bench.executors import Lacking
from msanet_bench.node import data_to_send, run_on_node
from msanet_bench.plan import baseline_settings
from msanet_bench.source_digest import code_digest

HERE = socket.gethostname()


def _job(folder: Path, *, plugins: tuple[str, ...] = ()) -> Job:
    """A cell of images that lie in `folder/data`, with the digest of the code that is loaded here."""
    _write_images(folder / "data" / "noise")
    text = write_experiment(folder).read_text().replace("dataset: fake", "dataset: image_folder")
    text = text.replace(
        "{classes: 3, channels: 1, size: 8, images: 48, test_images: 24}", "{folder: noise, size: 8}"
    )
    settings = baseline_settings(load_experiment(write_experiment(folder, text)))
    return Job(
        key="0" * 16,
        variant="baseline",
        factors={},
        settings=settings,
        seed=0,
        data_digest=load(settings.data, folder / "data").digest,
        code=code_digest((), folder),
        costs={},
        data_root=folder / "data",
        plugins=plugins,
        plugin_folder=folder,
        device="cpu",
        threads=1,
    )


def _write_images(folder: Path, seed: int = 0) -> None:
    draw = np.random.default_rng(seed)
    for place in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for number in range(4):
            pixels = draw.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / place / f"{number}.png")


def test_data_that_were_sent_give_the_record_of_data_that_lie_here(tmp_path: Path) -> None:
    job = _job(tmp_path)
    elsewhere = dataclasses.replace(job, data_root=tmp_path / "nothing")
    here, sent = run_on_node(job, None), run_on_node(elsewhere, data_to_send(job))
    assert here.record.status == "ok", here.traceback
    assert here.record == sent.record == run_cell(job).record


def test_a_node_without_the_data_asks_for_them(tmp_path: Path) -> None:
    job = _job(tmp_path)
    with pytest.raises(Lacking, match=job.data_digest):
        run_on_node(dataclasses.replace(job, data_root=tmp_path / "nothing"), None)


def test_a_node_with_other_data_in_that_place_asks_for_the_right_ones(tmp_path: Path) -> None:
    job = _job(tmp_path)
    _write_images(tmp_path / "old" / "noise", seed=1)
    with pytest.raises(Lacking, match=job.data_digest):
        run_on_node(dataclasses.replace(job, data_root=tmp_path / "old"), None)


def test_what_is_sent_is_in_memory_and_not_a_mapped_file(tmp_path: Path) -> None:
    job = _job(tmp_path)
    mapped, sent = load(job.settings.data, job.data_root), data_to_send(job)
    # ndarray alone goes to another process without a copy, a subclass does not
    assert type(mapped.train_images) is np.memmap
    assert type(sent.train_images) is type(sent.test_images) is np.ndarray
    assert np.array_equal(sent.train_images, mapped.train_images)
    assert (sent.digest, sent.classes) == (mapped.digest, mapped.classes)


def test_an_official_validation_part_is_sent_too() -> None:
    part = Part(np.zeros((2, 1, 4, 4), np.uint8), np.array([0, 1]))
    sent = unmapped(assemble(part, part, ("cat", "dog"), validation=part))
    assert sent.validation_images is not None
    assert np.array_equal(sent.validation_images, part.images)


def test_data_sets_are_equal_by_their_content_so_that_a_second_copy_is_not_prepared_again() -> None:
    def dataset(pixel: int) -> object:
        part = Part(np.full((2, 1, 4, 4), pixel, np.uint8), np.array([0, 1]))
        return assemble(part, part, ("cat", "dog"))

    assert dataset(1) == dataset(1)
    assert hash(dataset(1)) == hash(dataset(1))
    assert dataset(1) != dataset(2)


def test_a_node_with_other_code_is_named_before_it_trains_anything(tmp_path: Path) -> None:
    job = _job(tmp_path)
    with pytest.raises(BenchError, match=f"^node {HERE}: has other code .* than the machine .*{'c' * 16}"):
        run_on_node(dataclasses.replace(job, code="c" * 16), None)


def test_a_node_without_a_plugin_is_named(tmp_path: Path) -> None:
    job = _job(tmp_path, plugins=("lab_blocks.py",))
    with pytest.raises(BenchError, match=rf"^node {HERE}: the plug-in `lab_blocks.py` .*no file {tmp_path}"):
        run_on_node(job, None)
