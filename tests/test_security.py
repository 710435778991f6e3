"""Files from elsewhere are read and never run; no name leads out of a results or a reports folder."""

import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import msanet_bench
from commands import run_verb
from experiments import write_experiment
from forbidden_calls import forbidden, loads_code
from msanet_bench.checks import load_experiment
from msanet_bench.data.registry import load
from msanet_bench.errors import BenchError, DataError, SpecError
from msanet_bench.latency import default_results
from msanet_bench.spec import DataSpec
from planted_results import write_latencies
from planted_shards import write_shards

ROOT = Path(msanet_bench.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
# `plugins` imports what an experiment or an installed package names; `__init__` only what it lists itself
LOADERS = {"__init__.py", "plugins.py"}
# a sweep and its own children, one program, talk through a pipe; nothing of a disk is unpickled there
PIPES = {"executors/child.py", "executors/local.py"}
# it catches what torch raises for a file that would run something
CATCHER = "single/checkpoint.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_calls_what_runs_the_data_that_it_reads(path: Path) -> None:
    found = {line.partition(": ")[2] for line in forbidden(path.read_text(encoding="utf-8"))}
    assert found == ({"pickle"} if path.relative_to(ROOT).as_posix() in {*PIPES, CATCHER} else set())


def test_the_pipe_to_a_child_pickles_bytes_and_no_files() -> None:
    calls = set(re.findall(r"\bpickle\.\w+|\bimport pickle.*", "".join(map(_text, PIPES))))
    assert calls == {"import pickle", "pickle.dumps", "pickle.loads"}


def test_the_reader_of_checkpoints_names_an_error_of_pickle_and_calls_nothing() -> None:
    assert set(re.findall(r"\bpickle\.\w+", _text(CATCHER))) == {"pickle.UnpicklingError"}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_only_two_files_import_by_name() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in FILES if loads_code(path.read_text("utf-8"))}
    assert found == LOADERS


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle", "1: pickle"),
        ("import joblib.numpy_pickle", "1: joblib.numpy_pickle"),
        ("from dill import loads", "1: dill"),
        ("def f(x):\n    return eval(x)", "2: eval"),
        ("exec('x = 1')", "1: exec"),
        ("__import__(name)", "1: __import__"),
        ("import yaml\nyaml.load(text, Loader=yaml.SafeLoader)", "2: yaml.load"),
        ("from yaml import unsafe_load as read\nread(text)", "2: yaml.unsafe_load"),
        ("import yaml as y\nclass L(y.Loader): ...", "2: yaml.Loader"),
        ("import os\nos.system(x)", "2: os.system"),
        ("import subprocess\nsubprocess.run(x, shell=True)", "2: shell of subprocess.run"),
        ("run(x, shell=is_asked)", "1: shell of run"),
        ("import numpy as np\nnp.load(x, allow_pickle=True)", "2: allow_pickle of numpy.load"),
        ("import torch\ntorch.load(x)", "2: torch.load without weights_only"),
        ("import torch\ntorch.load(x, weights_only=False)", "2: weights_only of torch.load"),
        ("from torch import load\nload(x)", "2: torch.load without weights_only"),
        ("import pandas as pd\npd.read_pickle(x)", "2: pandas.read_pickle"),
        ("frame.to_pickle(x)", "1: ?.to_pickle".replace("?", "frame")),
        ("from tempfile import mktemp\nmktemp()", "2: tempfile.mktemp"),
    ],
)
def test_a_planted_call_is_found(source: str, found: str) -> None:
    assert found in forbidden(source)


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "import yaml\nyaml.safe_load(x)\nclass L(yaml.SafeLoader): ...",
        "import torch\ntorch.load(x, weights_only=True)",
        "import numpy as np\nnp.load(x)\nnp.load(x, allow_pickle=False)",
        "import subprocess\nsubprocess.run([x], shell=False)",
        "import re\nre.compile(x)",
    ],
)
def test_what_is_safe_is_not_found(source: str) -> None:
    assert list(forbidden(source)) == []


def test_a_planted_loader_is_found() -> None:
    assert loads_code("import importlib\nimportlib.import_module(name)")


# what is read is not run


class _Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_the_planted_pickle_runs_when_it_is_read(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(_Touch(tmp_path / "ran")))  # noqa: S301  # the twin of the next tests
    assert (tmp_path / "ran").exists()


def test_the_batches_of_cifar_10_are_not_unpickled_unless_they_are_the_published_ones(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"]:
        (folder / name).write_bytes(pickle.dumps(_Touch(tmp_path / "ran")))
    with pytest.raises(DataError, match="missing or damaged"):
        load(DataSpec(dataset="cifar10"), tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "name", ["samples.parquet", "records.jsonl", "manifest.json", "latency.csv", "profile.json"]
)
def test_a_pickle_among_results_is_not_run(name: str, small_results: Path, tmp_path: Path) -> None:
    results = Path(shutil.copytree(small_results, tmp_path / "results"))
    (results / name).write_bytes(pickle.dumps(_Touch(tmp_path / "ran")))
    for verb in (["report"], ["table"], ["status"], ["summarize"], ["compare", "results"]):
        code, _, err = run_verb(*verb, "results", cwd=tmp_path)
        assert code in {0, 2, 3}, err
        assert "Traceback" not in err
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [touch ran]", "!!python/name:os.system ''"])
def test_a_tag_of_yaml_builds_no_object(tag: str, tmp_path: Path) -> None:
    path = write_experiment(tmp_path, delta=f"delta: {tag}")
    code, _, err = run_verb("check", path, cwd=tmp_path)
    assert code == 2
    assert "Traceback" not in err
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("verb", ["report", "table", "status", "summarize", "merge"])
def test_plugins_that_results_name_are_not_loaded(verb: str, tmp_path: Path) -> None:
    (shard, *_) = write_shards(tmp_path)
    evil = tmp_path / "evil.py"
    evil.write_text("from pathlib import Path\nPath(__file__).with_name('ran').touch()\n")
    manifest = json.loads((shard / "manifest.json").read_text())
    manifest["experiment"]["plugins"] = [str(evil), "evil"]
    (shard / "manifest.json").write_text(json.dumps(manifest))
    run_verb(verb, shard, *(["-o", "merged"] if verb == "merge" else []), cwd=tmp_path)
    assert not (tmp_path / "ran").exists()
    path = write_experiment(tmp_path)
    path.write_text(f"{path.read_text()}plugins: [evil.py]\n")
    assert run_verb("check", path, cwd=tmp_path).code == 0
    assert (tmp_path / "ran").exists()


# names

NAMES = [
    "../evil",
    "/var/evil",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\n",
    "",
    ".",
    "..",
    "-o",
    "a b",
    "e\u0301",
    "a" * 65,
]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_an_experiment_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    path.write_text(f"name: {json.dumps(name)}\n{path.read_text()}")
    with pytest.raises(SpecError, match="name: "):
        load_experiment(path)


@pytest.mark.parametrize("name", ["...yaml", "..yaml", "a\nb.yaml", ".yaml", "a b.yaml"])
def test_nor_does_the_name_of_its_file(name: str, tmp_path: Path) -> None:
    path = write_experiment(tmp_path).rename(tmp_path / name)
    with pytest.raises(SpecError, match="name: "):
        load_experiment(path)
    path.write_text(f"name: good\n{path.read_text()}")
    assert load_experiment(path).name == "good"


def test_latencies_are_kept_under_the_name_of_the_experiment(tmp_path: Path) -> None:
    assert default_results("good", None) == Path("results/good")
    assert default_results("good", tmp_path / "...yaml") == Path("results/good_against_..")
    assert default_results("good", tmp_path) == Path(f"results/good_against_{tmp_path.name}")


@pytest.mark.parametrize("name", ["../../evil", "/var/evil", "a\nb", "a" * 500])
def test_names_in_results_lead_no_file_out_of_the_report(
    name: str, small_results: Path, tmp_path: Path
) -> None:
    desk = tmp_path / "far" / "down"
    results = Path(shutil.copytree(small_results, desk / "results"))
    write_latencies(results, {"baseline": (1.0, 1.0, 1.0), "attention=none": (0.9, 0.8, 1.0)})
    for file in ("manifest.json", "records.jsonl", "latency.csv", "profile.json"):
        text = (results / file).read_text(encoding="utf-8")
        quoted = json.dumps(name)[1:-1]
        changed = text.replace("attention=none", quoted).replace('"name": "small"', f'"name": "{quoted}"')
        (results / file).write_text(changed.replace(",cpu,", f",{name!r},"), encoding="utf-8")
    before = set(tmp_path.rglob("*"))
    assert run_verb("report", "results", "--html", "--pdf", cwd=desk)[::2] == (0, "")
    new = set(tmp_path.rglob("*")) - before
    assert desk / "reports" / "results" / "report.html" in new
    assert all(path.is_relative_to(desk / "reports") for path in new)
    assert not Path("/var/evil").exists()


def test_a_file_that_leads_out_of_the_report_would_be_seen(
    small_results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(small_results, tmp_path / "results")
    monkeypatch.setattr("msanet_bench.report.build._files", lambda _: [("../evil.csv", "planted")])
    assert run_verb("report", "results", cwd=tmp_path).code == 0
    assert (tmp_path / "reports" / "evil.csv").exists()


@pytest.mark.parametrize(
    "plugin", ["a\0.py", "a" * 5000 + ".py", "../nowhere.py", "/nowhere.py", "..", "os.\0", ""]
)
def test_a_plugin_that_is_none_is_one_message(plugin: str, tmp_path: Path) -> None:
    path = write_experiment(tmp_path)
    path.write_text(f"{path.read_text()}plugins: [{json.dumps(plugin)}]\n")
    with pytest.raises(BenchError, match="cannot be loaded"):
        load_experiment(path)


@pytest.mark.parametrize("folder", ["a\0b", "a" * 5000, "../nowhere", "/nowhere"])
def test_a_folder_of_images_that_is_none_is_one_message(folder: str, tmp_path: Path) -> None:
    options = f"{{dataset: image_folder, options: {{folder: {json.dumps(folder)}, size: 8}}}}"
    text = write_experiment(tmp_path).read_text()
    start, end = text.index("data:"), text.index("train:")
    path = write_experiment(tmp_path, f"{text[:start]}data: {options}\n{text[end:]}")
    code, out, err = run_verb("check", path, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
