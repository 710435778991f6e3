"""The pages under docs/ do what they say: commands, files, links, and words of the command line."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from following import HEAVY, follow, renewed
from msanet_bench.analysis.latency import samples_needed
from msanet_bench.analysis.pareto import _MOST
from msanet_bench.cli import VERBS
from msanet_bench.session.rules import LOOKS, ROUNDS_PER_SUPER_ROUND, RULES
from msanet_bench.spec import MeasureSpec
from pages import FENCE, Fence, dead_links, fences_of
from reference.verbs import parameters_of

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *DOCS]
# What may keep a block from being run: nothing that only takes care.
REASONS = r"needs |it takes "
PROGRAMS = "msanet-bench|python|pytest|make|pip|ray|sbatch"
# what readers have beside a page; the rest of a results folder is not committed
BESIDE = ("experiments", "results/fashion_mnist")
TRACE = "tests/data/latency_noise_trace_1.npy"
NOT_COMMITTED = shutil.ignore_patterns("journal.jsonl", "study.db*", "logs", "lock", "running")
NUMERALS = {10: "ten"}
LANGUAGES = {"sh", "yaml", "python", "text", "csv"}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _blocks(page: Path) -> list[Fence]:
    return fences_of(page.read_text(encoding="utf-8"))


def _is_heavy(page: Path) -> bool:
    return any(fence.mark == HEAVY for fence in _blocks(page))


@pytest.fixture(autouse=True)
def _terminal_of_a_hundred_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder like the root of the repository, as far as pages use it."""
    for name in BESIDE:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=NOT_COMMITTED)
    (tmp_path / TRACE).parent.mkdir(parents=True)
    shutil.copy(ROOT / TRACE, tmp_path / TRACE)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in DOCS if _blocks(page)], ids=_name)
def test_a_page_does_what_it_says(page: Path, beside: Path, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        page.write_text(renewed(page.read_text(encoding="utf-8"), beside), encoding="utf-8")
    else:
        follow(_blocks(page), beside)


@pytest.mark.cluster
@pytest.mark.parametrize("page", [page for page in DOCS if _is_heavy(page)], ids=_name)
def test_a_page_does_what_it_says_where_that_takes_minutes(page: Path, beside: Path) -> None:
    follow(_blocks(page), beside, is_heavy=True)


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```sh\nmsanet-bench check experiments/smoke.yaml    # exit code 2\n```\n", "smoke.yaml: in order"),
        (
            "```sh\nmsanet-bench check experiments/smoke.yaml\n```\n\n```text\nall is well\n```\n",
            "smoke.yaml: in order",
        ),
        ("```sh\nrm -rf /\n```\n", "not tested"),
        ("```yaml\ntrain: {epoch: 3}\n```\n", "epoch"),
        ("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", "2"),
    ],
)
def test_a_page_that_promises_what_is_not_so_is_noticed(page: str, complaint: str, beside: Path) -> None:
    with pytest.raises(AssertionError, match=complaint):
        follow(fences_of(page), beside)


def never_run(page: str) -> Iterator[str]:
    """What looks like something to run, and neither is run nor says why not."""
    for fence in fences_of(page):
        if not (fence.mark or fence.language in LANGUAGES):
            yield fence.language
        if fence.mark and not re.match(REASONS, fence.reason):
            yield fence.reason
    yield from re.findall(rf"^ {{4,}}({PROGRAMS}) ", FENCE.sub("", page), re.MULTILINE)


@pytest.mark.parametrize("page", DOCS, ids=_name)
def test_what_is_not_run_says_why(page: Path) -> None:
    assert list(never_run(page.read_text(encoding="utf-8"))) == []


def test_what_is_not_run_without_a_reason_is_noticed() -> None:
    pages = (
        "```bash\nmsanet-bench doctor\n```\n",
        "*Not run by the tests: it is long.*\n\n```sh\nmsanet-bench doctor\n```\n",
        "Say:\n\n    msanet-bench doctor --out x\n",
        "*Not run by the tests: needs Slurm.*\n\n```bash\nsrun x\n```\n\n```text\n    make x\n```\n",
    )
    assert [list(never_run(page)) for page in pages] == [["bash"], ["it is long"], ["msanet-bench"], []]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(dead_links(page)) == []


def test_links_to_nowhere_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    links = "[a](page.md) [b](#two-words) [c](#two-words-1) [d](page.md#three) [e](none.md) [f](https://x.y)"
    page.write_text(f"# Two `words`\n\n# Two words\n\n{links}\n\n```sh\n# three\n```\n", encoding="utf-8")
    assert list(dead_links(page)) == ["page.md#three", "none.md"]


def test_the_index_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / link).resolve() for link in re.findall(r"\]\(([\w./-]+\.md)", index)}
    assert set(DOCS) - {ROOT / "docs" / "README.md"} <= linked


CONSTANTS = (
    ("measuring.md", f"blocks of at most {RULES['cpu'].block} contenders"),
    ("measuring.md", f"A block has {NUMERALS[ROUNDS_PER_SUPER_ROUND]} rounds"),
    ("measuring.md", f"narrower than {100 * RULES['cpu'].half_width:.0f} % to each side"),
    ("measuring.md", f"({100 * RULES['cuda'].half_width:.0f} % on CUDA)"),
    ("measuring.md", f"after {', '.join(map(str, LOOKS[:-1]))} and {LOOKS[-1]} rounds with 99 % intervals"),
    ("measuring.md", f"{samples_needed(50)} for p50, {samples_needed(90)} for p10 and p90"),
    ("measuring.md", f"0 times nothing | {MeasureSpec().latency_rounds} |"),
    ("concluding.md", f"the share of {_MOST:,} joint draws"),
)


@pytest.mark.parametrize(("page", "said"), CONSTANTS, ids=[said for _, said in CONSTANTS])
def test_constants_that_a_page_quotes_are_those_of_the_code(page: str, said: str) -> None:
    assert said in " ".join((ROOT / "docs" / page).read_text(encoding="utf-8").split())


OPTIONS = {
    verb.__name__: {name for parameter in parameters_of(verb) for name in parameter.names} for verb in VERBS
}


def unknown_words(page: str) -> Iterator[str]:
    """What a page calls a verb or an option of one and is none."""
    blocks = [line for fence in fences_of(page) for line in fence.text.replace("\\\n", "").splitlines()]
    # in prose a command may go on in the next line
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCE.sub("", page))]
    for verb, rest in re.findall(r"msanet-bench ([a-z]\w*)((?: [^\n|;&]*)?)", "\n".join([*blocks, *spans])):
        if verb not in OPTIONS:
            yield verb
        else:
            yield from set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", rest)) - OPTIONS[verb] - {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_verbs_and_options_that_a_page_names_are_there(page: Path) -> None:
    text = re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert list(unknown_words(text)) == []


def test_verbs_and_options_that_are_not_there_are_noticed() -> None:
    assert list(unknown_words("Say `msanet-bench swep x.yaml`, or `msanet-bench merge a -o b --fast`.")) == [
        "swep",
        "--fast",
    ]
