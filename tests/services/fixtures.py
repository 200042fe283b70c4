"""Fixtures over the real parts; each leaves the test out where its part is missing (need.py)."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from config import settings as written
from tests.services import addresses, brokers, buckets, databases, lines, processes
from tests.services.need import chromium, need
from tests.services.shared import Shared

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Small machines have little shared memory, and nothing here may phone home.
CHROMIUM_WORDS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Shared:
    """What all workers of this run use together."""
    own = tmp_path_factory.getbasetemp()
    return Shared(own if worker_id == "master" else own.parent)


# --- databases -----------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def migrated_sqlite(shared: Shared) -> str:
    """The address of a SQLite database with all tables and no rows; copy it, do not use it."""
    path = shared.once("empty.sqlite3", lambda path: databases.migrate(f"sqlite:///{path}"))
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def migrated_postgres(shared: Shared) -> Iterator[str]:
    """The address of a PostgreSQL database with all tables and no rows; copy it, do not use it."""
    need("postgres")

    def migrated() -> str:
        url = databases.create_postgres()
        databases.migrate(url)
        return url

    with shared.lent("postgres", migrated, databases.drop_postgres) as url:
        yield url


@pytest.fixture
def sqlite_url(migrated_sqlite: str, tmp_path: Path) -> str:
    """The address of a fresh SQLite database."""
    return databases.sqlite_database(tmp_path, migrated_sqlite)


@pytest.fixture
def postgres_url(migrated_postgres: str) -> Iterator[str]:
    """The address of a fresh PostgreSQL database."""
    with databases.postgres_database(template=migrated_postgres) as url:
        yield url


@pytest.fixture
def on_postgres(postgres_url: str, django_db_blocker: Any) -> Iterator[str]:
    """The test's own rows, of all its threads, are in a fresh PostgreSQL database.

    Instead of pytest-django's `db`, never beside it: what is committed here is really committed.
    """
    with django_db_blocker.unblock(), databases.rows_in(postgres_url):
        yield postgres_url


@pytest.fixture
def on_sqlite_file(sqlite_url: str, django_db_blocker: Any) -> Iterator[str]:
    """The test's own rows are in a fresh SQLite file that a worker can open too."""
    with django_db_blocker.unblock(), databases.rows_in(sqlite_url):
        yield sqlite_url


# --- brokers -------------------------------------------------------------------------------------
@pytest.fixture
def redis_url() -> Iterator[str]:
    """The address of an empty Redis database."""
    need("redis")
    with brokers.redis_broker() as url:
        yield url


@pytest.fixture
def rabbitmq_url() -> Iterator[str]:
    """The address of an empty virtual host of RabbitMQ."""
    need("rabbitmq")
    with brokers.rabbitmq_broker() as url:
        yield url


# --- bytes ---------------------------------------------------------------------------------------
@pytest.fixture
def s3_bucket() -> Iterator[dict[str, str]]:
    """A new bucket on a real S3 service, as the environment that makes the product use it."""
    need("s3")
    with buckets.bucket(addresses.s3()) as environment:
        yield environment


@pytest.fixture
def bytes_in_s3(s3_bucket: dict[str, str], settings: Any) -> dict[str, str]:
    """This process keeps its bytes in a new bucket, with the options of the product's settings."""
    buckets.keep_bytes_in(s3_bucket, settings)
    return s3_bucket


@pytest.fixture
def bytes_in_folder(settings: Any, tmp_path: Path) -> Path:
    """This process keeps its bytes in a new folder."""
    folder = tmp_path / "bytes"
    folder.mkdir()
    place = written._FOLDER | {"OPTIONS": {"location": str(folder)}}
    settings.STORAGES = settings.STORAGES | {"default": place}
    return folder


@pytest.fixture(params=["folder", "bucket"])
def kept_bytes(request: pytest.FixtureRequest) -> str:
    """Bytes in a folder, and once more in a bucket; gives which."""
    name = {"folder": "bytes_in_folder", "bucket": "bytes_in_s3"}[request.param]
    request.getfixturevalue(name)
    return str(request.param)


@pytest.fixture
def bad_line(s3_bucket: dict[str, str], settings: Any) -> Iterator[lines.BadLine]:
    """Bytes in a bucket, over a line to it that can be made slow, be cut or refuse."""
    with lines.bad_line(s3_bucket["REKINDLE_S3_ENDPOINT"]) as line:
        buckets.keep_bytes_in(s3_bucket | {"REKINDLE_S3_ENDPOINT": line.url}, settings)
        yield line


# --- programs ------------------------------------------------------------------------------------
@pytest.fixture
def running_worker(tmp_path: Path) -> Iterator[Callable[..., processes.Process]]:
    """Starts workers: `running_worker(database_url=..., broker_url=..., kind="cpu", **env)`.

    Each shares `tmp_path` as its var folder; send it messages inside
    `brokers.bells_through(broker_url, tmp_path)`.
    """
    with contextlib.ExitStack() as ends:

        def begin(
            *,
            database_url: str,
            broker_url: str = "fsatomic://localhost",
            kind: str = "cpu",
            **environment: str,
        ) -> processes.Process:
            where = {"REKINDLE_DATABASE_URL": database_url, "REKINDLE_BROKER_URL": broker_url}
            worker = processes.start_worker(tmp_path, where | environment, kind=kind)
            ends.callback(worker.kill)
            return worker

        yield begin


@pytest.fixture(scope="session")
def collected_static(shared: Shared) -> Path:
    """A folder with the static files as they are served for real, for the sites to share."""
    words = ("collectstatic", "--no-input", "--verbosity", "0")
    return shared.once(
        "static", lambda path: databases.manage(*words, REKINDLE_STATIC_DIR=str(path))
    )


@pytest.fixture(scope="module")
def start_site(
    collected_static: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., processes.Site]]:
    """Starts sites: `start_site(database_url, broker_url, **env)`; they end with the module."""
    with contextlib.ExitStack() as ends:

        def begin(
            database_url: str, broker_url: str = "fsatomic://localhost", **environment: str
        ) -> processes.Site:
            folder = tmp_path_factory.mktemp("site")
            site = processes.start_site(
                folder,
                {
                    "REKINDLE_STATIC_DIR": str(collected_static),
                    "REKINDLE_DATABASE_URL": database_url,
                    "REKINDLE_BROKER_URL": broker_url,
                    **environment,
                },
            )
            ends.callback(shutil.rmtree, folder, ignore_errors=True)
            ends.callback(site.end)
            return site

        yield begin


SIZES = ["embedded", pytest.param("institution", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=SIZES)
def live_site(
    request: pytest.FixtureRequest, start_site: Callable[..., processes.Site], tmp_path_factory: Any
) -> Iterator[processes.Site]:
    """A running site without rows: SQLite and a folder, then PostgreSQL and RabbitMQ."""
    if request.param == "embedded":
        template = request.getfixturevalue("migrated_sqlite")
        folder = tmp_path_factory.mktemp("rows")
        yield start_site(databases.sqlite_database(folder, template))
        return
    need("rabbitmq")
    template = request.getfixturevalue("migrated_postgres")
    with databases.postgres_database(template) as rows, brokers.rabbitmq_broker() as bells:
        site = start_site(rows, bells)
        yield site
        site.end()


# --- the browser ---------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """The machine's Chromium, driven by Playwright."""
    need("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Browsers send nothing to ports that are known for other things, and 5060 is one of them.
        words = [*CHROMIUM_WORDS, f"--explicitly-allowed-ports={urlsplit(addresses.s3()).port}"]
        chrome = playwright.chromium.launch(executable_path=chromium(), args=words)
        yield chrome
        chrome.close()
