"""Who depends on an initiative: how long they can bear an outage, stated in person by the executive who was named."""

import pytest
from django.core.exceptions import ValidationError

from adoption.demo import initiative_acts
from governance import clock
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.holds import dependant_deeds, dependant_inbox
from initiatives.lifecycle.holds.dependant_deeds import DEPENDS
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Dependant
from initiatives.models.versions import outage_words
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import acts, at, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def mvp(cast):
    return factories.make_mvp(cast)


@pytest.fixture
@snapshots.kept
def sales(cast, mvp) -> Dependant:
    """Sales depends on it, says the owner; somebody of another unit is named to state it."""
    return dependant_deeds.add_dependant(
        initiative=mvp,
        who="Sales desk",
        process="The weekly call round",
        for_what="Nobody is prepared.",
        bearable_outage_hours=48,
        executive=cast.outsider,
        by=cast.owner,
    )


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0, "no time at all"), (1, "1 hour"), (36, "36 hours"), (24, "1 day"), (72, "3 days"), (336, "2 weeks")],
)
def test_an_outage_is_told_in_the_largest_unit_that_fits(hours, words):
    assert outage_words(hours) == words


def test_hours_days_and_weeks_are_typed_as_people_count(cast, as_, mvp):
    typed = {
        "who": "Sales desk",
        "for_what": "Nobody is prepared.",
        "outage": "2",
        "unit": "weeks",
        "executive": cast.outsider.pk,
    }
    as_(cast.owner).post(at("initiative-act", mvp.ref, "record-dependant"), typed)
    assert mvp.dependants.get().bearable_outage_hours == 336
    page = text_of(as_(cast.owner).get(at("deployments", mvp.ref)))
    assert "can work for at most 2 weeks without the initiative" in page
    assert "not yet stated" in page
    assert "Sam Brook is asked" in page
    again = text_of(as_(cast.owner).post(at("initiative-act", mvp.ref, "record-dependant"), typed))
    assert "is already on the list" in again
    assert mvp.dependants.count() == 1


def test_whoever_owns_the_initiative_does_not_state_it(cast, mvp):
    with pytest.raises(ValidationError, match="cannot state this"):
        dependant_deeds.add_dependant(
            initiative=mvp,
            who="Everybody",
            for_what="All",
            bearable_outage_hours=1,
            executive=cast.owner,
            by=cast.owner,
        )


def test_the_executive_is_asked_reads_the_words_and_states_them(cast, as_, mvp, sales):
    client, url = as_(cast.outsider), at("dependants/state", sales.pk)
    inbox = text_of(client.get("/"))
    assert "Sales desk depends on Customer summary assistant" in inbox
    assert url in inbox
    # Naming somebody gives them this page and not the initiative.
    page = text_of(client.get(url))
    assert "Longest outage we can bear: 2 days." in page
    assert "Process: The weekly call round." in page
    assert mvp.get_absolute_url() not in page
    assert client.get(mvp.get_absolute_url()).status_code == 404
    assert client.get(at("deployments", mvp.ref)).status_code == 404
    with acts() as kinds:
        assert client.post(url).status_code == 302
    assert kinds == ["evidence added", "dependence stated"]
    row = mvp.dependants.get()
    assert row.confirmed_at
    assert row.statement.author == cast.outsider
    assert [cover.requirement for cover in row.statement.coverage.all()] == [DEPENDS]
    assert url not in text_of(client.get("/"))
    page = text_of(as_(cast.seat_risk).get(at("deployments", mvp.ref)))
    assert "stated" in page
    assert "by Sam Brook" in page


def test_nobody_states_it_for_another(cast, as_, mvp, sales):
    url = at("dependants/state", sales.pk)
    for person in (cast.owner, cast.chair, cast.admin, cast.second_admin):
        assert as_(person).get(url).status_code == 200, person
        with acts() as kinds:
            assert as_(person).post(url).status_code == 403, person
            assert as_(person).post(at("dependants/decline", sales.pk), {"reason": "No."}).status_code == 403
        assert kinds == ["refused"] + ["refused"] * (len(kinds) - 1)
    assert as_(cast.sponsor).get(url).status_code == 404
    assert as_(cast.sponsor).post(url).status_code == 404
    assert Dependant.objects.get().confirmed_at is None


def test_it_is_declined_with_a_reason_and_answered_once(cast, as_, mvp, sales):
    client, url = as_(cast.outsider), at("dependants/decline", sales.pk)
    with acts() as kinds:
        assert "Not saved yet" in text_of(client.post(url, {"reason": ""}))
        assert client.post(url, {"reason": "We could not bear an hour."}).status_code == 302
    assert kinds == ["dependence declined"]
    assert "We could not bear an hour." in text_of(as_(cast.owner).get(at("deployments", mvp.ref)))
    with pytest.raises(Conflict):
        dependant_deeds.state_dependence(dependant=sales, by=cast.outsider)
    assert as_(cast.outsider).post(at("dependants/state", sales.pk)).status_code == 409


def test_the_statement_is_evidence_until_the_dependence_ends(cast, as_, mvp, sales):
    dependant_deeds.state_dependence(dependant=sales, by=cast.outsider)
    item = mvp.evidence.get(coverage__requirement=DEPENDS)
    assert (item.kind, item.withdrawn_at) == ("attestation", None)
    with acts() as kinds:
        as_(cast.owner).post(
            at("row-act", "dependants", sales.pk, "close"), {"reason": "They have a tool of their own."}
        )
    assert kinds == ["evidence withdrawn", "dependant closed"]
    item.refresh_from_db()
    assert item.withdrawn_reason == "They have a tool of their own."


def test_a_step_back_to_a_prototype_ends_them(cast, mvp, sales):
    dependant_deeds.state_dependence(dependant=sales, by=cast.outsider)
    scope = {"users": "Two people", "user_count": 2, "rollout": False, "live_data": False}
    stage_actions.step_back(
        initiative=initiative_acts.fresh(mvp),
        reason="Unready.",
        users_told="By mail.",
        scope=scope,
        by=cast.chair,
    )
    row = Dependant.objects.select_related("statement").get()
    assert row.ended_at
    assert row.statement.withdrawn_at


def test_a_stopped_initiative_asks_nobody(cast, as_, mvp, sales):
    stage_actions.stop(initiative=mvp, reason_code="no_value", reason="No.", by=cast.owner)
    assert at("dependants/state", sales.pk) not in text_of(as_(cast.outsider).get("/"))
    assert list(dependant_inbox.reminders(clock.now())) == []
    with pytest.raises(Refused, match="so no one depends on it"):
        dependant_deeds.state_dependence(dependant=sales, by=cast.outsider)


def test_the_executive_is_reminded(cast, mvp, sales):
    (due,) = dependant_inbox.reminders(clock.now())
    assert due.person == cast.outsider
    assert due.link == at("dependants/state", sales.pk)
    assert "can work for at most 2 days without the initiative" in due.text
