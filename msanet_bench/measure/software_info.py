"""Which software computed: libraries, everything installed, and the commit of this package."""

import hashlib
import os
import re
import shutil
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch

PACKAGE = Path(__file__).parents[1]


def software_info(package: Path = PACKAGE) -> dict[str, Any]:
    """Versions and digests, as plain values in a fixed order."""
    return {
        "torch_commit": getattr(torch.version, "git_version", None),
        "torch_cuda": torch.version.cuda,
        "cudnn": _cudnn_version(),
        "libraries": _libraries(torch.__config__.show()),
        **_installed(),
        **checkout(package),
    }


def checkout(package: Path) -> dict[str, Any]:
    """The commit that the package's files come from, and whether they were changed since.

    `not_read` says why there is no commit: no checkout, as after an installation, or none that git can read.
    """
    git = shutil.which("git")
    if not (package.parent / ".git").exists():
        return {"commit": None, "dirty": None, "not_read": "no checkout"}
    if git is None:
        return {"commit": None, "dirty": None, "not_read": "git is not installed"}
    commit = _answer(git, package, "rev-parse", "HEAD")
    changes = _answer(git, package, "status", "--porcelain", "--", ".")
    if commit is None or changes is None:
        return {"commit": None, "dirty": None, "not_read": "git cannot read the checkout"}
    return {"commit": commit, "dirty": bool(changes), "not_read": None}


def _cudnn_version() -> int | None:
    version: Any = torch.backends.cudnn.version  # torch leaves the function without annotations
    found: int | None = version()
    return found


def _answer(git: str, folder: Path, *question: str) -> str | None:
    """What git prints; None if it fails. It takes no lock: somebody may work in the checkout meanwhile."""
    command = [git, "--no-optional-locks", *question]
    # GIT_DIR and its like, which git sets for its hooks, would lead to another checkout
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(  # noqa: S603  # the words are ours
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def _libraries(config: str) -> list[str]:
    """The lines of torch's configuration that name a library, without the flags of the compiler."""
    lines = (line.strip().removeprefix("- ") for line in config.splitlines())
    return [line for line in lines if re.match(r"Intel\(R\)|OpenMP|LAPACK|CPU capability", line)]


def _installed() -> dict[str, Any]:
    """How many packages are installed, and a digest of their sorted `name==version` lines."""
    lines = sorted({f"{found.name.lower()}=={found.version}" for found in distributions()})
    text = "".join(f"{line}\n" for line in lines)
    return {"packages": len(lines), "packages_digest": hashlib.sha256(text.encode()).hexdigest()}
