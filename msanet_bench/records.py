"""Records: what one finished cell says of itself. The seam between measuring and concluding.

A record holds no times, hosts or paths, so equal cells have equal bytes wherever and whenever they ran.
"""

import base64
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import numpy as np
from numpy.typing import NDArray

from msanet_bench.errors import ResultsError
from msanet_bench.migrations import migrated, newest
from msanet_bench.units import Measure

Status = Literal["ok", "failed", "oom", "diverged", "pruned"]
STATUSES: tuple[Status, ...] = get_args(Status)
# what is no failure: a search stops runs on purpose
FINE: frozenset[Status] = frozenset({"ok", "pruned"})
# nor is a candidate of tuning that diverges: training does not work with it
TUNING_FINE: frozenset[Status] = frozenset({"ok", "diverged"})


@dataclass(frozen=True, slots=True)
class Record:
    """One cell: a variant trained with one seed.

    Attributes:
        key: The cell's identity: model, data, training, seed, replicate and data digest.
        variant: The difference to the baseline, which is the variant's name.
        factors: The level of every factor; a factor that does not apply is missing.
        status: What became of the cell; all but `ok` come with a `reason`.
        measures: Quantities by name, with unit and direction; empty unless `ok`.
        curve: One mapping an epoch, from plain names to numbers; of a pruned cell, until it was stopped.
        correct: One bit a test image, packed (most significant first) and in base64; "" unless `ok`.
        test_images: How many of the bits count.
        provenance: What the numbers depend on beside the key: versions, device, threads, digests of code.
    """

    key: str
    variant: str
    factors: Mapping[str, Any]
    seed: int
    replicate: int
    status: Status
    reason: str = ""
    measures: Mapping[str, Measure] = field(default_factory=dict)
    curve: Sequence[Mapping[str, float]] = ()
    correct: str = ""
    test_images: int = 0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "schema_version": newest("record"),
            "key": self.key,
            "variant": self.variant,
            "factors": dict(self.factors),
            "seed": self.seed,
            "replicate": self.replicate,
            "status": self.status,
            "reason": self.reason,
            "measures": {name: measure.to_json() for name, measure in self.measures.items()},
            "curve": [dict(epoch) for epoch in self.curve],
            "correct": self.correct,
            "test_images": self.test_images,
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Record":
        """A record from fields of the newest version.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: they are no record's.
        """
        if fields["status"] not in STATUSES:
            raise ValueError(f"no status of a cell: {fields['status']!r}")
        for name, kind in _KINDS.items():
            if not isinstance(fields[name], kind):
                raise TypeError(f"`{name}` must be a {kind.__name__}, but is {fields[name]!r}")
        measures = {sys.intern(name): Measure.from_json(each) for name, each in fields["measures"].items()}
        rest = {name: value for name, value in fields.items() if name not in _CONVERTED}
        record = cls(**rest, measures=measures, curve=tuple(fields["curve"]))
        record.packed_bits()
        return record

    def packed_bits(self) -> bytes:
        """Eight test images a byte, the first in the highest bit; the last byte is filled up with zeros.

        Raises:
            ValueError, TypeError: `correct` is no base64 of so many images.
        """
        packed = base64.b64decode(self.correct, validate=True)
        if len(packed) != (index(self.test_images) + 7) // 8:
            raise ValueError(f"`correct` has {len(packed)} bytes, but {self.test_images} images are counted")
        return packed

    def correct_bits(self) -> NDArray[np.bool_]:
        """Whether each test image was classified correctly, shape (test_images,)."""
        packed = np.frombuffer(self.packed_bits(), dtype=np.uint8)
        return np.unpackbits(packed, count=self.test_images).view(np.bool_)


_CONVERTED = frozenset({"schema_version", "measures", "curve"})
_KINDS = {"key": str, "variant": str, "reason": str, "factors": dict, "provenance": dict}


def pack_bits(correct: NDArray[np.bool_]) -> str:
    """One bit a test image, most significant first, in base64: 10,000 images in 1,668 characters."""
    return base64.b64encode(np.packbits(correct).tobytes()).decode("ascii")


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write one JSON object a line, whole or not at all."""
    replace_text(path, "".join(json_line(record.to_json()) for record in records))


def json_line(value: Mapping[str, Any]) -> str:
    """One line of a JSON Lines file; NaN and infinity are refused."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    # the bytes of a path that are no UTF-8 reach messages as lone surrogates; JSON has an escape for them
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def read_records(path: Path) -> list[Record]:
    """The records of a results folder (or of the file itself), in their order; older ones are migrated.

    Raises:
        ResultsError: there is no such file, or a line is damaged or of a newer schema.
    """
    file = path / "records.jsonl" if path.is_dir() else path
    shared: dict[str, Any] = {}
    try:
        with file.open("rb") as lines:
            return [_read_line(f"{file}:{number}", line, shared) for number, line in numbered_lines(lines)]
    except OSError as error:
        raise ResultsError(
            f"{file}: cannot be read ({error.strerror}). Run `msanet-bench sweep` first."
        ) from error


def numbered_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines of a binary file that are not empty, from 1.

    Of a binary file, since JSON may hold characters that `str.splitlines` cuts at.
    """
    return ((number, line) for number, line in enumerate(lines, start=1) if line != b"\n")


def json_fields(line: bytes) -> Any:  # noqa: ANN401 (whatever JSON may hold)
    """What one line of JSON says; NaN and infinity, which no JSON has, are refused.

    Raises:
        ValueError: it is none.
    """
    return _JSON.decode(line.decode("utf-8"))


def replace_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Write UTF-8 so that readers see the old file or the new one, never a part.

    `durable` waits until it is on the disk, under its name.

    Raises:
        ResultsError: the disk refuses; the old file is as it was.
    """
    replace_bytes(path, text.encode("utf-8"), durable=durable)


def replace_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file so that readers see the old one or the new one, never a part.

    `durable` waits until it is on the disk, under its name.

    Raises:
        ResultsError: the disk refuses; the old file is as it was.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(content)
        if durable:
            sync(temporary)
        temporary.replace(path)
        if durable:
            sync(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ResultsError(
            f"{path}: cannot be written ({error.strerror}). What stood there is unchanged: "
            "mend that and give the same command again."
        ) from error


def sync(path: Path) -> None:
    """Wait until a file, or the names that a folder holds, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse)


def _read_line(place: str, line: bytes, shared: dict[str, Any]) -> Record:
    """One record; what many records have in common is kept once in `shared`."""
    try:
        fields = migrated("record", place, json_fields(line))
        # repr tells 1 from 1.0 and True, which are equal as keys
        common = {name: shared.setdefault(repr(fields[name]), fields[name]) for name in _COMMON}
        return Record.from_json({**fields, **common})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"{place}: not a record ({type(error).__name__}: {error}). The file is left as it is: "
            "`msanet-bench sweep` writes it again from the journal; where there is none, bring back a whole "
            "copy, or remove the line to go on without its cell."
        ) from error


_COMMON = ("variant", "factors", "status", "provenance")
