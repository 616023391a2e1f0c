"""The list of reviews: to sign, to decide, open and ended ones."""

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, Count, Exists, F, Func, OuterRef, Q, Value
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import Rulebook
from governance.people.boards import seats_held
from governance.vocabulary import ReviewOutcome
from governance.vocabulary.phrases import phrase
from initiatives.inbox.rows.person_rows import look_of
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.initiative.initiative_frame import page_of, pick
from initiatives.lifecycle.reviews import inbox, presentation, review_summaries, review_turn
from initiatives.models import Review, SignOff
from initiatives.portfolio.found_models.permissions import may_look

SHOWS = {
    "open": "Open",
    "sign": phrase("Mine to sign"),
    "decide": phrase("Mine to decide"),
    "signed": phrase("Signed by me"),
    "decided": "Ended",
}
OF_SEATS = ("sign", "decide", "signed")  # nothing for whoever never sat on a board
NONE = {
    "open": (phrase("No review is open"), phrase("Owners open a review on the page of the initiative.")),
    "sign": (
        phrase("No review waits for your signature"),
        phrase("You receive a notification and an email when a review needs your seat."),
    ),
    "decide": (
        phrase("No review waits for your decision"),
        phrase("A review appears here when all requirements of its gate are met."),
    ),
    "signed": (
        phrase("You have not signed anything yet"),
        phrase("The reviews that you signed appear here, with your statements."),
    ),
    "decided": (
        phrase("No review has ended yet"),
        phrase("A review appears here when it has ended, with its decision and findings."),
    ),
}


def reviews_seen_by(person):
    """Return the reviews of initiatives that the person may open. Withdrawn ideas are left out."""
    return Review.objects.filter(
        initiative__in=visibility.visible_to(person), initiative__withdrawn_at__isnull=True
    ).select_related("initiative__unit", "ended_by")


@require_safe
def reviews(request):
    """Show reviews to sign, to decide, open, signed and decided. Filters are in the URL."""
    person = request.user
    show = pick(request.GET.get("show"), SHOWS, "open")
    gate = pick(request.GET.get("gate"), Rulebook.objects.current().parsed.gates)
    words = request.GET.get("q", "").strip()[:80]
    seated = bool(seats_held(person))
    own = inbox.moves(look_of(person))
    waits = inbox.since(own)
    to_sign = {mine.review.pk for mine in own if mine.kind in (review_turn.SIGN, review_turn.LOOK_AGAIN)}
    to_decide = {mine.review.pk for mine in own if mine.kind == review_turn.DECIDE}
    seen = reviews_seen_by(person)
    is_open = Q(outcome=ReviewOutcome.OPEN)
    signed = Q(Exists(SignOff.objects.filter(review=OuterRef("pk"), person=person)))
    counts = seen.aggregate(
        open=Count("pk", filter=is_open),
        signed=Count("pk", filter=signed),
        decided=Count("pk", filter=~is_open),
    )
    counts |= {"sign": len(to_sign), "decide": len(to_decide)}
    # Reviews that wait for the person come first, the longest wait above, then the review open longest.
    waiting_longest = sorted(waits, key=lambda pk: (waits[pk], pk))
    place = Func(Value(waiting_longest, ArrayField(BigIntegerField())), F("pk"), function="array_position")
    open_rows = seen.filter(is_open).order_by(place.asc(nulls_last=True), "opened_at", "pk")
    chosen = {
        "open": open_rows,
        "sign": open_rows.filter(pk__in=to_sign),
        "decide": open_rows.filter(pk__in=to_decide),
        "signed": seen.filter(signed).order_by("-opened_at", "-id"),
        "decided": seen.filter(~is_open).order_by("-ended_at", "-id"),
    }[show]
    if gate:
        chosen = chosen.filter(gate=gate)
    if words:
        number = words.upper().removeprefix("AI-").lstrip("0")
        by_ref = Q(initiative__number=int(number)) if number.isdecimal() and len(number) < 9 else Q()
        chosen = chosen.filter(Q(initiative__title__icontains=words) | by_ref)
    page = page_of(request, chosen, per=10)
    return render(
        request,
        "initiatives/review_list/reviews.html",
        {
            "nav": "reviews",
            "shows": [
                (key, word, counts[key])
                for key, word in SHOWS.items()
                if seated or counts[key] or key not in OF_SEATS
            ],
            "show": show,
            "gate": gate,
            "gates": [
                (key, rules.title)
                for key, rules in Rulebook.objects.current().parsed.gates.items()
                if rules.criteria
            ],
            "q": words,
            "page": page,
            "lines": _listed(list(page), to_sign, to_decide),
            "own_first": bool(waits) and show == "open",
            "none": NONE[show],
            "filtered": bool(gate or words),
            "seated": seated,
            "may_look": bool(may_look(person)),
        },
    )


def _listed(rows: list[Review], to_sign, to_decide) -> list[dict]:
    """Return the rows of a page: the gate, and the people awaited or the outcome."""
    seen = review_summaries.at([row for row in rows if row.is_open])
    lines = []
    for row in rows:
        rulebook = Rulebook.objects.kept(row.rulebook_id).parsed
        line = {"review": row, "gate": rulebook.gates[row.gate].title}
        if row.is_open:
            at = seen[row.pk]
            line |= {
                "awaited": at.moves,
                "quiet": _days_since(at.quiet_since),
                "broken": at.broken,
                "quorum": "" if at.broken else presentation.quorum_words(at, rulebook, row.gate),
                "decidable": at.decidable,
                "late": row.expires_at <= clock.now(),
                "verb": _("Sign") if row.pk in to_sign else _("Decide") if row.pk in to_decide else _("Open"),
            }
        lines.append(line)
    return lines


def _days_since(moment) -> int:
    return (clock.today() - clock.local_day(moment)).days
