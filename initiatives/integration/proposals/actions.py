"""Acts on proposed changes of shared things: propose, confirm, decline, withdraw.

A confirmed change runs the ordinary act in the right of the person who confirms. Its reason names who proposed it
(ADR 0042).
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Model
from django.urls import reverse

from governance import clock
from governance.audit_log import entries
from governance.models import Membership, User
from governance.notifications import notify
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.integration.definitions.actions import change_term, define, name_term, withdraw_definition
from initiatives.integration.proposals import permissions
from initiatives.integration.residency.actions import file_vendor_term
from initiatives.integration.residency.permissions import RESIDENCY_SEATS
from initiatives.integration.systems.accounts import change_account, close_account, open_account
from initiatives.integration.systems.actions import change_system, retire_system
from initiatives.lifecycle.access.permissions import ARCHITECTURE
from initiatives.lifecycle.initiative.act import act
from initiatives.models import (
    ProposedChange,
    ServiceAccount,
    System,
    Term,
    TermDefinition,
    Vendor,
    VendorTerm,
)
from initiatives.models.integration.definitions import SAID
from initiatives.models.integration.proposals import CONFIRMED, DECLINED, WITHDRAWN

MOST_WAITING = 20  # of one person at a time, so that no one can fill an inbox
LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Kind:
    """A kind of proposal: the model of its fields, its act, and if the row is `new`."""

    model: type[Model]
    run: Callable[[ProposedChange, dict, str, User], object]
    new: bool = False


def _target(row: ProposedChange, **said) -> dict:
    """Return every field of the account or definition as the act takes it."""
    one = row.account or row.definition
    names = ("name", "owner", "privileges", "review_by") if row.account is not None else ("field", *SAID)
    return {name: getattr(one, name) for name in names} | said


KINDS = {
    "system_changed": Kind(
        System, lambda row, said, why, by: change_system(system=row.system, by=by, **said)
    ),
    "system_retired": Kind(
        System, lambda row, said, why, by: retire_system(system=row.system, reason=why, by=by)
    ),
    "account_opened": Kind(
        ServiceAccount, lambda row, said, why, by: open_account(system=row.system, by=by, **said), new=True
    ),
    "account_changed": Kind(
        ServiceAccount,
        lambda row, said, why, by: change_account(account=row.account, by=by, **_target(row, **said)),
    ),
    "account_closed": Kind(
        ServiceAccount, lambda row, said, why, by: close_account(account=row.account, reason=why, by=by)
    ),
    "definition_written": Kind(
        TermDefinition, lambda row, said, why, by: define(system=row.system, by=by, **said), new=True
    ),
    "definition_changed": Kind(
        TermDefinition,
        lambda row, said, why, by: define(
            term=row.definition.term,
            system=row.definition.system,
            definition=row.definition,
            by=by,
            **_target(row, **said),
        ),
    ),
    "definition_withdrawn": Kind(
        TermDefinition,
        lambda row, said, why, by: withdraw_definition(definition=row.definition, reason=why, by=by),
    ),
    "term_named": Kind(Term, lambda row, said, why, by: name_term(by=by, **said), new=True),
    "term_changed": Kind(
        Term,
        lambda row, said, why, by: change_term(
            term=row.term, by=by, **({"name": row.term.name, "meaning": row.term.meaning} | said)
        ),
    ),
    "vendor_term_filed": Kind(
        VendorTerm, lambda row, said, why, by: file_vendor_term(vendor=row.vendor, by=by, **said), new=True
    ),
}


def propose_change(
    *,
    kind: str,
    about: System | ServiceAccount | TermDefinition | Term | Vendor | None = None,
    fields: dict | None = None,
    reason: str,
    by: User,
) -> ProposedChange:
    """Propose a change of a shared thing, and notify who decides. Changes nothing itself.

    `about` is the row, the system for a new account or definition, or None for a new business term. `fields` are as
    the act takes them, and unchanged values are left out. Raises ValidationError, Refused.
    """
    if about is not None:
        about = type(about)._default_manager.get(pk=about.pk)  # the present owner is asked
    row = aimed(kind, about)
    row.reason, row.by, row.at = reason.strip()[:LONGEST_REASON], by, clock.now()
    row.fields = _to_json(row, fields or {})
    if not row.reason:
        raise ValidationError({"reason": "Give a reason that helps the person who decides."})
    if not row.fields and (fields or KINDS[kind].new):
        raise ValidationError("The proposal changes nothing. Change at least one field.")
    with act("propose change", by=by, register=True):
        permissions.may_propose(row, by).or_refuse()
        waiting = ProposedChange.objects.waiting().filter(by=by)
        if waiting.count() >= MOST_WAITING:
            raise ValidationError(
                phrase(
                    "{} of your proposals still wait for an answer. Withdraw a proposal, or wait for an "
                    "answer.",
                    MOST_WAITING,
                )
            )
        row.save()
        entries.record(EntryKind.CHANGE_PROPOSED, proposal=row.pk, **_told(row), why=row.reason)
        _tell_deciders(row)
    return row


def confirm_change(*, proposal: ProposedChange, digest: str, by: User) -> ProposedChange:
    """Run the act of the proposed change. `digest`: that of `read` when the page was shown.

    Raises ValidationError if the act refuses the change, Conflict if the subject of the change was changed meanwhile.
    """
    with act("confirm change", by=by, register=True, reason=f"Proposed by {proposal.by}"):
        row = _waiting(proposal, by)
        if digest != read(row):
            raise Conflict(
                "The subject of this proposal was changed after you opened this page. Read the proposal "
                "again."
            )
        KINDS[row.kind].run(row, _from_json(row), f"{row.reason} (Proposed by {row.by}.)", by)
        _decide(row, CONFIRMED, "", by)
    return row


def decline_change(*, proposal: ProposedChange, answer: str, by: User) -> ProposedChange:
    """Decline a proposal with a reason, and change nothing."""
    if not answer.strip():
        raise ValidationError({"answer": "Give a reason for the person who proposed the change."})
    with act("decline change", by=by, register=True):
        row = _waiting(proposal, by)
        _decide(row, DECLINED, answer.strip(), by)
    return row


def withdraw_change(*, proposal: ProposedChange, by: User) -> ProposedChange:
    """Withdraw a proposal of the person, so that no one has to answer."""
    with act("withdraw change", by=by, register=True):
        row = _fresh(proposal)
        permissions.may_withdraw(row, by).or_refuse()
        _decide(row, WITHDRAWN, "", by)
    return row


def read(row: ProposedChange) -> str:
    """Return the SHA-256 of a proposal with its present row, for the confirming page."""
    said = {"kind": row.kind, "fields": row.fields, "now": {name: words for name, words, _ in changes(row)}}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def changes(row: ProposedChange) -> list[tuple[str, str, str]]:
    """Return each changed field with the present and the proposed value, in words.

    A proposed row that no longer exists reads as "gone".
    """
    model, there = KINDS[row.kind].model, None if KINDS[row.kind].new else _row_of(row)
    found = []
    for name, value in row.fields.items():
        field = model._meta.get_field(name)
        if field.is_relation and value is not None:
            value = field.related_model._default_manager.filter(pk=value).first() or "gone"
        found.append((name, _words(getattr(there, name, None)), _words(value)))
    return found


def _words(value) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


ABOUT = {
    System: "system",
    ServiceAccount: "account",
    TermDefinition: "definition",
    Term: "term",
    Vendor: "vendor",
}


def aimed(
    kind: str, about: System | ServiceAccount | TermDefinition | Term | Vendor | None
) -> ProposedChange:
    """Return an unsaved proposal of this kind about this row, with its system."""
    row = ProposedChange(kind=kind)
    if about is not None:
        setattr(row, ABOUT[type(about)], about)
    if isinstance(about, (ServiceAccount, TermDefinition)):
        row.system = about.system
    return row


def _row_of(row: ProposedChange):
    return row.account or row.definition or row.term or row.vendor or row.system


def _to_json(row: ProposedChange, fields: dict) -> dict:
    """Return the changed values as JSON: rows by their keys, days as ISO 8601."""
    there, found = None if KINDS[row.kind].new else _row_of(row), {}
    for name, value in fields.items():
        field = KINDS[row.kind].model._meta.get_field(name)
        if isinstance(value, str):
            value = value.strip()
        if there is not None and getattr(there, name) == value:
            continue
        if field.is_relation:
            value = value.pk if value is not None else None
        found[name] = value.isoformat() if isinstance(value, date) else value
    return found


def _from_json(row: ProposedChange) -> dict:
    """Return the fields as the act takes them. Raises ValidationError if a row they name is gone."""
    found = {}
    for name, value in row.fields.items():
        field = KINDS[row.kind].model._meta.get_field(name)
        try:
            if field.is_relation and value is not None:
                value = field.related_model._default_manager.get(pk=value)
            elif field.get_internal_type() == "DateField" and value is not None:
                value = date.fromisoformat(value)
        except ObjectDoesNotExist:
            raise ValidationError(
                phrase(
                    "The proposal names a {} that no longer exists. Decline the proposal.", field.verbose_name
                )
            ) from None
        found[name] = value
    return found


def _fresh(proposal: ProposedChange) -> ProposedChange:
    return ProposedChange.objects.select_related(
        "by",
        "system__owner",
        "account__owner",
        "account__system__owner",
        "definition__term",
        "definition__system__owner",
        "term",
        "vendor",
    ).get(pk=proposal.pk)


def _waiting(proposal: ProposedChange, by: User) -> ProposedChange:
    """Return the proposal as it is after the lock. Raises Conflict if answered, or Refused."""
    row = _fresh(proposal)
    if row.decided_at is not None:
        raise Conflict(
            phrase("The proposal was already {} at {}.", row.outcome, clock.moment_in_words(row.decided_at))
        )
    permissions.may_answer(row, by).or_refuse()
    return row


def _decide(row: ProposedChange, outcome: str, answer: str, by: User) -> None:
    row.outcome, row.answer, row.decided_by, row.decided_at = outcome, answer, by, clock.now()
    row.save()
    entries.record(
        EntryKind(f"proposal {outcome}"),
        proposal=row.pk,
        **_told(row),
        proposed_by=row.by.full_name,
        why=answer,
    )
    if outcome != WITHDRAWN:
        notify.notify(
            row.by,
            "proposal answered",
            f"proposal:{row.pk}",
            subject=f"{by} {outcome} your proposal: {row}"[:250],
            text=answer,
            link=row.get_absolute_url(),
        )


def _told(row: ProposedChange) -> dict:
    return {
        "about": str(row.about),
        "change": row.kind,
        "system": row.system.name if row.system else None,
        "fields": {name: words for name, _, words in changes(row)},
    }


def _tell_deciders(row: ProposedChange) -> None:
    """Notify the active owners, or the seats if the row has none or belongs to seats."""
    people = permissions.owners_asked(row)
    if not people:
        seats = RESIDENCY_SEATS if row.vendor is not None else (ARCHITECTURE,)
        held = Membership.objects.held_at(clock.now()).filter(seat__in=seats)
        people = list(User.objects.filter(pk__in=held.values("person")).exclude(pk=row.by_id))
    notify.notify(
        people,
        "change proposed",
        f"proposal:{row.pk}",
        subject=f"{row.by} proposes: {row}"[:250],
        text=row.reason,
        link=reverse("proposal", args=[row.pk]),
    )
