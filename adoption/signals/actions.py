"""Signals: reported without a name, answered by the board, worked out from figures. See docs/adr/0034.

An act of somebody who reports is written down as one of the system: no entry, history row, notice or refusal of it
carries who it was, nor the request it came with.
"""

from collections.abc import Iterable
from contextlib import contextmanager
from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.models import ProblemReport, SealedSource, Signal, SourceQuestion
from adoption.models.signals import EXTENTS, HALF, SIGNAL_KINDS, SIGNAL_SOURCES, WEAPONISED
from adoption.signals import permissions, sealed_reporter
from adoption.signals.signal_detection import Found
from governance import clock
from governance.database import row_history
from governance.ledger import record
from governance.models import User
from governance.notices.owe import owe
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import act
from initiatives.findings.sync import follow
from initiatives.models import Initiative

PROTECTED = "protected reports"
READINGS = "readings"
LONGEST = 4000


@contextmanager
def unnamed():
    """Whatever is recorded inside bears no id of the request it came with."""
    token = row_history.set_request_id("")
    try:
        yield
    finally:
        row_history.reset_request_id(token)


def report_signal(
    *,
    case: Initiative,
    kind: str,
    group: str,
    words: str,
    source: str,
    observed_on: date,
    share: int | None = None,
    extent: str = "unknown",
    may_ask: bool = True,
    once: UUID | None = None,
    by: User,
) -> Signal:
    """Report what a group does with the system. Who reports it is sealed; `may_ask` False: nobody can ask for the name.

    `share`: percent of the group. Weaponised goes to the board at once. Raises ValidationError by field, or Refused.
    """
    with unnamed(), act("report signal", system=PROTECTED, case=case) as case:
        permissions.may_report(case, by).or_refuse()
        return put_down(
            case,
            kind=kind,
            group=group,
            words=words,
            source=source,
            observed_on=observed_on,
            share=share,
            extent=extent,
            once=once,
            sealed={"person": by.pk, "above": sorted(permissions.above(by)), "may_ask": may_ask},
        )


def put_down(case: Initiative, *, sealed: dict, once: UUID | None = None, **fields) -> Signal:
    """Save a signal with its sealed source inside the running act, and tell whom it concerns."""
    if once and (known := Signal.objects.filter(once=once, initiative=case).first()):
        return known
    if wrong := _wrong(fields):
        raise ValidationError(wrong)
    row = Signal(initiative=case, once=once, reported_on=clock.today(), **fields)
    row.group, row.words = " ".join(row.group.split()), row.words.strip()
    if row.share is not None:
        row.extent = "most" if row.share > HALF else "fewer"
    row.save()
    SealedSource.objects.create(signal=row, sealed=sealed_reporter.seal(sealed, bound(row)))
    _said(case, row, EntryKind.SIGNAL_REPORTED)
    follow([case])
    return row


def _wrong(fields: dict) -> dict[str, str]:
    wrong = {}
    if fields["kind"] not in SIGNAL_KINDS:
        wrong["kind"] = "Choose what people do."
    if not fields["group"].strip():
        wrong["group"] = "Name the group, for instance a team. Never a person."
    if not fields["words"].strip():
        wrong["words"] = "Say what you saw, so that somebody can do something about it."
    elif len(fields["words"]) > LONGEST:
        wrong["words"] = f"Say it in at most {LONGEST} letters."
    if fields["source"] not in SIGNAL_SOURCES or fields["source"] == READINGS:
        wrong["source"] = "Choose how it is known."
    if fields["observed_on"] > clock.today():
        wrong["observed_on"] = "That day has not come yet."
    if fields["share"] is not None and not 0 <= fields["share"] <= 100:
        wrong["share"] = "A share lies between 0 and 100 percent."
    if fields["extent"] not in EXTENTS:
        wrong["extent"] = "Choose how much of the group it is."
    return wrong


def bound(row: Signal | ProblemReport) -> str:
    """What a seal belongs to."""
    return f"{'signal' if isinstance(row, Signal) else 'problem'}:{row.pk}"


def _said(case: Initiative, row: Signal, kind: str) -> None:
    """The entry of a signal; weaponised is put before the board in the same transaction."""
    record.record(
        kind,
        case=case,
        signal=row.pk,
        signal_kind=row.kind,
        group=row.group,
        extent=row.extent,
        share=row.share,
        source=row.source,
        observed_on=row.observed_on,
        words=row.words,
    )
    if row.kind == WEAPONISED:
        owe(
            permissions.answerers(case),
            "signal",
            f"signal:{row.pk}",
            subject=f"{case.ref} {case.title}: it is used against people",
            text=f"{row.group}: {row.words[:500]} The board answers, and says what is done. Until then the test of "
            "adoption fails.",
            link=reverse("signal", args=[row.pk]),
            case_ref=case.ref,
        )


def answer_signal(*, signal: Signal, words: str, over: bool = False, by: User) -> Signal:
    """Say the board's word on a signal, with what is done; `over`: it is no longer so. Raises Conflict."""
    if not words.strip():
        raise ValidationError({"words": "Say what the board thinks of it, and what is done by whom."})
    with act("answer signal", by=by, case=signal.initiative_id) as case:
        row = _standing(signal)
        permissions.may_answer(case, by).or_refuse()
        if row.answered_at is not None:
            raise Conflict(
                f"{row.answered_by} answered it {clock.moment_in_words(row.answered_at)}.",
                "Read the answer; what is over can still be said to be.",
                reverse("signal", args=[row.pk]),
            )
        row.answer, row.answered_by, row.answered_at = words.strip(), by, clock.now()
        if over:
            row.ended_at, row.ended_why = clock.now(), row.answer
        row.save()
        record.record(
            EntryKind.SIGNAL_ANSWERED, case=case, signal=row.pk, group=row.group, words=row.answer, over=over
        )
        follow([case])
    return row


def end_signal(*, signal: Signal, reason: str, by: User) -> Signal:
    """Say, as the board, that a signal is no longer so, and how that is known."""
    if not reason.strip():
        raise ValidationError({"reason": "Say how the board knows that it is no longer so."})
    with act("end signal", by=by, case=signal.initiative_id, reason=reason.strip()) as case:
        row = _standing(signal)
        permissions.may_answer(case, by).or_refuse()
        if row.waits_for_the_board:
            raise ValidationError({"reason": "Answer it first: people were harmed by it, or feared it."})
        _end(case, row, reason.strip())
        follow([case])
    return row


def _standing(signal: Signal) -> Signal:
    row = Signal.objects.select_related("initiative__unit", "answered_by").get(pk=signal.pk)
    if row.ended_at is not None:
        raise Conflict(
            f"This is no longer so since {clock.local_day(row.ended_at):%-d %B %Y}.",
            "Report it anew if it comes back.",
        )
    return row


def _end(case: Initiative, row: Signal, why: str) -> None:
    row.ended_at, row.ended_why = clock.now(), why
    row.save()
    record.record(
        EntryKind.SIGNAL_ENDED, case=case, signal=row.pk, group=row.group, signal_kind=row.kind, why=why
    )


def follow_figures(case: Initiative, found: Iterable[Found]) -> list[Signal]:
    """Make the computed signals of a locked case these, inside the running act: new ones opened, others ended.

    One whose figures moved and say the same of the group stays, as the board may have answered it.
    """
    wanted = {(one.kind, one.group): one for one in found}
    known = {(row.kind, row.group): row for row in case.signals.standing().filter(computed=True)}
    for place, row in known.items():
        if place not in wanted:
            _end(case, row, "The readings no longer show it.")
    rows = []
    for place, one in wanted.items():
        row = known.get(place)
        if row is not None and (row.share, row.words) == (one.share, one.words):
            continue
        fresh = row is None
        row = row or Signal(initiative=case, kind=one.kind, group=one.group, source=READINGS, computed=True)
        row.share, row.extent, row.words, row.figures = one.share, one.extent, one.words, one.figures
        row.observed_on = clock.today()
        row.reported_on = row.reported_on or clock.today()
        row.save()
        _said(case, row, EntryKind.SIGNAL_COMPUTED if fresh else EntryKind.SIGNAL_MOVED)
        rows.append(row)
    follow([case])
    return rows


# --- Who said it -----------------------------------------------------------------------------------------------------


def ask_source(*, about: Signal | ProblemReport, reason: str, by: User) -> str:
    """Ask who reported a signal, or how to reach who reported a problem, as whoever chairs the board of the case.

    Recorded with the reason, and the reporter is told. Empty where nothing is opened: its reporter ruled that out or
    left nothing, or the asker is above them. Which of these it is, and whether a name was told at all, stands nowhere.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why you need to know; whoever reported it reads this."})
    with act("ask who reported", by=by, case=about.initiative_id, reason=reason.strip()) as case:
        row = type(about).objects.select_related("initiative__unit").get(pk=about.pk)
        if isinstance(row, Signal):
            permissions.may_ask_source(row, by).or_refuse()
            row = (
                row.problems.first() or row
            )  # of a problem, its reporter reads the question where the answer stands
        permissions.may_chair(case, by).or_refuse()
        asked = SourceQuestion(initiative=case, reason=reason.strip(), by=by, at=clock.now())
        setattr(asked, "signal" if isinstance(row, Signal) else "problem", row)
        asked.save()
        SealedSource.objects.filter(signal=asked.signal_id).exclude(signal=None).update(untold=1)
        record.record(EntryKind.ASKED_WHO_REPORTED, case=case, what=bound(row), why=reason.strip())
        return _told(row, by)


def _told(row: Signal | ProblemReport, asker: User) -> str:
    facts = facts_of(row)
    if facts.get("contact"):
        return facts["contact"]
    if not facts.get("may_ask"):
        return ""
    person = User.objects.filter(pk=facts["person"]).first()
    barred = person is None or asker.pk in {*facts["above"], *permissions.above(person)}
    return "" if barred else person.full_name


def facts_of(row: Signal | ProblemReport) -> dict:
    """What is sealed about a source; empty where nothing is, or where it cannot be opened any more."""
    source = SealedSource.objects.filter(**{row._meta.model_name.removesuffix("report"): row}).first()
    return (sealed_reporter.opened(source.sealed, bound(row)) if source is not None else None) or {}


def reported_by(person: User) -> list[Signal]:
    """The signals that the person reported, newest first: for the person alone."""
    rows = SealedSource.objects.filter(signal__isnull=False).select_related("signal__initiative__unit")
    return [
        row.signal
        for row in rows.prefetch_related("signal__source_questions__by").order_by("-signal_id")
        if is_of(row, person)
    ]


def is_of(source: SealedSource, person: User) -> bool:
    """Whether the person reported it: for what is shown to that person alone."""
    facts = sealed_reporter.opened(source.sealed, bound(source.signal))
    return bool(facts) and facts.get("person") == person.pk


def untold(person: User) -> list[Signal]:
    """What the person reported and somebody asked the name of since they last looked."""
    rows = SealedSource.objects.filter(untold=1, signal__isnull=False).select_related("signal__initiative")
    return [row.signal for row in rows if is_of(row, person)]


def seen_questions(*, by: User) -> None:
    """The person has read who asked for their name. Not recorded: it would say whose name it is."""
    SealedSource.objects.filter(signal__in=untold(by)).update(untold=0)
