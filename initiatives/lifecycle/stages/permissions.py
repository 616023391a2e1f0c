"""Whether production of an initiative can be accepted again, as far as its drawn requirements go."""

from governance import clock
from governance.gates import drawing
from governance.permission_result import Answer, no, yes
from initiatives.lifecycle.facts import drawing_rounds
from initiatives.models import Initiative


def may_be_accepted_again(initiative: Initiative) -> Answer:
    """At minimal risk: once the requirements drawn for it are verified; and not earlier, when none is drawn yet."""
    since = drawing_rounds.renewal_from(initiative)
    if since is None:
        return yes()
    running = drawing_rounds.round_that_runs(initiative)
    if running is None:
        return no(
            f"The requirements for it are drawn on {clock.local_day(since):%-d %B %Y}.",
            "It can be accepted again from then on, once they are verified.",
        )
    waits = drawing.waits(running.judged)
    if waits is not None:
        return Answer(False, (waits,))
    left = drawing.unverified(running.judged)
    if left:
        return no(
            f"{len(left)} of the requirements drawn for it {'is' if len(left) == 1 else 'are'} not verified.",
            "The seats that sign for them open the evidence and say whether it shows it.",
        )
    return yes()
