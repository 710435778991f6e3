"""optuna-dashboard on a sweep's study: on this machine only, and to look at only.

The study is a view of the journal and the coordinator its only writer, so every request that would change
it is refused.
"""

import errno
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from msanet_bench.errors import BenchError
from msanet_bench.search import open_storage, storage_url

HOST = "127.0.0.1"

Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_READING = {"GET", "HEAD"}


class DashboardServer(ThreadingMixIn, WSGIServer):
    """Answers until it is stopped; a request that hangs keeps nobody waiting."""

    daemon_threads = True


def open_dashboard(results: Path, storage: str | None, port: int) -> DashboardServer:
    """A server that listens on the loopback interface; port 0 takes any that is free.

    Raises:
        BenchError: optuna-dashboard is not installed, there is no study, the storage refuses, or the port
            is taken.
    """
    application = _dashboard(results, storage)
    try:
        server = make_server(HOST, port, _guarded(application), DashboardServer, _Quiet)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = "is taken" if taken else f"cannot be used ({error})"
        raise BenchError(f"--port: port {port} of {HOST} {reason}. Name another one.") from error
    return server


def serve(server: DashboardServer) -> None:
    """Answer until Ctrl-C."""
    with server, suppress(KeyboardInterrupt):
        server.serve_forever()


def _dashboard(results: Path, storage: str | None) -> Application:
    try:
        from optuna_dashboard import wsgi  # noqa: PLC0415 (an extra, which most do without)
    except ModuleNotFoundError as error:
        raise BenchError(
            f"dashboard: {error.name} is not installed. Run: pip install 'msanet-bench[dashboard]'"
        ) from error
    if storage is None and not (results / "study.db").is_file():
        raise BenchError(
            f"{results / 'study.db'}: there is no study yet. Run `msanet-bench sweep` first; of a sweep that "
            "keeps its study elsewhere, give the same --storage here."
        )
    application: Application = wsgi(open_storage(storage or storage_url(results), create=False))
    return application


def _guarded(application: Application) -> Application:
    """Only reads, and only of pages that are asked for by the name of this machine.

    A page from elsewhere could otherwise have its own name lead here and read the answers.
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = str(environ.get("HTTP_HOST", "")).partition(":")[0]
        if host not in {HOST, "localhost"}:
            return _refusal(start_response, f"ask for http://{HOST}")
        if environ["REQUEST_METHOD"] not in _READING:
            return _refusal(start_response, "this dashboard only shows: the sweep alone writes its study")
        return application(environ, start_response)

    return answer


def _refusal(start_response: Callable[..., Any], reason: str) -> list[bytes]:
    start_response("403 Forbidden", [("Content-Type", "application/json")])
    return [json.dumps({"reason": reason}).encode()]


class _Quiet(WSGIRequestHandler):
    """A line for each request would bury the address."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base class)
        """Say nothing."""
