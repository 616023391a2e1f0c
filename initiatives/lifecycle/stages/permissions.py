"""The permission to confirm production again: accepted roles and drawn requirements."""

from django.urls import reverse

from governance import clock
from governance.gates import drawing
from governance.models import Rulebook, User
from governance.permission_result import Answer, all_of, no, yes
from governance.vocabulary import Role, Stage
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts import drawing_rounds, stage_expiry
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Initiative

NOT_IN_PRODUCTION = no(
    "This initiative is not in production, so production cannot be confirmed again.",
    "Open the page of the initiative.",
)


def may_confirm_production(initiative: Initiative, person: User) -> Answer:
    """Return whether the person may confirm production again now, with everything that is missing.

    Owner and support owner must have accepted their roles within the rulebook's days of grace.
    """
    if initiative.stage != Stage.PRODUCTION:
        return NOT_IN_PRODUCTION
    accepted = stage_expiry.accepted_again([initiative.pk]).get(initiative.pk, ())
    days = Rulebook.objects.current().parsed.freshness.grace_days
    missing = [
        no(phrase("{} has not accepted again in the last {} days.", words, days), "Ask this person to do it.")
        for role, words in (
            (Role.OWNER, phrase("The owner")),
            (Role.SUPPORT_OWNER, phrase("The support owner")),
        )
        if role not in accepted
    ]
    return all_of(
        initiative_permissions.may_raise(initiative, person), *missing, _drawn_are_verified(initiative)
    )


def _drawn_are_verified(initiative: Initiative) -> Answer:
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
            reverse("requirements", args=[initiative.ref]),
        )
    return yes()
