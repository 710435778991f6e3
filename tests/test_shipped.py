"""The experiments that come with the package, by name, from a checkout and from a wheel."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from commands import run_verb
from experiments import PUBLISHED, write_experiment
from msanet_bench.cli import VERBS
from msanet_bench.errors import BenchError
from msanet_bench.shipped import experiment_file, shipped_experiments

ROOT = Path(__file__).parents[1]
EXPERIMENTS = ROOT / "experiments"
READ = (
    *("tests", "experiments", "docs", ".github", "results/residual", "results/fashion_mnist_pilot"),
    *(f"{kind}/{name}" for kind in ("results", "reports") for name in PUBLISHED),
)
READ_TOO = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "Dockerfile",
    ".dockerignore",
    "pyproject.toml",
)
OF_EXPERIMENTS = ["sweep", "check", "plan", "profile", "latency", "train"]
TRAINED = """
from pathlib import Path
from msanet_bench.cli import main
from msanet_bench.shipped import experiment_file
print(experiment_file(Path("smoke")))
main()
"""


def test_every_experiment_of_the_repository_is_shipped_under_its_name() -> None:
    files = {str(path.relative_to(EXPERIMENTS))[: -len(".yaml")] for path in EXPERIMENTS.rglob("*.yaml")}
    assert set(shipped_experiments()) == files - {"claims"}
    assert {"ablation", "smoke", "controls/noise"} <= files


def test_a_bare_name_is_the_shipped_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert experiment_file(Path("ablation")) == EXPERIMENTS / "ablation.yaml"
    assert experiment_file(Path("controls/noise")) == EXPERIMENTS / "controls" / "noise.yaml"


def test_a_file_of_that_name_goes_before_it_and_a_folder_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ablation").mkdir()
    assert experiment_file(Path("ablation")) == EXPERIMENTS / "ablation.yaml"
    Path("smoke").write_text("seeds: 1\n", encoding="utf-8")
    assert experiment_file(Path("smoke")) == Path("smoke")


@pytest.mark.parametrize("named", ["mine.yaml", "mine.yml", "folder"])
def test_what_is_wrong_with_a_path_is_left_to_its_reader(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    assert experiment_file(Path(named)) == Path(named)


def test_the_path_that_the_documentation_names_is_told_by_its_name_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenchError) as raised:
        experiment_file(Path("experiments/smoke.yaml"))
    law = "experiments/smoke.yaml: there is no such file."
    assert str(raised.value) == f"{law} `smoke` alone is the one of this package."


def test_the_verbs_of_an_experiment_are_those_that_say_so_in_their_help(tmp_path: Path) -> None:
    helps = {verb.__name__: run_verb(verb.__name__, "--help", cwd=tmp_path).out for verb in VERBS}
    named = [verb for verb, text in helps.items() if re.search(r"^ +\[?EXPERIMENT", text, re.MULTILINE)]
    assert named == OF_EXPERIMENTS
    assert all("comes with this package" in " ".join(helps[verb].split()) for verb in named)


@pytest.mark.parametrize("verb", OF_EXPERIMENTS)
def test_a_name_of_nothing_gets_the_names_there_are(verb: str, tmp_path: Path) -> None:
    code, out, err = run_verb(verb, "ablatoin", cwd=tmp_path)
    law = "ablatoin: must be a YAML file, or an experiment that comes with this package."
    names = ", ".join(sorted(shipped_experiments()))
    assert (code, out) == (2, "")
    assert err == f"{law} Did you mean 'ablation'? Known: {names}.\n"


def test_the_other_experiment_of_a_latency_session_may_be_a_name_too(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    outcome = run_verb("latency", "smoke", "--against", "smok", cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.err.startswith("smok: must be a YAML file, or an experiment")


def test_a_name_is_checked_as_its_file_is(tmp_path: Path) -> None:
    code, out, _ = run_verb("check", "smoke", cwd=tmp_path)
    assert code == 0
    assert f"{EXPERIMENTS / 'smoke.yaml'}: in order. 2 variants x 2 seeds = 4 cells." in out


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel of this tree installs."""
    folder = tmp_path_factory.mktemp("wheel")
    built = next(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    with zipfile.ZipFile(built) as wheel:
        wheel.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_holds_the_package_and_every_experiment_and_nothing_else(installed: Path) -> None:
    files = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    metadata = {name for name in files if name.split("/")[0].endswith(".dist-info")}
    package = ROOT / "msanet_bench"
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    of_experiments = [path for path in EXPERIMENTS.rglob("*") if path.suffix in {".yaml", ".py"}]
    expected |= {f"msanet_bench/{path.relative_to(ROOT).as_posix()}" for path in of_experiments}
    expected -= {"msanet_bench/experiments/claims.yaml"}
    assert files - metadata == expected
    entries = next(installed.glob("*.dist-info")) / "entry_points.txt"
    assert "msanet-bench = msanet_bench.cli:main" in entries.read_text(encoding="utf-8")


def test_an_installed_wheel_has_its_experiments_anywhere_and_writes_where_one_is(
    installed: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRAINED, "train", "smoke"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == str(installed / "msanet_bench" / "experiments" / "smoke.yaml")
    assert [path.name for path in (tmp_path / "checkpoints" / "smoke").iterdir()] == ["baseline.seed-0.pt"]


def test_the_sdist_holds_what_the_tests_read(tmp_path: Path) -> None:
    built = Path(next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])))
    subprocess.run(["tar", "-xzf", built, "--strip-components=1"], cwd=tmp_path, check=True)
    wanted = {path for folder in READ for path in (ROOT / folder).rglob("*") if path.is_file()}
    wanted |= {ROOT / name for name in READ_TOO}
    ours = {path.relative_to(ROOT) for path in wanted if not _is_ignored(path)}
    assert [path for path in sorted(ours) if not (tmp_path / path).is_file()] == []


def _is_ignored(path: Path) -> bool:
    """What git does not keep of these folders."""
    return "__pycache__" in path.parts or path.name in {"journal.jsonl", "study.db", "lock"}
