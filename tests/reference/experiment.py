"""docs/reference/experiment.md: every key of an experiment file, from the specs that read it."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from msanet_bench.checks import catalog
from msanet_bench.factor_spec import Factor, TuneSpec
from msanet_bench.overlay import BLOCK_SLOTS, SIZES
from msanet_bench.schema import experiment_schema
from msanet_bench.search_spec import PrunerSpec, SearchSpec
from msanet_bench.spec import AnalysisSpec, DataSpec, Experiment, MeasureSpec, ModelSpec, TrainSpec
from reference.experiment_words import EXAMPLES, NOTES, TITLES, WORDS
from reference.words import described, meanings, page, shown, table, type_words

SECTIONS: Mapping[str, type[BaseModel]] = {
    "": Experiment,
    "baseline": ModelSpec,
    "data": DataSpec,
    "train": TrainSpec,
    "measure": MeasureSpec,
    "analysis": AnalysisSpec,
    "factors": Factor,
    "search": SearchSpec,
    "pruner": PrunerSpec,
    "tune": TuneSpec,
}

_INTRODUCTION = (
    "An experiment is one YAML file of YAML 1.2: `1e-3` is a number, and `on` and `off` are words, which "
    "branches take; switches are `true` and `false`. Keys that are not listed here are refused, each with "
    "its line and the nearest known name. `msanet-bench check FILE` names all errors at once; "
    "`msanet-bench check --schema` prints the same as JSON Schema, for editors. Only `delta` has no "
    "default."
)


def experiment_page() -> str:
    return page("Experiment files", _INTRODUCTION, *map(_section, SECTIONS), *_paths())


def _section(name: str) -> str:
    parts = [f"## {TITLES[name]}", NOTES[name]]
    rows = _rows(name, SECTIONS[name])
    grid = table(["key", "type", "default", "meaning"], rows)
    return "\n\n".join([*parts, grid, f"```yaml\n{EXAMPLES[name].strip()}\n```"])


def _rows(name: str, spec: type[BaseModel]) -> list[list[str]]:
    fields = spec.model_fields
    said = meanings(fields, described(spec), WORDS[name])
    schema = _properties(name, spec)
    return [
        # what Python calls None is `~` in YAML
        [
            f"`{key}`",
            type_words(schema[key]),
            _default(name, spec, key),
            re.sub(r"\bNone\b", "`~`", said[key]),
        ]
        for key in fields
    ]


def _properties(name: str, spec: type[BaseModel]) -> Mapping[str, Any]:
    whole = experiment_schema(catalog())["properties"]
    own = spec.model_json_schema()["properties"]
    if not name:
        own = {key: whole.get(key, law) for key, law in own.items()}
    elif name == "data":
        own = whole["data"]["properties"]
    return {key: _FORMS.get(f"{name}.{key}".lstrip("."), law) for key, law in own.items()}


# what a file may write where the parsed value has a longer form
_FORMS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"type": f"[section](#{name})"} for name in SECTIONS if name not in {"", "pruner"}},
    "variants": {"type": "list of mappings from [paths](#paths) to values"},
    "seeds": {"type": "integer 1 to 1000, or list of integers >= 0"},
    "delta": {"type": "text, a number with `pp`"},
    **{f"baseline.{slot}": {"type": f"[block](blocks.md#{slot})"} for slot in ("model", *BLOCK_SLOTS)},
    "baseline.branches": {"type": "mapping from names to [blocks](blocks.md#branches), `on`, `off` or `~`"},
    "search.pruner": {"type": "name, or [mapping](#pruner)"},
    "factors.range": {"type": "`[low, high]`, `[low, high, log]`, or the keys `low`, `high`, `log`"},
    "factors.when": {"type": "mapping from [paths](#paths) to a level or a list of levels"},
    "tune.paths": {"type": "each key that is a [path](#paths): levels or a range"},
}


def _default(name: str, spec: type[BaseModel], key: str) -> str:
    stated = _DEFAULTS.get(f"{name}.{key}".lstrip("."))
    if stated is not None:
        return stated
    default = spec.model_fields[key].get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    return f"`{default.block}`" if hasattr(default, "block") else "" if default == {} else shown(default)


# what the parser fills in, or a value that is long
_DEFAULTS: Mapping[str, str] = {
    **dict.fromkeys(("baseline", "data", "train", "measure", "analysis"), "its defaults"),
    **dict.fromkeys(("search", "tune"), ""),
    "name": "the name of the file",
    "seeds": "`3`",
    "baseline.branches": "the article's four: `conv3`, `conv5`, `dilated`, `context`",
}


_BLOCKS = ", ".join(f"`{slot}`" for slot in ("model", *BLOCK_SLOTS))
_SIZES = ", ".join(f"`{size}`" for size in SIZES)
_PATHS = (
    (_BLOCKS, "the block in a slot", "`attention: [self_attention, none]`"),
    ("`SLOT.OPTION`", "one option of the block in place", "`attention.reduction: [4, 8]`"),
    ("`branches.NAME`", "a branch: on, off, or another block", "`branches.conv5: [on, off]`"),
    ("`branches.NAME.OPTION`", "one option of a branch", "`branches.dilated.dilation: [1, 2, 3]`"),
    (_SIZES, "a size", "`width: [0.125, 0.25]`"),
    ("`train.KEY`", "a key of the training", "`train.lr: [1e-3, 3e-3]`"),
    ("`data.KEY`, `data.options.OPTION`", "a key of the data", "`data.train_images: [200, 400]`"),
    ("`replicate`", "the same network with streams of its own: an A/A twin", "`replicate: [0, 1]`"),
)


def _paths() -> list[str]:
    """The paths that factors, variants and `tune` name."""
    return ["## Paths", NOTES["paths"], table(["path", "is", "as a factor"], _PATHS)]
