"""The JSON Schema against a validator of the few keywords that it uses, on files that parse accepts."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalogs import own_catalog
from experiments import COMMITTED
from msanet_bench.errors import SpecError
from msanet_bench.parse import parse_experiment
from msanet_bench.schema import experiment_schema
from msanet_bench.yaml_document import read_yaml

CATALOG = own_catalog()
SCHEMA = json.loads(json.dumps(experiment_schema(CATALOG)))
SEARCH = """
delta: 1 pp
design: nsga2
data: {validation: 0.2}
factors:
  train.lr: [1e-4, 1e-2, log]
  train.batch_size: {low: 8, high: 64}
  branches.dilated: [on, off]
  branches.dilated.dilation: {low: 2, high: 3, when: {branches.dilated: on}}
search:
  trials: 8
  objectives: [accuracy]
  batch: 2
  seed: 1
  pruner: {name: median, startup: 2}
  population: 4
constraints: [memory <= 8M]
"""

TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
CHECKS: dict[str, Callable[[Any, Any], bool]] = {
    "const": lambda law, value: law == value,
    "enum": lambda law, value: any(law_value is value or law_value == value for law_value in law),
    "minimum": lambda law, value: not TYPES["number"](value) or value >= law,
    "maximum": lambda law, value: not TYPES["number"](value) or value <= law,
    "exclusiveMinimum": lambda law, value: not TYPES["number"](value) or value > law,
    "exclusiveMaximum": lambda law, value: not TYPES["number"](value) or value < law,
    "minItems": lambda law, value: not isinstance(value, list) or len(value) >= law,
    "maxItems": lambda law, value: not isinstance(value, list) or len(value) <= law,
    "pattern": lambda law, value: not isinstance(value, str) or re.search(law, value) is not None,
    "required": lambda law, value: not isinstance(value, dict) or set(law) <= set(value),
    "type": lambda law, value: any(TYPES[kind](value) for kind in ([law] if isinstance(law, str) else law)),
    "anyOf": lambda law, value: any(fits(part, value) for part in law),
    "oneOf": lambda law, value: sum(fits(part, value) for part in law) == 1,
    "items": lambda law, value: not isinstance(value, list) or all(fits(law, item) for item in value),
}
NOTES = {"$schema", "title", "description", "default", "properties", "additionalProperties"}


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value fits; a keyword that is not known here is a failure of the test."""
    assert set(schema) <= set(CHECKS) | NOTES, schema
    if not all(CHECKS[law](schema[law], value) for law in schema if law in CHECKS):
        return False
    if not isinstance(value, dict):
        return True
    known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    return all(fits(known[key] if key in known else as_schema(rest), item) for key, item in value.items())


def as_schema(rest: dict[str, Any] | bool) -> dict[str, Any]:  # noqa: FBT001 - JSON Schema's own form
    return rest if isinstance(rest, dict) else {} if rest else {"enum": []}


def read(text: str) -> Any:
    return read_yaml(text).tree


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_experiment_fits(path: Path) -> None:
    assert fits(SCHEMA, read(path.read_text(encoding="utf-8")))


def test_a_search_fits_the_schema_and_the_parser_and_a_broken_one_neither() -> None:
    assert fits(SCHEMA, read(SEARCH))
    assert parse_experiment(SEARCH, source="x.yaml", name="x", catalog=CATALOG).search is not None
    for right, wrong in [("nsga2", "nsga"), ("[accuracy]", "[acuracy]"), ("high: 64", "hi: 64")]:
        broken = SEARCH.replace(right, wrong)
        assert not fits(SCHEMA, read(broken)), wrong
        with pytest.raises(SpecError):
            parse_experiment(broken, source="x.yaml", name="x", catalog=CATALOG)


def test_a_file_with_everything_fits() -> None:
    text = """
name: all
question: What?
delta: 0.5 pp
baseline:
  stem: small
  width: 1
  depth: [1, 1]
  attention_stages: []
  same_size_stages: [1]
  branch_width: shared
  attention: {block: self_attention, reduction: 4, scaled: true}
  branches: {conv3: off, conv5: ~, wide: {block: depthwise, kernel: 7, on: off}, context: max_pool}
data: {dataset: fake, options: {size: 16}, resize: ~, augment: [flip]}
train: {lr: 1e-3, clip_norm: 1}
measure: {latency_rounds: 0, latency_batches: [1]}
design: factorial
factors:
  attention: [none, {block: se}]
  width: {levels: [0.5, 0.25], when: {attention: none}}
seeds: [0, 7]
constraints: [params <= 2M]
plugins: [blocks.py]
"""
    assert fits(SCHEMA, read(text))


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{delta: 0.5}",
        "{delta: 1 pp, sead: 3}",
        "{delta: 1 pp, seeds: 0}",
        "{delta: 1 pp, seeds: [-1]}",
        "{delta: 1 pp, design: fractional}",
        "{delta: 1 pp, train: {epoch: 3}}",
        "{delta: 1 pp, train: {epochs: 0}}",
        "{delta: 1 pp, train: {lr: 0}}",
        "{delta: 1 pp, data: {dataset: digts}}",
        "{delta: 1 pp, baseline: {attention: nine}}",
        "{delta: 1 pp, baseline: {fusion: timm:eca}}",
        "{delta: 1 pp, baseline: {attention: {block: se, reducton: 4}}}",
        "{delta: 1 pp, baseline: {stem: {block: small, stride: 2}}}",
        "{delta: 1 pp, baseline: {branches: {conv3: maybe}}}",
        "{delta: 1 pp, baseline: {width: 9}}",
        "{delta: 1 pp, factors: {attention: [none]}}",
        "{delta: 1 pp, factors: {attention: {level: [none, se]}}}",
    ],
)
def test_a_wrong_file_does_not_fit(text: str) -> None:
    assert not fits(SCHEMA, read(text))


@pytest.mark.parametrize("slot", ["stem", "fusion", "attention", "head", "branches"])
def test_every_slot_lists_every_block_and_every_option_with_its_default(slot: str) -> None:
    place = SCHEMA["properties"]["baseline"]["properties"][slot]
    forms = place["additionalProperties"]["anyOf"][1:] if slot == "branches" else place["anyOf"]
    names, *mappings = forms
    mappings = [form for form in mappings if "const" in form.get("properties", {}).get("block", {})]
    registry = CATALOG[slot]
    assert names == {"enum": list(registry)}
    listed = {form["properties"]["block"]["const"]: form["properties"] for form in mappings}
    assert list(listed) == list(registry)
    for name, properties in listed.items():
        defaults = {key: option["default"] for key, option in properties.items() if "default" in option}
        own = {key: option.default for key, option in registry.options(name).items()}
        assert defaults == json.loads(json.dumps(own))


@pytest.mark.parametrize("block", ["timm:eca", "{block: timm:eca, gamma: 1.5}"])
def test_names_of_a_family_fit_by_their_prefix(block: str) -> None:
    assert fits(SCHEMA, read(f"{{delta: 1 pp, baseline: {{attention: {block}}}}}"))


def test_editors_get_a_schema_of_a_named_draft() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["additionalProperties"] is False
