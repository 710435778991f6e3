"""Broken experiment files: every problem is named with its line, at once, and nobody sees a traceback.

`data/bad_experiments.txt` holds the kinds, each with a title, the file, and the lines that are expected.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from catalogs import own_catalog
from msanet_bench.checks import load_experiment
from msanet_bench.errors import BenchError, SpecError
from msanet_bench.parse import parse_experiment
from msanet_bench.spec import Experiment

TABLE = Path(__file__).parent / "data" / "bad_experiments.txt"
CATALOG = own_catalog()


class Kind(NamedTuple):
    """A way to break a file, and what is said of it, without the name of the file."""

    title: str
    text: str
    problems: tuple[str, ...]


def kinds() -> Iterator[Kind]:
    for section in TABLE.read_text(encoding="utf-8").split("## ")[1:]:
        title, *lines = section.splitlines()
        problems = tuple(line.removeprefix("=> ") for line in lines if line.startswith("=> "))
        text = "\n".join(line for line in lines if not line.startswith("=> "))
        yield Kind(title, text, problems)


KINDS = {kind.title: kind for kind in kinds()}
ON_THE_COMMAND_LINE = (
    ("check", "everything at once"),
    ("check", "tags of Python objects"),
    ("plan", "YAML syntax: indentation by a tab"),
    ("sweep", "unknown blocks in every slot"),
)


def parsed(text: str, name: str = "broken") -> Experiment:
    return parse_experiment(text, source="broken.yaml", name=name, catalog=CATALOG)


def line_of(problem: str) -> int:
    return int(problem.partition(":")[0])


@pytest.mark.parametrize("title", KINDS)
def test_every_problem_is_named_with_its_line(title: str) -> None:
    with pytest.raises(SpecError) as caught:
        parsed(KINDS[title].text)
    assert str(caught.value).splitlines() == [f"broken.yaml:{problem}" for problem in KINDS[title].problems]


def test_more_than_forty_kinds_are_known_and_each_breaks_a_file_in_another_way() -> None:
    assert len(KINDS) > 40
    assert len({kind.text for kind in KINDS.values()}) == len(list(kinds())) == len(KINDS)


def test_the_problems_stand_in_the_order_of_their_lines() -> None:
    for kind in KINDS.values():
        lines = [line_of(problem) for problem in kind.problems]
        assert lines == sorted(lines)
        assert lines[-1] <= max(1, len(kind.text.rstrip().splitlines()))


def test_a_problem_of_every_section_is_reported_at_once() -> None:
    lines = [line_of(problem) for problem in KINDS["everything at once"].problems]
    assert len(lines) == len(set(lines)) == 17


def test_the_file_without_its_faults_is_in_order() -> None:
    mended = parsed("delta: 0.5 pp\nfactors: {attention: [self_attention, none]}\n")
    assert (mended.name, mended.seeds, mended.delta) == ("broken", (0, 1, 2), "0.5 pp")


def test_a_file_name_that_is_no_name_is_refused() -> None:
    with pytest.raises(SpecError, match=r"^broken.yaml:1: name: must be letters, digits, - and _ only"):
        parsed("delta: 0.5 pp\nfactors: {attention: [se, none]}\n", name="my experiment")


@pytest.mark.parametrize(("verb", "title"), ON_THE_COMMAND_LINE)
def test_the_command_line_says_it_with_exit_code_2_and_writes_nothing(
    verb: str, title: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text(KINDS[title].text, encoding="utf-8")
    ran = run(verb, "broken.yaml", tmp_path)
    assert ran.stderr.splitlines() == [f"broken.yaml:{problem}" for problem in KINDS[title].problems]
    assert (ran.returncode, ran.stdout) == (2, "")
    assert [path.name for path in tmp_path.rglob("*")] == ["broken.yaml"]


def test_a_file_in_order_gives_exit_code_0(tmp_path: Path) -> None:
    text = (
        "delta: 1 pp\nbaseline: {stem: small, width: 0.125}\nfactors: {attention: [self_attention, none]}\n"
    )
    (tmp_path / "right.yaml").write_text(text, encoding="utf-8")
    ran = run("check", "right.yaml", tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "2 variants x 3 seeds = 6 cells" in ran.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: caf\xe9\n", "broken.yaml: not UTF-8 text (invalid continuation byte at byte 9)."),
        (None, "broken.yaml: cannot be read (No such file or directory)."),
    ],
)
def test_a_file_that_cannot_be_read_is_one_message(
    content: bytes | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("broken.yaml").write_bytes(content)
    with pytest.raises(BenchError) as caught:
        load_experiment(Path("broken.yaml"))
    assert str(caught.value) == message


def test_every_plug_in_that_cannot_be_loaded_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "raises.py").write_text("x = 1\n\nx / 0\n", encoding="utf-8")
    experiment = tmp_path / "broken.yaml"
    experiment.write_text("delta: 1 pp\nplugins:\n  - ./nowhere.py\n  - raises.py\n  - 3\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load_experiment(experiment)
    missing, raising = str(caught.value).splitlines()
    assert missing == (
        f"{experiment}:3: plugins[0]: the plug-in `./nowhere.py` cannot be loaded "
        f"(OSError: there is no file {tmp_path / 'nowhere.py'})."
    )
    assert raising == (
        f"{experiment}:4: plugins[1]: the plug-in `raises.py` cannot be loaded "
        "(ZeroDivisionError: division by zero; raises.py, line 3)."
    )


def run(verb: str, file: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "msanet_bench", verb, file]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
