"""Whether an error says that there was no memory left."""

import torch

# torch has no class for an out-of-memory of the host, and a RuntimeError can be anything
_CPU_ALLOCATOR = "[enforce fail", "DefaultCPUAllocator: can't allocate memory"


def is_out_of_memory(error: BaseException) -> bool:
    """True of what a device, torch's CPU allocator or Python raises, and of no other RuntimeError."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    begin, complaint = _CPU_ALLOCATOR
    message = str(error).partition("\n")[0]
    return isinstance(error, RuntimeError) and message.startswith(begin) and complaint in message
