"""Accepted risks: requested by the team, accepted until a day.

The requester and team members never accept one. See docs/domain.md, invariant 15.
"""

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from governance import clock
from governance.models import Rulebook, User
from governance.permission_result import Conflict
from governance.templatetags.plumbline import day
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.consents.consent_kinds import RISK_SEAT, Kind, wrong_day
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.lifecycle.risks import actions
from initiatives.lifecycle.risks.forms import RiskRequestForm
from initiatives.models import AcceptedRisk, Initiative
from initiatives.models.reviews import ConsentState

REPEATED = ("title", "happens", "limits", "reason", "review_days")  # what an extension begins with


def extendable(initiative: Initiative) -> QuerySet[AcceptedRisk]:
    """Return the initiative's acceptances that no later one extends."""
    later = AcceptedRisk.objects.granted().filter(extends=OuterRef("pk"))
    return AcceptedRisk.objects.granted().filter(~Exists(later), initiative=initiative)


def longest() -> int:
    """Return the most days for which a risk is accepted."""
    return Rulebook.objects.current().parsed.freshness.accepted_risk_max_days


def _form(request, initiative: Initiative, context: dict, rows: list[AcceptedRisk]) -> RiskRequestForm | None:
    if initiative.closed:
        return None
    named, initial, earlier = request.GET.get("extends", ""), {}, extendable(initiative)
    chosen = earlier.filter(pk=named).first() if named.isdecimal() else None
    if chosen is not None:
        initial = {name: getattr(chosen, name) for name in REPEATED} | {"extends": chosen}
    return RiskRequestForm(sent(request), initial=initial, earlier=earlier, longest=longest())


def _wrong(risk: AcceptedRisk) -> dict[str, str]:
    if risk.initiative.closed:
        raise Conflict(
            phrase("{} is {}.", risk.initiative.ref, label(risk.initiative.get_stage_display(), inside=True)),
            "Choose an initiative that is not stopped or retired.",
        )
    wrong = wrong_day(risk.until, longest())
    for name, words in (
        ("title", "Give the risk a short name."),
        ("happens", "Describe what can happen."),
        ("limits", "Describe what limits the risk."),
    ):
        setattr(risk, name, getattr(risk, name).strip())
        if not getattr(risk, name):
            wrong[name] = words
    days = 0 if "until" in wrong else (risk.until - clock.today()).days
    if days and not 1 <= risk.review_days <= days:
        wrong["review_days"] = f"Choose from 1 to {days} days, because the risk is accepted for {days} days."
    if risk.extends is not None and not extendable(risk.initiative).filter(pk=risk.extends.pk).exists():
        wrong["extends"] = "This acceptance was already extended. Choose the newest acceptance."
    return wrong


def _facts(risk: AcceptedRisk) -> dict:
    """Return the facts of a request for entries and signatures."""
    return {
        "risk": risk.title,
        "happens": risk.happens,
        "limits": risk.limits,
        "why": risk.reason,
        "until": risk.until,
        "review_days": risk.review_days,
    } | ({"extends": risk.extends_id} if risk.extends_id else {})


def _said(risk: AcceptedRisk) -> list[tuple[str, str]]:
    """Return the lines beside the request: harm, limits, reviews, and its end."""
    found = [("Possible harm", risk.happens), ("Limits on the risk", risk.limits)]
    if risk.extends is not None:
        found.append(("Extends", f"“{risk.extends.title}”, accepted until {day(risk.extends.until)}"))
    if risk.reviewed_at is not None:
        found.append(
            ("Last review", f"{day(risk.reviewed_at)}, by {risk.reviewed_by}: {risk.reviewed_words}")
        )
    if risk.state == ConsentState.RUNNING and risk.review_by is not None:
        found.append(("Next review by", day(risk.review_by)))
    if risk.granted_at is not None and risk.state == ConsentState.PAST:
        found.append(("Why it ended", actions.why_ended(risk)))
    return found


def _acts(risk: AcceptedRisk, person: User) -> list[tuple[str, str]]:
    """Return address and words of each act of the person on an acceptance."""
    found = []
    if risk.state == ConsentState.RUNNING and actions.may_review(risk, person):
        found = [
            (reverse("row-act", args=["accepted-risks", risk.pk, "review"]), "Review the risk"),
            (reverse("row-act", args=["accepted-risks", risk.pk, "end"]), "End the acceptance"),
        ]
    if (
        risk.granted_at is not None
        and not risk.initiative.closed
        and initiative_permissions.may_collaborate(risk.initiative, person)
        and extendable(risk.initiative).filter(pk=risk.pk).exists()
    ):
        found.append(
            (f"{risk.get_absolute_url()}?extends={risk.pk}#ask", "Ask to accept the risk for longer")
        )
    return found


def _after(risk: AcceptedRisk, initiative: Initiative) -> None:
    if risk.granted_at is not None and risk.risk is not None:
        actions.continue_by(risk, initiative, risk.risk)


ACCEPTED_RISKS = Kind(
    model=AcceptedRisk,
    entries=(
        EntryKind.RISK_ACCEPTANCE_REQUESTED,
        EntryKind.RISK_ACCEPTED,
        EntryKind.RISK_ACCEPTANCE_REFUSED,
        EntryKind.RISK_ACCEPTANCE_LAPSED,
    ),
    slug="accepted-risk",
    one="the acceptance of a risk",
    title="Accepted risks",
    introduction=(
        "The risk seat can accept a single risk until a day, and reviews it regularly. If the day passes "
        "or a review is missed, the risk becomes a gap of the owner. The day cannot be changed. A longer "
        "time needs a new request."
    ),
    section="accepted-risks",
    signature="waiver",
    parts=(RISK_SEAT,),
    form=_form,
    wrong=_wrong,
    facts=_facts,
    what=lambda risk: (
        f"“{risk.title}” is accepted until {day(risk.until)} and reviewed every {risk.review_days} days."
    ),
    follows="The acceptance starts now. Each statement that a seat signs contains it.",
    instead="The risk is not accepted.",
    may_ask=initiative_permissions.may_collaborate,
    said=_said,
    acts=_acts,
    beside=("reviewed_by", "extends"),
    after=_after,
)
