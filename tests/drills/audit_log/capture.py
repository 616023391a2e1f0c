"""What capture and guard cost: `python -m tests.drills.audit_log.capture [ROUNDS]`.

One locked update with its history row, committed: once as simple-history alone does it, once as the audit log asks for.
The two are measured in turn, in the same run, so that whatever else the machine does weighs on both.

A change in governance/audit_log, governance/database or governance/migrations asks for it.
"""

import statistics
import sys
import time

from tests.drills.company import place

BLOCK = 50  # updates between one change of sides and the next


def main(rounds: int) -> None:
    """Print the median of both, and the ratio."""
    with place.database():
        from tests.support import factories

        cast = factories.make_cast()
        initiative = factories.make_initiative(cast)
        plain, whole = [], []
        for _ in range(max(1, rounds // BLOCK)):
            switch("DISABLE")
            plain += [timed(initiative, told=False) for _ in range(BLOCK)]
            switch("ENABLE")
            whole += [timed(initiative, told=True) for _ in range(BLOCK)]
        one, other = statistics.median(plain), statistics.median(whole)
        print(
            f"locked update with history {one * 1000:.2f} ms; with actor, capture and guard {other * 1000:.2f} ms:"
            f" {100 * (other / one - 1):+.0f} % ({len(plain)} each)"
        )


def switch(verb: str) -> None:
    """Put the triggers of the table off or on."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE initiatives_initiative {verb} TRIGGER USER")


def timed(initiative, *, told: bool) -> float:
    """The seconds of one locked update with its row of history, committed."""
    from unittest import mock

    from governance.database import row_history
    from governance.database.row_history import acting
    from initiatives.models import Initiative

    silent = mock.patch.object(row_history, "_tell_database") if not told else mock.patch.dict({}, {})
    with silent:
        began = time.perf_counter()
        with acting(system="drill", reason="Measured"):
            row = Initiative.objects.select_for_update(of=("self",)).get(pk=initiative.pk)
            row.problem = f"Measured at {began}"
            row.save()
        return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
