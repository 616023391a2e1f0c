"""Who may do the deeds of a row, and what they refuse: asked of their functions."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from governance import clock
from governance.database.row_history import acting
from governance.models import Notification
from governance.permission_result import Refused
from initiatives.lifecycle.holds import deeds, dependant_deeds
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Dependant, Gap
from tests.support import factories

pytestmark = pytest.mark.django_db


def obligation(cast, initiative, kind="stepped_back"):
    """An obligation of the technical lead, due in five days."""
    with acting(system="test", reason="obligation"):
        return open_obligation(
            initiative,
            kind,
            source="test",
            text="Explain what changed",
            due=clock.today() + timedelta(days=5),
            responsible=cast.lead,
        )


def may(row, *people) -> list[bool]:
    return [bool(deeds.may_answer_for(row, person)) for person in people]


def test_an_obligation_is_completed_by_its_person_and_the_owner_and_by_others_once_that_person_is_gone(cast):
    initiative = factories.make_initiative(cast)
    sponsor = role_actions.propose_role(
        initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner
    )
    role_actions.accept_role(assignment=sponsor, by=cast.sponsor)
    row = obligation(cast, initiative)
    people = cast.lead, cast.owner, cast.sponsor, cast.chair, cast.outsider
    assert may(row, *people) == [True, True, False, False, False]
    row.responsible.is_active = cast.lead.is_active = False
    assert may(row, *people) == [False, True, True, True, False]
    row.responsible = None
    assert may(row, *people) == [False, True, True, True, False]


def test_a_step_back_is_explained(cast):
    initiative = factories.make_initiative(cast)
    row = obligation(cast, initiative)
    with pytest.raises(ValidationError) as error:
        deeds.complete_obligation(obligation=row, note=" ", by=cast.lead)
    assert list(error.value.error_dict) == ["note"]
    deeds.complete_obligation(obligation=row, note=" A check. ", by=cast.lead)
    row.refresh_from_db()
    assert row.completed_note == "A check."


@pytest.mark.parametrize("kind", sorted(deeds.COMPLETED_BY))
def test_what_another_act_completes_has_no_page_of_its_own(cast, kind):
    row = obligation(cast, factories.make_initiative(cast), kind)
    assert deeds.may_answer_for(row, cast.lead)
    answer = deeds.may_complete(row, cast.lead)
    assert not answer
    assert answer.reasons[0].remedy


def test_a_gap_needs_words_and_a_day_from_today_on(cast):
    initiative, today = factories.make_initiative(cast), clock.today()
    with pytest.raises(ValidationError) as error:
        deeds.open_gap(
            initiative=initiative,
            text=" ",
            owner=cast.lead,
            due=today - timedelta(days=1),
            downstream=[],
            by=cast.owner,
        )
    assert set(error.value.error_dict) == {"text", "due"}
    gap = deeds.open_gap(
        initiative=initiative, text="No payer", owner=cast.lead, due=today, downstream=[], by=cast.owner
    )
    assert gap.owner_accepted_at is None
    with pytest.raises(Refused):
        deeds.close_gap(gap=gap, by=cast.owner)
    deeds.close_gap(gap=gap, by=cast.lead)
    gap.refresh_from_db()
    assert (gap.closed_by, gap.closed_with, gap.owner_accepted_at is None) == (cast.lead, None, False)


@pytest.mark.parametrize(
    ("owns", "ended_risk", "required"), [(1, 0, False), (0, 0, True), (1, 1, True), (0, 1, True)]
)
def test_evidence_closes_a_gap_of_somebody_else_and_one_of_an_ended_risk(cast, owns, ended_risk, required):
    gap = Gap(initiative=factories.make_initiative(cast), ended_risk_id=ended_risk or None)
    field = deeds.CloseGapForm(gap=gap, owns=bool(owns)).fields["evidence"]
    assert field.required is required
    assert ("risk seat" in str(field.help_text)) is bool(ended_risk)


def test_a_hold_is_lifted_with_a_reason_and_who_opened_it_is_told(cast):
    initiative = factories.make_initiative(cast)
    hold = deeds.hold(initiative=initiative, reason="It named a customer.", by=cast.seat_risk)
    with pytest.raises(ValidationError) as error:
        deeds.lift_hold(hold=hold, reason=" ", by=cast.chair)
    assert list(error.value.error_dict) == ["reason"]
    deeds.lift_hold(hold=hold, reason="Masked since.", by=cast.chair)
    told = Notification.objects.filter(kind="hold lifted")
    assert cast.seat_risk in {row.person for row in told}
    assert cast.chair not in {row.person for row in told}


@pytest.mark.parametrize("confidential", [True, False])
def test_the_statement_names_a_confidential_initiative_by_its_reference_alone(cast, confidential):
    initiative = factories.make_initiative(cast)
    initiative.confidential = confidential
    words = dependant_deeds.statement_words(
        Dependant(
            initiative=initiative, who="Sales", for_what="Nobody is prepared.", bearable_outage_hours=48
        )
    )
    assert (initiative.title in words) is not confidential
    assert initiative.ref in words
    assert "Process:" not in words
