"""Rights on a day: who held which seat, role and right, and who granted it, as the audit log knew it then."""

from dataclasses import dataclass
from datetime import datetime

from governance import clock
from governance.contributions import contributed
from governance.models import Board, Entry, Membership, User
from governance.vocabulary import BoardRole

KINDS = {"seat": "Seats", "role": "Roles", "right": "Rights"}
RIGHTS = {"is_admin": "Admin", "is_auditor": "Auditor", "is_privacy_officer": "Privacy officer"}


@dataclass(frozen=True)
class Held:
    """A right that someone held. `granted_by` is the name at that time, or "" if the audit log has none."""

    kind: str
    person_id: int
    person: str
    what: str
    where: str
    link: str
    since: datetime
    until: datetime | None
    granted_by: str
    reason: str = ""
    known: datetime | None = None  # when the audit log learned of it, where that is kept apart from `since`

    @property
    def known_later(self) -> bool:
        """Return True if the audit log recorded it after the day since which it was held."""
        return self.known is not None and clock.local_day(self.known) > clock.local_day(self.since)


def as_known(model, moment: datetime, **only) -> list:
    """Return the rows of a governed model at `moment`. Each is its newest history row. Removed rows are left out."""
    rows = model.history.filter(history_date__lte=moment, **only)
    newest = rows.order_by("id", "-history_date", "-history_id").distinct("id")
    return [row for row in newest if row.history_type != "-"]


def first_words(model, rows: list) -> dict[int, tuple[str, str]]:
    """Return who added each of these rows and why, by key."""
    added = model.history.filter(id__in=[row.id for row in rows], history_type="+")
    return {
        key: (name, why)
        for key, name, why in added.values_list("id", "history_user_name", "history_change_reason")
    }


def held_at(moment: datetime, person: User | None = None) -> list[Held]:
    """Return everything held at `moment`, by all or one person. Seats come first, then roles, then rights."""
    people = {row.id: row for row in as_known(User, moment)}
    found = [*_seats(moment, people, person), *_rights(moment, people, person)]
    for hook in contributed.rights_held:
        found += hook(moment, people, person)
    return sorted(found, key=lambda held: (list(KINDS).index(held.kind), held.person, held.where, held.what))


def _seats(moment, people, person):
    only = {"person_id": person.pk} if person is not None else {}
    boards = {row.id: row.name for row in as_known(Board, moment)}
    rows = [
        row
        for row in as_known(Membership, moment, **only)
        if row.starts_at <= moment
        and (row.ends_at is None or row.ends_at > moment)
        and row.granted_by_id != row.person_id
        and people[row.person_id].is_active
    ]
    added, known = first_words(Membership, rows), _known(Membership, rows)
    for row in rows:
        granted_by, reason = added.get(row.id, ("", ""))
        stands_in = ", as a delegate" if row.delegate_of_id else ""
        yield Held(
            kind="seat",
            person_id=row.person_id,
            person=people[row.person_id].full_name,
            what=BoardRole.word(row.seat) + stands_in,
            where=boards.get(row.board_id, ""),
            link="",
            since=row.starts_at,
            until=row.ends_at,
            granted_by=granted_by,
            reason=reason,
            known=known.get(row.id),
        )


def _known(model, rows: list) -> dict[int, datetime]:
    """Return when the database recorded each of these rows, by key. The days in the row do not count."""
    entries = Entry.objects.filter(
        table=model._meta.db_table, key__in=[str(row.id) for row in rows], operation="+"
    )
    return {int(key): moment for key, moment in entries.values_list("key", "recorded_at")}


def _rights(moment, people, person):
    """Yield the rights of admins and auditors. The granter is who saved the row in which the mark appears."""
    holders = [
        row.id
        for row in people.values()
        if row.is_active
        and any(getattr(row, right) for right in RIGHTS)
        and (person is None or row.id == person.pk)
    ]
    past: dict[int, list] = {}
    lives = User.history.filter(id__in=holders, history_date__lte=moment)
    for row in lives.order_by("history_date", "history_id"):
        past.setdefault(row.id, []).append(row)
    for key, rows in past.items():
        for mark, words in RIGHTS.items():
            granted = None
            for row in rows:
                granted = (granted or row) if row.is_active and getattr(row, mark) else None
            if granted is not None:
                yield Held(
                    kind="right",
                    person_id=key,
                    person=people[key].full_name,
                    what=words,
                    where="everywhere",
                    link="",
                    since=granted.history_date,
                    until=None,
                    granted_by=granted.history_user_name,
                    reason=granted.history_change_reason,
                )
