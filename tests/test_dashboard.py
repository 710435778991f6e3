"""A dashboard that only shows, and only to this machine."""

import json
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest

import msanet_bench.dashboard
from commands import run_verb
from msanet_bench.dashboard import DashboardServer, open_dashboard, serve
from msanet_bench.errors import BenchError
from msanet_bench.search import Ledger, name_objectives, storage_url


def _echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["PATH_INFO"].encode()]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DashboardServer]:
    """A dashboard whose pages say their path."""
    monkeypatch.setattr(msanet_bench.dashboard, "_dashboard", lambda *_: _echo)
    opened = open_dashboard(tmp_path, None, 0)
    thread = threading.Thread(target=serve, args=(opened,))
    thread.start()
    yield opened
    opened.shutdown()
    thread.join()


def _answer(url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    asked = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 (http, as written below)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read()


def test_what_reads_is_answered_and_what_writes_is_refused(server: DashboardServer) -> None:
    url = f"http://127.0.0.1:{server.server_port}/api/studies"
    assert _answer(url) == (200, b"/api/studies")
    assert _answer(url, Host=f"localhost:{server.server_port}")[0] == 200
    # as a browser asks at port 80
    assert _answer(url, Host="127.0.0.1")[0] == _answer(url, Host="localhost")[0] == 200
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        code, content = _answer(url, method)
        assert code == 403
        assert "the sweep alone writes its study" in json.loads(content)["reason"]


def test_a_page_from_elsewhere_that_has_its_name_lead_here_reads_nothing(server: DashboardServer) -> None:
    assert _answer(f"http://127.0.0.1:{server.server_port}/", Host="elsewhere.example:8080")[0] == 403


def test_a_port_that_is_taken_is_one_message(server: DashboardServer, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=rf"--port: port {server.server_port} of 127\.0\.0\.1 is taken\."):
        open_dashboard(tmp_path, None, server.server_port)


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    code, out, err = run_verb("dashboard", tmp_path, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.endswith("is not installed. Run: pip install 'msanet-bench[dashboard]'\n")


def test_ctrl_c_ends_it_well_as_soon_as_it_is_told_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(opened: DashboardServer) -> None:
        opened.server_close()
        raise KeyboardInterrupt

    monkeypatch.setattr(msanet_bench.dashboard, "_dashboard", lambda *_: _echo)
    monkeypatch.setattr(msanet_bench.dashboard, "serve", break_off)
    code, out, _ = run_verb("dashboard", tmp_path, "--port", "0", cwd=tmp_path)
    assert (code, out.startswith("http://127.0.0.1:")) == (0, True)


@contextmanager
def _process(results: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A dashboard in a process of its own, and its address."""
    command = [sys.executable, "-m", "msanet_bench", "dashboard", str(results), "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+/", line)
            assert found, line
            yield process, found[0]
        finally:
            process.kill()


@pytest.mark.cluster
def test_study_and_objective_have_their_names_and_constraints_are_to_be_seen(tmp_path: Path) -> None:
    ledger = Ledger(storage_url(tmp_path), "mine", ["baseline", "attention=none"], [0])
    ledger.tell(ledger.ask("k0", "baseline", 0), 0.875)
    several = optuna.create_study(
        storage=storage_url(tmp_path), study_name="several", directions=["maximize", "minimize"]
    )
    name_objectives(several, ["accuracy", "macs"])
    trial = several.ask()
    trial.set_constraint("params <= 2000000", -0.25)
    trial.set_user_attr("constraint.params <= 2000000", -0.25)
    several.tell(trial, [0.5, 1e6])
    with _process(tmp_path) as (process, url):
        assert _listening(process) == {"127.0.0.1"}
        assert b"<html" in _answer(f"{url}dashboard/")[1].lower()
        studies = json.loads(_answer(f"{url}api/studies")[1])["study_summaries"]
        numbers = {study["study_name"].partition("-")[0]: study["study_id"] for study in studies}
        assert set(numbers) == {"mine", "several"}
        mine, other = (
            json.loads(_answer(f"{url}api/studies/{numbers[name]}")[1]) for name in ("mine", "several")
        )
        assert mine["objective_names"] == ["accuracy"]
        assert [trial["values"] for trial in mine["trials"]] == [[0.875]]
        assert other["objective_names"] == ["accuracy", "macs"]
        attributes = {each["key"]: each["value"] for each in other["trials"][0]["user_attrs"]}
        assert float(attributes["constraint.params <= 2000000"]) == -0.25
        # a trial that is told while it is looked at appears
        ledger.tell(ledger.ask("k1", "attention=none", 0), 0.5)
        _wait_for(lambda: len(json.loads(_answer(f"{url}api/studies/{numbers['mine']}")[1])["trials"]) == 2)
        assert _answer(f"{url}api/studies/{numbers['mine']}", "DELETE")[0] == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.cluster
def test_a_folder_without_a_study_is_one_message(tmp_path: Path) -> None:
    code, out, err = run_verb("dashboard", tmp_path, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"{tmp_path}/study.db: there is no study yet. Run `msanet-bench sweep` first")
    assert list(tmp_path.iterdir()) == []


def _listening(process: subprocess.Popen[str]) -> set[str]:
    connections = psutil.Process(process.pid).net_connections(kind="all")
    return {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}


def _wait_for(condition: Any) -> None:
    pause = threading.Event()
    for _ in range(300):
        if condition():
            return
        pause.wait(0.1)
    raise AssertionError("it did not come")
