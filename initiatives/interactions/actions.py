"""Acts on the interaction log: read, erased, brought in from a file; what its senders call their acts is said."""

import hashlib
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError

from governance import clock
from governance.audit_log import entries
from governance.authorization import outcome_reports
from governance.database import row_history
from governance.interaction_log import keys, lines, reading
from governance.interaction_log.intake import interactions
from governance.interaction_log.shape import LONGEST_ACT, act_name
from governance.interaction_retention import destroyed, subject_erasure
from governance.models import Interaction, User
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.interactions.comparison.act_names import contract_actions
from initiatives.interactions.permissions import (
    may_erase_interactions,
    may_import_interactions,
    may_name_acts,
    may_read_interactions,
)
from initiatives.lifecycle.initiative.act import act
from initiatives.models import ActName, Initiative

NO_ACT = "-"  # chosen for a name that means no act of the contract

NO_ROOM = "The log cannot be written just now and took nothing: bring the file again later."


def open_interaction(*, initiative: Initiative, row: Interaction, way: str, by: User) -> reading.Opened:
    """Record that the person reads an interaction, before a word of it leaves; the interaction in clear.

    `way`: "look" or "download", as the entry keeps it. Raises Refused for who may not read it, and NoMaster.
    """
    may_read_interactions(initiative, by).or_refuse()
    with row_history.acting(by=by, reason=""):
        entries.record(
            EntryKind.INTERACTION_OPENED,
            initiative=initiative,
            interaction=row.pk,
            at=row.at,
            digest=bytes(row.digest).hex(),
            way=way,
        )
    return reading.opened(row)


def import_file(
    *, initiative: Initiative, name: str, content: bytes, by: User
) -> tuple[int, list[lines.Wrong]]:
    """Keep what a file of lines says that systems of the initiative did; how many, and the lines that are not taken.

    A table where the file is called so, else JSON, one object a line. What comes by a file comes by no key: it is the
    word of whoever brought it, and sent twice it is kept once. Raises ValidationError where no line fits or nothing can
    be kept, and Refused.
    """
    found, wrong = (lines.read_csv if name.lower().endswith(".csv") else lines.read)(content)
    with act("import interactions", by=by, initiative=initiative) as initiative:
        may_import_interactions(initiative, by).or_refuse()
        if not found:
            words = f"Line {wrong[0].number}: {wrong[0].words}" if wrong else "The file holds no line."
            raise ValidationError({"file": words})
        entries.record(
            EntryKind.INTERACTIONS_IMPORTED,
            initiative=initiative,
            file=name[:120],
            count=len(found),
            rejected=sum(one.count for one in wrong),
            digest=hashlib.sha256(content).hexdigest(),
        )
        try:
            interactions.keep(
                found,
                initiative=initiative.number,
                key=None,
                decision_of=lambda text: decision_named(initiative.number, text),
                now=clock.now(),
            )
        except (OSError, DatabaseError, keys.NoMaster):
            raise ValidationError({"file": NO_ROOM}) from None
    return len(found), wrong


def decision_named(number: int, text: str) -> bytes | None:
    """The digest of the decision with this id, where it is one of the initiative of this number."""
    try:
        return outcome_reports.decision_of(number, text).digest
    except outcome_reports.UnknownDecision:
        return None


def erase_subject(
    *, initiative: Initiative, subject: str, everywhere: bool, why: str, duty: str, by: User
) -> subject_erasure.Erased:
    """Erase what was said by or to a person (as the systems call them) in the initiative, or in all of them.

    The audit log keeps their pseudonym, why and by which duty, and how many bodies were tried and did not open any
    more. Raises ValidationError, Refused where a legal hold keeps it, Conflict.
    """
    said = subject.strip()
    wrong = {
        name: f"Say {asked}: it stays in the audit log."
        for name, text, asked in (("why", why, "why"), ("duty", duty, "which duty asks for it"))
        if not text.strip()
    }
    if not said:
        wrong["subject"] = "Name the person exactly as the system calls them."
    for name, text in (("why", why), ("duty", duty)):
        # A shorter identifier is part of ordinary words.
        if len(said) > 2 and said.casefold() in text.casefold():
            wrong[name] = "This stays in the audit log for good: write it without naming the person."
    if wrong:
        raise ValidationError(wrong)
    pseudonym = keys.pseudonym("subject", said)
    with act("erase interactions", by=by, initiative=initiative, reason=why.strip()) as initiative:
        initiatives = {initiative.number} | (
            subject_erasure.initiatives_of(pseudonym) if everywhere else set()
        )
        may_erase_interactions(initiative, by, pseudonym, initiatives).or_refuse()
        done = subject_erasure.erase(pseudonym, None if everywhere else initiative.number)
        if not (done.keys or done.tried):
            raise ValidationError({"subject": "Nothing is held of anybody who is called so."})
        entries.record(
            EntryKind.INTERACTIONS_ERASED,
            initiative=initiative,
            subject=pseudonym.hex(),
            everywhere=everywhere,
            duty=duty.strip(),
            keys=done.keys,
            tried=done.tried,
            unopened=done.unopened,
        )
        destroyed.write_later()
    return done


def name_acts(*, initiative: Initiative, meant: Mapping[str, str], by: User) -> list[ActName]:
    """Say which action of the contract each of these names means; NO_ACT for a name that means none.

    An empty action takes back what was said of a name. What is said already is left alone; the worker judges the last
    days anew. Raises Refused, and ValidationError for what is no name of the log or no action of the contract.
    """
    with act("name acts", by=by, initiative=initiative) as initiative:
        may_name_acts(initiative, by).or_refuse()
        actions = contract_actions([initiative])[initiative.pk]
        known = {row.name: row for row in initiative.act_names.all()}
        changed, said = [], []
        for name, action in meant.items():
            if not name or name != act_name(name) or len(name) > LONGEST_ACT:
                raise ValidationError(f"“{name}” is no name of an act in the log.")
            if action not in ("", NO_ACT) and action not in actions:
                raise ValidationError(f"“{action}” is no action of the contract.")
            if (row := _named(initiative, known.get(name), name, action, by)) is not None:
                changed.append(row)
                said.append(f"{name} means {_in_words(action)}")
        if said:
            entries.record(EntryKind.ACTS_NAMED, initiative=initiative, names="; ".join(said))
    return changed


def _named(initiative: Initiative, row: ActName | None, name: str, action: str, by: User) -> ActName | None:
    """The row as it was changed; None where it says so already."""
    kept = "" if action == NO_ACT else action
    said = row.action if row is not None and row.withdrawn_at is None else None
    if said == (kept if action else None):
        return None
    row, now = row or ActName(initiative=initiative, name=name), clock.now()
    row.action, row.by, row.at, row.withdrawn_at = kept, by, now, None if action else now
    row.save()
    return row


def _in_words(action: str) -> str:
    return {"": "what it says", NO_ACT: "no act of the contract"}.get(action, action)
