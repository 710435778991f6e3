"""The command line: one file a verb. A verb imports what it needs when it runs, so that --help is light."""

import os
import sys
from collections.abc import Sequence

import typer

from msanet_bench.cli.blocks import blocks
from msanet_bench.cli.check import check
from msanet_bench.cli.compare import compare
from msanet_bench.cli.plan import plan
from msanet_bench.cli.report import report
from msanet_bench.cli.status import status
from msanet_bench.cli.sweep import sweep
from msanet_bench.errors import BenchError

VERBS = (sweep, check, plan, status, report, compare, blocks)

USAGE_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What is each part of a multi-scale + self-attention image classifier worth, and what does it cost?",
)
for _verb in VERBS:
    app.command()(_verb)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb; a problem that the user can mend is one message and exit code 2, never a traceback."""
    try:
        app(arguments, prog_name="msanet-bench")
    except BenchError as error:
        print(error, file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to go on.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # the reader of our output has gone (`| head`): what is left has no addressee
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
