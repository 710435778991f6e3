"""A Ray cluster of two hosts, and the command that sweeps on it."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msanet_bench
from namespaces import Host, two_hosts

_PORT = 6379


def environment(package: Path = Path(msanet_bench.__file__).parent.parent) -> dict[str, str]:
    """What commands of a cluster share, a token of its own included; `package` is whose code they run."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return {**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1", **token}


@contextmanager
def ray_cluster(
    shared: Mapping[str, str], *, second: Mapping[str, str] | None = None, hidden: Sequence[Path] = ()
) -> Iterator[tuple[Host, Host]]:
    """Two hosts with room for one cell each; the first is the head, and the second sees no hidden folder."""
    common = ("--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats")
    # the paths of Ray's sockets must not be longer than 107 characters
    with TemporaryDirectory(prefix="ray", dir="/tmp") as folder, two_hosts(hidden) as (head, other):
        place = ("--head", f"--port={_PORT}", "--include-dashboard=false", f"--temp-dir={folder}")
        _start(head, shared, *place, *common)
        _start(other, second or shared, f"--address={head.address}:{_PORT}", *common)
        yield head, other


def sweep_command(experiment: Path, results: str, *options: str | Path) -> list[str | Path]:
    """A sweep of which every file stays beside the experiment."""
    folder = experiment.parent
    places = ("--results", folder / results, "--reports", folder / f"{results}_report")
    return [sys.executable, "-m", "msanet_bench", "sweep", experiment, *places, *options]


def on_cluster(head: Host, experiment: Path, *options: str | Path) -> list[str | Path]:
    """The same on a cluster, with results in `ray`."""
    address = ("--executor", "ray", "--ray-address", f"{head.address}:{_PORT}")
    return sweep_command(experiment, "ray", *address, *options)


def quiet_records(experiment: Path, *options: str | Path) -> bytes:
    """The records of a sweep on this machine alone that nobody disturbs."""
    command = sweep_command(experiment, "quiet", "--workers", "2", *options)
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return (experiment.parent / "quiet" / "records.jsonl").read_bytes()


def _start(host: Host, variables: Mapping[str, str], *options: str) -> None:
    ran = host.run(["ray", "start", f"--node-ip-address={host.address}", *options], variables)
    assert ran.returncode == 0, ran.stderr
