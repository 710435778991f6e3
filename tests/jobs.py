"""Jobs that nobody runs, for tests of those who hand them out."""

from pathlib import Path

from msanet_bench.cell import Job
from msanet_bench.overlay import Settings
from msanet_bench.plan import baseline_settings
from msanet_bench.spec import Experiment

SETTINGS: Settings = baseline_settings(Experiment(name="loop", delta="1 pp", seeds=(0,)))


def job(name: str) -> Job:
    return Job(
        key=name,
        variant=name,
        factors={},
        settings=SETTINGS,
        seed=0,
        data_digest="",
        code="",
        costs={},
        data_root=Path(),
        plugins=(),
        plugin_folder=Path(),
        device="cpu",
        threads=1,
    )
