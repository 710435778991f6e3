"""The first screen: the question, and in plain words what the numbers say to it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msanet_bench.analysis.contrasts import Contrast
from msanet_bench.analysis.verdicts import Word
from msanet_bench.report.document import Bullets, Paragraph, Section
from msanet_bench.report.effects import Effect, Interaction
from msanet_bench.report.evidence import Claim, Scope
from msanet_bench.report.findings import Findings
from msanet_bench.report.manifest import Manifest
from msanet_bench.report.markdown import code, escape
from msanet_bench.report.numbers import difference, percent, plural, points, short_count
from msanet_bench.report.search import Searched
from msanet_bench.report.sections.search import outcome
from msanet_bench.shard import shard_words

# More names than this are left to the table.
_NAMED = 6

_SAYS: Mapping[Word, str] = {
    "HELPS": "**HELPS** by more than {delta}",
    "helps": "**helps**, by how much is uncertain",
    "negligible": "**negligible**, real but less than {delta}",
    "NO MATERIAL EFFECT": "**NO MATERIAL EFFECT**, less than {delta} if any",
    "hurts": "**hurts**, by how much is uncertain",
    "HURTS": "**HURTS** by more than {delta}",
    "UNRESOLVED": "**UNRESOLVED**, neither an effect nor its absence is shown",
}


_NOT_REAL = {None, "NO MATERIAL EFFECT", "UNRESOLVED"}


class _Said(NamedTuple):
    """A claim and how its subject is called."""

    name: str
    claim: Claim
    macs: float | None


def summary(findings: Findings) -> Section:
    """The verdicts grouped by what they say, what overlaps, who is best, and what could have been seen."""
    question = escape(findings.manifest.question) or "The experiment file asks none."
    said = _said(findings)
    items = _of_search(findings) or (
        _cells(findings),
        *_tuning(findings.manifest),
        _baseline(findings),
        *_verdicts(said, escape(str(findings.manifest.experiment["delta"]))),
        *_overlaps(findings),
        *_best(findings),
        *_detectable(said),
    )
    return Section(
        "Conclusion",
        (
            Paragraph(f"**Question.** {question}"),
            Bullets(items),
            Paragraph(_how_to_read(findings)),
        ),
    )


def _of_search(findings: Findings) -> tuple[str, ...]:
    """What a search found, instead of verdicts on all that it tried; empty for a finite design."""
    searched = findings.manifest.search
    if searched is None:
        return ()
    return (_trials(findings, searched), _baseline(findings), *outcome(findings, searched))


def _trials(findings: Findings, searched: Searched) -> str:
    statuses = Counter("missing" if cell is None else cell.status for cell in findings.inputs.cells.values())
    counts = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
    return (
        f"{plural(len(searched.trials), 'configuration')} asked for, {len(findings.variants)} of them "
        f"trained with {plural(len(findings.manifest.seeds), 'seed')}: {counts} (see Search)."
    )


def _said(findings: Findings) -> list[_Said]:
    """The main effects; where a design has none, each variant's distance to the baseline."""
    effects = [
        _Said(_name(effect), effect.claim, effect.costs.macs if effect.costs else None)
        for effect in findings.effects
        if effect.claim is not None
    ]
    variants = [_Said(code(v.name), v.claim, None) for v in findings.variants if v.claim is not None]
    return effects or variants


def _name(effect: Effect) -> str:
    if effect.is_trend:
        return f"{effect.level} of {code(effect.factor)} from {effect.reference}"
    return f"{code(effect.factor)} {code(effect.level)} instead of {code(effect.reference)}"


def _cells(findings: Findings) -> str:
    manifest = findings.manifest
    statuses = Counter("missing" if cell is None else cell.status for cell in findings.inputs.cells.values())
    others = (f", {number} {status}" for status, number in sorted(statuses.items()) if status != "ok")
    counts = sorted({manifest.num_seeds(variant.name) for variant in manifest.variants})
    seeds = plural(counts[0], "seed") if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    cells = findings.inputs.cells
    return (
        f"{plural(len(manifest.variants), 'variant')} x {seeds} = {plural(len(cells), 'cell')}: "
        f"{statuses['ok']} ok{''.join(others)}."
        f"{_shard(manifest)}"
    )


def _tuning(manifest: Manifest) -> Iterator[str]:
    """That variants are not as the file says, and which still are."""
    tuning = manifest.tuning
    if tuning is None:
        return
    what = ", ".join(map(code, tuning.paths))
    undecided = (
        f" For {plural(len(tuning.undecided), 'variant')} that has not ended: nothing can be compared yet."
        if tuning.undecided
        else ""
    )
    yield (
        f"Every variant was tuned with the same budget: {what}, {len(tuning.candidates)} candidates "
        f"each, by validation images (see Tuning for the same without).{undecided}"
    )


def _shard(manifest: Manifest) -> str:
    if manifest.shard is None:
        return ""
    return f" These are the results of {shard_words(manifest.shard, manifest.seeds)}"


def _baseline(findings: Findings) -> str:
    accuracy = findings.baseline.accuracy
    if accuracy is None:
        return "The baseline has no result: nothing can be compared with it."
    if not accuracy.has_interval:
        return f"Baseline accuracy: {percent(accuracy.mean)} %, from one seed, so without an interval."
    return (
        f"Baseline accuracy: {percent(accuracy.mean)} % "
        f"(95 % interval {percent(accuracy.low)} to {percent(accuracy.high)}, n = {accuracy.n} seeds)."
    )


def _verdicts(said: Sequence[_Said], delta: str) -> Iterator[str]:
    for word, text in _SAYS.items():
        for scope in ("new data", "this test set", None):
            of_kind = [s for s in said if s.claim.word == word and s.claim.scope == scope]
            if of_kind:
                yield f"{text.format(delta=delta)}{_on(scope)}: {_named(of_kind)}."


def _on(scope: Scope | None) -> str:
    return "" if scope is None else f", on {scope}"


def _named(said: Sequence[_Said]) -> str:
    if len(said) > _NAMED:
        return f"{len(said)} (see the table)"
    return "; ".join(f"{one.name} {difference(_interval(one.claim))}{_more(one)}" for one in said)


def _interval(claim: Claim) -> Contrast:
    return claim.new if claim.scope == "new data" and claim.new is not None else claim.here


def _more(said: _Said) -> str:
    """What an unresolved effect lacks, and what one that does not matter costs."""
    claim = said.claim
    if claim.word == "UNRESOLVED" and claim.more_seeds is not None:
        return f" (+{plural(claim.more_seeds, 'seed')})"
    if claim.word in {"NO MATERIAL EFFECT", "negligible"} and said.macs:
        return f" for {short_count(said.macs)} {'more' if said.macs > 0 else 'fewer'} MACs"
    return ""


def _overlaps(findings: Findings) -> Iterator[str]:
    """Interactions that are real, however small: half of what two changes do to each other may hide much."""
    real = [pair for pair in findings.interactions if pair.claim.word not in _NOT_REAL]
    if not real:
        return
    if len(real) > _NAMED:
        yield f"{len(real)} pairs of changes do not add up (see Interactions)."
        return
    parts = [
        f"{code(pair.first.factor)} and {code(pair.second.factor)} "
        f"{_together(pair)} "
        f"(interaction {points(pair.claim.here.estimate)} pp, on {pair.claim.scope})"
        for pair in real
    ]
    overlap = " What overlaps is worth more than leaving it out shows."
    is_overlap = any(_together(pair) == "overlap" for pair in real)
    yield f"Not additive: {'; '.join(parts)}.{overlap if is_overlap else ''}"


def _together(pair: Interaction) -> str:
    """Only parts that both help can stand in for each other, or bring out what is in the other."""
    claims = (pair.first.claim, pair.second.claim)
    is_less = pair.claim.here.estimate < 0
    if any(claim is None or claim.here.estimate <= 0 for claim in claims):
        return f"together do {'less' if is_less else 'more'} for accuracy than the sum of both"
    return "overlap" if is_less else "reinforce each other"


def _best(findings: Findings) -> Iterator[str]:
    standing = findings.standing
    if standing is None:
        return
    others = len(standing.tied) - 1
    tied = (
        f"; {plural(others, 'other')} cannot be told from it" if others else ", and no other is tied with it"
    )
    yield (
        f"Highest mean: {code(standing.top)}{tied}. The highest of many means is too high on average: what "
        "was picked here must be measured again."
    )


def _detectable(said: Sequence[_Said]) -> Iterator[str]:
    smallest = [one.claim.detectable for one in said if one.claim.here.has_interval]
    if smallest:
        low, high = percent(min(smallest)), percent(max(smallest))
        span = low if low == high else f"{low} to {high}"
        yield f"A test of its own would have found {span} pp on this test set four times in five."


def _how_to_read(findings: Findings) -> str:
    if findings.evidence is None:
        return "No cell has a result yet."
    if not findings.evidence.has_error:
        return (
            "There is one seed, or too few cells, to tell chance from effect: differences stand without "
            "intervals and nothing can be concluded from them."
        )
    manifest = findings.manifest
    looks = len(manifest.looks)
    looked = (
        f" The results were looked at {looks} times while seeds were added, so each family has "
        f"{manifest.alpha:g}/{looks} at every look."
        if looks > 1
        else ""
    )
    return (
        "`On new data` allows for other training seeds and other test images; `on this test set` for other "
        "seeds alone. The smallest difference that matters, "
        f"{escape(str(manifest.experiment['delta']))}, was declared beforehand. In every family and for "
        "either kind of claim the chance that anything without an effect is said to help or to hurt is held "
        f"below {100 * manifest.alpha:g} % (Holm); how large an effect is, or that it does not matter, is "
        f"told row by row.{looked}"
    )
