"""Pages that are followed: what is on them is done in a folder, and compared with what they say."""

import io
import itertools
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from jsonschema import Draft202012Validator

from commands import Outcome, run_verb
from msanet_bench.checks import catalog, load_experiment
from msanet_bench.schema import experiment_schema
from msanet_bench.yaml_document import read_yaml
from pages import FENCE, MARKS, Command, Fence, commands_of, fences_of, shapes

NOT_RUN, HEAVY = MARKS


class Promise(NamedTuple):
    """What a page says that a block prints, and what it does print."""

    said: Fence
    printed: str
    is_exact: bool


def follow(fences: Sequence[Fence], folder: Path, *, is_heavy: bool = False) -> None:
    """Do in a folder what a page says, from top to bottom.

    Raises:
        AssertionError: something does not go as the page says.
    """
    for said, printed, is_exact in promises(fences, folder, is_heavy=is_heavy):
        if is_exact:
            assert printed == said.text, printed
        else:
            missing = shapes(_anywhere(said.text)) - shapes(_anywhere(printed))
            assert not missing, printed


# What differs from one processor to another, where a page trains: last bits, and so accuracies and verdicts.
ELSEWHERE = (
    (re.compile(r"[+-](?=\d+\.\d)"), ""),
    (re.compile(r"<\.\d+"), "0.0"),
    (re.compile(r"\d+ workers?\b"), "# workers"),
    (
        re.compile(r"(HELPS|HURTS|helps|hurts|negligible|NO MATERIAL EFFECT|UNRESOLVED)[^|,]*(?= \|)"),
        "VERDICT",
    ),
    (re.compile(r"(?<=\))\s+(=|~|better|worse)$", re.MULTILINE), " ~"),
)


def _anywhere(text: str) -> str:
    for pattern, stands_for in ELSEWHERE:
        text = pattern.sub(stands_for, text)
    return text


def renewed(page: str, folder: Path) -> str:
    """The page with what is printed now; of verbs, the lines that the page shows."""
    texts = {
        said.number: printed if is_exact else with_numbers(said.text, printed)
        for said, printed, is_exact in promises(fences_of(page), folder)
    }
    numbers = itertools.count()

    def with_text(match: re.Match[str]) -> str:
        text = texts.get(next(numbers))
        return match[0] if text is None else f"```text\n{text}```"

    return FENCE.sub(with_text, page)


def with_numbers(said: str, printed: str) -> str:
    """The lines of a page as they are printed now, where their words are the same.

    A line that is printed as it stands stays, since others of the same words may be set in other columns.
    """
    whole = {line.strip() for line in printed.splitlines()}
    now = {shape: line.strip() for line in printed.splitlines() for shape in shapes(_anywhere(line))}

    def renewed(line: str) -> str:
        if line.strip() in whole:
            return line
        margin = line[: len(line) - len(line.lstrip())]
        found = (now[shape] for shape in shapes(_anywhere(line)) if shape in now)
        return next((margin + new for new in found), line)

    return "\n".join(renewed(line).rstrip() for line in said.splitlines()) + "\n"


def promises(fences: Sequence[Fence], folder: Path, *, is_heavy: bool = False) -> Iterator[Promise]:
    for fence in fences:
        if fence.mark == NOT_RUN or (fence.mark == HEAVY and not is_heavy):
            continue
        if fence.is_named:
            (folder / fence.file).write_text(fence.text, encoding="utf-8")
        printed = _done(fence, folder)
        for said in fences[fence.number + 1 : fence.number + 2]:
            if printed is not None and said.language == "text" and not said.is_named:
                yield Promise(said, printed, _is_exact(fence))


def _done(fence: Fence, folder: Path) -> str | None:
    """What a block prints; None where it prints nothing by itself."""
    match fence.language:
        case "sh":
            return "".join(_printed(command, folder) for command in commands_of(fence))
        case "python" if not fence.is_named:
            return _script(fence, folder)
        case "yaml":
            _read(fence, folder)
    return None


def _is_exact(fence: Fence) -> bool:
    """Scripts of a page draw from seeds, or read what is committed; what verbs print may be measured."""
    return fence.language == "python" or all(c.words[:1] == ["python"] for c in commands_of(fence))


def _printed(command: Command, folder: Path) -> str:
    outcome = _run(command.words, folder)
    assert outcome.code == command.code, f"{command}\n{outcome.out}\n{outcome.err}"
    return outcome.out + outcome.err


def _run(words: Sequence[str], folder: Path) -> Outcome:
    match words:
        case ["msanet-bench", *arguments]:
            return run_verb(*arguments, cwd=folder)
        case ["python", *arguments]:
            return _outside([sys.executable, *arguments], folder)
        case ["cp" | "sed" | "grep" | "head", *_]:
            return _outside(words, folder)
        case _:
            raise AssertionError(f"the page has a command that is not tested: {words}")


def _outside(command: Sequence[str], folder: Path) -> Outcome:
    found = f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": found},
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def _script(fence: Fence, folder: Path) -> str:
    script = folder / fence.file
    script.write_text(fence.text, encoding="utf-8")
    out = io.StringIO()
    with chdir(folder), redirect_stdout(out):
        runpy.run_path(str(script))
    return out.getvalue()


def _read(fence: Fence, folder: Path) -> None:
    """A whole experiment is checked with its plug-ins; a part of one is held to the schema."""
    document = read_yaml(fence.text)
    assert not document.problems, document.problems
    if "delta" in document.tree:
        (folder / fence.file).write_text(fence.text, encoding="utf-8")
        load_experiment(folder / fence.file)
        return
    schema = {**experiment_schema(catalog()), "required": []}
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(document.tree)]
    assert not errors, errors
