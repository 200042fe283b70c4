"""Which commit a program was taken from, and what to install to bring back a backup of another.

The version of the package stays the same from one `git pull` to the next, so it tells nobody what
to install. The commit stands behind it, as `0.1.0+COMMIT`: in a field that every program ever
written reads, so that older ones take newer backups and name the commit in their own sentences.
"""

from __future__ import annotations

import importlib.metadata
import subprocess

from django.conf import settings

# What `git log` is asked for where a backup names no commit.
MIGRATIONS = "'*/migrations/*'"
BACK = "go back (`git checkout -`) and update"
PATIENCE = 10  # seconds


def version() -> str:
    """The package's version, and behind a plus the commit where it can be known."""
    commit = settings.REVISION or _checked_out()
    told = importlib.metadata.version("rekindle")
    return f"{told}+{commit}" if commit else told


def _checked_out() -> str:
    """The commit of this checkout; nothing where this is none, or git is not there."""
    # Named outright: of what is installed elsewhere git would find the repository around it.
    folder = settings.BASE_DIR / ".git"
    if not folder.exists():
        return ""
    command = ["git", f"--git-dir={folder}", "rev-parse", "--verify", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def of_format(told: str) -> str:
    """What to do with a backup that another version wrote in another form."""
    release, commit = _parts(told)
    if commit:
        return _there(release, commit)
    return f"It was made by version {release}. Install that version and restore it there."


def of_newer(told: str) -> str:
    """What to do with a backup of a program that is newer than this one."""
    release, commit = _parts(told)
    if commit:
        return _there(release, commit)
    return (
        f"It was made by version {release} and names no revision. Update with `git pull`, or find"
        f" the commit that brought them with `git log --all --name-only -- {MIGRATIONS}` and"
        " install that one as an update is installed; then restore it there."
    )


def of_older(told: str) -> str:
    """What to do with a backup from before an update."""
    release, commit = _parts(told)
    if commit:
        return f"{_made(release, commit)} {_check_out(commit)}, restore it there, then {BACK}."
    return (
        f"It was made by version {release} and names no revision."
        f" `git log --name-only -- {MIGRATIONS}` shows the commit that brought the first of these:"
        " check out the last commit before it, install that as an update is installed, restore it"
        f" there, then {BACK}."
    )


def _parts(told: str) -> tuple[str, str]:
    release, _plus, commit = told.partition("+")
    return release, commit


def _there(release: str, commit: str) -> str:
    return f"{_made(release, commit)} {_check_out(commit)} and restore it there."


def _made(release: str, commit: str) -> str:
    return f"It was made by version {release}, revision {commit}."


def _check_out(commit: str) -> str:
    return (
        f"Get that revision (`git fetch && git checkout {commit}`), install it as an update is"
        " installed"
    )
