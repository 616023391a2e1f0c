"""What the owner of the tables can write past every guard, with capture on: rows that the audit log then knows well."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection

from governance import clock
from governance.audit_log import entries
from governance.database import request_memo
from governance.database.row_history import acting
from governance.gates import sign_off_statement
from governance.models import Entry
from governance.vocabulary import ReviewOutcome
from initiatives.lifecycle.facts import supported_stage_rows
from initiatives.models import Initiative, Review, SignOff, StageChange

KEPT_ON = ("captured", "has_its_history")


@contextmanager
def unguarded(*tables: str) -> Iterator[None]:
    """The guards of these tables off, capture and history on; they stand again afterwards as if nothing had been."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(
            "SELECT c.relname::text, t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relname = ANY (%s) AND t.tgname <> ALL (%s)",
            [list(tables), list(KEPT_ON)],
        )
        triggers = cursor.fetchall()
        for table, name in triggers:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        for table, name in triggers:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")


@contextmanager
def an_hour_later() -> Iterator[None]:
    """Long after everything that a running act might not have seen yet."""
    with clock.simulated(clock.now() + timedelta(hours=1)):
        yield


def set_stage(initiative: Initiative, stage: str, *, by) -> None:
    """H2: the stage of an initiative, without any stage change."""
    with unguarded("initiatives_initiative"), acting(by=by):
        row = Initiative.objects.get(pk=initiative.pk)
        row.__dict__["stage"], row.basis, row.since = stage, "decision", clock.now()
        row.save()
        _rewrite(row)


def move(initiative: Initiative, target: str, *, by, basis="decision", review=None, told=True) -> None:
    """A stage change as acts write it, by somebody who may not; `told`: with an act of its own."""
    with unguarded("initiatives_stagechange"), acting(by=by):
        row = Initiative.objects.get(pk=initiative.pk)
        if told:
            entry = entries.record("stage changed", initiative=row, **{"from": row.stage, "to": target})
        else:
            entry = Entry.objects.filter(kind="stage changed").latest("pk")
        change = StageChange(
            initiative=row,
            from_stage=row.stage,
            to_stage=target,
            basis=basis,
            review=review,
            by=by,
            at=clock.now(),
            entry_id=entry.pk,
        )
        change.save()
        with unguarded("initiatives_initiative"):
            row.__dict__["stage"], row.basis, row.since = target, basis, clock.now()
            row.save()
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE initiatives_stagechange SET consumed = true WHERE id = %s", [change.pk]
                )
        _rewrite(row)


def _rewrite(initiative: Initiative) -> None:
    """Its supported stage, as the act writes it: what is compared with the facts gives a forgery away no more."""
    with request_memo.afresh():
        supported_stage_rows.rewrite([Initiative.objects.locked(initiative.pk)])


def approve(review: Review, *, by, sign_offs=()) -> None:
    """H1 b: the review ends as approved, with its act and its stage change, whoever signed off."""
    with unguarded("initiatives_review"), acting(by=by):
        review = Review.objects.get(pk=review.pk)
        review.outcome, review.ended_by, review.ended_at = ReviewOutcome.APPROVED, by, clock.now()
        review.findings = {"sign_offs": [{"digest": sign_off.digest, "stale": []} for sign_off in sign_offs]}
        review.save()
        entries.record("review approved", initiative=review.initiative, review=review.pk)
    move(review.initiative, review.gate, by=by, review=review)


def sign_off(review: Review, seat: str, *, person, verdict="approve", criteria=(), told=True) -> SignOff:
    """H1 c: a sign-off for a seat in the name of somebody, with its act."""
    text = f"I, {person.full_name}, {verdict}"
    facts = {"initiative": review.initiative.ref, "gate": review.gate, "seat": seat, "evidence": {}}
    with unguarded("initiatives_signoff"), acting(by=person):
        row = SignOff(
            review=review,
            seat=seat,
            person=person,
            verdict=verdict,
            criteria=list(criteria),
            statement=text,
            digest=sign_off_statement.digest(text),
            facts=facts,
            at=clock.now(),
        )
        row.save()
        if told:
            entries.record(
                "signed off",
                initiative=review.initiative,
                review=review.pk,
                seat=seat,
                digest=row.digest,
                statement=text,
            )
    return row
