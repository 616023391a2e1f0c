"""Open reviews at a glance: decidable, whose move, stale sign-offs.

Inboxes and lists show a line of it. The page of the review computes it in full (`review_state.snapshot_of`).
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db.models import Count, F, Func, JSONField, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import JSONObject

from governance import clock
from governance.database.batch_read import Batch, Given, Rows
from governance.database.request_memo import one_look
from governance.gates import turning_points
from governance.models import Absence, Entry, Membership, Rulebook
from governance.people.boards import board_for, read_members
from governance.runtime.logging_setup import each_row
from governance.vocabulary import Role
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import review_turn
from initiatives.models import Obligation, Review, RoleAssignment

KEPT_SECONDS = 24 * 60 * 60

_ref = Func(
    F("initiative__number"),
    template="'AI-' || lpad(%(expressions)s::text, greatest(4, length(%(expressions)s::text)), '0')",
    output_field=TextField(),
)
# Obligations of all its owners ever, because only judging shows which of them block its review.
_owned = RoleAssignment.objects.filter(initiative=OuterRef(OuterRef("initiative")), role=Role.OWNER)
_obligations = Obligation.objects.open().filter(responsible__in=_owned.values("person")).order_by("pk")
_of_initiative = Entry.objects.filter(initiative_ref=OuterRef("ref")).order_by()


def _newest(entries: QuerySet) -> Subquery:
    row = JSONObject(id="pk", digest="digest")
    return Subquery(entries.order_by("-pk").values(row=row)[:1], output_field=JSONField())


def _which(rows: QuerySet) -> Subquery:
    """Return a digest of the keys of these rows, as one text."""
    keys = Func(
        ArrayAgg("pk", order_by="pk"), template="md5(%(expressions)s::text)", output_field=TextField()
    )
    return Subquery(rows.order_by().values(one=Value(1)).annotate(keys=keys).values("keys"))


# What a review depends on; entries of the initiative are counted too, because one with a lower number may come later.
_MARKS = Batch(
    reviews=Rows(
        Review.objects.annotate(ref=_ref).annotate(
            newest=_newest(_of_initiative),
            entries=Subquery(_of_initiative.values("initiative_ref").annotate(n=Count("pk")).values("n")),
            people=_newest(Entry.objects.of_people()),
            seated=_which(Membership.objects.held_at(Given("now"))),
            away=_which(Absence.objects.at(Given("now"))),
            obligations=ArraySubquery(_obligations.values(row=JSONObject(id="pk", due="due"))),
        ),
        "pk",
        only=("id",),
    )
)


@dataclass(frozen=True)
class Glance:
    """The line on an open review. `stale` has by seat why its approval no longer counts, and since when.

    `broken` is True for a review that failed while it was judged. It has nothing else.
    """

    decidable: bool
    moves: tuple[review_turn.Move, ...]
    fresh_approvals: int
    quorum: int
    quiet_since: datetime
    stale: dict[str, tuple[tuple[str, ...], datetime]]
    broken: bool = False


@dataclass(frozen=True)
class Kept:
    """A stored glance with its mark, and the moment at which time alone may change it."""

    mark: str
    until: datetime
    seen: Glance

    def holds(self, mark: str, now: datetime) -> bool:
        """Return True if the glance is current: same mark, time not over."""
        return self.mark == mark and now < self.until


def at(reviews: list[Review]) -> dict[int, Glance]:
    """Return a glance at each of these reviews with initiatives and units.

    It is kept until a moment at which time alone may change it, while all that a review depends on is the same: rows
    of its initiative, obligations of its owners on any initiative, people, seats and absences.
    """
    if not reviews:
        return {}
    now = clock.now()
    marks = {row.pk: _mark(row) for row in _MARKS.ask([row.pk for row in reviews])["reviews"]}
    # One place a review, so that what is kept grows with what is open and not with what happens.
    places = {pk: f"glance-{pk}" for pk in marks}
    kept = cache.get_many(places.values())
    found = {
        pk: kept[place].seen
        for pk, place in places.items()
        if place in kept and kept[place].holds(marks[pk], now)
    }
    judged = _judge([row for row in reviews if row.pk not in found])
    cache.set_many(
        {places[pk]: Kept(marks[pk], until, seen) for pk, (seen, until) in judged.items()}, KEPT_SECONDS
    )
    return found | {pk: seen for pk, (seen, _) in judged.items()}


def _mark(row: Review) -> str:
    depends = [row.newest, row.entries, row.people, row.seated, row.away, row.obligations, f"{clock.today()}"]
    return hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:32]


def _judge(reviews: list[Review]) -> dict[int, tuple[Glance, datetime]]:
    if not reviews:
        return {}
    for row in reviews:
        row.rulebook = Rulebook.objects.kept(row.rulebook_id)
    with one_look():
        initiative_rows.read_together([row.initiative for row in reviews], reviews)
        read_members({board_for(row.initiative.unit) for row in reviews})
        return {row.pk: seen or _broken(row) for row, seen, _ in each_row(reviews, _seen)}


def _seen(row: Review) -> tuple[Glance, datetime]:
    snapshot = review_state.snapshot_of(row)
    return _of(snapshot), _until(snapshot)


def _broken(row: Review) -> tuple[Glance, datetime]:
    """Return the glance at a review that cannot be judged. It is tried again each time."""
    return Glance(False, (), 0, 0, row.opened_at, {}, broken=True), clock.now()


def _until(snapshot: review_state.ReviewSnapshot) -> datetime:
    """Return when time alone may change the glance, at most the day's end."""
    moments = [snapshot.review.expires_at, clock.midnight_after(clock.local_day(snapshot.judged.at))]
    moments += turning_points.turning_points(snapshot.judged.facts, snapshot.judged.rulebook)
    moments += [
        moment
        for row in initiative_rows.rows(snapshot.initiative, "scopes")
        for moment in (row.starts_at, row.ended_at)
    ]
    return min(moment for moment in moments if moment is not None and moment > snapshot.judged.at)


def _of(snapshot: review_state.ReviewSnapshot) -> Glance:
    rows = {row.seat: row for row in snapshot.sign_offs}
    return Glance(
        decidable=snapshot.verdict.decidable,
        moves=tuple(review_turn.moves(snapshot)),
        fresh_approvals=snapshot.verdict.fresh_approvals,
        quorum=snapshot.verdict.quorum,
        quiet_since=review_turn.quiet_since(snapshot.review, snapshot.sign_offs),
        stale={
            sign_off.seat: (sign_off.stale, review_turn.stale_since(snapshot, rows[sign_off.seat]))
            for sign_off in snapshot.judged_sign_offs
            if not sign_off.fresh
        },
    )
