"""Hosts of a made-up network on one machine: a network namespace each, joined by a virtual cable. Needs root.

A host has its own address, its own name, and can be told which folders it must not see. Whatever runs on
it can be killed at once, as if its plug were pulled.
"""

import contextlib
import itertools
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COUNT = itertools.count()


@dataclass(frozen=True, slots=True)
class Host:
    """One namespace.

    Attributes:
        hidden: Folders that are empty to what is started here.
    """

    name: str
    address: str
    hidden: Sequence[Path] = ()

    def start(
        self, command: Sequence[str | Path], environment: Mapping[str, str], **options: Any
    ) -> subprocess.Popen[bytes]:
        """Begin a command; it has this host's name, network and folders."""
        hide = [f"mount -t tmpfs none {shlex.quote(str(folder))}" for folder in self.hidden]
        shell = " && ".join([f"hostname {self.name}", *hide, 'exec "$@"'])
        inside = ["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", shell, "sh", *command]
        # not in the folder of the tests: Python and Ray look there for packages first
        return subprocess.Popen(inside, env=dict(environment), cwd="/", **options)

    def run(
        self, command: Sequence[str | Path], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """A command with what it printed, once it has ended."""
        process = self.start(command, environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, errors = process.communicate(timeout=300)
        return subprocess.CompletedProcess(command, process.returncode, output.decode(), errors.decode())

    def processes(self) -> list[int]:
        """Everything that runs here."""
        listed = subprocess.run(
            ["ip", "netns", "pids", self.name], capture_output=True, text=True, check=True
        )
        return [int(pid) for pid in listed.stdout.split()]

    def kill(self) -> None:
        """Everything that runs here is gone when this returns."""
        while pids := self.processes():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


@contextmanager
def two_hosts(hidden: Sequence[Path] = ()) -> Iterator[tuple[Host, Host]]:
    """Two hosts that reach each other and nothing else; folders can be hidden from the second."""
    stem = f"bench{os.getpid()}x{next(_COUNT)}"
    first = Host(f"{stem}a", "10.77.0.1")
    second = Host(f"{stem}b", "10.77.0.2", hidden)
    try:
        for host in (first, second):
            _ip("netns", "add", host.name)
        _ip("link", "add", "eth0", "netns", first.name, "type", "veth", "peer", "eth0", "netns", second.name)
        for host in (first, second):
            _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                _ip("-n", host.name, "link", "set", link, "up")
        yield first, second
    finally:
        for host in (first, second):
            if Path("/run/netns", host.name).exists():
                host.kill()
                _ip("netns", "delete", host.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
