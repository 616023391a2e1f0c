"""Acts on the interaction log: read, erase, import a file, map names of acts."""

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
from governance.vocabulary.phrases import phrase
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

NOBODY = "No interactions are stored for this name. Check the spelling."
NO_ROOM = "The interaction log cannot be written now, so nothing was saved. Import the file again later."


def open_interaction(*, initiative: Initiative, row: Interaction, way: str, by: User) -> reading.Opened:
    """Record that the person reads an interaction, and return it in clear.

    The entry comes first. The entry keeps `way`, "look" or "download". Raises NoMaster, and Refused without
    permission.
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
    """Keep the interactions in a file of lines. Return their number and the rejected lines.

    A file named .csv is a table, any other is JSON, one object a line. Its rows have no key: the importing person
    answers for them. A file that is imported twice is kept once. Raises Refused, and ValidationError if no line fits or
    nothing can be kept.
    """
    found, wrong = (lines.read_csv if name.lower().endswith(".csv") else lines.read)(content)
    with act("import interactions", by=by, initiative=initiative) as initiative:
        may_import_interactions(initiative, by).or_refuse()
        if not found:
            words = (
                f"Line {wrong[0].number}: {wrong[0].words}"
                if wrong
                else "The file contains no line. Choose a file with interactions."
            )
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
    """Return the digest of the decision with this id, or None in another initiative."""
    try:
        return outcome_reports.decision_of(number, text).digest
    except outcome_reports.UnknownDecision:
        return None


def wrong_words(subject: str, **texts: tuple[str, str]) -> dict[str, str]:
    """Return errors by field for a missing name, and for texts that are empty or name the person.

    `texts` has each text by its field, with what it is.
    """
    wrong = {
        name: f"Give {asked}. The audit log keeps this text."
        for name, (text, asked) in texts.items()
        if not text.strip()
    }
    if not subject:
        wrong["subject"] = "Use exactly the name that the system has for the person."
    for name, (text, _asked) in texts.items():
        # A shorter identifier is part of ordinary words.
        if len(subject) > 2 and subject.casefold() in text.casefold():
            wrong[name] = "The audit log keeps this text permanently. Do not name the person in this text."
    return wrong


def erase_subject(
    *, initiative: Initiative, subject: str, everywhere: bool, why: str, duty: str, by: User
) -> subject_erasure.Erased:
    """Erase the texts by or to a person in the initiative, or in all of them.

    Systems call the person `subject`. The audit log keeps the pseudonym, the reason, the legal duty, and the number of
    bodies that were tried and no longer opened. Raises ValidationError, Conflict, and Refused under a legal hold.
    """
    said = subject.strip()
    if wrong := wrong_words(said, why=(why, "a reason"), duty=(duty, "the legal duty")):
        raise ValidationError(wrong)
    pseudonym = keys.pseudonym("subject", said)
    with act("erase interactions", by=by, initiative=initiative, reason=why.strip()) as initiative:
        initiatives = {initiative.number} | (
            subject_erasure.initiatives_of(pseudonym) if everywhere else set()
        )
        may_erase_interactions(initiative, by, pseudonym, initiatives).or_refuse()
        done = subject_erasure.erase(pseudonym, None if everywhere else initiative.number)
        if not (done.keys or done.tried):
            raise ValidationError({"subject": NOBODY})
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
    """Map each of these names to an action of the contract, or to NO_ACT for none.

    An empty action removes a mapping. Unchanged names are skipped, and the worker judges the last days again. Raises
    Refused, and ValidationError for an unknown name or action.
    """
    with act("name acts", by=by, initiative=initiative) as initiative:
        may_name_acts(initiative, by).or_refuse()
        actions = contract_actions([initiative])[initiative.pk]
        known = {row.name: row for row in initiative.act_names.all()}
        changed, said = [], []
        for name, action in meant.items():
            if not name or name != act_name(name) or len(name) > LONGEST_ACT:
                raise ValidationError(phrase("The log has no act called “{}”. Open the page again.", name))
            if action not in ("", NO_ACT) and action not in actions:
                raise ValidationError(
                    phrase(
                        "The contract has no action called “{}”. Choose an action of the contract.", action
                    )
                )
            if (row := _named(initiative, known.get(name), name, action, by)) is not None:
                changed.append(row)
                said.append(f"{name} means {_in_words(action)}")
        if said:
            entries.record(EntryKind.ACTS_NAMED, initiative=initiative, names="; ".join(said))
    return changed


def _named(initiative: Initiative, row: ActName | None, name: str, action: str, by: User) -> ActName | None:
    """Return the changed row, or None if the mapping is the same already."""
    kept = "" if action == NO_ACT else action
    said = row.action if row is not None and row.withdrawn_at is None else None
    if said == (kept if action else None):
        return None
    row, now = row or ActName(initiative=initiative, name=name), clock.now()
    row.action, row.by, row.at, row.withdrawn_at = kept, by, now, None if action else now
    row.save()
    return row


def _in_words(action: str) -> str:
    return {"": "its own name", NO_ACT: "no act of the contract"}.get(action, action)
