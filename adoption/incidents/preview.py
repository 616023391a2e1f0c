"""Preview of opening an incident, or of another severity: the act is run and rolled back."""

from datetime import date

from adoption.incidents import actions
from adoption.models import Incident
from governance.models import User
from governance.permission_result import ended
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.initiative import impact_preview
from initiatives.models import Initiative


def of_opening(initiative: Initiative, *, by: User, **fields) -> list[str]:
    """What opening this incident would bring, in sentences; fields as `open_incident`."""
    return sentences_of(
        initiative, lambda initiative: actions.open_incident(initiative=initiative, by=by, **fields), by
    )


def of_severity(incident: Incident, *, severity: int, reason: str, by: User) -> list[str]:
    """What this severity would bring."""

    def run(initiative):
        actions.correct_severity(incident=incident, severity=severity, reason=reason, by=by)

    return sentences_of(incident.initiative, run, by)


def sentences_of(initiative: Initiative, run, by: User) -> list[str]:
    """What this act would bring, in sentences: first the obligations of people by it."""
    open_obligations = [
        said for kind, facts in impact_preview.acts_of(initiative, run, by=by) for said in _said(kind, facts)
    ]
    return [*open_obligations, *impact_preview.preview(initiative, run, by=by)]


def _said(kind: str, facts: dict) -> list[str]:
    """What an entry of the act means for people, as far as the sights before and after do not show it."""
    if kind == EntryKind.OBLIGATION_OPENED:
        due = date.fromisoformat(facts["due"])
        return [f"Due from {facts['responsible'] or 'nobody yet'} by {due:%-d %B %Y}: {ended(facts['text'])}"]
    if kind == EntryKind.DEPENDANTS_WARNED:
        return [f"Warned at once: {', '.join(facts['who'])}."]
    if kind == EntryKind.BOARD_TOLD:
        return ["The whole board is told at once."]
    if kind == EntryKind.CHANGED and facts["voided"]:
        items = len({item for item, _ in facts["voided"]})
        answers = len({key for _, key in facts["voided"]})
        return [
            f"{items} item{'' if items == 1 else 's'} of evidence end{'s' if items == 1 else ''} "
            f"for {answers} requirement{'' if answers == 1 else 's'}."
        ]
    return []
