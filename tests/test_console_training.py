"""What is seen of a training run: curves in a terminal, a line an epoch in a pipe."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from msanet_bench.console import training
from msanet_bench.console.curves import curve_rows
from msanet_bench.console.training import epoch_text, picture, training_shown

CURVE = [
    {"epoch": 1, "train_loss": 2.0, "validation_accuracy": 0.25, "validation_loss": 2.5, "lr": 0.1},
    {"epoch": 2, "train_loss": 1.0, "validation_accuracy": 0.5, "validation_loss": 1.5, "lr": 0.1},
]


def dots(rows: list[str]) -> list[str]:
    """The rows dot by dot, by the numbering of Unicode: 1 2 3 7 down the left, 4 5 6 8 down the right."""
    left, right = (0, 1, 2, 6), (3, 4, 5, 7)
    lines = []
    for row in rows:
        bits = [ord(character) - 0x2800 for character in row]
        for number in range(4):
            pairs = (f"{b >> left[number] & 1}{b >> right[number] & 1}" for b in bits)
            lines.append("".join(pairs).replace("0", ".").replace("1", "#"))
    return lines


def test_a_falling_line_goes_from_the_top_left_to_the_bottom_right() -> None:
    assert dots(curve_rows([1.0, 0.0], width=2, height=1)) == ["#...", ".#..", "..#.", "...#"]


def test_a_curve_turns_where_its_value_does() -> None:
    assert dots(curve_rows([0.0, 3.0, 0.0], width=3, height=1)) == ["..#...", ".#.#..", ".#..#.", "#....#"]


def test_equal_values_lie_at_the_bottom_and_one_value_is_one_dot() -> None:
    assert dots(curve_rows([5.0, 5.0], width=1, height=1)) == ["..", "..", "..", "##"]
    assert dots(curve_rows([5.0], width=1, height=1)) == ["..", "..", "..", "#."]


def test_more_epochs_than_dots_still_fill_the_width_alone() -> None:
    rows = curve_rows([float(number % 7) for number in range(1000)], width=10, height=3)
    assert [len(row) for row in rows] == [10] * 3


def test_a_line_names_the_epoch_and_what_is_known_of_it() -> None:
    assert epoch_text(CURVE[0], 12) == (
        "epoch  1/12: training loss 2.0000, validation loss 2.5000, validation accuracy 25.00%"
    )
    assert epoch_text({"epoch": 3, "train_loss": 0.5, "lr": 1.0}, 3) == "epoch 3/3: training loss 0.5000"


def drawn(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, height=40)
    console.print(picture("baseline seed 0", CURVE, 10, 1.5, width))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_picture_has_a_curve_for_each_number_with_its_range() -> None:
    lines = drawn(120).splitlines()
    assert lines[0].rstrip() == "baseline seed 0: epoch 2 of 10, 1.5 s each, 12s left"
    assert re.split(r" {2,}", lines[1].strip()) == [
        "training loss 1.0000",
        "validation loss 1.5000",
        "validation accuracy 50.00%",
    ]
    assert [word for word in ("2.0000", "2.5000", "50.00%") if word in lines[2]] == [
        "2.0000",
        "2.5000",
        "50.00%",
    ]
    assert [word for word in ("1.0000", "1.5000", "25.00%") if word in lines[9]] == [
        "1.0000",
        "1.5000",
        "25.00%",
    ]
    assert len(lines) == 10


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_the_picture_fits_its_terminal(width: int) -> None:
    assert max(map(len, drawn(width).splitlines())) <= width


def test_a_pipe_gets_a_line_an_epoch_and_a_terminal_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    for is_terminal in (False, True):
        file = io.StringIO()
        console = Console(file=file, width=100, force_terminal=is_terminal)
        monkeypatch.setattr(training, "open_console", lambda console=console: console)
        with training_shown("baseline seed 0", 2, CURVE[:1]) as show:
            show(CURVE[1])
        shown[is_terminal] = file.getvalue()
    assert re.fullmatch(r"epoch 2/2: training loss 1\.0000, .*50\.00% \(\d+\.\d s\)\n", shown[False])
    assert "epoch 2 of 2" in shown[True]
    assert any(0x2800 < ord(character) <= 0x28FF for character in shown[True])


def test_the_dots_are_those_of_a_file_in_ascii() -> None:
    source = Path(training.__file__).with_name("curves.py").read_bytes()
    assert source.isascii()
