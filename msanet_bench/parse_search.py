"""What can be wrong with a search, and with what only a search may say: ranges, and limits on memory."""

from collections.abc import Iterator, Mapping
from typing import Any

from msanet_bench.constraint import Constraint
from msanet_bench.errors import Problem
from msanet_bench.factor_spec import Factor
from msanet_bench.search_spec import POPULATION, PRUNER_OPTIONS, SEARCHES, SearchSpec
from msanet_bench.spec import DataSpec, Design
from msanet_bench.violations import shown, suggestion
from msanet_bench.yaml_document import Document, Path

_SEARCHES = ", ".join(SEARCHES)
_RANGE_KEYS = ("low", "high", "log")
_SHORT = 3  # [low, high, log]


def factor_fields(value: object) -> dict[str, Any]:
    """The fields of a factor as they are written: a list of levels, a range, or either with `when`."""
    if isinstance(value, list) and _is_short_range(value):
        return {"range": {"low": value[0], "high": value[1], "log": True}}
    if not isinstance(value, dict):
        return {"levels": tuple(value) if isinstance(value, list) else value}
    fields = {key: item for key, item in value.items() if key not in _RANGE_KEYS}
    if isinstance(fields.get("levels"), list):
        fields["levels"] = tuple(fields["levels"])
    ends = {key: value[key] for key in _RANGE_KEYS if key in value}
    return fields | ({"range": ends} if ends else {})


def search_problems(
    document: Document,
    design: Design,
    search: SearchSpec | None,
    factors: Mapping[str, Factor],
    constraints: tuple[Constraint, ...],
    data: DataSpec,
    epochs: int,
) -> Iterator[Problem]:
    """Every broken rule of a search, or of what only a search may say, at its line."""
    if design not in SEARCHES:
        yield from _only_searches(document, design, factors, constraints)
        return
    yield from (problem for path in factors for problem in _cycles(document, path, factors))
    if data.validation == 0:
        place: Path = ("data", "validation") if ("data", "validation") in document.lines else ("data",)
        law = "a search selects on validation images and never on test images, but got (validation=0)"
        yield document.problem(place, f"{law}. Set a share such as 0.2.")
    if "data.validation" in factors:
        law = "a search compares accuracies on the same validation images, so their share must not vary."
        yield document.problem(("factors", "data.validation"), law)
    for path in factors:
        if path in ("replicate", "data.dataset") or path.startswith("data.options."):
            law = "a search compares trials on one task and by the same luck, so this must not vary."
            yield document.problem(("factors", path), law)
    if search is not None:
        yield from _section_problems(document, design, search, factors, epochs)
        yield from _latency_problems(document, search, constraints)


def _is_short_range(value: list[Any]) -> bool:
    return len(value) == _SHORT and value[2] == "log" and all(map(_is_number, value[:2]))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _only_searches(
    document: Document, design: Design, factors: Mapping[str, Factor], constraints: tuple[Constraint, ...]
) -> Iterator[Problem]:
    tree = document.tree
    if isinstance(tree.get("search"), dict) and tree["search"].get("pruner", "none") != "none":
        law = f"every cell of a designed ablation is needed, so the design `{design}` stops none early."
        yield document.problem(("search", "pruner"), f"{law} Only searches ({_SEARCHES}) do.")
    elif tree.get("search") is not None:
        law = f"only a search has this section ({_SEARCHES}), but got (design={design!r})."
        yield document.problem(("search",), law)
    for path, factor in factors.items():
        if factor.range is not None:
            law = f"the design `{design}` needs a list of levels. Only searches ({_SEARCHES}) take ranges."
            yield document.problem(("factors", path), law)
    for index, constraint in enumerate(constraints):
        if constraint.measure == "memory":
            law = f"only a search ({_SEARCHES}) limits memory; the design `{design}` limits params and macs."
            yield document.problem(("constraints", index), law)
        elif constraint.is_timed:
            law = f"only a search ({_SEARCHES}) limits latency; the design `{design}` times what is trained."
            yield document.problem(("constraints", index), law)


def _latency_problems(
    document: Document, search: SearchSpec, constraints: tuple[Constraint, ...]
) -> Iterator[Problem]:
    """Whoever asks for latency must ask for trials in batches."""
    if search.batch is not None:
        return
    law = (
        "latency is timed before training, while nothing trains, for the trials of a batch together. Set "
        "`search.batch` to their number, such as 4."
    )
    if "latency" in search.objectives:
        yield document.problem(("search", "objectives"), law)
    for index, constraint in enumerate(constraints):
        if constraint.is_timed:
            yield document.problem(("constraints", index), law)


def _cycles(document: Document, path: str, factors: Mapping[str, Factor]) -> Iterator[Problem]:
    """A factor that hangs on itself by way of others can never be asked for."""
    reached, coming = set[str](), list(factors[path].when)
    while coming:
        other = coming.pop()
        if other not in reached and other in factors:
            reached.add(other)
            coming += factors[other].when
    if path in reached:
        law = f"`when` leads back to `{path}` itself, so that neither can be chosen first. Take one away."
        yield document.problem(("factors", path, "when"), law)


def _section_problems(
    document: Document, design: Design, search: SearchSpec, factors: Mapping[str, Factor], epochs: int
) -> Iterator[Problem]:
    if search.batch is not None and search.batch > search.trials:
        law = f"must be at most `trials`, but got (batch={search.batch}, trials={search.trials})."
        yield document.problem(("search", "batch"), law)
    if search.population is not None and design != "nsga2":
        law = f"only the design `nsga2` has a population, but got (design={design!r})."
        yield document.problem(("search", "population"), law)
    elif design == "nsga2" and (population := search.population or POPULATION) >= search.trials:
        law = (
            "must be less than `trials`, or there is no second generation, but got "
            f"(population={population}, trials={search.trials})."
        )
        yield document.problem(("search", "population"), law)
    yield from _pruner_problems(document, search)
    yield from _idle_pruner_problems(document, search, epochs)
    if search.pruner is not None and "train.epochs" in factors:
        levels = shown(factors["train.epochs"].probes)
        law = f"compares runs epoch by epoch, so `train.epochs` must not vary, but got {levels}."
        yield document.problem(("search", "pruner"), law)


def _idle_pruner_problems(document: Document, search: SearchSpec, epochs: int) -> Iterator[Problem]:
    """A pruner that would judge by half of what is asked for, or never stop anything."""
    if search.pruner is None:
        return
    if len(search.objectives) > 1:
        law = f"judges by accuracy alone, so it is for one objective, but got {shown(search.objectives)}."
        yield document.problem(("search", "pruner"), law)
    options = PRUNER_OPTIONS[search.pruner.name]
    for option, most, what in (
        ("warmup", epochs, "train.epochs"),
        ("first", epochs, "train.epochs"),
        ("startup", search.trials, "trials"),
    ):
        value = getattr(search.pruner, option)
        if option in options and value >= most:
            law = f"`{option}` must be less than `{what}`, or nothing is ever stopped"
            yield document.problem(("search", "pruner"), f"{law}, but got ({option}={value}, {what}={most}).")


def _pruner_problems(document: Document, search: SearchSpec) -> Iterator[Problem]:
    """Options that are another pruner's."""
    section = document.tree.get("search")
    given = section.get("pruner") if isinstance(section, dict) else None
    if search.pruner is None or not isinstance(given, dict):
        return
    known = PRUNER_OPTIONS[search.pruner.name]
    for option in sorted(given.keys() - known - {"name"}):
        law = f"no option of {search.pruner.name}. {suggestion(option, known)}"
        yield document.problem(("search", "pruner", option), law)
