"""Merging in any order and any grouping gives one outcome, and the inputs stay as they are."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from msanet_bench.journal import Attempt
from msanet_bench.merge import merge
from msanet_bench.records import read_records
from planted_shards import CELLS, attempt, expected, files_of, write_shard

TABLES = ("journal.jsonl", "records.jsonl", "results.csv", "timings.csv", "manifest.json")
TORN = b'{"schema_version":2,"started":'

# a cell has one outcome, whoever trains it; when, where and how often it fails before differs
tries = st.builds(
    lambda cell, status, started, host: attempt(*cell, status, started=started, host=host),
    st.sampled_from(CELLS),
    st.sampled_from(["ok", "ok", "failed", "oom", "diverged"]),
    st.integers(0, 5).map(float),
    st.sampled_from(["one", "two"]),
)
journals = st.lists(st.lists(tries, max_size=6), min_size=3, max_size=3)
torn = st.lists(st.booleans(), min_size=3, max_size=3)


def _write(root: Path, held: Sequence[Sequence[Attempt]]) -> list[Path]:
    return [write_shard(root / f"in{number}", attempts) for number, attempts in enumerate(held)]


def _tables(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in TABLES}


@settings(max_examples=15, deadline=None)
@given(journals)
def test_the_order_and_the_grouping_of_folders_do_not_matter(held: list[list[Attempt]]) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        one, two, three = _write(root, held)
        merge([one, two, three], root / "all")
        for order in ((three, one, two), (two, one, three), (two, one, one, three)):
            turned = root / "".join(folder.name for folder in order)
            merge(order, turned)
            assert _tables(turned) == _tables(root / "all")
        merge([one, two], root / "left")
        merge([root / "left", three], root / "left first")
        merge([two, three], root / "right")
        merge([one, root / "right"], root / "right first")
        merge([three], root / "grown")
        merge([one], root / "grown")
        merge([two], root / "grown")
        for grouped in ("left first", "right first", "grown"):
            assert _tables(root / grouped) == _tables(root / "all")


@settings(max_examples=40, deadline=None)
@given(journals, torn)
def test_a_merge_is_what_counts_of_all_and_again_changes_nothing(
    held: list[list[Attempt]], torn: list[bool]
) -> None:
    with TemporaryDirectory() as name:
        root, out = Path(name), Path(name) / "out"
        folders = _write(root, held)
        for folder, is_torn in zip(folders, torn, strict=True):
            with (folder / "journal.jsonl").open("ab") as file:
                file.write(TORN if is_torn else b"")
        before = files_of(*folders)
        notes = merge(folders, out).notes
        assert sum(f"half a line ends its journal ({len(TORN)} bytes)" in note for note in notes) == sum(torn)
        assert files_of(*folders) == before
        once = {repr(each): each for attempts in held for each in attempts}.values()
        # at one time only failures of several kinds could come in two orders
        found, wanted = read_records(out), expected(sorted(once, key=lambda each: each.started))
        assert [(r.key, r.status == "ok", r.measures) for r in found] == [
            (r.key, r.status == "ok", r.measures) for r in wanted
        ]
        assert (out / "journal.jsonl").read_bytes().count(b"\n") == len(once)
        tables = _tables(out)
        merge(folders, out)
        merge([out], root / "copy")
        assert _tables(out) == _tables(root / "copy") == tables
