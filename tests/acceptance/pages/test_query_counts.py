"""Written-down costs of the main pages: queries, and calls of Python functions.

They grow neither with the initiative nor with the portfolio. A count that falls is written down lower; one that rises
wants a reason.
"""

import random
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.contracts.clauses import MOST_CLAUSES, Terms
from governance.models import User
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import comments
from initiatives.contracts.documents.actions import Written
from initiatives.inbox.tasks import views
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Initiative, Review
from tests.drills.company import thousands
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import open_reviews
from tests.support.web.query_counts import COUNTED, asked, cost, counted

pytestmark = pytest.mark.django_db

# Page, the most queries (session and person among them), and the most thousands of calls of functions, for the person
# who sees most of it. One query of each page of an initiative reads which seats object.
MOST = {
    # One for what adoption puts in inboxes, one for new seats, one for whose move the open reviews near the person are,
    # one for snoozed lines, two for notifications to know and which of them are still theirs to read, one for counts
    # that differ from files.
    "/": (12, 25),
    "{initiative}incidents/": (16, 37),
    "/initiatives/": (11, 40),
    "/initiatives/?view=board": (12, 50),
    "{initiative}": (15, 66),  # whether its demo is older than its integration work is one query of its own
    "{initiative}requirements/": (11, 75),
    "{initiative}evidence/": (11, 49),
    "{initiative}people/": (12, 36),
    "{initiative}notes/": (14, 37),
    "{initiative}integration/profiles/": (12, 29),
    # one each: days against decisions, promises of calls, what was not understood
    "{initiative}interactions/": (16, 44),
    # what came of the decisions of four weeks is one query, answers to pipelines two
    "{initiative}api-access/": (18, 52),
    "{initiative}integration/residency/": (13, 33),
    "/vendors/": (8, 18),  # vendors of components are among them
    "/policies/": (6, 12),
    "/regions/": (7, 32),
    "{initiative}decisions/": (16, 44),
    "{initiative}integration/": (16, 46),
    "/systems/": (8, 23),
    "{initiative}contract/dry-run/": (18, 37),
    "{initiative}deployments/": (16, 43),
    "{initiative}approvals/": (13, 44),
    "{initiative}contract/": (16, 44),  # comments, objections and controls of its clauses are asked for, too
    "{initiative}contract/changes/": (13, 31),
    "{initiative}contract/clauses/1/": (13, 34),
    "{initiative}contract/edit/": (15, 39),  # the words of the contract are on it
    "{initiative}contract/edit/1/": (14, 70),
    # beside its acts: the decisions, the folds counted, seats and items that signed
    "{initiative}activity/": (20, 145),  # a contract in force files its clauses as evidence
    "{review}": (16, 108),
    # by what its person can sign: passkeys, an app, linked accounts; second looks
    "{review}sign/risk_compliance/": (19, 60),
    "/reviews/": (13, 27),  # whose move each is, of those near the person and of those on the page
    "/search/?q=claims": (
        16,
        64,
    ),  # stubs of initiatives that may not be opened; accounts, whose absence would tell
    "{initiative}integration/effort/": (18, 54),
    "/insights/money/": (15, 55),  # spend by stage is two of them
    "/insights/people/": (17, 62),
    "/insights/effort/": (7, 31),
    "/decisions/": (11, 114),
    "/ideas/": (6, 11),
    "{initiative}stub/": (7, 20),
    "/insights/flow/": (12, 60),
    "/insights/": (28, 84),  # initiatives by stage are one
    "/meetings/": (7, 21),
    # one query for derived rows that were corrected, one for event receivers, two for lost second factors
    "/status/": (14, 30),
    "/accounts/": (6, 33),
    "/organisation/units/": (11, 19),
    "/organisation/boards/": (11, 27),
    "/rulebook/": (7, 150),
    "/components/": (9, 29),
}
# Pages that are not for everybody, and who opens them.
ONLY = {
    "{review}sign/risk_compliance/": ("seat_risk",),
    "{initiative}contract/edit/": ("owner",),
    "{initiative}contract/edit/1/": ("owner",),
    "/ideas/": ("seat_risk", "chair"),
    "/status/": ("admin",),
    "/accounts/": ("admin",),
    "/organisation/units/": ("admin", "auditor"),
    "/organisation/boards/": ("admin", "auditor"),
}
# Pages of the contract whose length grows with it: its newest version, the editor, changes.
OF_CONTRACT = ("?version=2", "edit/", "changes/")
EVERYBODY = ("owner", "seat_risk", "chair", "auditor")
FULL = 500  # rounds from which everybody opens every page of theirs


@pytest.fixture
@snapshots.kept
def review(cast) -> Review:
    """An MVP as they are, with a review for production open."""
    return review_actions.open_review(initiative=factories.make_mvp(cast), by=cast.owner)


def address(page: str, review: Review) -> str:
    """The page about this review and its initiative."""
    return page.format(initiative=review.initiative.get_absolute_url(), review=review.get_absolute_url())


def read_by(login: str, rounds: int) -> list[str]:
    """The pages that somebody opens here: in the suite two of their readers each, in turn, in the drills all."""
    readers = {page: ONLY.get(page, EVERYBODY) for page in MOST}
    if rounds < FULL:
        readers = {
            page: {who[place % len(who)], who[(place + 1) % len(who)]}
            for place, (page, who) in enumerate(readers.items())
        }
    return [page for page in MOST if login in readers[page]]


def too_much(client, page: str, review: Review) -> tuple | None:
    """The page, its cost, and what is written down of it, or None if it costs no more than that."""
    queries, calls = cost(client, address(page, review))
    most = MOST[page]
    over = queries > most[0] or (calls > most[1] and sys.version_info[:2] == COUNTED)
    return (page, (queries, calls), most) if over else None


def _one(number: int) -> int:
    return number


@pytest.mark.parametrize("login", [*EVERYBODY, "admin"])
def test_the_main_pages_ask_no_more_than_is_written_down(cast, as_, review, login, rounds):
    client = as_(getattr(cast, login))
    over = [one for page in read_by(login, rounds) if (one := too_much(client, page, review))]
    assert not over, f"page, queries and thousands of calls, written down: {over}"


@pytest.mark.parametrize("planted", [User.objects.exists, lambda: [*map(_one, range(20_000))]])
def test_one_more_query_or_twenty_thousand_more_calls_are_too_much(cast, as_, review, monkeypatch, planted):
    client, ageing = as_(cast.owner), views._ageing
    assert not too_much(client, "/", review)
    monkeypatch.setattr(views, "_ageing", lambda seen: planted() and ageing(seen))
    assert too_much(client, "/", review)


def test_twice_the_evidence_costs_no_query_more(cast, as_, review):
    initiative, client = review.initiative, as_(cast.seat_risk)
    seat = [page for page in MOST if "seat_risk" in ONLY.get(page, EVERYBODY)]
    pages = [page for page in seat if "{" in page and "/activity/" not in page]
    before = {page: asked(client, address(page, review)) for page in pages}
    held = list(initiative.evidence.filter(kind="document", generated=False).prefetch_related("coverage"))
    for item in held * (initiative.evidence.count() // len(held) + 1):
        evidence_actions.add_evidence(
            initiative=initiative,
            kind="document",
            title=f"{item.title}, once more",
            observed_on=clock.today(),
            covers=[row.requirement for row in item.coverage.all()],
            file=artefacts.pdf(f"{item.title}, once more"),
            by=cast.owner,
        )
    after = {page: asked(client, address(page, review)) for page in pages}
    assert {page: count for page, count in after.items() if count > before[page]} == {}


def test_two_hundred_clauses_cost_no_query_more(cast, as_, review):
    initiative, client = initiative_acts.fresh(review.initiative), as_(cast.owner)
    pages = [f"{initiative.get_absolute_url()}contract/{page}" for page in OF_CONTRACT]
    few = initiative_acts.CLAUSES
    contract_actions.save_contract(initiative=initiative, clauses=few, by=cast.owner)
    comments.comment_on_clause(
        initiative=initiative_acts.fresh(initiative), number=1, text="Why?", by=cast.seat_risk
    )
    before = {page: asked(client, page) for page in pages}
    days = [Written("retention", terms=Terms(days=1000 + more)) for more in range(MOST_CLAUSES - len(few))]
    contract_actions.save_contract(
        initiative=initiative_acts.fresh(initiative), clauses=[*few, *days], by=cast.owner
    )
    numbers = (
        initiative_acts.fresh(initiative)
        .contract.versions.get(state="draft")
        .clauses.values_list("number", flat=True)
    )
    assert len(numbers) == MOST_CLAUSES
    for number in numbers[::4]:
        comments.comment_on_clause(
            initiative=initiative_acts.fresh(initiative), number=number, text="And?", by=cast.seat_risk
        )
    after = {page: asked(client, page) for page in pages}
    assert {page: (before[page], count) for page, count in after.items() if count > before[page]} == {}
    assert max(after.values()) <= 25


def test_ten_more_initiatives_and_reviews_cost_no_query_more(cast, as_, review):
    pages = [
        "/",
        "/initiatives/",
        "/initiatives/?view=board",
        "/reviews/",
        address("{initiative}", review),
    ]
    client = as_(cast.seat_risk)
    factories.make_initiative(
        cast, title="The first idea"
    )  # the board asks once for each stage that has initiatives
    before = {page: asked(client, page) for page in pages}
    for number in range(10):
        initiative = factories.make_initiative(cast, title=f"Idea {number}")
        if number < 3:
            initiative_acts.parts(initiative, cast.team)
            review_actions.open_review(initiative=initiative, by=cast.owner)
    assert Initiative.objects.count() == 12
    after = {page: asked(client, page) for page in pages}
    assert {page: (before[page], count) for page, count in after.items() if count > before[page]} == {}


def test_an_owner_of_300_initiatives_costs_no_query_more_than_one_of_30(cast, as_):
    """With evidence that ages, measures, drills and answers of each."""
    whole, counts = factories.make_production(cast), []
    for initiatives in (30, 300):
        thousands.more(initiatives, whole, cast, [cast.owner], [cast.unit], random.Random(1))
        with connection.cursor() as cursor:
            cursor.execute("DISCARD TEMP")  # the tables of copies, which a commit would drop
        with clock.simulated(clock.now() + timedelta(days=75)):
            counts.append(asked(as_(cast.owner), "/"))
    assert counts[1] <= counts[0] <= 18


def test_a_sign_off_and_a_promotion_send_no_more_than_is_written_down(cast):
    """What a sign-off and a promotion check, write, record and tell, in so many statements (ADR 0020)."""
    review = open_reviews.before_mvp(cast)
    *others, last = review.rulebook.parsed.gates[review.gate].seats
    initiative_acts.sign_offs(review, cast.team, seats=others)
    with CaptureQueriesContext(connection) as sign_off, counted() as signing:
        initiative_acts.sign_offs(review, cast.team, seats=[last])
    with CaptureQueriesContext(connection) as promotion, counted() as promoting:
        review_actions.decide(review=review, outcome="approved", reason="Shown.", by=cast.chair)
    assert len(sign_off) <= 26
    assert len(promotion) <= 26
    if sys.version_info[:2] == COUNTED:
        # A contract files each of its clauses as evidence, and a review is judged with all of them.
        assert signing[0] <= 39_000
        assert promoting[0] <= 43_000
    moved = Initiative.objects.get(pk=review.initiative_id).stage_changes.get(to_stage="mvp")
    assert moved.supported_then == "mvp", "what the review snapshot found, before the move"
