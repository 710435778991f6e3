"""Options and fixtures that several test files share."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from msanet_bench.checks import catalog
from needs import pytest_runtest_setup, pytest_terminal_summary
from torture import driver

__all__ = ["pytest_runtest_setup", "pytest_terminal_summary"]

DATA = Path(__file__).parent / "data"

# A shell starts what runs in its background with SIGINT ignored, and children inherit that: Ctrl-C is tested
# with them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture(scope="session")
def serving() -> Iterator[subprocess.Popen[str]]:
    """A process that has imported all that a sweep needs, and runs commands in forks of itself."""
    with driver() as process:
        yield process


@pytest.fixture
def small_results() -> Path:
    """A results folder of synthetic numbers: six variants, three seeds, three cells without a result."""
    return DATA / "small_results"


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> Callable[[Path, Mapping[str, str]], None]:
    """Compare texts with the files of a folder, or write them there with --update-golden."""

    def check(folder: Path, texts: Mapping[str, str]) -> None:
        if request.config.getoption("--update-golden"):
            for name, text in texts.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8", newline="\n")
        kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert kept == set(texts)
        for name, text in texts.items():
            assert (folder / name).read_text(encoding="utf-8") == text, f"{name} differs"

    return check


@pytest.fixture(autouse=True)
def _plugins_leave_with_their_test() -> Iterator[None]:
    """Registries are global: what one test plugs in must not be found by the next."""
    entries = [(registry._entries, dict(registry._entries)) for registry in catalog().values()]
    modules = set(sys.modules)
    yield
    for now, before in entries:
        now.clear()
        now.update(before)
    for name in set(sys.modules) - modules:
        if name.startswith("msanet_bench_plugin_"):
            del sys.modules[name]
