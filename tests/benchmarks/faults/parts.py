"""The parts that the faults strike: a PostgreSQL cluster and brokers of our own, never others'."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import redis

from tests.services import addresses, brokers

POSTGRES_BINARIES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/bin")
GATE = 4242  # the advisory lock that holds whoever reaches an armed stage

# Holds the transaction of a worker that reaches an armed stage, as if its time stood still there.
GATES = f"""
CREATE TABLE fault_gate (stage text PRIMARY KEY);
CREATE FUNCTION fault_wait(reached text) RETURNS void AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM fault_gate WHERE stage = reached) THEN
    PERFORM pg_advisory_xact_lock_shared({GATE});
  END IF;
END $$ LANGUAGE plpgsql;
CREATE FUNCTION fault_job() RETURNS trigger AS $$
BEGIN
  IF NEW.state <> OLD.state AND NEW.kind = 'restore' THEN
    PERFORM fault_wait('to ' || NEW.state);
  ELSIF NEW.step <> OLD.step THEN
    PERFORM fault_wait(NEW.step);
  END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE FUNCTION fault_photo() RETURNS trigger AS $$
BEGIN
  IF NEW.state = 'ready' AND OLD.state = 'reading' THEN
    PERFORM fault_wait('settle');
  ELSIF NEW.reading_since IS NOT NULL AND OLD.reading_since IS NULL THEN
    PERFORM fault_wait('take up');
  END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER fault_job BEFORE UPDATE ON restoration_job
  FOR EACH ROW EXECUTE FUNCTION fault_job();
CREATE TRIGGER fault_photo BEFORE UPDATE ON archive_photo
  FOR EACH ROW EXECUTE FUNCTION fault_photo();
"""


class Cluster:
    """A PostgreSQL cluster in a folder of our own, which may really be stopped."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.url = f"postgres://{self.owner}@127.0.0.1:{port}/postgres"

    def make(self) -> None:
        """Make it and start it."""
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.owner)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", self.owner, "--no-sync", "-E", "UTF8")
        settings = [
            f"port = {self.port}",
            "listen_addresses = '127.0.0.1'",
            f"unix_socket_directories = '{self.folder}'",
            "shared_buffers = 64MB",
            "fsync = off",  # the machine under it is not what fails here
        ]
        conf = self.folder / "data" / "postgresql.conf"
        conf.write_text(conf.read_text() + "\n".join(settings) + "\n")
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"),
                  "-w", "-t", "60", "start")  # fmt: skip

    def stop(self, how: str = "immediate") -> None:
        """Stop it: `immediate` is a crash, from which it recovers at the next start."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", how, "-w", "stop")

    def ask(self, question: str) -> list[tuple[object, ...]]:
        """Run one statement on a link of its own; return the rows, if any."""
        link = psycopg2.connect(self.url)
        try:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute(question)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            link.close()

    def cut_links(self) -> None:
        """End every link but our own, as a failover does."""
        self.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    def _run(self, program: str, *words: str) -> None:
        command = [_binary(program), *words]
        if os.geteuid() == 0:
            command = ["runuser", "-u", self.owner, "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, timeout=120)


def _binary(program: str) -> str:
    found = shutil.which(program)
    for pattern in POSTGRES_BINARIES:
        root = Path(pattern[0])
        found = found or next(map(str, sorted(root.glob(f"{pattern[1:]}/{program}"))), None)
    if found is None:
        raise FileNotFoundError(f"{program} of PostgreSQL is not on this machine")
    return found


@contextlib.contextmanager
def armed(cluster: Cluster, stage: str) -> Iterator[Callable[[float], int | None]]:
    """Arm a stage; lend a function that waits for a worker to stand there.

    It gives the port of that worker's link to the database, or None when nobody came in time.
    Whoever stands there goes on when the block ends.
    """
    link = psycopg2.connect(cluster.url)
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [GATE])
        cursor.execute("INSERT INTO fault_gate VALUES (%s)", [stage])

        def somebody(seconds: float) -> int | None:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                cursor.execute(
                    "SELECT client_port FROM pg_stat_activity JOIN pg_locks USING (pid) "
                    "WHERE locktype = 'advisory' AND NOT granted LIMIT 1"
                )
                row = cursor.fetchone()
                if row:
                    return int(row[0])
                time.sleep(0.02)
            return None

        try:
            yield somebody
        finally:
            cursor.execute("DELETE FROM fault_gate")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [GATE])
    link.close()


class RedisBroker:
    """A Redis server of our own."""

    name = "redis"

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"redis://127.0.0.1:{port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        words = ["--port", str(self.port), "--save", "", "--appendonly", "no"]
        command = ["redis-server", *words, "--dir", str(self.folder)]
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(redis.ConnectionError):
                self._client().ping()
                return
            time.sleep(0.1)
        raise AssertionError("Redis does not answer")

    def stop(self) -> None:
        """Kill it; what it held is gone."""
        self._server.kill()
        self._server.wait()

    def flush(self) -> None:
        """Forget every message."""
        self._client().flushall()

    def cut_links(self) -> None:
        """Close every client's connection."""
        client = self._client()
        for each in client.client_list():
            with contextlib.suppress(redis.ResponseError):
                client.client_kill_filter(_id=each["id"], skipme=True)

    def _client(self) -> redis.Redis:
        return redis.Redis(port=self.port)


class RabbitBroker:
    """A virtual host of our own in the RabbitMQ server, which is never stopped itself."""

    name = "rabbitmq"

    def __init__(self, folder: Path, port: int) -> None:
        self.vhost = f"rekindle-faults-{port}"
        self.url = f"{addresses.rabbitmq()}/{self.vhost}"

    def start(self) -> None:
        """Make the virtual host, empty."""
        with contextlib.suppress(subprocess.CalledProcessError):
            brokers.rabbitmqctl("delete_vhost", self.vhost)
        brokers.rabbitmqctl("add_vhost", self.vhost)
        brokers.rabbitmqctl("set_permissions", "-p", self.vhost, "guest", ".*", ".*", ".*")

    def stop(self) -> None:
        """Delete it: every link is closed, every queue and message is gone, nobody gets in."""
        brokers.rabbitmqctl("delete_vhost", self.vhost)

    def flush(self) -> None:
        """Forget every message."""
        for queue in ("cpu", "batch"):
            with contextlib.suppress(subprocess.CalledProcessError):
                brokers.rabbitmqctl("purge_queue", "-p", self.vhost, queue)

    def cut_links(self) -> None:
        """Close every client's connection."""
        brokers.rabbitmqctl("close_all_connections", "--vhost", self.vhost, "a fault")


BROKERS = {"redis": RedisBroker, "rabbitmq": RabbitBroker}
