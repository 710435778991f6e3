"""The command line: one file a verb. A verb imports what it needs when it runs, so that --help is light."""

import sys
from collections.abc import Sequence

import typer

from msanet_bench.cli.analyze import analyze
from msanet_bench.cli.blocks import blocks
from msanet_bench.cli.check import check
from msanet_bench.cli.compare import compare
from msanet_bench.cli.dashboard import dashboard
from msanet_bench.cli.doctor import doctor
from msanet_bench.cli.evaluate import evaluate
from msanet_bench.cli.export import export
from msanet_bench.cli.latency import latency
from msanet_bench.cli.merge import merge
from msanet_bench.cli.plan import plan
from msanet_bench.cli.predict import predict
from msanet_bench.cli.profile import profile
from msanet_bench.cli.report import report
from msanet_bench.cli.status import status
from msanet_bench.cli.summarize import summarize
from msanet_bench.cli.sweep import sweep
from msanet_bench.cli.table import table
from msanet_bench.cli.train import train
from msanet_bench.cli.verify import verify
from msanet_bench.errors import BenchError

VERBS = (
    sweep,
    check,
    plan,
    status,
    merge,
    dashboard,
    profile,
    latency,
    summarize,
    report,
    table,
    compare,
    analyze,
    train,
    evaluate,
    predict,
    export,
    verify,
    blocks,
    doctor,
)

USAGE_ERROR = 2

# Plain help: rich's markup would take `[default: ...]` in a help text for a style and leave it out.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="What is each part of a multi-scale + self-attention image classifier worth, and what does it cost?",
)
for _verb in VERBS:
    app.command()(_verb)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb; a problem that the user can mend is one message and exit code 2, never a traceback.

    Typer itself answers Ctrl-C with exit code 130, and a reader of our output that has gone with 1.
    """
    try:
        app(arguments, prog_name="msanet-bench")
    except BenchError as error:
        print(error, file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except OSError as error:
        # a full disk, a folder that may not be written: whatever the verb, it is the user who can mend it
        print(_refusal(error), file=sys.stderr)
        sys.exit(USAGE_ERROR)


def _refusal(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}the system refuses ({error.strerror or error})."
