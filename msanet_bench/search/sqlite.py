"""SQLite without waiting for the disk."""

import sqlite3
from functools import partial
from typing import Any

from sqlalchemy.engine import make_url


def without_waiting(url: str) -> dict[str, Any]:
    """Options of an SQLAlchemy engine with which a commit to an SQLite file waits for no disk; else none.

    A study is a view of the journal, and a process that is killed loses nothing that it has handed to the
    kernel. When the machine itself stops, the file may be damaged: it can be deleted and is made again.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.query:
        return {}
    return {"creator": partial(_connection, parsed.database)}


def _connection(file: str) -> sqlite3.Connection:
    # SQLAlchemy's pool hands a connection to one thread at a time
    connection = sqlite3.connect(file, check_same_thread=False)
    connection.execute("PRAGMA synchronous = OFF")
    return connection
