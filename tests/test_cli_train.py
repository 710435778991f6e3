"""`train` as it is called: what it prints, where it writes, how it ends."""

import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import msanet_bench.single.train
from commands import run_verb
from experiments import write_experiment
from msanet_bench.single.checkpoint import read_checkpoint
from msanet_bench.single.opening import default_checkpoint
from singles import EVERY_STREAM, opened
from test_single_train import begun


def test_a_run_tells_of_every_epoch_and_of_the_test(tmp_path: Path) -> None:
    write_experiment(tmp_path, EVERY_STREAM)
    outcome = run_verb("train", "tiny.yaml", "--variant", "attention=se", "--seed", "3", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    *epochs, tested, file = outcome.out.splitlines()
    card = read_checkpoint(tmp_path / "checkpoints" / "tiny" / "attention=se.seed-3.pt").card
    assert [line.partition(":")[0] for line in epochs] == [f"epoch {number}/4" for number in range(1, 5)]
    assert f"accuracy {card.measures['accuracy']['value']:.2%}" in tested
    assert file == "Checkpoint: checkpoints/tiny/attention=se.seed-3.pt"


def test_names_of_variants_become_names_of_files() -> None:
    path = default_checkpoint("x", "attention={a/b: 'c d'},depth=1+2", 0)
    assert path == Path("checkpoints/x/attention=_a_b___c_d__,depth=1+2.seed-0.pt")
    assert len(default_checkpoint("x", "a" * 500, 0).name) < 200


def test_resuming_says_what_is_there_and_trains_the_rest(tmp_path: Path) -> None:
    begun(tmp_path, 3)
    command = ("train", "tiny.yaml", "--out", "network.pt", "--resume", "--device", "cpu")
    outcome = run_verb(*command, cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("network.pt: 3 of 4 epochs are there.\nepoch 4/4: ")
    again = run_verb(*command, cwd=tmp_path)
    assert again.out.startswith("network.pt: 4 of 4 epochs are there.\ntest images: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variant", "attention=see"], "no variant `attention=see`. Did you mean 'attention=se'?"),
        (["--init", "gone.pt"], "gone.pt: cannot be read (No such file or directory)."),
        (["--device", "tpu"], "--device: must be auto, cpu, cuda or cuda:N, but got 'tpu'"),
    ],
)
def test_what_is_not_in_order_is_one_message(tmp_path: Path, arguments: list[str], message: str) -> None:
    write_experiment(tmp_path, EVERY_STREAM)
    outcome = run_verb("train", "tiny.yaml", *arguments, cwd=tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(message)
    assert not (tmp_path / "checkpoints").exists()


def test_a_run_that_came_to_no_network_ends_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lack(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(msanet_bench.single.train, "fit", lack)
    write_experiment(tmp_path, EVERY_STREAM)
    outcome = run_verb("train", "tiny.yaml", cwd=tmp_path)
    assert outcome.code == 1
    assert outcome.err == "baseline seed 0: out of memory: MemoryError\n"


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(msanet_bench.single.train, "fit", stop)
    write_experiment(tmp_path, EVERY_STREAM)
    outcome = run_verb("train", "tiny.yaml", "--out", "network.pt", cwd=tmp_path)
    assert outcome.code == 130
    assert outcome.err.startswith("Stopped.\n")
    monkeypatch.undo()
    begun(tmp_path, 1)
    monkeypatch.setattr(msanet_bench.single.train, "fit", stop)
    outcome = run_verb(
        "train", "tiny.yaml", "--out", "network.pt", "--resume", "--device", "cpu", cwd=tmp_path
    )
    assert outcome.code == 130
    assert outcome.err.startswith("Stopped. What network.pt has is kept: --resume goes on with it.\n")


def logged(folder: Path) -> dict[str, dict[int, float]]:
    """What TensorBoard itself reads."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: {e.step: e.value for e in events.Scalars(tag)} for tag in events.Tags()["scalars"]}


def test_tensorboard_reads_the_curve_of_a_run_that_was_stopped_and_resumed(tmp_path: Path) -> None:
    begun(tmp_path, 2)
    command = ("train", "tiny.yaml", "--tensorboard", "log", "--device", "cpu")
    whole = run_verb(*command, "--out", "whole.pt", cwd=tmp_path)
    assert whole.code == 0, whole.err
    resumed = run_verb(*command, "--out", "network.pt", "--resume", cwd=tmp_path)
    assert resumed.code == 0, resumed.err
    curve = read_checkpoint(tmp_path / "network.pt").card.curve
    for tag, field in {
        "loss/train": "train_loss",
        "loss/validation": "validation_loss",
        "accuracy/validation": "validation_accuracy",
        "lr": "lr",
    }.items():
        assert logged(tmp_path / "log")[tag] == pytest.approx({row["epoch"]: row[field] for row in curve})


def test_without_tensorboard_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    write_experiment(tmp_path, EVERY_STREAM)
    outcome = run_verb("train", "tiny.yaml", "--tensorboard", "log", cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.err == (
        "--tensorboard: needs TensorBoard. Install it: pip install 'msanet-bench[tensorboard]'\n"
    )
    assert opened(tmp_path).card.epochs == 0
