"""How fast the audit log is sealed, and in how much memory: `python -m tests.drills.audit_log.seal [ENTRIES ...]`.

A change in governance/transparency_log asks for it.
"""

import os
import resource
import sys
import time

import psutil

from tests.drills.company import place

AT_ONCE = 10_000  # entries in one transaction
FEW = 50  # and how long a sealing takes that finds no more than these


def main(sizes: list[int]) -> None:
    """Seal so many entries at one go, each time on top of what was there; a line of figures each."""
    with place.database():
        from django.db import connection

        from governance.transparency_log import sealing
        from tests.support.database.many_entries import make_entries

        for size in sizes:
            for _ in range(0, size, AT_ONCE):
                make_entries(min(size, AT_ONCE))
            with connection.cursor() as cursor:
                cursor.execute("CHECKPOINT")  # what was written must not weigh on what is measured
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            worked = processor_seconds(connection)
            took, checkpoint = timed(sealing.seal)
            worked = processor_seconds(connection) - worked
            more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
            make_entries(FEW)
            few, _ = timed(sealing.seal)
            none, _ = timed(sealing.seal)
            print(
                f"{size:>9} entries, {checkpoint.size} in all: sealed in {took:.2f} s ({size / took:.0f}/s), of it"
                f" {worked:.2f} s on a processor ({size / worked:.0f}/s), {more} MB more memory;"
                f" the next {FEW} in {few * 1000:.0f} ms, none in {none * 1000:.0f} ms"
            )


def processor_seconds(connection) -> float:
    """What this process and its server process have worked so far: on a busy machine less than the clock says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        both = psutil.Process(cursor.fetchone()[0]), psutil.Process(os.getpid())
    return sum(times.user + times.system for times in (process.cpu_times() for process in both))


def timed(work) -> tuple:
    """The seconds that a piece of work took, and what it gave back."""
    began = time.monotonic()
    found = work()
    return time.monotonic() - began, found


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [100_000])
