"""What NVML, NVIDIA's management library, tells of one device: the only file that imports its module.

No question may end a session of measuring: what cannot be read is None, never 0, and `unread` says why.
The maintainers have no device: the tests have a fake with the names and values of nvidia-ml-py 13.615.71.
"""

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device, or a slice of one; where it could not be opened, every answer is None.

    Attributes:
        unread: Why a question had no answer, by the question; "nvml" where the device could not be opened.
    """

    nvml: Any
    handle: Any
    unread: dict[str, str] = field(default_factory=dict)


NO_GPU = Gpu(None, None)


@dataclass(frozen=True, slots=True)
class Foreign:
    """Processes of others that hold memory of the device; None where that cannot be told."""

    processes: int | None
    memory_bytes: int | None


def gpu_of(index: int) -> Gpu:
    """The device that torch numbers so: torch counts those in CUDA_VISIBLE_DEVICES, NVML counts all."""
    import torch  # noqa: PLC0415  # who only reads what was measured needs no torch

    return open_gpu(str(torch.cuda.get_device_properties(index).uuid))


def open_gpu(uuid: str) -> Gpu:
    """The device of a UUID, with NVML's prefix "GPU-" or "MIG-" or, as torch tells it, without."""
    try:
        import pynvml  # noqa: PLC0415  # optional: the extra `cuda`
    except ImportError:
        return Gpu(None, None, {"nvml": "nvidia-ml-py is not installed (pip install 'msanet-bench[cuda]')"})
    nvml: Any = pynvml
    try:
        nvml.nvmlInit()
        return Gpu(nvml, _handle(nvml, uuid))
    except nvml.NVMLError as error:
        return Gpu(nvml, None, {"nvml": str(error)})


def ask(gpu: Gpu, question: str, *arguments: object) -> Any:  # noqa: ANN401  # each function has its own type
    """The answer of one NVML function; None where the device has none, as slices and laptops often do."""
    return ask_system(gpu, question, gpu.handle, *arguments)


def ask_system(gpu: Gpu, question: str, *arguments: object) -> Any:  # noqa: ANN401  # as above
    """The same of a function that is not about a device, such as the driver's version."""
    if gpu.handle is None:
        return None
    try:
        return getattr(gpu.nvml, question)(*arguments)
    except (gpu.nvml.NVMLError, AttributeError) as error:  # AttributeError: a module too old for the question
        parts = (str(argument) for argument in arguments if argument is not gpu.handle)
        gpu.unread.setdefault(" ".join([question, *parts]), str(error))
        return None


def ask_newest(gpu: Gpu, *questions: str) -> Any:  # noqa: ANN401  # each function has its own type
    """The answer to the first question that has one: newer names first, for drivers of any age."""
    answers = (ask(gpu, question) for question in questions)
    return next((answer for answer in answers if answer is not None), None)


def foreign_processes(gpu: Gpu, *, own: frozenset[int] | None = None) -> Foreign:
    """Compute processes on the device beside this one, which must have worked on it already.

    In a container the driver may count processes as the host does. Then this process is among them under a
    number that it cannot know: the others are counted, but their memory is not told. Without any process in
    sight nothing is told. `own` holds the numbers that this process goes by; by default those of its threads
    too, since some drivers list the thread that made the context.
    """
    processes = ask_newest(
        gpu, "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"
    )
    if not processes:
        return Foreign(None, None)
    own = _own_numbers() if own is None else own
    others = [process for process in processes if process.pid not in own]
    if len(others) == len(processes):
        return Foreign(len(processes) - 1, 0 if len(processes) == 1 else None)
    memory = [process.usedGpuMemory for process in others]
    return Foreign(len(others), None if None in memory else sum(memory))


def _handle(nvml: Any, uuid: str) -> Any:  # noqa: ANN401  # the module has no types
    """NVML's handle of a device; the UUID that torch tells does not say whether it is that of a slice."""
    if uuid.startswith(("GPU-", "MIG-")):
        return nvml.nvmlDeviceGetHandleByUUID(uuid)
    with suppress(nvml.NVMLError_NotFound, nvml.NVMLError_InvalidArgument):
        return nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    return nvml.nvmlDeviceGetHandleByUUID(f"MIG-{uuid}")


def _own_numbers() -> frozenset[int]:
    threads = Path("/proc/self/task")
    numbers = (int(thread.name) for thread in threads.iterdir()) if threads.exists() else ()
    return frozenset({os.getpid(), *numbers})
