"""One human, one account: pairs of accounts that may be the same human's, found by address and name or by an admin.

While a pair stands, both accounts count as one person on every initiative: neither approves the other's work, and two
sign-offs of theirs are one (`governance.gates.separation_of_duties`). Only an admin who is neither ends it, with a
reason.
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

SAME_ADDRESS, SAME_NAME = "the same mail address", "the same name"
MOST = 20  # pairs that one look marks: more of one name is a list that was entered twice


def twins_of(person: User) -> frozenset[int]:
    """Keys of the other accounts that may be this human's; asked of the database only where there are any."""
    if not person.may_be_another:
        return frozenset()
    return request_memo.once(("same person", person.pk), lambda: _twins(person.pk))


def _twins(key: int) -> frozenset[int]:
    """All that hang together count as one: of A with B and B with C, A and C too."""
    rows = SamePerson.objects.filter(cleared_at__isnull=True).values_list("one_id", "other_id")
    found, pairs, grew = {key}, list(rows), True
    while grew:
        more = {end for pair in pairs if found & set(pair) for end in pair}
        grew = not more <= found
        found |= more
    return frozenset(found - {key})


def look(person: User) -> list[SamePerson]:
    """Mark, in the running act, the accounts that may be this human's too: whose address or name is the same."""
    wanted = Q(full_name__iexact=person.full_name.strip())
    if person.email:
        wanted |= Q(email__iexact=person.email)
    others = User.objects.active().filter(wanted).exclude(pk=person.pk).order_by("pk")[:MOST]
    made = []
    for other in others:
        same = person.email and other.email.lower() == person.email.lower()
        if not _were_looked_at(person, other):
            made.append(_mark(person, other, SAME_ADDRESS if same else SAME_NAME, None))
    return made


def _were_looked_at(person: User, other: User) -> bool:
    """Whether the two were a pair already: what an admin cleared is not found again by itself."""
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
            subject=f"Your account and {twin.login} may be the same person's",
            text=f"They have {why}. Until an admin says that they are not, both count as one on every initiative: "
            "neither approves what the other did.",
        )
    return row


def mark(*, person: User, other: User, reason: str, by: User) -> SamePerson:
    """Say as admin that two accounts may be one human's. Raises Refused."""
    with acting(by=by, reason="Two accounts may be one person's"):
        may_keep_providers(by).or_refuse()
        if person.pk == other.pk:
            no("These are the same account.", "Choose two.").or_refuse()
        people = {
            row.pk: row for row in User.objects.select_for_update().filter(pk__in=(person.pk, other.pk))
        }
        one, two = sorted(people)
        if SamePerson.objects.filter(one=one, other=two, cleared_at__isnull=True).exists():
            no("These two are a pair already.").or_refuse()
        return _mark(people[person.pk], people[other.pk], reason.strip()[:300] or "an admin says so", by)


def clear(*, pair: SamePerson, reason: str, by: User) -> None:
    """Say as admin that two accounts are two humans'. Raises Refused; neither of the two says so."""
    with acting(by=by, reason=reason):
        may_keep_providers(by).or_refuse()
        if by.pk in (pair.one_id, pair.other_id):
            no("Nobody says of their own account that it is another's.", "Ask another admin.").or_refuse()
        if not reason.strip():
            no("Say how you know that these are two people.", "Write it in the field.").or_refuse()
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
