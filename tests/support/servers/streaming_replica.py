"""A primary with a streaming replica, each a server of its own, and this process working in them."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections

from governance.database import replica
from governance.storage import embedded_postgres
from tests.support.database.reset import url_of
from tests.support.database.restored_copies import installed_in

NAME = embedded_postgres.NAME


class Standby(embedded_postgres.Server):
    """A server that has everything, also the roles, from another one."""

    def _make_roles(self) -> None:
        pass


@dataclass
class Pair:
    """The two servers."""

    primary: embedded_postgres.Server
    standby: Standby

    def tell_standby(self, statement: str) -> None:
        """Have the standby do something that only its owner may."""
        with self.standby.connect(NAME) as owner:
            owner.execute(statement)

    def caught_up(self) -> None:
        """Wait until the standby has replayed what the primary has written."""
        with self.primary.connect(NAME) as owner:
            place = owner.execute("SELECT pg_switch_wal()::text").fetchone()[0]
        with self.standby.connect(NAME) as owner:
            until = time.monotonic() + 20
            while not owner.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [place]).fetchone()[0]:
                assert time.monotonic() < until, "the standby does not follow"
                time.sleep(0.05)
        replica.watch.forget()


@contextlib.contextmanager
def streaming(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    """A copy of the database of the tests with its replica. Django works in both."""
    pair = Pair(embedded_postgres.Server(folder / "primary"), Standby(folder / "standby"))
    pair.primary.start()
    try:
        with pair.primary.connect() as owner:  # nothing here survives a power cut
            owner.execute("ALTER SYSTEM SET fsync = off")
            owner.execute("SELECT pg_reload_conf()")
            _begin_after(owner)
        _copy(connection.settings_dict["NAME"], pair.primary)
        _follow(pair)
        place = {
            "HOST": str(pair.primary.socket_folder),
            "PORT": "",
            "PASSWORD": pair.primary.password("plumbline"),
        }
        with installed_in(NAME, Path(settings.MEDIA_ROOT), USER="plumbline", **place):
            there = {"HOST": str(pair.standby.socket_folder)}
            monkeypatch.setitem(settings.DATABASES, replica.ALIAS, connection.settings_dict | there)
            monkeypatch.setattr(replica, "watch", replica.Watch())
            # Not made from the settings: the test's class lets nothing connect that is not called "default".
            connections[replica.ALIAS] = connection.copy()
            connections[replica.ALIAS].settings_dict.update(there)
            yield pair
            connections[replica.ALIAS].close()
            del connections[replica.ALIAS]
    finally:
        pair.standby.stop()
        pair.primary.stop()


def _begin_after(owner: Any) -> None:
    """Use up transactions until all of the copied rows are earlier ones, as they are where they come from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (number,) = cursor.fetchone()
    owner.execute(f"""
    DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint <= {number} LOOP COMMIT; END LOOP; END $$
    """)


def _copy(name: str, to: embedded_postgres.Server) -> None:
    """Copy a database of the server of the tests into the empty one of another server."""
    programs, environment = embedded_postgres.programs(), embedded_postgres.plain_environment()
    dump = subprocess.Popen(
        [programs / "pg_dump", "--format=custom", "--compress=0", f"--dbname={url_of(name)}"],
        stdout=subprocess.PIPE,
        env=environment,
    )
    subprocess.run(
        [programs / "pg_restore", "--exit-on-error", f"--dbname={to.url()}"],
        stdin=dump.stdout,
        env=environment,
        check=True,
    )
    assert dump.wait() == 0


def _follow(pair: Pair) -> None:
    """Make the standby from the running primary, and start it."""
    pair.standby.folder.mkdir()
    shutil.copy(pair.primary.folder / "key", pair.standby.folder / "key")  # the passwords are the same
    pair.standby._own(pair.standby.cluster)
    pair.standby._close()
    pair.primary._call(
        "pg_basebackup",
        f"--pgdata={pair.standby.cluster}",
        f"--dbname={pair.primary.url(name='postgres')}",
        "--write-recovery-conf",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--no-sync",
    )
    pair.standby.start()
