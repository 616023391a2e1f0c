"""A thousand single-bit flips, in the database and in exported files.

    python -m tests.drills.audit_log.flips [COUNT] [SEED]
    python -m tests.drills.audit_log.flips found [SEED]

The second: changes of rows, audit log, files, hashes and guards, each found at its place?

A change in governance/transparency_log, governance/offline or governance/audit_log asks for it.
"""

import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from io import StringIO
from pathlib import Path

from tests.drills.company import place


def main(count: int, seed: int) -> int:
    """Half of the flips in the database, half in two exports. Exit 1 when one was not found at its place."""
    with place.database(), tempfile.TemporaryDirectory() as folder:
        from django.core.management import call_command
        from django.db import transaction

        from governance.transparency_log import sealing, verification
        from tests.support import factories
        from tests.support.database import tampering
        from tests.support.initiatives.exported_audit_log import flip_missed

        cast = factories.make_cast()
        initiative = factories.make_production(cast)
        sealing.seal()
        factories.make_initiative(cast, title="Another")
        sealing.seal()
        for name, options in (
            ("initiative", ["--initiative", initiative.ref, "--with-files"]),
            ("all", ["--all"]),
        ):
            file = Path(folder, f"{name}.zip")
            call_command("export_audit_log", *options, "--to", str(file), stdout=StringIO())
            with zipfile.ZipFile(file) as archive:
                archive.extractall(folder)
            file.unlink()
        assert verification.verify().ok
        chance, began, wrong, where = random.Random(seed), time.monotonic(), [], Counter()
        with transaction.atomic():
            while sum(where.values()) < count // 2:
                tried = tampering.missed(chance)
                if tried is not None:
                    what, missed = tried
                    where[kind_of(what)] += 1
                    wrong += [missed] if missed else []
        exports = [Path(folder, "initiative"), Path(folder, "all")]
        for n in range(count - count // 2):
            missed = flip_missed(chance, exports[n % 2])
            where["exported files"] += 1
            wrong += [missed] if missed else []
    took = time.monotonic() - began
    print(f"{sum(where.values())} flips (seed {seed}), {len(wrong)} not found at their place, {took:.0f} s")
    for kind, number in sorted(where.items()):
        print(f"  {number:>5}  {kind}")
    print("\n".join(wrong))
    return bool(wrong)


def kind_of(what: str) -> str:
    """The part of the audit log that a flip hit."""
    table = what.split()[0]
    if "_historical" in table:
        return "history"
    parts = {"entry": "entries", "entrybody": "bodies", "checkpoint": "checkpoints"}
    return parts.get(table.partition("_")[2], "tree" if table.startswith("governance_") and table.partition("_")[2] in
                     ("leaf", "node", "sealing") else "rows as they stand")  # fmt: skip


def found(seed: int) -> int:
    """Changes of every kind; prints how many of how many were found at their place. Exit 1 when one was not."""
    with place.database():
        from django.db import connection, transaction

        from governance.database import database_roles
        from governance.transparency_log import verification
        from tests.support import factories, plugin
        from tests.support.attacks import random_changes

        database_roles.grant(connection, plugin.LOGINS)  # rights on the database itself are in no copy of it
        with transaction.atomic():
            random_changes.make_life(factories.make_cast())
            assert verification.verify().ok
            wrong = []
            for group in random_changes.GROUPS:
                began, count = time.monotonic(), random_changes.COUNTS[group]
                right, missed = random_changes.tried(group, count, random.Random(seed))
                wrong += missed
                took = time.monotonic() - began
                print(f"{group}: found at their place: {right} of {count} ({took:.0f} s)", flush=True)
            transaction.set_rollback(True)
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    if sys.argv[1:2] == ["found"]:
        sys.exit(found(int(sys.argv[2]) if sys.argv[2:] else 7))
    given = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*(given + [1000, 7][len(given) :])))
