"""What a process that is locked in may still do; each lock is tried from inside, not looked up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from archive import cell, decode

# Locked as the decoder is, then tries everything that a decoder taken over would try.
PRISONER = """
import json, os, pathlib, resource, signal, socket, subprocess, sys, threading
from archive import cell, decoder
here, own = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
decoder.shut_the_doors(1_000_000)
decoder.open_vips()
lacking = cell.lock(reading=[here / "scan"], writing=own)
tries = {
    "read the file": lambda: (here / "scan").read_bytes(),
    "write in its folder": lambda: (own / "working.tif").write_bytes(b"x"),
    "start a thread": lambda: start(threading.Thread(target=int)),
    "change the file": lambda: (here / "scan").open("r+b"),
    "read another file": lambda: (here / "secret").read_bytes(),
    "list another folder": lambda: os.listdir(here),
    "write elsewhere": lambda: (here / "new").write_bytes(b"x"),
    "carry out what it wrote": lambda: os.rename(own / "working.tif", here / "out"),
    "link to elsewhere": lambda: os.symlink(here / "secret", own / "link"),
    "read its parent's environment": lambda: open(f"/proc/{os.getppid()}/environ", "rb").read(),
    "open a socket": lambda: socket.socket(),
    "open a pair of sockets": lambda: socket.socketpair(),
    "start a program": lambda: subprocess.run(["/bin/true"]),
    "become a program": lambda: os.execv("/bin/true", ["true"]),
    "start a process": lambda: os._exit(0) if os.fork() == 0 else None,
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "take more memory": lambda: bytearray(600 * 1024**2),
    "lift its limits": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)),
    "leave a core": lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1)),
    "open file after file": lambda: [open("/dev/null") for _ in range(100)],
    "change rights": lambda: os.chmod(own / "working.tif", 0o777),
}
def start(thread):
    thread.start()
    thread.join()
done = []
for name, attempt in tries.items():
    try:
        attempt()
    except (OSError, ValueError, MemoryError):
        continue
    done.append(name)
print(json.dumps(done))
"""
ALLOWED = ["read the file", "write in its folder", "start a thread"]


def locked_in(folder: Path, code: str = PRISONER) -> subprocess.CompletedProcess[str]:
    own = folder / "own"
    own.mkdir()
    for name in ("scan", "secret"):
        (folder / name).write_bytes(b"bytes")
    command = [sys.executable, "-P", "-c", code, str(folder), str(own)]
    where = decode._environment(own)
    return subprocess.run(command, env=where, capture_output=True, text=True, check=False)


def test_a_decoder_that_was_taken_over_reaches_nothing(tmp_path: Path) -> None:
    if cell.missing():
        pytest.skip(f"this kernel has no {' and no '.join(cell.missing())}")
    ended = locked_in(tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == ALLOWED


def test_it_ends_with_the_worker_that_started_it(tmp_path: Path) -> None:
    sleeper = "import sys, time; from pathlib import Path; from archive import cell; "
    sleeper += "cell.lock(reading=[], writing=Path(sys.argv[1])); print(1, flush=True); "
    sleeper += "time.sleep(60)"
    worker = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-P', '-c', "
    worker += f"{sleeper!r}, sys.argv[2]], stdout=subprocess.PIPE); p.stdout.readline(); "
    worker += "print(p.pid)"
    prisoner = Path("/proc", locked_in(tmp_path, worker).stdout.strip(), "stat")
    for _ in range(100):
        if not prisoner.exists() or prisoner.read_text().split()[2] == "Z":
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail("it outlived its worker")


def test_a_kernel_without_locks_is_named_before_a_deployment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from config import checks

    assert checks.strangers_files_are_read_in_a_cell() == []
    monkeypatch.setattr(cell, "missing", lambda: ["landlock"])
    (told,) = checks.strangers_files_are_read_in_a_cell()
    assert "without landlock" in told.msg


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_well_formed_for_every_machine(machine: str) -> None:
    made = cell._instructions(machine, 1)
    assert all(len(each) == 8 for each in made)
    # Jumps stay inside, and the last word is an answer.
    for place, each in enumerate(made):
        code, then, otherwise = each[0], each[2], each[3]
        if code in (cell.EQUALS, cell.AT_LEAST, cell.HAS_BITS):
            assert place + 1 + max(then, otherwise) < len(made)
    assert made[-1] == cell._say(cell.ALLOW)


def test_an_old_kernel_is_asked_for_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[int, Any] = {each: cell._known(cell.FILES, each) for each in (1, 2, 3, 5, 7)}
    assert known[1] == 0x1FFF
    assert known[7] == 0xFFFF
    assert cell._known(cell.NETWORK, 3) == 0
    assert cell._known(cell.SCOPES, 6) == 3
