"""Blocks and data sets from outside: importing a plug-in registers what it decorates. A plug-in is code."""

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from msanet_bench.errors import BenchError

ENTRY_POINTS = "msanet_bench.plugins"


class PluginError(BenchError):
    """A plug-in that an experiment names cannot be imported."""


def load_plugins(names: Iterable[str], folder: Path) -> None:
    """Import each plug-in once: a module by its dotted name, a file by its path relative to `folder`."""
    for name in names:
        try:
            if name.endswith(".py"):
                _import_file((folder / name).resolve())
            else:
                importlib.import_module(name)
        except (ImportError, OSError, SyntaxError, ValueError, TypeError) as error:
            raise PluginError(
                f"plugins: `{name}` cannot be loaded ({type(error).__name__}: {error})."
            ) from error


def load_entry_points() -> None:
    """Import every installed package that declares itself a plug-in."""
    for entry_point in entry_points(group=ENTRY_POINTS):
        entry_point.load()


def _import_file(path: Path) -> None:
    name = f"msanet_bench_plugin_{path.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(path):
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise OSError(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
