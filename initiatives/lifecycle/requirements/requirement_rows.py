"""One row of requirements saved in one act: answer and evidence."""

from governance.audit_log import entries
from governance.models import User
from governance.permission_result import no
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.evidence.actions import add_evidence, cover
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.requirements.actions import answer
from initiatives.models import AnswerDraft, Evidence, Initiative


def save_row(
    *,
    initiative: Initiative,
    requirement: str,
    reply: dict | None = None,
    evidence: dict | None = None,
    offer: Evidence | None = None,
    by: User,
) -> None:
    """Save a row: `reply` as for `answer`, `evidence` as for `add_evidence`.

    `offer` is an item. Raises Refused if the row is empty, and the errors of its acts. On an error, no part of it is
    saved.
    """
    with act("save row", by=by, initiative=initiative) as initiative:
        draft = (
            AnswerDraft.objects.select_related("token")
            .filter(initiative=initiative, requirement=requirement, person=by)
            .first()
        )
        if reply is None and evidence is None and offer is None:
            no("You entered no answer and no evidence.", "Write an answer, or add evidence.").or_refuse()
        if reply is not None:
            answer(initiative=initiative, requirement=requirement, by=by, **reply)
        if evidence is not None:
            add_evidence(initiative=initiative, covers=[requirement], by=by, **evidence)
        if offer is not None:
            cover(evidence=offer, requirements=[requirement], by=by)
        if draft is not None:
            _close(draft, reply or {}, evidence or {})


def _close(draft: AnswerDraft, reply: dict, evidence: dict) -> None:
    """Delete the draft of a saved row. A draft of a program is recorded, and whether its words were changed."""
    if draft.token is not None:
        saved = {
            "text": reply.get("text"),
            "evidence-title": evidence.get("title"),
            "evidence-link": evidence.get("link"),
        }
        edited = draft.edited or any(draft.fields.get(name, value) != value for name, value in saved.items())
        entries.record(
            EntryKind.PROGRAM_DRAFT_SAVED,
            initiative=draft.initiative,
            requirement=draft.requirement,
            program=draft.token.name,
            public=draft.token.public,
            how="after changes" if edited else "unchanged",
        )
    draft.delete()
