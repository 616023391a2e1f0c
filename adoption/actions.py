"""Everything that changes a post-mortem: lock the case, re-read, ask, change, record, in one transaction."""

from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption import permissions
from adoption.models import Lesson, PostMortem
from governance import clock, ledger
from governance.answers import Conflict
from governance.models import User
from governance.notify import owe
from initiatives.actions.base import act
from initiatives.actions.holds import settle_confirmed
from initiatives.models import Initiative, Obligation
from initiatives.models.versions import LAYERS

WORDS = ("timeline", "impact", "attribution", "found_layer", "blamed_layer", "no_gaps_because")


def start(*, obligation: Obligation, by: User) -> PostMortem:
    """Begin the post-mortem that settles a debt; the one that was begun already is returned. Raises Refused."""
    with act("start post-mortem", by=by, case=obligation.initiative_id) as case:
        obligation = Obligation.objects.select_related("initiative", "debtor").get(pk=obligation.pk)
        permissions.may_start(obligation, by).or_refuse()
        known = PostMortem.objects.filter(obligation=obligation).first()
        if known is not None:
            return known
        row = PostMortem(initiative=case, obligation=obligation, author=by)
        row.save()
        ledger.record("post-mortem started", case=case, post_mortem=row.pk, debt=obligation.pk)
    return row


def write(
    *, post_mortem: PostMortem, version: int, lessons: list[dict], by: User, **words: str
) -> PostMortem:
    """Save a draft: `timeline`, `impact`, `attribution`, `found_layer`, `blamed_layer`, `no_gaps_because`, lessons.

    `version` is the one the person began from: Conflict when somebody saved another since. `lessons` are all that
    stand from now on: dicts of `text`, `layer` and, for one that is kept, `pk`. Raises ValidationError by field.
    """
    wrong = {}
    for name in ("found_layer", "blamed_layer"):
        if words.get(name) and words[name] not in LAYERS:
            wrong[name] = "Choose one of the layers listed."
    if any(lesson["text"].strip() and lesson["layer"] not in LAYERS for lesson in lessons):
        wrong["lessons"] = "Choose the layer of each lesson."
    if set(words) - set(WORDS):
        raise TypeError(f"A post-mortem has no {', '.join(sorted(set(words) - set(WORDS)))}.")
    if wrong:
        raise ValidationError(wrong)
    with act("write post-mortem", by=by, case=post_mortem.initiative_id) as case:
        row = _read(post_mortem)
        permissions.may_write(row, by).or_refuse()
        _same_version(row, version)
        for name, value in words.items():
            setattr(row, name, value.strip())
        row.version += 1
        row.save()
        _keep_lessons(row, [lesson for lesson in lessons if lesson["text"].strip()])
        ledger.record("post-mortem written", case=case, post_mortem=row.pk, version=row.version)
    return row


def _read(post_mortem: PostMortem) -> PostMortem:
    """The row, read after the lock."""
    return PostMortem.objects.select_related(
        "initiative__unit",
        "obligation__initiative",
        "obligation__debtor",
        "author",
        "confirmed_by",
        "published_by",
    ).get(pk=post_mortem.pk)


def _same_version(row: PostMortem, version: int) -> None:
    if row.version != version:
        last = row.history.order_by("-history_id").first()
        raise Conflict(
            f"{last.history_user_name} saved it at {_hour(last.history_date)}, after you opened it.",
            "Compare what stands now with your words, then save again.",
            reverse("post-mortem", args=[row.pk]),
        )


def _hour(moment) -> str:
    local = moment.astimezone(clock.midnight_before(clock.local_day(moment)).tzinfo)
    return f"{local:%H:%M} on {local:%-d %B %Y}"


def _keep_lessons(row: PostMortem, wanted: list[dict]) -> None:
    """Make the lessons of the post-mortem these: changed in place, added, or marked as removed."""
    standing = {lesson.pk: lesson for lesson in row.lessons.filter(removed_at__isnull=True)}
    for asked in wanted:
        lesson = standing.pop(asked.get("pk"), None) or Lesson(post_mortem=row)
        text, layer = asked["text"].strip(), asked["layer"]
        if (lesson.text, lesson.layer) != (text, layer):
            lesson.text, lesson.layer = text, layer
            lesson.save()
    for lesson in standing.values():
        lesson.removed_at = clock.now()
        lesson.save()


def lacking(post_mortem: PostMortem) -> dict[str, str]:
    """What a post-mortem still lacks before it can be published, by field; empty when nothing does."""
    wrong = {}
    if not post_mortem.timeline:
        wrong["timeline"] = "Say what happened when."
    if not post_mortem.impact:
        wrong["impact"] = "Say what it did, and to whom."
    if not post_mortem.attribution:
        wrong["attribution"] = "Say in which layer it lay, and how you know."
    if not post_mortem.found_layer:
        wrong["found_layer"] = "Choose the layer it was found to lie in."
    if not post_mortem.lessons.filter(removed_at__isnull=True).exists():
        wrong["lessons"] = "Write at least one lesson for the next team."
    gaps = list(post_mortem.initiative.gaps.filter(closed_at__isnull=True).select_related("owner"))
    left = [gap for gap in gaps if not gap.owner.is_active]
    if left:
        wrong["no_gaps_because"] = " ".join(
            f"{gap.owner} has left and owns an open gap: {gap.text[:80]} Close it, or open it anew with another owner."
            for gap in left
        )
    elif not gaps and not post_mortem.no_gaps_because:
        wrong["no_gaps_because"] = (
            "Record what is still open as a gap with owner and day, or say why there is none."
        )
    return wrong


def publish(*, post_mortem: PostMortem, version: int, by: User) -> PostMortem:
    """Publish a complete draft: its words stand, and the adoption seat is asked to confirm it.

    Raises ValidationError naming everything that is lacking, Conflict when it was changed since `version`.
    """
    with act("publish post-mortem", by=by, case=post_mortem.initiative_id) as case:
        row = _read(post_mortem)
        permissions.may_write(row, by).or_refuse()
        _same_version(row, version)
        if wrong := lacking(row):
            raise ValidationError(wrong)
        row.state, row.published_at, row.published_by = PostMortem.PUBLISHED, clock.now(), by
        row.version += 1
        row.save()
        ledger.record("post-mortem published", case=case, post_mortem=row.pk, **_content(row))
        for person in permissions.confirmers(case):
            owe(
                person,
                "confirm post-mortem",
                f"postmortem:{row.pk}",
                period=f"version{row.version}",
                subject=f"{case.ref} {case.title}: a post-mortem waits for your word",
                text=f"{by} published it. Confirm it, or send it back with what is missing.",
                link=reverse("post-mortem-confirm", args=[row.pk]),
                case_ref=case.ref,
                due_on=row.obligation.due,
            )
    return row


def _content(row: PostMortem) -> dict:
    """What was published, for the record."""
    lessons = row.lessons.filter(removed_at__isnull=True)
    return {name: getattr(row, name) for name in WORDS} | {
        "lessons": [[lesson.layer, lesson.text] for lesson in lessons]
    }


def confirm(*, post_mortem: PostMortem, version: int, note: str = "", by: User) -> PostMortem:
    """Confirm a published post-mortem as the adoption seat: it settles the debt in the same transaction."""
    with act("confirm post-mortem", by=by, case=post_mortem.initiative_id) as case:
        row = _published(post_mortem)
        permissions.may_confirm(row, by).or_refuse()
        _same_version(row, version)
        row.state, row.confirmed_at, row.confirmed_by = PostMortem.CONFIRMED, clock.now(), by
        row.version += 1
        row.save()
        ledger.record("post-mortem confirmed", case=case, post_mortem=row.pk, note=note.strip())
        debt = Obligation.objects.select_related("initiative").get(pk=row.obligation_id)
        if debt.settled_at is None:
            settle_confirmed(obligation=debt, by=by, note=f"Post-mortem confirmed. {note.strip()}".strip())
        _tell_writers(case, row, "was confirmed", note, period="confirmed")
    return row


def send_back(*, post_mortem: PostMortem, version: int, reason: str, by: User) -> PostMortem:
    """Send a published post-mortem back to its writer as the adoption seat, with what is missing."""
    if not reason.strip():
        raise ValidationError({"note": "Say what is missing, so that its writer can add it."})
    with act("send back post-mortem", by=by, case=post_mortem.initiative_id, reason=reason.strip()) as case:
        row = _published(post_mortem)
        permissions.may_confirm(row, by).or_refuse()
        _same_version(row, version)
        row.state, row.published_at, row.published_by = PostMortem.DRAFT, None, None
        row.version += 1
        row.save()
        ledger.record("post-mortem sent back", case=case, post_mortem=row.pk, why=reason.strip())
        _tell_writers(case, row, "came back to you", reason, period=f"version{row.version}")
    return row


def _published(post_mortem: PostMortem) -> PostMortem:
    row = _read(post_mortem)
    if row.state == PostMortem.CONFIRMED:
        raise Conflict(
            f"{row.confirmed_by} confirmed it at {_hour(row.confirmed_at)}.",
            "Read it.",
            reverse("post-mortem", args=[row.pk]),
        )
    return row


def _tell_writers(case: Initiative, row: PostMortem, words: str, text: str, *, period: str) -> None:
    people = {person.pk: person for person in (row.author, row.obligation.debtor) if person is not None}
    for person in people.values():
        owe(
            person,
            "post-mortem",
            f"postmortem:{row.pk}",
            period=period,
            subject=f"{case.ref} {case.title}: its post-mortem {words}",
            text=text.strip(),
            link=reverse("post-mortem", args=[row.pk]),
            case_ref=case.ref,
        )


def sent_back(post_mortem: PostMortem):
    """The history row of the last time it was sent back (reason, who, when), while nothing was published since."""
    last = post_mortem.history.exclude(history_change_reason="").order_by("-history_id").first()
    return last if last is not None and post_mortem.state == PostMortem.DRAFT else None
