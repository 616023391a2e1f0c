"""Whom a review waits for: what the one computation says is what trying every act as every person shows.

A review of the MVP gate goes through a random history; then every member of its board tries to sign and to decide, the
owner's side to answer, each on a copy that is rolled back. 20 histories, more with `--rounds`. A change in
initiatives/lifecycle/reviews asks for it.
"""

import random
from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from adoption.demo import initiative_acts
from governance.notifications import inbox as notification_inbox
from governance.permission_result import Conflict, Refused
from governance.vocabulary import SignOffVerdict
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews import review_turn
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.models import Review
from tests.support.initiatives import open_reviews

pytestmark = pytest.mark.django_db

IN_THE_SUITE = 20
NOT_DONE = (ValidationError, Refused, Conflict)
VERDICTS = [SignOffVerdict.APPROVE] * 5 + [SignOffVerdict.OBJECT] * 2 + [SignOffVerdict.RECUSE]


class Undone(Exception):
    """What was tried is taken back."""


def tried(act) -> bool:
    """Whether the act is done when it is tried; nothing of it stays."""
    try:
        with transaction.atomic():
            act()
            raise Undone
    except Undone:
        return True
    except NOT_DONE:
        return False


def fresh(review: Review) -> Review:
    return Review.objects.select_related("initiative__unit", "rulebook").get(pk=review.pk)


def sign_off(review, seat, person, verdict=SignOffVerdict.APPROVE) -> None:
    """A sign-off with what its verdict asks for."""
    own = [one.key for one in review.rulebook.parsed.criteria_of(review.gate, seat)]
    words = {} if verdict == SignOffVerdict.APPROVE else {"reason": "Read, and not as it should be."}
    if verdict == SignOffVerdict.OBJECT:
        words["criteria"] = (own[0],)
    initiative_acts.sign_off(review, seat, person, verdict, **words)


def take_back(row) -> None:
    """Withdraw a sign-off: what whoever objected does where approving is not possible."""
    sign_off_actions.withdraw_sign_off(sign_off=row, reason="It was answered.", by=row.person)


def happens(cast, review: Review, chance: random.Random) -> None:
    """One thing that people do while a review is open."""
    review, what = (
        fresh(review),
        chance.choices(("sign_off", "withdraw", "answer", "deny", "ask"), (9, 1, 1, 1, 1))[0],
    )
    if what == "sign_off":
        seat = chance.choice(list(review.rulebook.parsed.gates[review.gate].seats))
        sign_off(review, seat, cast.seats[seat], chance.choice(VERDICTS))
    elif what == "withdraw":
        row = chance.choice([*review.sign_offs.latest()] or [None])
        if row is not None:
            take_back(row)
    elif what == "ask":
        review_actions.ask_question(
            review=review, criterion="mvp.rollout_bounded", text="How many users?", by=cast.seat_risk
        )
    else:
        key = chance.choice(("mvp.problem", "mvp.workflow", "mvp.rollout", "mvp.success"))
        kind = "no" if what == "deny" else "answered"
        requirement_actions.answer(
            initiative=review.initiative,
            requirement=key,
            kind=kind,
            text=f"Otherwise {chance.random()}.",
            by=cast.owner,
        )


def sits_on_board(cast, review) -> list[tuple[str, object]]:
    return [(seat, cast.seats[seat]) for seat in review.rulebook.parsed.gates[review.gate].seats]


def deciders(cast, review) -> set[int]:
    """Who can approve the review now, by trying."""
    return {
        person.pk
        for person in {*cast.people.values()}
        if tried(
            lambda person=person: review_actions.decide(
                review=fresh(review), outcome="approved", reason="All is there.", by=person
            )
        )
    }


def decidable_after(review, sign_offs) -> bool:
    """Whether the review can be decided once these seats approved."""
    answer = []

    def act():
        for seat, person in sign_offs:
            sign_off(fresh(review), seat, person)
        answer.append(review_state.snapshot_of(fresh(review)).verdict.decidable)

    return tried(act) and answer[0]


def wrong_with(cast, review: Review) -> list[str]:
    """How the attention set differs from what trying shows; and the inboxes from both."""
    found = []
    snapshot = review_state.snapshot_of(fresh(review))
    moves = review_turn.moves(snapshot)
    by_kind: dict[str, set[int]] = {}
    for move in moves:
        by_kind.setdefault(move.kind, set()).update(move.people)
    if deciders(cast, review) != by_kind.get(review_turn.DECIDE, set()):
        found.append(f"who decides: {deciders(cast, review)}, said {by_kind}")
    able = {
        (seat, person)
        for seat, person in sits_on_board(cast, review)
        if tried(lambda seat=seat, person=person: sign_off(fresh(review), seat, person))
    }
    asked = {(move.seat, pk) for move in moves if move.kind == review_turn.SIGN for pk in move.people}
    named = {(seat, person) for seat, person in able if (seat, person.pk) in asked}
    if len(named) != len(asked):
        found.append(f"asked to sign and cannot: {asked}, able {able}")
    sign_offs_alone = by_kind.keys() <= {review_turn.SIGN, review_turn.APPOINT, review_turn.QUESTION, ""}
    if named:
        # Those who can sign now are needed, and not enough while somebody else has to act too.
        if sign_offs_alone and review_turn.APPOINT not in by_kind and not decidable_after(review, named):
            found.append(f"{named} signed, and it cannot be decided")
        rules = snapshot.judged.rulebook.gates[review.gate]
        for one in named:
            # Somebody who must sign is missed; of the others so many as the quorum lacks.
            rest = [other for other in named if other != one]
            if one[0] in rules.must_include and decidable_after(review, rest):
                found.append(f"{one} must sign, and it can be decided without")
        must = [one for one in named if one[0] in rules.must_include]
        if len(must) < len(named) and must and decidable_after(review, must):
            found.append(f"{set(named) - set(must)} are asked, and {must} were enough")
    for seat, person in sits_on_board(cast, review):
        again = any(move.kind == review_turn.LOOK_AGAIN and person.pk in move.people for move in moves)
        row = next((row for row in snapshot.sign_offs if row.seat == seat), None)
        objects = row is not None and row.verdict == SignOffVerdict.OBJECT
        if again and not (objects and ((seat, person) in able or tried(lambda row=row: take_back(row)))):
            found.append(f"{person} is to look again as {seat} and cannot")
    link = review.get_absolute_url()
    attending = {pk for move in moves if move.kind != review_turn.QUESTION for pk in move.people if move.kind}
    if not attending and decidable_after(review, able):
        found.append(f"nobody is waited for, and {able} could make it decidable")
    if sign_offs_alone and review_turn.APPOINT not in by_kind and not decidable_after(review, able):
        found.append(f"all of {able} are not enough, and nobody is to appoint another")
    on_inbox = {
        person.pk
        for person in cast.people.values()
        if any(
            line.link.startswith(link) and line.button != "Read the review"
            for task in notification_inbox.tasks_for(person)
            for line in (task, *task.parts)
        )
    }
    asks = {pk for move in moves if move.kind == review_turn.QUESTION for pk in move.people}
    if not (on_inbox >= attending and on_inbox - attending <= asks):
        found.append(f"inboxes of {on_inbox}, attention of {attending}")
    return found


def test_it_is_who_can_do_what_the_decision_waits_for(cast, rounds):
    review, seen, wrong = open_reviews.before_mvp(cast), Counter(), []
    for seed in range(max(rounds, IN_THE_SUITE)):
        chance = random.Random(seed)

        def history(seed=seed, chance=chance):
            share = chance.choice((0, 0.6, 1))  # of the seats, that approve before anything else happens
            for seat, person in sits_on_board(cast, review):
                if chance.random() < share:
                    sign_off(fresh(review), seat, person)
            for _ in range(chance.randint(0, 6)):
                try:
                    with transaction.atomic():
                        happens(cast, review, chance)
                except NOT_DONE:
                    continue
            seen.update({row.verdict for row in fresh(review).sign_offs.latest()})
            seen.update({move.kind for move in review_turn.moves(review_state.snapshot_of(fresh(review)))})
            wrong.extend(f"history {seed}: {what}" for what in wrong_with(cast, review))

        assert tried(history)
    assert wrong == [], "\n".join(wrong[:20])
    kinds = {
        review_turn.DECIDE,
        review_turn.SIGN,
        review_turn.ANSWER,
        review_turn.LOOK_AGAIN,
        review_turn.FIX,
    }
    assert kinds | set(VERDICTS) <= set(seen), (
        f"histories that reach each kind of move and of sign-off: {seen}"
    )
