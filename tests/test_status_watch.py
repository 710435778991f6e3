"""A sweep that is watched: what was read is not read again, and what is seen is said in a line or drawn."""

import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import msanet_bench.journal
from msanet_bench.console.watch import headline, picture, watch_status
from msanet_bench.journal import Attempt, Journal
from msanet_bench.records import Record, Status
from msanet_bench.running import RunningCell, forget_running, log_file, write_running
from msanet_bench.status import Look, Watcher
from msanet_bench.status.tail import JournalTail
from test_running import held

VARIANTS = ("baseline", "attention=none")


def plan(results: Path, seeds: int = 2) -> None:
    cells = [{"key": f"{v}{s}", "variant": v, "seed": s} for s in range(seeds) for v in VARIANTS]
    content = {"schema_version": 2, "name": "tiny", "cells": cells}
    (results / "manifest.json").write_text(json.dumps(content), encoding="utf-8")


def end(
    results: Path, variant: str, seed: int, status: Status = "ok", *, started: float = 0, seconds: float = 1
) -> None:
    reason = "" if status == "ok" else f"why it is {status}"
    record = Record(f"{variant}{seed}", variant, {}, seed, 0, status, reason)
    Journal(results / "journal.jsonl").append(Attempt(record, started, seconds, None, None, "cpu", "here"))


def seeds_of(attempts: list[Attempt]) -> list[int]:
    return [attempt.record.seed for attempt in attempts]


def test_every_line_is_parsed_once_and_half_a_line_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []
    sound = msanet_bench.journal.json_fields
    monkeypatch.setattr(msanet_bench.journal, "json_fields", lambda line: parsed.append(line) or sound(line))
    tail, path = JournalTail(tmp_path / "journal.jsonl"), tmp_path / "journal.jsonl"
    assert tail.read() == ([], False)
    for seed in range(3):
        end(tmp_path, "baseline", seed)
    assert seeds_of(tail.read().attempts) == [0, 1, 2]
    assert tail.read() == ([], False)
    end(tmp_path, "baseline", 3)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert tail.read() == ([], False)
    path.write_bytes(whole)
    assert seeds_of(tail.read().attempts) == [3]
    assert len(parsed) == 4


def test_a_journal_that_was_cut_or_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    tail = JournalTail(path)
    for seed in range(3):
        end(tmp_path, "baseline", seed)
    tail.read()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0])
    gain = tail.read()
    assert (seeds_of(gain.attempts), gain.is_anew) == ([0], True)
    # longer than what was read, but another one
    path.write_bytes(b"".join(reversed(lines)))
    gain = tail.read()
    assert (seeds_of(gain.attempts), gain.is_anew) == ([2, 1, 0], True)
    path.unlink()
    assert tail.read() == ([], True)
    assert tail.read() == ([], False)


def test_a_damaged_line_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    tail = JournalTail(tmp_path / "journal.jsonl")
    end(tmp_path, "baseline", 0)
    tail.read()
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(msanet_bench.journal.ResultsError, match=r"journal\.jsonl:2: not an attempt"):
        tail.read()


def test_a_sweep_is_seen_from_before_its_start_to_its_end(tmp_path: Path) -> None:
    watcher = Watcher(tmp_path / "results")
    assert watcher.look(0).state == "waiting"
    (tmp_path / "results").mkdir()
    results = tmp_path / "results"
    with held(results):
        assert watcher.look(0).state == "waiting"
        plan(results)
        write_running(results, [RunningCell("baseline", 0, 0, 90.0), RunningCell("baseline", 1, 1, 95.0)])
        look = watcher.look(100)
        assert (look.state, look.cells, look.missing, look.seconds_left) == ("running", 4, 4, None)
        assert [cell.since for cell in look.running] == [90.0, 95.0]
        assert headline(look, results) == "tiny: 0 of 4 cells"
        forget_running(results)
        assert headline(watcher.look(100), results) == "tiny: 0 of 4 cells, getting ready"
        write_running(results, look.running)
        end(results, "baseline", 0, started=90, seconds=20)
        end(results, "baseline", 1, "failed", started=95, seconds=20)
        look = watcher.look(120)
        assert (look.missing, [failure.seed for failure in look.failures]) == (2, [1])
    assert watcher.look(130).state == "stopped"
    assert watcher.look(130).running == ()
    for seed in range(2):
        end(results, "attention=none", seed)
    assert watcher.look(140).state == "done"


def test_pace_and_time_left_are_those_of_the_time_in_which_cells_ran(tmp_path: Path) -> None:
    plan(tmp_path, seeds=10)
    # two slots, 10 s a cell: 20 s for four cells; then a night; then two more cells in 10 s
    for number, (variant, started) in enumerate(
        [("baseline", 0), ("attention=none", 0), ("baseline", 10), ("attention=none", 10)]
    ):
        end(tmp_path, variant, number // 2, started=started, seconds=10)
    for variant in VARIANTS:
        end(tmp_path, variant, 2, started=40_000, seconds=10)
    look = Watcher(tmp_path).look(40_010)
    assert look.cells_per_second == pytest.approx(6 / 30)
    # 14 cells are missing
    assert look.seconds_left == pytest.approx(14 / (6 / 30))
    with held(tmp_path):
        # two of them are half done
        write_running(tmp_path, [RunningCell(variant, 3, 0, 40_010) for variant in VARIANTS])
        assert Watcher(tmp_path).look(40_015).seconds_left == pytest.approx(13 / (6 / 30))


def test_the_first_ok_counts_else_the_last_and_a_log_is_named_where_there_is_one(tmp_path: Path) -> None:
    plan(tmp_path)
    for status in ("failed", "ok", "oom"):
        end(tmp_path, "baseline", 0, status)
    for status in ("failed", "oom"):
        end(tmp_path, "baseline", 1, status)
    assert [(failure.status, failure.log) for failure in Watcher(tmp_path).look(0).failures] == [("oom", "")]
    log = log_file(tmp_path, "baseline1")
    log.parent.mkdir()
    log.write_text("words\n")
    (failure,) = Watcher(tmp_path).look(0).failures
    assert failure.log == str(log)


def test_an_edited_plan_is_seen(tmp_path: Path) -> None:
    plan(tmp_path)
    watcher = Watcher(tmp_path)
    assert watcher.look(0).cells == 4
    plan(tmp_path, seeds=3)
    assert watcher.look(0).cells == 6


def _drawn(look: Look, width: int, height: int = 24) -> list[str]:
    console = Console(file=StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    console.print(picture(look, Path("results/tiny"), 100.0, height))
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 120])
def test_a_picture_fits_its_terminal_and_holds_everything(tmp_path: Path, width: int) -> None:
    plan(tmp_path)
    end(tmp_path, "baseline", 0, started=0, seconds=30)
    end(tmp_path, "attention=none", 0, "diverged", started=0, seconds=30)
    with held(tmp_path):
        long = "branches.conv3=off,branches.conv5=off,branches.dilated=off,attention=none"
        write_running(tmp_path, [RunningCell(long, 1, 0, 35.0), RunningCell("baseline", 1, 1, 99.0)])
        lines = _drawn(Watcher(tmp_path).look(60), width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert text.startswith("tiny: 2 of 4 cells, 1 not ok, 4.0/min, ")
    assert long in "".join(line[6:].partition("  ")[0] for line in lines)
    assert "1m05s" in text
    assert "attention=none seed 0: diverged: why it is diverged" in text
    assert ["attention=none", "0", "1", "1"] in [line.split() for line in lines]
    assert ["variant", "ok", "diverged", "missing"] in [line.split() for line in lines]


def test_of_many_variants_a_small_terminal_shows_those_that_are_not_finished(tmp_path: Path) -> None:
    cells = [{"key": f"k{n}", "variant": f"v{n}", "seed": 0} for n in range(40)]
    (tmp_path / "manifest.json").write_text(json.dumps({"schema_version": 2, "cells": cells}))
    for number in range(38):
        record = Record(f"k{number}", f"v{number}", {}, 0, 0, "ok")
        Journal(tmp_path / "journal.jsonl").append(Attempt(record, 0.0, 1.0, None, None, "cpu", "here"))
    lines = _drawn(Watcher(tmp_path).look(0), 80)
    assert len(lines) < 24
    assert [line.split()[0] for line in lines if line.startswith("v")] == ["variant", "v38", "v39"]
    assert lines[-1] == "and 38 more variants"


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("waiting", "results/x: no plan yet; waiting for `msanet-bench sweep`."),
        ("stopped", "x: 0 of 0 cells, no sweep is running in results/x (nobody holds its lock)"),
        ("running", "x: 0 of 0 cells, training is over, the sweep goes on"),
        ("done", "x: 0 of 0 cells, done"),
    ],
)
def test_every_state_has_its_words(state: str, text: str) -> None:
    assert headline(Look("x", state), Path("results/x")) == text  # type: ignore[arg-type]


def test_a_pipe_gets_one_line_a_change_and_no_control_codes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "tiny"
    steps = iter(
        [
            lambda: None,
            results.mkdir,
            lambda: plan(results),
            lambda: None,
            lambda: end(results, "baseline", 0, "failed"),
            *(lambda v=v, s=s: end(results, v, s) for v, s in [("baseline", 1), ("attention=none", 0)]),
            lambda: end(results, "attention=none", 1),
        ]
    )
    watch_status(results, pause=lambda _: next(steps)())
    stopped = f"no sweep is running in {results} (nobody holds its lock)"
    assert capsys.readouterr().out.splitlines() == [
        f"{results}: no plan yet; waiting for `msanet-bench sweep`.",
        f"tiny: 0 of 4 cells, {stopped}",
        "baseline seed 0: failed: why it is failed",
        f"tiny: 1 of 4 cells, 1 not ok, {stopped}",
        f"tiny: 2 of 4 cells, 1 not ok, {stopped}",
        f"tiny: 3 of 4 cells, 1 not ok, {stopped}",
        "tiny: 4 of 4 cells, 1 not ok, done",
    ]


def test_ctrl_c_ends_watching_with_exit_code_0(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "msanet_bench", "status", "nowhere", "--watch"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == b"nowhere: no plan yet; waiting for `msanet-bench sweep`.\n"
        os.kill(watching.pid, signal.SIGINT)
        out, err = watching.communicate(timeout=60)
    assert (watching.returncode, out, err) == (0, b"", b"")


def test_json_says_the_same_for_scripts(tmp_path: Path) -> None:
    plan(tmp_path)
    end(tmp_path, "baseline", 0, "oom")
    command = [sys.executable, "-m", "msanet_bench", "status", str(tmp_path), "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (said["name"], said["state"], said["cells"], said["done"]) == ("tiny", "stopped", 4, 1)
    assert said["variants"][0] == {
        "variant": "baseline",
        "ok": 0,
        "failed": 0,
        "oom": 1,
        "diverged": 0,
        "pruned": 0,
        "missing": 1,
    }
    assert said["failures"] == [
        {"variant": "baseline", "seed": 0, "status": "oom", "reason": "why it is oom", "log": ""}
    ]


def test_looking_again_at_a_long_journal_costs_nothing(tmp_path: Path) -> None:
    end(tmp_path, "baseline", 0)
    journal = tmp_path / "journal.jsonl"
    line = journal.read_text()
    journal.write_text("".join(line.replace("baseline0", f"b{number}") for number in range(20_000)))
    cells = [{"key": f"b{number}", "variant": "baseline", "seed": number} for number in range(20_000)]
    (tmp_path / "manifest.json").write_text(json.dumps({"schema_version": 2, "cells": cells}))
    watcher = Watcher(tmp_path)
    began = time.perf_counter()
    assert watcher.look(0).missing == 0
    first = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(10):
        watcher.look(0)
    assert (time.perf_counter() - began) / 10 < first / 50


def test_what_other_code_trained_again_counts_instead(tmp_path: Path) -> None:
    plan(tmp_path, seeds=1)
    journal = Journal(tmp_path / "journal.jsonl")
    endings: list[tuple[Status, str]] = [("ok", "old"), ("failed", "new")]
    for status, code in endings:
        record = Record("baseline0", "baseline", {}, 0, 0, status, "", provenance={"code": code})
        journal.append(Attempt(record, 0, 1, None, None, "cpu", "here"))
    assert Watcher(tmp_path).look(now=2).variants[0].counts["failed"] == 1
