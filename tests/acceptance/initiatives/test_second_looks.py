"""Second looks: verifications drawn by an auditor for another person, who does not see what the first one said."""

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.database import row_history
from governance.gates import drawing, sign_off_statement
from governance.gates.requirements import state_of
from governance.models import Checkpoint, Entry, Notification, Rulebook
from governance.notifications.inbox import tasks_for
from governance.permission_result import Refused
from governance.rulebook import shipped_text
from governance.transparency_log import sealing
from governance.vocabulary import Level, shares
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.evidence.verification import actions, second_looks
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Initiative, SecondLook, Verification
from initiatives.portfolio.insights import people
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, at

pytestmark = pytest.mark.django_db
KEY = "mvp.rollout"
PLACE, WORDS = "Week one line", "Forty managers in the north, with an end."


@pytest.fixture
def initiative(cast):
    row = factories.make_prototype(cast)
    initiative_acts.propose_and_confirm_tier(row, cast.team)
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    return initiative_acts.fresh(row)


@pytest.fixture
def plan(initiative, cast):
    """The plan of the answer, verified by the risk seat and sealed."""
    requirement_actions.answer(
        initiative=initiative, requirement=KEY, kind="answered", text="Forty until March.", by=cast.owner
    )
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Rollout plan",
        observed_on=clock.today(),
        covers=[KEY],
        file=ContentFile(b"Week 1: forty account managers in the north, until 31 March.", "plan.txt"),
        by=cast.owner,
    )
    say(item, cast.seat_risk)
    sealing.seal()
    return item


@pytest.fixture
def second(cast):
    """Another holder of the seat that verified."""
    person = factories.make_person("second-risk")
    factories.make_seat(cast, person, "risk_compliance")
    return person


def say(item, by, *, shows=True, place=PLACE, words=WORDS):
    actions.open_item(initiative=item.initiative, evidence=item, way="look", by=by)
    return actions.verify(
        evidence=item,
        requirement=KEY,
        shows=shows,
        place=place,
        words=words,
        fingerprint=item.fingerprint,
        answer_version=1,
        by=by,
    )


def draw(cast, initiative=None, size=5):
    return second_looks.draw(size=size, initiative=initiative, reason="Quarterly sample.", by=cast.auditor)


def state(initiative):
    facts = supported_stage.facts_of(initiative_acts.fresh(initiative))
    return state_of(facts, Rulebook.objects.current().parsed, KEY, clock.now())


def tasks(person):
    return [one for one in tasks_for(person) if one.text == "Rollout plan"]


class TestDraw:
    def test_the_root_of_the_checkpoint_decides_and_the_entry_repeats_it(self, initiative, plan, cast):
        (row,) = draw(cast)
        assert row.verification.verifier == cast.seat_risk
        told = Entry.objects.get(kind=EntryKind.SECOND_LOOKS_DRAWN).facts["facts"]
        root = bytes(Checkpoint.objects.get(size=told["checkpoint"]).root)
        again = drawing.in_order(root, "", second_looks.ROUND, map(str, told["among"]))
        assert told["drawn"] == [row.verification_id] == [int(key) for key in again][:1]
        assert told["root"] == root.hex()

    def test_only_auditors_draw(self, initiative, plan, cast, as_):
        with pytest.raises(Refused, match="Only auditors"):
            second_looks.draw(size=1, initiative=None, reason="", by=cast.chair)
        assert as_(cast.chair).get(at("draw-second-looks")).status_code == 403
        address = at("draw-second-looks")
        assert "No initiative has this reference" in (
            as_(cast.auditor)
            .post(address, {"size": 1, "initiative": "AI-9999", "reason": "Sample."})
            .content.decode()
        )
        sent = as_(cast.auditor).post(address, {"size": 1, "initiative": initiative.ref, "reason": "Sample."})
        assert sent.status_code == 302
        assert SecondLook.objects.get().drawn_by == cast.auditor

    def test_nothing_is_drawn_twice(self, initiative, plan, cast):
        with pytest.raises(Refused, match="No sealed verification"):
            draw(cast, factories.make_prototype(cast))
        draw(cast, initiative)
        with pytest.raises(Refused, match="No sealed verification"):
            draw(cast, initiative)

    def test_what_is_not_sealed_yet_is_not_drawn(self, initiative, plan, second, cast):
        unsealed = say(plan, second, words="An end in March.")
        assert unsealed.pk not in [row.verification_id for row in draw(cast)]

    def test_what_no_longer_counts_is_not_drawn(self, initiative, plan, cast):
        evidence_actions.withdraw_evidence(evidence=plan, reason="Another plan.", by=cast.owner)
        with pytest.raises(Refused, match="No sealed verification"):
            draw(cast)

    def test_the_database_refuses_what_the_act_refuses(self, initiative, plan, second, cast):
        verification, head = Verification.objects.get(), sealing.newest()
        unsealed = say(plan, second, words="An end in March.")
        for person, of, says in (
            (cast.owner, verification, "only an auditor"),
            (cast.auditor, unsealed, "its checkpoint sealed"),
        ):
            with (
                pytest.raises(DatabaseError, match=says),
                transaction.atomic(),
                row_history.acting(by=person, reason=""),
            ):
                SecondLook(verification=of, checkpoint=head, drawn_by=person, drawn_at=clock.now()).save()
        draw(cast)
        opening = actions.open_item(initiative=initiative, evidence=plan, way="look", by=cast.seat_risk)
        with (
            pytest.raises(DatabaseError, match="somebody else verified"),
            transaction.atomic(),
            row_history.acting(by=cast.seat_risk, reason=""),
        ):
            Verification(
                evidence=plan,
                requirement=KEY,
                verifier=cast.seat_risk,
                seat="risk_compliance",
                opening=opening,
                shows=True,
                place=PLACE,
                words=WORDS,
                answer_version=1,
                fingerprint=plan.fingerprint,
                second_to=verification,
                at=clock.now(),
            ).save()


class TestBlind:
    def test_the_one_who_looks_sees_neither_verdict_nor_words_nor_place(
        self, initiative, plan, second, cast, as_
    ):
        item = reverse("evidence-item", args=[initiative.ref, plan.pk])
        look = reverse("evidence-verify", args=[initiative.ref, plan.pk, KEY])
        assert WORDS in as_(second).get(item).content.decode()
        draw(cast)
        pages = [
            item,
            look,
            reverse("initiative-activity", args=[initiative.ref]),
            reverse("inbox"),
            initiative.get_absolute_url(),
        ]
        for address in pages:
            shown = as_(second).get(address).content.decode()
            assert WORDS not in shown, address
            assert PLACE not in shown, address
        assert (
            "Your second verification of this evidence is still to do"
            in as_(second).get(item).content.decode()
        )
        assert WORDS in as_(cast.owner).get(item).content.decode(), "the team is not blind"
        sent = {"verdict": "shows", "place": "Line 1", "words": "An end in March.", "answer": "1"}
        answer = as_(second).post(look, sent | {"fingerprint": plan.fingerprint} | SIGNED)
        assert answer.status_code == 302
        assert WORDS in as_(second).get(item).content.decode()

    def test_no_statement_is_read_before_the_look(self, initiative, plan, second, cast, as_):
        review = review_actions.open_review(initiative=initiative, by=cast.owner)
        address = reverse("sign", args=[review.pk, "risk_compliance"])
        draw(cast)
        refused = as_(second).get(address)
        assert refused.status_code == 403
        assert "Your second verification of Rollout plan is not done yet" in refused.content.decode()
        assert as_(cast.seat_risk).get(address).status_code == 200
        say(plan, second, words="An end in March.")
        assert as_(second).get(address).status_code == 200

    def test_an_open_look_is_one_task_of_whoever_may_take_it(self, initiative, plan, second, cast):
        assert not tasks(second)
        draw(cast)
        (task,) = tasks(second)
        assert task.verb == "verify"
        assert KEY in task.link
        for person in (cast.seat_risk, cast.owner, cast.auditor, cast.outsider):
            assert not tasks(person), person
        say(plan, second, words="An end in March.")
        assert not tasks(second)


class TestResult:
    def test_agreement_stands_beside_the_level_with_its_interval(self, initiative, plan, second, cast, as_):
        draw(cast)
        row = say(plan, second, words="An end in March.")
        assert row.second_to.verifier == cast.seat_risk
        told = Entry.objects.get(kind=EntryKind.SECOND_LOOK_TAKEN)
        assert (told.actor_id, told.facts["facts"]["verdict"]) == (second.pk, "agrees")
        assert state(initiative).level == Level.VERIFIED
        page = as_(cast.owner).get(reverse("requirement", args=[initiative.ref, KEY])).content.decode()
        assert "second looks agree 1 of 1 (21 to 100 %)" in page
        review = review_actions.open_review(initiative=initiative, by=cast.owner)
        assert "second looks agree 1 of 1" in as_(cast.chair).get(review.get_absolute_url()).content.decode()
        shown = as_(cast.auditor).get(reverse("insights-people")).content.decode()
        assert "1 of 1 (21 to 100 %)" in shown
        first, other = people.verifying(Initiative.objects.filter(pk=initiative.pk))
        assert {first.person: first.agreement, other.person: other.agreement} == {
            cast.seat_risk: "1 of 1 (21 to 100 %)",
            second: "",
        }

    def test_a_look_that_disagrees_reopens_the_requirement_and_the_owner_is_told(
        self, initiative, plan, second, cast
    ):
        draw(cast)
        say(plan, second, shows=False, place="", words="It names no north.")
        assert not state(initiative).satisfies("mvp")
        assert state(initiative).level != Level.VERIFIED
        told = Notification.objects.get(kind="evidence not shown", person=cast.owner)
        assert "for a second verification" in told.text
        assert Entry.objects.get(kind=EntryKind.SECOND_LOOK_TAKEN).facts["facts"]["verdict"] == "disagrees"

    def test_a_look_lapses_with_the_answer_that_was_verified(self, initiative, plan, second, cast):
        draw(cast)
        requirement_actions.answer(
            initiative=initiative, requirement=KEY, kind="answered", text="Sixty.", by=cast.owner
        )
        assert not tasks(second)
        assert second_looks.open_for(initiative, second) == {}


def test_a_share_is_told_with_its_interval():
    assert shares.in_words(9, 10) == "9 of 10 (60 to 98 %)"
    assert shares.in_words(0, 0) == ""


def test_one_more_disagreement_ends_a_sign_off_and_one_more_agreement_does_not():
    moved = sign_off_statement._second_looks_moved
    assert list(moved([9, 1], [9, 2])) == ["second looks agreed 9 of 10, now 9 of 11"]
    assert list(moved([9, 1], [9, 1])) == list(moved([9, 1], [10, 1])) == []
    assert list(moved([9, 1], [8, 1]))
