"""Where studies are kept: any storage of Optuna, by its URL. A password in it is shown to nobody.

sqlite:///study.db   postgresql://me@host/db   mysql+pymysql://me@host/db   journal:///path/of/a/file
"""

import json
import secrets
import time
import warnings
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, ProgrammingError, SQLAlchemyError

from msanet_bench.errors import BenchError, ResultsError
from msanet_bench.records import replace_text
from msanet_bench.search.sqlite import without_waiting

VARIABLE = "MSANET_BENCH_STORAGE"
# a server that does not answer is away; without this a sweep would wait for minutes
CONNECT_SECONDS = 10

# a clash over a table means that the other has just made it: Optuna has twelve
_MAKING_SECONDS = [0.05 * 1.3**number for number in range(15)]

_REFUSALS = (SQLAlchemyError, optuna.exceptions.OptunaError, OSError, json.JSONDecodeError)
_FILE = "journal"
# of libpq, of the drivers of MySQL, and the whole connection string of ODBC, which may hold one
_SECRET_OPTIONS = {"password", "passwd", "sslpassword", "ssl_key_password", "odbc_connect"}


class StorageLost(ResultsError):
    """A storage does not do what it is asked."""


def chosen_storage(option: str | None, environment: MutableMapping[str, str]) -> str | None:
    """What `--storage` or the environment asks for; the variable is taken out, so that no child has it.

    Raises:
        BenchError: it is no URL, or one with a password on the command line, which every user of the
            machine can read there.
    """
    from_environment = environment.pop(VARIABLE, None)
    if option is None:
        return _checked(VARIABLE, from_environment) if from_environment else None
    if _passwords(_checked("--storage", option)):
        raise BenchError(
            "--storage: a command line is seen by all users of the machine, so it may hold no password. "
            f"Give the URL in the environment variable {VARIABLE}, or the password in the driver's own file "
            "(~/.pgpass, ~/.my.cnf)."
        )
    return option


def storage_url(folder: Path) -> str:
    """The storage of a results folder by itself: one SQLite file."""
    return f"sqlite:///{(folder / 'study.db').resolve()}"


def study_name(experiment: str, folder: Path, storage: str | None) -> str:
    """What a folder's studies are called; where others keep theirs in the same place, it tells them apart."""
    return experiment if storage is None else f"{experiment}-{_folder_id(folder)}"


def open_storage(url: str, *, create: bool = True) -> BaseStorage:
    """Optuna's storage of a URL; without `create`, one that nothing is written to.

    Raises:
        StorageLost: the server is away, the driver is missing, or the storage refuses.
    """
    with telling(url):
        if make_url(url).drivername == _FILE:
            path = Path(str(make_url(url).database))
            if not create:
                path.stat()  # Optuna would make it
            return JournalStorage(JournalFileBackend(str(path)))
        return _database(url, create=create)


@contextmanager
def telling(url: str) -> Iterator[None]:
    """Make whatever a storage refuses one message of ours without its password.

    Raises:
        StorageLost: it refused.
    """
    try:
        yield
    except ImportError as error:
        driver = make_url(url).drivername
        raise StorageLost(f"{shown(url)}: needs the Python driver of {driver}: install it.") from error
    except _REFUSALS as error:
        # from None: the driver's own error could show the password in a traceback
        raise StorageLost(f"{shown(url)}: cannot be used ({_reason(error, url)}). {_way_out(url)}") from None


def name_objectives(study: optuna.Study, names: Sequence[str]) -> None:
    """Give a study's objectives names, which a dashboard shows."""
    if study.metric_names != list(names):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names(list(names))


def shown(url: str) -> str:
    """The URL as it may be seen: without passwords and options."""
    return make_url(url).set(query={}).render_as_string(hide_password=True)


def _checked(source: str, text: str) -> str:
    """The text itself; it is not quoted when it is refused, since what is broken in it may be a password."""
    try:
        url = make_url(text)
        if url.drivername != _FILE:
            url.get_dialect()
    except (SQLAlchemyError, ValueError) as error:
        raise BenchError(
            f"{source}: must be a URL such as sqlite:///study.db, postgresql://me@host/db, "
            "mysql+pymysql://me@host/db or journal:///path/of/a/file."
        ) from error
    if text.partition("?")[0].count("@") > 1:
        raise BenchError(f"{source}: an @ within a name or a password must be written as %40.")
    if url.drivername == _FILE and not url.database:
        raise BenchError(f"{source}: must name a file: journal:///path/of/a/file.")
    return text


def _passwords(text: str) -> list[str]:
    """Every secret of a URL: the password, and options that hold one."""
    url: URL = make_url(text)
    options = [str(value) for name, value in url.query.items() if name.lower() in _SECRET_OPTIONS]
    return [word for word in (str(url.password or ""), *options) if word]


def _database(url: str, *, create: bool) -> RDBStorage:
    """Optuna's tables of a server or a file; two sweeps that find none make them in turns, table by table."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql" and "connect_timeout" not in parsed.query:
        timed = parsed.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
        url = timed.render_as_string(hide_password=False)
    for pause in _MAKING_SECONDS:
        with suppress(IntegrityError, ProgrammingError):
            return _engine(url, create=create)
        time.sleep(pause)
    return _engine(url, create=create)


def _engine(url: str, *, create: bool) -> RDBStorage:
    # a cell may take hours, and a connection that rests so long may be cut: it is tried before it is used
    options = {"pool_pre_ping": True, **without_waiting(url)}
    return RDBStorage(url, options, skip_table_creation=not create, skip_compatibility_check=not create)


def _reason(error: BaseException, url: str) -> str:
    """The driver's own words where there are some."""
    cause = error.__cause__ if isinstance(error.__cause__, SQLAlchemyError) else error
    text = (str(getattr(cause, "orig", None) or cause).splitlines() or [type(cause).__name__])[0]
    for secret in _passwords(url):
        for form in {secret, quote(secret), quote_plus(secret)}:
            text = text.replace(form, "***")
    return text


def _way_out(url: str) -> str:
    if make_url(url).get_backend_name() in {"sqlite", _FILE}:
        return "It is Optuna's view of the sweep and no more: mend that, or delete it and run again."
    return "Nothing is lost, the journal has every cell that ended: run again when it is back."


def _folder_id(folder: Path) -> str:
    """Eight digits of chance that stay with a results folder; a copy of it draws its own."""
    path, inode = folder / "study_id", folder.stat().st_ino
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["folder"] == inode:
            return str(known["id"])
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{path}: not the id of a study. Delete it: a new one is drawn.") from error
    drawn = secrets.token_hex(4)
    replace_text(path, json.dumps({"id": drawn, "folder": inode}) + "\n")
    return drawn
