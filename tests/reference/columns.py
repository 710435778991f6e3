"""docs/reference/columns.md: what the files of a results folder hold, from the code that writes them."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msanet_bench
from msanet_bench.checks.shapes import ImageShape
from msanet_bench.finished import TIMINGS
from msanet_bench.measure.samples import Condition, Contender, Sample, Visit
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.overlay import Settings
from msanet_bench.plan import Variant
from msanet_bench.profile.costs import costs_of
from msanet_bench.records import Record
from msanet_bench.schema import record_schema
from msanet_bench.session.conditions import ConditionRow
from msanet_bench.session.table import LatencyRow
from msanet_bench.spec import BlockSpec, ModelSpec
from msanet_bench.tabulate import columns
from reference.columns_words import MEASURES, NOTES, WORDS
from reference.words import described, meanings, page, table, type_words

_CODE = Path(msanet_bench.__file__).parent
_TINY = Settings(model=ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1, 1)))
_HEADER = ("column", "type", "meaning")


def columns_page() -> str:
    """The page; every file of it has a heading of its own."""
    sections = {
        "results.csv": _results(),
        "timings.csv": _named("timings.csv", TIMINGS),
        "latency.csv": _of("latency.csv", LatencyRow, Contender, Condition),
        "latency_sessions.csv": _of("latency_sessions.csv", ConditionRow, Condition),
        "samples.parquet": _samples(),
        "profile.json": _profile(),
        "records.jsonl": _records(),
    }
    parts = (part for name, grid in sections.items() for part in (f"## {name}", NOTES[name], grid))
    return page("Columns of results", NOTES["page"], *parts)


def _results() -> str:
    record = Record("k", "v", {}, 0, 0, "ok")
    hints = get_type_hints(Record)
    rows = [[f"`{name}`", _kind(hints[name]), WORDS["results.csv"][name]] for name in columns([record])]
    first, rest = rows[:2], rows[2:]
    factor = ["one a factor, by its path", "text", "the level; empty where the factor does not apply"]
    measures = [
        [f"`{name}`", f"{unit}, {better} is better" if better != "neither" else unit, MEASURES[name]]
        for name, unit, better in measures_of_code()
    ]
    return table(_HEADER, [*first, factor, *rest[:2], *measures, *rest[2:]])


def measures_of_code() -> list[tuple[str, str, str]]:
    """Every measure that a record may get, with unit and direction, as the code writes `Measure(...)`."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in sorted(_CODE.rglob("*.py")))
    found = {name: call for tree in trees for name, call in _measures(tree)}
    unknown = set(found) ^ set(MEASURES)
    if unknown:
        raise ValueError(f"measures of the code and of the page differ: {sorted(unknown)}")
    return [(name, *_unit_and_direction(found[name])) for name in MEASURES]


def _measures(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        pairs: list[tuple[ast.expr | None, ast.expr]] = []
        if isinstance(node, ast.Dict):
            pairs = list(zip(node.keys, node.values, strict=True))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            pairs = [(node.targets[0].slice, node.value)]
        for key, value in pairs:
            if isinstance(key, ast.Constant) and _is_measure(value):
                assert isinstance(value, ast.Call)
                yield str(key.value), value


def _is_measure(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Measure"


def _unit_and_direction(call: ast.Call) -> tuple[str, str]:
    unit, better = (argument.value for argument in call.args[1:] if isinstance(argument, ast.Constant))
    return str(unit), str(better)


def _named(file: str, names: tuple[str, ...]) -> str:
    said = meanings(names, {}, WORDS[file])
    return table(("column", "meaning"), [[f"`{name}`", said[name]] for name in names])


def _of(file: str, kind: type[Any], *others: type[Any]) -> str:
    """The fields of a dataclass, explained by its docstring and by those of others with the same fields."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    inherited = {name: text for other in others for name, text in described(other).items() if name in names}
    said = meanings(names, inherited | described(kind), WORDS[file])
    return table(_HEADER, [[f"`{name}`", _kind(hints[name]), said[name]] for name in names])


def _samples() -> str:
    rows = []
    for part in (Contender, Condition, Visit, Sample, Telemetry):
        hints = get_type_hints(part)
        names = [field.name for field in fields(part) if hints[field.name] not in _PARTS]
        said = meanings(names, described(part), WORDS[part.__name__])
        rows += [[f"`{name}`", _kind(hints[name]), said[name]] for name in names]
    return table(_HEADER, rows)


_PARTS = (Contender, Condition, Visit, Telemetry)


def _kind(hint: Any) -> str:
    inside = [each for each in get_args(hint) if each is not type(None)]
    if all(isinstance(each, str) for each in inside) and inside:
        return ", ".join(f"`{each}`" for each in inside)
    names = [_KINDS[each] for each in inside or [hint]]
    return " or ".join(names) + (", or empty" if inside and len(inside) < len(get_args(hint)) else "")


_KINDS: Mapping[Any, str] = {str: "text", int: "integer", float: "number", bool: "true or false"}


def _profile() -> str:
    """The keys of a variant, from the costs of a small network."""
    costs = costs_of(Variant("tiny", {}, _TINY), ImageShape(1, 16, 16, 10)).to_json()
    said = meanings(costs, {}, WORDS["profile.json"])
    return table(_HEADER, [[f"`{name}`", _json_kind(value), said[name]] for name, value in costs.items()])


def _json_kind(value: object) -> str:
    match value:
        case dict():
            return "mapping"
        case list():
            return "list"
        case str():
            return "text"
        case float():
            return "number"
        case _:
            return "integer"


def _records() -> str:
    schema = record_schema()["properties"]
    said = meanings(schema, described(Record), WORDS["records.jsonl"])
    rows = [[f"`{name}`", type_words(law), said[name]] for name, law in schema.items()]
    return table(_HEADER, rows)
