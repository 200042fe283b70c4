"""What the process that opens an untrusted file may still ask of the system. Linux; no library.

Limits of memory and time (archive.decoder) bound what a file costs. These locks bound what it may
do if it takes a decoder over: **Landlock** lets the process read one file and the libraries it runs
on and write in one folder; a **seccomp** filter refuses network, other programs, other processes
and the corners of the kernel that decoding never needs. Neither asks for root, and neither can be
taken off again. The packages for them bind a C library that slim images lack or are not released
yet, and all that is needed is four system calls.

Where the kernel has none of it (before Linux 5.13, other systems) the limits still hold; `missing`
names what does not.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
SIGKILL = 9

# --- Landlock: linux/landlock.h ------------------------------------------------------------------
LANDLOCK = {"create": 444, "add": 445, "restrict": 446}  # the same numbers on every machine
VERSION_ONLY = 1
PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << n for n in range(6))
MAKE_REG, REFER, TRUNCATE, IOCTL_DEV = 1 << 8, 1 << 13, 1 << 14, 1 << 15
# What each version of the kernel's interface knows of files, of TCP, and of signals and sockets.
FILES = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: IOCTL_DEV}
NETWORK, SCOPES = {4: 0b11}, {6: 0b11}
TO_READ = READ_FILE | READ_DIR | EXECUTE
TO_WRITE = READ_FILE | READ_DIR | WRITE_FILE | MAKE_REG | REMOVE_FILE | TRUNCATE
LIBRARIES = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/urandom", "/dev/null")

# --- seccomp: linux/seccomp.h, linux/filter.h ----------------------------------------------------
SET_MODE_FILTER, ACTION_IS_THERE, ALL_THREADS = 1, 2, 1
KILL, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
EPERM, ENOSYS = 1, 38
LOAD, EQUALS, AT_LEAST, HAS_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENT = 0, 4, 16  # where they stand in what the filter looks at
CLONE_THREAD = 0x10000
X32 = 0x40000000

MACHINES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {"seccomp": 317, "clone": 56, "clone3": 435, "tgkill": 234, "prlimit64": 302},
    ),
    "aarch64": (
        0xC00000B7,
        {"seccomp": 277, "clone": 220, "clone3": 435, "tgkill": 131, "prlimit64": 261},
    ),
}
# socket, socketpair, execve, execveat, ptrace, process_vm_*, kill, tkill, rt_*sigqueueinfo, mount
# and its kin, pivot_root, chroot, unshare, setns, keys, bpf, perf, SysV memory and queues,
# memfd_create, owners and rights of files, kcmp, personality, handles; fork and vfork.
REFUSED: Mapping[str, tuple[int, ...]] = {
    "x86_64": (
        *(41, 53, 59, 322, 101, 310, 311, 62, 200, 129, 297, 165, 166, 155, 161, 272, 308),
        *(248, 249, 250, 321, 298, 29, 64, 68, 240, 319, 90, 91, 268, 92, 93, 94, 260),
        *(188, 189, 190, 312, 135, 303, 304, 323, 57, 58),
    ),
    "aarch64": (
        *(198, 199, 221, 281, 117, 270, 271, 129, 130, 138, 240, 40, 39, 41, 51, 97, 268),
        *(217, 218, 219, 280, 241, 194, 190, 186, 180, 279, 52, 53, 55, 54, 5, 6, 7),
        *(272, 92, 264, 265, 282),
    ),
}
# pidfd_*, io_uring_*, the newer mount calls, process_madvise, memfd_secret, fchmodat2.
REFUSED_EVERYWHERE = (424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 440, 447, 452)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def lock(*, reading: Iterable[Path], writing: Path) -> list[str]:
    """Shut this process in, for good; gives the names of the locks that the kernel does not have.

    To be called before the first thread of a library is started: Landlock binds the thread that
    asks for it and those that it starts.
    """
    if sys.platform != "linux":
        return missing()
    _prctl(PR_SET_PDEATHSIG, SIGKILL)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _files_only(reading, writing)
    _calls_only()
    return missing()


def missing() -> list[str]:
    """The locks that this kernel does not have."""
    if sys.platform != "linux":
        return ["landlock", "seccomp"]
    there = {"landlock": _landlock_version() > 0, "seccomp": _has_seccomp()}
    return [name for name, is_there in there.items() if not is_there]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _syscall(number: int, *words: object) -> int:
    done = int(_libc().syscall(ctypes.c_long(number), *words))
    if done < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return done


def _landlock_version() -> int:
    try:
        return _syscall(LANDLOCK["create"], None, ctypes.c_size_t(0), ctypes.c_uint(VERSION_ONLY))
    except OSError:
        return 0


def _has_seccomp() -> bool:
    if platform.machine() not in MACHINES:
        return False
    number = MACHINES[platform.machine()][1]["seccomp"]
    action = ctypes.c_uint32(ERRNO)
    try:
        _syscall(number, ctypes.c_uint(ACTION_IS_THERE), ctypes.c_uint(0), ctypes.byref(action))
    except OSError:
        return False
    return True


# --- files ---------------------------------------------------------------------------------------
def _files_only(reading: Iterable[Path], writing: Path) -> None:
    version = _landlock_version()
    if not version:
        return
    files = _known(FILES, version)
    words = (files, _known(NETWORK, version), _known(SCOPES, version))
    # An older kernel takes a longer description as long as what it does not know is zero.
    said = struct.pack("=QQQ", *words)
    rules = _syscall(LANDLOCK["create"], said, ctypes.c_size_t(len(said)), ctypes.c_uint(0))
    try:
        for path in (*map(Path, LIBRARIES), *_pythons()):
            _allow(rules, path, TO_READ & files)
        for path in reading:
            _allow(rules, path, READ_FILE)
        _allow(rules, writing, TO_WRITE & files)
        _syscall(LANDLOCK["restrict"], ctypes.c_int(rules), ctypes.c_uint(0))
    finally:
        os.close(rules)


def _known(bits: Mapping[int, int], version: int) -> int:
    return sum(each for since, each in bits.items() if since <= version)


def _pythons() -> set[Path]:
    return {Path(each).resolve() for each in (sys.prefix, sys.base_prefix)}


def _allow(rules: int, path: Path, access: int) -> None:
    try:
        there = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not path.is_dir():
            access &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
        rule = struct.pack("=Qi", access, there)
        _syscall(LANDLOCK["add"], rules, ctypes.c_int(PATH_BENEATH), rule, ctypes.c_uint(0))
    finally:
        os.close(there)


# --- calls ---------------------------------------------------------------------------------------
def _calls_only() -> None:
    if not _has_seccomp():
        return
    machine = platform.machine()
    program = b"".join(_instructions(machine, os.getpid()))
    said = _Program(len(program) // 8, program)
    number = MACHINES[machine][1]["seccomp"]
    _syscall(number, ctypes.c_uint(SET_MODE_FILTER), ctypes.c_uint(ALL_THREADS), ctypes.byref(said))


def _instructions(machine: str, own: int) -> list[bytes]:
    """The filter: calls of another architecture kill, refused ones say EPERM, the rest may go."""
    architecture, numbers = MACHINES[machine]
    made = [_at(ARCHITECTURE), _if(EQUALS, architecture, 1, 0), _say(KILL), _at(NUMBER)]
    if machine == "x86_64":
        made += [_if(AT_LEAST, X32, 0, 1), _say(ERRNO | EPERM)]
    # The C library then starts threads by clone, whose flags a filter can see.
    made += [_if(EQUALS, numbers["clone3"], 0, 1), _say(ERRNO | ENOSYS)]
    for number in (*REFUSED[machine], *REFUSED_EVERYWHERE):
        made += [_if(EQUALS, number, 0, 1), _say(ERRNO | EPERM)]
    made += _unless(numbers["clone"], _if(HAS_BITS, CLONE_THREAD, 1, 0))
    made += _unless(numbers["tgkill"], _if(EQUALS, own, 1, 0))
    made += _unless(numbers["prlimit64"], _if(EQUALS, 0, 1, 0))
    return [*made, _say(ALLOW)]


def _unless(number: int, good: bytes) -> list[bytes]:
    """Refuse the call unless its first argument is good."""
    return [
        _if(EQUALS, number, 0, 4),
        _at(ARGUMENT),
        good,
        _say(ERRNO | EPERM),
        _say(ALLOW),
    ]


def _at(offset: int) -> bytes:
    return struct.pack("=HBBI", LOAD, 0, 0, offset)


def _if(kind: int, value: int, then: int, otherwise: int) -> bytes:
    return struct.pack("=HBBI", kind, then, otherwise, value)


def _say(answer: int) -> bytes:
    return struct.pack("=HBBI", RETURN, 0, 0, answer)
