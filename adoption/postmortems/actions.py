"""The acts on a post-mortem: begin, hand in, send back, confirm.

Each locks the initiative, reads again, asks, records.
"""

from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption import adoption_seat
from adoption.lessons.actions import offer
from adoption.models import PostMortem
from adoption.postmortems import permissions, sections
from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.people import cooling_off
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.holds.actions import complete_confirmed
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.reminders.telling import tell
from initiatives.models import Initiative, Obligation


def start(*, obligation: Obligation, by: User) -> PostMortem:
    """Begin the post-mortem of an obligation, or return the one begun already. Raises Refused."""
    with act("start post-mortem", by=by, initiative=obligation.initiative_id) as initiative:
        obligation = Obligation.objects.select_related("initiative", "responsible").get(pk=obligation.pk)
        permissions.may_start(obligation, by).or_refuse()
        known = PostMortem.objects.filter(obligation=obligation).first()
        if known is not None:
            return known
        row = PostMortem(initiative=initiative, obligation=obligation, author=by)
        row.save()
        entries.record(
            EntryKind.POST_MORTEM_STARTED, initiative=initiative, post_mortem=row.pk, obligation=obligation.pk
        )
    return row


def read(post_mortem: PostMortem) -> PostMortem:
    """Return the row, read after the lock."""
    return PostMortem.objects.select_related(
        "initiative__unit",
        "obligation__initiative",
        "obligation__responsible",
        "author",
        "handed_in_by",
        "published_by",
    ).get(pk=post_mortem.pk)


def _same_version(row: PostMortem, version: int) -> None:
    if row.version != version:
        last = row.history.order_by("-history_id").first()
        raise Conflict(
            phrase(
                "{} saved the post-mortem at {}, after you opened it.",
                last.history_user_name,
                clock.moment_in_words(last.history_date),
            ),
            "Read the current text, then decide again.",
            reverse("post-mortem", args=[row.pk]),
        )


def hand_in(*, post_mortem: PostMortem, version: int, by: User) -> PostMortem:
    """Hand a complete draft in for review by the adoption seat, which freezes its words.

    Raises ValidationError naming everything that is lacking, Conflict when it was changed since `version`.
    """
    with act("hand in post-mortem", by=by, initiative=post_mortem.initiative_id) as initiative:
        row = read(post_mortem)
        permissions.may_hand_in(row, by).or_refuse()
        _same_version(row, version)
        if wrong := sections.lacking(row):
            raise ValidationError(wrong)
        row.state, row.handed_in_at, row.handed_in_by = PostMortem.IN_REVIEW, clock.now(), by
        row.version += 1
        row.save()
        entries.record(
            EntryKind.POST_MORTEM_HANDED_IN, initiative=initiative, post_mortem=row.pk, **_content(row)
        )
        tell(
            initiative,
            adoption_seat.confirmers(initiative),
            "confirm post-mortem",
            f"postmortem:{row.pk}:{row.version}",
            "a post-mortem to confirm",
            seat=adoption_seat.SEAT,
            text=(
                f"{by} handed in the post-mortem. Confirm the post-mortem, or send it back with a "
                "note on what is missing."
            ),
            link=reverse("post-mortem-confirm", args=[row.pk]),
            due_on=row.obligation.due,
        )
    return row


def _content(row: PostMortem) -> dict:
    """Return what was handed in, for the audit log: words, and hashes of attachments."""
    return {name: getattr(row, name) for name in PostMortem.TEXTS} | {
        "causes": sections.causes(row),
        "lessons": [sections.lesson_of(lesson) for lesson in row.lessons.current()],
        "attachments": list(row.attachments.current().values_list("sha256", flat=True)),
    }


def confirm(
    *, post_mortem: PostMortem, version: int, note: str = "", no_lesson: bool = False, by: User
) -> PostMortem:
    """Confirm it as the adoption seat: publish it, and complete its obligation.

    Both are in one transaction. With `no_lesson` the seat agrees to a post-mortem without a lesson, else a
    ValidationError.
    """
    with act("confirm post-mortem", by=by, initiative=post_mortem.initiative_id) as initiative:
        row = _in_review(post_mortem)
        permissions.may_confirm(row, by).or_refuse()
        cooling_off.may_lift(
            by, roles_and_seats.memberships_on(initiative, by, (adoption_seat.SEAT,))
        ).or_refuse()
        _same_version(row, version)
        if not no_lesson and not row.lessons.current().exists():
            raise ValidationError(
                {
                    "no_lesson": (
                        "The post-mortem has no lesson. Select that you agree with the reason, or send the "
                        "post-mortem back."
                    )
                }
            )
        row.state, row.published_at, row.published_by = PostMortem.PUBLISHED, clock.now(), by
        row.version += 1
        row.save()
        entries.record(
            EntryKind.POST_MORTEM_CONFIRMED,
            initiative=initiative,
            post_mortem=row.pk,
            note=note.strip(),
            no_lesson=no_lesson,
        )
        offer(list(row.lessons.current().values_list("pk", flat=True)))
        obligation = Obligation.objects.select_related("initiative").get(pk=row.obligation_id)
        if obligation.completed_at is None:
            complete_confirmed(
                obligation=obligation, by=by, note=f"Post-mortem confirmed. {note.strip()}".strip()
            )
        _tell_writers(initiative, row, "was confirmed", note, period="confirmed")
    return row


def send_back(*, post_mortem: PostMortem, version: int, reason: str, by: User) -> PostMortem:
    """Send it back to its writers as the adoption seat, with what is missing. It is a draft again."""
    if not reason.strip():
        raise ValidationError({"note": "Describe what is missing, so that the writer can add it."})
    with act(
        "send back post-mortem", by=by, initiative=post_mortem.initiative_id, reason=reason.strip()
    ) as initiative:
        row = _in_review(post_mortem)
        permissions.may_confirm(row, by).or_refuse()
        _same_version(row, version)
        row.state, row.handed_in_at, row.handed_in_by = PostMortem.DRAFT, None, None
        row.version += 1
        row.save()
        entries.record(
            EntryKind.POST_MORTEM_SENT_BACK, initiative=initiative, post_mortem=row.pk, why=reason.strip()
        )
        _tell_writers(initiative, row, "came back to you", reason, period=f"version{row.version}")
    return row


def _in_review(post_mortem: PostMortem) -> PostMortem:
    row = read(post_mortem)
    if row.state == PostMortem.PUBLISHED:
        raise Conflict(
            phrase(
                "{} confirmed the post-mortem at {}.",
                row.published_by,
                clock.moment_in_words(row.published_at),
            ),
            "Read the published post-mortem.",
            reverse("post-mortem", args=[row.pk]),
        )
    return row


def _tell_writers(initiative: Initiative, row: PostMortem, words: str, text: str, *, period: str) -> None:
    tell(
        initiative,
        [row.author, row.obligation.responsible],
        "post-mortem",
        f"postmortem:{row.pk}",
        f"its post-mortem {words}",
        period=period,
        text=text.strip(),
        link=reverse("post-mortem", args=[row.pk]),
    )


def sent_back(post_mortem: PostMortem):
    """Return the history row of the last sending back, until it is handed in again."""
    last = post_mortem.history.exclude(history_change_reason="").order_by("-history_id").first()
    return last if last is not None and post_mortem.state == PostMortem.DRAFT else None
