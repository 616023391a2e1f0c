"""How an answer goes in: without an act, an entry, a history, a session or a moment (ADR 0033).

It is the one change that is not done by somebody. What it leaves is that one invitation is gone and that the sums of
one box are larger, in one transaction: all of it or nothing, and once for each invitation.
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
MISSES = 60  # from one address in ten minutes; a whole office may stand behind one, with links that were used
GUESSED = "guessed survey"  # what such a try counts for


def new_token() -> str:
    """A secret for one invitation, as it stands in its link: "k7mq-2xpd-9hva-4wnt"."""
    letters = [secrets.choice(LETTERS) for _ in range(LENGTH)]
    return "-".join("".join(letters[start : start + BLOCK]) for start in range(0, LENGTH, BLOCK))


def hash_of(token: str) -> str:
    """What is kept of a secret; typed in capitals or without its hyphens it is the same."""
    plain = "".join(letter for letter in token.lower() if letter.isalnum())
    return hashlib.sha256(f"survey:{plain}".encode()).hexdigest()


class Guessed(Exception):
    """Too many links that open nothing came from this address. `until`: when the next one is looked at."""

    def __init__(self, until):
        self.until = until
        super().__init__()


def invitation_of(token: str, address: str | None) -> Invitation | None:
    """The invitation of a link, while its survey takes answers; None otherwise. Raises Guessed, unread.

    Only a link that opens nothing is written down, under the address and nothing else: who has a right one is not.
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
    """Whether it is open, and its last day has not passed."""
    return survey.state == Survey.OPEN and clock.today() <= survey.closes


def answer(*, invitation: Invitation, steps: dict[str, int], comment: str = "") -> bool:
    """Put one answer in: `steps` by question, from 1 on; what is left out was not answered. False where it came late.

    The box is locked before the invitation is taken, as closing does it: two uses of one link at once are one, and
    none goes in beside what was published. Raises ValueError for a step or a question that is not there, and where
    nothing is answered: nobody counts as somebody who answered then.
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
            raise ValueError(f"There is no step {step} of {key}.")
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
