"""Which changes do more, or less, together than apart."""

from msanet_bench.report.document import (
    Cell,
    Code,
    DataFile,
    Matrix,
    MatrixCell,
    Paragraph,
    Section,
    Table,
)
from msanet_bench.report.effects import Effect, Interaction
from msanet_bench.report.evidence import Claim
from msanet_bench.report.exports import interactions_csv
from msanet_bench.report.findings import Findings
from msanet_bench.report.names import short_path
from msanet_bench.report.sections.claims import CLAIM_HEADER, claim_cells, how_tested
from msanet_bench.report.words import tone

# As many labels as a matrix can show.
_MOST_LABELS = 12
# The designs whose variants differ from the baseline in one change each.
_ONE_CHANGE = frozenset({"one_at_a_time", "leave_one_out", "add_one_in"})


def interactions(findings: Findings) -> Section | None:
    """The two-way interactions as table and matrix; why there are none where factors never meet."""
    pairs = findings.interactions
    if len({effect.factor for effect in findings.effects}) < 2:  # noqa: PLR2004
        return None
    if not pairs:
        return Section("Interactions", (Paragraph(_why_none(findings)),))
    rows = tuple(_row(pair) for pair in pairs)
    return Section(
        "Interactions",
        (
            Paragraph(
                "Half of what the first change does more when the second is made too, over all squares of "
                "four variants that agree in every other factor. Below 0 they do less for accuracy together "
                "than the sum of both; two parts that help alone then stand in for each other. "
                f"{how_tested(findings)}"
            ),
            Table(("first", "second", "squares", *CLAIM_HEADER), rows, text_columns=2),
            *_matrix(findings),
            DataFile("interactions.csv", interactions_csv(pairs)),
        ),
    )


def _why_none(findings: Findings) -> str:
    if findings.manifest.experiment["design"] in _ONE_CHANGE:
        return (
            "This design changes one thing at a time, so no two changes were made together: whether they "
            "add up cannot be told from it. A `factorial` design can."
        )
    return (
        "No four variants with results have two changes apart, together and neither of them: whether changes "
        "add up cannot be told."
    )


def _row(pair: Interaction) -> tuple[Cell, ...]:
    return _which(pair.first), _which(pair.second), str(pair.squares), *claim_cells(pair.claim)


def _which(effect: Effect) -> Code:
    return Code(f"{effect.factor}={effect.level}")


def _matrix(findings: Findings) -> list[Matrix]:
    involved = [
        e for e in findings.effects if any(e in (pair.first, pair.second) for pair in findings.interactions)
    ]
    if not 2 <= len(involved) <= _MOST_LABELS:  # noqa: PLR2004
        return []
    paths = list(findings.manifest.factors)
    claim_of = {(id(pair.second), id(pair.first)): pair.claim for pair in findings.interactions}
    cells = tuple(
        tuple(
            _cell(row.claim if row is column else claim_of.get((id(row), id(column)))) for column in involved
        )
        for row in involved
    )
    return [
        Matrix(
            name="interactions",
            alt="Two-way interactions, main effects on the diagonal",
            labels=tuple(f"{short_path(e.factor, paths)}: {e.level}" for e in involved),
            cells=cells,
            explained="Percentage points; main effects on the diagonal.",
        )
    ]


def _cell(claim: Claim | None) -> MatrixCell | None:
    return None if claim is None else MatrixCell(100 * claim.here.estimate, tone(claim))
