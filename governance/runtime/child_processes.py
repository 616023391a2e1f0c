"""Child processes between fork and exec, and orphans (fully only on Linux).

Only for starting children from a process with one thread, which `manage.py` and pytest are at that time.
"""

import contextlib
import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_SET_CHILD_SUBREAPER = 1, 28, 36
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
SECBIT_NO_SETUID_FIXUP = 4
CAP_DAC_OVERRIDE = 1
CAPABILITIES_VERSION_3 = 0x20080522


def tie(number: signal.Signals) -> None:
    """Have this child receive the signal when the parent ends, even if it is killed."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """Have SIGTERM raise SystemExit inside this block, so that the process removes what it would leave behind."""
    former = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


def adopt_orphans() -> None:
    """Adopt children of ended children in this process, so that it can end them."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def become(account: pwd.struct_passwd, *, enter_closed_folders: bool) -> None:
    """Have this child be the user for good.

    With `enter_closed_folders` it keeps one privilege of root, to pass folders that are closed to that user
    (CAP_DAC_OVERRIDE as an ambient capability). Raises PermissionError where the system does not allow that.
    """
    if enter_closed_folders:
        if LIBC is None:
            raise PermissionError("no capabilities on this system")
        # Privileges stay when the user changes, and access(2) counts them.
        LIBC.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if enter_closed_folders:
        bit = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION_3, 0)  # 0: this process
        sets = (ctypes.c_uint32 * 6)(
            bit, bit, bit, 0, 0, 0
        )  # effective, permitted, inheritable; then high halves
        if LIBC.capset(header, sets) or LIBC.prctl(
            PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0
        ):
            raise PermissionError(ctypes.get_errno(), "may not keep the privilege to pass closed folders")


def reachable(path: Path, account: pwd.struct_passwd) -> bool:
    """May this account read `path` and pass every folder above it? Judged by modes alone."""

    def granted(step: Path, wanted: int) -> bool:
        seen = step.stat()
        shift = 6 if seen.st_uid == account.pw_uid else 3 if seen.st_gid == account.pw_gid else 0
        return (seen.st_mode >> shift) & wanted == wanted

    real = path.resolve()
    return granted(real, 0o5) and all(granted(parent, 0o1) for parent in real.parents)
