"""The read API: `python -m tests.drills.systems.read_api [--pairs 1000] [--calls 20000]`.

Pairs: so many random addresses, people and instants of a simulated year, each compared with the page of that person on
that day. Calls: schemathesis, where it is installed (PATH, or its path in SCHEMATHESIS), sends so many right and wrong
requests out of the OpenAPI document to a local server, as an owner, an auditor, an admin and an outsider. No answer may
be a fault of ours, and each must be as the document says.

A change in adoption/read_api or initiatives/lifecycle/access asks for it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter

from tests.drills.company import place

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
PEOPLE = ("owner", "auditor", "admin", "outsider")
A_ROUND = 60  # examples of each address


def main() -> None:
    """Print what was asked for; exit code 1 if anything differs or fails."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--pairs", type=int, default=0)
    asked.add_argument("--calls", type=int, default=0)
    given = asked.parse_args()
    wrong = 0
    if given.pairs:
        with place.database():
            wrong += pairs(given.pairs)
    program = os.environ.get("SCHEMATHESIS") or shutil.which("schemathesis")
    if given.calls and not program:
        print("skipped: schemathesis is not installed. Install it in an environment of its own.")
    elif given.calls:
        with place.database():
            wrong += calls(given.calls, program)
    sys.exit(1 if wrong else 0)


def pairs(count: int) -> int:
    """Compare so many pairs of page and API; how many differ."""
    from django.test.utils import setup_test_environment

    from adoption.read_api import api as reading_api
    from initiatives.models import Review
    from tests.support.initiatives import past_year, read_days

    reading_api.RATE = 10**9
    setup_test_environment()
    began = time.monotonic()
    year = past_year.lived(looks=0)
    print(f"a year lived: {len(year.initiatives)} initiatives, {Review.objects.count()} reviews,", end=" ")
    print(f"{time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    refs = [initiative.ref for initiative in year.initiatives]
    wrong, asked = read_days.compared(year.cast, refs, count, seed=1)
    print(
        f"{sum(asked.values())} pairs of page and API, {time.monotonic() - began:.0f} s: {len(wrong)} differ"
    )
    print(", ".join(f"{kind} {number}" for kind, number in sorted(asked.items())))
    for line in wrong[:20]:
        print("  ", line)
    return len(wrong)


def calls(most: int, program: str) -> int:
    """Have schemathesis send so many requests; how many answers were faults of ours, or not as the document says."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    tokens, counts = world(), Counter()
    answer = get_wsgi_application()

    def counted(environ, start):
        def begun(status, headers, *rest):
            counts[status[:3]] += environ["PATH_INFO"] != "/api/v1/openapi.json"
            if status[:1] == "3" and status[:3] != "304":
                print("led elsewhere:", environ["PATH_INFO"])
            return start(status, headers, *rest)

        return answer(environ, begun)

    class Quiet(WSGIRequestHandler):
        """Nothing is printed for each request."""

        def log_message(self, *_):
            """Print nothing."""

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, connections_override={})
    server.set_app(counted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base, failed, turn, began = f"http://127.0.0.1:{server.server_port}", 0, 0, time.monotonic()
    while sum(counts.values()) < most:
        person = PEOPLE[turn % len(PEOPLE)]
        done = subprocess.run(
            [
                *(program, "run", f"{base}/api/v1/openapi.json", "--url", base),
                *("--header", f"Authorization: Bearer {tokens[person]}", "--checks", ",".join(CHECKS)),
                *(
                    "--max-examples",
                    str(A_ROUND),
                    "--seed",
                    str(turn),
                    "--phases",
                    "examples,coverage,fuzzing",
                ),
                *(
                    "--suppress-health-check",
                    "all",
                    "--warnings",
                    "off",
                    "--no-color",
                    "--continue-on-failure",
                ),
            ],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            failed += 1
            print(done.stdout[-6000:], done.stderr[-2000:], sep="\n")
        turn += 1
        print(
            f"round {turn} as {person}: {sum(counts.values())} calls, {dict(sorted(counts.items()))}",
            flush=True,
        )
        if failed > 2:
            break
    server.shutdown()
    faults = sum(number for status, number in counts.items() if status >= "500")
    print(
        f"{sum(counts.values())} calls in {time.monotonic() - began:.0f} s: {faults} faults of ours,", end=" "
    )
    print(f"{failed} of {turn} rounds with an answer that is not as the document says")
    return faults + failed


def world() -> dict[str, str]:
    """An organisation with some of everything that the API reads; the token of each person."""
    from adoption.read_api import api as reading_api
    from governance.sign_in import throttling
    from governance.transparency_log import sealing
    from initiatives.lifecycle.reviews import actions as review_actions
    from tests.support import factories
    from tests.support.servers.asking_systems import System, logged

    reading_api.RATE = throttling.WRONG_KEYS = 10**9
    cast = factories.make_cast()
    initiative = factories.make_mvp(cast)
    review_actions.open_review(initiative=initiative, by=cast.owner)
    System(factories.make_key(cast, initiative)[1].text).ask("read")
    logged()
    factories.make_link(cast, initiative, factories.make_system(cast))
    factories.make_term(cast)
    factories.make_measurement(cast, factories.make_measure(cast, initiative))
    for number in range(5):
        factories.make_initiative(cast, f"Idea {number}")
    sealing.seal()
    return {name: factories.make_token(getattr(cast, name))[1].text for name in PEOPLE}


if __name__ == "__main__":
    main()
