"""Written-down query counts for the main pages, and that they grow neither with the case nor with the portfolio.

A count that falls is written down lower; one that rises wants a reason.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.demo import life
from governance import clock
from initiatives import actions
from initiatives.models import Initiative, Review
from tests import factories

pytestmark = pytest.mark.django_db

# Page and the most it may ask the database, the session and the person among it; for whoever sees most of it.
MOST = {
    "/": 11,
    "/cases/": 11,
    "/cases/?view=board": 12,
    "{case}": 21,
    "{case}checklist/": 20,
    "{case}evidence/": 20,
    "{case}people/": 20,
    "{case}notes/": 22,
    "{case}contract/": 22,
    "{case}history/": 26,
    "{review}": 25,
    "{review}sign/risk_compliance/": 25,
    "/reviews/": 13,
    "/rulebook/": 9,
    "/notices/": 9,
}
# Only who holds the seat may open it.
FOR_THE_SEAT = "{review}sign/risk_compliance/"


@pytest.fixture
def review(cast) -> Review:
    """An MVP as they are, with a review for production open."""
    return actions.open_review(case=factories.make_mvp(cast), by=cast.owner)


def address(page: str, review: Review) -> str:
    """The page about this review and its case."""
    return page.format(case=review.initiative.get_absolute_url(), review=review.get_absolute_url())


def asked(client, page: str) -> int:
    """How often the page asks the database once it was seen before."""
    assert client.get(page).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(page)
    return len(queries)


@pytest.mark.parametrize("login", ["owner", "seat_risk", "chair", "auditor"])
def test_the_main_pages_ask_no_more_than_is_written_down(cast, as_, review, login):
    client = as_(getattr(cast, login))
    pages = [page for page in MOST if page != FOR_THE_SEAT or login == "seat_risk"]
    found = {page: asked(client, address(page, review)) for page in pages}
    over = {page: (count, MOST[page]) for page, count in found.items() if count > MOST[page]}
    assert not over, f"asked, written down: {over}"


def test_twice_the_evidence_costs_no_query_more(cast, as_, review):
    case, client = review.initiative, as_(cast.seat_risk)
    pages = [page for page in MOST if "{" in page and "history" not in page]
    before = {page: asked(client, address(page, review)) for page in pages}
    held = list(case.evidence.filter(kind="document", generated=False).prefetch_related("coverage"))
    for item in held * (case.evidence.count() // len(held) + 1):
        actions.add_evidence(
            case=case,
            kind="document",
            title=f"{item.title}, once more",
            observed_on=clock.today(),
            covers=[row.requirement for row in item.coverage.all()],
            file=life.pdf(f"{item.title}, once more"),
            by=cast.owner,
        )
    after = {page: asked(client, address(page, review)) for page in pages}
    assert {page: count for page, count in after.items() if count > before[page]} == {}


def test_ten_more_cases_and_reviews_cost_no_query_more(cast, as_, review):
    pages = ["/", "/cases/", "/cases/?view=board", "/reviews/", "/notices/", address("{case}", review)]
    client = as_(cast.seat_risk)
    factories.make_case(cast, title="The first idea")  # the board asks once for each stage that has cases
    before = {page: asked(client, page) for page in pages}
    for number in range(10):
        case = factories.make_case(cast, title=f"Idea {number}")
        if number < 3:
            life.parts(case, cast.team)
            actions.open_review(case=case, by=cast.owner)
    assert Initiative.objects.count() == 12
    after = {page: asked(client, page) for page in pages}
    assert {page: (before[page], count) for page, count in after.items() if count > before[page]} == {}
