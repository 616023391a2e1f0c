"""What a rulebook was foretold to do is what it does: each initiative, each gap, each obligation, each sign-off."""

import contextlib
from collections import Counter
from datetime import timedelta

import pytest

from governance import clock
from governance.models import Rulebook
from governance.rulebook import RulebookErrors, shipped_text
from initiatives.lifecycle.stages import periodic
from initiatives.models import Review
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import rulebook_changes, rulebook_forecast
from tests.support.initiatives.open_reviews import signed_off
from tests.support.rules.rulebook_editing import read, with_values, without_requirement

pytestmark = pytest.mark.django_db
LATER = 40  # days: evidence has aged, and sign-offs still count


@pytest.fixture
@snapshots.kept
def company(cast):
    """An MVP, an initiative in production, and a review with sign-offs."""
    factories.make_production(cast, title="Runs")
    factories.make_mvp(cast, title="Bounded")
    signed_off(cast)
    return cast


def test_what_is_foretold_comes_true(company, rounds):
    """Fifty random changes under `--rounds 500`, a handful otherwise; together they meet every field."""
    source, met = Rulebook.objects.current().source, Counter()
    turns = range(50) if rounds >= 50 else range(3, len(rulebook_changes.FIELDS), 10)
    with clock.simulated(clock.now() + timedelta(days=LATER)):
        periodic.recompute()  # as the night before did
        for turn in turns:
            text, values = rulebook_changes.change(source, turn, f"try-{turn}", most=20)
            forecast, told = rulebook_forecast.foretold(text.source, company.admin)
            came = rulebook_forecast.happened(text.source, company.admin, company.chair)
            assert rulebook_forecast.differences(told, came) == [], values
            met.update(name for name, count in forecast.totals.items() if name != "asked" and count)
    assert {"more_work", "lose", "sign_offs"} <= set(met), met


def test_the_rulebook_with_levels_does_what_it_was_foretold_to_do(company):
    """The passage from 0.9: prototypes lack the screening of personal data, and nothing here is verified."""
    source = shipped_text()
    forecast, told = rulebook_forecast.foretold(source, company.admin)
    came = rulebook_forecast.happened(source, company.admin, company.chair)
    assert rulebook_forecast.differences(told, came) == []
    assert forecast.totals["lose"] == 3


def test_cases_live_on_under_a_rulebook_without_whatever_can_go(cast, as_):
    """Every requirement that nothing needs is removed and the rest published: pages open, forecasts come true."""
    running = factories.make_production(cast, title="Runs")
    bounded = factories.make_mvp(cast, title="Bounded")
    signed_off(cast)
    text = with_values(read(shipped_text()), {("version",): "2026.9"})
    gone = []
    for row in text.raw["requirement"]:
        with contextlib.suppress(RulebookErrors):
            text = without_requirement(text, row["key"])
            gone.append(row["key"])
    assert len(gone) > 20
    _, told = rulebook_forecast.foretold(text.source, cast.admin)
    came = rulebook_forecast.happened(text.source, cast.admin, cast.chair)
    assert rulebook_forecast.differences(told, came) == []
    factories.make_rulebook(cast.admin, cast.chair, source=text.source)
    owner, chair = as_(cast.owner), as_(cast.chair)
    pages = ["", "requirements/", "contract/", "integration/", "adoption/", "deployments/", "activity/"]
    for initiative in (running, bounded):
        for page in pages:
            assert owner.get(f"{initiative.get_absolute_url()}{page}").status_code == 200, page
    for page in ("/", "/initiatives/", "/ideas/", "/rulebook/", "/insights/", "/reviews/"):
        assert chair.get(page).status_code == 200, page
    for review in Review.objects.all():
        assert chair.get(review.get_absolute_url()).status_code == 200
