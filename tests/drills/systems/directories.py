"""A directory against the running server: `python -m tests.drills.systems.directories [ROUNDS]`.

Web server (two processes) and worker run as `make run` starts them. The compliance check of scim2-cli, where it is
installed (PATH, or its path in SCIM2), goes through the whole of SCIM; then accounts with a signed-in browser that asks
without pause are ended, and it is measured after how long the last page was answered.
"""

import contextlib
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.drills.audit_log import crash
from tests.drills.company import memory

MOST = 1.0  # seconds from the answer to the deactivation until the last page of the person
ASKING = 4  # connections of the person at once


def main(rounds: int) -> None:
    """Found, check, measure; exit code 1 when a check failed or somebody was answered for longer."""
    with tempfile.TemporaryDirectory(prefix="plumbline-directories-") as folder:
        Path(folder).chmod(0o755)
        crash.django_on(Path(folder))
        from django.conf import settings

        settings.EMBEDDED_DATABASE.start()
        try:
            crash.tables()
            token = founded()
            with open(Path(folder) / "complaints", "w") as complaints:
                parts = memory.started(complaints)
                try:
                    wrong = [*checked(token), *ended(token, rounds)]
                finally:
                    for part in parts.values():
                        crash.kill(part)
        finally:
            settings.EMBEDDED_DATABASE.stop()
    sys.exit(1 if wrong else 0)


def founded() -> str:
    """An organisation and its directory; the key."""
    from governance import clock
    from governance.models import User
    from initiatives.portfolio.provisioning import actions
    from tests.support import factories

    factories._make_cast()
    admin = User.objects.get(login="admin")
    row = actions.add_directory(name="Entra ID", expires_at=clock.now() + timedelta(days=9), by=admin)
    return row[1].text


def checked(token: str) -> list[str]:
    """What scim2-cli says of each check that did not pass, and how many did."""
    program = os.environ.get("SCIM2") or shutil.which("scim2")
    if program is None:
        print("scim2-cli is not installed: its checks are left out")
        return []
    done = subprocess.run(
        [program, "--url", f"{memory.place()}/scim/v2", "--header", f"Authorization: Bearer {token}", "test"],
        capture_output=True,
        text=True,
    )
    told = re.findall(r"^([A-Z]+) (\w+)\n((?:  .*\n)*)", done.stdout, re.M)
    for state, name, words in told:
        if state != "SUCCESS":
            print(f"{state} {name}\n{words}", end="")
    said = ", ".join(f"{number} {state.lower()}" for state, number in Counter(one[0] for one in told).items())
    print(f"scim2-cli: {said or done.stderr[-2000:]}")
    return ["scim2-cli"] if done.returncode or not told or "ERROR" in {one[0] for one in told} else []


def ended(token: str, rounds: int) -> list[str]:
    """Deactivate so many accounts while their people ask, and say after how long the last page was answered."""
    told = [_one(token, number) for number in range(rounds)]
    waits, late = sorted(wait for wait, _ in told), sum(late for _, late in told)
    print(
        f"{rounds} accounts deactivated over two web processes, {ASKING} connections each: last page answered after"
        f" {waits[len(waits) // 2] * 1000:.0f} ms (median), {waits[-1] * 1000:.0f} ms at most (bar {MOST * 1000:.0f});"
        f" {late} pages that were asked for afterwards"
    )
    return ["deactivation"] if waits[-1] > MOST or late else []


def _one(token: str, number: int) -> tuple[float, int]:
    """How long after the end of an account its last page was answered; how many that were asked for only then."""
    place = _asked(token, "POST", "Users", {"userName": f"person{number}@corp.example"})["id"]
    cookie = _signed_in(place)
    pages: list[tuple[float, float]] = []  # asked for, answered
    stop = threading.Event()

    def asking() -> None:
        while not stop.is_set():
            asked = time.monotonic()
            request = urllib.request.Request(f"{memory.place()}/account/", headers={"Cookie": cookie})
            with contextlib.suppress(urllib.error.URLError), _opener.open(request, timeout=20) as answer:
                if answer.status == 200:
                    pages.append((asked, time.monotonic()))

    threads = [threading.Thread(target=asking) for _ in range(ASKING)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    assert pages, "the person was never answered"
    _asked(token, "PATCH", f"Users/{place}", _patch({"op": "Replace", "path": "active", "value": "False"}))
    answered = time.monotonic()
    time.sleep(1.5)
    stop.set()
    for thread in threads:
        thread.join()
    wait = max(0.0, max(at for _, at in pages) - answered)
    return wait, sum(asked > answered for asked, _ in pages)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _signed_in(uid: str) -> str:
    """The cookie of a browser in which the person of this account is signed in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from governance.models import ManagedAccount
    from governance.sign_in.sessions import SessionStore

    person = ManagedAccount.objects.get(uid=uid).person
    store = SessionStore(secrets.token_hex(16))
    store.update(
        {
            SESSION_KEY: str(person.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: person.get_session_auth_hash(),
        }
    )
    store.save(must_create=True)
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def _patch(*operations: dict) -> dict:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def _asked(token: str, method: str, path: str, body: dict) -> dict:
    said = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]} | body
    request = urllib.request.Request(
        f"{memory.place()}/scim/v2/{path}",
        json.dumps(said).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
