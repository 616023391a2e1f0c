"""Evidence opened and verified under the shipped rulebook: by a seat outside the team, on what was opened."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.gates import criteria
from governance.gates.requirement_state import State
from governance.gates.requirements import BY_VERIFYING, state_of, states_at
from governance.models import Entry, Notification, Rulebook
from governance.notifications import inbox as notification_inbox
from governance.permission_result import Conflict, Refused
from governance.rulebook import shipped_text
from governance.vocabulary import Level, TakesEffect
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence import reminders
from initiatives.lifecycle.evidence.verification import actions, queries
from initiatives.lifecycle.facts import supported_stage, supported_stage_rows
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import presentation
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Evidence, EvidenceOpening, Verification
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db
KEY = "mvp.rollout"


@pytest.fixture
def initiative(cast):
    """A prototype of limited risk under the shipped rulebook."""
    row = factories.make_prototype(cast)
    initiative_acts.propose_and_confirm_tier(row, cast.team)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return initiative_acts.fresh(row)


@pytest.fixture
def plan(initiative, cast):
    """The owner's answer and the plan that is to show it."""
    requirement_actions.answer(
        initiative=initiative,
        requirement=KEY,
        kind="answered",
        text="Forty account managers until March.",
        by=cast.owner,
    )
    return evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Rollout plan",
        observed_on=clock.today(),
        covers=[KEY],
        file=ContentFile(b"Week 1: forty account managers in the north, until 31 March.", "plan.txt"),
        by=cast.owner,
    )


def state(initiative, key: str = KEY) -> State:
    rulebook = Rulebook.objects.current().parsed
    return state_of(supported_stage.facts_of(initiative_acts.fresh(initiative)), rulebook, key, clock.now())


def verify(item, by, *, opened=True, shows=True, **fields):
    if opened:
        actions.open_item(initiative=item.initiative, evidence=item, way="look", by=by)
    said = {"place": "Line 1", "words": f"{item} names forty people and the day.", "answer_version": 1}
    said |= {"requirement": KEY, "fingerprint": item.fingerprint}
    return actions.verify(evidence=item, shows=shows, by=by, **(said | fields))


def page(initiative, item):
    return reverse("evidence-verify", args=[initiative.ref, item.pk, KEY])


class TestPage:
    def test_a_seat_reads_it_beside_the_question_and_says_that_it_shows_it(self, initiative, plan, cast, as_):
        assert state(initiative).level == Level.DOCUMENTED
        client = as_(cast.seat_risk)
        row = client.get(reverse("requirement", args=[initiative.ref, KEY])).content.decode()
        assert page(initiative, plan) in row
        shown = client.get(page(initiative, plan)).content.decode()
        assert "Week 1: forty account managers in the north" in shown
        assert "Forty account managers until March." in shown
        answer = client.post(
            page(initiative, plan),
            {
                "verdict": "shows",
                "place": "Week 1",
                "words": "Forty people, one region, an end.",
                "fingerprint": plan.fingerprint,
                "answer": "1",
            }
            | SIGNED,
        )
        assert answer.status_code == 302
        assert (state(initiative).level, state(initiative).state) == (Level.VERIFIED, "met")
        entry = Entry.objects.filter(kind=EntryKind.EVIDENCE_VERIFIED).get()
        assert entry.actor_id == cast.seat_risk.pk

    def test_without_where_and_what_nothing_is_saved_and_nothing_lost(self, initiative, plan, cast, as_):
        client = as_(cast.seat_risk)
        client.get(page(initiative, plan))
        said = {"verdict": "shows", "words": "Forty people.", "fingerprint": plan.fingerprint, "answer": "1"}
        shown = client.post(page(initiative, plan), said).content.decode()
        assert "Enter the place in the document" in shown
        assert "Forty people." in shown
        assert not Verification.objects.exists()

    def test_the_page_shows_what_the_item_holds_and_what_is_remarked(self, initiative, plan, cast, as_):
        sample = evidence_actions.add_evidence(
            initiative=initiative,
            kind="log_sample",
            title="Forty logged calls",
            observed_on=clock.today(),
            covers=["mvp.observability"],
            result="pass",
            file=artefacts.log_of("calls of the trial", clock.today()),
            by=cast.owner,
        )
        for key in ("mvp.observability", "mvp.users"):
            requirement_actions.answer(
                initiative=initiative,
                requirement=key,
                kind="answered",
                text="Each call, with its day.",
                by=cast.owner,
            )
        address = reverse("evidence-verify", args=[initiative.ref, sample.pk, "mvp.observability"])
        seat = Rulebook.objects.current().parsed.seats_asking("mvp.observability")[0]
        shown = as_(cast.seats[seat]).get(address).content.decode()
        assert "4 rows, input, output, actor, time, model version, 100 % filled; stated 40, found 4" in shown
        assert "Same words as 1 other answer." in shown

    def test_others_are_told_who_verifies(self, initiative, plan, cast, as_):
        for person in (cast.owner, cast.lead, cast.seat_operations, cast.admin):
            assert as_(person).get(page(initiative, plan)).status_code == 403, person

    def test_opening_is_recorded(self, initiative, plan, cast, as_):
        client = as_(cast.seat_risk)
        for _ in range(2):
            client.get(page(initiative, plan))
        assert EvidenceOpening.objects.filter(evidence=plan, person=cast.seat_risk).count() == 1
        assert Entry.objects.filter(kind=EntryKind.EVIDENCE_OPENED).count() == 2


class TestAct:
    def test_nothing_is_verified_unopened(self, plan, cast):
        with pytest.raises(Refused, match="You have not opened"):
            verify(plan, cast.seat_risk, opened=False)

    def test_a_sentence_about_another_item_is_refused_and_about_the_same_is_not(self, initiative, plan, cast):
        said = "Forty people and an end."
        verify(plan, cast.seat_risk, words=said)
        verify(plan, cast.seat_risk, words=said)
        other = evidence_actions.add_evidence(
            initiative=initiative,
            kind="document",
            title="Annex",
            observed_on=clock.today(),
            covers=[KEY],
            file=ContentFile(b"Annex of the plan: the dates of each week.", "annex.txt"),
            by=cast.owner,
        )
        with pytest.raises(
            ValidationError,
            match=rf"about “Rollout plan” of {initiative.ref}\. Describe what you saw in this",
        ):
            verify(other, cast.seat_risk, words="forty people - and an END")
        with pytest.raises(ValidationError, match="Describe in a sentence what you saw"):
            verify(other, cast.seat_risk, words="...")
        verify(other, cast.seat_risk, words="It lists the dates of each week.")

    def test_a_page_is_no_place_in_a_file_without_pages(self, plan, cast):
        with pytest.raises(ValidationError, match=r"plan.txt has no pages. Enter a row, a line"):
            verify(plan, cast.seat_risk, place="First page")

    def test_what_does_not_show_it_is_a_task_for_who_answered(self, initiative, plan, cast):
        verify(plan, cast.seat_risk, shows=False, place="", words="No end is named.")
        assert not state(initiative).satisfies("mvp")
        told = Notification.objects.filter(kind="evidence not shown", person=cast.owner).get()
        assert "No end is named." in told.text

    def test_another_answer_ends_it(self, initiative, plan, cast):
        verify(plan, cast.seat_risk)
        requirement_actions.answer(
            initiative=initiative,
            requirement=KEY,
            kind="answered",
            text="Four hundred, everywhere.",
            by=cast.owner,
        )
        assert state(initiative).level == Level.DOCUMENTED
        with pytest.raises(Conflict, match="The item or the answer changed after you opened the page"):
            verify(plan, cast.seat_risk)

    def test_another_file_is_another_item(self, initiative, plan, cast):
        verify(plan, cast.seat_risk)
        evidence_actions.add_evidence(
            initiative=initiative,
            kind="document",
            title="Rollout plan, second edition",
            observed_on=clock.today(),
            covers=[KEY],
            file=ContentFile(b"Everybody, from tomorrow on, without an end.", "plan.txt"),
            supersedes=plan,
            by=cast.owner,
        )
        assert not state(initiative).verifiers
        with clock.simulated(clock.now() + timedelta(days=16)):
            assert state(initiative).level == Level.DOCUMENTED
        with pytest.raises(Conflict, match="no longer counts"):
            verify(plan, cast.seat_risk)

    def test_who_is_asked_for_a_role_neither_verifies_nor_has_verified(self, initiative, plan, cast):
        verify(plan, cast.seat_risk)
        role_actions.propose_role(initiative=initiative, role="sponsor", person=cast.seat_risk, by=cast.owner)
        assert state(initiative).level == Level.DOCUMENTED
        assert list(supported_stage_rows.differing([initiative.pk])) == [], (
            "the kept supported stage follows the proposal"
        )
        with pytest.raises(Refused, match="proposed as sponsor"):
            verify(plan, cast.seat_risk)

    def test_who_accepted_a_role_later_has_verified_nothing_for_good(self, initiative, plan, cast):
        """A proposal that is declined gives the verification back; an hour in the role does not (consents, C18)."""
        verify(plan, cast.seat_risk)
        role = {"initiative": initiative, "role": "sponsor", "person": cast.seat_risk, "by": cast.owner}
        role_actions.decline_role(assignment=role_actions.propose_role(**role), by=cast.seat_risk)
        assert state(initiative).level == Level.VERIFIED
        accepted = role_actions.accept_role(assignment=role_actions.propose_role(**role), by=cast.seat_risk)
        role_actions.revoke_role(assignment=accepted, reason="An hour is enough.", by=cast.owner)
        assert state(initiative).level == Level.DOCUMENTED
        assert list(supported_stage_rows.differing([initiative.pk])) == []

    def test_nothing_rises_by_a_press_of_the_team(self, initiative, plan, cast):
        """T1 and T3 of the team's own hands: more items, the same answer saved again, offered for more."""
        for number in range(3):
            evidence_actions.add_evidence(
                initiative=initiative,
                kind="document",
                title=f"Annex {number}",
                observed_on=clock.today(),
                covers=[KEY, "mvp.users"],
                file=ContentFile(f"Annex {number} of the plan.".encode(), f"{number}.txt"),
                by=cast.owner,
            )
        assert state(initiative).level == Level.DOCUMENTED
        assert not state(initiative).satisfies("mvp")

    def test_the_answer_is_somebodys_word_as_of_a_day(self, initiative, cast):
        requirement_actions.answer(
            initiative=initiative,
            requirement="mvp.users",
            kind="answered",
            text="Account managers.",
            by=cast.owner,
        )
        assert state(initiative, "mvp.users").level == Level.STATED


class TestDatabase:
    def insert(self, plan, by, **fields):
        opening, _ = EvidenceOpening.objects.get_or_create(
            evidence=plan, person=by, defaults={"at": clock.now()}
        )
        values = {
            "evidence": plan,
            "requirement": KEY,
            "verifier": by,
            "seat": "risk_compliance",
            "opening": opening,
            "shows": True,
            "place": "Line 1",
            "words": "It does.",
            "answer_version": 1,
            "fingerprint": plan.fingerprint,
            "at": clock.now(),
        }
        Verification(**(values | fields)).save()
        entries.record("evidence verified", initiative=plan.initiative)

    def refused(self, says, plan, by, **fields):
        with (
            pytest.raises(DatabaseError, match=says),
            transaction.atomic(),
            row_history.acting(by=by, reason=""),
        ):
            self.insert(plan, by, **fields)

    def test_it_refuses_what_the_act_refuses(self, initiative, plan, cast):
        self.refused("added", plan, cast.owner)
        self.refused("seat", plan, cast.outsider)
        self.refused("something else", plan, cast.seat_risk, fingerprint="f" * 64)
        self.refused("answer changed", plan, cast.seat_risk, answer_version=2)
        with row_history.acting(by=cast.seat_risk, reason=""):
            self.insert(plan, cast.seat_risk)
        with row_history.acting(by=cast.owner, reason=""):
            other = Evidence.objects.create(
                initiative=initiative,
                kind="document",
                title="Annex",
                observed_on=clock.today(),
                author=cast.owner,
                added_at=clock.now(),
            )
        self.refused("used this sentence", other, cast.seat_risk, words="it does")
        role_actions.propose_role(initiative=initiative, role="sponsor", person=cast.seat_risk, by=cast.owner)
        self.refused("whose team they are on", plan, cast.seat_risk)

    def test_an_opening_of_somebody_else_opens_nothing(self, plan, cast):
        with row_history.acting(by=cast.seat_value, reason=""):
            other = EvidenceOpening.objects.create(evidence=plan, person=cast.seat_value, at=clock.now())
        self.refused("unopened", plan, cast.seat_risk, opening=other)


def test_the_profile_of_levels_stands_on_the_overview(initiative, plan, cast, as_):
    verify(plan, cast.seat_risk)
    client = as_(cast.owner)
    assert "Answers up to this stage:" in client.get(initiative.get_absolute_url()).content.decode()


def test_the_item_says_who_verified_it_and_what_they_saw(initiative, plan, cast, as_):
    verify(plan, cast.seat_risk)
    shown = as_(cast.owner).get(reverse("evidence-item", args=[initiative.ref, plan.pk])).content.decode()
    assert "supports the answer" in shown
    assert "Rollout plan names forty people and the day." in shown
    assert "same words as before" not in shown


def test_the_item_says_in_which_seat_and_how_long_after_opening_and_that_words_came_back(
    initiative, plan, cast, as_
):
    actions.open_item(initiative=initiative, evidence=plan, way="look", by=cast.seat_risk)
    with clock.simulated(clock.now() + timedelta(seconds=200)):
        verify(plan, cast.seat_risk, opened=False)
        verify(plan, cast.seat_risk, opened=False, words="ROLLOUT plan names forty people and the day")
        shown = as_(cast.owner).get(reverse("evidence-item", args=[initiative.ref, plan.pk])).content.decode()
    assert "Risk and compliance" in shown
    assert "3 minutes after first opening it" in shown
    assert shown.count("same words as before") == 1


def test_a_bare_link_is_not_verified(initiative, plan, cast):
    link = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Plan on the wiki",
        observed_on=clock.today(),
        covers=[KEY],
        link="https://wiki.example.org/plan",
        by=cast.owner,
    )
    with pytest.raises(Refused, match="so its content can change"):
        verify(link, cast.seat_risk)


def test_a_decided_review_shows_what_was_below_its_gate_as_that(initiative):
    """A level alone says nothing of what was asked: documented is enough at one gate and too little at another."""
    asked = {"key": KEY, "state": "below", "level": "documented", "words": "Documented.", "evidence": []}
    assert presentation.frozen({**asked, "satisfied": True}, "?", [])["tone"] == ""
    assert presentation.frozen({**asked, "satisfied": False}, "?", [])["tone"] == "warn"


def test_a_bare_link_and_ones_own_item_wait_for_nobody(initiative, plan, cast):
    rulebook = Rulebook.objects.current().parsed
    waiting = state(initiative)
    seats = ("risk_compliance",)
    assert queries.item_to_verify(waiting, rulebook, seats, cast.seat_risk.pk).id == plan.pk
    assert queries.item_to_verify(waiting, rulebook, seats, cast.owner.pk) is None
    assert queries.item_to_verify(waiting, rulebook, ("service_operations",), cast.seat_risk.pk) is None
    (item,) = waiting.items
    bare = replace(waiting, items=(replace(item, unverified=True),))
    assert queries.item_to_verify(bare, rulebook, seats, cast.seat_risk.pk) is None


def test_what_stands_for_a_question_that_was_replaced_is_verified_where_it_is_offered(cast, as_):
    """In production an answer to the MVP may rest on its production form's item, which opens there alone."""
    initiative = factories.make_production(cast)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    logged = state(initiative, "mvp.observability")
    assert logged.place == BY_VERIFYING
    assert not any("mvp.observability" in item.covers for item in logged.items), "it stands on another's item"
    for person in cast.seats.values():
        answer = as_(person).get(reverse("evidence-verify-first", args=[initiative.ref]), follow=True)
        assert answer.status_code == 200, person
    rulebook = Rulebook.objects.current().parsed
    others = {key: replace(logged, key=key, place="") for key in rulebook.requirements}
    facts = supported_stage.facts_of(initiative_acts.fresh(initiative))
    judged = criteria.judged_from(facts, rulebook, clock.now(), others | {"mvp.observability": logged})
    assert supported_stage.to_verify(judged, judged) is None


def test_that_too_few_can_verify_is_said_before_a_initiative_is_submitted(cast, as_):
    initiative = factories.make_prototype(cast)
    initiative_acts.propose_and_confirm_tier(initiative, cast.team, "high")
    initiative = initiative_acts.to_mvp(initiative_acts.fresh(initiative), cast.team)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    page = as_(cast.owner).get(reverse("review-open", args=[initiative.ref])).content.decode()
    assert "Two people must verify each of" in page
    for seat in Rulebook.objects.current().parsed.seats:
        factories.make_seat(cast, factories.make_person(f"second-{seat}"), seat)
    page = as_(cast.owner).get(reverse("review-open", args=[initiative.ref])).content.decode()
    assert "Two people must verify" not in page


class TestInbox:
    """Answers of a running initiative that wait to be verified lie in the inboxes of the seats that sign for them."""

    @pytest.fixture
    def running(self, cast):
        """An MVP of limited risk on which the shipped rulebook decides at once, its bound shown by a document."""
        row = factories.make_mvp(cast)
        factories.make_rulebook(
            cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE
        )
        return initiative_acts.fresh(row)

    @staticmethod
    def waiting(person):
        return [line for line in notification_inbox.tasks_for(person) if line.verb == "verify"]

    def test_a_seat_is_told_how_many_and_led_to_the_first(self, running, cast, as_):
        (line,) = self.waiting(cast.seat_risk)
        assert line.ref == running.ref
        assert "answers wait for your seat (risk and compliance)." in line.why
        gone_to = as_(cast.seat_risk).get(line.link)
        assert gone_to.status_code == 302
        assert "/verify/" in gone_to.url
        assert as_(cast.seat_risk).get(gone_to.url).status_code == 200

    def test_nobody_else_is(self, running, cast):
        for person in (cast.owner, cast.lead, cast.admin, cast.auditor, cast.outsider):
            assert not self.waiting(person), person

    def test_it_is_gone_for_whoever_verified_all_of_it(self, running, cast):
        while found := self.waiting(cast.seat_risk):
            before = found[0].why
            first = queries.waiting_for(
                running,
                Rulebook.objects.current().parsed,
                states_at(supported_stage.facts_of(running), Rulebook.objects.current().parsed, clock.now()),
                cast.seat_risk,
            )
            for key, pk in first:
                version = running.answers.get(requirement=key).version
                verify(Evidence.objects.get(pk=pk), cast.seat_risk, requirement=key, answer_version=version)
            now = self.waiting(cast.seat_risk)
            assert not now or now[0].why != before
        assert Verification.objects.exists()

    def test_what_the_next_gate_asks_waits_and_what_a_later_gate_asks_does_not(self, initiative, plan):
        judged = supported_stage.judged(initiative)
        ahead = criteria.judge(judged.facts, Rulebook.objects.current().parsed, clock.now())
        waiting = {key for key, one in ahead.states.items() if one.place == BY_VERIFYING and one.items}
        asked = set(ahead.rulebook.gates["mvp"].requirements())
        assert KEY in waiting & asked
        assert len(supported_stage.to_verify(judged, ahead)) == len(waiting & asked)

    def test_an_answer_to_the_next_gate_waits_before_a_review_is_opened(self, initiative, plan, cast):
        assert not initiative.reviews.filter(ended_at__isnull=True).exists()
        (line,) = self.waiting(cast.seat_risk)
        assert line.why == "1 answer waits for your seat (risk and compliance)."
        verify(plan, cast.seat_risk)
        assert not self.waiting(cast.seat_risk)

    def test_its_owner_reads_who_is_waited_for(self, initiative, plan, cast, as_):
        shown = as_(cast.owner).get(reverse("requirements", args=[initiative.ref])).content.decode()
        assert f"Waits for {cast.seat_risk} (risk and compliance)" in shown
        assert "A reviewer in its seat" not in shown

    def test_its_seats_are_told_at_once_and_once_a_day(self, initiative, plan, cast):
        told = Notification.objects.filter(kind="evidence to verify")
        people = {row.person for row in told}
        assert cast.seat_risk in people
        assert people <= set(cast.seats.values())
        requirement_actions.answer(
            initiative=initiative,
            requirement=KEY,
            kind="answered",
            text="Forty account managers until April.",
            by=cast.owner,
        )
        assert told.filter(person=cast.seat_risk).count() == 1


class TestRenewal:
    """What renews a verified item: counted meanwhile, in the inbox of its seat, told after a week."""

    @pytest.fixture
    def renewed(self, initiative, plan, cast):
        verify(plan, cast.seat_risk)
        return evidence_actions.add_evidence(
            initiative=initiative,
            kind="document",
            title="Rollout plan, new edition",
            observed_on=clock.today(),
            covers=[KEY],
            supersedes=plan,
            file=ContentFile(b"Week 1: forty account managers in the north, until 30 April.", "plan-2.txt"),
            by=cast.owner,
        )

    def test_it_counts_meanwhile(self, initiative, renewed):
        found = state(initiative)
        assert (found.level, found.place) == (Level.VERIFIED, BY_VERIFYING)
        with clock.simulated(clock.now() + timedelta(days=16)):
            assert state(initiative).level == Level.DOCUMENTED

    def test_the_page_says_until_when_and_leads_there(self, initiative, renewed, cast, as_):
        row = as_(cast.seat_risk).get(reverse("requirement", args=[initiative.ref, KEY])).content.decode()
        assert "renews verified evidence and counts as verified until" in row
        assert page(initiative, renewed) in row

    def test_seat_and_chair_hear_of_it_after_a_week_and_once(self, cast):
        row = factories.make_mvp(cast)
        factories.make_rulebook(
            cast.admin, cast.chair, source=shipped_text(), takes_effect=TakesEffect.AT_ONCE
        )
        (older,) = row.evidence.filter(coverage__requirement=KEY, superseded_by__isnull=True).exclude(
            kind="attestation"
        )
        verify(older, cast.seat_risk, answer_version=row.answers.get(requirement=KEY).version)
        evidence_actions.add_evidence(
            initiative=row,
            kind=older.kind,
            title="Rollout plan, new edition",
            observed_on=clock.today(),
            covers=[KEY],
            supersedes=older,
            file=ContentFile(b"Week 1: forty account managers in the north, until 30 April.", "plan-2.txt"),
            by=older.author,
        )
        start = clock.now()

        def told(days):
            with clock.simulated(start + timedelta(days=days)):
                return {(due.person.login, due.period) for due in reminders.renewals(clock.now())}

        assert told(6) == set()
        assert told(7) == {("seat-risk", "after7d"), ("chair", "after7d")}
        assert told(9) == told(7)
        assert told(15) == set()
