import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from commands import Outcome, run_verb
from experiments import write_experiment
from msanet_bench.checks import check_plan, load_experiment
from msanet_bench.cli import VERBS, main
from msanet_bench.journal import Journal
from msanet_bench.profile import profile_variants, write_profile

PLANTED = Path(__file__).parent / "planted.py"
NAMES = [verb.__name__ for verb in VERBS]


@pytest.fixture(autouse=True)
def _terminal_of_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def _process(*arguments: str | Path, cwd: Path) -> Outcome:
    command = [sys.executable, "-m", "msanet_bench", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_the_help_lists_every_verb_with_a_whole_sentence(tmp_path: Path) -> None:
    code, out, err = run_verb("--help", cwd=tmp_path)
    lines = out.partition("Commands:\n")[2].splitlines()
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in lines] == NAMES
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


@pytest.mark.parametrize("verb", NAMES)
def test_every_verb_explains_itself_and_each_of_its_options(verb: str, tmp_path: Path) -> None:
    code, out, _ = run_verb(verb, "--help", cwd=tmp_path)
    assert code == 0
    arguments = out.partition("Arguments:\n")[2].partition("\n\n")[0]
    options = out.partition("Options:\n")[2]
    entries = [line for line in (arguments + "\n" + options).splitlines() if line[2:3].strip()]
    assert entries
    # a help text follows its name after two spaces or on the next line
    assert all("  " in entry.strip() for entry in entries), entries


@pytest.mark.parametrize(
    ("verb", "codes"),
    [
        ("sweep", ["0: done", "1: some cells failed", "2: the experiment", "130: stopped"]),
        ("check", ["0: in order", "2: not"]),
        ("profile", ["0: counted", "2: the experiment or the variant"]),
        ("report", ["0: written, or up to date", "1: --check found a difference", "2: the folder"]),
        ("table", ["0: made", "2: an option names what is not there"]),
        ("doctor", ["0: in order", "1: a check failed", "2: a file cannot be read"]),
        ("compare", ["0: compared", "1: a gate fails", "2: a folder or an option", "3: not comparable"]),
        ("verify", ["0: no verdict is contrary", "1: a claim", "2: the claims, the results"]),
        ("analyze", ["0: printed", "2: the table or an option"]),
    ],
)
def test_a_verb_with_exit_codes_of_its_own_names_them(verb: str, codes: list[str], tmp_path: Path) -> None:
    text = " ".join(run_verb(verb, "--help", cwd=tmp_path).out.split())
    assert [code for code in codes if code not in text] == []


def test_defaults_in_brackets_are_not_lost_from_the_help(tmp_path: Path) -> None:
    text = " ".join(run_verb("sweep", "--help", cwd=tmp_path).out.split())
    assert "[default: one a core]" in text
    assert "[default: results/NAME]" in text


NO_FILE = "No such file or directory"
NO_PLAN = f"folder/manifest.json: cannot be read ({NO_FILE}). Run `msanet-bench sweep` first."
BAD_INPUT = [
    (["nonsense"], "No such command 'nonsense'."),
    (["sweep", "--nonsense"], "No such option: --nonsense"),
    (["sweep"], "Missing argument 'EXPERIMENT'."),
    (["compare", "there"], "Missing argument 'HEAD'."),
    (["check"], "name an experiment file, or say --schema."),
    (["sweep", "good.yaml", "--workers", "0"], "greater than or equal to 1"),
    (["sweep", "good.yaml", "--retry", "ok"], "--retry: must be any of failed, oom, diverged, but got 'ok'."),
    (["sweep", "missing.yaml"], f"missing.yaml: cannot be read ({NO_FILE})."),
    (["check", "missing.yaml"], f"missing.yaml: cannot be read ({NO_FILE})."),
    (["plan", "folder"], "folder: cannot be read (Is a directory)."),
    (["sweep", "text.yaml"], "text.yaml:1: an experiment must be a mapping of keys."),
    (["check", "broken.yaml"], "broken.yaml:2: not valid YAML"),
    (["check", "binary.yaml"], "binary.yaml: not UTF-8 text (invalid start byte at byte 0)."),
    (["sweep", "good.yaml", "--results", "file"], "file: cannot be written (File exists)."),
    (["profile", "missing.yaml"], f"missing.yaml: cannot be read ({NO_FILE})."),
    (
        ["profile", "good.yaml", "--variant", "attention=sa"],
        "no variant `attention=sa`. Did you mean 'attention=",
    ),
    (["status", "folder"], NO_PLAN),
    (["report", "folder"], NO_PLAN),
    (["table", "folder"], NO_PLAN),
    (["report", "file"], "file/manifest.json: cannot be read (Not a directory)."),
    (["compare", "folder", "folder"], f"folder/records.jsonl: cannot be read ({NO_FILE})."),
    (["compare", "file", "file"], "file:1: not a record"),
    (["report", "results", "--check", "--pdf"], "--check writes nothing: say --pdf without it."),
    (["compare", "results", "results", "--gate", "accuracy:+1pp"], "must be a loss such as -0.2pp"),
    (["compare", "results", "results", "--delta", "1"], "--delta: must be a positive number of percentage"),
    (["report", "results", "--out", "file"], "file: the system refuses (File exists)."),
]


@pytest.fixture
def desk(tmp_path: Path, small_results: Path) -> Path:
    """A folder with a good experiment, good results and several things that are neither."""
    write_experiment(tmp_path).rename(tmp_path / "good.yaml")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("no record\n")
    (tmp_path / "text.yaml").write_text("only words\n")
    (tmp_path / "broken.yaml").write_text("a: [1\nb: 2\n")
    (tmp_path / "binary.yaml").write_bytes(b"\x93NUMPY")
    shutil.copytree(small_results, tmp_path / "results")
    return tmp_path


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT, ids=[" ".join(words) for words, _ in BAD_INPUT])
def test_bad_input_is_one_clear_message_and_exit_code_2(
    arguments: list[str], message: str, desk: Path
) -> None:
    before = sorted(desk.rglob("*"))
    code, out, err = run_verb(*arguments, cwd=desk)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert sorted(desk.rglob("*")) == before


@pytest.mark.parametrize("arguments", [["status", "folder"], ["compare", "folder", "folder"]])
def test_a_process_with_bad_input_prints_no_traceback(arguments: list[str], desk: Path) -> None:
    code, out, err = _process(*arguments, cwd=desk)
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_no_arguments_show_the_help(tmp_path: Path) -> None:
    code, out, err = run_verb(cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("Usage: msanet-bench [OPTIONS] COMMAND")


def test_a_defect_of_the_program_keeps_its_traceback(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("msanet_bench.compare.compare", fail)
    monkeypatch.chdir(desk)
    with pytest.raises(ZeroDivisionError):
        main(["compare", "results", "results"])


def test_a_full_disk_is_a_message(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("msanet_bench.report.build.replace_bytes", fill)
    outcome = run_verb("report", "results", cwd=desk)
    assert outcome == (2, "", "the system refuses (No space left on device).\n")


def test_a_reader_that_has_gone_is_no_defect(desk: Path) -> None:
    command = f"{sys.executable} -m msanet_bench compare results results"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | true"],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")


def test_a_report_is_checked_against_its_results(desk: Path) -> None:
    assert run_verb("report", "results", cwd=desk) == (0, "reports/results/report.md\n", "")
    assert run_verb("report", "results", "--check", cwd=desk) == (0, "reports/results: up to date.\n", "")
    table = desk / "reports" / "results" / "tables" / "variants.csv"
    table.write_text(table.read_text() + "\n")
    code, out, _ = run_verb("report", "results", "--check", cwd=desk)
    assert (code, out) == (1, "reports/results/tables/variants.csv: differs from what results gives.\n")
    assert table.read_text().endswith("\n\n")


def test_a_missing_report_differs_and_is_not_written_by_the_check(desk: Path) -> None:
    assert run_verb("report", "results", "--check", "--out", "nowhere", cwd=desk).code == 1
    assert not (desk / "nowhere").exists()


def test_compare_says_whether_there_was_anything_to_compare(desk: Path) -> None:
    assert run_verb("compare", "results", "results", cwd=desk).code == 0
    lines = (desk / "results" / "records.jsonl").read_text().splitlines()
    others = [json.loads(line) | {"provenance": {"data_digest": "other"}} for line in lines]
    (desk / "others.jsonl").write_text("".join(json.dumps(record) + "\n" for record in others))
    code, out, _ = run_verb("compare", "results", "others.jsonl", cwd=desk)
    assert code == 3
    assert "so no accuracies are compared" in " ".join(out.split())


def test_a_plan_has_a_line_a_variant_and_never_cuts_a_name(desk: Path) -> None:
    long = "[{branches.conv3: off, branches.conv5: off, branches.dilated: off, attention: none}]"
    text = (desk / "good.yaml").read_text().partition("design:")[0]
    (desk / "long.yaml").write_text(f"{text}design: list\nvariants: {long}\nseeds: 2\n")
    code, out, _ = run_verb("plan", "long.yaml", cwd=desk)
    assert code == 0
    assert [line.split() for line in out.splitlines()[:3]] == [
        ["variant", "done", "missing"],
        ["baseline", "0", "2"],
        ["branches.conv3=off,branches.conv5=off,branches.dilated=off,attention=none", "0", "2"],
    ]
    assert "\n2 variants, 4 cells: 0 done, 4 to train.\nabout " in out
    without = run_verb("plan", "long.yaml", "--no-duration", cwd=desk).out
    assert out.startswith(without)
    assert without.endswith("4 to train.\n")


def test_a_profile_has_a_line_a_variant_and_writes_nothing(desk: Path) -> None:
    before = sorted(desk.rglob("*"))
    code, out, err = run_verb("profile", "good.yaml", cwd=desk)
    assert (code, err) == (0, "")
    counts, memory = out.split("\n\n")
    rows = [line.split() for line in counts.splitlines()]
    assert rows[0] == ["variant", "params", "MACs", "FLOPs", "activations", "status"]
    assert [(row[0], row[5]) for row in rows[1:]] == [
        ("baseline", "exact"),
        ("attention=none", "exact"),
        ("attention=se", "exact"),
    ]
    # squeeze and excitation of 16 channels: 16 -> 1 -> 16, once for the whole map
    _, none, se = ([int(number.replace(",", "")) for number in row[1:5]] for row in rows[1:])
    assert [after - before for before, after in zip(none, se, strict=True)] == [32 + 17, 32, 64, 17]
    lines = memory.splitlines()[1:4]
    assert [(*words[:2], words[5], *words[7:]) for words in map(str.split, lines)] == [
        ("baseline", "16", "13x13", "context,", "attention"),
        ("attention=none", "16", "13x13", "context"),
        ("attention=se", "16", "13x13", "context,", "attention"),
    ]
    assert sorted(desk.rglob("*")) == before


def test_the_parts_of_a_profile_add_up_to_its_totals(desk: Path) -> None:
    out = run_verb("profile", "good.yaml", "--parts", "--variant", "baseline", cwd=desk).out
    header, *rows, total = [line.split() for line in out.split("\n\n")[2].splitlines()]
    assert header == ["part", "of", "baseline", "params", "%", "MACs", "%"]
    for column in (1, 3):
        numbers = [int(row[column].replace(",", "")) for row in rows]
        assert f"{sum(numbers):,}" == total[1 if column == 1 else 2]
    names = [row[0] for row in rows]
    assert names.index("attention.core") < names.index("head")


def test_what_is_no_exact_count_is_explained_below_the_table(desk: Path) -> None:
    shutil.copy(PLANTED, desk)
    text = (desk / "good.yaml").read_text().replace("none, se]", "planted_error]")
    (desk / "planted.yaml").write_text(text + "plugins: [planted.py]\n")
    lines = run_verb("profile", "planted.yaml", cwd=desk).out.splitlines()
    assert lines[2].split()[-2:] == ["two", "counters"]
    assert lines[3].startswith("attention=planted_error exact by two counters: no formula for ")


def test_a_profile_as_json_is_what_a_sweep_writes(desk: Path) -> None:
    plan = check_plan(load_experiment(desk / "good.yaml"), desk)
    write_profile(desk, profile_variants(plan))
    out = run_verb("profile", "good.yaml", "--json", cwd=desk).out
    assert out == (desk / "profile.json").read_text()


def test_measured_memory_stands_apart_from_estimates(desk: Path) -> None:
    asked = "profile", "good.yaml", "--memory", "--variant", "attention=none"
    costs = json.loads(run_verb(*asked, "--json", cwd=desk).out)["variants"]["attention=none"]
    # interpreter and torch alone take tens of MiB, a network of some KiB hardly more
    assert 2**25 < costs["host_baseline_rss_bytes"] <= costs["host_peak_rss_bytes"] < 2**31
    assert costs["peak_est_bytes"]["inference_batch_1"] < 2**20
    if not torch.cuda.is_available():
        assert (costs["peak_cuda_bytes"], costs["peak_cuda_status"]) == (
            None,
            "not measured (no CUDA device)",
        )


def test_the_schema_is_json(tmp_path: Path) -> None:
    assert "delta" in json.loads(run_verb("check", "--schema", cwd=tmp_path).out)["properties"]


def test_the_schema_of_a_record_is_json(tmp_path: Path) -> None:
    assert "measures" in json.loads(run_verb("check", "--record-schema", cwd=tmp_path).out)["properties"]


@pytest.mark.slow
def test_a_sweep_with_failed_cells_goes_on_and_exits_with_1(tmp_path: Path) -> None:
    shutil.copy(PLANTED, tmp_path)
    text = write_experiment(tmp_path).read_text().replace("none, se]", "planted_error]")
    path = write_experiment(tmp_path, text + "plugins: [planted.py]\n", seeds="seeds: 1")
    code, out, err = _process("sweep", path, "--workers", "1", cwd=tmp_path)
    lines = out.splitlines()
    assert (code, err) == (1, "")
    assert "\x1b" not in out
    assert lines[0] == "tiny: 2 variants x 1 seed = 2 cells, 0 done, 1 worker"
    assert lines[1:3] == ["counting parameters and operations", "one step of each variant"]
    failed = "RuntimeError: planted: shapes do not fit"
    assert lines[3] == f"the first step of attention=planted_error did not go well: failed: {failed}"
    assert lines[4] == "training"
    assert lines[5].startswith("[1/2] baseline seed 0: accuracy ")
    assert lines[5].endswith(" left")
    assert lines[6].startswith(
        "[2/2] attention=planted_error seed 0: failed: RuntimeError: planted: shapes do not fit, "
    )
    assert lines[7:] == [
        "timing all variants, interleaved",
        "done",
        "Results: results/tiny",
        "Report:  reports/tiny/report.md",
        "1 of 2 cells are not ok; the report names them with their reasons.",
    ]


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(tmp_path: Path) -> None:
    # so many that a busy machine does not end them all before the signal comes
    path = write_experiment(tmp_path, seeds="seeds: 30", measure="measure: {latency_rounds: 0}")
    command = [sys.executable, "-m", "msanet_bench", "sweep", path.name, "--workers", "2"]
    # A terminal sends SIGINT to the whole group, workers included.
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    sweep = subprocess.Popen(command, cwd=tmp_path, text=True, start_new_session=True, **pipes)
    journal = tmp_path / "results" / "tiny" / "journal.jsonl"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 2):
        assert sweep.poll() is None, sweep.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(sweep.pid, signal.SIGINT)
    _, err = sweep.communicate(timeout=60)
    assert sweep.returncode == 130
    assert err == "Stopped; finished cells are kept. Give the same command again to go on.\n"
    assert _left_in_session(sweep.pid) == []
    kept = len(Journal(journal).read())
    assert 2 <= kept < 90
    again = run_verb("sweep", path.name, "--workers", "2", cwd=tmp_path)
    assert again.code == 0
    assert f"= 90 cells, {kept} done" in again.out
    keys = [attempt.record.key for attempt in Journal(journal).read()]
    assert len(keys) == len(set(keys)) == 90


def _left_in_session(leader: int) -> list[psutil.Process]:
    """Processes of an ended session that are still there after a moment."""
    deadline = time.monotonic() + 10
    while left := [process for process in psutil.process_iter() if _session(process) == leader]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return None
