import json
import os
import re
from dataclasses import asdict, replace
from hashlib import sha256
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import t

from commands import run_verb
from msanet_bench.doctor import examine as examine_module
from msanet_bench.doctor import noise as noise_module
from msanet_bench.doctor.device_checks import CHECKS
from msanet_bench.doctor.examination import Check, Examination, NoiseFloor
from msanet_bench.doctor.examine import examine
from msanet_bench.doctor.loads import HEAVY, TWIN, Load
from msanet_bench.doctor.noise import noise_floor
from msanet_bench.doctor.signed import read_examination, signed_text, write_examination
from msanet_bench.doctor.words import conclusion, sections, verdict
from msanet_bench.errors import ResultsError
from msanet_bench.measure.device import CpuDevice
from msanet_bench.measure.environment import session_environment
from msanet_bench.measure.macs import count_macs
from msanet_bench.measure.storage import StorageSpeed
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.measure.variables import private_names
from msanet_bench.session.run import Place
from msanet_bench.spec import BlockSpec, ModelSpec
from msanet_bench.train.seed import flags_restored
from simulated import BUSY, place

CPU = Place(CpuDevice(), torch.device("cpu"))
SMALL = Load(ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1,)), (1, 8, 8))
QUIET = Telemetry(None, None, None, None, None, None, 0, 0, 0.25)
NOISE = NoiseFloor(
    device="cpu",
    threads=1,
    batch=1,
    precision="fp32_strict",
    names=6,
    pairs=15,
    super_rounds=27,
    rounds=270,
    latency_s=1.5e-3,
    first_call_s=0.045,
    half_width=0.0132,
    largest_difference=0.0044,
    told_apart=1,
    surely_apart=0,
    drift=0.25,
    rejected=0.0,
    seconds=30.25,
    flags={},
    state=QUIET,
    status="measured",
)
PASSED = Check("cold", passed=True, value=1.5, limit=1.0, detail="slower")
FAILED = Check("events", passed=False, value=0.05, limit=0.03, detail="apart")
UNTRIED = Check("triton", passed=None, value=None, limit=0.01, detail="not tried: triton is not installed")


@pytest.fixture(scope="module")
def found() -> Examination:
    return Examination(
        environment=session_environment(),
        clock_step_s=3e-8,
        cuda_devices=0,
        storage=StorageSpeed(2.5e-4, "ext4", "disk"),
        storage_refusal=None,
        noise=(NOISE,),
        checks=(),
    )


def text_of(examination: Examination) -> dict[tuple[str, str], str]:
    return {(s.title, label): text for s in sections(examination) for label, text in s.rows}


def test_the_networks_are_of_the_sizes_that_are_said() -> None:
    assert (
        sum(p.numel() for p in TWIN.build().parameters()) == 99_225
    )  # README: 99,081, and 8 x 9 x 2 for two channels more
    assert count_macs(HEAVY.build(), HEAVY.image).total == pytest.approx(1.84e9, rel=2e-3)


def test_twins_are_one_network() -> None:
    one, other = (TWIN.build().state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_six_names_make_fifteen_pairs() -> None:
    noise = noise_floor(CPU, 1e-9, SMALL)
    assert (noise.names, noise.pairs) == (6, comb(6, 2))
    assert (noise.device, noise.threads, noise.status) == ("cpu", 1, "measured")


def test_one_super_round_gives_no_interval_and_no_zero() -> None:
    noise = noise_floor(CPU, 1e-9, SMALL)
    assert (noise.super_rounds, noise.rounds) == (1, 10)
    nothing = noise.half_width, noise.largest_difference, noise.told_apart, noise.surely_apart, noise.drift
    assert nothing == (None,) * 5
    assert noise.latency_s is not None
    assert verdict(noise).startswith("no interval: ")


def test_a_session_lasts_about_as_long_as_it_is_told() -> None:
    # long enough for a second super-round on a busy machine too
    noise = noise_floor(CPU, 5, SMALL)
    assert noise.super_rounds >= 2
    assert 5 <= noise.seconds < 60
    assert noise.half_width is not None
    assert 0 < noise.half_width < 1


@pytest.mark.parametrize("spread", [0.01, 0.05])
def test_the_noise_is_that_which_was_planted(spread: float) -> None:
    """Every call log-normal, nothing else: the interval is about the one that the normal's formulas give.

    A visit is the median of three windows, with 0.67 times the deviation of one. A name has ten visits a
    super-round, and the ratio of two names the deviation of both, so half its interval over G super-rounds is
    Student's t for G - 1, times 0.67 times the spread, times the root of 2 / (10 G).
    """
    source = np.random.default_rng(1)
    noise = noise_floor(
        place(cost=lambda _: 1e-3, jitter=lambda _: float(np.exp(source.normal(0, spread)))), 3.0, SMALL
    )
    assert noise.half_width is not None
    assert noise.super_rounds > 1
    by_hand = t.ppf(0.975, noise.super_rounds - 1) * 0.67 * spread * np.sqrt(2 / (10 * noise.super_rounds))
    assert 0.5 < noise.half_width / by_hand < 1.5
    assert noise.surely_apart == 0


def test_the_flags_of_the_session_are_kept_and_those_of_the_process_stay() -> None:
    with flags_restored():
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = False, True
        threads = torch.get_num_threads()
        noise = noise_floor(CPU, 1e-9, SMALL)
        assert not torch.backends.cudnn.benchmark
        assert torch.backends.cudnn.allow_tf32
        assert torch.get_num_threads() == threads
    assert noise.flags["backends.cudnn.benchmark"] is True
    assert noise.flags["backends.cudnn.allow_tf32"] is False


def test_a_network_that_cannot_be_timed_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no room")

    monkeypatch.setattr("msanet_bench.session.networks.made_ready", full)
    noise = noise_floor(CPU, 1.0, SMALL)
    assert (noise.status, noise.latency_s, noise.super_rounds) == ("oom", None, 0)
    assert verdict(noise) == "oom"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        examine_module, "noise_floor", lambda where, _: replace(NOISE, device=where.device.name)
    )


@pytest.mark.usefixtures("quick")
def test_without_a_device_no_check_is_run_and_all_is_in_order(tmp_path: Path) -> None:
    found = examine(tmp_path, 1.0, on=[CPU])
    assert (found.checks, found.failed) == ((), ())
    assert found.storage is not None
    assert found.clock_step_s is not None
    assert 0 < found.clock_step_s < 1e-3
    assert text_of(found)["checks of a CUDA device", "CUDA"] == "no CUDA device: 8 checks not run"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick")
def test_a_device_is_put_to_all_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = place()
    for name in CHECKS:
        result = replace(FAILED if name == "events" else PASSED, name=name)
        monkeypatch.setitem(CHECKS, name, lambda where, result=result: result if where == cuda else None)
    found = examine(tmp_path, 1.0, on=[CPU, cuda])
    assert [noise.device for noise in found.noise] == ["cpu", "cuda"]
    assert [check.name for check in found.checks] == list(CHECKS)
    assert found.failed == ("events",)


@pytest.mark.usefixtures("quick")
def test_the_storage_is_that_of_the_nearest_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []
    speed = StorageSpeed(1.0, None, None)
    monkeypatch.setattr(examine_module, "storage_speed", lambda folder: asked.append(folder) or speed)
    assert examine(tmp_path / "results" / "new", 1.0, on=[]).storage == speed
    assert asked == [tmp_path]


@pytest.mark.usefixtures("quick")
def test_a_folder_that_cannot_be_written_is_not_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(os, "fsync", refuse)
    found = examine(tmp_path, 1.0, on=[])
    assert found.failed == ("storage",)
    assert found.storage_refusal == "No space left on device"
    assert (
        text_of(found)["storage of the results", "results"] == "cannot be written (No space left on device)"
    )
    assert conclusion(found) == "Not in order: storage."


def test_the_number_of_a_device_is_not_told() -> None:
    gpu = {"name": "H100", "uuid": "GPU-1234"}
    assert examine_module._anonymous({"gpu": gpu}) == {"gpu": {"name": "H100"}}
    assert examine_module._anonymous({"gpu": None}) == {"gpu": None}


def test_a_check_that_was_not_tried_is_no_failure(found: Examination) -> None:
    assert replace(found, checks=(PASSED, UNTRIED)).failed == ()
    assert replace(found, checks=(PASSED, FAILED)).failed == ("events",)


def test_a_noisy_machine_is_in_order(found: Examination) -> None:
    noisy = replace(found, noise=(replace(NOISE, half_width=0.9, told_apart=15, surely_apart=15),))
    assert noisy.failed == ()
    assert conclusion(noisy) == "In order, as far as this machine can tell."


def test_the_verdict_is_in_plain_words() -> None:
    assert verdict(NOISE) == "differences below about 1.3 % cannot be seen here in 30.2 s"
    assert verdict(replace(NOISE, half_width=0.00456)) == (
        "differences below about 0.46 % cannot be seen here in 30.2 s"
    )
    assert verdict(replace(NOISE, surely_apart=1)).endswith(", and some that are seen are none")


def test_the_sections_say_what_was_found(found: Examination) -> None:
    text = text_of(replace(found, checks=(PASSED, FAILED, UNTRIED)))
    noise = {label: line for (title, label), line in text.items() if title == "noise floor: cpu"}
    assert noise == {
        "session": "one network under 6 names, batch 1, 1 thread: 270 rounds in 27 super-rounds, 30.2 s",
        "latency": "1.50 ms",
        "first call": "45.00 ms",
        "interval": "a ratio +/- 1.3 % (95 %, median of 15 pairs)",
        "differences": "0.44 % at most, and all of them are noise",
        "told apart": "1 of 15 pairs; 5 % would be 0.75; beyond chance: 0",
        "drift": "25.0 % between the slowest and the fastest super-round",
        "state after it": "load of the host 0.25",
        "verdict": "differences below about 1.3 % cannot be seen here in 30.2 s",
    }
    checks = {label: line for (title, label), line in text.items() if title == "checks of a CUDA device"}
    assert checks == {
        "cold": "ok 1.5 (limit 1): slower",
        "events": "FAILED 0.05 (limit 0.03): apart",
        "triton": "-: not tried: triton is not installed",
    }
    assert text["storage of the results", "results"] == "ext4 (disk): 0.25 ms to keep a line"


def test_what_a_device_says_of_itself_is_shown(found: Examination) -> None:
    gpu = {"name": "H100", "memory_bytes": 80 * 2**30, "driver": "580.95.05", "max_sm_mhz": 1980}
    capped = replace(BUSY, event_reasons=4, load=0.5)
    on_cuda = replace(NOISE, device="cuda", state=capped, rejected=0.125)
    about = {**found.environment, "gpu": gpu}
    text = text_of(replace(found, environment=about, cuda_devices=2, noise=(on_cuda,)))
    assert text["machine", "CUDA"] == (
        "H100, the first of 2; 80.0 GiB, driver 580.95.05, highest clock 1980 MHz"
    )
    assert text["noise floor: cuda", "state after it"] == (
        "1980 MHz, 41 C, 312.4 W, reasons for the clock: power cap; load of the host 0.50"
    )
    assert text["noise floor: cuda", "not counted"].startswith("12.5 % of the windows")


@pytest.mark.parametrize(("kind", "words"), [("memory", "outlive"), ("network", "keep a lock")])
def test_storage_that_loses_results_is_named(kind: Any, words: str, found: Examination) -> None:
    text = text_of(replace(found, storage=StorageSpeed(1e-3, "some", kind)))
    assert words in text["storage of the results", "results"]


def test_the_digest_is_that_of_the_rest(found: Examination, tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    write_examination(path, found)
    content = json.loads(path.read_text())
    assert list(content)[-1] == "digest"
    digest = content.pop("digest")
    assert list(content) == sorted(content)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert digest == sha256(canonical.encode()).hexdigest()
    assert content["noise"] == [asdict(NOISE)]
    assert content["in_order"] is True
    assert read_examination(path) == (content, True)


@pytest.mark.parametrize(
    ("old", "new"), [('"half_width": 0.0132', '"half_width": 0.0131'), ("true", "false")]
)
def test_an_edit_is_seen_and_a_new_layout_is_none(
    old: str, new: str, found: Examination, tmp_path: Path
) -> None:
    text = signed_text(found)
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(json.loads(text), indent=8))
    assert read_examination(path).is_unedited
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))
    assert not read_examination(path).is_unedited


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"kind": "msanet_bench.examination"}', "\udcff"])
def test_what_is_no_examination_is_refused(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    if text is not None:
        path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ResultsError, match=re.escape(str(path))):
        read_examination(path)


def test_the_file_names_no_host_no_user_and_no_folder(found: Examination, tmp_path: Path) -> None:
    broken = replace(found, storage=None, storage_refusal="Permission denied", checks=(FAILED,))
    text = signed_text(broken)
    values = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    assert not [value for value in values if value.startswith(("/", "~")) or str(tmp_path) in value]
    for name in private_names(os.environ):
        assert not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE), name


@pytest.fixture
def examined(found: Examination, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine_module, "examine", lambda *_: found)


@pytest.mark.usefixtures("examined")
def test_the_verb_prints_and_writes_only_when_asked(tmp_path: Path) -> None:
    code, out, err = run_verb("doctor", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert list(tmp_path.iterdir()) == []
    lines = [line.rstrip() for line in out.splitlines()]
    assert "  verdict         differences below about 1.3 % cannot be seen here in 30.2 s" in lines
    assert "  CUDA            no CUDA device: 8 checks not run" in lines
    assert lines[-1] == "In order, as far as this machine can tell."
    assert run_verb("doctor", "--out", "machine.json", cwd=tmp_path).code == 0
    assert run_verb("doctor", "--verify", "machine.json", cwd=tmp_path) == (
        0,
        "machine.json: as it was written.\n",
        "",
    )


@pytest.mark.usefixtures("examined")
def test_an_edited_file_exits_with_1_and_an_unreadable_one_with_2(tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    assert run_verb("doctor", "--out", path, cwd=tmp_path).code == 0
    path.write_text(path.read_text().replace("0.0132", "0.0032"))
    assert run_verb("doctor", "--verify", path, cwd=tmp_path).code == 1
    assert run_verb("doctor", "--verify", "missing.json", cwd=tmp_path).code == 2


def test_a_failed_check_exits_with_1_and_is_written_all_the_same(
    found: Examination, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine_module, "examine", lambda *_: replace(found, checks=(FAILED,)))
    code, out, _ = run_verb("doctor", "--out", "machine.json", cwd=tmp_path)
    assert code == 1
    assert out.endswith("Not in order: events.\n")
    assert read_examination(tmp_path / "machine.json").content["failed"] == ["events"]


def test_a_session_of_the_verb_is_one_of_the_package() -> None:
    """The noise is measured by what measures networks, not by a loop of the doctor's own."""
    assert noise_module.run_session.__module__ == "msanet_bench.session.loop"
