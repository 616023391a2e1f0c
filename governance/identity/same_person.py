"""Pairs of accounts that may be one person's, found by address, name or an admin.

Both accounts count as one person on every initiative until the pair is cleared: neither approves the other's work,
and their two sign-offs are one (`governance.gates.separation_of_duties`). Only an admin who is neither clears it,
with a reason.
"""

from django.db.models import Q

from governance import clock
from governance.audit_log import entries
from governance.database import request_memo
from governance.database.row_history import acting
from governance.identity.permissions import may_keep_providers
from governance.models import SamePerson, User
from governance.permission_result import no
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind

SAME_ADDRESS, SAME_NAME = "the same email address", "the same name"
MOST = 20  # pairs that one look marks: more of one name is a list that was entered twice


def twins_of(person: User) -> frozenset[int]:
    """Return the keys of the other accounts that may be this person's."""
    if not person.may_be_another:
        return frozenset()
    return request_memo.once(("same person", person.pk), lambda: _twins(person.pk))


def _twins(key: int) -> frozenset[int]:
    """Return all connected accounts: with pairs of A and B, and B and C, also A and C."""
    rows = SamePerson.objects.filter(cleared_at__isnull=True).values_list("one_id", "other_id")
    found, pairs, grew = {key}, list(rows), True
    while grew:
        more = {end for pair in pairs if found & set(pair) for end in pair}
        grew = not more <= found
        found |= more
    return frozenset(found - {key})


def look(person: User) -> list[SamePerson]:
    """Mark accounts with this person's address or name, in the running act. Ended accounts are looked at too."""
    wanted = Q(full_name__iexact=person.full_name.strip())
    if person.email:
        wanted |= Q(email__iexact=person.email)
    others = User.objects.filter(wanted).exclude(pk=person.pk).order_by("pk")[:MOST]
    made = []
    for other in others:
        same = person.email and other.email.lower() == person.email.lower()
        if not _were_looked_at(person, other):
            made.append(_mark(person, other, SAME_ADDRESS if same else SAME_NAME, None))
    return made


def _were_looked_at(person: User, other: User) -> bool:
    """Return True if the two were ever a pair, so that a cleared one stays cleared."""
    one, two = sorted((person.pk, other.pk))
    return SamePerson.objects.filter(one=one, other=two).exists()


def _mark(person: User, other: User, why: str, by: User | None) -> SamePerson:
    one, two = sorted((person, other), key=lambda each: each.pk)
    row = SamePerson(one=one, other=two, why=why, found_at=clock.now(), found_by=by)
    row.save()
    for each in (person, other):
        if not each.may_be_another:
            each.may_be_another = True
            each.save()
    entries.record(
        EntryKind.PAIR_FOUND, one=one.full_name, one_id=one.pk, other=two.full_name, other_id=two.pk, why=why
    )
    for each, twin in ((one, two), (two, one)):
        account_notifications.tell(
            each,
            f"pair:{row.pk}",
            subject=f"Your account and {twin.login} may be duplicates",
            text=(
                f"Both accounts have {why}. You cannot approve what either account did, on any initiative, "
                "before an admin separates the accounts."
            ),
        )
    return row


def mark(*, person: User, other: User, reason: str, by: User) -> SamePerson:
    """Record as an admin that two accounts may be one person's. Raises Refused."""
    with acting(by=by, reason="Two accounts may be one person's"):
        may_keep_providers(by).or_refuse()
        if person.pk == other.pk:
            no("You chose the same account twice.", "Choose two accounts.").or_refuse()
        people = {
            row.pk: row for row in User.objects.select_for_update().filter(pk__in=(person.pk, other.pk))
        }
        one, two = sorted(people)
        if SamePerson.objects.filter(one=one, other=two, cleared_at__isnull=True).exists():
            no("These two accounts are already marked as one person's.").or_refuse()
        return _mark(
            people[person.pk], people[other.pk], reason.strip()[:300] or "been marked by an admin", by
        )


def clear(*, pair: SamePerson, reason: str, by: User) -> None:
    """Record as an admin that two accounts are of two people. Raises Refused for either."""
    with acting(by=by, reason=reason):
        may_keep_providers(by).or_refuse()
        if by.pk in (pair.one_id, pair.other_id):
            no(
                "One of the two accounts is yours, so you cannot separate them.", "Ask another admin."
            ).or_refuse()
        if not reason.strip():
            no(
                "The reason is missing: how do you know that these are two people?",
                "Enter the reason in the field.",
            ).or_refuse()
        pair = SamePerson.objects.select_for_update(of=("self",)).get(pk=pair.pk)
        if pair.cleared_at is not None:
            return
        pair.cleared_at, pair.cleared_by, pair.cleared_reason = clock.now(), by, reason.strip()
        pair.save()
        for key in (pair.one_id, pair.other_id):
            person = User.objects.select_for_update().get(pk=key)
            person.may_be_another = bool(_twins(key))
            person.save()
        entries.record(
            EntryKind.PAIR_CLEARED,
            one=pair.one.full_name,
            one_id=pair.one_id,
            other=pair.other.full_name,
            other_id=pair.other_id,
            why=pair.why,
            reason=reason.strip(),
        )
