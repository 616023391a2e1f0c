"""Shorter times for keeping texts, signed by the risk seat and an auditor.

Texts to and from the systems of an initiative are kept for 730 days. A law may require less, but never under 183 days.
The owner asks for a shorter time with its legal basis in words. It holds until a day, and needs the signatures of two
people who did not ask for it and are not team members of the initiative.
"""

from datetime import date

from django.db.models import QuerySet

from governance.interaction_log.loading import KEPT
from governance.interaction_retention import holds
from governance.templatetags.plumbline import day
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.interactions.forms import BodyTermForm
from initiatives.lifecycle.access.initiative_lookup import initiative_for
from initiatives.lifecycle.consents.consent_kinds import AUDITOR, RISK_SEAT, Kind, wrong_day
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.models import BodyTerm, Initiative
from initiatives.models.reviews import ConsentState


def running_on(day: date) -> QuerySet[BodyTerm]:
    """Return the terms that both have signed and that have not ended."""
    return BodyTerm.objects.granted().filter(until__gte=day)


def days_on(day: date) -> dict[int, int]:
    """Return by initiative number the days of a shorter time that runs on that day."""
    found: dict[int, int] = {}
    for number, days in running_on(day).values_list("initiative__number", "days"):
        found[number] = min(days, found.get(number, days))
    return found


def _form(request, initiative: Initiative, context: dict, rows: list[BodyTerm]) -> BodyTermForm | None:
    waits = any(row.state == ConsentState.ASKED for row in rows)
    return None if waits else BodyTermForm(sent(request))


def _wrong(term: BodyTerm) -> dict[str, str]:
    wrong = wrong_day(term.until, BodyTerm.LONGEST)
    if not BodyTerm.LEAST <= term.days <= BodyTerm.MOST:
        wrong["days"] = phrase("Choose from {} to {} days.", BodyTerm.LEAST, BodyTerm.MOST)
    return wrong


def _held(initiative: Initiative) -> list[str]:
    if initiative.number not in holds.held_initiatives():
        return []
    return [
        phrase(
            "This initiative has a legal hold. Interactions are removed or erased only after someone lifts "
            "the hold."
        )
    ]


BODY_TERMS = Kind(
    model=BodyTerm,
    entries=(EntryKind.BODY_TERM_REQUESTED, EntryKind.BODY_TERM_SIGNED, EntryKind.BODY_TERM_REFUSED),
    slug="body-term",
    one="a shorter time",
    title=phrase("Retention of interactions"),
    introduction=phrase(
        "Interactions with the systems of this initiative are kept for {} days, then they "
        "are removed. If a law requires a shorter time for the texts, the risk seat and an "
        "auditor must both agree to it. The shorter time has an end date.",
        KEPT.days,
    ),
    section="api-access",
    signature="term",
    danger=True,
    parts=(RISK_SEAT, AUDITOR),
    subject=initiative_for,
    form=_form,
    wrong=_wrong,
    facts=lambda row: {"days": row.days, "until": row.until, "basis": row.reason},
    what=lambda row: phrase(
        "Texts of interactions are kept for {} days, until {}.", row.days, day(row.until)
    ),
    follows=phrase("Older texts are removed within hours. No one can restore them."),
    instead=phrase("Texts of interactions are still kept for {} days.", KEPT.days),
    warnings=_held,
)
