"""Names short enough for a figure."""

from collections.abc import Sequence


def short_name(name: str, paths: Sequence[str]) -> str:
    """A variant's name with each path cut to its shortest ending that no other path shares."""
    for path in paths:
        name = name.replace(f"{path}=", f"{short_path(path, paths)}=")
    return name


def short_path(path: str, paths: Sequence[str]) -> str:
    """`conv3` for `branches.conv3`, as long as no other path ends so."""
    parts = path.split(".")
    endings = [".".join(parts[start:]) for start in range(len(parts) - 1, 0, -1)]
    others = [other for other in paths if other != path]
    return next((end for end in endings if not any(_ends(other, end) for other in others)), path)


def _ends(path: str, ending: str) -> bool:
    return f".{path}".endswith(f".{ending}")
