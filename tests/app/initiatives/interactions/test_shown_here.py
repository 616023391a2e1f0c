"""What an initiative in production runs without: what is counted each night, and where it is said."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from governance import clock
from governance.rulebook import shipped_text
from governance.vocabulary import TakesEffect
from initiatives.interactions.comparison.reconciling import reconcile
from initiatives.lifecycle.facts import supported_stage, supported_stage_rows
from initiatives.lifecycle.findings import decision_days, sync
from initiatives.lifecycle.initiative_pages import past_views
from initiatives.models import MeasuredAnswer
from tests.app.initiatives.interactions.test_reconciling import done
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.servers.asking_systems import System, write

pytestmark = pytest.mark.django_db
BOTH = "Not enforced here. No log here."


@pytest.fixture
def initiative(cast):
    """One in production, on which the shipped rulebook decides, at noon of a Wednesday."""
    row = factories.make_production(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE)
    today = clock.today()
    wednesday = today + timedelta(days=(2 - today.weekday()) % 7 or 7)
    with time_machine.travel(clock.midnight_before(wednesday) + timedelta(hours=12)):
        yield row


@pytest.fixture
def made(cast, initiative):
    return factories.make_key(cast, initiative, days=300, scopes=["evaluate", "interactions"])


def in_days(days, hours=0):
    return time_machine.travel(clock.now() + timedelta(days=days, hours=hours))


def count():
    """What the worker counts at night."""
    reconcile()
    decision_days.count()
    sync.follow_register()


def governance(initiative):
    """The outcome of the scale test in the span that holds now, and what is missing."""
    span = initiative.spans.covering(clock.now()).get()
    return span.governance, span.runs_without


def test_requests_and_logged_calls_of_a_month_show_it_and_silence_ends_that(initiative, made):
    key, _ = made
    assert governance(initiative)[1] == ["enforcement", "log"]
    write(initiative, 2, key=key)
    done(initiative, key)
    with in_days(1):
        count()
        assert governance(initiative)[1] == []
        rows = {row.way: row for row in MeasuredAnswer.objects.current() if row.way in ("asked", "logged")}
        assert {way: row.requirement for way, row in rows.items()} == {
            "asked": "gov.enforced",
            "logged": "int.audit_trail",
        }
        assert not list(supported_stage_rows.differing([initiative.pk]))
    with in_days(2):
        count()
        still = MeasuredAnswer.objects.current().filter(way="asked").get()
        assert still == rows["asked"], "written anew once a week"
    with in_days(31):
        assert governance(initiative)[1] == ["enforcement", "log"], "without anybody's act"


def test_a_heartbeat_is_a_sign_of_enforcement_and_none_of_a_log(initiative, made):
    assert System(made[1].text).report({"heartbeat": True}).status_code == 200
    with in_days(1):
        count()
        assert governance(initiative)[1] == ["log"]


def test_an_imported_file_is_not_a_sign_of_a_log(initiative):
    done(initiative, None)
    with in_days(1):
        count()
        assert governance(initiative)[1] == ["enforcement", "log"]


def test_no_page_calls_it_a_green_pass_while_nothing_that_runs_shows_it(cast, as_, initiative):
    with in_days(0, 1):
        outcome, _ = governance(initiative)
        client = as_(cast.owner)
        page = text_of(client.get(at("initiative", initiative.ref)))
        assert BOTH in page
        assert outcome != "passes"
        listed = text_of(client.get(reverse("portfolio")))
        assert BOTH in listed
        assert "Governance: passes" not in listed
        export = b"".join(client.get(reverse("portfolio-export"))).decode()
        assert "Runs without" in export
        assert BOTH in export
        judged = supported_stage.judged(initiative)
        assert judged.support.tests["governance"] != "passes"
        then = past_views.then_of(initiative.number).sections["Stages"]
        assert then["Shown by the running system"][1] == BOTH


def test_before_production_no_page_says_it(cast, as_):
    mvp = factories.make_mvp(cast)
    assert BOTH not in text_of(as_(cast.owner).get(at("initiative", mvp.ref)))
    assert BOTH not in text_of(as_(cast.owner).get(reverse("portfolio")))
