"""What the variants cost without being timed, and where the baseline's parameters are."""

from collections.abc import Iterator, Sequence

from msanet_bench.report.document import Block, Cell, Code, Paragraph, Section, Table
from msanet_bench.report.findings import Findings
from msanet_bench.report.numbers import ABSENT, count, fixed, mebibytes, plural
from msanet_bench.report.profiles import Field, Profile

_HEADER = (
    "variant",
    "params",
    "MACs",
    "activations",
    "receptive field, px",
    "whole map by",
    "training peak, MiB (estimate)",
)
_EXPLAINED = (
    "Counted from the network's definition; MACs and activations are of one image. A multiply-accumulate "
    "(MAC) is two floating-point operations, so FLOPs are twice the MACs. Activations are the outputs of "
    "convolutions, linear layers and products of matrices. The receptive field is the side of what a unit of "
    "the last map sees through convolutions and pooling, larger than the image where it reaches beyond it; "
    "beside it stand the parts through which a unit sees the whole map at once, by a mean or a product over "
    "all positions."
)


def cost(findings: Findings) -> Section | None:
    """The table of counts, and the baseline's parameters by part."""
    blocks = (*_counts(findings), *_parts(findings))
    return Section("Cost", blocks) if blocks else None


def _counts(findings: Findings) -> Iterator[Block]:
    profiles = {variant.name: variant.profile for variant in findings.variants if variant.profile}
    if not profiles:
        return
    rows: list[tuple[Cell, ...]] = [
        (
            Code(name),
            count(profile.params),
            count(profile.macs),
            count(profile.activations),
            _side(profile.field),
            _whole_map_by(profile.field),
            mebibytes(profile.training_peak_bytes),
        )
        for name, profile in profiles.items()
    ]
    yield Paragraph(f"{_EXPLAINED}{_peak(list(profiles.values()))}")
    yield Table(_HEADER, tuple(rows))


def _peak(profiles: Sequence[Profile]) -> str:
    if all(profile.training_peak_bytes is None for profile in profiles):
        return ""
    batches = {profile.train_batch for profile in profiles}
    one = next(iter(batches))
    images = f" on {plural(one, 'image')}" if len(batches) == 1 and one else ", on the variant's own batch"
    return (
        f" The training peak is estimated from the sizes of all tensors of one step with AdamW{images}: a "
        "device needs more."
    )


def _side(field: Field | None) -> str:
    """`43`, or `43 x 15` where height and width differ."""
    if field is None:
        return ABSENT
    is_square = field.height == field.width
    return str(field.height) if is_square else f"{field.height} x {field.width}"


def _whole_map_by(field: Field | None) -> str:
    if field is None or field.whole_map_by is None:
        return ABSENT
    return ", ".join(field.whole_map_by) or "none"


def _parts(findings: Findings) -> Iterator[Block]:
    profile = findings.baseline.profile
    if profile is None or not profile.params:
        return
    yield Paragraph("Where the parameters of the baseline are:")
    rows = [
        (Code(part), count(number), fixed(100 * number / profile.params, 1))
        for part, number in profile.params_by_part.items()
    ]
    yield Table(("part", "params", "share, %"), tuple(rows))
