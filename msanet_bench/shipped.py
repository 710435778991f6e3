"""The experiments that come with this package: a bare name on the command line stands for one of them."""

from pathlib import Path

from msanet_bench.errors import BenchError
from msanet_bench.violations import suggestion

_PACKAGE = Path(__file__).parent
_SUFFIXES = {".yaml", ".yml"}


def experiment_file(named: Path) -> Path:
    """The file that is meant: one at this path or, where there is none, the shipped experiment of this name.

    What is wrong with a path that is no file and ends in .yaml is left to whoever reads it.

    Raises:
        BenchError: it is neither.
    """
    if named.is_file():
        return named
    shipped = shipped_experiments()
    if named.as_posix() in shipped:
        return shipped[named.as_posix()]
    if not named.exists() and named.suffix in _SUFFIXES and named.stem in shipped:
        raise BenchError(f"{named}: there is no such file. `{named.stem}` alone is the one of this package.")
    if named.exists() or named.suffix in _SUFFIXES:
        return named
    law = "must be a YAML file, or an experiment that comes with this package"
    raise BenchError(f"{named}: {law}. {suggestion(named.as_posix(), shipped)}")


def shipped_experiments() -> dict[str, Path]:
    """Every shipped file by its name: the path below its folder without suffix, such as `controls/noise`.

    The claims beside them are about the results of a checkout and no experiment.
    """
    folder = _folder()
    files = (path for path in sorted(folder.rglob("*.yaml")) if path != folder / "claims.yaml")
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}


def _folder() -> Path:
    """A wheel carries them inside the package; in a checkout they stand beside it."""
    inside = _PACKAGE / "experiments"
    return inside if inside.is_dir() else _PACKAGE.parent / "experiments"
