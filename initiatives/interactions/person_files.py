"""The file of a person: their reports with time, system, clauses and receipts.

The person is found by the name that systems use. Reports without a name in a conversation or call of the person are in
the file too. Each report has its body as sealed, for others to check.
"""

import hashlib
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.template.loader import render_to_string

from governance import clock
from governance.audit_log import entries
from governance.authorization import outcome_reports
from governance.interaction_log import keys, reading, shape
from governance.interaction_retention import subject_erasure
from governance.models import Clause, Entry, Interaction, PolicyDecision, ServiceKey, User
from governance.offline import verify
from governance.permission_result import Conflict
from governance.transparency_log import sealing
from governance.vocabulary import DecisionOutcome
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.interactions.actions import NOBODY, wrong_words
from initiatives.interactions.permissions import may_take_file
from initiatives.lifecycle.initiative.act import act
from initiatives.models import ApprovalRequest, Initiative

MOST = 5_000  # interactions of one file
MOST_BYTES = 60 << 20
PARTS = ("input", "tool", "retrieval", "output", "error")  # of a report, with words of people


@dataclass
class _File:
    """The contents of a file in progress."""

    told: list[dict[str, Any]] = field(default_factory=list)
    sealed: dict[str, bytes] = field(default_factory=dict)
    receipts: dict[int, bytes | None] = field(default_factory=dict)


def take_file(*, initiative: Initiative, subject: str, everywhere: bool, why: str, by: User) -> bytes:
    """Return everything of a person in the initiative, or in all of them, as a zip file.

    Systems call the person `subject`. Each initiative with one of the interactions has an entry with the pseudonym, the
    reason and the counts. Raises Refused, ValidationError by field, Conflict if it is too much, NoMaster.
    """
    said = subject.strip()
    if wrong := wrong_words(said, why=(why, "a reason")):
        raise ValidationError(wrong)
    pseudonym = keys.pseudonym("subject", said)
    with act("take file of a person", by=by, initiative=initiative, reason=why.strip()) as initiative:
        may_take_file(initiative, by).or_refuse()
        found = _calls(subject_erasure.belonging(pseudonym, None if everywhere else initiative.number))
        if not found:
            raise ValidationError({"subject": NOBODY})
        made, counts = _File(), {}
        for one in Initiative.objects.filter(number__in=found).order_by("number"):
            before = len(made.told)
            for opened in reading.opened_of(found[one.number]):
                _add(made, one, opened)
            told = made.told[before:]
            counts[one] = len(told), sum("unreadable" in report for report in told)
        content = _zipped(said, made)
        if len(content) > MOST_BYTES:
            raise Conflict("The file is too large.", "Take a file of each initiative.")
        for one, (count, unreadable) in counts.items():
            entries.record(
                EntryKind.INTERACTIONS_HANDED_OUT,
                initiative=one,
                subject=pseudonym.hex(),
                why=why.strip(),
                found=count,
                unreadable=unreadable,
                sha256=hashlib.sha256(content).hexdigest(),
            )
    return content


def _calls(rows: Iterable[Interaction]) -> dict[int, list[Interaction]]:
    """Return by initiative (number) one row of each call, by time. Raises Conflict for too many."""
    calls: dict[tuple[int, bytes], Interaction] = {}
    for row in sorted(rows, key=lambda row: (row.kind not in reading.COUNTED, row.at, row.pk)):
        calls.setdefault((row.initiative_number, bytes(row.call)), row)
    if len(calls) > MOST:
        raise Conflict(
            phrase("The log has more than {} interactions of this person.", f"{MOST:,}"),
            "Take a file of each initiative.",
        )
    found: dict[int, list[Interaction]] = defaultdict(list)
    for row in sorted(calls.values(), key=lambda row: (row.at, row.pk)):
        found[row.initiative_number].append(row)
    return found


def _add(made: _File, initiative: Initiative, one: reading.Opened) -> None:
    report, number = one.report, len(made.told) + 1
    told: dict[str, Any] = {
        "number": number,
        "when": one.row.at.isoformat(),
        "initiative": initiative.ref if initiative.confidential else f"{initiative.ref} {initiative.title}",
    }
    made.told.append(told)
    if report is None:
        told["unreadable"] = one.wrong or ("expired" if one.expired else "erased")
        return
    key = ServiceKey.objects.filter(pk=one.row.key_id).first() if one.row.key_id else None
    told["system"] = key.system if key else "imported from a file"
    told["decision"] = _decision(initiative, report.decision)
    told["said"] = shape.plain(report)
    told["sealed"] = []
    for part in one.parts:
        name = f"sealed/{number}-{part.pk}.json"
        content = _sealed(made, part)
        if content is not None:
            made.sealed[name] = content
            told["sealed"].append(name)


def _sealed(made: _File, part: Interaction) -> bytes | None:
    """Return the part with its batch's receipt, or None before sealing."""
    if part.batch_id not in made.receipts:
        entry = Entry.objects.filter(table="governance_interactionbatch", key=str(part.batch_id)).first()
        try:
            made.receipts[part.batch_id] = sealing.receipt_of(entry) if entry else None
        except sealing.NotSealedYet:
            made.receipts[part.batch_id] = None
    receipt, out = made.receipts[part.batch_id], reading.handed_out(part)
    return None if receipt is None or out is None else reading.file_of(out, receipt)


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


def _zipped(name: str, made: _File) -> bytes:
    whole = {
        "name": name,
        "made_at": clock.now().isoformat(),
        "interactions": len(made.told),
        "unreadable": sum("unreadable" in one for one in made.told),
        "told": made.told,
    }
    shown = whole | {"told": [one | {"texts": list(_texts(one.get("said", {})))} for one in made.told]}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.html", render_to_string("initiatives/interactions/person_file.html", shown))
        archive.writestr("data.json", json.dumps(whole, ensure_ascii=False, indent=1))
        for path, content in made.sealed.items():
            archive.writestr(path, content)
        archive.writestr("verify.py", Path(verify.__file__).read_bytes())
    return held.getvalue()


def _texts(said: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the parts of a report that have texts, with these."""
    for part in PARTS:
        if texts := [text for text in _strings(said.get(part)) if text]:
            yield part, texts


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []
