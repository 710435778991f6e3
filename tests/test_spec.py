"""The frozen values: strict, finite, closed; and what they are hashed as."""

import hashlib
import math
from typing import Any

import pytest
from pydantic import ValidationError

from msanet_bench.constraint import Constraint
from msanet_bench.spec import BlockSpec, DataSpec, Experiment, ModelSpec, TrainSpec, digest


def test_the_defaults_are_the_network_and_the_training_of_the_article() -> None:
    model, train = ModelSpec(), TrainSpec()
    assert {name: (branch.block, dict(branch.options)) for name, branch in model.branches.items()} == {
        "conv3": ("conv", {"kernel": 3}),
        "conv5": ("conv", {"kernel": 5}),
        "dilated": ("conv", {"kernel": 3, "dilation": 2}),
        "context": ("global_context", {}),
    }
    assert (model.depth, model.width, model.attention_stages) == ((2, 3, 3), 1.0, (1, 2, 3))
    assert (train.optimiser, train.lr, train.batch_size) == ("adamw", 1e-4, 32)


@pytest.mark.parametrize(
    "fields",
    [
        {"epochs": "3"},
        {"epochs": 3.0},
        {"epochs": True},
        {"lr": math.nan},
        {"clip_norm": math.inf},
        {"lrr": 1},
    ],
)
def test_types_are_strict_numbers_finite_and_keys_known(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrainSpec(**fields)


def test_specs_are_frozen() -> None:
    spec = TrainSpec()
    with pytest.raises(ValidationError):
        spec.epochs = 3


def test_lists_of_options_become_tuples_so_that_equal_options_are_equal() -> None:
    assert BlockSpec(block="x", options={"taps": [1, 2]}) == BlockSpec(block="x", options={"taps": (1, 2)})
    data = DataSpec(options={"sizes": [1, 2]})
    assert DataSpec.model_validate_json(data.model_dump_json()) == data


@pytest.mark.parametrize(
    ("text", "value", "allowed"),
    [
        ("params <= 2M", 2_000_000, True),
        ("params <= 2M", 2_000_001, False),
        ("macs >= 1.5k", 1500, True),
        ("macs >= 1.5k", 1499, False),
        ("latency <= 2 ms", 0.002, True),
        ("latency <= 2ms", 0.00201, False),
        ("latency <= 350 us", 0.00035, True),
        ("latency >= 1 s", 0.999, False),
        ("latency <= 0.8x", 0.8, True),
        ("latency <= 0.8x", 0.81, False),
    ],
)
def test_a_constraint_includes_its_limit(text: str, value: float, *, allowed: bool) -> None:
    assert Constraint.parse(text).allows(value) is allowed


def test_a_constraint_is_written_out_in_full() -> None:
    assert str(Constraint.parse("params <= 1.5M")) == "params <= 1500000"
    assert str(Constraint.parse("latency <= 0.0025 s")) == "latency <= 2.5 ms"
    assert str(Constraint.parse("latency <= 0.80x")) == "latency <= 0.8x"


def test_delta_keeps_its_text() -> None:
    assert Experiment(name="x", seeds=(0,), delta="0.5 pp").delta == "0.5 pp"


def test_a_digest_is_the_start_of_the_sha_256_of_sorted_json() -> None:
    text = b'{"a":[1,null],"b":"\\u00e4"}'
    expected = hashlib.sha256(text).hexdigest()[:16]
    assert digest({"b": "\xe4", "a": [1, None]}) == digest({"a": [1, None], "b": "\xe4"}) == expected


def test_a_digest_of_a_number_that_json_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest({"a": math.nan})
