"""The JSON Schemas: of experiment files, for editors; of a line of records.jsonl, for programs of others."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from msanet_bench.factor_spec import TuneSpec
from msanet_bench.migrations import newest
from msanet_bench.overlay import BLOCK_SLOTS, SIZES
from msanet_bench.plan import Catalog
from msanet_bench.records import Record
from msanet_bench.registry import Registry
from msanet_bench.search_spec import SearchSpec
from msanet_bench.spec import (
    DESIGNS,
    MOST_SEEDS,
    AnalysisSpec,
    DataSpec,
    MeasureSpec,
    ModelSpec,
    TrainSpec,
)

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
# What the types of a record do not say.
_NARROWER: Mapping[str, Mapping[str, Any]] = {
    "key": {"pattern": "^[0-9a-f]+$"},
    "variant": {"minLength": 1},
    "seed": {"minimum": 0},
    "replicate": {"minimum": 0},
    "correct": {
        "contentEncoding": "base64",
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    },
    "test_images": {"minimum": 0},
}
_SUCCESS = {
    "reason": {"const": ""},
    "measures": {"required": ["accuracy"]},
    "correct": {"minLength": 1},
    "test_images": {"minimum": 1},
}
_FAILURE = {
    "reason": {"minLength": 1},
    "measures": {"maxProperties": 0},
    "correct": {"const": ""},
}


def experiment_schema(catalog: Catalog) -> dict[str, Any]:
    """What `parse_experiment` accepts, as far as JSON Schema can say it."""
    scalars = {"type": ["string", "number", "boolean", "array", "object", "null"]}
    return {
        "$schema": _DRAFT,
        "title": "msanet_bench experiment",
        "type": "object",
        "additionalProperties": False,
        "required": ["delta"],
        "properties": {
            "name": {"type": "string"},
            "question": {"type": "string"},
            "baseline": _baseline(catalog),
            "data": _section(DataSpec, {"dataset": {"enum": list(catalog["data"])}}),
            "train": _section(TrainSpec),
            "measure": _section(MeasureSpec),
            "analysis": _section(AnalysisSpec),
            "design": {"enum": list(DESIGNS), "type": "string"},
            "factors": {"type": "object", "additionalProperties": _factor()},
            "variants": {"type": "array", "items": {"type": "object", "additionalProperties": scalars}},
            "seeds": {
                "oneOf": [
                    {"type": "integer", "minimum": 1, "maximum": MOST_SEEDS},
                    {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
                ]
            },
            "delta": {"type": "string", "pattern": r"^\s*(\d+(\.\d*)?|\.\d+)\s*pp\s*$"},
            "constraints": {"type": "array", "items": {"type": "string"}},
            "search": _search(),
            "tune": _tune(),
            "plugins": {"type": "array", "items": {"type": "string"}},
        },
    }


def record_schema() -> dict[str, Any]:
    """A line of records.jsonl of the newest version, as far as JSON Schema can say it.

    The properties are the fields of `Record` with their types. All of them are written, so all are required.
    """
    fields = TypeAdapter(Record).json_schema()
    properties = {"schema_version": {"const": newest("record")}, **fields["properties"]}
    for name, narrower in _NARROWER.items():
        properties[name] = {**properties[name], **narrower}
    return {
        "$schema": _DRAFT,
        "title": "msanet_bench record",
        "description": "One line of records.jsonl: a variant trained with one seed.",
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": {name: _without_default(schema) for name, schema in properties.items()},
        "if": {"properties": {"status": {"const": "ok"}}},
        "then": {"properties": _SUCCESS},
        "else": {"properties": _FAILURE},
        "$defs": {name: {**law, "additionalProperties": False} for name, law in fields["$defs"].items()},
    }


def _without_default(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {word: law for word, law in schema.items() if word != "default"}


def _baseline(catalog: Catalog) -> dict[str, Any]:
    sizes = TypeAdapter(ModelSpec).json_schema()["properties"]
    branch = {"anyOf": [{"enum": ["on", "off", True, False, None]}, *_block(catalog["branches"], on=True)]}
    slots = {slot: {"anyOf": _block(catalog[slot])} for slot in ("model", *BLOCK_SLOTS)}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{key: sizes[key] for key in SIZES},
            **slots,
            "branches": {"type": "object", "additionalProperties": branch},
        },
    }


def _block(registry: Registry[Any], *, on: bool = False) -> list[dict[str, Any]]:
    """A name, or a mapping for each block with the options that it takes."""
    extra = {"on": {"enum": ["on", "off", True, False]}} if on else {}
    mappings = [
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {"block": {"const": name}, **extra, **_options(registry, name)},
        }
        for name in registry
    ]
    return [{"enum": list(registry)}, *mappings, *_families(registry, extra)]


def _families(registry: Registry[Any], extra: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Names that begin with a prefix, whose options only their own package knows."""
    for prefix in registry.families:
        name = {"type": "string", "pattern": f"^{prefix}"}
        yield name
        yield {"type": "object", "required": ["block"], "properties": {"block": name, **extra}}


def _options(registry: Registry[Any], name: str) -> dict[str, Any]:
    return {
        option: {**TypeAdapter(annotation).json_schema(), "default": default}
        for option, (annotation, default) in registry.options(name).items()
    }


def _section(
    spec: type[DataSpec | TrainSpec | MeasureSpec | AnalysisSpec], known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    schema = spec.model_json_schema()
    for key, narrower in (known or {}).items():
        schema["properties"][key].update(narrower)
    return schema


def _search() -> dict[str, Any]:
    schema = SearchSpec.model_json_schema()
    pruner = schema.pop("$defs")["PrunerSpec"]
    names = {"enum": ["none", *pruner["properties"]["name"]["enum"]], "type": "string"}
    schema["properties"]["pruner"] = {"anyOf": [names, pruner, {"type": "null"}]}
    return schema


def _tune() -> dict[str, Any]:
    """Two options; every other key is a path."""
    options = {name: TuneSpec.model_json_schema()["properties"][name] for name in ("trials", "seed")}
    return {"type": "object", "properties": options, "additionalProperties": _factor()}


def _factor() -> dict[str, Any]:
    levels = {"type": "array", "minItems": 2}
    when = {"type": "object"}
    ends = {key: {"type": "number"} for key in ("low", "high")}
    forms = [
        {"required": ["levels"], "properties": {"levels": levels, "when": when}},
        {"required": ["low", "high"], "properties": {**ends, "log": {"type": "boolean"}, "when": when}},
    ]
    return {"anyOf": [levels, *({"type": "object", "additionalProperties": False, **form} for form in forms)]}
