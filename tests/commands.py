"""The command line, called in this process."""

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from msanet_bench.cli import main


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def run_verb(*arguments: str | Path, cwd: Path) -> Outcome:
    """Run `msanet-bench` with these arguments in a folder; the output goes to no terminal."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return Outcome(ended.value.code or 0, out.getvalue(), err.getvalue())
