"""The duty to write: every way to escape it is tried for real. The obligation stands, and holds up its responsible's
reviews.

See docs/domain.md, invariant 14. What an act may do all the same (hand an initiative over, merge units) it does; what
it must not is refused.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError
from django.urls import reverse

from adoption.demo import initiative_acts
from adoption.models import PostMortem
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems import permissions as postmortem_permissions
from adoption.postmortems.writing import write
from governance import clock
from governance.database.row_history import acting
from governance.models import Unit
from governance.permission_result import Refused
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds.actions import complete_confirmed
from initiatives.lifecycle.initiative import review_state, similar_initiatives
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.roles import handovers
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative, Obligation, Review, RoleAssignment
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.insights import report_links
from initiatives.portfolio.units import actions as unit_actions
from initiatives.portfolio.units import leaving
from tests.acceptance.input.test_inventories import text_upload
from tests.app.adoption.postmortems.test_postmortems import LESSON, WHOLE
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots
from tests.support.initiatives import boards
from tests.support.rules.plain_rulebook import plain_text

TITLE = "Customer summary assistant"


@dataclass
class Scene:
    """A stopped prototype whose owner must give its post-mortem, and the same owner's MVP review on another
    initiative.
    """

    cast: factories.Cast
    stopped: Initiative
    obligation: Obligation
    other: Initiative
    review: Review

    def held_up(self, review: Review | None = None) -> bool:
        """Whether a review cannot be decided for what is due."""
        review = Review.objects.select_related("initiative__unit", "rulebook").get(
            pk=(review or self.review).pk
        )
        blockers = [reason.text for reason in review_state.snapshot_of(review).verdict.blockers]
        return any(self.stopped.ref in said and self.obligation.text in said for said in blockers)

    def stands(self) -> None:
        """The obligation is what it was, open, and on the list of what is overdue."""
        obligation = Obligation.objects.get(pk=self.obligation.pk)
        for name in ("responsible_id", "due", "kind", "source", "opened_at", "initiative_id"):
            assert getattr(obligation, name) == getattr(self.obligation, name), name
        assert obligation.completed_at is None
        assert self.stopped in report_links.overdue_post_mortems(Initiative.objects.all())


@snapshots.kept
def _scene(cast) -> Scene:
    stopped = factories.make_prototype(cast, title=TITLE)
    other = initiative_acts.propose_and_confirm_tier(
        factories.make_prototype(cast, title="Invoice reader"), cast.team
    )
    stage_actions.stop(initiative=stopped, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    review = review_actions.open_review(initiative=Initiative.objects.get(pk=other.pk), by=cast.owner)
    return Scene(cast, stopped, stopped.obligations.get(kind="post_mortem"), other, review)


@pytest.fixture
def scene(cast):
    """The scene, on the day after the obligation fell due."""
    scene = _scene(cast=cast)
    assert not scene.held_up(), "nothing is held up before its day"
    with clock.simulated(clock.now() + timedelta(days=31)):
        assert scene.held_up()
        yield scene


def own(initiative: Initiative, person, by) -> None:
    role = role_actions.propose_role(
        initiative=Initiative.objects.get(pk=initiative.pk), role="owner", person=person, by=by
    )
    role_actions.accept_role(assignment=role, by=person)


def draft_of(scene, **words) -> PostMortem:
    row = postmortem_actions.start(obligation=scene.obligation, by=scene.cast.owner)
    return write(post_mortem=row, by=scene.cast.owner, **WHOLE | {"lessons": [LESSON]} | words)


# --- What may be done, and leaves the obligation where it is
# ----------------------------------------------------------------


def hand_the_waiting_initiative_over(scene):
    """Its review was opened under the responsible person: it stays held up while the responsible person is here."""
    own(scene.other, scene.cast.lead, scene.cast.owner)


def lay_the_role_down(scene):
    role = RoleAssignment.objects.get(initiative=scene.other, role="owner", ended_at=None)
    role_actions.revoke_role(assignment=role, reason="Too busy.", by=scene.cast.owner)


def hand_over_what_can_be(scene):
    chosen = {scene.other: scene.cast.lead}
    rows = handovers.propose_handover(
        person=scene.cast.owner, chosen=chosen, reason="On leave", by=scene.cast.owner
    )
    handovers.accept_handovers(handovers=rows, by=scene.cast.lead)


def register_again_under_another_title(scene):
    near = similar_initiatives.similar(f"{TITLE} two", "", Initiative.objects.all()).stubs
    assert scene.stopped.ref in {stub.ref for stub in near}, "the one before is named while typing"
    again = factories.make_prototype(scene.cast, title="Account digest, second try")
    initiative_acts.propose_and_confirm_tier(again, scene.cast.team)
    review = review_actions.open_review(initiative=Initiative.objects.get(pk=again.pk), by=scene.cast.owner)
    assert scene.held_up(review)


def open_the_review_anew(scene):
    review_actions.withdraw_review(review=scene.review, reason="Again.", by=scene.cast.owner)
    scene.review = review_actions.open_review(
        initiative=Initiative.objects.get(pk=scene.other.pk), by=scene.cast.owner
    )


def merge_the_unit(scene):
    cast = scene.cast
    boards.make_board(cast, cast.elsewhere, "Logistics board", chair=cast.outsider)
    with suppress(ValidationError):
        unit_actions.merge_units(unit=cast.unit, into=cast.elsewhere, reason="Reorganised", by=cast.admin)
    assert Unit.objects.get(pk=cast.unit.pk).merged_into == cast.elsewhere


def get_a_new_board(scene):
    boards.make_board(scene.cast, scene.cast.unit, "A friendlier board", chair=scene.cast.outsider)


def give_longer_days(scene):
    rulebook = plain_text().replace("post_mortem_due_days = 30", "post_mortem_due_days = 3000")
    rulebook = rulebook.replace('version = "', 'version = "lenient-', 1)
    factories.make_rulebook(scene.cast.admin, scene.cast.chair, rulebook)


def import_over_it(scene):
    text = f"id,title,stage,organisation\n1,{TITLE},production,Retail\n"
    with suppress(ValidationError, Refused):
        batch = text_upload(scene.cast.admin, text)
        inventory_actions.confirm_batch(batch=batch, by=scene.cast.admin)


def be_away_with_a_delegate(scene):
    cast = scene.cast
    today = clock.today()
    absence = absence_actions.plan_absence(
        first=today, last=today + timedelta(days=60), asked=[Asked(cast.lead)], by=cast.owner
    )
    absence_actions.accept_delegation(delegation=absence.delegations.get(), by=cast.lead)
    assert postmortem_permissions.may_start(scene.obligation, cast.lead), "who stands in may write it"


def begin_it_and_leave_it(scene):
    draft_of(scene)


def hand_it_in_and_leave_it(scene):
    row = draft_of(scene)
    postmortem_actions.hand_in(post_mortem=row, version=row.version, by=scene.cast.owner)


def say_no_lesson_and_leave_it(scene):
    row = draft_of(
        scene, lessons=[], no_lesson_because="It was a copy of another initiative, closed long ago."
    )
    postmortem_actions.hand_in(post_mortem=row, version=row.version, by=scene.cast.owner)


HAPPENS = [
    hand_the_waiting_initiative_over,
    lay_the_role_down,
    hand_over_what_can_be,
    register_again_under_another_title,
    open_the_review_anew,
    merge_the_unit,
    get_a_new_board,
    give_longer_days,
    import_over_it,
    be_away_with_a_delegate,
    begin_it_and_leave_it,
    hand_it_in_and_leave_it,
    say_no_lesson_and_leave_it,
]


@pytest.mark.django_db
@pytest.mark.parametrize("way", HAPPENS, ids=lambda way: way.__name__)
def test_the_obligation_stands_and_holds_up_whatever_happens(scene, way):
    way(scene)
    scene.stands()
    assert scene.held_up(), "the reviews of the responsible person wait"


# --- What is refused --------------------------------------------------------------------------------------------------


def hand_the_stopped_initiative_over(scene):
    own(scene.stopped, scene.cast.lead, scene.cast.owner)


def stop_twice(scene):
    stage_actions.stop(initiative=scene.stopped, reason_code="cost", reason="Again.", by=scene.cast.owner)


def reopen_and_stop(scene):
    stage_actions.reopen(initiative=scene.stopped, reason="Another try.", by=scene.cast.chair)


def withdraw(scene):
    detail_actions.withdraw(initiative=scene.stopped, reason="By mistake.", by=scene.cast.owner)


def join_to_another(scene):
    detail_actions.withdraw(
        initiative=scene.stopped, reason="One of them.", joined_to=scene.other, by=scene.cast.owner
    )


def retire(scene):
    stage_actions.retire(initiative=scene.stopped, reason="An emergency.", by=scene.cast.chair)


def complete_by_hand(scene):
    hold_deeds.complete_obligation(
        obligation=scene.obligation, note="It was talked about.", by=scene.cast.owner
    )


def complete_past_the_page(scene):
    with acting(by=scene.cast.owner):
        complete_confirmed(obligation=scene.obligation, by=scene.cast.owner, note="Done")


def complete_by_a_draft(scene):
    draft_of(scene)
    complete_past_the_page(scene)


def delete_by_orm(scene):
    with acting(by=scene.cast.admin):
        scene.obligation.delete()


def delete_many_by_orm(scene):
    with acting(by=scene.cast.admin):
        Obligation.objects.filter(initiative=scene.stopped).delete()


def delete_the_initiative(scene):
    with acting(by=scene.cast.admin):
        scene.stopped.delete()


def delete_the_account(scene):
    row = postmortem_actions.start(obligation=scene.obligation, by=scene.cast.owner)
    with acting(by=scene.cast.admin):
        row.delete()


def _changed(scene, **fields):
    obligation = Obligation.objects.get(pk=scene.obligation.pk)
    with acting(by=scene.cast.admin):
        for name, value in fields.items():
            setattr(obligation, name, value)
        obligation.save()


def due_later(scene):
    _changed(scene, due=clock.today() + timedelta(days=900))


def backdate_it(scene):
    _changed(scene, opened_at=clock.now() - timedelta(days=900))


def make_another_responsible(scene):
    _changed(scene, responsible=scene.cast.lead)


def make_nobody_responsible(scene):
    _changed(scene, responsible=None)


def call_it_something_else(scene):
    _changed(scene, kind="criterion")


def move_it_to_another_initiative(scene):
    _changed(scene, initiative=scene.other)


def hand_in_one_sign_each(scene):
    row = draft_of(scene, **{name: "x" for name in WHOLE if name != "causes"})
    postmortem_actions.hand_in(post_mortem=row, version=row.version, by=scene.cast.owner)


def hand_in_nothing(scene):
    row = postmortem_actions.start(obligation=scene.obligation, by=scene.cast.owner)
    postmortem_actions.hand_in(post_mortem=row, version=row.version, by=scene.cast.owner)


def let_no_lesson_pass_unsaid(scene):
    say_no_lesson_and_leave_it(scene)
    row = PostMortem.objects.get()
    postmortem_actions.confirm(post_mortem=row, version=row.version, by=scene.cast.seat_adoption)


def _handed_in(scene) -> PostMortem:
    row = draft_of(scene)
    return postmortem_actions.hand_in(post_mortem=row, version=row.version, by=scene.cast.owner)


def confirm_it_oneself(scene):
    """Even in the seat, which an admin gave the owner."""
    row, cast = _handed_in(scene), scene.cast
    _seat(scene, cast.owner)
    postmortem_actions.confirm(post_mortem=row, version=row.version, by=cast.owner)


def confirm_by_whoever_helped_to_write(scene):
    """A helper who laid the role down since, and sits in the seat now."""
    cast = scene.cast
    row = draft_of(scene)
    with unguarded("initiatives_roleassignment"), acting(system="test"):
        role = RoleAssignment(
            initiative=scene.stopped,
            role="technical_lead",
            person=cast.outsider,
            proposed_by=cast.owner,
            proposed_at=clock.now(),
            accepted_at=clock.now(),
        )
        role.save()
    write(post_mortem=row, by=cast.outsider, lucky="Nobody asked for it in the week it was down.")
    with acting(system="test"):
        role.ended_at, role.ended_reason = clock.now(), "Elsewhere now"
        role.save()
    _seat(scene, cast.outsider)
    row = postmortem_actions.hand_in(post_mortem=row, version=row.version + 1, by=cast.owner)
    postmortem_actions.confirm(post_mortem=row, version=row.version, by=cast.outsider)


def _laid_down(scene) -> PostMortem:
    """Handed in; the technical lead of the failure laid the role down since, and sits in the seat now."""
    row, cast = _handed_in(scene), scene.cast
    with unguarded("initiatives_roleassignment"), acting(system="test"):
        RoleAssignment(
            initiative=scene.stopped,
            role="technical_lead",
            person=cast.lead,
            proposed_by=cast.owner,
            proposed_at=scene.obligation.opened_at - timedelta(days=9),
            accepted_at=scene.obligation.opened_at - timedelta(days=9),
            ended_at=clock.now(),
            ended_reason="Elsewhere now",
        ).save()
    _seat(scene, cast.lead)
    return row


def confirm_as_who_had_a_role_then(scene):
    row = _laid_down(scene)
    postmortem_actions.confirm(post_mortem=row, version=row.version, by=scene.cast.lead)


def publish_as_who_had_a_role_then(scene):
    row = _laid_down(scene)
    row.state, row.published_at, row.published_by = "published", clock.now(), scene.cast.lead
    with acting(by=scene.cast.lead):
        row.save()


def _seat(scene, person) -> None:
    """Put somebody into the adoption seat, in place of who sits there."""
    cast = scene.cast
    leaving.revoke_membership(
        membership=cast.board.memberships.get(seat="adoption_change", ends_at=None),
        reason="Moved",
        by=cast.admin,
    )
    factories.make_seat(cast, person, "adoption_change")


def publish_it_past_the_seat(scene):
    row = _handed_in(scene)
    row.state, row.published_at, row.published_by = "published", clock.now(), scene.cast.owner
    with acting(by=scene.cast.owner):
        row.save()


def publish_a_draft(scene):
    row = draft_of(scene)
    row.state, row.handed_in_at, row.handed_in_by = "published", clock.now(), scene.cast.owner
    row.published_at, row.published_by = clock.now(), scene.cast.seat_adoption
    with acting(by=scene.cast.admin):
        row.save()


def lift_it_twice(scene):
    """Once the chair may, with a reason, for one initiative; not again for that initiative."""
    excuse(scene, "The season cannot wait.")
    assert not scene.held_up(), "the chair may let it pass"
    excuse(scene, "And again.")


def lift_it_without_a_reason(scene):
    excuse(scene, " ")


def lift_it_oneself(scene):
    excuse(scene, "I am busy.", by=scene.cast.owner)


def excuse(scene, reason: str, by=None) -> None:
    initiative = Initiative.objects.get(pk=scene.other.pk)
    hold_deeds.excuse_obligation(
        obligation=scene.obligation, initiative=initiative, reason=reason, by=by or scene.cast.chair
    )


# By hand: each way, and the words with which it is refused.
REFUSED = {
    hand_the_stopped_initiative_over: "can no longer change",
    stop_twice: "stopped",
    reopen_and_stop: "The post-mortem of this initiative is still due",
    withdraw: "idea",
    join_to_another: "idea",
    retire: "This initiative is not in production, so it cannot be retired",
    complete_by_hand: "A published and confirmed post-mortem completes",
    complete_past_the_page: "completed by its published post-mortem alone",
    complete_by_a_draft: "completed by its published post-mortem alone",
    delete_by_orm: "a row of initiatives_obligation is kept",
    delete_many_by_orm: "a row of initiatives_obligation is kept",
    delete_the_initiative: "protected foreign keys",
    delete_the_account: "a row of adoption_postmortem is kept",
    due_later: "of initiatives_obligation stays",
    backdate_it: "stays as it was written",
    make_another_responsible: "of initiatives_obligation stays",
    make_nobody_responsible: "of initiatives_obligation stays",
    call_it_something_else: "of initiatives_obligation stays",
    move_it_to_another_initiative: "of initiatives_obligation stays",
    hand_in_one_sign_each: "This section is too short",
    hand_in_nothing: "This section is empty",
    let_no_lesson_pass_unsaid: "The post-mortem has no lesson",
    confirm_it_oneself: "Marta Lindqvist is business owner of this initiative",
    confirm_by_whoever_helped_to_write: "so someone else must confirm it",
    confirm_as_who_had_a_role_then: "You had a role on this initiative when it happened",
    publish_as_who_had_a_role_then: "had no role on the initiative since it happened",
    publish_it_past_the_seat: "by somebody who neither wrote nor had to write it",
    publish_a_draft: "out of review",
    lift_it_twice: "was already allowed once despite this obligation",
    lift_it_without_a_reason: "Explain why this decision is allowed while the obligation is due",
    lift_it_oneself: "Only the chair",
}


@pytest.mark.django_db
@pytest.mark.parametrize("way", REFUSED, ids=lambda way: way.__name__)
def test_no_way_past_it(scene, way):
    refusals = (Refused, ValidationError, DatabaseError, ProtectedError)
    with pytest.raises(refusals, match=REFUSED[way]), transaction.atomic():
        way(scene)
    scene.stands()
    assert scene.held_up()


@pytest.mark.django_db
def test_where_the_responsible_left_sponsor_or_chair_write_and_it_still_stands(scene, as_):
    cast = scene.cast
    leaving.deactivate(person=cast.owner, reason="Left", by=cast.admin)
    scene.stands()
    assert postmortem_permissions.may_start(scene.obligation, cast.chair)
    assert not postmortem_permissions.may_start(scene.obligation, cast.lead)
    leaving.reactivate(person=cast.owner, reason="Back", by=cast.admin)
    scene.stands()
    assert cast.owner.pk == Obligation.objects.get(pk=scene.obligation.pk).responsible_id, (
        "whoever comes back still has to write it"
    )


@pytest.mark.django_db
def test_whoever_laid_the_role_down_before_stopping_must_give_it_all_the_same(scene):
    lay_the_role_down(scene)
    stage_actions.stop(initiative=scene.other, reason_code="cost", reason="Too dear.", by=scene.cast.chair)
    assert scene.other.obligations.get(kind="post_mortem").responsible == scene.cast.owner


@pytest.mark.django_db
def test_admins_cannot_delete_it_on_their_pages(scene, as_):
    admin = as_(scene.cast.admin)
    answer = admin.post(
        reverse("admin:initiatives_obligation_delete", args=[scene.obligation.pk]), {"post": "yes"}
    )
    assert answer.status_code == 403
    scene.stands()


@pytest.mark.django_db(transaction=True)
def test_the_application_cannot_delete_or_complete_it_in_sql(application: psycopg.Connection):
    scene = _scene(cast=factories.make_cast())
    pk = scene.obligation.pk
    attacks = [
        f"DELETE FROM initiatives_obligation WHERE id = {pk}",
        f"UPDATE initiatives_obligation SET completed_at = now() WHERE id = {pk}",
        f"UPDATE initiatives_obligation SET due = '2100-01-01' WHERE id = {pk}",
        "TRUNCATE initiatives_obligation CASCADE",
        "ALTER TABLE initiatives_obligation DISABLE TRIGGER written_obligations_stand",
        "DROP TRIGGER written_obligations_stand ON initiatives_obligation",
        f"DELETE FROM initiatives_initiative WHERE id = {scene.stopped.pk}",
    ]
    for attack in attacks:
        application.execute("""SET plumbline.act = '{"name": "Mallory", "at": "2026-11-20T10:00:00Z"}'""")
        with pytest.raises(psycopg.Error):
            application.execute(attack)
    obligation = Obligation.objects.get(pk=pk)
    assert (obligation.completed_at, obligation.due) == (None, scene.obligation.due)


@pytest.mark.django_db
def test_written_and_confirmed_it_is_gone_and_the_reviews_go_on(scene):
    """The one way there is."""
    row = _handed_in(scene)
    assert scene.held_up()
    postmortem_actions.confirm(post_mortem=row, version=row.version, by=scene.cast.seat_adoption)
    assert Obligation.objects.get(pk=scene.obligation.pk).completed_at is not None
    assert not scene.held_up()
    stage_actions.reopen(initiative=scene.stopped, reason="Another attempt.", by=scene.cast.chair)
    stage_actions.stop(initiative=scene.stopped, reason_code="cost", reason="Too dear.", by=scene.cast.owner)
    again = scene.stopped.obligations.open().get(kind="post_mortem")
    assert again.pk != scene.obligation.pk, "stopped again, due again"
