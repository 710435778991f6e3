import getpass
import json
import platform
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from msanet_bench.measure import environment as environment_module
from msanet_bench.measure.environment import _cpu_model, environment, session_environment
from msanet_bench.measure.nvml import NO_GPU, Gpu


def test_the_environment_is_plain_and_names_versions() -> None:
    told = environment()
    assert json.loads(json.dumps(told)) == told
    assert told["torch"] == torch.__version__
    assert told["python"] == platform.python_version()
    assert (told["cuda_device"] is None) == (not torch.cuda.is_available())


def test_the_environment_names_no_host_user_or_folder() -> None:
    text = json.dumps(environment())
    for secret in (socket.gethostname(), str(Path.home()), str(Path.cwd())):
        assert secret not in text
    assert getpass.getuser() not in environment().values()


def test_the_processor_is_named_as_linux_names_it(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        "processor\t: 0\nmodel name\t: Some CPU: 3 GHz\nmodel name\t: Other\n", encoding="utf-8"
    )
    assert _cpu_model(cpuinfo) == "Some CPU: 3 GHz"
    assert _cpu_model(tmp_path / "missing") == platform.machine()


def test_a_session_tells_more_than_a_manifest_in_plain_values() -> None:
    told = session_environment()
    assert json.loads(json.dumps(told)) == told
    assert {name: told[name] for name in environment()} == environment()
    assert list(told)[len(environment()) :] == [
        "software",
        "flags",
        "variables",
        "processor",
        "machine",
        "gpu",
    ]
    assert (told["gpu"] is None) == (not torch.cuda.is_available())


def test_a_change_of_tf32_is_seen_in_the_session() -> None:
    was = torch.backends.cudnn.allow_tf32
    try:
        seen = []
        for torch.backends.cudnn.allow_tf32 in (False, True):
            seen.append(session_environment()["flags"]["backends.cudnn.allow_tf32"])
    finally:
        torch.backends.cudnn.allow_tf32 = was
    assert seen == [False, True]


def texts(value: Any) -> Iterator[str]:
    """Every text in a tree of plain values, keys too."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield name
            yield from texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from texts(below)
    elif isinstance(value, str):
        yield value


def private(told: dict[str, Any]) -> list[str]:
    """The texts that hold a path, or the name of host, user or home folder as a word."""
    names = {socket.gethostname(), getpass.getuser(), Path.home().name} - {""}
    word = "|".join(map(re.escape, names))
    found = re.compile(rf"(?<![\w.]){Path.home()}|{Path.cwd()}|/(home|root|usr|opt|tmp|var)/|\b({word})\b")
    return [text for text in texts(told) if found.search(text)]


@pytest.fixture
def traps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Private values in every variable through which they could come in."""
    monkeypatch.setenv("CUDA_HOME", f"{Path.home()}/cuda")
    monkeypatch.setenv("PYTORCH_NOTE", f"of {getpass.getuser()} on {socket.gethostname()}")
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("USER", getpass.getuser())


@pytest.mark.usefixtures("traps")
def test_a_session_names_no_host_user_or_folder() -> None:
    assert private(session_environment()) == []


@pytest.mark.usefixtures("traps")
def test_a_session_that_recorded_every_variable_as_it_is_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment_module, "recorded_variables", dict)
    found = private(session_environment())
    assert f"{Path.home()}/cuda" in found
    assert f"of {getpass.getuser()} on {socket.gethostname()}" in found


def test_a_session_on_a_device_tells_of_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Gpu, int]] = []

    def gpu_info(gpu: Gpu, index: int) -> dict[str, Any]:
        asked.append((gpu, index))
        return {"name": "fake"}

    monkeypatch.setattr(environment_module, "gpu_info", gpu_info)
    monkeypatch.setattr(environment_module, "gpu_of", lambda index: Gpu("nvml", ("handle", index)))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "fake")
    assert session_environment()["gpu"] == {"name": "fake"}
    session_environment(NO_GPU)
    assert asked == [(Gpu("nvml", ("handle", 2)), 2), (NO_GPU, 2)]
