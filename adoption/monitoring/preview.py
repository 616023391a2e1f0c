"""What confirming a draft as an incident would bring, before it is confirmed."""

from adoption.incidents.preview import sentences_of
from adoption.models import IncidentDraft
from adoption.monitoring import actions
from governance.models import User


def of_confirming(draft: IncidentDraft, *, by: User, **fields) -> list[str]:
    """What making an incident of this draft would bring; fields as `confirm_draft`."""

    def run(case):
        actions.confirm_draft(draft=draft, by=by, **fields)

    return sentences_of(draft.initiative, run, by)
