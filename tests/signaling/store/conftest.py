"""Both databases, empty and migrated, one for each test."""

import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.fakes.postgres import Postgres
from tests.signaling.store.database import Direct, DirectPostgres, DirectSqlite

OpenStore = Callable[[], Awaitable[DatabaseStore]]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One cluster for all tests."""
    # Nothing here outlives the machine, and each test makes and drops a database.
    with Postgres(fsync="off", full_page_writes="off") as cluster:
        yield cluster


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file: copying it is quicker than migrating each."""
    path = tmp_path_factory.mktemp("template") / "wephone.db"
    await (await open_store(f"sqlite:///{path}")).close()
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_template(postgres: Postgres) -> str:
    """A migrated, empty database."""
    postgres.sql("CREATE DATABASE template_of_ours")
    await (await open_store(postgres.url("template_of_ours"))).close()
    return "template_of_ours"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where an empty database of this kind is."""
    yield from new_database(request, request.param)


def new_database(request: pytest.FixtureRequest, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        folder: Path = request.getfixturevalue("tmp_path")
        path = folder / f"wephone{next(_numbers)}.db"
        shutil.copy(template, path)
        yield f"sqlite:///{path}"
    else:
        cluster: Postgres = request.getfixturevalue("postgres")
        name = f"test_{next(_numbers)}"
        cluster.sql(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgres_template')}")
        yield cluster.url(name)
        cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def direct(url: str, request: pytest.FixtureRequest) -> Direct:
    """That database, past the store."""
    if url.startswith("sqlite"):
        return DirectSqlite(Path(url.removeprefix("sqlite:///")))
    return DirectPostgres(request.getfixturevalue("postgres"), url.split("///")[1].split("?")[0])


@pytest.fixture
async def store(url: str) -> AsyncIterator[DatabaseStore]:
    """The store on that database."""
    opened = await open_store(url)
    yield opened
    await opened.close()
