"""A shorter time for what was said: asked for by the owner, signed by the risk seat and by an auditor, until a day.

What was said to the systems of an initiative is kept for 730 days. A law may ask for less: never under 183 days, only
with the legal basis in words, and only as long as two people have signed it, neither of whom asked or is a team member
of the initiative.
"""

from datetime import date

from django.db.models import QuerySet

from governance.interaction_log.loading import KEPT
from governance.interaction_retention import holds
from governance.templatetags.plumbline import day
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.interactions.forms import BodyTermForm
from initiatives.lifecycle.access.initiative_lookup import initiative_for
from initiatives.lifecycle.consents.consent_kinds import AUDITOR, RISK_SEAT, Kind, wrong_day
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.models import BodyTerm, Initiative
from initiatives.models.reviews import ConsentState


def running_on(day: date) -> QuerySet[BodyTerm]:
    """Those that both have signed and that have not ended."""
    return BodyTerm.objects.granted().filter(until__gte=day)


def days_on(day: date) -> dict[int, int]:
    """By number of the initiative, for how many days what was said is kept on that day, where that is less than
    usual.
    """
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
        wrong["days"] = f"Choose from {BodyTerm.LEAST} to {BodyTerm.MOST} days."
    return wrong


def _held(initiative: Initiative) -> list[str]:
    if initiative.number not in holds.held_initiatives():
        return []
    return ["A legal hold is on this initiative. Nothing is removed or erased until it is lifted."]


BODY_TERMS = Kind(
    model=BodyTerm,
    entries=(EntryKind.BODY_TERM_REQUESTED, EntryKind.BODY_TERM_SIGNED, EntryKind.BODY_TERM_REFUSED),
    slug="body-term",
    one="a shorter time",
    title="How long interactions are kept",
    introduction=(
        f"What was said to systems of this initiative, and that it took place, is kept for {KEPT.days} days, then it "
        "is removed. For what was said a law may ask for less: the risk seat and an auditor both agree to a shorter "
        "time, until a day."
    ),
    section="api-access",
    signature="term",
    danger=True,
    parts=(RISK_SEAT, AUDITOR),
    subject=initiative_for,
    form=_form,
    wrong=_wrong,
    facts=lambda row: {"days": row.days, "until": row.until, "basis": row.reason},
    what=lambda row: f"What was said is kept for {row.days} days, until {day(row.until)}.",
    follows="What is older is removed within hours, and nobody brings it back.",
    instead=f"What was said stays kept for {KEPT.days} days.",
    warnings=_held,
)
