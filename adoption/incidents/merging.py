"""The act that merges an incident into an older one. All that is known of both, and their dues, are kept."""

from django.core.exceptions import ValidationError

from adoption.incidents import permissions
from adoption.incidents.actions import ROLES, not_closed, read, set_severity, told_reopened
from adoption.incidents.reporting_clocks import move_clocks
from adoption.models import Incident, IncidentSystem
from adoption.models.incidents import CLOSED, CONTAINED, FALLBACK_RANK, RESOLVED, STATE_RANK
from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.holds.actions import complete_row
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

MOST_WORDS = 250  # on the people affected, in letters


def merge(*, incident: Incident, into: Incident, reason: str, by: User) -> Incident:
    """Merge an incident into an older one, which replaces it.

    The older one gets the worse severity, the earlier days and all that is known of the newer one. It is open while one
    of the two is. The dues of the newer one move to the older.
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
        again = _take_over(older, row)
        older.save()
        _keep_parts(older, row)
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
        if again:
            told_reopened(initiative, older, [row.lead], f"it is the same as “{row.title}”", by)
    return row


def _take_over(older: Incident, row: Incident) -> bool:
    """Give the older incident what is known of the newer one. Return True if it is open again by that."""
    older.started_at = min(older.started_at, row.started_at)
    older.detected_at = max(min(older.detected_at, row.detected_at), older.started_at)
    older.wrong_output = older.wrong_output or row.wrong_output
    older.fallback = max(older.fallback, row.fallback, key=FALLBACK_RANK.__getitem__)
    counts = [one.affected_count for one in (older, row) if one.affected_count is not None]
    older.affected_count = max(counts, default=None)
    groups = list(dict.fromkeys(one.affected_words for one in (older, row) if one.affected_words))
    words = "; ".join(groups)
    older.affected_words = words if len(words) <= MOST_WORDS else groups[0]
    for name in (*ROLES, "clause_number"):
        setattr(older, name, getattr(older, name) or getattr(row, name))
    before, older.state = older.state, min(older.state, row.state, key=STATE_RANK.__getitem__)
    for name, state in (("contained_at", CONTAINED), ("resolved_at", RESOLVED)):
        moments = [moment for one in (older, row) if (moment := getattr(one, name)) is not None]
        reached = STATE_RANK[older.state] >= STATE_RANK[state]
        setattr(older, name, max(moments, default=None) if reached else None)
    again = before == RESOLVED and older.state != RESOLVED
    if again:
        older.reopened_at = row.running_since
    return again


def _keep_parts(older: Incident, row: Incident) -> None:
    """Keep the systems of the newer incident, and what was merged into it, with the older one.

    An older incident without a system is about the whole initiative, and stays so.
    """
    there = set(older.systems.values_list("system", flat=True))
    for named in row.systems.all() if there else ():
        if named.system_id not in there:
            IncidentSystem(incident=older, system=named.system, at=named.at).save()
    for other in row.merged.all():
        other.merged_into = older
        other.save()


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
