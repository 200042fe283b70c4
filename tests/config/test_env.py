"""Reading the environment: what is right is typed, what is wrong stops the start."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


def test_a_variable_that_is_not_set_gives_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X", raising=False)
    assert env.envbool("X", default=True) is True
    assert env.envint("X", 7) == 7
    assert env.envlist("X", "a, b") == ["a", "b"]


@pytest.mark.parametrize(("word", "means"), [("yes", True), ("1", True), ("Off", False)])
def test_yes_and_no_are_understood_in_several_words(
    monkeypatch: pytest.MonkeyPatch, word: str, means: bool
) -> None:
    monkeypatch.setenv("X", word)
    assert env.envbool("X") is means


def test_a_word_that_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "maybe")
    with pytest.raises(ImproperlyConfigured, match=r"X is 'maybe'; write yes or no\."):
        env.envbool("X")


@pytest.mark.parametrize(("word", "sentence"), [("ten", "whole number"), ("0", "least")])
def test_a_number_that_is_none_or_too_small_is_refused(
    monkeypatch: pytest.MonkeyPatch, word: str, sentence: str
) -> None:
    monkeypatch.setenv("X", word)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        env.envint("X", 5, least=1)


def test_a_word_outside_the_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "cpu,gpu")
    with pytest.raises(ImproperlyConfigured, match="it knows cpu, generative"):
        env.envlist("X", among=("cpu", "generative"))


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hush\n")
    monkeypatch.setenv("X_FILE", str(tmp_path / "key"))
    assert env.envsecret("X") == "hush"


def test_a_secret_whose_file_is_missing_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("X_FILE", str(tmp_path / "none"))
    with pytest.raises(ImproperlyConfigured, match="X_FILE cannot be read"):
        env.envsecret("X")


def test_the_kept_secret_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    first = env.kept_secret(tmp_path / "secret-key")
    assert len(first) > 40
    assert env.kept_secret(tmp_path / "secret-key") == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["secret-key"]


def test_an_address_of_postgres_is_taken_apart() -> None:
    found = env.database("X", "postgres://vera:p%40ss@db.example:5433/photos?sslmode=require")
    wanted = {"NAME": "photos", "USER": "vera", "PASSWORD": "p@ss", "HOST": "db.example"}
    assert wanted.items() <= found.items()
    assert (found["PORT"], found["OPTIONS"]["sslmode"]) == ("5433", "require")


def test_what_the_address_says_of_the_link_comes_before_what_we_would_say() -> None:
    plain = env.database("X", "postgres://db/photos")
    assert "idle_in_transaction_session_timeout" in plain["OPTIONS"]["options"]
    pooled = env.database("X", "postgres://db/photos?options=&connect_timeout=3")
    assert (pooled["OPTIONS"]["options"], pooled["OPTIONS"]["connect_timeout"]) == ("", "3")


def test_sqlite_waits_for_its_turn_instead_of_failing() -> None:
    found = env.database("X", "sqlite:////data/photos.sqlite3")
    assert found["NAME"] == "/data/photos.sqlite3"
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://a/b",
        "postgres://host",
        "postgres:host/photos",
        "sqlite://",
        "sqlite://var/photos.sqlite3",
        "sqlite:/var/photos.sqlite3",
        "photos",
    ],
)
def test_another_database_is_refused_by_name(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="X must be sqlite:///FILE or postgres://"):
        env.database("X", url)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://vera:p#ss@db/photos",
        "postgres://vera:p/ss@db/photos",
        "postgres://vera:12/ss@db/photos",
        "postgres://vera:p?ss@db/photos",
        "postgres://vera:p[ss@db/photos",
    ],
)
def test_a_password_that_breaks_its_address_is_told_how_to_be_written(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="percent-encode") as told:
        env.database("X", url)
    assert "ss@" not in str(told.value)


def test_a_folder_of_sqlite_may_have_a_sign_in_its_name() -> None:
    assert env.database("X", "sqlite:////data/a@b/photos")["NAME"] == "/data/a@b/photos"


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("console://", 0),
        ("smtp://mail", 25),
        ("smtp+tls://vera:p%23ss@mail", 587),
        ("smtps://mail", 465),
        ("smtps://mail:2465", 2465),
    ],
)
def test_a_mail_server_is_asked_at_the_port_of_its_kind(url: str, port: int) -> None:
    assert env.mail_server("X", url)[1] == port


@pytest.mark.parametrize(
    "url",
    ["smtp+starttls://vera:hush@mail", "smtp://", "smtps://vera:hush@", "mail:25", "console", ""],
)
def test_a_mail_server_of_an_unknown_kind_or_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"X must be smtp\+tls://, smtps://") as told:
        env.mail_server("X", url)
    assert "hush" not in str(told.value)


@pytest.mark.parametrize("url", ["", "redis://r:6379/0", "rediss://:p@r", "unix:///run/r.sock"])
def test_an_address_of_a_cache_is_taken(url: str) -> None:
    assert env.cache_server("X", url) == url


@pytest.mark.parametrize("url", ["redis://", "redis:///0", "reds://r", "r:6379", "unix://"])
def test_another_cache_or_one_without_a_host_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="X must be redis://HOST:PORT/0"):
        env.cache_server("X", url)


@pytest.mark.parametrize("url", ["s3.org", "s3.org:9000", "ftp://s3.org", "https://", "http://s:x"])
def test_an_address_of_the_web_is_whole_or_refused(url: str) -> None:
    assert env.web_address("X", "", "https://s3.org") == ""
    assert env.web_address("X", "http://[::1]:9000/x", "https://s3.org") == "http://[::1]:9000/x"
    with pytest.raises(ImproperlyConfigured, match=r"X is '.*'; write it as https://s3\.org"):
        env.web_address("X", url, "https://s3.org")


@pytest.mark.parametrize("mailbox", ["photos@example.org", "first.last+x@mail-1.intern", "a@host"])
def test_an_address_of_a_mailbox_is_taken(monkeypatch: pytest.MonkeyPatch, mailbox: str) -> None:
    monkeypatch.setenv("X", mailbox)
    assert env.envmail("X", "") == mailbox
    monkeypatch.setenv("X", f"Photos <{mailbox}>")
    assert env.envmail("X", "", named=True) == f"Photos <{mailbox}>"
    monkeypatch.setenv("X", "")
    assert env.envmail("X", "steward@photos") == "steward@photos"


@pytest.mark.parametrize(
    "mailbox", ["nobody", "@example.org", "a@", "a b@c.org", "a@b..org", "a@b,org", "A <a@b.org>"]
)
def test_what_is_no_mailbox_is_refused(monkeypatch: pytest.MonkeyPatch, mailbox: str) -> None:
    monkeypatch.setenv("X", mailbox)
    with pytest.raises(ImproperlyConfigured, match=r"X is '.*'; write it as photos@example\.org"):
        env.envmail("X", "")


@pytest.mark.parametrize("folder", ["/proc/nope", "file"])
def test_a_folder_that_cannot_be_made_is_refused_by_the_name_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "file").touch(mode=0o400)
    monkeypatch.setenv("X", str(tmp_path / folder))
    with pytest.raises(ImproperlyConfigured, match=r"^X is '.*', and it cannot be made"):
        env.envfolder("X", tmp_path)


@pytest.mark.parametrize(
    ("zone", "sentence"),
    [
        ("Berlin", "'Berlin', which is no time zone; write it as Europe/Berlin"),
        ("Asia", "write it as Asia/Shanghai or UTC"),
        ("/etc/passwd", "write it as Asia/Shanghai or UTC"),
    ],
)
def test_a_time_zone_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, zone: str, sentence: str
) -> None:
    monkeypatch.setenv("X", zone)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        env.envzone("X", "UTC")
