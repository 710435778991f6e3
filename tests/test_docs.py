"""The pages under docs/ do what they say: commands, files, links, and words of the command line."""

import io
import itertools
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from jsonschema import Draft202012Validator

from commands import Outcome, run_verb
from msanet_bench.checks import catalog, load_experiment
from msanet_bench.cli import VERBS
from msanet_bench.schema import experiment_schema
from msanet_bench.yaml_document import read_yaml
from pages import FENCE, MARKS, Command, Fence, commands_of, dead_links, fences_of, shapes
from reference.verbs import parameters_of

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *DOCS]
NOT_RUN, HEAVY = MARKS
# What may keep a block from being run: nothing that only takes care.
REASONS = r"needs |needed |it takes |it took |examples of "
# what readers have beside a page; the rest of a results folder is not committed
BESIDE = ("experiments", "results/fashion_mnist")
TRACE = "tests/data/latency_noise_trace_1.npy"
NOT_COMMITTED = shutil.ignore_patterns("journal.jsonl", "study.db*", "logs", "lock", "running")
LANGUAGES = {"sh", "yaml", "python", "text", "csv"}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _blocks(page: Path) -> list[Fence]:
    return fences_of(page.read_text(encoding="utf-8"))


def _is_heavy(page: Path) -> bool:
    return any(fence.mark == HEAVY for fence in _blocks(page))


@pytest.fixture(autouse=True)
def _terminal_of_a_hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder like the root of the repository, as far as pages use it."""
    for name in BESIDE:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=NOT_COMMITTED)
    (tmp_path / TRACE).parent.mkdir(parents=True)
    shutil.copy(ROOT / TRACE, tmp_path / TRACE)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in DOCS if _blocks(page)], ids=_name)
def test_a_page_does_what_it_says(page: Path, beside: Path, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        page.write_text(renewed(page.read_text(encoding="utf-8"), beside), encoding="utf-8")
    else:
        follow(_blocks(page), beside)


@pytest.mark.cluster
@pytest.mark.parametrize("page", [page for page in DOCS if _is_heavy(page)], ids=_name)
def test_a_page_does_what_it_says_where_that_takes_minutes(page: Path, beside: Path) -> None:
    follow(_blocks(page), beside, is_heavy=True)


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
            assert printed == said.text
        else:
            missing = shapes(_anywhere(said.text)) - shapes(_anywhere(printed))
            assert not missing, printed


# What differs from one processor to another, where a page trains: last bits, and so accuracies and verdicts.
ELSEWHERE = (
    (re.compile(r"[+-](?=\d+\.\d)"), ""),
    (re.compile(r"<\.\d+"), "0.0"),
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
        said.number: printed if is_exact else _with_numbers(said.text, printed)
        for said, printed, is_exact in promises(fences_of(page), folder)
    }
    numbers = itertools.count()

    def with_text(match: re.Match[str]) -> str:
        text = texts.get(next(numbers))
        return match[0] if text is None else f"```text\n{text}```"

    return FENCE.sub(with_text, page)


def _with_numbers(said: str, printed: str) -> str:
    """The lines of a page as they are printed now, where their words are the same."""
    now = {shape: line for line in printed.splitlines() for shape in shapes(_anywhere(line))}
    lines = [
        next((now[shape] for shape in shapes(_anywhere(line)) if shape in now), line)
        for line in said.splitlines()
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


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
    assert not document.problems
    if "delta" in document.tree:
        (folder / fence.file).write_text(fence.text, encoding="utf-8")
        load_experiment(folder / fence.file)
        return
    schema = {**experiment_schema(catalog()), "required": []}
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(document.tree)]
    assert errors == [], fence.text


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```sh\nmsanet-bench check experiments/smoke.yaml    # exit code 2\n```\n", "smoke.yaml: in order"),
        (
            "```sh\nmsanet-bench check experiments/smoke.yaml\n```\n\n```text\nall is well\n```\n",
            "smoke.yaml: in order",
        ),
        ("```sh\nrm -rf /\n```\n", "not tested"),
        ("```yaml\ntrain: {epoch: 3}\n```\n", "epoch"),
        ("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", "2"),
    ],
)
def test_a_page_that_promises_what_is_not_so_is_noticed(page: str, complaint: str, beside: Path) -> None:
    with pytest.raises(AssertionError, match=complaint):
        follow(fences_of(page), beside)


@pytest.mark.parametrize("page", DOCS, ids=_name)
def test_what_is_not_run_says_why(page: Path) -> None:
    for fence in _blocks(page):
        assert fence.mark or fence.language in LANGUAGES, f"block {fence.number} is never run"
        assert not fence.mark or re.match(REASONS, fence.reason), fence.reason


@pytest.mark.parametrize("page", DOCS, ids=_name)
def test_no_command_hides_in_an_indented_block(page: Path) -> None:
    outside = re.sub(
        r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    assert (
        re.findall(r"^ {4,}(?:msanet-bench|python|pytest|make|pip|ray|sbatch) .*$", outside, re.MULTILINE)
        == []
    )


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(dead_links(page)) == []


def test_links_to_nowhere_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    links = "[a](page.md) [b](#two-words) [c](#two-words-1) [d](page.md#three) [e](none.md) [f](https://x.y)"
    page.write_text(f"# Two `words`\n\n# Two words\n\n{links}\n\n```sh\n# three\n```\n", encoding="utf-8")
    assert list(dead_links(page)) == ["page.md#three", "none.md"]


def test_the_index_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / link).resolve() for link in re.findall(r"\]\(([\w./-]+\.md)", index)}
    assert set(DOCS) - {ROOT / "docs" / "README.md"} <= linked


OPTIONS = {
    verb.__name__: {name for parameter in parameters_of(verb) for name in parameter.names} for verb in VERBS
}


def unknown_words(page: str) -> Iterator[str]:
    """What a page calls a verb or an option of one and is none."""
    blocks = [line for fence in fences_of(page) for line in fence.text.replace("\\\n", "").splitlines()]
    # in prose a command may go on in the next line
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCE.sub("", page))]
    for verb, rest in re.findall(r"msanet-bench ([a-z]\w*)((?: [^\n|;&]*)?)", "\n".join([*blocks, *spans])):
        if verb not in OPTIONS:
            yield verb
        else:
            yield from set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", rest)) - OPTIONS[verb] - {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_verbs_and_options_that_a_page_names_are_there(page: Path) -> None:
    text = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert list(unknown_words(text)) == []


def test_verbs_and_options_that_are_not_there_are_noticed() -> None:
    assert list(unknown_words("Say `msanet-bench swep x.yaml`, or `msanet-bench merge a -o b --fast`.")) == [
        "swep",
        "--fast",
    ]
