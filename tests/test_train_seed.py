import os
import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from msanet_bench.streams import Stream
from msanet_bench.train.seed import generator, nondeterministic_kernels, seed_global_dropout, set_determinism

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    flags = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.allow_tf32,
        torch.backends.cuda.matmul.allow_tf32,
    )
    yield
    torch.use_deterministic_algorithms(flags[0], warn_only=flags[1])
    torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = flags[2:4]
    torch.backends.cuda.matmul.allow_tf32 = flags[4]


def test_a_deterministic_run_on_a_cpu_has_nothing_to_confess() -> None:
    assert set_determinism(CPU, deterministic=True) == ()
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.backends.cudnn.benchmark


def test_on_cuda_a_missing_deterministic_kernel_is_a_warning_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    assert set_determinism(torch.device("cuda", 0), deterministic=True) == ()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_run_that_is_not_deterministic_says_so() -> None:
    (note,) = set_determinism(CPU, deterministic=False)
    assert note.startswith("not deterministic")
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("deterministic", [True, False])
def test_fp32_never_means_tf32(*, deterministic: bool) -> None:
    torch.backends.cudnn.allow_tf32 = True
    set_determinism(CPU, deterministic=deterministic)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_streams_differ_by_seed_name_and_replicate() -> None:
    def first(seed: int, stream: Stream, replicate: int) -> float:
        return torch.rand(1, generator=generator(seed, stream, replicate=replicate)).item()

    runs = [(0, "order", 0), (1, "order", 0), (0, "augmentation", 0), (0, "order", 1)]
    assert len({first(*run) for run in runs}) == len(runs)
    assert first(0, "order", 0) == first(0, "order", 0)


def test_dropout_repeats_with_its_seed_and_does_not_with_another() -> None:
    def kept(seed: int) -> list[float]:
        seed_global_dropout(seed, replicate=0)
        return nn.functional.dropout(torch.ones(64)).tolist()

    assert kept(3) == kept(3)
    assert kept(3) != kept(4)


def test_operations_without_a_deterministic_kernel_are_named_once_and_other_warnings_pass() -> None:
    message = "scatter_cuda does not have a deterministic implementation, but you set this and that"
    kernels: list[str] = []

    def run() -> None:
        with nondeterministic_kernels() as named:
            for text in (message, message, "something else"):
                warnings.warn(text, stacklevel=1)
        kernels.extend(named)

    with pytest.warns(UserWarning, match="something else"):
        run()
    assert kernels == ["not deterministic: scatter_cuda"]
