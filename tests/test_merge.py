"""Results folders brought together: what is kept, and that the same again changes nothing."""

from pathlib import Path

import pytest

from commands import run_verb
from msanet_bench.journal import Attempt, Journal
from msanet_bench.merge import merge
from msanet_bench.records import read_records
from planted_shards import ATTEMPTS, CPU, attempt, expected, files_of, manifest_of, write_shard, write_shards

FAILED = attempt(1, 2, "failed", started=99.0)


def journal_of(folder: Path) -> list[Attempt]:
    return Journal(folder / "journal.jsonl").read()


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    return write_shards(tmp_path)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "merged"


def test_every_attempt_is_kept_once_in_the_order_in_which_they_began(shards: list[Path], out: Path) -> None:
    before = files_of(*shards)
    merged = merge([*shards, shards[0]], out)
    assert journal_of(out) == sorted(ATTEMPTS, key=lambda each: each.started)
    assert (dict(merged.statuses), merged.notes) == ({"ok": 6, "missing": 0}, ())
    assert files_of(*shards) == before


def test_records_stand_in_plan_order_and_a_merged_folder_is_no_shard(shards: list[Path], out: Path) -> None:
    merge(shards, out)
    assert [(r.variant, r.seed) for r in read_records(out)] == [
        (name, seed) for seed in (4, 2, 7) for name in ("baseline", "attention=none")
    ]
    assert read_records(out) == expected(ATTEMPTS)
    assert len((out / "timings.csv").read_text().splitlines()) == 7
    whole = manifest_of(shards[0])
    del whole["shard"], whole["schema"]
    assert manifest_of(out) == {"schema_version": 2, **whole}


def test_what_is_missing_is_counted(shards: list[Path], out: Path) -> None:
    assert dict(merge(shards[1:], out).statuses) == {"ok": 4, "missing": 2}


@pytest.mark.parametrize("turned", [False, True])
def test_a_good_record_beats_a_failed_one_in_any_order(shards: list[Path], out: Path, turned: bool) -> None:  # noqa: FBT001
    other = write_shard(out.parent / "other", [FAILED])
    folders = [other, *shards]
    merged = merge(folders[::-1] if turned else folders, out)
    assert merged.statuses["ok"] == 6
    assert FAILED in journal_of(out)


def test_of_failures_alone_the_last_one_counts(out: Path) -> None:
    folders = [
        write_shard(out.parent / name, [attempt(0, 2, status, started=started)])
        for name, status, started in (("a", "oom", 2.0), ("b", "failed", 1.0))
    ]
    assert merge(folders, out).statuses["oom"] == 1


def test_mixed_machines_are_merged_and_said_and_records_keep_theirs(shards: list[Path], out: Path) -> None:
    other = {**CPU, "cpu": "Another CPU"}
    attempts = [attempt(0, 7, torch="2.99", started=1.0), attempt(1, 7, torch="2.99", started=2.0)]
    folder = write_shard(out.parent / "other", attempts, environment=other)
    merged = merge([*shards[:2], folder], out)
    assert merged.notes == (
        "not all cells have the same torch (2.14.1: 4, 2.99: 2): `report` asks for --mixed.",
    )
    assert [record.provenance["torch"] for record in read_records(out)] == ["2.14.1"] * 4 + ["2.99"] * 2
    assert manifest_of(out)["environment"] == CPU
    assert manifest_of(out)["other_environments"] == [other]
    code, _, err = run_verb("report", out, "--out", out.parent / "report", cwd=out.parent)
    assert code == 2
    assert "--mixed" in err


def test_half_a_line_is_left_out_and_said(shards: list[Path], out: Path) -> None:
    journal = shards[1] / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"schema_vers')
    before = files_of(*shards)
    assert merge(shards, out).notes == (
        f"{shards[1]}: half a line ends its journal (13 bytes): it is left out.",
    )
    assert journal_of(out) == sorted(ATTEMPTS, key=lambda each: each.started)
    assert files_of(*shards) == before


def test_attempts_of_an_earlier_plan_stay_in_the_journal(shards: list[Path], out: Path) -> None:
    stray = attempt(5 - 4, 9)
    Journal(shards[0] / "journal.jsonl").append(stray)
    assert merge(shards, out).notes == (
        "1 cells of the journals are not in the plan: kept in the journal, not in the tables.",
    )
    assert stray in journal_of(out)
    assert len(read_records(out)) == 6


def test_looks_are_added_up_and_todays_comes_last(out: Path) -> None:
    today = [4, 2, 7]
    first = write_shard(out.parent / "a", [], looks=[[4], [4, 2], today])
    second = write_shard(out.parent / "b", [], looks=[[7], [4], [4], today])
    merge([first, second], out)
    assert manifest_of(out)["looks"] == [[4], [4], [7], [4, 2], today]


def test_amendments_and_accepted_code_of_all_are_kept(out: Path) -> None:
    first, second = {"changed": {"delta": ["1 pp", "2 pp"]}}, {"other_code": "accepted", "now": "beef"}
    folders = [
        write_shard(out.parent / "a", [], amendments=[second, first], accepted_code=["b"]),
        write_shard(out.parent / "b", [], amendments=[first, first], accepted_code=["c", "a"]),
    ]
    merge(folders, out)
    assert manifest_of(out)["amendments"] == [first, first, second]
    assert manifest_of(out)["accepted_code"] == ["a", "b", "c"]
    merge([folders[0]], out.parent / "alone")
    assert manifest_of(out.parent / "alone")["amendments"] == [second, first]


# latencies


def _time(folder: Path, text: str) -> None:
    for name in ("latency.csv", "latency_sessions.csv", "samples.parquet", "session.json"):
        (folder / name).write_text(f"{name} {text}\n")


def _latency(folder: Path) -> str:
    texts = {(folder / f).read_text().split()[1] for f in ("latency.csv", "samples.parquet", "session.json")}
    (text,) = texts
    return text


def test_latencies_of_the_only_folder_that_has_some_are_taken(shards: list[Path], out: Path) -> None:
    _time(shards[1], "second")
    assert merge(shards, out).notes == ()
    assert _latency(out) == "second"


@pytest.mark.parametrize("cpu", [CPU["cpu"], "Another CPU"])
def test_of_several_latencies_the_first_are_kept_and_said(shards: list[Path], out: Path, cpu: str) -> None:
    write_shard(shards[2], [], environment={**CPU, "cpu": cpu})
    _time(shards[1], "second")
    _time(shards[2], "third")
    where = "a machine like it" if cpu == CPU["cpu"] else "another machine"
    assert merge(shards, out).notes == (
        f"latencies are those of {shards[1]}; those of {shards[2]}, {where}, stay there.",
    )
    assert _latency(out) == "second"


def test_latencies_that_the_merged_folder_has_stay(shards: list[Path], out: Path) -> None:
    merge(shards, out)
    _time(out, "own")
    _time(shards[0], "first")
    assert merge(shards, out).notes == (
        f"latencies are those of {out}; those of {shards[0]}, a machine like it, stay there.",
    )
    assert _latency(out) == "own"


def test_the_first_costs_are_kept_and_others_said(shards: list[Path], out: Path) -> None:
    for shard, text in zip(shards, ("a", "a", "b"), strict=True):
        (shard / "profile.json").write_text(text)
    assert merge(shards, out).notes == (
        f"{shards[2]}/profile.json: has other costs than {shards[0]}/profile.json, which are kept.",
    )
    assert (out / "profile.json").read_text() == "a"


# again, and after a crash


def test_the_same_merge_again_gives_the_same_bytes(shards: list[Path], out: Path) -> None:
    merge(shards, out)
    before = files_of(out)
    merge(shards, out)
    assert files_of(out) == before


def test_what_a_sweep_has_added_to_the_merged_folder_is_kept(shards: list[Path], out: Path) -> None:
    merge(shards[:2], out)
    added = attempt(0, 7, started=500.0)
    Journal(out / "journal.jsonl").append(added)
    merge(shards[:2], out)
    assert added in journal_of(out)
    assert len(read_records(out)) == 5


def test_a_merge_that_is_killed_at_any_file_is_mended_by_the_same_again(
    shards: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _time(shards[0], "first")
    (shards[0] / "profile.json").write_text("a")
    merge(shards, tmp_path / "quiet")
    quiet = {path.name: content for path, content in files_of(tmp_path / "quiet").items()}
    replace, kills = Path.replace, 0
    while True:
        out, left = tmp_path / f"out{kills}", [kills]

        def die(path: Path, to: Path, left: list[int] = left) -> Path:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return replace(path, to)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", die)
            try:
                merge(shards, out)
            except KeyboardInterrupt:
                kills += 1
            else:
                break
        merge(shards, out)
        assert {path.name: content for path, content in files_of(out).items()} == quiet
    # journal, records, results, timings, profile, four of latency, manifest
    assert kills == 10


# the verb


def test_the_verb_says_what_there_is(shards: list[Path], tmp_path: Path) -> None:
    Journal(shards[1] / "journal.jsonl").append(FAILED)
    outcome = run_verb("merge", "shard1", "shard2", "-o", "merged", cwd=tmp_path)
    assert outcome == (0, "6 planned cells: 4 ok, 2 missing\nResults: merged\n", "")


def test_the_verb_needs_folders_and_an_output(shards: list[Path], tmp_path: Path) -> None:
    assert run_verb("merge", "-o", "merged", cwd=tmp_path).code == 2
    assert run_verb("merge", *shards, cwd=tmp_path).code == 2
