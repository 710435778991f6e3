"""How to run it again."""

from msanet_bench.report.document import Commands, Paragraph, Section
from msanet_bench.report.findings import Findings
from msanet_bench.report.markdown import code


def reproduce(findings: Findings) -> Section:
    """The commands, and what they promise."""
    name = findings.manifest.name
    return Section(
        "How to reproduce",
        (
            Commands(
                (
                    f"msanet-bench sweep experiments/{name}.yaml    # trains what is missing, then measures",
                    f"msanet-bench report results/{name}            # writes this page again, byte for byte",
                )
            ),
            Paragraph(
                f"The experiment has the digest {code(findings.manifest.experiment_digest)}. The same seed "
                "gives the same bits on the same machine with the same versions and number of threads; "
                "elsewhere the last bits differ, and latencies differ everywhere."
            ),
        ),
    )
