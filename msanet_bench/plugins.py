"""Blocks and data sets from outside: importing a plug-in registers what it decorates. A plug-in is code."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from itertools import count
from pathlib import Path
from types import ModuleType

from msanet_bench.errors import BenchError

ENTRY_POINTS = "msanet_bench.plugins"

# by the names that experiments gave them
_loaded: dict[str, ModuleType] = {}


class PluginError(BenchError):
    """A plug-in that an experiment names cannot be imported."""


def load_plugins(names: Iterable[str], folder: Path) -> None:
    """Import each plug-in once: a module by its dotted name, a file by its path relative to `folder`.

    Raises:
        PluginError: a plug-in is missing, or raises on import.
    """
    for name in names:
        with _blamed_on(name):
            if name.endswith(".py"):
                _loaded[name] = _import_file((folder / name).resolve())
            else:
                _loaded[name] = importlib.import_module(name)


def loaded_plugin(name: str) -> ModuleType | None:
    """A module that an experiment of this process has named; no other is reached by its name."""
    return _loaded.get(name)


def plugin_source(name: str, folder: Path) -> Path:
    """The file that a loaded plug-in came from."""
    if name.endswith(".py"):
        return (folder / name).resolve()
    return Path(str(sys.modules[name].__file__))


def load_entry_points() -> None:
    """Import every installed package that declares itself a plug-in; raises as `load_plugins` does."""
    for entry_point in entry_points(group=ENTRY_POINTS):
        with _blamed_on(entry_point.value):
            entry_point.load()


@contextmanager
def _blamed_on(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a plug-in is anybody's code and may raise anything
        frames = traceback.extract_tb(error.__traceback__)
        theirs = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
        place = f"; {Path(theirs[-1].filename).name}, line {theirs[-1].lineno}" if theirs else ""
        reason = f"{type(error).__name__}: {error}{place}"
        raise PluginError(f"the plug-in `{name}` cannot be loaded ({reason}).") from error


def _import_file(path: Path) -> ModuleType:
    name = module_name = f"msanet_bench_plugin_{path.stem}"
    # files of one name in several folders are numbered in the order in which the experiment names them
    for number in count(2):
        loaded = sys.modules.get(name)
        if loaded is None:
            break
        if loaded.__file__ == str(path):
            return loaded
        name = f"{module_name}_{number}"
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
    return module
