"""Votes: the statement exactly as it will be signed, the signature, the statement as it was signed."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from governance import asof, clock, passwords, statements, throttle
from governance.answers import Answer, Refused, no, yes
from governance.middleware import on_any_day
from governance.models.ledger import Entry
from governance.models.people import SEATS
from governance.templatetags.plumbline import seat_word
from initiatives import actions, board, permissions, waiting
from initiatives.actions.votes import may_approve, statement_for
from initiatives.doors import review_for, sign_off_on_any_day
from initiatives.forms.reviews import ReasonOfActForm, people_around
from initiatives.forms.votes import PasswordForm, VoteForm
from initiatives.models import Review, SignOff
from initiatives.models.reviews import APPROVE, CONDITION, OBJECT, RECUSE
from initiatives.views import sittings
from initiatives.views.decisions import act_page, insist
from initiatives.views.shared import case_context, mend, pick

VERDICTS = {
    APPROVE: "Approve",
    CONDITION: "Approve with a condition",
    OBJECT: "Object",
    RECUSE: "Recuse yourself",
}
MEANINGS = {
    APPROVE: "Your approval counts while what the statement names stays as it is.",
    CONDITION: "Somebody has to meet it by a day. The chair fixes the words, the person and the day.",
    OBJECT: "It stands until you withdraw it, or new proof and a fresh vote answer it.",
    RECUSE: "You give no verdict. The quorum is not lowered by it.",
}
SALT = "statement"
OPEN_FOR = timedelta(hours=1)
# How many statements a session remembers, so that a conflict can say what changed since each was shown.
REMEMBERED = 5


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request, pk, seat):
    """Read the statement for a seat and sign exactly that, with one's password."""
    row = review_for(request.user, pk)
    if seat not in sittings.seats_of_gate(row.rulebook.book, row.gate):
        raise Http404("This seat signs nothing at this gate.")
    verdict = pick(request.GET.get("verdict"), VERDICTS, APPROVE)
    if not row.is_open:
        if request.method != "POST":
            return redirect(row)
        # The act itself says who ended the review and when, and leaves the entry.
        actions.sign_off(
            review=row, seat=seat, verdict=APPROVE, digest="", prepared_at=clock.now(), by=request.user
        )
    may = permissions.may_sign(row, seat, request.user, verdict=verdict)
    insist(request, may, "sign off", row.initiative)
    given = request.GET if "reason" in request.GET else None
    if given is None and verdict == APPROVE:
        given = {"verdict": verdict, "reason": ""}
    form = VoteForm(
        given,
        verdict=verdict,
        criteria=row.rulebook.book.criteria_of(row.gate, seat),
        people=people_around(row.initiative),
    )
    if not form.is_bound or not form.is_valid():
        form.fields["verdict"].initial = verdict
        return _page(request, row, seat, verdict, "initiatives/sign_words.html", form=form)
    return _statement_page(request, row, seat, verdict, form)


def _page(request, row: Review, seat: str, verdict: str, template: str, *, status=200, facts=None, **more):
    context = case_context(request, row.initiative, "reviews", facts=facts) | {
        "nav": "reviews",
        "title": f"{VERDICTS[verdict]}: {seat_word(seat).lower()}",
        "review": row,
        "seat": seat,
        "verdict": verdict,
        "meaning": MEANINGS[verdict],
        "verdicts": [(key, word) for key, word in VERDICTS.items() if key != verdict],
    }
    return render(request, template, context | more, status=status)


def _statement_page(request, row: Review, seat: str, verdict: str, form: VoteForm):
    """The statement with its password field; on POST the signature, or the same page with what was wrong."""
    person, words = request.user, form.words()
    sitting = board.sit(row)
    password, shown, status = PasswordForm(), None, 200
    if request.method == "POST":
        password = PasswordForm(request.POST)
        shown = _shown(request.POST.get("statement", ""), row, seat, person)
        if shown is None:
            password.add_error(
                None,
                "The statement below was made anew, for this page was open too long. Read it and sign it.",
            )
        elif password.is_valid() and (
            wrong := _wrong_password(request, row, seat, password.cleaned_data["password"])
        ):
            password.add_error("password", wrong)
            status = 429 if wrong.startswith("Too many") else 200
        elif password.is_valid():
            try:
                vote = actions.sign_off(
                    review=row,
                    seat=seat,
                    verdict=verdict,
                    digest=shown["digest"],
                    prepared_at=shown["at"],
                    replaces=shown["replaces"],
                    seen=request.session.get("statements", {}).get(shown["digest"]),
                    by=person,
                    **words | {"criteria": tuple(words["criteria"])},
                )
            except ValidationError as error:
                mend(password, error)
            else:
                messages.success(request, f"Signed as {seat_word(seat).lower()}. This is what you signed.")
                return redirect("sign-off", vote.pk)
    at = shown["at"] if shown else clock.now()
    text, covered = statement_for(row, seat, person, verdict=verdict, at=at, sitting=sitting, **words)
    digest = statements.digest(text)
    if shown is not None and shown["digest"] != digest:
        password.add_error(None, "What you would sign changed since you opened this page. Read it again.")
        at = clock.now()
        text, covered = statement_for(row, seat, person, verdict=verdict, at=at, sitting=sitting, **words)
        digest = statements.digest(text)
    _remember(request, digest, covered)
    password.data = password.data.copy() if password.is_bound else password.data
    sealed = _seal(row, seat, person, digest, at)
    if password.is_bound:
        password.data["statement"] = sealed
    password.initial["statement"] = sealed
    return _page(
        request,
        row,
        seat,
        verdict,
        "initiatives/sign_statement.html",
        status=status,
        facts=sitting.facts,
        text=text,
        digest=digest,
        early=waiting.fast_lane(row.initiative, row.gate, row.opened_at),
        form=password,
        words=form,
        may_approve=_may_approve(sitting, verdict, covered, person),
        stays=_quorum_after_recusal(sitting, person) if verdict == RECUSE else "",
        standing_vote=next((vote for vote in sitting.sign_offs if vote.seat == seat), None),
    )


def _seal(row: Review, seat: str, person, digest: str, at: datetime) -> str:
    """What the page showed, to whom and when, so that the signature is for exactly that."""
    last = row.sign_offs.filter(seat=seat, replaced_by__isnull=True).values_list("pk", flat=True).first()
    shown = {
        "review": row.pk,
        "seat": seat,
        "person": person.pk,
        "digest": digest,
        "at": at.isoformat(),
        "replaces": last,
    }
    return signing.dumps(shown, salt=SALT)


def _shown(sealed: str, row: Review, seat: str, person) -> dict | None:
    """What was shown to this person for this seat within the last hour; None for anything else."""
    try:
        shown = signing.loads(sealed, salt=SALT, max_age=OPEN_FOR)
    except signing.BadSignature:
        return None
    if (shown["review"], shown["seat"], shown["person"]) != (row.pk, seat, person.pk):
        return None
    return shown | {"at": datetime.fromisoformat(shown["at"])}


def _remember(request, digest: str, covered: dict) -> None:
    """Keep the facts behind the statement as they were seen, the newest few of this session."""
    kept = {key: seen for key, seen in request.session.get("statements", {}).items() if key != digest}
    request.session["statements"] = dict([*kept.items()][-(REMEMBERED - 1) :]) | {digest: covered}


def _wrong_password(request, row: Review, seat: str, password: str) -> str:
    """Why the password does not confirm the signature; empty when it does."""
    purpose = f"sign as {seat_word(seat).lower()} on {row.initiative.ref}"
    wrong = passwords.why_refused(
        request.user, password, purpose=purpose, address=throttle.address_of(request)
    )
    return f"{wrong} Nothing was signed." if wrong else ""


def _may_approve(sitting: board.Sitting, verdict: str, covered: dict, person) -> Answer:
    """Whether an approval would be accepted now, asked of the same rule that the act asks."""
    if verdict in (APPROVE, CONDITION):
        try:
            may_approve(sitting.case, covered, sorted(int(pk) for pk in covered["evidence"]), sitting, person)
        except Refused as refused:
            return refused.answer
    return yes()


def _quorum_after_recusal(sitting: board.Sitting, person) -> str:
    able = [
        seat
        for seat in sitting.seats.values()
        if any(name != person.full_name for name in seat.eligible) and seat.seat in SEATS
    ]
    count = len(able)
    return (
        f"The quorum stays {sitting.verdict.quorum}; "
        f"{count} seat{'' if count == 1 else 's'} can still be signed for without you."
    )


def _vote(request, pk) -> SignOff:
    """A sign-off on a case that this person may see. Raises Http404."""
    found = SignOff.objects.filter(pk=pk).select_related("person", "replaces__person").first()
    if found is None:
        raise Http404("No such sign-off, or not yours to see.")
    found.review = review_for(request.user, found.review_id)
    return found


@on_any_day(sign_off_on_any_day)
@require_safe
def statement(request, pk):
    """A sign-off as it was signed: the words, their digest, when it was recorded, whether it counts and why not."""
    vote = _vote(request, pk)
    if request.GET.get("as") == "text":
        return HttpResponse(vote.statement, content_type="text/plain; charset=utf-8")
    row = vote.review
    after = SignOff.objects.filter(replaces=vote).select_related("person").first()
    votes = sittings.live_votes(board.sit(row)) if row.is_open else sittings.frozen_votes(row)
    cast = votes.get(vote.seat)
    stands = cast is not None and cast.row.pk == vote.pk
    context = case_context(request, row.initiative, "reviews") | {
        "nav": "reviews",
        "title": f"{vote.get_verdict_display()}: {vote.get_seat_display().lower()}",
        "review": row,
        "vote": vote,
        "after": after,
        "stands": stands,
        "stale": cast.stale if stands else (),
        "entry": _entry_of(vote),
        "gate": row.rulebook.book.gates[row.gate],
        "may_withdraw": asof.current() is None
        and row.is_open
        and stands
        and _may_withdraw(vote, request.user),
    }
    return render(request, "initiatives/sign_off.html", context)


def _entry_of(vote: SignOff) -> Entry | None:
    """The entry of the record that holds this statement: the first of its kind by this person from that moment on."""
    entries = (
        Entry.objects.acts()
        .of_case(vote.review.initiative.ref)
        .filter(kind__in=["signed off", "vote withdrawn"], actor_id=vote.person_id, at__gte=vote.at)
    )
    return next(
        (row for row in entries.order_by("id") if row.facts["facts"].get("digest") == vote.digest), None
    )


def _may_withdraw(vote: SignOff, person) -> Answer:
    if vote.person_id == person.pk or permissions.holds_seat(vote.review.initiative, person, vote.seat):
        return yes()
    return no("Only its signer, or who holds the seat now, withdraws a vote.")


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request, pk):
    """Withdraw one's own vote: a new row; the old one stays readable."""
    vote = _vote(request, pk)
    insist(request, _may_withdraw(vote, request.user), "withdraw vote", vote.review.initiative)
    form = ReasonOfActForm(request.POST or None, label="Why", help_text="The board and the team read it.")
    if request.method == "POST" and form.is_valid():
        actions.withdraw_vote(sign_off=vote, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, "The vote is withdrawn. What was signed stays readable.")
        return redirect(vote.review)
    happens = [
        f"The seat {vote.get_seat_display().lower()} has no vote until somebody signs for it again.",
        "What was signed stays readable, with this reason.",
    ]
    return act_page(
        request,
        vote.review.initiative,
        title="Withdraw a vote",
        form=form,
        verb="Withdraw it",
        happens=happens,
        danger=True,
        back=vote.review.get_absolute_url(),
    )
