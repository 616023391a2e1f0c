"""The act that merges an incident into an older one. The dues of both are kept."""

from django.core.exceptions import ValidationError

from adoption.incidents import permissions
from adoption.incidents.actions import not_closed, read, set_severity
from adoption.incidents.reporting_clocks import move_clocks
from adoption.models import Incident
from adoption.models.incidents import CLOSED
from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.holds.actions import complete_row
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative


def merge(*, incident: Incident, into: Incident, reason: str, by: User) -> Incident:
    """Merge an incident into an older one, which replaces it.

    The older one gets the worse severity and the earlier days. The dues of the newer one move to the older.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Describe how you know that the incidents are the same."})
    if into.initiative_id != incident.initiative_id or into.pk == incident.pk:
        raise ValidationError({"into": "Choose a different incident of this initiative."})
    with act(
        "merge incidents", by=by, initiative=incident.initiative_id, reason=reason.strip()
    ) as initiative:
        row, older = read(incident), read(into)
        permissions.may_judge(row, by).or_refuse()
        not_closed(row)
        if older.merged_into_id or older.state == CLOSED:
            raise ValidationError(
                {
                    "into": phrase(
                        "“{}” is closed. Reopen that incident first, or choose a different incident.",
                        older.title,
                    )
                }
            )
        if older.pk > row.pk:
            raise ValidationError(
                {
                    "into": phrase(
                        "“{}” is newer than this incident. Open the newer incident, and merge it into this "
                        "incident.",
                        older.title,
                    )
                }
            )
        if older.severity > row.severity:
            set_severity(initiative, older, row.severity, f"Merged with “{row.title}”", by)
        older.started_at = min(older.started_at, row.started_at)
        older.detected_at = max(min(older.detected_at, row.detected_at), older.started_at)
        older.wrong_output = older.wrong_output or row.wrong_output
        older.save()
        row.state, row.closed_at, row.merged_into = CLOSED, clock.now(), older
        row.closed_words = f"Duplicate of “{older.title}”: {reason.strip()}"
        row.save()
        _move_obligations(initiative, row, older, by)
        entries.record(
            EntryKind.INCIDENTS_MERGED,
            initiative=initiative,
            incident=row.pk,
            title=row.title,
            into=older.title,
            why=reason.strip(),
        )
    return row


def _move_obligations(initiative: Initiative, row: Incident, older: Incident, by: User) -> None:
    """Move the obligations and clocks to the older incident.

    Its post-mortem is due once, by the earlier day. An obligation keeps its responsible person and day, so the later
    one is completed unless someone began to write it. The clocks run on.
    """
    obligations = {
        obligation.source: obligation
        for obligation in initiative.obligations.open().filter(kind="post_mortem")
    }
    both = [
        obligation
        for obligation in (obligations.get(row.source), obligations.get(older.source))
        if obligation is not None
    ]
    if len(both) == 2:
        first, later = sorted(both, key=lambda obligation: obligation.due)
        if not hasattr(later, "post_mortem"):
            later.initiative = initiative
            complete_row(later, by=None, note=f"Duplicate incident. One post-mortem is due on {first.due}")
    move_clocks(row, older, by)
