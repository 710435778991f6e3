import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import pytest
import torch

from msanet_bench.measure import flags as flags_module
from msanet_bench.measure.flags import ATTRIBUTES, MIXED, QUESTIONS, torch_flags

TF32 = {
    "backends.cuda.matmul.allow_tf32": {
        "backends.cuda.matmul.allow_tf32",
        "backends.cuda.matmul.fp32_precision",
        "get_float32_matmul_precision",
    },
    "backends.cudnn.allow_tf32": {
        "backends.cudnn.allow_tf32",
        "backends.cudnn.conv.fp32_precision",
        "backends.cudnn.rnn.fp32_precision",
    },
}
OTHERS = (
    "backends.cudnn.enabled",
    "backends.cudnn.benchmark",
    "backends.cudnn.deterministic",
    "backends.cuda.matmul.allow_fp16_reduced_precision_reduction",
    "backends.cuda.matmul.allow_bf16_reduced_precision_reduction",
    "backends.mkldnn.enabled",
)


@pytest.fixture
def flip() -> Iterator[Callable[[str], None]]:
    """Turn a switch of torch over, by its name; afterwards it stands as before."""
    before: dict[str, Any] = {}

    def turn_over(name: str) -> None:
        before.setdefault(name, attrgetter(name)(torch))
        put(name, not before[name])

    yield turn_over
    for name, value in before.items():
        put(name, value)


def put(name: str, value: object) -> None:
    owner, _, attribute = name.rpartition(".")
    setattr(attrgetter(owner)(torch), attribute, value)


def changed_by(flip: Callable[[str], None], name: str) -> set[str]:
    before = torch_flags()
    flip(name)
    after = torch_flags()
    return {key for key in before if before[key] != after[key]}


@pytest.mark.parametrize("name", TF32)
def test_a_tf32_switch_is_recorded(flip: Callable[[str], None], name: str) -> None:
    changed = changed_by(flip, name)
    assert name in changed
    assert changed <= TF32[name]


@pytest.mark.parametrize("name", TF32)
def test_a_recording_without_the_tf32_switches_would_be_seen(
    flip: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(flags_module, "ATTRIBUTES", tuple(set(ATTRIBUTES) - TF32[name]))
    with pytest.raises(AssertionError):
        test_a_tf32_switch_is_recorded(flip, name)


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_switch_is_recorded_alone(flip: Callable[[str], None], name: str) -> None:
    assert changed_by(flip, name) == {name}


@pytest.mark.parametrize("kind", ["flash", "mem_efficient", "math", "cudnn"])
def test_the_kinds_of_attention_are_recorded(kind: str) -> None:
    name = f"backends.cuda.{kind}_sdp_enabled"
    put_enabled: Callable[[bool], None] = getattr(torch.backends.cuda, f"enable_{kind}_sdp")
    before = torch_flags()[name]
    try:
        put_enabled(not before)
        assert torch_flags()[name] is not before
    finally:
        put_enabled(before)


def test_deterministic_algorithms_and_the_fast_path_of_attention_are_recorded() -> None:
    before = torch_flags()
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        torch.backends.mha.set_fastpath_enabled(not fast)
        after = torch_flags()
    finally:
        torch.use_deterministic_algorithms(before["are_deterministic_algorithms_enabled"])
        torch.backends.mha.set_fastpath_enabled(fast)
    assert after["are_deterministic_algorithms_enabled"] is True
    assert after["is_deterministic_algorithms_warn_only_enabled"] is True
    assert after["backends.mha.get_fastpath_enabled"] is not fast


def test_the_flags_are_plain_in_a_fixed_order_and_this_torch_has_them_all() -> None:
    told = torch_flags()
    assert json.loads(json.dumps(told)) == told
    assert list(told) == [*ATTRIBUTES, *QUESTIONS]
    assert [name for name, value in told.items() if value is None] == []


def test_a_switch_that_torch_does_not_have_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flags_module, "ATTRIBUTES", ("backends.cudnn.of_tomorrow",))
    assert torch_flags()["backends.cudnn.of_tomorrow"] is None


def test_switches_set_through_both_interfaces_are_told_as_far_as_torch_answers() -> None:
    # in a process of its own: torch has no way back from the mixture
    program = (
        "import json, torch\n"
        "torch.backends.cuda.matmul.fp32_precision = 'tf32'\n"
        "from msanet_bench.measure.flags import torch_flags\n"
        "print(json.dumps(torch_flags()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["backends.cuda.matmul.fp32_precision"] == "tf32"
    assert told["backends.cuda.matmul.allow_tf32"] == MIXED
    assert told["backends.cudnn.allow_tf32"] is True
