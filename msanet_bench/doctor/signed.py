"""An examination as a file that shows whether somebody edited it. Loads no torch."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from msanet_bench.doctor.examination import Examination
from msanet_bench.errors import ResultsError
from msanet_bench.records import replace_text
from msanet_bench.spec import canonical_json

SCHEMA = 1
KIND = "msanet_bench.examination"


class SignedFile(NamedTuple):
    """The content of a file, without its digest.

    Attributes:
        is_unedited: Whether the digest is that of the content. Whoever edits a file can make a new digest:
            this tells accidents and careless hands, and proves no author.
    """

    content: dict[str, Any]
    is_unedited: bool


def signed_text(examination: Examination) -> str:
    """The examination as JSON, keys in order, and last the SHA-256 of the rest in its canonical form."""
    content = {
        "kind": KIND,
        "schema": SCHEMA,
        "in_order": not examination.failed,
        "failed": examination.failed,
        **asdict(examination),
    }
    plain = json.loads(canonical_json(content))
    return json.dumps(plain | {"digest": _digest(plain)}, indent=1, ensure_ascii=False) + "\n"


def write_examination(path: Path, examination: Examination) -> None:
    """Write the file, whole or not at all.

    Raises:
        ResultsError: the disk refuses.
    """
    replace_text(path, signed_text(examination))


def read_examination(path: Path) -> SignedFile:
    """What a file says, and whether it still says what was written.

    Raises:
        ResultsError: there is no such file, or it is no examination.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: cannot be read ({error}).") from error
    if not isinstance(content, dict) or content.get("kind") != KIND or "digest" not in content:
        raise ResultsError(f"{path}: not an examination. `msanet-bench doctor --out FILE` writes one.")
    digest = content.pop("digest")
    return SignedFile(content, digest == _digest(content))


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()
