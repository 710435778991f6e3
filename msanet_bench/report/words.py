"""Verdicts in words: a fixed vocabulary, each with its scope."""

from collections.abc import Mapping

from msanet_bench.analysis.verdicts import Word
from msanet_bench.report.document import Bar, Tone
from msanet_bench.report.evidence import Claim
from msanet_bench.report.numbers import ABSENT, bar, plural

TONES: Mapping[Word, Tone] = {
    "HELPS": "helps",
    "helps": "helps",
    "HURTS": "hurts",
    "hurts": "hurts",
    "negligible": "equal",
    "NO MATERIAL EFFECT": "equal",
    "UNRESOLVED": "open",
}

VOCABULARY = (
    "`HELPS` and `HURTS`: a real effect that is larger than what matters; `helps` and `hurts`: a real one of "
    "uncertain size; `negligible`: real, and smaller than what matters; `NO MATERIAL EFFECT`: smaller than "
    "what matters, and perhaps none; `UNRESOLVED`: neither can be said yet, which is not the same as no "
    "effect. In brackets stands how many more seeds would resolve, in a test of its own and four times in "
    "five, an effect that is none or just large enough to matter."
)


def verdict(claim: Claim | None) -> str:
    """`HELPS on new data`, `helps on this test set`, `UNRESOLVED (+4 seeds)`; `-` where none is given."""
    if claim is None or claim.word is None:
        return ABSENT
    return claim.word + (f" on {claim.scope}" if claim.scope else _missing(claim))


def tone(claim: Claim | None) -> Tone:
    return "none" if claim is None or claim.word is None else TONES[claim.word]


def wide(claim: Claim | None) -> Bar | None:
    """The interval for new data, for a figure."""
    if claim is None or claim.new is None:
        return None
    return bar(claim.new.estimate, claim.new.low, claim.new.high)


def _missing(claim: Claim) -> str:
    if claim.more_seeds is None:
        return " (no number of seeds up to 1000 would do)" if claim.here.has_interval else " (one seed)"
    return f" (+{plural(claim.more_seeds, 'seed')})"
