"""The copy for a person: their reports with time, system, clauses and receipts.

No file of the copy contains words that were blacked out by hand. A report without blacked-out words has its body as
sealed, for others to check. In another report, only the digest can be checked.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string

from governance import clock
from governance.audit_log import entries
from governance.authorization import outcome_reports
from governance.interaction_log import reading
from governance.models import Clause, Entry, Interaction, PolicyDecision, ServiceKey, User
from governance.offline import verify
from governance.permission_result import Conflict
from governance.transparency_log import sealing
from governance.vocabulary import DecisionOutcome
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.interactions.requests import actions, secrets
from initiatives.interactions.requests.actions import working
from initiatives.interactions.requests.hits import blacked, row_of, words_blacked
from initiatives.interactions.requests.permissions import may_search, may_take_copy
from initiatives.models import ApprovalRequest, Initiative, SubjectExport, SubjectHit, SubjectRequest

MOST_BYTES = 60 << 20
LEFT_OUT = (
    "Words of other people are blacked out. Technical attributes that do not belong to a field are only "
    "in the sealed files. Plumbline leaves these attributes out if words are blacked out."
)


@dataclass
class _Copy:
    """The contents of a copy in progress."""

    told: list[dict[str, Any]] = field(default_factory=list)
    sealed: dict[str, bytes] = field(default_factory=dict)
    blacked: int = 0
    unreadable: int = 0
    receipts: dict[int, bytes | None] = field(default_factory=dict)


def make_copy(*, request: SubjectRequest, despite: bool = False, by: User) -> SubjectExport:
    """Write the one copy of what belongs to the person. Raises Refused, Conflict, NoMaster.

    Words that are blacked out in one interaction and readable in another are a Conflict, unless `despite` confirms that
    someone checked them.
    """
    with working("make copy", request, may_search, by) as row:
        person = actions.person_in(row)
        _refuse_too_soon(row)
        hits = list(row.hits.filter(belongs=True).select_related("initiative__contract"))
        opened = [(hit, _opened(hit)) for hit in hits]
        if not despite:
            _refuse_in_clear(opened)
        made = _Copy()
        for number, (hit, one) in enumerate(opened, 1):
            _add(made, number, hit, one)
        content = _zipped(row, person, made)
        if len(content) > MOST_BYTES:
            raise Conflict(
                "The copy is too large.",
                "Record a separate request for each group of initiatives.",
            )
        now = clock.now()
        export = SubjectExport(
            request=row,
            made_by=by,
            made_at=now,
            until=now + timedelta(days=SubjectExport.KEPT),
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            interactions=len(hits),
            blacked=made.blacked,
            unreadable=made.unreadable,
        )
        export.save()
        secrets.keep_file(row, export, content)
        entries.record(
            EntryKind.SUBJECT_COPY_MADE,
            request=row.pk,
            copy=export.pk,
            interactions=export.interactions,
            blacked=export.blacked,
            unreadable=export.unreadable,
            sha256=export.sha256,
        )
    return export


def _refuse_too_soon(row: SubjectRequest) -> None:
    if not row.wants_copy:
        raise Conflict("The person did not ask for a copy.")
    if row.erasures.exists():
        raise Conflict("The interactions of the person are already erased.")
    if not row.searched_at or row.hits.filter(belongs__isnull=True).exists():
        raise Conflict(
            "Some interactions that were found are not judged yet.",
            "Mark for each interaction if it belongs to the person.",
        )
    if row.text_searches.filter(done_at__isnull=True).exists():
        raise Conflict("A text search is still running.", "Wait until the search has finished.")
    if row.exports.filter(ended_at__isnull=True).exists():
        raise Conflict("This request already has a copy.", "First revoke that copy.")


def _opened(hit: SubjectHit) -> reading.Opened | None:
    row = row_of(hit)
    return reading.opened(row) if row is not None else None


def _refuse_in_clear(opened: list[tuple[SubjectHit, reading.Opened | None]]) -> None:
    """Raise Conflict if words blacked out in one interaction are readable in another."""
    words: set[str] = set()
    for hit, one in opened:
        if one is not None and one.report is not None:
            words |= {said.casefold() for said in words_blacked(one.report, hit.passages)}
    for hit, one in opened if words else ():
        if one is None or one.report is None:
            continue
        shown = "\n".join(_strings(blacked(one.report, hit.passages))).casefold()
        if any(said in shown for said in words):
            raise Conflict(
                phrase(
                    "Words that you blacked out elsewhere are readable in the interaction of {}.",
                    clock.moment_in_words(hit.at),
                ),
                "Open the interaction. Black out the words there too, or confirm that they stay.",
                hit.get_absolute_url(),
            )


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []


def _add(made: _Copy, number: int, hit: SubjectHit, one: reading.Opened | None) -> None:
    initiative, report = hit.initiative, one.report if one else None
    told: dict[str, Any] = {
        "number": number,
        "when": hit.at.isoformat(),
        "initiative": initiative.ref if initiative.confidential else f"{initiative.ref} {initiative.title}",
        "found": hit.way,
    }
    made.told.append(told)
    if one is None or report is None:
        told["unreadable"] = (one.wrong if one else "") or "expired or erased"
        made.unreadable += 1
        return
    key = ServiceKey.objects.filter(pk=one.row.key_id).first() if one.row.key_id else None
    told["system"] = key.system if key else "imported from a file"
    told["decision"] = _decision(initiative, report.decision)
    told["said"] = blacked(report, hit.passages)
    told["blacked_out"] = len(hit.passages)
    made.blacked += len(hit.passages)
    told["sealed"] = []
    for part in one.parts or (one.row,):
        name = f"sealed/{number}-{part.pk}.json"
        content = _sealed(made, part, withheld=bool(hit.passages))
        if content is not None:
            made.sealed[name] = content
            told["sealed"].append(name)


def _sealed(made: _Copy, part: Interaction, *, withheld: bool) -> bytes | None:
    """Return the part with its batch's receipt, or None before sealing. Withheld: no body and salt."""
    if part.batch_id not in made.receipts:
        entry = Entry.objects.filter(table="governance_interactionbatch", key=str(part.batch_id)).first()
        try:
            made.receipts[part.batch_id] = sealing.receipt_of(entry) if entry else None
        except sealing.NotSealedYet:
            made.receipts[part.batch_id] = None
    receipt, out = made.receipts[part.batch_id], reading.handed_out(part)
    if receipt is None or out is None:
        return None
    if withheld:
        out |= {"body": None, "salt": None}
    return reading.file_of(out, receipt)


def _decision(initiative: Initiative, text: str) -> dict[str, Any] | None:
    """Return the decision on it with clauses and approvers, or None if it is unknown."""
    try:
        named = outcome_reports.decision_of(initiative.number, text) if text else None
    except outcome_reports.UnknownDecision:
        return None
    rows = PolicyDecision.objects.filter(initiative_number=initiative.number)
    row = rows.filter(at=named.at, digest=named.digest).first() if named else None
    if row is None:
        return None
    clauses = Clause.objects.filter(
        version__contract=initiative.contract_id,
        version__number=row.version_number or 0,
        number__in=row.clauses,
    )
    approval = ApprovalRequest.objects.filter(reference=row.approval).first() if row.approval else None
    return {
        "at": row.at.isoformat(),
        "outcome": DecisionOutcome(row.outcome).label,
        "action": row.action,
        "clauses": [
            f"{number}: {sentence}"
            for number, sentence in clauses.order_by("number").values_list("number", "sentence")
        ],
        "approved": approval.decided_at.isoformat()
        if approval and approval.granted and approval.decided_at
        else "",
    }


def _zipped(row: SubjectRequest, person: secrets.Person, made: _Copy) -> bytes:
    whole = {
        "request": row.pk,
        "name": person.name,
        "called": list(person.identifiers),
        "received_on": row.received_on.isoformat(),
        "made_at": clock.now().isoformat(),
        "interactions": len(made.told),
        "blacked_out": made.blacked,
        "unreadable": made.unreadable,
        "left_out": LEFT_OUT,
        "told": made.told,
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "index.html", render_to_string("initiatives/interactions/requests/copy.html", _shown(whole))
        )
        archive.writestr("data.json", json.dumps(whole, ensure_ascii=False, indent=1))
        for name, content in made.sealed.items():
            archive.writestr(name, content)
        archive.writestr("verify.py", Path(verify.__file__).read_bytes())
    return held.getvalue()


def _shown(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the contents of the copy's page: the texts of each interaction in order."""
    rows = []
    for one in whole["told"]:
        said = one.get("said")
        texts = (
            [
                (part, _strings_of(said.get(part)))
                for part in ("input", "tool", "retrieval", "output", "error")
            ]
            if said
            else []
        )
        rows.append(one | {"texts": [(part, some) for part, some in texts if some]})
    return whole | {"told": rows}


def _strings_of(value: Any) -> list[str]:
    return [text for text in _strings(value) if text]


def take_copy(*, export: SubjectExport, by: User) -> bytes:
    """Return the file to the handler, and record this. Raises Refused, Conflict, NoMaster."""
    with working("take copy", export.request, may_take_copy, by) as request:
        row = SubjectExport.objects.get(pk=export.pk)
        content = secrets.file_of(row) if row.ended_at is None and row.until > clock.now() else None
        if content is None:
            raise Conflict(
                "The file of this copy is missing.",
                "Make a new copy, if the interactions are not erased yet.",
            )
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise Conflict(
                "The file of this copy was changed: its digest differs from the digest in the audit log.",
                "Ask the people who run Plumbline to check the file.",
            )
        row.taken_at = clock.now()
        row.save()
        entries.record(EntryKind.SUBJECT_COPY_TAKEN, request=request.pk, copy=row.pk, sha256=row.sha256)
    return content


def revoke_copy(*, export: SubjectExport, by: User) -> None:
    """Remove a copy before its day, so that another can be made. Raises Refused, Conflict."""
    with working("revoke copy", export.request, may_take_copy, by):
        row = SubjectExport.objects.get(pk=export.pk)
        if row.ended_at is not None:
            raise Conflict("This copy was already revoked.")
        actions.revoke_copy(row)
