"""The permission to accept production again, as far as drawn requirements decide."""

from governance import clock
from governance.gates import drawing
from governance.permission_result import Answer, no, yes
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts import drawing_rounds
from initiatives.models import Initiative


def may_be_accepted_again(initiative: Initiative) -> Answer:
    """Allow it at minimal risk once the requirements drawn for it are verified. It is refused before their draw."""
    since = drawing_rounds.renewal_from(initiative)
    if since is None:
        return yes()
    running = drawing_rounds.round_that_runs(initiative)
    if running is None:
        return no(
            phrase("The requirements to verify are drawn on {}.", clock.local_day(since)),
            "Confirm production after that day, when the requirements are verified.",
        )
    waits = drawing.waits(running.judged)
    if waits is not None:
        return Answer(False, (waits,))
    left = drawing.unverified(running.judged)
    if left:
        return no(
            phrase("1 of the drawn requirements is not verified.")
            if len(left) == 1
            else phrase("{} of the drawn requirements are not verified.", len(left)),
            "Ask the seats that sign for these requirements to verify the evidence.",
        )
    return yes()
