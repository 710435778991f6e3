"""What was planned: `manifest.json` as frozen values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msanet_bench.errors import ResultsError
from msanet_bench.migrations import migrated
from msanet_bench.plan import level_name
from msanet_bench.report.search import Searched, read_search
from msanet_bench.report.tuning import Tuning, read_tuning
from msanet_bench.shard import Shard
from msanet_bench.spec import AnalysisSpec, Family
from msanet_bench.units import parse_points


@dataclass(frozen=True, slots=True)
class Planned:
    """A variant of the plan and the names of the others that are the same network."""

    name: str
    factors: Mapping[str, str]
    merged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Excluded:
    """A variant that a constraint kept out."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Factor:
    """The levels that were declared, as they stand in names, and those of other factors that this one needs.

    A search may draw from a range, which is `text` as the levels are; it has no levels.
    """

    levels: tuple[str, ...]
    when: Mapping[str, str]
    text: str

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(self.when)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The plan of a results folder.

    Attributes:
        experiment: The resolved file as plain values.
        seeds: All that are planned; some only for some variants, where seeds were added later.
        keys: The identity of every planned (variant, seed), seed by seed within a variant.
        alpha: The chance of a false claim in each family, declared beforehand.
        families: Those of which verdicts were declared beforehand.
        environment: Of the machine whose latencies these are.
        other_environments: Of the other machines that cells of a merged folder were trained on.
        shard: Which share of the seeds was trained here, if not all.
        looks: The seeds that were planned each time the results could be seen; the last are `seeds`.
        amendments: What was changed after results could be seen, in order.
        search: None of a finite design.
        tuning: None where nothing was tuned.
    """

    name: str
    question: str
    experiment: Mapping[str, Any]
    experiment_digest: str
    factors: Mapping[str, Factor]
    seeds: tuple[int, ...]
    delta: float
    alpha: float
    families: tuple[Family, ...]
    looks: tuple[tuple[int, ...], ...]
    amendments: tuple[Mapping[str, Any], ...]
    baseline: str
    variants: tuple[Planned, ...]
    keys: Mapping[tuple[str, int], str]
    excluded: tuple[Excluded, ...]
    notes: tuple[str, ...]
    environment: Mapping[str, Any]
    other_environments: tuple[Mapping[str, Any], ...] = ()
    shard: Shard | None = None
    search: Searched | None = None
    tuning: Tuning | None = None

    @property
    def varied(self) -> frozenset[str]:
        """The paths in which variants may differ: the factors, and what a list of variants changes."""
        return frozenset(self.factors).union(*(variant.factors for variant in self.variants))

    def num_seeds(self, name: str) -> int:
        """How many seeds are planned for a variant."""
        return sum(variant == name for variant, _ in self.keys)

    def of(self, name: str) -> Planned:
        return next(variant for variant in self.variants if variant.name == name)


def read_manifest(results: Path) -> Manifest:
    """The manifest of a results folder.

    Raises:
        ResultsError: there is none, it is damaged or it was written by a newer version.
    """
    file = results / "manifest.json"
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        manifest = _manifest(migrated("manifest", str(file), fields))
    except OSError as error:
        raise ResultsError(
            f"{file}: cannot be read ({error.strerror}). Run `msanet-bench sweep` first."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{file}: not a manifest ({type(error).__name__}: {error}).") from error
    return manifest


_PARTS = ("baseline", "data", "train", "measure", "factors")


def _manifest(fields: Mapping[str, Any]) -> Manifest:
    if all(variant["name"] != fields["baseline"] for variant in fields["variants"]):
        raise ValueError(f"the baseline `{fields['baseline']}` is not among the variants")
    experiment = fields["experiment"]
    for name, part in {"environment": fields["environment"], **{n: experiment[n] for n in _PARTS}}.items():
        if not isinstance(part, dict):
            raise TypeError(f"`{name}` must be a mapping, but is {part!r}")
    # a plan of version 0.1 declared nothing but delta
    analysis = AnalysisSpec.model_validate(experiment.get("analysis", {}))
    keys = {(cell["variant"], cell["seed"]): cell["key"] for cell in fields["cells"]}
    seeds = tuple(dict.fromkeys([*experiment["seeds"], *(seed for _, seed in keys)]))
    return Manifest(
        name=fields["name"],
        question=fields["question"],
        experiment=experiment,
        experiment_digest=fields["experiment_digest"],
        factors={path: _factor(factor) for path, factor in experiment["factors"].items()},
        seeds=seeds,
        delta=parse_points(experiment["delta"]),
        alpha=analysis.alpha,
        families=analysis.families,
        looks=tuple(map(tuple, fields.get("looks") or [experiment["seeds"]])),
        amendments=tuple(fields.get("amendments", ())),
        baseline=fields["baseline"],
        variants=tuple(
            Planned(variant["name"], variant["factors"], tuple(variant["merged"]))
            for variant in fields["variants"]
        ),
        keys={
            (variant["name"], seed): keys[variant["name"], seed]
            for variant in fields["variants"]
            for seed in seeds
            # seeds that the file does not name were added for some variants; a search stops some early
            if (seed in experiment["seeds"] and "trials" not in fields) or (variant["name"], seed) in keys
        },
        excluded=tuple(Excluded(**variant) for variant in fields["excluded"]),
        notes=tuple(fields["notes"]),
        environment=fields["environment"],
        other_environments=tuple(fields.get("other_environments", ())),
        shard=Shard.from_json(fields["shard"]) if "shard" in fields else None,
        search=read_search(experiment, fields.get("trials")),
        tuning=_tuning(experiment.get("tune"), fields.get("tuning")),
    )


def _tuning(tune: Mapping[str, Any] | None, fields: Mapping[str, Any] | None) -> Tuning | None:
    if tune is None:
        return None
    return read_tuning(
        fields, {path: _factor(each).text for path, each in tune["paths"].items()}, tune["seed"]
    )


def _factor(fields: Mapping[str, Any]) -> Factor:
    levels = tuple(map(level_name, fields["levels"]))
    when = {other: level_name(level) for other, level in fields["when"].items()}
    ends = fields.get("range")
    text = f"{ends['low']} to {ends['high']}{', log' if ends['log'] else ''}" if ends else ", ".join(levels)
    return Factor(levels, when, text)
