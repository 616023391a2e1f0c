"""What pages and acts cost in a company of any size: `python -m tests.drills.company.pages [INITIATIVES]
[--supported-stages]`.

In the same run, in turn: a bare page behind the same middleware, sign-in and base template with one join of fifty rows
(A), and one locked update with its row of history, capture and guard (B). Pages are told as so many A, acts as so many
B; how often each page asks the database stands beside it.

A change in governance/web, initiatives/lifecycle/facts or initiatives/lifecycle/initiative_pages asks for it.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.drills.audit_log import capture
from tests.drills.company import place, thousands

ROUNDS = 25
REVIEWS = 8  # real ones, before the MVP gate, told through the acts
INBOXES = ("inbox", "inbox of a seat", "inbox of the chair")
MOST = {
    "bare page": 1.8,
    "insights": 10.0,
    "portfolio": 3.0,
    "initiative": 4.0,
    "review": 4.0,
    "search": 3.0,
} | dict.fromkeys(INBOXES, 3.0)
LONG = ("long contract", "its editor")
QUERIES = (
    dict.fromkeys(LONG, 25)
    | {"insights": 34, "portfolio": 12, "initiative": 20, "review": 15, "reviews": 25}
    | dict.fromkeys(INBOXES, 12)
)
MOST_OF_ACTS = 6.0


def main() -> None:
    """Found the company, measure, print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("initiatives", type=int, nargs="?", default=10_000)
    asked.add_argument(
        "--supported-stages",
        action="store_true",
        help="recompute the supported stages of all initiatives, too",
    )
    asked.add_argument(
        "--keep", action="store_true", help="keep the company for the next run, which is laid down once"
    )
    asked.add_argument(
        "--unsealed",
        action="store_true",
        help="do not seal the audit log of the company, which takes as long as laying it down",
    )
    given = asked.parse_args()
    with place.database(f"company_{given.initiatives}" if given.keep else None):
        from django.conf import settings
        from django.db import connection

        settings.ROOT_URLCONF = "tests.drills.company.urls"
        company = thousands.found(given.initiatives)
        print(
            f"{company.initiatives} initiatives, {company.evidence} items of evidence, {entries()} entries,"
            f" laid down in {company.seconds:.0f} s"
        )
        with queue() if given.unsealed else nullcontext():
            reviews = before_the_gate(company.cast)
            long = long_contract(company.cast)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as the server does by itself once tables have grown
        connection.close()  # plans that were made before are forgotten
        pages(company.cast, reviews, long)
        with queue():
            acts(company.cast, reviews, sealing=not given.unsealed)
        if given.supported_stages:
            supported_stages()


def entries() -> int:
    """How long the audit log is."""
    from governance.models import Entry

    return Entry.objects.count()


def before_the_gate(cast) -> list:
    """Prototypes whose review for the MVP gate is open, as people bring them there."""
    from adoption.demo import initiative_acts
    from initiatives.lifecycle.reviews import actions as review_actions
    from tests.support import factories

    found = []
    for number in range(REVIEWS):
        initiative = initiative_acts.to_prototype(
            factories.make_initiative(cast, title=f"Assistant {number}"), cast.team
        )
        initiative_acts.staff(initiative, cast.team)
        initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
        initiative_acts.plan_scope(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "mvp", cast.team)
        found.append(review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner))
    return found


CLAUSES = 200


def long_contract(cast):
    """An MVP in preparation whose contract in force has two hundred clauses, and a draft of the next one."""
    from adoption.demo import initiative_acts
    from governance.contracts.clauses import Terms
    from initiatives.contracts.documents import actions as contract_actions
    from initiatives.contracts.documents.actions import Written
    from tests.support import factories

    initiative = initiative_acts.to_prototype(
        factories.make_initiative(cast, title="Assistant with many clauses"), cast.team
    )
    initiative_acts.staff(initiative, cast.team)
    who = initiative_acts.ACCOUNT_MANAGERS
    acts = [
        Written("autonomy", terms=Terms(action=f"act_{n}", audience=who, up_to=100 * n + 100, currency="EUR"))
        for n in range(CLAUSES - len(initiative_acts.CLAUSES))
    ]
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team, [*initiative_acts.CLAUSES, *acts])
    initiative = initiative_acts.fresh(initiative)
    contract_actions.save_contract(
        initiative=initiative, clauses=[*initiative_acts.CLAUSES, *acts], by=cast.owner
    )
    return initiative_acts.fresh(initiative)


def pages(cast, reviews, long) -> None:
    """Each page in turn with the bare one, for the person who sees most of it."""
    from django.test import Client
    from django.urls import reverse

    initiative = reviews[0].initiative.get_absolute_url()
    wanted = [
        ("portfolio", cast.auditor, "/initiatives/"),
        ("portfolio, last page", cast.auditor, "/initiatives/?page=999999"),
        ("portfolio, board", cast.auditor, "/initiatives/?view=board"),
        ("portfolio, searched", cast.auditor, "/initiatives/?q=forecast"),
        ("insights", cast.auditor, "/insights/"),
        ("insights, pilots", cast.auditor, "/insights/figures/pilots/"),
        ("insights, oversold", cast.auditor, "/insights/figures/oversold/"),
        ("insights, flow", cast.auditor, "/insights/flow/"),
        ("insights, money", cast.auditor, "/insights/money/"),
        ("insights, people", cast.auditor, "/insights/people/"),
        ("initiative", cast.owner, initiative),
        ("requirements", cast.owner, f"{initiative}requirements/"),
        ("evidence", cast.owner, f"{initiative}evidence/"),
        ("activity", cast.owner, f"{initiative}activity/"),
        ("review", cast.seat_risk, reviews[0].get_absolute_url()),
        ("reviews", cast.seat_risk, "/reviews/"),
        ("long contract", cast.owner, reverse("contract", args=[long.ref])),
        ("its editor", cast.owner, reverse("contract-edit", args=[long.ref])),
        ("inbox", cast.owner, "/"),
        ("inbox of a seat", cast.seat_risk, "/"),
        ("inbox of the chair", cast.chair, "/"),
    ]
    wanted.append(("search", cast.auditor, f"{reverse('search')}?q=forecast"))
    frame(cast.owner)
    for words, person, address in wanted:
        client = Client(SERVER_NAME="localhost")
        client.force_login(person)
        bare, page = [], []
        get(client, address)
        get(client, "/bare/")
        for _ in range(ROUNDS):
            bare.append(get(client, "/bare/"))
            page.append(get(client, address))
        one, other = statistics.median(bare), statistics.median(page)
        print(
            f"{words}: {other:.1f} ms = {other / one:.1f} x A ({one:.1f} ms){bound(words, other / one, MOST)},"
            f" {asked(client, address)} queries{bound(words, asked(client, address), QUERIES)}"
        )


def frame(person) -> None:
    """The bare page against the same rows behind the middleware of Django alone and in no template of ours (A0)."""
    from django.conf import settings
    from django.test import Client, override_settings

    of_django = [one for one in settings.MIDDLEWARE if one.startswith("django.")]
    ours, theirs = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    ours.force_login(person)
    theirs.force_login(person)
    get(ours, "/bare/")
    with override_settings(MIDDLEWARE=of_django):
        theirs.get("/empty/")  # a client makes its chain of middleware at its first request
    a, a0 = [], []
    for _ in range(ROUNDS):
        a.append(get(ours, "/bare/"))
        a0.append(get(theirs, "/empty/"))
    a_ms, a0_ms = statistics.median(a), statistics.median(a0)
    words = "bare page"
    print(
        f"{words}: A {a_ms:.1f} ms, A0 {a0_ms:.1f} ms = {a_ms / a0_ms:.1f}{bound(words, a_ms / a0_ms, MOST)}"
    )


def bound(words: str, found: float, most: dict) -> str:
    """What it may be at the most, where something is asked."""
    if words not in most:
        return ""
    return f" (at most {most[words]:g}: {'met' if round(found, 1) <= most[words] else 'MISSED'})"


def get(client, address: str) -> float:
    """The milliseconds of one look."""
    began = time.perf_counter()
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return (time.perf_counter() - began) * 1000


def asked(client, address: str) -> int:
    """How often one look asks the database."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)


@contextmanager
def queue() -> Iterator[None]:
    """Tasks are left on the queue, as the web process leaves them for the worker; where nothing is set up, in files."""
    from celery import current_app
    from django.conf import settings

    for name in ("data_folder_in", "data_folder_out", "control_folder"):
        Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS[name]).mkdir(parents=True, exist_ok=True)
    current_app.conf.task_always_eager = False
    try:
        yield
    finally:
        current_app.control.purge()
        current_app.conf.task_always_eager = True


def acts(cast, reviews, *, sealing: bool) -> None:
    """Sign-offs after the check of the password or with the proof of a passkey, and promotions, in turn with the locked
    update; and what freezing a statement and checking an assertion add to such a sign-off.

    What an act leaves on the queue, the sealing of the audit log, the worker does: it is told apart.
    """
    from django.conf import settings

    from governance import clock
    from governance.gates import sign_off_statement
    from governance.identity.proofs import ceremony
    from governance.transparency_log import sealing as transparency_log_sealing
    from initiatives.lifecycle.initiative import review_state
    from initiatives.lifecycle.reviews import actions as review_actions
    from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
    from initiatives.models import Initiative, Review
    from tests.support.identity.authenticator import ORIGIN, enrolled

    settings.ADDRESS = ORIGIN
    devices = {
        person.pk: enrolled(person, confirmed_by=cast.second_admin)[0] for person in cast.seats.values()
    }
    plain, signed, proved, passkeys, promoted, sealed = [], [], [], [], [], []
    # Another initiative: what a statement says of its own would end the sign-offs on it.
    beside = Initiative.objects.exclude(pk__in=[review.initiative_id for review in reviews]).latest("pk")

    def worker() -> None:
        if not sealing:
            return
        began = time.perf_counter()
        transparency_log_sealing.seal()
        sealed.append((time.perf_counter() - began) * 1000)

    worker()
    for review in reviews:
        for seat, person in cast.seats.items():
            if not review.rulebook.parsed.criteria_of(review.gate, seat):
                continue
            plain.append(capture.timed(beside, told=True) * 1000)
            at = clock.now()
            row = Review.objects.select_related("initiative", "rulebook").get(pk=review.pk)
            text, seen = sign_off_actions.statement_for(
                review_state.snapshot_of(row), seat, person, verdict="approve", at=at
            )
            sign_offs = proved if len(signed) > len(proved) else signed
            if sign_offs is proved:
                began = time.perf_counter()
                frozen = ceremony.freeze(person, text, at)
                device, shown = devices[person.pk], time.perf_counter() - began
                sent = device.shown(bytes(frozen.challenge))
                device.counter += 1
                began = time.perf_counter()
                proof = ceremony.by_passkey(
                    person,
                    token=frozen.token,
                    sent=sent,
                    again=lambda _, text=text: text,
                    act="sign_off",
                    purpose="sign_off",
                    address=None,
                )
                passkeys.append((shown + time.perf_counter() - began) * 1000)
                ceremony.hold(proof)
            began = time.perf_counter()
            sign_off_actions.sign_off(
                review=row,
                seat=seat,
                verdict="approve",
                digest=sign_off_statement.digest(text),
                prepared_at=at,
                seen=seen,
                by=person,
            )
            sign_offs.append((time.perf_counter() - began) * 1000)
            worker()
        plain.append(capture.timed(beside, told=True) * 1000)
        began = time.perf_counter()
        review_actions.decide(review=review, outcome="approved", reason="Measured.", by=cast.chair)
        promoted.append((time.perf_counter() - began) * 1000)
        worker()
    one = statistics.median(plain)
    for words, times in (("sign_off", signed), ("sign_off by passkey", proved), ("promote", promoted)):
        ratio = statistics.median(times) / one
        print(
            f"{words}: {statistics.median(times):.1f} ms = {ratio:.1f} x B ({one:.1f} ms)"
            f" (at most {MOST_OF_ACTS:g}: {'met' if ratio <= MOST_OF_ACTS else 'MISSED'})"
        )
    print(f"freezing the statement and checking the passkey: {statistics.median(passkeys):.1f} ms")
    if sealing:
        print(f"sealing what an act wrote, in the worker: {statistics.median(sealed):.1f} ms")


def supported_stages() -> None:
    """Every supported stage worked out anew, one initiative after the other, as the nightly job would after a new
    rulebook.
    """
    from initiatives.lifecycle.stages import periodic
    from initiatives.models import SupportedStage

    SupportedStage.objects.update(valid_until="2000-01-01T00:00:00Z")
    began = time.monotonic()
    done = periodic.recompute()
    took = time.monotonic() - began
    print(f"{len(done)} supported stages recomputed in {took:.0f} s ({1000 * took / len(done):.1f} ms each)")


if __name__ == "__main__":
    main()
