import getpass
import json
import platform
import socket
from pathlib import Path

import torch

from msanet_bench.measure.environment import _cpu_model, environment


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
