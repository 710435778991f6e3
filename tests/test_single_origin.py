"""Weights to begin with: ours, the article's, and what is drawn anew."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.errors import BenchError
from msanet_bench.model.article import article_name
from msanet_bench.model.build import build
from msanet_bench.single.checkpoint import read_checkpoint
from msanet_bench.single.origin import last_layer, load_given, read_given
from msanet_bench.single.train import run_to_end
from msanet_bench.spec import BlockSpec, ModelSpec
from singles import EVERY_STREAM, bits, opened
from test_model_article import REFERENCE, _images, _weights

SPEC = ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1,))


def model_of(classes: int = 3, **changes: Any) -> nn.Module:
    torch.manual_seed(0)
    return build(SPEC.model_copy(update=changes), num_classes=classes, in_channels=1)


def random_weights(model: nn.Module) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.rand(value.shape, generator=generator).to(value.dtype)
        for name, value in model.state_dict().items()
    }


def saved(folder: Path, content: object) -> Path:
    torch.save(content, folder / "given.pt")
    return folder / "given.pt"


def articles(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {article_name(name): value for name, value in weights.items()}


@pytest.mark.parametrize(
    "wrap", [dict, lambda state: {"state_dict": state, "epoch": 3}, lambda s: {"model": s}]
)
@pytest.mark.parametrize("kind", ["state_dict", "article"])
def test_a_state_dict_of_either_code_is_loaded_whole(tmp_path: Path, wrap: Any, kind: str) -> None:
    weights = random_weights(model_of())
    named = weights if kind == "state_dict" else articles(weights)
    model = model_of()
    origin = load_given(model, read_given(saved(tmp_path, wrap(named))), redraw_last_layer=False)
    assert bits(model.state_dict()) == bits(weights)
    assert (origin.kind, origin.redrawn) == (kind, ())


@torch.no_grad()
def test_the_articles_own_checkpoint_gives_the_articles_logits(tmp_path: Path) -> None:
    case = REFERENCE["model_num_classes_10"][0]
    model = build(ModelSpec(), num_classes=10).double().eval()
    given = read_given(saved(tmp_path, _weights(REFERENCE["state_dict"])))
    assert load_given(model, given, redraw_last_layer=False).kind == "article"
    expected = torch.tensor(case["logits"], dtype=torch.float64)
    torch.testing.assert_close(model(_images(case["input"])), expected, rtol=1e-9, atol=0)


def test_names_of_a_network_that_was_trained_in_parallel_are_known(tmp_path: Path) -> None:
    weights = random_weights(model_of())
    parallel = {f"module.{name}": value for name, value in articles(weights).items()}
    model = model_of()
    load_given(model, read_given(saved(tmp_path, parallel)), redraw_last_layer=False)
    assert bits(model.state_dict()) == bits(weights)


def test_other_classes_are_refused_unless_the_last_layer_may_be_redrawn(tmp_path: Path) -> None:
    weights = random_weights(model_of(classes=7))
    model = model_of()
    start = {name: value.clone() for name, value in model.state_dict().items()}
    given = read_given(saved(tmp_path, articles(weights)))
    message = (
        "was trained for 7 classes, but the data have 3. --redraw-last-layer draws head.classifier.weight, "
        "head.classifier.bias from the seed and takes the rest."
    )
    with pytest.raises(BenchError, match=re.escape(message)):
        load_given(model, given, redraw_last_layer=False)
    origin = load_given(model, given, redraw_last_layer=True)
    last = ("head.classifier.weight", "head.classifier.bias")
    assert origin.redrawn == last
    assert bits(model.state_dict()) == bits(
        {name: start[name] if name in last else value for name, value in weights.items()}
    )


def test_a_last_layer_that_fits_is_taken_even_if_it_may_be_redrawn(tmp_path: Path) -> None:
    weights = random_weights(model_of())
    model = model_of()
    origin = load_given(model, read_given(saved(tmp_path, weights)), redraw_last_layer=True)
    assert origin.redrawn == ()
    assert bits(model.state_dict()) == bits(weights)


@pytest.mark.parametrize(
    "changes", [{"attention": BlockSpec(block="none")}, {"width": 0.25}, {"depth": (2,)}]
)
def test_weights_of_another_network_are_refused_with_what_does_not_fit(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    given = read_given(saved(tmp_path, articles(random_weights(model_of()))))
    with pytest.raises(BenchError, match=r"given\.pt: does not fit the network of this variant\. .*stage1"):
        load_given(model_of(**changes), given, redraw_last_layer=True)


def test_weights_by_our_names_that_do_not_fit_are_told_by_our_names(tmp_path: Path) -> None:
    weights = random_weights(model_of(attention=BlockSpec(block="none")))
    message = r"does not fit .*Missing key.* \"stages\.0\.blocks\.0\.attention\.gamma\""
    with pytest.raises(BenchError, match=message):
        load_given(model_of(), read_given(saved(tmp_path, weights)), redraw_last_layer=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weight": 3}, "must hold the weights of a network as tensors by name, but `weight` is none"),
        ({}, "must hold the weights of a network as tensors by name, but it is empty"),
    ],
)
def test_a_file_without_weights_is_refused(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(BenchError, match=re.escape(message)):
        read_given(saved(tmp_path, content))


def test_the_last_layer_is_found_whatever_it_is_called() -> None:
    plain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 5))
    assert last_layer(plain) == ["2.weight", "2.bias"]
    assert last_layer(nn.Linear(2, 5)) == ["weight", "bias"]


def test_a_run_begins_with_the_weights_of_a_checkpoint_and_says_so(tmp_path: Path) -> None:
    run_to_end(opened(tmp_path))
    first = tmp_path / "network.pt"
    later = tmp_path / "later.pt"
    card = run_to_end(opened(tmp_path, seed=1, init=first, out=later))
    plain = run_to_end(opened(tmp_path, seed=1, out=tmp_path / "plain.pt"))
    assert card.key == plain.key
    assert card.curve[0]["train_loss"] < plain.curve[0]["train_loss"] - 0.1
    assert card.init is not None
    assert (card.init.kind, plain.init) == ("checkpoint", None)
    assert read_checkpoint(later).card == card


def test_a_run_that_began_with_weights_goes_on_with_them(tmp_path: Path) -> None:
    run_to_end(opened(tmp_path))
    first, other, later = tmp_path / "network.pt", tmp_path / "other.pt", tmp_path / "later.pt"
    torch.save(dict(read_checkpoint(first).weights), other)
    quiet = run_to_end(opened(tmp_path, seed=1, init=first, out=tmp_path / "quiet.pt"))
    with pytest.raises(KeyboardInterrupt):
        run_to_end(opened(tmp_path, seed=1, init=first, out=later), [_interrupt])
    with pytest.raises(BenchError, match=r"later\.pt: did not begin with the weights of .*other\.pt"):
        opened(tmp_path, seed=1, init=other, out=later, resume=True)
    assert run_to_end(opened(tmp_path, seed=1, init=first, out=later, resume=True)) == quiet


def _interrupt(_: object) -> None:
    raise KeyboardInterrupt


def test_other_classes_are_met_before_the_first_step(tmp_path: Path) -> None:
    run_to_end(opened(tmp_path))
    text = EVERY_STREAM.replace("classes: 3", "classes: 4")
    run = opened(tmp_path, text, init=tmp_path / "network.pt", out=tmp_path / "later.pt")
    with pytest.raises(BenchError, match="was trained for 3 classes, but the data have 4"):
        run_to_end(run)
    assert not (tmp_path / "later.pt").exists()
