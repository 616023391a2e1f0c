"""Pages of absences: plan them, end them, and answer requests to stand in."""

from datetime import date

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.models import Absence, Delegation
from governance.people.boards import seats_held
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.vocabulary import Seat
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.inbox.absences import actions, wording
from initiatives.inbox.absences.actions import Asked, check_plan
from initiatives.inbox.absences.forms import AbsenceForm, DelegateForm, EndDelegationForm
from initiatives.lifecycle.initiative.initiative_frame import page_of, sent
from initiatives.lifecycle.reminders.wording import days_of
from initiatives.models import RoleAssignment
from initiatives.portfolio.units import decision_gaps

TAKES = ["GET", "HEAD", "POST"]


@require_http_methods(TAKES)
def away(request: SignedInRequest) -> HttpResponse:
    """Show the person's absences with delegates, and plan the next after a preview."""
    person = request.user
    mine = [seat for seat in seats_held(person) if seat.delegate_of_id is None]
    form = AbsenceForm(
        sent(request),
        roles=RoleAssignment.objects.in_force().filter(person=person).exists(),
        seats=[seat for seat in mine if seat.seat in Seat],
    )
    effects, stops = None, []
    if request.method == "POST" and form.is_valid():
        days = {"first": form.cleaned_data["first"], "last": form.cleaned_data["last"]}
        stops = _stops(person, **days)
        # A chair reads who is left without a decision before the plan is saved, whichever button was pressed.
        look = request.POST.get("step") == "look" or request.POST.get("stops", "") != " ".join(stops)
        try:
            if look:
                check_plan(**days, asked=form.asked, by=person)
                effects = [*stops, *_effects(form.asked, person)]
            else:
                actions.plan_absence(**days, asked=form.asked, by=person)
                asked = " Plumbline asks the people you named." if form.asked else ""
                messages.success(request, phrase("Your absence is planned.{}", asked).in_language())
                return redirect("away")
        except ValidationError as wrong:
            put_errors(form, wrong)
    page = page_of(request, _absences(person))
    current = Delegation.objects.filter(
        delegate=person, ended_at__isnull=True, absence__ends_at__gt=clock.now()
    ).select_related("absence__person", "membership__board")
    context = {
        "nav": "away",
        "form": form,
        "effects": effects,
        "stops": " ".join(stops),
        "page": page,
        "absences": [_shown(absence) for absence in page],
        "current": [(row, days_of(row.absence)) for row in current],
        "held": mine,
        "chairs": [seat for seat in mine if seat.seat in decision_gaps.CHAIRS],
    }
    return render(request, "initiatives/absences/away.html", context)


def _absences(person):
    rows = Delegation.objects.select_related("delegate", "membership__board").order_by("pk")
    return person.absences.prefetch_related(Prefetch("delegations", queryset=rows)).order_by(
        "-starts_at", "-pk"
    )


def _shown(absence: Absence) -> dict:
    """Return an absence for the page. Each of its `delegates` has whether someone else can be asked."""
    rows = list(absence.delegations.all())
    taken = {row.membership_id for row in rows if row.ended_at is None}
    ahead = absence.ends_at > clock.now()
    return {
        "absence": absence,
        "words": days_of(absence),
        "ahead": ahead,
        "now": ahead and absence.starts_at <= clock.now(),
        "delegates": [(row, ahead and row.membership_id not in taken) for row in rows],
    }


def _stops(person, *, first: date, last: date) -> list[str]:
    """Return in sentences the times in which this absence leaves a board without anyone who can decide."""
    absence = Absence(
        person=person, starts_at=clock.midnight_before(first), ends_at=clock.midnight_after(last)
    )
    boards = {*decision_gaps.boards_chaired(seats_held(person))}
    return [sentence for board in boards for sentence in decision_gaps.made_by(board, absence=absence)]


def _effects(asked: list[Asked], person) -> list[str]:
    said = []
    for one in asked:
        if one.membership is None:
            said += wording.keeps_from_roles(person, one.delegate)
        else:
            said += wording.keeps_from_seat(one.membership, one.delegate)
    return said or ["No one stands in for you. Your tasks wait until you are back."]


def _own(request, pk: int) -> Absence:
    rows = Absence.objects.select_related("person")
    return get_object_or_404(rows if request.user.is_admin else rows.filter(person=request.user), pk=pk)


@require_http_methods(TAKES)
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form that ends or cancels an absence, to the person or an admin."""
    absence = _own(request, pk)
    if request.method == "POST":
        actions.end_absence(absence=absence, by=request.user)
        messages.success(request, _("The absence has ended, and no one stands in now."))
        return redirect("away")
    happens = [f"{row.delegate} no longer stands in for {row.what}." for row in _current(absence)]
    happens.append(
        f"Sign-offs by the delegate no longer count if the review is still open. {absence.person} must sign again."
    )
    context = {
        "nav": "away",
        "title": f"End the absence of {absence.person} {days_of(absence)}",
        "happens": happens,
        "verb": _("End the absence"),
        "back_url": reverse("away"),
        "form": None,
    }
    return render(request, "initiatives/absences/away_ask.html", context)


def _current(absence: Absence):
    return absence.delegations.filter(ended_at__isnull=True).select_related("delegate", "membership__board")


@require_http_methods(TAKES)
def ask_another(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form that asks someone else, after a delegate declined or gave up."""
    row = get_object_or_404(
        Delegation.objects.select_related("absence__person", "membership__board", "delegate"),
        pk=pk,
        absence__person=request.user,
    )
    form = DelegateForm(sent(request))
    effects = None
    if request.method == "POST" and form.is_valid():
        asked = Asked(form.cleaned_data["delegate"], row.membership)
        try:
            actions.name_delegate(absence=row.absence, asked=asked, by=request.user)
            messages.success(request, phrase("{} is asked.", asked.delegate).in_language())
            return redirect("away")
        except ValidationError as wrong:
            put_errors(form, wrong)
    context = {
        "nav": "away",
        "title": f"Ask someone else: {row.what}",
        "lede": f"{row.delegate} does not stand in. {row.ended_reason}".strip(),
        "happens": [],
        "effects": effects,
        "verb": _("Ask"),
        "back_url": reverse("away"),
        "form": form,
    }
    return render(request, "initiatives/absences/away_ask.html", context)


def _asked_of(request, pk: int) -> Delegation:
    row = (
        Delegation.objects.select_related("absence__person", "membership__board", "delegate")
        .filter(pk=pk, delegate=request.user)
        .first()
    )
    if row is None:
        raise Http404("This request does not exist, or it was sent to someone else.")
    return row


@sensitive_post_parameters("password")
@require_http_methods(TAKES)
def delegation(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what standing in means, and accept it in person with a signature."""
    row = _asked_of(request, pk)
    open_ = row.accepted_at is None and row.ended_at is None and row.absence.ends_at > clock.now()
    form = SigningForm(
        sent(request),
        request=request,
        purpose="stand in for someone who is away",
        act="role",
        facts={
            "delegation": row.pk,
            "for": row.absence.person_id,
            "of": row.what,
            "from": row.absence.starts_at,
            "until": row.absence.ends_at,
        },
    )
    if request.method == "POST" and (not open_ or form.is_valid()):
        actions.accept_delegation(delegation=row, by=request.user)
        messages.success(
            request,
            phrase("You stand in for {} {}.", row.absence.person, days_of(row.absence)).in_language(),
        )
        return redirect("away")
    person = row.absence.person
    if row.membership is None:
        happens = wording.keeps_from_roles(person, request.user)
    else:
        happens = wording.keeps_from_seat(row.membership, request.user)
    context = {
        "nav": "away",
        "title": f"Stand in for {person}",
        "lede": f"{person} is away {days_of(row.absence)} and asks you to stand in for {row.what}.",
        "happens": happens,
        "open": open_,
        "verb": _("Accept to stand in"),
        "back_url": reverse("away"),
        "decline_url": reverse("delegation-decline", args=[row.pk]),
        "form": form,
    }
    return render(request, "initiatives/absences/away_ask.html", context, status=form.status)


@require_http_methods(TAKES)
def decline(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the form that declines to stand in, or stops standing in."""
    row = _asked_of(request, pk)
    form = EndDelegationForm(sent(request))
    if request.method == "POST" and form.is_valid():
        actions.decline_delegation(delegation=row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(
            request, phrase("{} is notified, and can ask someone else.", row.absence.person).in_language()
        )
        return redirect("away")
    context = {
        "nav": "away",
        "title": f"Decline to stand in for {row.absence.person}",
        "happens": [f"{row.absence.person} is notified that no one stands in for {row.what} now."],
        "verb": _("Stop standing in") if row.accepted_at else _("Decline"),
        "back_url": reverse("delegation", args=[row.pk]),
        "form": form,
    }
    return render(request, "initiatives/absences/away_ask.html", context)
