"""What is planned in a results folder."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msanet_bench.errors import ResultsError
from msanet_bench.migrations import migrated
from msanet_bench.running import TUNING, UNTUNED
from msanet_bench.shard import Shard


class Planned(NamedTuple):
    """The experiment's name, by variant the seed of each cell's key, and the keys that other shards train.

    What tunes a variant, and what it is untuned, stand as variants of their own. Of a search also how many
    trials ended in which way.
    """

    name: str
    cells: Mapping[str, Mapping[str, int]]
    elsewhere: frozenset[str] = frozenset()
    trials: Mapping[str, int] = {}


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
        planned |= _tuning(fields.get("tuning"), {key for keys in planned.values() for key in keys})
        elsewhere = _elsewhere(fields)
        trials = Counter(str(trial["state"]) for trial in fields.get("trials", ()))
    except OSError as error:
        raise ResultsError(
            f"{manifest}: cannot be read ({error.strerror}). Run `msanet-bench sweep` first."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{manifest}: not a manifest ({type(error).__name__}: {error}).") from error
    return Planned(str(fields.get("name", results.name)), planned, elsewhere, trials)


def _tuning(fields: Mapping[str, Any] | None, tested: set[str]) -> dict[str, dict[str, int]]:
    """What tunes, and what is trained untuned beside the cells that are tested."""
    planned: dict[str, dict[str, int]] = {}
    if fields is None:
        return planned
    for cell in fields["cells"]:
        planned.setdefault(f"{cell['variant']}{TUNING}", {})[cell["key"]] = fields["seed"]
    for cell in fields["untuned"]:
        if cell["key"] not in tested:
            planned.setdefault(f"{cell['variant']}{UNTUNED}", {})[cell["key"]] = cell["seed"]
    return planned


def _elsewhere(fields: Mapping[str, Any]) -> frozenset[str]:
    if "shard" not in fields:
        return frozenset()
    planned = dict.fromkeys(cell["seed"] for cell in fields["cells"])
    own = Shard.from_json(fields["shard"]).seeds(list(planned))
    return frozenset(cell["key"] for cell in fields["cells"] if cell["seed"] not in own)
