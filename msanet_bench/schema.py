"""The JSON Schema of experiment files, for editors that complete and check while one types."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from msanet_bench.overlay import BLOCK_SLOTS, SIZES
from msanet_bench.plan import Catalog
from msanet_bench.registry import Registry
from msanet_bench.spec import MOST_SEEDS, AnalysisSpec, DataSpec, Design, MeasureSpec, ModelSpec, TrainSpec


def experiment_schema(catalog: Catalog) -> dict[str, Any]:
    """What `parse_experiment` accepts, as far as JSON Schema can say it."""
    scalars = {"type": ["string", "number", "boolean", "array", "object", "null"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
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
            "design": TypeAdapter(Design).json_schema(),
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
            "plugins": {"type": "array", "items": {"type": "string"}},
        },
    }


def _baseline(catalog: Catalog) -> dict[str, Any]:
    sizes = TypeAdapter(ModelSpec).json_schema()["properties"]
    branch = {"anyOf": [{"enum": ["on", "off", True, False, None]}, *_block(catalog["branches"], on=True)]}
    slots = {slot: {"anyOf": _block(catalog[slot])} for slot in BLOCK_SLOTS}
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
    return [{"enum": list(registry)}, *mappings]


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


def _factor() -> dict[str, Any]:
    levels = {"type": "array", "minItems": 2}
    mapping = {
        "type": "object",
        "additionalProperties": False,
        "required": ["levels"],
        "properties": {"levels": levels, "when": {"type": "object"}},
    }
    return {"anyOf": [levels, mapping]}
