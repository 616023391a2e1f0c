"""Pages of absences: plan them, end them, and answer requests to stand in."""

from dataclasses import replace
from datetime import date

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.models import Absence, Delegation, User
from governance.people.boards import seats_held
from governance.permission_result import Answer, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.vocabulary import Seat
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.inbox.absences import actions, wording
from initiatives.inbox.absences.actions import Asked, check_plan
from initiatives.inbox.absences.forms import AbsenceForm, DelegateForm, EndDelegationForm
from initiatives.lifecycle.initiative.initiative_frame import page_of, sent
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, Frame, RowAct
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


def _current(absence: Absence):
    return absence.delegations.filter(ended_at__isnull=True).select_related("delegate", "membership__board")


def _asked_by(row: Delegation) -> list[str]:
    """Return what standing in means for the delegate, in sentences."""
    if row.membership is None:
        return wording.keeps_from_roles(row.absence.person, row.delegate)
    return wording.keeps_from_seat(row.membership, row.delegate)


def _is_open(row: Delegation) -> bool:
    return row.accepted_at is None and row.ended_at is None and row.absence.ends_at > clock.now()


def _may_accept(row: Delegation, person: User) -> Answer:
    actions.refuse_answered(row)
    return yes()


def _decline_address(row: Delegation) -> str:
    return reverse("row-act", args=["delegations", row.pk, "decline"])


DELEGATIONS = Delegation.objects.select_related("absence__person", "membership__board", "delegate")
# A person finds the requests to stand in that were sent to this person.
ON_REQUESTS = Frame(
    nav="away",
    seen=lambda rows, person: rows.filter(delegate=person),
    page=lambda row: reverse("away"),
    template="initiatives/absences/away_ask.html",
)
ON_DELEGATIONS = replace(ON_REQUESTS, seen=lambda rows, person: rows.filter(absence__person=person))
ON_ABSENCES = replace(
    ON_REQUESTS, seen=lambda rows, person: rows if person.is_admin else rows.filter(person=person)
)
ROW_ACTS["delegations/accept"] = RowAct(
    rows=DELEGATIONS,
    frame=ON_REQUESTS,
    may=_may_accept,
    may_open=lambda row, person: yes(),
    act=actions.accept_delegation,
    noun="delegation",
    form=SigningForm,
    signed="role",
    given=lambda row, request: {
        "purpose": "stand in for someone who is away",
        "facts": {
            "delegation": row.pk,
            "for": row.absence.person_id,
            "of": row.what,
            "from": row.absence.starts_at,
            "until": row.absence.ends_at,
        },
    },
    title=lambda row: phrase("Stand in for {}", row.absence.person),
    lede=lambda row: phrase(
        "{} is away {} and asks you to stand in for {}.", row.absence.person, days_of(row.absence), row.what
    ),
    happens=_asked_by,
    context=lambda row, request: {"open": _is_open(row), "decline_url": _decline_address(row)},
    verb=gettext_lazy("Accept to stand in"),
    done=lambda row: phrase("You stand in for {} {}.", row.absence.person, days_of(row.absence)),
)
ROW_ACTS["delegations/decline"] = RowAct(
    rows=DELEGATIONS,
    frame=ON_REQUESTS,
    may=lambda row, person: yes(),
    act=actions.decline_delegation,
    noun="delegation",
    form=EndDelegationForm,
    title=lambda row: phrase("Decline to stand in for {}", row.absence.person),
    happens=(
        lambda row: phrase("{} is notified that no one stands in for {} now.", row.absence.person, row.what),
    ),
    verb=lambda row: gettext_lazy("Stop standing in") if row.accepted_at else gettext_lazy("Decline"),
    done=lambda row: phrase("{} is notified, and can ask someone else.", row.absence.person),
)
ROW_ACTS["delegations/ask-another"] = RowAct(
    rows=DELEGATIONS,
    frame=ON_DELEGATIONS,
    may=lambda row, person: yes(),
    act=lambda *, delegation, delegate, by: actions.name_delegate(
        absence=delegation.absence, asked=Asked(delegate, delegation.membership), by=by
    ),
    noun="delegation",
    form=DelegateForm,
    title=lambda row: phrase("Ask someone else: {}", row.what),
    lede=lambda row: phrase("{} does not stand in. {}", row.delegate, row.ended_reason),
    then=lambda request, made: messages.success(request, phrase("{} is asked.", made.delegate).in_language()),
    verb=gettext_lazy("Ask"),
    done="",
)
ROW_ACTS["absences/end"] = RowAct(
    rows=Absence.objects.select_related("person"),
    frame=ON_ABSENCES,
    may=lambda row, person: yes(),
    act=actions.end_absence,
    noun="absence",
    form=forms.Form,
    title=lambda row: phrase("End the absence of {} {}", row.person, days_of(row)),
    happens=lambda row: [
        *(phrase("{} no longer stands in for {}.", one.delegate, one.what) for one in _current(row)),
        phrase(
            "Sign-offs by the delegate no longer count if the review is still open. {} must sign again.",
            row.person,
        ),
    ],
    verb=gettext_lazy("End the absence"),
    done=gettext_lazy("The absence has ended, and no one stands in now."),
)
