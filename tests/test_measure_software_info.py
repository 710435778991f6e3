import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from msanet_bench.measure import software_info as software_module
from msanet_bench.measure.software_info import checkout, software_info


def git(folder: Path, *words: str) -> str:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, env=variables, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package in a checkout with one commit."""
    if shutil.which("git") is None:
        pytest.skip("NOT CHECKED: git is not installed")
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "code.py").write_text("x = 1\n", encoding="ascii")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "one")
    return folder


def test_the_commit_of_a_clean_checkout(package: Path) -> None:
    head = git(package, "rev-parse", "HEAD")
    assert checkout(package) == {"commit": head, "dirty": False, "not_read": None}


@pytest.mark.parametrize("name", ["code.py", "new.py"])
def test_a_changed_or_new_file_of_the_package_makes_it_dirty(package: Path, name: str) -> None:
    (package / name).write_text("x = 2\n", encoding="ascii")
    assert checkout(package)["dirty"] is True


def test_a_file_beside_the_package_does_not(package: Path) -> None:
    (package.parent / "notes.txt").write_text("x", encoding="ascii")
    assert checkout(package)["dirty"] is False


def test_the_checkout_is_that_of_the_package_whatever_git_was_told(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = git(package, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(package / "elsewhere"))
    assert checkout(package)["commit"] == head


def test_an_installed_package_has_no_commit_even_inside_somebody_elses_checkout(package: Path) -> None:
    installed = package / "site-packages" / "package"
    installed.mkdir(parents=True)
    assert checkout(installed) == {"commit": None, "dirty": None, "not_read": "no checkout"}


def test_a_checkout_that_git_cannot_read_says_so(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: nowhere\n", encoding="ascii")
    (tmp_path / "package").mkdir()
    assert checkout(tmp_path / "package") == {
        "commit": None,
        "dirty": None,
        "not_read": "git cannot read the checkout",
    }


def test_a_machine_without_git_says_so(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert checkout(package)["not_read"] == "git is not installed"


def test_the_digest_is_of_sorted_names_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        SimpleNamespace(name="Zeta", version="2"),
        SimpleNamespace(name="alpha", version="1.0"),
        SimpleNamespace(name="alpha", version="1.0"),
    ]
    monkeypatch.setattr(software_module, "distributions", lambda: iter(found))
    told = software_info()
    assert told["packages"] == 2
    assert told["packages_digest"] == hashlib.sha256(b"alpha==1.0\nzeta==2\n").hexdigest()


def test_another_version_of_one_package_gives_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = set()
    for version in ("1.0", "1.0.post1"):
        one = [SimpleNamespace(name="alpha", version=version)]
        monkeypatch.setattr(software_module, "distributions", lambda one=one: iter(one))
        digests.add(software_info()["packages_digest"])
    assert len(digests) == 2


def test_the_versions_are_torchs_own() -> None:
    told = software_info()
    assert told["torch_commit"] in torch.__config__.show()
    assert told["torch_cuda"] == torch.version.cuda
    assert any("MKL-DNN" in line for line in told["libraries"])
    assert "/" not in json.dumps(told)
