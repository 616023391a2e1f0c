"""Words that an initiative already has, to begin an answer with. People correct and save them.

The words repeat what the same people recorded on another page, and are not an answer yet.
"""

from collections.abc import Callable

from django.utils.translation import gettext as _

from governance import clock
from governance.templatetags.plumbline import day
from governance.vocabulary import Stage, Tier
from initiatives.lifecycle.facts.initiative_rows import scope_ahead
from initiatives.models import DeclaredGoal, Initiative, ScopeVersion

MOST_IDEAS = 5


def known_words(initiative: Initiative, requirement: str) -> str:
    """Return what is known about the requirement, in sentences; "" if nothing is."""
    said = KNOWN.get(requirement)
    return said(initiative) if said else ""


def _problem(initiative: Initiative) -> str:
    return initiative.problem.strip()


def _users(initiative: Initiative) -> str:
    scope = scope_ahead(initiative)
    return _people(scope) if scope else ""


def _people(scope: ScopeVersion) -> str:
    where = ", ".join([*scope.departments, *scope.places])
    words = _("%(users)s: %(count)d users") % {"users": scope.users, "count": scope.user_count}
    return f"{words} ({where})." if where else f"{words}."


def _bounds(initiative: Initiative) -> str:
    scope = scope_ahead(initiative)
    if scope is None:
        return ""
    lines = [_people(scope)]
    if scope.ends_on:
        lines.append(_("The use ends on %(day)s.") % {"day": day(scope.ends_on)})
    if scope.data_classes:
        lines.append(_("Data: %(classes)s.") % {"classes": ", ".join(scope.data_classes)})
    version = initiative.contract.in_force_at(clock.now()) if initiative.contract_id else None
    if version is not None:
        words = _("Version %(number)d of the contract is in force. Plumbline denies what no clause allows.")
        lines.append(words % {"number": version.number})
    return " ".join(lines)


def _risk(initiative: Initiative) -> str:
    tier = initiative.tier or initiative.proposed_tier
    if not tier:
        return ""
    screened = initiative.answers.filter(requirement="proto.personal_data").first()
    lines = [
        _("Risk tier: %(tier)s.") % {"tier": Tier.word(tier).lower()},
        _("Worst credible harm: %(harm)s") % {"harm": initiative.worst_credible_harm.strip()},
        _("Affected: %(people)s") % {"people": _users(initiative)} if _users(initiative) else "",
        _("Screening: %(words)s") % {"words": screened.text.strip()} if screened else "",
    ]
    return "\n".join(filter(None, lines))


def _beside(initiative: Initiative) -> str:
    """Return the other ideas that wait. The board chooses, and confidential ones have no name."""
    ideas = Initiative.objects.filter(stage=Stage.PROPOSED, confidential=False, withdrawn_at__isnull=True)
    others = ideas.exclude(pk=initiative.pk).order_by("-pk")
    if not others:
        return _("No other idea is waiting.")
    named = ", ".join(f"{one.ref} {one.title}" for one in others[:MOST_IDEAS])
    words = _("%(count)d other ideas are waiting. The newest: %(named)s.")
    return words % {"count": others.count(), "named": named}


def _declared(initiative: Initiative) -> str:
    rows = DeclaredGoal.objects.filter(initiative=initiative).order_by("pk")
    return "\n".join(f"{row.key.replace('_', ' ').capitalize()}: {row.declared}" for row in rows)


KNOWN: dict[str, Callable[[Initiative], str]] = {
    "prototype.selected": _beside,
    "mvp.problem": _problem,
    "mvp.users": _users,
    "mvp.rollout": _bounds,
    "mvp.risk": _risk,
    "mvp.advance_evidence": _declared,
}
