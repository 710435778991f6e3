"""What the user asks for, checked against what there is."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from msanet_bench.errors import BenchError
from msanet_bench.report.external import Reference
from msanet_bench.report.findings import VariantFinding
from msanet_bench.violations import suggestion

DEFAULT_COLUMNS = ("components", "accuracy", "n", "params", "macs", "latency")

_MANY, _CLOSE = 60, 5


@dataclass(frozen=True, slots=True)
class Request:
    """The options of `table` as they were typed."""

    rows: Sequence[str] = ()
    columns: Sequence[str] = DEFAULT_COLUMNS
    labels: Sequence[str] = ()
    decimals: Sequence[str] = ()
    external: Path | None = None
    caption: str = ""
    allow_mixed: bool = False


def chosen_rows(
    wanted: Sequence[str], variants: Sequence[VariantFinding], references: Sequence[Reference]
) -> tuple[tuple[VariantFinding, ...], tuple[Reference, ...]]:
    """The rows in the order in which they are asked for; those from elsewhere whole unless some are named.

    Raises:
        BenchError: a name or a pattern is that of no row.
    """
    own = [(variant.name, variant.label) for variant in variants]
    others = [(reference.name,) for reference in references]
    for text in wanted:
        if not _matching(text, own) and not _matching(text, others):
            names = [*(variant.name for variant in variants), *(reference.name for reference in references)]
            raise BenchError(f"--rows: no row `{text}`. {_instead(text, names)}")
    return (
        tuple(variants[place] for place in _in_order(wanted, own)),
        tuple(references[place] for place in _in_order(wanted, others)),
    )


def chosen_columns(texts: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """The names of columns, each once; `known` has every name that may be typed and what it stands for.

    Raises:
        BenchError: there is no such column.
    """
    names = [name.strip() for text in texts for name in text.split(",")]
    return list(dict.fromkeys(_known("--columns: no column", name, known) for name in names))


def chosen_labels(texts: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """What rows and columns are to be called.

    A variant's name holds equals signs itself: what stands before the sign is the longest name that there is.

    Raises:
        BenchError: a text has no sign, or what stands before it is the name of nothing.
    """
    labels: dict[str, str] = {}
    for text in texts:
        signs = [sign.start() for sign in re.finditer("=", text)]
        longest = next((at for at in reversed(signs) if text[:at] in known), signs[-1] if signs else 0)
        name, label = text[:longest], text[longest + 1 :].strip()
        if not name or not label:
            raise BenchError(f"--label: must be NAME=TEXT, but got {text!r}.")
        labels[_known("--label: nothing is called", name, known)] = label
    return labels


def chosen_decimals(texts: Sequence[str], known: Mapping[str, str]) -> dict[str, int]:
    """How many decimals a column's numbers have.

    Raises:
        BenchError: there is no such column of numbers, or what it is to have is no number from 0 to 9.
    """
    decimals: dict[str, int] = {}
    for text in texts:
        name, sign, number = text.rpartition("=")
        if not sign or re.fullmatch(r"[0-9]", number.strip()) is None:
            raise BenchError(f"--decimals: must be COLUMN=N with N from 0 to 9, but got {text!r}.")
        decimals[_known("--decimals: no column of numbers", name.strip(), known)] = int(number)
    return decimals


def _known(law: str, name: str, known: Mapping[str, str]) -> str:
    if name not in known:
        raise BenchError(f"{law} `{name}`. {_instead(name, known)}")
    return known[name]


def _instead(name: str, known: Collection[str]) -> str:
    """What there is; of very many, as in a table from elsewhere, only what is close."""
    if len(known) <= _MANY:
        return suggestion(name, known)
    close = difflib.get_close_matches(name, known, n=_CLOSE)
    return suggestion(name, close) if close else f"There are {len(known)}, and none is like it."


def _matching(text: str, rows: Sequence[Collection[str]]) -> list[int]:
    """The places of the rows of this name or, where there is none, of all that match it as a pattern."""
    exact = [place for place, names in enumerate(rows) if text in names]
    return exact or [
        place for place, names in enumerate(rows) if any(fnmatchcase(name, text) for name in names)
    ]


def _in_order(wanted: Sequence[str], rows: Sequence[Collection[str]]) -> list[int]:
    found = [place for text in wanted for place in _matching(text, rows)]
    return list(dict.fromkeys(found or range(len(rows))))
