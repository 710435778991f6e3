"""Runs pytest on a spoiled copy of the package, again and again; `test_mutants.py` starts it.

Each line on standard input names test files. They run in a fork of this process, which has imported what
takes seconds, and nothing of the package: each fork imports that anew, with the mutant in it.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

import pytest

HEAVY = (
    "torch",
    "torch._dynamo",
    "torch.utils.flop_counter",
    "torchvision.models",
    "fvcore.nn",
    "pandas",
    "pydantic",
    "pyarrow",
    "scipy.stats",
)
# no exit code of pytest
NOT_RUN = 70
OPTIONS = ("-x", "-p", "no:cacheprovider", "-p", "no:xdist")


def serve() -> None:
    """Answer each line with the exit code of pytest; what it printed is in the file `output`."""
    for module in HEAVY:
        importlib.import_module(module)
    sys.path[0] = str(Path.cwd())  # in the place of the folder of this file
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            run(json.loads(line))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
        sys.stdout.flush()


def run(files: list[str]) -> None:
    """Run these files in this process and end it."""
    file = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    code = NOT_RUN
    try:
        code = int(pytest.main([*OPTIONS, *files]))
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
