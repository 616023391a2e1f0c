"""The pages by which users report a problem with an AI: by link, without signing in, in English or German."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from adoption.models import ProblemLink, ProblemReport
from adoption.models.reports import new_token
from adoption.outside_page import ALONE, language_of, page
from adoption.reports import public_link, sealed_reporter
from adoption.reports.actions import LONGEST
from governance import clock
from governance.permission_result import Refused
from governance.runtime import link_tokens
from governance.sign_in import throttling
from governance.vocabulary.form_errors import put_errors
from governance.web.middleware import for_the_unknown
from initiatives.models import Initiative

PER_ADDRESS, PER_LINK = 10, 100  # in ten minutes
HARMS = [
    ("none", _("No")),
    ("time", _("Time or money was lost")),
    ("person", _("Someone was treated wrongly or harmed")),
    ("unknown", _("I do not know")),
]


class ProblemForm(forms.Form):
    """The form for a problem: description, day, the AI's output, harm, contact."""

    what = forms.CharField(
        label=_("What happened?"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Describe what happened.")},
    )
    happened_on = forms.DateField(
        label=_("On which day?"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    output = forms.CharField(
        label=_("What did the AI say or do?"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Quote it as exactly as you can. Leave out names of other people."),
    )
    harm = forms.ChoiceField(
        label=_("Did the AI cause harm?"), choices=HARMS, initial="unknown", widget=forms.RadioSelect
    )
    contact = forms.CharField(
        label=_("How can you be reached?"),
        required=False,
        max_length=250,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Optional. Only the chair of the board can open your contact details, and must give a "
            "reason. The page with your answer then shows the reason. Your details are deleted 90 days after "
            "your report was answered."
        ),
    )
    key = forms.RegexField(r"^[A-Za-z0-9_-]{16,32}$", widget=forms.HiddenInput, required=False)


@for_the_unknown
@ALONE
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, token: str) -> HttpResponse:
    """Show the form that reports a problem. An invalid or switched-off link gives a page about it."""
    links = ProblemLink.objects.filter(ended_at__isnull=True).select_related("initiative")
    link = link_tokens.rows_of(links, token).first()
    with translation.override(language_of(request)):
        if link is None or link.initiative.closed or link.initiative.withdrawn_at:
            return _page(request, "adoption/reports/report_nothing.html", {}, status=404)
        form = ProblemForm(request.POST if request.method == "POST" else None, initial={"key": new_token()})
        status = 200
        if request.method == "POST":
            status = 422
            if form.is_valid():
                until = _wait(request, link)
                if until is not None:
                    response = _page(
                        request,
                        "adoption/reports/report_problem.html",
                        _context(link, form, too_many=True),
                        status=429,
                    )
                    response["Retry-After"] = str(max(1, int((until - clock.now()).total_seconds())))
                    return response
                try:
                    _row, key = public_link.report_problem(link=link, **form.cleaned_data)
                except ValidationError as error:
                    put_errors(form, error)
                except Refused:
                    return _page(request, "adoption/reports/report_nothing.html", {}, status=404)
                else:
                    return redirect(f"{reverse('reported-problem', args=[key])}?lang={language_of(request)}")
        return _page(request, "adoption/reports/report_problem.html", _context(link, form), status=status)


def _wait(request, link: ProblemLink):
    """Count a report, and return when another may be sent if there were too many. No address is kept."""
    address = sealed_reporter.mark(f"{throttling.address_of(request)} {clock.today()}")[:40]
    return throttling.enter_try(address, purpose="problem from", most=PER_ADDRESS) or throttling.enter_try(
        str(link.pk), purpose="problem by link", most=PER_LINK
    )


def _context(link: ProblemLink, form, *, too_many: bool = False) -> dict:
    return {"title": _name_of(link.initiative), "form": form, "too_many": too_many}


def _name_of(initiative: Initiative) -> str:
    """Return the name for people without an account: the reference alone of a confidential initiative."""
    return initiative.ref if initiative.confidential else initiative.title


@for_the_unknown
@ALONE
@require_safe
def reported(request: HttpRequest, secret: str) -> HttpResponse:
    """Show a report's outcome to everyone with its link, and who asked for the contact."""
    found = (
        ProblemReport.objects.filter(mark=public_link.mark_of(secret)).select_related("initiative").first()
    )
    with translation.override(language_of(request)):
        if found is None:
            return _page(request, "adoption/reports/report_nothing.html", {}, status=404)
        context = {
            "title": _name_of(found.initiative),
            "problem": found,
            "questions": found.source_questions.select_related("by"),
            "address": request.build_absolute_uri(request.path),
        }
        return _page(request, "adoption/reports/reported_problem.html", context)


def _page(request, template: str, context: dict, *, status: int = 200) -> HttpResponse:
    return page(request, template, context, language=language_of(request), status=status)
