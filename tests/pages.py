"""Pages that people read: their blocks, commands and links, and what a line says every time."""

import re
import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MARKS = ("Not run by the tests", "Run by `make test-cluster`")

FENCE = re.compile(
    rf"(?:^ *\*({'|'.join(MARKS)}): ([^*]+)\.\*\n+)?^( *)```(\w+)\n(.*?)^\3```$", re.MULTILINE | re.DOTALL
)
FILE_NAME = re.compile(r"# ([\w.]+)\n")
SUFFIXES = {"yaml": "yaml", "python": "py"}


class Fence(NamedTuple):
    """A block of code.

    Attributes:
        number: Its place in the page.
        file: The name that its first line gives it, or one of its number.
        mark: When it is run, if not always; one of `MARKS`, or "".
        reason: Why so, as the page says it to its readers.
    """

    number: int
    language: str
    text: str
    file: str
    mark: str
    reason: str

    @property
    def is_named(self) -> bool:
        return not self.file.startswith("block_")


class Command(NamedTuple):
    """The words of a command, and the exit code that a comment behind it announces."""

    words: list[str]
    code: int


def fences_of(page: str) -> list[Fence]:
    return [_fence(number, match) for number, match in enumerate(FENCE.finditer(page))]


def _fence(number: int, match: re.Match[str]) -> Fence:
    mark, reason, _, language, text = match.groups(default="")
    text = textwrap.dedent(text)
    named = FILE_NAME.match(text)
    file = named[1] if named else f"block_{number}.{SUFFIXES.get(language, 'txt')}"
    return Fence(number, language, text, file, mark, " ".join(reason.split()))


def commands_of(fence: Fence) -> list[Command]:
    announced = re.compile(r"# exit code (\d)")
    lines = fence.text.replace("\\\n", "").splitlines()
    codes = [announced.search(line) for line in lines]
    return [
        Command(shlex.split(line, comments=True), int(code[1]) if code else 0)
        for line, code in zip(lines, codes, strict=True)
    ]


# What differs from run to run, and what stands for it.
MEASURED = (
    (re.compile(r"\d+m\d+s left|\d+s left"), "# left"),
    (re.compile(r"^\[\d"), "[#"),
    (re.compile(r"\d+\.\d+"), "#"),
    (re.compile(r"\b\d+%"), "#%"),
    (re.compile(r"\b\d+(?= of \d+ pairs of twins)"), "#"),
    (re.compile(r"\s+ci_not_met$"), ""),
    (re.compile(r"\b\d+(-\d+)?(?=\s+\d+$)"), "#"),  # a rank
    (re.compile(r"(?<=\])\s+(~|slower|faster)$"), " ~"),
)


def shapes(text: str) -> set[str]:
    """The lines without measured numbers, order and width of columns."""
    return set(map(_shape, text.splitlines()))


def _shape(line: str) -> str:
    line = line.rstrip()
    for pattern, stands_for in MEASURED:
        line = pattern.sub(stands_for, line)
    return " ".join(line.split())


def dead_links(page: Path) -> Iterator[str]:
    """The relative links of a page that lead to no file, or to no heading of it."""
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", _prose(page)):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page; the second of a name ends in -1."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def _prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))
