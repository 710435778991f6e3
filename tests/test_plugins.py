"""Blocks from outside: files, modules, entry points; and what is said when they cannot be loaded."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import msanet_bench.plugins
from msanet_bench.plugins import ENTRY_POINTS, PluginError, load_entry_points, load_plugins


@pytest.fixture(autouse=True)
def _modules_as_before() -> Iterator[None]:
    before = dict(sys.modules)
    yield
    sys.modules.clear()
    sys.modules.update(before)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


COUNTS = "import sys\nsys.modules.setdefault('test_plugins_count', []).append(__file__)\n"


def counted() -> list[str]:
    files = sys.modules.get("test_plugins_count", [])
    assert isinstance(files, list)
    return files


@pytest.mark.parametrize("name", ["lab.py", "./lab.py", "../lab/lab.py"])
def test_a_file_is_found_from_the_folder_of_the_experiment(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "lab" / "lab.py", COUNTS)
    load_plugins([name], tmp_path / "lab")
    assert counted() == [str(path)]


def test_a_file_runs_once_however_it_is_named_and_two_files_of_one_name_both_run(tmp_path: Path) -> None:
    first, second = (write(tmp_path / folder / "lab.py", COUNTS) for folder in ("one", "two"))
    for _ in range(2):  # a latency session loads its experiment more than once
        load_plugins(["one/lab.py", "./one/lab.py", "two/lab.py"], tmp_path)
    assert counted() == [str(first), str(second)]


def test_a_module_is_imported_by_its_dotted_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "my_lab" / "__init__.py", "")
    path = write(tmp_path / "my_lab" / "blocks.py", COUNTS)
    monkeypatch.syspath_prepend(tmp_path)
    load_plugins(["my_lab.blocks", "my_lab.blocks"], tmp_path)
    assert counted() == [str(path)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\nx / 0\n", "ZeroDivisionError: division by zero; lab.py, line 2"),
        ("def f():\n    return y\nf()\n", "NameError: name 'y' is not defined; lab.py, line 2"),
        ("assert False, 'no'\n", "AssertionError: no; lab.py, line 1"),
        (
            "import nothing_of_this_name\n",
            "ModuleNotFoundError: No module named 'nothing_of_this_name'; lab.py",
        ),
        ("def f(:\n", "SyntaxError: invalid syntax (lab.py, line 1)"),
    ],
)
def test_a_file_that_raises_is_named_with_its_reason_and_line(text: str, reason: str, tmp_path: Path) -> None:
    write(tmp_path / "lab.py", text)
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            load_plugins(["lab.py"], tmp_path)
        assert str(caught.value).startswith(f"the plug-in `lab.py` cannot be loaded ({reason}")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_lab", "ModuleNotFoundError: No module named 'no_such_lab'"),
        ("", "ValueError: Empty module name"),
        (".lab", "TypeError: the 'package' argument is required"),
    ],
)
def test_a_module_that_is_missing_is_named(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        load_plugins([name], tmp_path)
    assert str(caught.value).startswith(f"the plug-in `{name}` cannot be loaded ({reason}")


def test_a_file_that_is_missing_is_named_in_full(tmp_path: Path) -> None:
    with pytest.raises(PluginError) as caught:
        load_plugins(["nowhere.py"], tmp_path)
    reason = f"OSError: there is no file {tmp_path / 'nowhere.py'}"
    assert str(caught.value) == f"the plug-in `nowhere.py` cannot be loaded ({reason})."


def test_installed_packages_are_loaded_through_their_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "installed_lab.py", COUNTS)
    monkeypatch.syspath_prepend(tmp_path)
    entry_point = EntryPoint("lab", "installed_lab", ENTRY_POINTS)
    broken = EntryPoint("gone", "removed_lab", ENTRY_POINTS)
    monkeypatch.setattr(msanet_bench.plugins, "entry_points", lambda **_: [entry_point])
    load_entry_points()
    assert counted() == [str(path)]
    monkeypatch.setattr(msanet_bench.plugins, "entry_points", lambda **_: [broken])
    with pytest.raises(PluginError, match=r"^the plug-in `removed_lab` cannot be loaded \(ModuleNotFound"):
        load_entry_points()
