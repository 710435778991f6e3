"""Files of networks: nothing of them is run, none is half written, and what they lack is said."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import msanet_bench as mb
from msanet_bench.errors import BenchError, ResultsError
from msanet_bench.single import loading
from msanet_bench.single.checkpoint import MARK, read_checkpoint, write_checkpoint
from msanet_bench.single.loading import load_checkpoint
from msanet_bench.single.train import run_to_end
from singles import EVERY_STREAM, bits, opened

PLUGIN = """
from torch import nn
from msanet_bench.model.slots import ATTENTION

@ATTENTION.register("mine")
class Mine(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x + self.conv(x)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    run_to_end(opened(folder))
    return folder / "network.pt"


def changed(trained: Path, to: Path, **changes: Any) -> Path:
    """A copy of a checkpoint with some of its entries replaced."""
    content = torch.load(trained, weights_only=True)
    torch.save({**content, **changes}, to / "changed.pt")
    return to / "changed.pt"


def card_with(trained: Path, pattern: str, replacement: str) -> str:
    text: str = torch.load(trained, weights_only=True)[MARK]
    changed_text, count = re.subn(pattern, replacement, text)
    assert count == 1
    return changed_text


def plain(value: object) -> bool:
    """Whether a value is made of tensors and what JSON has alone."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str | int) and plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(plain, value))
    return value is None or isinstance(value, torch.Tensor | str | int | float | bool)


def test_a_checkpoint_says_where_it_comes_from(trained: Path) -> None:
    card = read_checkpoint(trained).card
    assert (card.name, card.variant, card.seed) == ("tiny", "baseline", 0)
    assert card.classes == ("0", "1", "2")
    assert card.image == card.network_image == (1, 8, 8)
    assert card.experiment["data"]["options"]["images"] == 48
    assert card.experiment["train"]["momentum"] == 0.9  # defaults are filled in
    assert card.factors == {"attention": "self_attention"}
    assert len(card.data_digest) == len(card.key) == len(card.stretches[0].code) == 16
    assert card.epochs == 4


def test_it_holds_tensors_and_plain_values_alone(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_to_end(opened(tmp_path), [_interrupt])
    content = torch.load(tmp_path / "network.pt", weights_only=True)
    assert content["progress"] is not None
    assert plain(content)


def _interrupt(_: object) -> None:
    raise KeyboardInterrupt


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_code_in_a_file_is_refused_and_not_run(trained: Path, tmp_path: Path) -> None:
    file = changed(trained, tmp_path, weights=Evil(tmp_path / "struck"))
    with pytest.raises(BenchError, match="must hold tensors and plain values that torch saved, but does not"):
        load_checkpoint(file)
    assert not (tmp_path / "struck").exists()
    torch.load(file, weights_only=False)  # that it would have struck
    assert (tmp_path / "struck").exists()


def test_a_file_that_ends_early_is_damaged(trained: Path, tmp_path: Path) -> None:
    whole = trained.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "part.pt").write_bytes(whole[:length])
        with pytest.raises(BenchError, match=r"part\.pt: must hold tensors .* or is damaged"):
            load_checkpoint(tmp_path / "part.pt")


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "state.pt")
    (tmp_path / "text.pt").write_text("hello", encoding="utf-8")
    for name, message in {
        "list.pt": "must hold tensors by name, but holds a list",
        "state.pt": "is no checkpoint of msanet_bench",
        "text.pt": "must hold tensors and plain values",
        "missing.pt": r"cannot be read \(No such file or directory\)",
    }.items():
        with pytest.raises(BenchError, match=rf"{name}: {message}"):
            load_checkpoint(tmp_path / name)


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        ('"schema_version":1', '"schema_version":2', "schema_version: Input should be 1"),
        ('"classes":', '"kinds":', "classes: Field required"),
        (
            r'"width":0\.125,"depth"',
            '"width":-1,"depth"',
            "settings.model.width: Input should be greater than 0",
        ),
    ],
)
def test_a_newer_or_damaged_card_is_refused(
    trained: Path, tmp_path: Path, pattern: str, replacement: str, reason: str
) -> None:
    text: str = torch.load(trained, weights_only=True)[MARK]
    file = changed(trained, tmp_path, **{MARK: re.sub(pattern, replacement, text)})
    with pytest.raises(
        BenchError, match=rf"is damaged, or was written by a newer version \({re.escape(reason)}"
    ):
        load_checkpoint(file)


def test_weights_that_do_not_fit_are_named(trained: Path, tmp_path: Path) -> None:
    weights = dict(read_checkpoint(trained).weights)
    weights["head.classifier.bias"] = torch.zeros(5)
    with pytest.raises(
        BenchError, match=r"do not fit the network .* size mismatch for head\.classifier\.bias"
    ):
        load_checkpoint(changed(trained, tmp_path, weights=weights))


def test_a_block_that_is_gone_is_named(trained: Path, tmp_path: Path) -> None:
    text = card_with(trained, r'(?<="settings":\{"model":\{"stem":\{"block":)"small"', '"gone"')
    with pytest.raises(BenchError, match=r"this code cannot build its network: stem: .*gone"):
        load_checkpoint(changed(trained, tmp_path, **{MARK: text}))


def test_other_code_and_an_early_end_are_noted(trained: Path, tmp_path: Path) -> None:
    assert load_checkpoint(trained).notes == ()
    text = card_with(trained, r'"stretches":\[\{"code":"\w+"', '"stretches":[{"code":"abc"')
    (note,) = load_checkpoint(changed(trained, tmp_path, **{MARK: text})).notes
    assert "was trained by other code of model, data or training (abc; here " in note
    text = card_with(trained, r'"measures":\{.*?\}\}', '"measures":{}')
    (note,) = load_checkpoint(changed(trained, tmp_path, **{MARK: text})).notes
    assert note.endswith("its training is not at its end (4 of 4 epochs).")


def test_plugins_are_imported_only_from_a_folder_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN, encoding="utf-8")
    text = EVERY_STREAM.replace("depth: [1]", "depth: [1], attention: mine") + "plugins: [mine.py]\n"
    run_to_end(opened(tmp_path, text))
    loaded = load_checkpoint(tmp_path / "network.pt", plugins=tmp_path)
    assert type(loaded.model.stages[0].blocks[0].attention).__name__ == "Mine"
    asked: list[object] = []
    monkeypatch.setattr(loading, "load_plugins", lambda names, _: asked.extend(names))
    with pytest.raises(
        BenchError, match=r"was trained with the plug-ins mine\.py\. They are code, which runs"
    ):
        load_checkpoint(tmp_path / "network.pt")
    assert asked == []


def test_the_python_face_gives_the_network_ready_to_be_asked(trained: Path) -> None:
    state = torch.get_rng_state()
    network = mb.load_checkpoint(trained)
    assert torch.equal(torch.get_rng_state(), state)
    assert isinstance(network.model, nn.Module)
    assert not network.model.training
    assert bits(network.model.state_dict()) == bits(dict(read_checkpoint(trained).weights))
    assert network.model(torch.zeros(2, 1, 8, 8)).shape == (2, len(network.classes))
    assert len(network.preprocessing.mean) == 1


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_disk_that_refuses_leaves_the_old_checkpoint(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "network.pt"
    file.write_bytes(trained.read_bytes())

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, step, refuse)
    with pytest.raises(ResultsError, match=r"network\.pt: cannot be written \(No space left on device\)"):
        write_checkpoint(file, read_checkpoint(trained))
    assert file.read_bytes() == trained.read_bytes()
