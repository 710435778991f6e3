"""Records: what one finished cell says of itself. The seam between measuring and concluding.

A record holds no times, hosts or paths, so equal cells have equal bytes wherever and whenever they ran.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from msanet_bench.errors import ResultsError
from msanet_bench.units import Measure

SCHEMA = 1

Status = Literal["ok", "failed", "oom", "diverged", "pruned"]


@dataclass(frozen=True, slots=True)
class Record:
    """One cell: a variant trained with one seed.

    Attributes:
        key: The cell's identity: model, data, training, seed, replicate and data digest.
        variant: The difference to the baseline, which is the variant's name.
        factors: The level of every factor; a factor that does not apply is missing.
        status: What became of the cell; all but `ok` come with a `reason`.
        measures: Quantities by name, with unit and direction; empty unless `ok`.
        curve: One mapping an epoch, from plain names to numbers.
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
            "schema": SCHEMA,
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
        measures = {name: Measure.from_json(measure) for name, measure in fields["measures"].items()}
        rest = {name: value for name, value in fields.items() if name not in {"schema", "measures", "curve"}}
        return cls(**rest, measures=measures, curve=tuple(fields["curve"]))

    def correct_bits(self) -> NDArray[np.bool_]:
        """Whether each test image was classified correctly, shape (test_images,)."""
        packed = np.frombuffer(base64.b64decode(self.correct, validate=True), dtype=np.uint8)
        return np.unpackbits(packed, count=self.test_images).astype(np.bool_)


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
    """The records of a results folder (or of the file itself), in their order.

    Raises:
        ResultsError: there is no such file, or a line is damaged or of a newer schema.
    """
    file = path / "records.jsonl" if path.is_dir() else path
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ResultsError(
            f"{file}: cannot be read ({error.strerror}). Run `msanet-bench sweep` first."
        ) from error
    return [_read_line(file, number, line) for number, line in numbered_lines(content)]


def numbered_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a JSON Lines file, from 1; JSON may hold characters that str.splitlines cuts at."""
    return ((number, line) for number, line in enumerate(content.split(b"\n"), start=1) if line)


def replace_text(path: Path, text: str) -> None:
    """Write UTF-8 so that readers see the old file or the new one, never a part.

    Raises:
        ResultsError: the disk refuses; the old file is as it was.
    """
    replace_bytes(path, text.encode("utf-8"))


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old one or the new one, never a part.

    Raises:
        ResultsError: the disk refuses; the old file is as it was.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ResultsError(
            f"{path}: cannot be written ({error.strerror}). What stood there is unchanged: "
            "mend that and give the same command again."
        ) from error


def known_fields(place: str, line: bytes) -> dict[str, Any]:
    """The fields of one line of a JSON Lines file, of a schema that this program knows.

    Raises:
        ResultsError: a newer program wrote the line; `place` says where.
        ValueError, KeyError, TypeError: the line is no such object.
    """
    fields: dict[str, Any] = json.loads(line)
    schema = fields["schema"]
    if schema > SCHEMA:
        raise ResultsError(
            f"{place}: written by a newer msanet-bench (schema {schema}, this one knows {SCHEMA}). "
            "Upgrade msanet-bench to read it."
        )
    return fields


def _read_line(file: Path, number: int, line: bytes) -> Record:
    try:
        record = Record.from_json(known_fields(f"{file}:{number}", line))
        record.correct_bits()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{file}:{number}: not a record ({type(error).__name__}: {error}).") from error
    return record
