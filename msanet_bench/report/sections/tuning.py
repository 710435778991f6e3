"""What every variant was tuned with, what was chosen for it, and what that changed: tuned beside untuned."""

from collections.abc import Iterator, Sequence

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.report.document import Block, Bullets, Cell, Code, DataFile, Paragraph, Section, Table
from msanet_bench.report.evidence import Claim
from msanet_bench.report.exports import gains_csv, tuning_csv
from msanet_bench.report.findings import Findings
from msanet_bench.report.markdown import code
from msanet_bench.report.numbers import ABSENT, percent, plural, points, points_interval
from msanet_bench.report.sections.claims import interval
from msanet_bench.report.tuning import Gain, TunedVariant, Tuning, at_an_end, mean
from msanet_bench.report.words import verdict


def tuning(findings: Findings) -> Section | None:
    """How variants were tuned, what each was given, and both sets of effects; None if nothing was tuned."""
    found = findings.manifest.tuning
    if found is None:
        return None
    return Section(
        "Tuning",
        (
            Paragraph(_how(found)),
            Table(_header(found), tuple(_rows(findings, found)), text_columns=1),
            Bullets(tuple(_remarks(found))),
            *_effects(findings),
            DataFile("tuned.csv", gains_csv(findings)),
            Paragraph("Every candidate of every variant:"),
            DataFile("tuning.csv", tuning_csv(found)),
        ),
    )


def _how(found: Tuning) -> str:
    what = ", ".join(f"{code(path)} ({text})" for path, text in found.paths.items())
    others = len(found.candidates) - 1
    return (
        f"Tuned was {what}. Every variant had the same budget: it was trained once with each of the same "
        f"{plural(len(found.candidates), 'candidate')}, which are what the file says and "
        f"{plural(others, 'point')} of a scrambled Sobol sequence (seed {found.sequence}), with training "
        f"seed {found.seed}, which no tested run has. Chosen was the highest accuracy on the validation "
        "images, which are training images set aside, with the weights of the epoch that would be tested; "
        "the first of equals. These runs were never tested. All other sections are about the tuned "
        "variants; `untuned` is with what the file says."
    )


def _header(found: Tuning) -> tuple[str, ...]:
    return (
        "variant",
        *(f"{path}, chosen" for path in found.paths),
        "validation, as in the file, %",
        "validation, chosen, %",
        "test, untuned, % (n)",
        "test, tuned, % (n)",
        "tuned - untuned, pp [95 %]",
    )


def _rows(findings: Findings, found: Tuning) -> Iterator[tuple[Cell, ...]]:
    for variant, gain in zip(found.variants, findings.gains, strict=True):
        values = found.values(variant)
        chosen = variant.chosen
        yield (
            Code(variant.variant),
            *(values[path] if chosen is not None else ABSENT for path in found.paths),
            _validation(variant, 0),
            ABSENT if chosen is None else _validation(variant, chosen),
            _tested(gain.untuned),
            ABSENT if chosen is None else _tested(gain.tuned),
            ABSENT if chosen is None else _difference(gain),
        )


def _validation(variant: TunedVariant, number: int) -> str:
    accuracy = variant.accuracies[number]
    return variant.statuses[number] if accuracy is None else percent(accuracy)


def _tested(values: Sequence[float]) -> str:
    return f"{percent(mean(values))} ({len(values)})" if values else ABSENT


def _difference(gain: Gain) -> str:
    if gain.is_same:
        return "the same runs"
    if gain.difference is None:
        return ABSENT
    found = gain.difference
    there = f" {points_interval(found.low, found.high)}" if found.has_interval else ""
    return f"{points(found.mean)}{there}"


def _remarks(found: Tuning) -> Iterator[str]:
    yield (
        "One run judged each candidate, so what was chosen is uncertain itself; and the validation accuracy "
        f"of what was chosen is the best of {len(found.candidates)}, so it is too high on average. The test "
        "accuracies are of other seeds."
    )
    yield (
        "The interval of a difference is of that variant's own seeds: it allows for other seeds, not for "
        "another choice."
    )
    if found.undecided:
        names = _names([variant.variant for variant in found.undecided])
        yield f"Not decided yet, and so as in the file in all other sections: {names}."
    for variant in found.variants:
        if variant.chosen is not None and not variant.has_numbers:
            yield f"{code(variant.variant)}: no candidate gave numbers, so it stays as in the file."
    yield from _lost(found)
    for path, variants in at_an_end(found):
        yield (
            f"The least or the greatest {code(path)} that was tried is what was chosen for "
            f"{_names(variants)}: a wider range may hold a better one."
        )


def _lost(found: Tuning) -> Iterator[str]:
    for status in ("diverged", "oom", "failed"):
        counts = [variant.statuses.count(status) for variant in found.variants]
        if any(counts):
            yield (
                f"{plural(sum(counts), 'candidate')} of {len(counts) * len(found.candidates)} ended as "
                f"{status} and could not be chosen."
            )


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(code, names))


def _effects(findings: Findings) -> Iterator[Block]:
    rows = tuple(_effect_rows(findings)) or tuple(_difference_rows(findings))
    if not rows:
        return
    which = ("factor", "level", "instead of") if findings.effects else ("variant",)
    yield Paragraph(
        "What the parts are worth, tuned and untuned. The verdicts of this report are of the tuned variants; "
        "where both columns agree, a conclusion does not hang on tuning."
        if findings.effects
        else "The difference of each variant to the baseline, tuned and untuned. The verdicts of this report "
        "are of the tuned variants; where both columns agree, a conclusion does not hang on tuning."
    )
    header = (*which, "tuned, pp", "95 %, this test set", "verdict", "untuned, pp", "95 %, this test set")
    yield Table(header, rows, text_columns=len(which))


def _effect_rows(findings: Findings) -> Iterator[tuple[Cell, ...]]:
    untuned = findings.untuned.effects if findings.untuned else ()
    for effect, other in zip(findings.effects, untuned, strict=True):
        level, reference = (
            (effect.level, effect.reference)
            if effect.is_trend
            else (Code(effect.level), Code(effect.reference))
        )
        yield Code(effect.factor), level, reference, *_both(effect.claim, other.claim)


def _difference_rows(findings: Findings) -> Iterator[tuple[Cell, ...]]:
    untuned = findings.untuned.variants if findings.untuned else ()
    for variant, other in zip(findings.variants, untuned, strict=True):
        if variant.name != findings.manifest.baseline:
            yield Code(variant.name), *_both(variant.claim, other.claim)


def _both(tuned: Claim | None, untuned: Claim | None) -> tuple[Cell, ...]:
    here, there = _here(tuned), _here(untuned)
    return _points(here), interval(here), verdict(tuned), _points(there), interval(there)


def _here(claim: Claim | None) -> Contrast | None:
    return None if claim is None else claim.here


def _points(contrast: Contrast | None) -> str:
    return ABSENT if contrast is None else points(contrast.estimate)
