"""What is planned in a results folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from msanet_bench.errors import ResultsError
from msanet_bench.migrations import migrated


class Planned(NamedTuple):
    """The experiment's name, and by variant the seed of each cell's key."""

    name: str
    cells: Mapping[str, Mapping[str, int]]


def read_planned(results: Path) -> Planned:
    """The cells of a folder's manifest, in plan order.

    Raises:
        ResultsError: there is no manifest, or it is none.
    """
    manifest = results / "manifest.json"
    try:
        fields = migrated("manifest", str(manifest), json.loads(manifest.read_text(encoding="utf-8")))
        planned: dict[str, dict[str, int]] = {}
        for cell in fields["cells"]:
            planned.setdefault(cell["variant"], {})[cell["key"]] = cell["seed"]
    except OSError as error:
        raise ResultsError(
            f"{manifest}: cannot be read ({error.strerror}). Run `msanet-bench sweep` first."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{manifest}: not a manifest ({type(error).__name__}: {error}).") from error
    return Planned(str(fields.get("name", results.name)), planned)
