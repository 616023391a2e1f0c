"""The submission of an answer, the one change without an author (ADR 0033).

It has no act, entry, history, session or moment. It deletes one invitation and adds to the sums of one box, in one
transaction and once for each invitation.
"""

import hashlib
import secrets

from django.db import transaction

from adoption.models import AnswerBox, Invitation, Survey
from adoption.surveys import question_sets
from governance import clock
from governance.sign_in import throttling

# No 0, 1, i, l, o, u: what is typed from paper is not mistaken, and no word comes of it.
LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
LENGTH, BLOCK = 16, 4  # 16 of 30 letters: 78 bits
MISSES = 60  # from one address in ten minutes; a whole office may share one, with links that were used
GUESSED = "guessed survey"  # what such a try counts for


def new_token() -> str:
    """Return a secret for one invitation, as in its link: "k7mq-2xpd-9hva-4wnt"."""
    letters = [secrets.choice(LETTERS) for _ in range(LENGTH)]
    return "-".join("".join(letters[start : start + BLOCK]) for start in range(0, LENGTH, BLOCK))


def hash_of(token: str) -> str:
    """Return the stored hash of a secret, which ignores capitals and hyphens."""
    plain = "".join(letter for letter in token.lower() if letter.isalnum())
    return hashlib.sha256(f"survey:{plain}".encode()).hexdigest()


class Guessed(Exception):
    """The error that too many invalid links came from this address. `until`: when the next one is checked."""

    def __init__(self, until):
        self.until = until
        super().__init__()


def invitation_of(token: str, address: str | None) -> Invitation | None:
    """Return the invitation of a link while its survey takes answers, else None.

    Raises Guessed, unread. Only an invalid link is recorded, under the address alone. A valid one is not.
    """
    name = address or "nowhere"
    if (until := throttling.waits(name, purpose=GUESSED, most=MISSES)) is not None:
        raise Guessed(until)
    found = Invitation.objects.select_related("survey").filter(hash=hash_of(token)).first()
    if found is not None and takes_answers(found.survey):
        return found
    throttling.enter_try(name, purpose=GUESSED, most=MISSES)
    return None


def takes_answers(survey: Survey) -> bool:
    """Return True if it is open, and its last day has not passed."""
    return survey.state == Survey.OPEN and clock.today() <= survey.closes


def answer(*, invitation: Invitation, steps: dict[str, int], comment: str = "") -> bool:
    """Add one answer. Returns False if it is too late.

    `steps` are by question, from 1 on, without the unanswered ones. The box is locked before the invitation is taken,
    as in closing: two uses of one link at once are one, and no answer is added after the publication. Raises ValueError
    for an unknown step or question, and for no answers at all, because the person would count as one who answered.
    """
    if not steps:
        raise ValueError("No question is answered.")
    with transaction.atomic():
        box = (
            AnswerBox.objects.select_for_update(of=("self",))
            .select_related("survey")
            .filter(survey=invitation.survey_id)
            .first()
        )
        if box is None or not takes_answers(box.survey):
            return False
        taken, _ = Invitation.objects.filter(pk=invitation.pk).delete()
        if taken != 1:
            return False
        _put(box, str(invitation.team), _values(box.survey, steps), comment.strip())
        box.save()
    return True


def _values(survey: Survey, steps: dict[str, int]) -> dict[str, float]:
    questions = {question.key: question for question in question_sets.asked(survey.sets)}
    for key, step in steps.items():
        if key not in questions or not 1 <= step <= questions[key].steps:
            raise ValueError(f"{key} has no step {step}.")
    return {key: questions[key].value(step) for key, step in steps.items()}


def _put(box: AnswerBox, team: str, values: dict[str, float], comment: str) -> None:
    box.answered[team] = box.answered.get(team, 0) + 1
    sums = box.sums.setdefault(team, {})
    for key, value in values.items():
        n, total, squares = sums.get(key, (0, 0, 0))
        sums[key] = [n + 1, total + value, squares + value * value]
    if comment:
        box.comments.append(comment[: question_sets.MOST_COMMENT])
        secrets.SystemRandom().shuffle(box.comments)
