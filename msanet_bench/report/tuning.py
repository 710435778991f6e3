"""Equal tuning as the manifest has it, and what it was worth: for every variant, tuned beside untuned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msanet_bench.analysis.contrasts import MeanInterval, mean_interval
from msanet_bench.plan import level_name


@dataclass(frozen=True, slots=True)
class TunedVariant:
    """What was chosen for a variant.

    Attributes:
        accuracies: On the validation images, of each candidate; None where it gave no numbers.
        statuses: How each candidate ended; `missing` where it has not.
        chosen: The number of a candidate, from 0, which is what the file says; None until it is decided.
    """

    variant: str
    accuracies: tuple[float | None, ...]
    statuses: tuple[str, ...]
    chosen: int | None

    @property
    def has_numbers(self) -> bool:
        return any(accuracy is not None for accuracy in self.accuracies)


@dataclass(frozen=True, slots=True)
class Tuning:
    """The tuning of a results folder.

    Attributes:
        paths: What was tuned, and within what, as text.
        sequence: The seed of the candidates' sequence.
        seed: Of every cell that tunes.
        keys: The identity of every (variant, seed) as it is without tuning.
    """

    paths: Mapping[str, str]
    sequence: int
    seed: int
    candidates: tuple[Mapping[str, Any], ...]
    variants: tuple[TunedVariant, ...]
    keys: Mapping[tuple[str, int], str]

    @property
    def undecided(self) -> list[TunedVariant]:
        return [variant for variant in self.variants if variant.chosen is None]

    def values(self, variant: TunedVariant) -> Mapping[str, str]:
        """What the variant is trained with, by the names of the values."""
        return {path: level_name(value) for path, value in self.candidates[variant.chosen or 0].items()}


@dataclass(frozen=True, slots=True)
class Gain:
    """What tuning was worth to a variant on the test images.

    Attributes:
        untuned: The accuracies of the seeds that succeeded, and `tuned` likewise.
        difference: Tuned less untuned over the seeds that both have; None where there is none.
        is_same: Whether what was chosen is what the file says, so that the cells are the same.
    """

    variant: str
    untuned: tuple[float, ...]
    tuned: tuple[float, ...]
    difference: MeanInterval | None
    is_same: bool


def read_tuning(fields: Mapping[str, Any] | None, paths: Mapping[str, str], sequence: int) -> Tuning | None:
    """The tuning of a manifest; None where nothing was tuned.

    Raises:
        ValueError, KeyError, TypeError: it is no tuning.
    """
    if fields is None:
        return None
    return Tuning(
        paths=paths,
        sequence=sequence,
        seed=fields["seed"],
        candidates=tuple(fields["candidates"]),
        variants=tuple(
            TunedVariant(each["variant"], tuple(each["accuracies"]), tuple(each["statuses"]), each["chosen"])
            for each in fields["outcomes"]
        ),
        keys={(cell["variant"], cell["seed"]): cell["key"] for cell in fields["untuned"]},
    )


def gains(
    tuning: Tuning,
    tuned: Mapping[str, Mapping[int, float]],
    untuned: Mapping[str, Mapping[int, float]],
    *,
    least_variance: float,
) -> tuple[Gain, ...]:
    """One a variant, from accuracies by variant and seed, each known to a variance at best."""
    return tuple(
        _gain(variant, tuned.get(variant.variant, {}), untuned.get(variant.variant, {}), least_variance)
        for variant in tuning.variants
    )


def _gain(
    variant: TunedVariant, tuned: Mapping[int, float], untuned: Mapping[int, float], least_variance: float
) -> Gain:
    pairs = [tuned[seed] - untuned[seed] for seed in untuned if seed in tuned]
    is_same = not variant.chosen
    # the same runs differ by nothing, exactly
    least = 0.0 if is_same else 2 * least_variance
    return Gain(
        variant=variant.variant,
        untuned=tuple(untuned.values()),
        tuned=tuple(tuned.values()),
        difference=mean_interval(pairs, least_variance=least) if pairs else None,
        is_same=is_same,
    )


def at_an_end(tuning: Tuning) -> Iterator[tuple[str, list[str]]]:
    """For each tuned path of numbers, the variants that were given the least or greatest that was tried."""
    for path in tuning.paths:
        tried = [candidate[path] for candidate in tuning.candidates]
        if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in tried):
            continue
        ends = {min(tried), max(tried)}
        found = [
            variant.variant
            for variant in tuning.variants
            if variant.chosen is not None and variant.has_numbers and tried[variant.chosen] in ends
        ]
        if found and len(ends) > 1:
            yield path, found


def candidate_rows(tuning: Tuning) -> Iterator[Mapping[str, Any]]:
    """Every variant with every candidate, as plain values."""
    for variant in tuning.variants:
        for number, candidate in enumerate(tuning.candidates):
            yield {
                "variant": variant.variant,
                "candidate": number,
                **candidate,
                "status": variant.statuses[number],
                "validation_accuracy": variant.accuracies[number],
                "chosen": number == variant.chosen,
            }


def by_seed(cells: Mapping[tuple[str, int], float]) -> dict[str, dict[int, float]]:
    """Accuracies by variant and seed."""
    found: dict[str, dict[int, float]] = {}
    for (variant, seed), accuracy in cells.items():
        found.setdefault(variant, {})[seed] = accuracy
    return found


def mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
