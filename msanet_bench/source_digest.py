"""Which code the numbers of a cell come from."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msanet_bench
from msanet_bench.plugins import plugin_source

# what a cell's numbers come from; the rest of the package plans, stores and reports
_CODE = ("cell.py", "spec.py", "streams.py", "data", "model", "train")
# and what counts parameters, operations and memory
_COSTS = ("measure", "profile")


def code_digest(plugins: Sequence[str], plugin_folder: Path) -> str:
    """The first 16 hexadecimal digits of a SHA-256 over the source that a cell's numbers come from.

    Plug-ins are part of it, modules only after they were loaded; installed packages are not, torch apart,
    which a record names.
    """
    return _digest(_CODE, plugins, plugin_folder)


def cost_digest(plugins: Sequence[str], plugin_folder: Path) -> str:
    """The same over the source that costs come from too."""
    return _digest((*_CODE, *_COSTS), plugins, plugin_folder)


def _digest(parts: Sequence[str], plugins: Sequence[str], plugin_folder: Path) -> str:
    package = Path(msanet_bench.__file__).parent
    ours = [file for part in parts for file in _sources(package / part)]
    sources = {file.relative_to(package).as_posix(): file for file in ours}
    sources |= {name: plugin_source(name, plugin_folder) for name in plugins}
    sha = hashlib.sha256()
    for name, file in sources.items():
        sha.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return sha.hexdigest()[:16]


def _sources(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))
