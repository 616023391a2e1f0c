"""What only others may consent to, of each kind: what the acts refuse, and the database past them."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from governance import clock
from governance.database.row_history import acting
from governance.permission_result import Refused
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.models import Waiver
from tests.app.initiatives.lifecycle.reviews.test_separation_of_duties import give_role, sit_down
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

pytestmark = pytest.mark.django_db

KINDS = {
    "waiver": WAIVERS,
    "accepted_risk": ACCEPTED_RISKS,
}


def asked(name: str, cast, initiative):
    """A request of this kind by the owner, and those who can agree to it."""
    until = clock.today() + timedelta(days=9)
    if name == "waiver":
        return WAIVERS.ask(initiative, key="mvp.workflow_known", reason="Later.", until=until, by=cast.owner)
    return factories.ask_risk(cast, initiative)


@pytest.fixture(params=list(KINDS))
def request_of(request, cast):
    """The name of a kind, the kind, and a request of it."""
    initiative = factories.make_mvp(cast)
    return request.param, KINDS[request.param], asked(request.param, cast, initiative)


def written(row, **changes) -> None:
    """The row changed past the acts, under whatever guards stand."""
    with transaction.atomic(), acting(system="test", reason="Past the act"):
        type(row).objects.filter(pk=row.pk).update(**changes)


def test_the_database_holds_who_consents_and_why_it_was_refused(cast, request_of):
    name, kind, row = request_of
    now, risk, others = clock.now(), cast.seat_risk, f"others_consent_to_a_{name}"
    first, *more = kind.model.PARTS
    wrong = [
        (others, {first: cast.owner, f"{first}_at": now}),
        (f"a_{name}_says_who_consented_and_when", {first: risk}),
        (f"a_{name}_says_who_consented_and_when", {f"{first}_at": now}),
        (f"a_refused_{name}_says_when_and_why", {"refused_by": risk, "refused_at": now}),
        (f"a_refused_{name}_says_when_and_why", {"refused_by": risk, "refused_reason": "No."}),
    ]
    for part in more:
        both = {first: risk, f"{first}_at": now, part: risk, f"{part}_at": now}
        wrong += [(others, both), (others, {part: cast.owner, f"{part}_at": now})]
    for rule, changes in wrong:
        with pytest.raises(DatabaseError, match=rule), transaction.atomic(), unguarded(row._meta.db_table):
            written(row, **changes)


def test_what_was_asked_and_answered_stays_as_it_was_written(cast, request_of):
    _name, kind, row = request_of
    for change in ({"reason": "Other."}, {"requested_at": clock.now()}, {"requested_by": cast.lead}):
        with pytest.raises(DatabaseError, match="stays as it was written"):
            written(row, **change)
    kind.refuse(row=row, reason="Show it.", by=cast.seat_risk)
    for change in ({"refused_reason": "Never."}, {"refused_reason": ""}, {"refused_at": None}):
        with pytest.raises(DatabaseError, match="stays as it was written"):
            written(row, **change)


def test_a_team_member_to_the_initiative_neither_agrees_nor_refuses(cast, request_of):
    _name, kind, row = request_of
    give_role(cast, row.initiative, "sponsor", cast.seat_risk)
    with pytest.raises(Refused):
        kind.agree(row=row, by=cast.seat_risk)
    with pytest.raises(Refused):
        kind.refuse(row=row, reason="No.", by=cast.seat_risk)
    row.refresh_from_db()
    assert not any(getattr(row, part) for part in kind.model.PARTS)


def test_nobody_answers_what_they_asked_for(cast, request_of):
    _name, kind, row = request_of
    row.requested_by = cast.seat_risk
    with transaction.atomic(), unguarded(row._meta.db_table), acting(system="test", reason="Another asked"):
        row.save()
    with pytest.raises(Refused):
        kind.agree(row=row, by=cast.seat_risk)
    with pytest.raises(Refused):
        kind.refuse(row=row, reason="No.", by=cast.seat_risk)


def test_a_refusal_says_why(cast, request_of):
    _name, kind, row = request_of
    with pytest.raises(ValidationError, match=r"Give a reason\. The person who asked reads the reason\."):
        kind.refuse(row=row, reason=" ", by=cast.seat_risk)


def test_nobody_agrees_in_two_parts(cast):
    row = asked("waiver", cast, factories.make_mvp(cast))
    sit_down(cast, cast.chair, "risk_compliance")
    row = WAIVERS.agree(row=row, by=cast.chair)
    with pytest.raises(Refused):
        WAIVERS.agree(row=row, by=cast.chair)
    assert not Waiver.objects.granted().exists(), "one is not enough"
    assert WAIVERS.agree(row=row, by=cast.seat_risk).granted_at is not None
    assert Waiver.objects.granted().get() == row
