"""Signals: reporting one without a name, reading it, the board's word, and who asked who reported it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from adoption.models import Signal
from adoption.signals import actions, permissions, sealed_reporter
from adoption.signals.forms import AnswerForm, SignalForm
from governance import clock
from governance.models import User
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import throttling
from initiatives.access import case_lookup
from initiatives.access.permissions import may_see
from initiatives.cases.case_frame import case_context, mend, one_act, sent
from initiatives.form_fields import ReasonForm
from initiatives.models import Initiative

TAB = "incidents"
PER_PERSON = 10  # in ten minutes: nobody floods a case from behind the protection


def case_or_stub(person: User, ref: str) -> Initiative:
    """The case, for whoever may open it or read its stub: of what is not confidential, everybody. Raises Http404."""
    number = ref.removeprefix("AI-")
    found = None
    if ref.startswith("AI-") and number.isdecimal() and len(number) < 10:
        rows = Initiative.objects.filter(number=int(number)).select_related("unit", "contract")
        found = rows.first()
    if found is None or found.ref != ref or (found.confidential and not may_see(found, person)):
        raise Http404("No such initiative, or not yours to see.")
    return found


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: SignedInRequest, ref: str) -> HttpResponse:
    """Report how people behave towards the system of a case; who may ever know who said so stands above the form."""
    case = case_or_stub(request.user, ref)
    permissions.may_report(case, request.user).or_refuse()
    form = SignalForm(sent(request))
    if request.method == "POST" and form.is_valid() and not _too_many(request, form):
        try:
            actions.report_signal(case=case, by=request.user, **form.act())
        except ValidationError as error:
            mend(form, error)
        else:
            messages.success(request, _("It is reported, without your name."))
            return redirect("signals-mine")
    status = 422 if request.method == "POST" else 200
    context = {
        "nav": "portfolio",
        "reported_on": case,
        "form": form,
        "who_can_know": permissions.WHO_CAN_KNOW,
        "chair": permissions.chairs_words(case, request.user),
    }
    return render(request, "adoption/signals/signal_report.html", context, status=status)


def _too_many(request, form) -> bool:
    """Whether the person reported so much just now that it has to wait; counted under a mark, not under a name."""
    mark = sealed_reporter.mark(f"{request.user.pk} {clock.today()}")[:40]
    until = throttling.enter_try(mark, purpose="signal", most=PER_PERSON)
    if until is not None:
        form.add_error(None, f"That is a lot at once. Send it again after {clock.local(until):%H:%M}.")
    return until is not None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: SignedInRequest) -> HttpResponse:
    """What the reader reported, what the board answered, and who asked for the reader's name."""
    if request.method == "POST":
        actions.seen_questions(by=request.user)
        return redirect("signals-mine")
    context = {
        "nav": "account",
        "signals": actions.reported_by(request.user),
        "untold": actions.untold(request.user),
        "who_can_know": permissions.WHO_CAN_KNOW,
    }
    return render(request, "adoption/signals/signals_mine.html", context)


def _signal_for(person: User, pk: int) -> Signal:
    rows = Signal.objects.select_related("initiative__unit", "initiative__contract", "answered_by")
    return case_lookup.of_case(rows, person, pk)


@require_http_methods(["GET", "HEAD", "POST"])
def signal(request: SignedInRequest, pk: int) -> HttpResponse:
    """A signal with the board's answer, or the form of whoever may answer it."""
    row = _signal_for(request.user, pk)
    may = permissions.may_answer(row.initiative, request.user)
    form = AnswerForm(sent(request)) if may and row.answered_at is None and row.ended_at is None else None
    if request.method == "POST":
        form = form or AnswerForm(request.POST)
        if form.is_valid():
            try:
                actions.answer_signal(signal=row, by=request.user, **form.cleaned_data)
            except ValidationError as error:
                mend(form, error)
            else:
                messages.success(request, _("The board's answer stands."))
                return redirect("signal", row.pk)
    context = case_context(request, row.initiative, TAB) | {
        "title": _("Behaviour report"),
        "signal": row,
        "form": form,
        "may_answer": may,
        "may_ask": permissions.may_ask_source(row, request.user),
        "questions": row.source_questions.select_related("by"),
    }
    return render(
        request, "adoption/signals/signal.html", context, status=422 if request.method == "POST" else 200
    )


def end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say that a signal is no longer so."""
    row = _signal_for(request.user, pk)
    permissions.may_answer(row.initiative, request.user).or_refuse()
    return one_act(
        request,
        row.initiative,
        ReasonForm(sent(request)),
        lambda fields: actions.end_signal(signal=row, by=request.user, **fields),
        _("It is no longer so, says the board."),
        page=TAB,
        title=_("It is no longer so"),
        lede=f"{row.group}: {row.get_kind_display().lower()}.",
        happens=[_("It no longer weighs on the test of adoption. It stays readable, with your reason.")],
        verb=_("Say so"),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask who reported a signal: the chair, with a reason; the answer is on this one page and kept nowhere."""
    row = _signal_for(request.user, pk)
    permissions.may_ask_source(row, request.user).or_refuse()
    return ask_about(request, row, f"{row.group}: {row.get_kind_display().lower()}.")


def ask_about(request: SignedInRequest, row, lede: str) -> HttpResponse:
    """The page that asks who reported this row of a case."""
    form, told = ReasonForm(sent(request)), None
    form.fields[
        "reason"
    ].help_text = "Whoever reported it reads this, and so does everybody who reads the history."
    if request.method == "POST" and form.is_valid():
        try:
            told = actions.ask_source(about=row, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            mend(form, error)
    context = case_context(request, row.initiative, TAB) | {
        "title": _("Ask who reported it"),
        "lede": lede,
        "form": form,
        "asked": told is not None,
        "told": told,
    }
    status = 422 if request.method == "POST" and told is None else 200
    return render(request, "adoption/signals/source_ask.html", context, status=status)
