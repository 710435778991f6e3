"""Who earned the difference between the network without its components and the one with all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msanet_bench.analysis.credit import MOST_COMPONENTS, Attribution, Coalition, attributions, whole
from msanet_bench.report.costs import CostChange, Costs, change
from msanet_bench.report.effects import ABSENT_LEVELS, levels_of
from msanet_bench.report.evidence import Claim, Evidence, claims
from msanet_bench.report.manifest import Manifest, Planned


@dataclass(frozen=True, slots=True)
class Share:
    """What one component is worth by four rules; None where a variant that a rule takes is missing.

    Attributes:
        costs: The Shapley values of the costs: what each component adds to them, summing up to all.
        removed_costs: What the full network costs more than the one without it.
    """

    component: str
    removed: Claim | None
    added: Claim | None
    main: Claim | None
    shapley: Claim | None
    costs: CostChange | None
    removed_costs: CostChange | None


@dataclass(frozen=True, slots=True)
class Credit:
    """The shares of all components.

    Attributes:
        full: The variant with every component; None where it has no result.
        empty: The one with none.
        total: `full` against `empty`.
        coalitions: How many of the 2^components networks have results.
        held: The levels at which all other factors stand in these networks.
    """

    shares: tuple[Share, ...]
    full: str | None
    empty: str | None
    total: Claim | None
    coalitions: int
    held: Mapping[str, str]

    @property
    def planned_coalitions(self) -> int:
        return 1 << len(self.shares)


def find_credit(manifest: Manifest, evidence: Evidence | None, costs: Costs) -> Credit | None:
    """The credit of all factors that can leave something out; None of fewer than two or more than twelve."""
    components = [path for path in manifest.factors if _can_be_absent(manifest, path)]
    if not 2 <= len(components) <= MOST_COMPONENTS:  # noqa: PLR2004
        return None
    held = _held(manifest, components)
    measured = set(evidence.fit.place) if evidence is not None else set()
    variant_of = {
        coalition: variant.name
        for variant in manifest.variants
        if variant.name in measured
        and (coalition := _coalition(manifest, variant, components, held)) is not None
    }
    found = attributions(components, variant_of)
    removed = claims(evidence, (of.removed for of in found), is_declared="leave_one_out" in manifest.families)
    return Credit(
        shares=_shares(found, removed, evidence, costs),
        full=variant_of.get(frozenset(components)),
        empty=variant_of.get(frozenset()),
        total=claims(evidence, [whole(components, variant_of)], is_declared=False)[0],
        coalitions=len(variant_of),
        held=held,
    )


def _shares(
    found: Sequence[Attribution],
    removed: Sequence[Claim | None],
    evidence: Evidence | None,
    costs: Costs,
) -> tuple[Share, ...]:
    others = [
        claims(evidence, (getattr(of, rule) for of in found), is_declared=False)
        for rule in ("added", "main", "shapley")
    ]
    return tuple(
        Share(
            component=of.component,
            removed=claim,
            added=added,
            main=main,
            shapley=shapley,
            costs=change(costs, of.shapley),
            removed_costs=change(costs, of.removed),
        )
        for of, claim, added, main, shapley in zip(found, removed, *others, strict=True)
    )


def _can_be_absent(manifest: Manifest, path: str) -> bool:
    levels = levels_of(manifest, path)
    return bool(ABSENT_LEVELS & set(levels)) and not set(levels) <= ABSENT_LEVELS


def _present(manifest: Manifest, path: str) -> str:
    """The baseline's level, if it has the component; else the first that is one."""
    own = manifest.of(manifest.baseline).factors.get(path)
    levels = [own, *levels_of(manifest, path)]
    return next(level for level in levels if level is not None and level not in ABSENT_LEVELS)


def _held(manifest: Manifest, components: Sequence[str]) -> Mapping[str, str]:
    baseline = manifest.of(manifest.baseline).factors
    return {
        path: baseline.get(path, manifest.factors[path].levels[0])
        for path in manifest.factors
        if path not in components
    }


def _coalition(
    manifest: Manifest, variant: Planned, components: Sequence[str], held: Mapping[str, str]
) -> Coalition | None:
    """The components that a variant has; None where anything else than the presence of components differs."""
    baseline = manifest.of(manifest.baseline).factors
    for path, level in variant.factors.items():
        if path in components:
            if level not in ABSENT_LEVELS and level != _present(manifest, path):
                return None
        elif level != held.get(path, baseline.get(path)):
            return None
    # a component that does not apply, since it is part of one that is off, is absent
    return frozenset(p for p in components if variant.factors.get(p, "off") not in ABSENT_LEVELS)
