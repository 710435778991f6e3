"""How long the contract takes for every registered block, one after the other in this process.

    python tests/benchmarks/contract.py

The promise is 60 s for all of them, with one thread; the load of the machine is printed beside it. Entries of
families (`timm:NAME`) are not registered by name and not among them.
"""

import os
import sys
import time

import torch

from msanet_bench.model.catalogue import SLOTS
from msanet_bench.testing import check_block

LIMIT_SECONDS = 60


def main() -> None:
    torch.set_num_threads(1)
    clock = time.perf_counter()
    number = 0
    for slot, registry in SLOTS.items():
        for name in registry:
            begun = time.perf_counter()
            check_block(slot, name)
            number += 1
            print(f"{time.perf_counter() - begun:6.2f} s  {slot} {name}")
    seconds = time.perf_counter() - clock
    load = os.getloadavg()[0]
    print(f"{number} blocks keep the contract: {seconds:.1f} s of {LIMIT_SECONDS} (load {load:.1f})")
    if seconds > LIMIT_SECONDS:
        sys.exit(1)


if __name__ == "__main__":
    main()
