"""A real S3 service on this machine: OpenStack Swift with its s3api, one process for each part.

    python -m venv .swift && .swift/bin/pip install swift
    .swift/bin/python tests/services/swift_server.py FOLDER [PORT]

Runs until it is ended. Needs no root, no memcached and nothing in /etc; the folder must be on a
disk that keeps extended attributes. Only the standard library is imported here, because the
programs run in Swift's own virtual environment.
"""

import os
import pwd
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

KEY, SECRET, REGION = "test:tester", "testing", "us-east-1"
PORT = 5060
READY_SECONDS = 60

COMMON = """\
[swift-hash]
swift_hash_path_suffix = test
swift_hash_path_prefix = test
[storage-policy:0]
name = one
default = yes
[swift-constraints]
max_header_size = 16384
"""
PART = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {etc}
devices = {folder}/srv
mount_check = false
workers = 1
log_level = WARNING
log_address = {folder}/nolog
fallocate_reserve = 0
disable_fallocate = true
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
allow_versions = true
"""
PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
cors_allow_origin = *
user = {user}
swift_dir = {etc}
workers = 1
log_level = WARNING
log_address = {folder}/nolog
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats bulk s3api tempauth copy slo dlo \
versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:s3api]
use = egg:swift#s3api
location = {region}
s3_acl = false
cors_preflight_allow_origin = *
check_bucket_owner = false
allow_multipart_uploads = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
allow_overrides = true
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
"""
PLAIN_FILTERS = (
    "catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "copy", "slo", "dlo",
    "symlink",
)  # fmt: skip
# Swift looks for swift.conf in /etc only; this is told otherwise before its own script runs.
RUN = """\
import sys
import swift.common.utils
swift.common.utils.SWIFT_CONF_FILE = {conf!r}
sys.argv = ['swift-{name}-server', {etc!r}]
exec(open({script!r}).read())
"""


def main(folder: Path, port: int) -> None:
    """Write the configuration, start the four programs and wait for the end."""
    ports = {"container": port + 1, "account": port + 2, "object": port + 3}
    configure(folder, port, ports)
    programs = [start(folder, name) for name in (*ports, "proxy")]

    def end(number: int, frame: object) -> None:
        for each in programs:
            each.terminate()

    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, end)
    threading.Thread(target=say_when_ready, args=(port,), daemon=True).start()
    for each in programs:
        each.wait()


def configure(folder: Path, port: int, ports: dict[str, int]) -> None:
    """Write what the programs read: one device, one replica."""
    etc = folder / "etc"
    for each in (etc, folder / "srv" / "d1"):
        each.mkdir(parents=True, exist_ok=True)
    words = {"user": pwd.getpwuid(os.getuid()).pw_name, "etc": etc, "folder": folder}
    (etc / "swift.conf").write_text(COMMON)
    for name, own in ports.items():
        (etc / f"{name}.conf").write_text(PART.format(name=name, port=own, **words))
        if not (etc / f"{name}.ring.gz").exists():
            make_ring(etc / f"{name}.builder", own)
    proxy = PROXY.format(port=port, region=REGION, secret=SECRET, **words)
    proxy += "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in PLAIN_FILTERS)
    (etc / "proxy.conf").write_text(proxy)


def make_ring(builder: Path, port: int) -> None:
    """Say that everything lies on the one device."""
    for words in (
        ["create", "6", "1", "0"],
        ["add", f"r1z1-127.0.0.1:{port}/d1", "1"],
        ["rebalance"],
    ):
        command = [sys.executable, str(script("swift-ring-builder")), str(builder), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def start(folder: Path, name: str) -> subprocess.Popen[bytes]:
    """Start one of the four programs; its words go to FOLDER/NAME.log."""
    etc = folder / "etc"
    code = RUN.format(
        name=name,
        conf=str(etc / "swift.conf"),
        etc=str(etc / f"{name}.conf"),
        script=str(script(f"swift-{name}-server")),
    )
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=folder,  # a folder without modules of ours
            env=os.environ | {"SWIFT_DIR": str(etc)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def script(name: str) -> Path:
    """Return the path of a program of Swift."""
    return Path(sys.executable).parent / name


def say_when_ready(port: int) -> None:
    """Print one line as soon as the service answers."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=1).close()
        except OSError:
            time.sleep(0.1)
            continue
        print(f"S3 is ready at http://127.0.0.1:{port}", flush=True)  # noqa: T201
        return


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), int(sys.argv[2]) if len(sys.argv) > 2 else PORT)
