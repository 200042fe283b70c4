"""Where the tests look for real parts; each can be told otherwise by a REKINDLE_TEST_ variable."""

import getpass
import os


def postgres() -> str:
    """A server where this user may make databases; its `postgres` database is only connected to."""
    return os.environ.get(
        "REKINDLE_TEST_POSTGRES_URL", f"postgres://{getpass.getuser()}@127.0.0.1:5432/postgres"
    )


def redis() -> str:
    """A server whose databases 13 to 15 may be emptied."""
    return os.environ.get("REKINDLE_TEST_REDIS_URL", "redis://127.0.0.1:6379")


def rabbitmq() -> str:
    """A broker; each test gets a virtual host of its own from rabbitmqctl."""
    return os.environ.get("REKINDLE_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672")


def s3() -> str:
    """An S3 service with the keys of tests/services/swift_server.py."""
    return os.environ.get("REKINDLE_TEST_S3_ENDPOINT", "http://127.0.0.1:5060")
