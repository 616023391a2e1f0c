"""A shorter time for what was said: asked for by the owner, signed by the risk seat and an auditor, until a day."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from governance import clock
from governance.database.row_history import acting
from governance.interaction_retention import expiry
from governance.models import Entry, InteractionBody, User
from governance.permission_result import Conflict, Refused
from governance.privacy import retention
from initiatives.interactions import body_terms, reminders
from initiatives.interactions.body_terms import BODY_TERMS
from initiatives.models import BodyTerm
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db

BASIS = "Labour law of the canton, article 3: recordings of work for half a year only."


@pytest.fixture
def initiative(cast):
    return factories.make_mvp(cast)


def words(response) -> str:
    main = BeautifulSoup(response.content, "html.parser").find("main")
    return " ".join(main.get_text(" ").split())


def asked(initiative, cast, **changes) -> BodyTerm:
    fields = {"days": 183, "reason": BASIS, "until": clock.today() + timedelta(days=300)}
    return BODY_TERMS.ask(initiative, by=cast.owner, **(fields | changes))


def saved(row, **changes):
    """A row changed past every act."""
    with transaction.atomic(), unguarded(row._meta.db_table), acting(system="test", reason="Past the act"):
        for name, value in changes.items():
            setattr(row, name, value)
        row.save()
    return row


def made_auditor(person: User) -> User:
    return saved(User.objects.get(pk=person.pk), is_auditor=True)


def signed(initiative, cast, **changes) -> BodyTerm:
    term = BODY_TERMS.agree(row=asked(initiative, cast, **changes), by=cast.seat_risk)
    return BODY_TERMS.agree(row=term, by=cast.auditor)


def test_it_is_asked_for_signed_by_two_on_the_page_and_runs_until_its_day(initiative, cast, as_):
    page = reverse("interactions-kept", args=[initiative.ref])
    assert page in as_(cast.owner).get(reverse("interactions", args=[initiative.ref])).content.decode()
    sent = {"days": 200, "reason": BASIS, "until": (clock.today() + timedelta(days=90)).isoformat()}
    assert as_(cast.chair).post(page, sent).status_code == 403
    assert as_(cast.owner).post(page, sent).status_code == 302
    row = BodyTerm.objects.get()
    sign, refuse = (
        reverse("consent-answer", args=["body-terms", row.pk, verb]) for verb in ("agree", "refuse")
    )
    assert "Still needed: the risk seat and an auditor." in words(as_(cast.owner).get(page))
    for person in (cast.owner, cast.chair, cast.admin, cast.seat_value):
        assert "Agree as" not in words(as_(person).get(page))
        assert as_(person).post(sign, SIGNED).status_code == 403
    assert "Agree as risk seat" in words(as_(cast.seat_risk).get(page))
    assert "Agree as auditor" in words(as_(cast.auditor).get(page))
    assert BASIS in words(as_(cast.auditor).get(sign))
    assert as_(cast.auditor).post(sign, {"password": "guessed"}).status_code == 200
    assert BodyTerm.objects.get().auditor is None
    assert as_(cast.auditor).post(sign, SIGNED).status_code == 302
    assert body_terms.days_on(clock.today()) == {}, "one is not enough"
    assert as_(cast.auditor).post(sign, SIGNED).status_code == 403
    assert as_(cast.seat_risk).post(sign, SIGNED).status_code == 302
    assert body_terms.days_on(clock.today()) == {initiative.number: 200}
    said = words(as_(cast.owner).get(page))
    assert "Texts of interactions are kept for 200 days" in said
    assert "Ines Okafor agreed as risk seat." in said
    assert as_(cast.seat_risk).post(refuse, {"reason": ""} | SIGNED).status_code == 409
    assert body_terms.days_on(clock.today() + timedelta(days=90)) == {initiative.number: 200}
    assert body_terms.days_on(clock.today() + timedelta(days=91)) == {}
    told = Entry.objects.filter(kind="shorter time for interactions signed").order_by("id")
    assert [(one.facts["facts"]["part"], one.facts["facts"]["runs"]) for one in told] == [
        ("auditor", False),
        ("risk seat", True),
    ]
    history = as_(cast.owner).get(reverse("initiative-activity", args=[initiative.ref])).content.decode()
    assert "texts of interactions are kept for 200 days only" in history


def test_days_basis_and_end_are_bounded_by_the_act_and_the_days_by_the_database(initiative, cast):
    for wrong in (
        {"days": 182},
        {"days": 730},
        {"reason": " "},
        {"until": clock.today()},
        {"until": clock.today() + timedelta(days=366)},
    ):
        with pytest.raises(ValidationError) as found:
            asked(initiative, cast, **wrong)
        assert set(found.value.message_dict) == set(wrong)
    term = asked(initiative, cast)
    with pytest.raises(IntegrityError, match="a_body_term_is_of_183_to_729_days"):
        saved(BodyTerm.objects.get(pk=term.pk), days=182)
    with pytest.raises(Conflict, match="already requested"):
        asked(initiative, cast)


def test_nobody_signs_both_parts_nor_their_own(initiative, cast):
    both = made_auditor(cast.seat_risk)
    term = BODY_TERMS.agree(row=asked(initiative, cast), by=both)
    assert (term.risk_id, term.auditor_id) == (both.pk, None)
    with pytest.raises(Refused):
        BODY_TERMS.agree(row=term, by=both)
    with pytest.raises(Refused):
        BODY_TERMS.agree(row=term, by=made_auditor(cast.owner))
    assert BODY_TERMS.agree(row=term, by=cast.auditor).granted_at is not None


def test_a_request_that_is_refused_or_runs_out_is_kept_and_makes_room(initiative, cast, as_):
    term = asked(initiative, cast)
    refused = reverse("consent-answer", args=["body-terms", term.pk, "refuse"])
    assert as_(cast.owner).post(refused, {"reason": ""} | SIGNED).status_code == 403
    assert as_(cast.auditor).post(refused, {"reason": "No such article."} | SIGNED).status_code == 302
    with pytest.raises(Conflict):
        BODY_TERMS.agree(row=term, by=cast.seat_risk)
    lapsed = asked(initiative, cast, until=clock.today() + timedelta(days=5))
    with clock.simulated(clock.now() + timedelta(days=6)):
        with pytest.raises(Conflict):
            BODY_TERMS.agree(row=lapsed, by=cast.seat_risk)
        asked(initiative, cast)
        page = words(as_(cast.owner).get(reverse("interactions-kept", args=[initiative.ref])))
    assert "Refused by" in page
    assert "No such article." in page
    assert "No one answered in time" in page


def test_retention_goes_by_what_runs_and_stops_at_a_hold(initiative, cast, as_):
    keep(report(1), initiative=initiative.number)
    today = clock.now().date()
    signed(initiative, cast)
    due = clock.now() + timedelta(days=183)
    hold = retention.open_hold(initiative_ref=initiative.ref, reason="A claim", by=cast.auditor)
    assert "Interactions are removed or erased only after someone lifts the hold" in words(
        as_(cast.owner).get(reverse("interactions-kept", args=[initiative.ref]))
    )
    with clock.simulated(due):
        assert not expiry.expire(today + timedelta(days=183))
    retention.lift_hold(hold=hold, reason="Ended", by=cast.auditor)
    with clock.simulated(due):
        assert not expiry.expire(today + timedelta(days=182))
        assert expiry.expire(today + timedelta(days=183)).bodies == 1
    assert not InteractionBody.objects.exists()
    newer = signed(initiative, cast, days=400, until=clock.today() + timedelta(days=20))
    assert body_terms.days_on(clock.today()) == {initiative.number: 183}, "of two the shorter counts"
    assert newer.granted_at is not None


def test_who_signs_is_told_and_who_asked_before_it_ends(initiative, cast):
    def dues(days: int):
        moment = clock.now() + timedelta(days=days)
        with clock.simulated(moment):
            return [(due.person, due.period) for due in reminders.body_terms(moment)]

    term = asked(initiative, cast, until=clock.today() + timedelta(days=100))
    assert dues(0) == [(cast.seat_risk, "asked"), (cast.auditor, "asked")]
    BODY_TERMS.agree(row=term, by=cast.auditor)
    assert dues(1) == [(cast.seat_risk, "asked")]
    BODY_TERMS.agree(row=term, by=cast.seat_risk)
    assert dues(85) == []
    assert {person for person, _ in dues(86)} == {cast.owner}
    assert {person for person, _ in dues(97)} == {cast.owner}
    assert dues(101) == []
