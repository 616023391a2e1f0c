"""Races between people on one initiative: sixteen connections, again and again. No lost, double or stale result.

`make races` runs 500 rounds of each, the suite 5. The last test takes the lock away and shows that the same checks
then find what goes wrong: without it, green would mean little.
"""

import threading
import time
from functools import partial

import pytest

from adoption.demo import initiative_acts
from governance import clock
from governance.gates import sign_off_statement
from governance.models import Entry, Notification
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative import act, review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.models import Initiative, Review
from tests.support import factories
from tests.support.database.concurrent_connections import SIZE, Ring
from tests.support.database.initiative_copies import copies
from tests.support.rules.plain_rulebook import plain_text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("unsealed")]

# A prototype gate that all six seats sign: sign-offs that complete a quorum, without building an MVP for every round.
LOOK = """
[[criterion]]
key = "prototype.look_{seat}"
gate = "prototype"
origin = "added"
layer = "policy"
question = "Did {seat} look?"
counts = "a look"
requirements = ["proto.question"]
seat = "{seat}"
severity = "blocking"
waivable = false
"""
OTHERS = [seat for seat in factories.SEAT_LOGINS if seat != "business_value"]
SIX_SIGN = plain_text().replace('version = "0.9"', 'version = "six-sign"').replace(
    'quorum = 1\nmust_include = ["business_value"]', 'quorum = 6\nmust_include = ["business_value"]'
) + "".join(LOOK.format(seat=seat) for seat in OTHERS)


class Race:
    """One kind of race: how many contend for an initiative, what is done before, who contends, what must hold after."""

    per_initiative = SIZE

    def __init__(self, cast, rounds: int):
        self.cast = cast
        self.delegate = cast.sponsor
        holder = cast.board.memberships.get(person=cast.seat_value)
        if not holder.delegates.exists():
            factories.make_seat(cast, self.delegate, "business_value", delegate_of=holder)
        initiative = factories.make_initiative(cast)
        initiative_acts.parts(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "prototype", cast.team)
        review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
        self.reviews = copies(initiative_acts.fresh(initiative), rounds)

    def run(self, *, until_wrong: bool = False) -> list[str]:
        """Run all rounds, or until the first thing is wrong; what was wrong, in words."""
        wrong = []
        at_once = SIZE // self.per_initiative
        with Ring() as ring:
            for first in range(0, len(self.reviews), at_once):
                reviews = self.reviews[first : first + at_once]
                contenders = []
                for review in reviews:
                    self.prepare(review)
                    self.page = review_state.snapshot_of(again(review))
                    contenders += self.contenders(review)
                idle = [lambda: None] * (SIZE - len(contenders))
                outcomes = ring.run(contenders + idle)
                for place, review in enumerate(reviews):
                    mine = outcomes[place * self.per_initiative : (place + 1) * self.per_initiative]
                    errors = [str(outcome) for outcome in mine if outcome.kind == "error"]
                    wrong += [f"{review}: {words}" for words in [*errors, *self.check(review, mine)]]
                if wrong and until_wrong:
                    break
        return wrong

    def prepare(self, review):
        """What happens before, one after the other."""

    def sign_off(self, review, person, seat="business_value", **fields):
        """A press of the button on a page that was opened now: whoever is first is not on it yet."""
        at = clock.now()
        values = {"verdict": "approve"} | fields
        text, seen = sign_off_actions.statement_for(self.page, seat, person, at=at, **values)
        return partial(
            sign_off_actions.sign_off,
            review=review,
            seat=seat,
            digest=sign_off_statement.digest(text),
            prepared_at=at,
            replaces=None,
            seen=seen,
            by=person,
            **values,
        )

    def decision(self, review):
        """A press of Approve."""
        return partial(
            review_actions.decide, review=review, outcome="approved", reason="Go.", by=self.cast.chair
        )


def count(outcomes, kind):
    return sum(outcome.kind == kind for outcome in outcomes)


def entries(review, kind):
    """The keys of the initiative's entries of a kind, in the order they were written."""
    ref = review.initiative.ref
    return list(
        Entry.objects.acts().filter(initiative_ref=ref, kind=kind).order_by("pk").values_list("pk", flat=True)
    )


def again(review):
    return Review.objects.select_related("initiative__unit", "rulebook").get(pk=review.pk)


class OppositeSignOffs(Race):
    """The holder approves, the delegate objects, eight times each in the same moment."""

    def contenders(self, review):
        """Eight presses each."""
        approval = self.sign_off(review, self.cast.seat_value)
        objection = self.sign_off(
            review,
            self.delegate,
            verdict="object",
            reason="Not chosen among anything.",
            criteria=("prototype.selected",),
        )
        return [approval, objection] * (SIZE // 2)

    def check(self, review, outcomes):
        """One row, everybody of the other opinion told who was first."""
        rows = list(review.sign_offs.select_related("person"))
        if len(rows) != 1:
            yield f"{len(rows)} sign-offs for one seat"
            return
        for place, outcome in enumerate(outcomes):
            person = self.cast.seat_value if place % 2 == 0 else self.delegate
            won = person == rows[0].person
            if outcome.kind != ("done" if won else "conflict"):
                yield f"{person} met {outcome}, first was {rows[0].person}"
            elif won and outcome.value.pk != rows[0].pk:
                yield f"{person} was told of another row"
            elif not won and rows[0].person.full_name not in outcome.value:
                yield f"{person} was not told who was first: {outcome.value}"
        if len(entries(review, "signed off")) != 1:
            yield "not exactly one entry"


class SignOffsCompletingAQuorum(Race):
    """Six seats sign at once, two of them with a double click."""

    per_initiative = 8

    def contenders(self, review):
        """One press for each seat, two of them twice."""
        sign_offs = [self.sign_off(review, person, seat) for seat, person in self.cast.seats.items()]
        return [*sign_offs, *sign_offs[:2]]

    def check(self, review, outcomes):
        """Six sign-offs; ready, and said so exactly once."""
        if count(outcomes, "done") != len(outcomes):
            yield f"a sign-off was lost: {[str(o) for o in outcomes if o.kind != 'done']}"
        rows = review.sign_offs.count()
        if rows != len(self.cast.seats):
            yield f"{rows} sign-offs of {len(self.cast.seats)} seats"
        told = Notification.objects.filter(kind="ready to decide", object_key=f"review:{review.pk}").count()
        if told != 1:
            yield f"{told} notifications that it is ready"
        if not review_state.snapshot_of(again(review)).verdict.decidable:
            yield "not decidable after all sign-offs"


class DoubleDecision(Race):
    """Sixteen tabs press Approve."""

    def prepare(self, review):
        """The one sign-off that is asked for."""
        initiative_acts.sign_off(review, "business_value", self.cast.seat_value)

    def contenders(self, review):
        """The same press, sixteen times."""
        return [self.decision(review)] * SIZE

    def check(self, review, outcomes):
        """Decided once, one move, everybody else told."""
        if (count(outcomes, "done"), count(outcomes, "conflict")) != (1, SIZE - 1):
            yield f"outcomes {[o.kind for o in outcomes]}"
        told = [o.value for o in outcomes if o.kind == "conflict"]
        if any("This review was already approved by Elena Novak" not in words for words in told):
            yield f"told {told}"
        moves = review.initiative.stage_changes.filter(to_stage="prototype").count()
        written = len(entries(review, "stage changed")), len(entries(review, "review approved"))
        if (moves, written) != (1, (1, 1)):
            yield f"{moves} moves, entries {written}"


class EditAgainstSignOff(Race):
    """The owner changes scope and answer while holder and delegate sign what they read before."""

    per_initiative = 4

    def contenders(self, review):
        """Two edits, two sign-offs."""
        initiative = review.initiative
        scope = partial(
            scope_actions.record_scope,
            initiative=initiative,
            users="Forty people",
            user_count=40,
            by=self.cast.owner,
        )
        answer = partial(
            requirement_actions.answer,
            initiative=initiative,
            requirement="proto.question",
            kind="answered",
            text="Another question altogether",
            by=self.cast.owner,
        )
        sign_offs = [self.sign_off(review, person) for person in (self.cast.seat_value, self.delegate)]
        return [scope, sign_offs[0], answer, sign_offs[1]]

    def check(self, review, outcomes):
        """No edit is lost, and no sign-off was taken, or counts, on facts that had changed."""
        if outcomes[0].kind != "done" or outcomes[2].kind != "done":
            yield f"an edit was lost: {outcomes[0]}, {outcomes[2]}"
        rows = list(review.sign_offs.all())
        if len(rows) > 1:
            yield f"{len(rows)} sign-offs for one seat"
        for row in rows:
            (signed,) = entries(review, "signed off")
            scoped, *_ = entries(review, "scope in force") or [float("inf")]
            edited = max(entries(review, "answered"), default=float("inf"))
            if signed > scoped and not row.facts["scope"]:
                yield "a sign-off was taken on the scope of before"
            if signed > edited and row.facts["requirements"]["proto.question"]["answer"] != 2:
                yield "a sign-off was taken on the answer of before"
        now = review_state.snapshot_of(again(review))
        for sign_off, row in zip(now.judged_sign_offs, now.sign_offs, strict=True):
            named = [scope[0] for scope in row.facts["scope"]]
            if sign_off.fresh and named != [scope.id for scope in now.judged.facts.scopes]:
                yield "a sign-off counts on facts it did not name"


class DecisionAgainstHold(Race):
    """The chair approves while somebody raises a concern."""

    per_initiative = 4

    def prepare(self, review):
        """The one sign-off that is asked for."""
        initiative_acts.sign_off(review, "business_value", self.cast.seat_value)

    def contenders(self, review):
        """Two of each."""
        concern = partial(
            hold_deeds.hold, initiative=review.initiative, reason="Stop and look.", by=self.cast.seat_risk
        )
        return [self.decision(review), concern] * 2

    def check(self, review, outcomes):
        """Promoted before the hold, or not at all."""
        if count(outcomes[1::2], "done") != 2:
            yield f"a hold was lost: {[str(o) for o in outcomes[1::2]]}"
        moved, held = entries(review, "stage changed"), entries(review, "hold opened")
        if len(moved) != count(outcomes[::2], "done") or len(moved) > 1:
            yield f"{len(moved)} moves, outcomes {[o.kind for o in outcomes]}"
        if moved and moved[0] > min(held, default=float("inf")):
            yield "promoted under a hold"
        stage = Initiative.objects.get(pk=review.initiative_id).stage
        if stage != ("prototype" if moved else "proposed"):
            yield f"it is {stage}"


RACES = [OppositeSignOffs, SignOffsCompletingAQuorum, DoubleDecision, EditAgainstSignOff, DecisionAgainstHold]


def made(race, rounds, cast=None):
    """The race with its initiatives, in an organisation of its own."""
    cast = cast or factories.make_cast()
    if race is SignOffsCompletingAQuorum:
        factories.make_rulebook(cast.admin, cast.chair, SIX_SIGN)
    return race(cast, rounds)


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_race(race, rounds):
    wrong = made(race, rounds).run()
    assert wrong == [], f"{len(wrong)} things wrong in {rounds} rounds: {wrong[:5]}"


def without_lock(monkeypatch):
    """Read the initiative without locking it, and take a moment between reading the facts and writing what follows."""
    snapshot_of = review_state.snapshot_of

    def slow_sit(*args, **kwargs):
        snapshot = snapshot_of(*args, **kwargs)
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.2)
        return snapshot

    def get(initiative):
        return Initiative.objects.get(pk=initiative.pk if isinstance(initiative, Initiative) else initiative)

    monkeypatch.setattr(act, "lock", get)
    monkeypatch.setattr(review_state, "snapshot_of", slow_sit)


def test_without_the_lock_the_same_checks_find_what_goes_wrong(monkeypatch):
    cast = factories.make_cast()
    without_lock(monkeypatch)
    for race in (DoubleDecision, EditAgainstSignOff, DecisionAgainstHold, SignOffsCompletingAQuorum):
        wrong = made(race, 8, cast).run(until_wrong=True)
        assert wrong, f"{race.__name__} went well without the lock: its checks see nothing"
    # Behind the lock on opposite sign-offs stands a unique constraint, which holds without it.
    wrong = made(OppositeSignOffs, 2, cast).run()
    assert not [words for words in wrong if "sign-offs for one seat" in words], wrong
