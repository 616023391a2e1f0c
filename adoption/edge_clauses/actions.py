"""The act that adds the edge clause of an incident to the draft of the contract."""

from django.urls import reverse

from adoption.edge_clauses import clause_drafts
from adoption.models import Incident
from governance.audit_log import entries
from governance.models import Clause, User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.contracts.documents import clause_actions
from initiatives.lifecycle.initiative.act import act


def take_over_clause(*, incident: Incident, failure: str = "", by: User) -> Clause:
    """Write the drafted edge clause into the contract draft, which begins if needed.

    The owner acts. Raises Refused while a version is with the board, ValidationError if the clause exists already.
    """
    with act("take over edge clause", by=by, initiative=incident.initiative_id) as initiative:
        row = Incident.objects.select_related("initiative").get(pk=incident.pk)
        if row.clause_number is not None:
            raise Conflict(
                phrase("This incident already added clause {} to the contract draft.", row.clause_number),
                "Open the contract to edit the clause.",
                reverse("contract", args=[initiative.ref]),
            )
        clause = clause_actions.save_clause(
            initiative=initiative, clause=clause_drafts.drafted(row, failure), by=by
        )
        row.clause_number = clause.number
        row.save()
        entries.record(
            EntryKind.EDGE_CLAUSE_TAKEN_OVER,
            initiative=initiative,
            incident=row.pk,
            title=row.title,
            clause=clause.number,
            sentence=clause.sentence,
        )
    return clause
