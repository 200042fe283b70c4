"""A PostgreSQL cluster of our own, and the gates in it that hold a worker at a stage."""

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

POSTGRES_BINARIES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/bin")
GATE = 4242  # the advisory lock that holds whoever reaches an armed stage

# Made when the tables are there and before any program has a link.
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
-- The product asks the database for the time; before pg_catalog's answer it finds this one.
CREATE TABLE fault_clock AS SELECT interval '0' AS wrong;
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
  'SELECT pg_catalog.clock_timestamp() + wrong FROM public.fault_clock';
ALTER DATABASE postgres SET search_path = public, pg_catalog;
CREATE FUNCTION fault_version() RETURNS trigger AS $$
BEGIN
  PERFORM fault_wait('commit');
  RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER fault_job BEFORE UPDATE ON restoration_job
  FOR EACH ROW EXECUTE FUNCTION fault_job();
CREATE TRIGGER fault_photo BEFORE UPDATE ON archive_photo
  FOR EACH ROW EXECUTE FUNCTION fault_photo();
-- Deferred: it stands in the COMMIT itself, behind every other write.
CREATE CONSTRAINT TRIGGER fault_version AFTER INSERT ON restoration_version
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.kind <> 'scan') EXECUTE FUNCTION fault_version();
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

    def cut_links(self) -> int:
        """End every link but our own, as a failover does; how many there were."""
        ended = self.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return len(ended)

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
