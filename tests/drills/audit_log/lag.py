"""How long an entry waits to be sealed at 200 writes a second: `python -m tests.drills.audit_log.lag [SECONDS]`.

Ten writers, each with a connection of its own, write at an even pace; a sealer runs every three seconds, as the beat
does. What is measured is what the audit log itself says: the moment an entry was written, and that of its checkpoint.

A change in governance/transparency_log or governance/queue asks for it.
"""

import sys
import threading
import time

from tests.drills.company import place

RATE, WRITERS, EVERY = 200, 10, 3.0


def main(seconds: int) -> None:
    """Write, seal, and print the waiting times in seconds."""
    with place.database():
        from django.db import connection

        over = threading.Event()
        threads = [threading.Thread(target=write, args=(over, seconds)) for _ in range(WRITERS)]
        sealer = threading.Thread(target=seal, args=(over,))
        for thread in [sealer, *threads]:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(EVERY)
        over.set()
        sealer.join()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), round(count(*) / %s, 0), percentile_disc(ARRAY[0.5, 0.99, 1]) WITHIN GROUP"
                " (ORDER BY extract(epoch FROM c.at - e.recorded_at)::numeric(9, 2)) FROM governance_leaf l"
                " JOIN governance_entry e ON e.id = l.entry_id"
                " JOIN LATERAL (SELECT at FROM governance_checkpoint WHERE size > l.position ORDER BY size LIMIT 1) c"
                " ON true",
                [seconds],
            )
            count, rate, (half, most, worst) = cursor.fetchone()
        print(
            f"{count} entries at {rate} a second: half within {half} s, 99 % within {most} s, all within {worst} s"
        )


def write(over: threading.Event, seconds: int) -> None:
    """Write this writer's share, each at its moment."""
    from django.db import connection

    from governance.audit_log import entries
    from governance.database.row_history import acting

    began = time.monotonic()
    for number in range(RATE // WRITERS * seconds):
        time.sleep(max(0.0, began + number * WRITERS / RATE - time.monotonic()))
        with acting(system="drill", reason="Measured"):
            entries.record("measured", number=number)
    connection.close()


def seal(over: threading.Event) -> None:
    """Send a queue message as the beat does."""
    from django.db import connection

    from governance.transparency_log import sealing

    while not over.wait(EVERY):
        sealing.seal()
    sealing.seal()
    connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
