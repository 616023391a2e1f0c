"""Requirements of an initiative of minimal risk, drawn by the audit log's seed after submission, and then verified."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils.html import escape

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.database import row_history
from governance.gates import drawing
from governance.models import Checkpoint, Entry, Rulebook
from governance.notifications.inbox import tasks_for
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from governance.tasks import seal_audit_log
from governance.transparency_log import sealing
from governance.vocabulary import Level, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence.verification import actions as verification_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import DrawnRequirement, Evidence, Review
from initiatives.tasks import draw_requirements
from tests.support import factories

pytestmark = pytest.mark.django_db

NOT_YET = "requirements to verify are drawn at random after the next checkpoint of the audit log"


@pytest.fixture
def initiative(cast):
    return factories.make_minimal(cast)


@pytest.fixture
def review(initiative, cast):
    """Submitted, and not sealed yet."""
    return review_actions.open_review(initiative=initiative, by=cast.owner)


def rows(initiative) -> list[DrawnRequirement]:
    return list(DrawnRequirement.objects.filter(initiative=initiative).order_by("pk"))


def snapshot(review):
    return review_state.snapshot_of(
        Review.objects.select_related("initiative__unit", "rulebook").get(pk=review.pk)
    )


def blockers(review) -> str:
    return " ".join(str(one) for one in snapshot(review).verdict.blockers)


def state(initiative, key):
    found = supported_stage.judged(initiative_acts.fresh(initiative))
    return found.states[key]


def drawn(initiative) -> list[DrawnRequirement]:
    """Everything sealed, and what is due drawn: what the worker does every few seconds."""
    sealing.seal()
    draw_requirements.delay()
    return rows(initiative)


def say(initiative, key, cast, *, shows=True):
    """A seat opens what is offered for a requirement, and says whether it shows the answer."""
    by = cast.seats[Rulebook.objects.current().parsed.at_tier("minimal").seats_asking(key)[0]]
    found = state(initiative, key)
    item = Evidence.objects.get(pk=next(one.id for one in found.items if one.author_id != by.pk))
    verification_actions.open_item(initiative=initiative, evidence=item, way="look", by=by)
    return verification_actions.verify(
        evidence=item,
        requirement=key,
        shows=shows,
        place="Heading",
        words=f"{item} says {'so' if shows else 'the opposite'}.",
        fingerprint=item.fingerprint,
        answer_version=found.answer_version,
        by=by,
    )


def verify_all(initiative, cast, gate="production"):
    artefacts.verify_gate(initiative, gate, cast.team.seats)


class TestSubmitted:
    def test_nothing_is_decided_before_the_draw(self, review, initiative, cast):
        assert NOT_YET in blockers(review)
        initiative_acts.sign_offs(review, cast.team)
        assert [str(one) for one in snapshot(review).verdict.blockers if NOT_YET not in str(one)] == []
        with pytest.raises(Refused, match="at random"):
            review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)

    def test_the_first_checkpoint_after_submission_draws_five(self, review, initiative, cast):
        draw_requirements.delay()
        assert rows(initiative) == [], "nothing is sealed yet"
        checkpoint = sealing.seal()
        draw_requirements.delay()
        found = rows(initiative)
        assert [row.place for row in found] == [1, 2, 3, 4, 5]
        assert {row.checkpoint_id for row in found} == {checkpoint.pk}
        assert NOT_YET not in blockers(review)
        for row in found:
            assert state(initiative, row.requirement).below == {"production"}
            assert state(initiative, row.requirement).level == Level.DOCUMENTED
        assert not snapshot(review).verdict.decidable
        entry = Entry.objects.get(kind=EntryKind.REQUIREMENTS_DRAWN)
        assert (entry.actor_id, entry.initiative_ref) == (None, initiative.ref)

    def test_whoever_has_the_rows_draws_the_same_again(self, review, initiative, cast):
        found = drawn(initiative)
        told = Entry.objects.get(kind=EntryKind.REQUIREMENTS_DRAWN).facts["facts"]
        root = bytes(Checkpoint.objects.get(pk=found[0].checkpoint_id).root)
        assert told["root"] == root.hex()
        assert told["round"] == f"review {review.pk}"
        keys = sorted(told["among"])
        assert len(keys) > 5
        again = drawing.in_order(root, initiative.ref, f"review {review.pk}", keys)
        assert again == told["among"]
        assert [row.requirement for row in found] == again[:5] == told["drawn"]

    def test_once_however_often_it_is_asked(self, review, initiative, cast):
        first = drawn(initiative)
        for _ in range(3):
            draw_requirements.delay()
            assert drawn(initiative) == first

    def test_a_later_checkpoint_draws_the_same(self, review, initiative, cast):
        first = sealing.seal()
        with row_history.acting(by=cast.admin, reason=""):
            cast.outsider.full_name = "Somebody Else"
            cast.outsider.save()
        assert sealing.seal().pk != first.pk
        draw_requirements.delay()
        assert {row.checkpoint_id for row in rows(initiative)} == {first.pk}

    def test_the_worker_draws_with_the_sealing(self, review, initiative, cast):
        seal_audit_log.delay()
        assert len(rows(initiative)) == 5

    def test_what_was_verified_before_is_not_drawn(self, initiative, cast):
        keys = Rulebook.objects.current().parsed.gates["production"].requirements()
        first = next(key for key in keys if state(initiative, key).level == Level.DOCUMENTED)
        say(initiative, first, cast)
        review_actions.open_review(initiative=initiative, by=cast.owner)
        drawn(initiative)
        told = Entry.objects.get(kind=EntryKind.REQUIREMENTS_DRAWN).facts["facts"]
        assert first not in told["among"]

    def test_once_all_are_verified_it_can_be_decided(self, review, initiative, cast):
        drawn(initiative)
        verify_all(initiative, cast)
        assert {state(initiative, row.requirement).level for row in rows(initiative)} == {Level.VERIFIED}
        initiative_acts.sign_offs(review, cast.team)
        assert snapshot(review).verdict.decidable, blockers(review)
        review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
        initiative = initiative_acts.fresh(initiative)
        assert supported_stage.said_on(initiative, clock.today()) == (Stage.PRODUCTION, Stage.PRODUCTION, "")

    def test_four_of_five_are_too_few(self, review, initiative, cast):
        found = drawn(initiative)
        for row in found[:4]:
            say(initiative, row.requirement, cast)
        assert "because the requirement was drawn" in blockers(review)
        say(initiative, found[4].requirement, cast)
        assert "because the requirement was drawn" not in blockers(review)

    def test_at_a_tier_that_rises_the_draw_has_no_effect(self, review, initiative, cast):
        found = drawn(initiative)
        detail_actions.propose_tier(
            initiative=initiative, tier="limited", worst_credible_harm="More.", by=cast.owner
        )
        detail_actions.confirm_tier(initiative=initiative, tier="limited", by=cast.seat_risk)
        assert "drawn" not in blockers(review)
        assert snapshot(review).judged.facts.drawn
        assert drawn(initiative) == found

    def test_who_lowers_the_tier_after_the_seal_waits_for_another(self, cast, initiative):
        """Else a team could see what a seed would draw, prepare it, and only then ask for less."""
        detail_actions.propose_tier(
            initiative=initiative, tier="limited", worst_credible_harm="More.", by=cast.owner
        )
        detail_actions.confirm_tier(initiative=initiative, tier="limited", by=cast.seat_risk)
        review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
        known = sealing.seal()
        detail_actions.propose_tier(
            initiative=initiative, tier="minimal", worst_credible_harm="Less.", by=cast.owner
        )
        detail_actions.confirm_tier(initiative=initiative, tier="minimal", by=cast.seat_risk)
        draw_requirements.delay()
        assert rows(initiative) == []
        assert {row.checkpoint_id for row in drawn(initiative)} == {known.pk + 1}

    def test_a_rulebook_without_it_draws_none(self, initiative, cast):
        text = shipped_text().replace("drawn_at_minimal = 5\n", "").replace('"1.0"', '"2026.3"')
        factories.make_rulebook(cast.admin, cast.chair, source=text)
        review = review_actions.open_review(initiative=initiative, by=cast.owner)
        assert drawn(initiative) == []
        assert NOT_YET not in blockers(review)


class TestAnother:
    def test_a_refused_one_stays_and_brings_another(self, review, initiative, cast):
        first = drawn(initiative)
        say(initiative, first[1].requirement, cast, shows=False)
        assert "A new requirement is drawn" in blockers(review)
        *_, brought = drawn(initiative)
        assert (brought.place, brought.replaces_id) == (6, first[1].pk)
        assert brought.checkpoint_id == first[0].checkpoint_id
        told = Entry.objects.filter(kind=EntryKind.REQUIREMENTS_DRAWN).first().facts["facts"]
        assert brought.requirement == told["among"][5], "the next in the same order"
        assert not state(initiative, first[1].requirement).satisfied
        assert state(initiative, brought.requirement).below == {"production"}
        assert len(drawn(initiative)) == 6

    def test_by_the_same_seed_though_the_tier_rose_and_fell_since(self, review, initiative, cast):
        first = drawn(initiative)
        for tier in ("limited", "minimal"):
            detail_actions.propose_tier(
                initiative=initiative, tier=tier, worst_credible_harm="Looked at again.", by=cast.owner
            )
            detail_actions.confirm_tier(initiative=initiative, tier=tier, by=cast.seat_risk)
        assert drawn(initiative) == first
        say(initiative, first[0].requirement, cast, shows=False)
        *_, brought = drawn(initiative)
        assert (brought.replaces_id, brought.checkpoint_id) == (first[0].pk, first[0].checkpoint_id)

    def test_one_changed_before_it_was_verified_brings_another(self, review, initiative, cast):
        first = drawn(initiative)
        key = next(row.requirement for row in first if uploaded(row.requirement))
        initiative_acts.prove(
            initiative, [key], cast.team, title="Better than what was there before the draw"
        )
        *_, brought = drawn(initiative)
        assert brought.replaces.requirement == key

    def test_an_answer_written_anew_brings_another(self, review, initiative, cast):
        first = drawn(initiative)
        answer(initiative, first[0].requirement, cast)
        *_, brought = drawn(initiative)
        assert brought.replaces_id == first[0].pk

    def test_one_changed_after_it_was_verified_brings_none_and_is_verified_anew(
        self, review, initiative, cast
    ):
        first = drawn(initiative)
        key = first[0].requirement
        say(initiative, key, cast)
        answer(initiative, key, cast)
        assert drawn(initiative) == first
        assert state(initiative, key).below == {"production"}

    def test_what_is_not_drawn_may_be_changed(self, review, initiative, cast):
        first = drawn(initiative)
        keys = Entry.objects.get(kind=EntryKind.REQUIREMENTS_DRAWN).facts["facts"]["among"]
        answer(initiative, keys[-1], cast)
        assert drawn(initiative) == first

    def test_until_all_are_drawn(self, review, initiative, cast):
        drawn(initiative)
        among = Entry.objects.get(kind=EntryKind.REQUIREMENTS_DRAWN).facts["facts"]["among"]
        refused = set()
        while left := [row.requirement for row in drawn(initiative) if row.requirement not in refused]:
            for key in left:
                say(initiative, key, cast, shows=False)
                refused.add(key)
        assert [row.requirement for row in rows(initiative)] == among
        assert "A new requirement" not in blockers(review)

    def test_submitting_again_takes_none_back(self, review, initiative, cast):
        first = drawn(initiative)
        review_actions.withdraw_review(review=review, reason="Not yet.", by=cast.owner)
        assert not state(initiative, first[0].requirement).satisfied
        second = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
        found = drawn(initiative)
        assert found[:5] == first
        assert {row.review_id for row in found[5:]} == {second.pk}
        assert len(found) == 10
        assert not state(initiative, first[0].requirement).satisfied


def uploaded(key) -> bool:
    """Whether a person adds the evidence of a requirement; of others a register writes it."""
    rulebook = Rulebook.objects.current().parsed
    return not artefacts.written_by_a_register(
        initiative_acts.kind_for(rulebook.requirements[key], rulebook), rulebook
    )


def answer(initiative, key, cast):
    return requirement_actions.answer(
        initiative=initiative, requirement=key, kind="answered", text="Said anew, and better.", by=cast.owner
    )


@pytest.mark.django_db(transaction=True)
class TestAcceptedAgain:
    """Production of a minimal initiative is accepted again a year later, on requirements drawn thirty days before."""

    @pytest.fixture
    def old(self, cast):
        """In production, with what has aged since shown anew a month and a half before it is to be accepted again."""
        initiative = factories.make_minimal(cast)
        review = review_actions.open_review(initiative=initiative, by=cast.owner)
        drawn(initiative)
        verify_all(initiative, cast)
        initiative_acts.sign_offs(review, cast.team)
        review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
        with later(320):
            initiative_acts.ground_gate(initiative, "production", cast.team)
            verify_all(initiative, cast)
        return initiative_acts.fresh(initiative)

    def renewal(self, initiative):
        return [row for row in rows(initiative) if row.review_id is None]

    def accepted(self, initiative):
        for role in ("owner", "support_owner"):
            held = initiative.roles.in_force().select_related("person").get(role=role)
            role_actions.reaccept_role(assignment=held, by=held.person)

    def test_the_first_checkpoint_of_the_thirty_days_draws_anew(self, old, cast):
        with later(334):
            self.accepted(old)
            drawn(old)
            assert self.renewal(old) == [], "31 days before its day"
        with later(335):
            drawn(old)
            assert self.renewal(old) == [], "nothing was sealed in the thirty days"
            self.accepted(old)
            seed = sealing.seal()
            draw_requirements.delay()
            found = self.renewal(old)
            assert [row.place for row in found] == [1, 2, 3, 4, 5]
            assert {(row.renews, row.checkpoint_id) for row in found} == {(old.since, seed.pk)}
        with later(340):
            self.accepted(old)
            assert {row.checkpoint_id for row in drawn(old)[5:]} == {seed.pk}

    def test_what_is_drawn_ahead_takes_nothing_from_production_and_waits_on_the_inbox(self, old, cast):
        with later(336):
            before = supported_stage.judged(initiative_acts.fresh(old)).support
            self.accepted(old)
            drawn(old)
            assert supported_stage.judged(initiative_acts.fresh(old)).support == before
            waiting = [found for row in self.renewal(old) if (found := state(old, row.requirement)).level]
            assert waiting
            assert {(found.state, found.place) for found in waiting} == {("below", "verification")}
            assert all(found.satisfies("production") for found in waiting)
            inbox = [line for line in tasks_for(cast.seat_risk) if line.verb == "verify"]
            assert [line.ref for line in inbox] == [old.ref]

    def test_it_is_refused_until_they_are_verified(self, old, cast):
        with later(336):
            self.accepted(old)
            with pytest.raises(Refused, match="The requirements to verify are drawn at random"):
                stage_actions.reattest(initiative=old, reason="Still so.", by=cast.chair)
            drawn(old)
            with pytest.raises(Refused, match="5 of the drawn requirements are not verified"):
                stage_actions.reattest(initiative=old, reason="Still so.", by=cast.chair)
            found = self.renewal(old)
            for row in found[:4]:
                say(old, row.requirement, cast)
            with pytest.raises(Refused, match="1 of the drawn requirements is not verified"):
                stage_actions.reattest(initiative=old, reason="Still so.", by=cast.chair)
            say(old, found[4].requirement, cast)
            initiative = stage_actions.reattest(initiative=old, reason="Still so.", by=cast.chair)
            assert initiative.reattested_at is not None

    def test_before_the_thirty_days_it_is_not_accepted_again(self, old, cast):
        """Else accepting again a month early, every year, would draw nothing ever."""
        with later(334):
            self.accepted(old)
            with pytest.raises(Refused, match="The requirements to verify are drawn on"):
                stage_actions.reattest(initiative=old, reason="Still so.", by=cast.chair)

    def test_then_the_new_ones_take_the_place_of_the_old(self, old, cast):
        first = rows(old)
        with later(336):
            self.accepted(old)
            drawn(old)
            found = self.renewal(old)
            for row in found:
                say(old, row.requirement, cast)
            initiative = stage_actions.reattest(initiative=old, reason="Still so.", by=cast.chair)
            told = {(one.requirement, one.round): one for one in supported_stage.facts_of(initiative).drawn}
            for row in first:
                one = told[row.requirement, row.round]
                assert (one.since, one.until) == (row.drawn_at, initiative.reattested_at)
            for row in found:
                one = told[row.requirement, row.round]
                assert (one.since, one.until) == (initiative.reattested_at, None)
            answer(initiative, found[0].requirement, cast)
            assert state(initiative, found[0].requirement).below == {"production"}
            assert len(drawn(initiative)) == 10, "no round runs now"

    def test_at_another_tier_it_is_accepted_without(self, old, cast):
        with later(336):
            detail_actions.propose_tier(
                initiative=old, tier="limited", worst_credible_harm="More.", by=cast.owner
            )
            detail_actions.confirm_tier(initiative=old, tier="limited", by=cast.seat_risk)
            self.accepted(old)
            assert stage_actions.reattest(initiative=old, reason="Still so.", by=cast.chair).reattested_at


@contextmanager
def later(days):
    with clock.simulated(clock.now() + timedelta(days=days)):
        yield


class TestPages:
    def test_before_submission_it_is_said_that_five_are_drawn(self, initiative, cast, as_):
        shown = as_(cast.owner).get(reverse("review-open", args=[initiative.ref])).content.decode()
        assert "Five of the requirements of the gate are drawn at the next checkpoint" in shown

    def test_owner_and_seat_see_beside_each_that_it_was_drawn_and_by_what(
        self, review, initiative, cast, as_
    ):
        found = drawn(initiative)
        size = Checkpoint.objects.get(pk=found[0].checkpoint_id).size
        words = f"Drawn on {clock.today():%-d %B %Y} with checkpoint {size}."
        for person in (cast.owner, cast.seat_risk):
            shown = as_(person).get(review.get_absolute_url()).content.decode()
            # A requirement that two criteria ask stands beside both.
            asked = sum(
                len(
                    [
                        one
                        for one in review.parsed_rulebook.gates["production"].criteria
                        if row.requirement in one.requirements
                    ]
                )
                for row in found
            )
            assert shown.count(words) == asked
            page = reverse("requirements", args=[initiative.ref])
            shown = as_(person).get(page, {"gate": "production"}).content.decode()
            assert shown.count(words) == 5
        say(initiative, found[1].requirement, cast, shows=False)
        *_, brought = drawn(initiative)
        question = review.parsed_rulebook.requirements[found[1].requirement].question
        page = reverse("requirement", args=[initiative.ref, brought.requirement])
        shown = as_(cast.owner).get(page).content.decode()
        assert escape(f"with checkpoint {size}, in place of {question}") in shown

    def test_the_seat_is_told_to_verify_them_and_led_there(self, review, initiative, cast, as_):
        found = drawn(initiative)
        seat = review.parsed_rulebook.seats_asking(found[0].requirement)[0]
        client = as_(cast.seats[seat])
        mine = {
            row.requirement for row in found if seat in review.parsed_rulebook.seats_asking(row.requirement)
        }
        (line,) = [one for one in tasks_for(cast.seats[seat]) if one.ref == initiative.ref]
        assert "verify" in f"{line.text} {line.why} {line.button}"
        begun = client.get(reverse("evidence-verify-first", args=[initiative.ref]))
        assert begun.url.rsplit("/", 2)[-2] in mine
        assert "Drawn on" in client.get(begun.url).content.decode()

    def test_at_another_tier_nothing_is_said_of_it(self, review, initiative, cast, as_):
        drawn(initiative)
        detail_actions.propose_tier(
            initiative=initiative, tier="limited", worst_credible_harm="More.", by=cast.owner
        )
        detail_actions.confirm_tier(initiative=initiative, tier="limited", by=cast.seat_risk)
        assert "Drawn on" not in as_(cast.owner).get(review.get_absolute_url()).content.decode()

    def test_the_history_says_what_was_drawn(self, review, initiative, cast, as_):
        found = drawn(initiative)
        shown = as_(cast.owner).get(reverse("initiative-activity", args=[initiative.ref])).content.decode()
        assert "the requirements that someone outside the team verifies" in shown
        for row in found:
            assert escape(review.parsed_rulebook.requirements[row.requirement].question) in shown

    def test_the_page_of_accepting_again_says_when_they_are_drawn(self, review, initiative, cast, as_):
        drawn(initiative)
        verify_all(initiative, cast)
        initiative_acts.sign_offs(review, cast.team)
        review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
        shown = (
            as_(cast.chair)
            .get(reverse("initiative-act", args=[initiative.ref, "confirm-production"]))
            .content.decode()
        )
        day = clock.today() + timedelta(days=335)
        assert f"The requirements to verify are drawn on {day:%-d %B %Y}." in shown


class TestDatabase:
    def refused(self, says, by=None, **changed):
        found = DrawnRequirement.objects.order_by("-pk").first()
        values = {
            field.attname: getattr(found, field.attname)
            for field in DrawnRequirement._meta.concrete_fields
            if field.attname not in ("id", "xact", "replaces_id")
        }
        values |= {"requirement": "prod.another", "place": 20} | changed
        with (
            pytest.raises(DatabaseError, match=says),
            transaction.atomic(),
            row_history.acting(by=by) if by else row_history.acting(system="test"),
        ):
            DrawnRequirement(**values).save()

    def test_it_refuses_what_nothing_drew(self, review, initiative, cast):
        review_actions.withdraw_review(review=review, reason="Not yet.", by=cast.owner)
        review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
        found = drawn(initiative)
        later = sealing.seal()
        self.refused("requirements that are drawn", by=cast.owner)
        self.refused("requirements that are drawn", by=cast.admin)
        self.refused("one checkpoint", checkpoint_id=later.pk)
        self.refused("open review of production", review_id=review.pk)
        self.refused("drawn_once_in_a_round", requirement=found[0].requirement)
        self.refused("one_requirement_at_each_place", place=1)
        self.refused("drawn_for_a_review_or_an_acceptance", renews=clock.now())
        self.refused("one of its own round", replaces_id=found[0].pk, review_id=None, renews=clock.now())

    def test_it_refuses_a_seed_from_before_submission(self, initiative, cast):
        known = sealing.seal()
        review = review_actions.open_review(initiative=initiative, by=cast.owner)
        with (
            pytest.raises(DatabaseError, match="sealed after submission"),
            transaction.atomic(),
            row_history.acting(system="test"),
        ):
            DrawnRequirement.objects.create(
                initiative=initiative,
                review=review,
                requirement="prod.monitoring",
                checkpoint=known,
                place=1,
                answer_version=1,
                drawn_at=clock.now(),
            )

    def test_it_refuses_to_change_what_was_drawn(self, review, initiative, cast):
        row = drawn(initiative)[0]
        for change in ({"requirement": "prod.another"}, {"place": 9}):
            with (
                pytest.raises(DatabaseError),
                transaction.atomic(),
                row_history.acting(system="test"),
            ):
                DrawnRequirement.objects.filter(pk=row.pk).update(**change)
