import platform

import pytest

from msanet_bench.measure.variables import (
    WITHHELD,
    preloaded_libraries,
    private_names,
    recorded_variables,
)

PERSON = {"HOME": "/home/ada", "USER": "ada", "LOGNAME": "ada.l"}


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "node-7.lab.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OMP_NUM_THREADS", "4"),
        ("OMP_PLACES", "{0:4},{4:4}"),
        ("KMP_AFFINITY", "granularity=fine,compact,1,0"),
        ("MKL_NUM_THREADS", "1"),
        ("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True,garbage_collection_threshold:0.8"),
        ("CUDA_VISIBLE_DEVICES", "GPU-ffc79498-8ff3-c2dc-3b0d-fafd804516ae"),
        ("CUBLAS_WORKSPACE_CONFIG", ":4096:8"),
        ("NVIDIA_TF32_OVERRIDE", "0"),
        ("NVIDIA_REQUIRE_CUDA", "cuda>=12.0 brand=tesla,driver>=470"),
        ("TORCHINDUCTOR_MAX_AUTOTUNE", ""),
    ],
)
def test_a_setting_is_recorded(name: str, value: str) -> None:
    assert recorded_variables(PERSON | {name: value}) == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CUDA_HOME", "/usr/local/cuda"),
        ("TORCH_HOME", "/home/ada/.cache/torch"),
        ("CUDA_CACHE_PATH", "~"),
        ("CUDA_PATH", "C:\\CUDA"),
        ("PYTORCH_MIRROR", "https://ada:pw@mirror.example"),
        ("NVIDIA_API_KEY", "nvapi0123"),
        ("NVIDIA_REGISTRY_PASSWORD", "hunter2"),
        ("TORCH_AUTH_TOKEN", "abc"),
        ("CUDA_MPS_CLIENT", "job of Ada, urgent"),
        ("CUDA_MPS_SERVER", "ada.l"),
        ("NVIDIA_NODE", "node-7"),
        ("OMP_HOSTS", "node-7.lab.example,other"),
        ("NVIDIA_LONG", "x" * 301),
        ("NVIDIA_OTHER", "a\nb"),
    ],
)
def test_what_may_be_private_is_told_to_be_set_and_no_more(name: str, value: str) -> None:
    assert recorded_variables(PERSON | {name: value}) == {name: WITHHELD}


def test_a_name_inside_a_longer_word_withholds_nothing() -> None:
    assert recorded_variables({"USER": "a", "OMP_SCHEDULE": "static"}) == {"OMP_SCHEDULE": "static"}


def test_variables_of_others_are_not_mentioned_and_the_order_is_by_name() -> None:
    others = {"PATH": "1", "AWS_SECRET": "2", "HOSTNAME": "3", "MY_OMP_X": "4"}
    told = recorded_variables(PERSON | others | {"OMP_B": "1", "MKL_A": "2"})
    assert list(told.items()) == [("MKL_A", "2"), ("OMP_B", "1")]


def test_preloaded_libraries_are_told_without_their_folders() -> None:
    variables = PERSON | {"LD_PRELOAD": "/home/ada/lib/libjemalloc.so.2:/usr/lib/libgomp.so.1 libmine-ada.so"}
    assert preloaded_libraries(variables) == ["libjemalloc.so.2", "libgomp.so.1", WITHHELD]
    assert preloaded_libraries(PERSON) == []


def test_private_names_are_those_of_host_home_and_user() -> None:
    assert private_names(PERSON) == {"node-7.lab.example", "node-7", "ada", "ada.l"}
    assert private_names({}) == {"node-7.lab.example", "node-7"}
