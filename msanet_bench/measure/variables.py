"""The environment variables that change how torch and its libraries run, without what is private in them."""

import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

WITHHELD = "set, not recorded"

_PREFIXES = (
    "ATEN_",
    "CUBLAS",
    "CUDA_",
    "CUDNN_",
    "GOMP_",
    "KMP_",
    "MALLOC_",
    "MKL_",
    "NVIDIA_",
    "OMP_",
    "ONEDNN_",
    "PYTORCH_",
    "TORCH",
)
_SECRET = re.compile("AUTH|CREDENTIAL|KEY|PASS|SECRET|TOKEN")
# Numbers, words and lists of them. A path, an address or a URL has one of / \ ~ @ and so is none of these.
_SETTING = re.compile(r"[\w.,:;=+<>*|(){}\[\] -]{0,300}", re.ASCII)


def recorded_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of torch and of the libraries below it, by name.

    That a variable is set is always told. Its value is told only if it can be no path and no address, holds
    the name of neither host nor user, and the variable's name speaks of no secret.
    """
    names = sorted(name for name in variables if name.startswith(_PREFIXES))
    private = private_names(variables)
    return {name: _value(name, variables[name], private) for name in names}


def preloaded_libraries(variables: Mapping[str, str]) -> list[str]:
    """The files, without their folders, that the loader puts before all others: another allocator, say."""
    paths = re.split("[ :]+", variables.get("LD_PRELOAD", ""))
    private = private_names(variables)
    return [_value("LD_PRELOAD", PurePosixPath(path).name, private) for path in paths if path]


def private_names(variables: Mapping[str, str]) -> frozenset[str]:
    """What host, user and home folder are called."""
    host = platform.node()
    home = PurePosixPath(variables.get("HOME", "")).name
    names = {host, host.partition(".")[0], home, variables.get("USER", ""), variables.get("LOGNAME", "")}
    return frozenset(names - {""})


def _value(name: str, value: str, private: Iterable[str]) -> str:
    is_open = _SETTING.fullmatch(value) and not _SECRET.search(name)
    return value if is_open and not any(_names(value, word) for word in private) else WITHHELD


def _names(value: str, word: str) -> bool:
    """Whether the word stands in the value, not as a part of a longer one."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", value, re.IGNORECASE) is not None
