"""The owner's pages of a survey: write, hand out links, count answers, close, read."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from adoption.models import AnswerBox, Survey, SurveyComment
from adoption.surveys import actions, mails, permissions, presentation, question_sets
from adoption.surveys.disclosure_control import merged
from adoption.surveys.forms import MailForm, SurveyForm
from governance import clock
from governance.audit_log import csv_export
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.models import Initiative

TAB = "adoption"
USUAL_TIME = timedelta(days=14)  # how long one stays open unless another last day is chosen


@require_safe
def surveys(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the surveys of an initiative, and how their results changed."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    rows = list(initiative.surveys.order_by("-id"))
    context = initiative_context(request, initiative, TAB) | {
        "title": _("User surveys"),
        "rows": rows,
        "trend": presentation.trend([row for row in rows if row.results]),
        "next_from": presentation.next_from(rows),
        "may_run": permissions.may_run(initiative, request.user),
    }
    return render(request, "adoption/surveys/surveys.html", context)


WHAT_CAN_BE_ASKED = {
    "sets": question_sets.SETS.values(),
    "a_question": question_sets.SECONDS_A_QUESTION,
    "beside": question_sets.SECONDS_BESIDE,
}


def _first_words(initiative: Initiative, request: SignedInRequest) -> dict:
    usual = ["useful", "why", "undo", "around"]
    return {"initial": {"language": "en", "sets": usual, "closes": clock.today() + USUAL_TIME}}


INITIATIVE_ACTS["write-survey"] = PageStep(
    may=permissions.may_run,
    act=actions.write,
    after=lambda initiative, made, person: reverse("survey", args=[made.pk]),
    form=SurveyForm,
    given=_first_words,
    page=TAB,
    back="adoption-surveys",
    template="adoption/surveys/survey_form.html",
    context=lambda initiative, request: WHAT_CAN_BE_ASKED,
    title=gettext_lazy("Survey the users"),
    verb=gettext_lazy("Save the draft"),
    done="",
)


def _survey_for(person, pk: int) -> Survey:
    rows = Survey.objects.select_related(
        "initiative__unit", "initiative__contract", "drafted_by", "opened_by", "closed_by"
    )
    return initiative_lookup.of_initiative(rows, person, pk)


def _page(request, row: Survey, template: str, *, status: int = 200, **more) -> HttpResponse:
    context = initiative_context(request, row.initiative, TAB) | {"title": row.title, "survey": row} | more
    return render(request, template, context, status=status)


@require_safe
def survey(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one survey: a draft's questions, an open one's turnout, or the results."""
    row = _survey_for(request.user, pk)
    if csv_export.asked(request):
        return _file(request, row)
    may = {
        "change": permissions.may_change(row, request.user),
        "open": permissions.may_open(row, request.user),
        "close": permissions.may_close(row, request.user),
        "again": permissions.may_replace_links(row, request.user) if row.state == Survey.OPEN else None,
        "run": permissions.may_run(row.initiative, request.user),
    }
    more = {"may_survey": may, "seconds": question_sets.seconds(row.sets), "asked": presentation.asked(row)}
    if row.state == Survey.OPEN:
        box = AnswerBox.objects.filter(survey=row).first()
        more["teams"] = presentation.turnout(row, box.answered if box else {})
    elif row.state == Survey.CLOSED:
        more["teams"] = presentation.turnout(row)
        more["results"] = presentation.results(row, presentation.before(row))
        more["comments"] = presentation.comments(row)
        more["measurements"] = actions.measurements_of(row)
    else:
        more["teams"] = merged(row.teams) or row.teams
    return _page(request, row, "adoption/surveys/survey.html", **more)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def open_survey(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what opening means, then the links once: a sheet to print, a CSV file, or emails."""
    row = _survey_for(request.user, pk)
    if request.method == "POST":
        permissions.may_open(row, request.user).or_refuse()
    form = MailForm(request.POST if request.POST.get("by") == "mail" else None, teams=merged(row.teams))
    if request.method == "POST" and request.POST.get("by") == "mail":
        if form.is_valid():
            links = actions.open_survey(survey=row, by=request.user)
            left = mails.send(row, links, form.by_team())
            return _links_page(
                request, row, left.links, mailed=len(links) - len(left.links), failed=left.addresses
            )
    elif request.method == "POST":
        return _handed(request, row, actions.open_survey(survey=row, by=request.user))
    return _page(
        request,
        row,
        "adoption/surveys/survey_open.html",
        status=422 if request.method == "POST" else 200,
        form=form,
        teams=merged(row.teams),
        may_open=permissions.may_open(row, request.user),
        seconds=question_sets.seconds(row.sets),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def replace_links(request: SignedInRequest, pk: int) -> HttpResponse:
    """Replace all links if no one has answered. The old ones open nothing."""
    row = _survey_for(request.user, pk)
    may = permissions.may_replace_links(row, request.user)
    if request.method == "POST":
        return _handed(request, row, actions.replace_links(survey=row, by=request.user))
    return _page(request, row, "adoption/surveys/survey_links_again.html", may=may)


def _handed(request, row: Survey, links: list) -> HttpResponse:
    if request.POST.get("by") != "csv":
        return _links_page(request, row, links)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["Team", "Link"])
    writer.writerows([csv_export.safe(link.team), csv_export.safe(link.address)] for link in links)
    response = HttpResponse("\ufeff" + written.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = csv_export.file_name(f"survey-{row.pk}-links", "csv")
    return response


def _links_page(
    request, row: Survey, links: list, *, mailed: int = 0, failed: Sequence[str] = ()
) -> HttpResponse:
    by_team: dict[str, list] = {}
    for link in links:
        by_team.setdefault(link.team, []).append(link)
    row = _survey_for(request.user, row.pk)
    return _page(
        request, row, "adoption/surveys/survey_links.html", by_team=by_team, mailed=mailed, failed=failed
    )


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the page that closes and publishes the survey."""
    row = _survey_for(request.user, pk)
    if request.method == "POST":
        actions.close(survey=row, by=request.user)
        messages.success(request, _("The survey is closed. The links no longer work."))
        return redirect("survey", row.pk)
    return _page(
        request, row, "adoption/surveys/survey_close.html", may=permissions.may_close(row, request.user)
    )


def _drafted(row: Survey, request: SignedInRequest) -> dict:
    lines = "\n".join(f"{team['name']}, {team['invited']}" for team in row.teams)
    initial = {name: getattr(row, name) for name in ("title", "sets", "language", "closes")}
    return {"initial": initial | {"teams": lines}}


ROW_ACTS["surveys/change"] = RowAct(
    rows=Survey.objects.select_related("initiative__unit", "initiative__contract"),
    may=permissions.may_change,
    act=actions.change,
    noun="survey",
    form=SurveyForm,
    given=_drafted,
    page=TAB,
    back=lambda row: reverse("survey", args=[row.pk]),
    template="adoption/surveys/survey_form.html",
    context=lambda row, request: WHAT_CAN_BE_ASKED,
    title=gettext_lazy("Change the survey"),
    verb=gettext_lazy("Save the draft"),
    done="",
)
ROW_ACTS["survey-comments/remove"] = RowAct(
    rows=SurveyComment.objects.select_related("survey__initiative__unit"),
    of="survey",
    may=lambda row, person: permissions.may_run(row.survey.initiative, person),
    act=actions.remove_comment,
    noun="comment",
    page=TAB,
    back=lambda row: reverse("survey", args=[row.survey_id]),
    title=gettext_lazy("Remove a comment"),
    lede=lambda row: row.text,
    happens=(
        gettext_lazy("The comment is deleted for good. The activity shows that you removed it, and why."),
    ),
    verb=gettext_lazy("Remove the comment"),
    done=gettext_lazy("The comment is removed."),
)


def _file(request: SignedInRequest, row: Survey) -> HttpResponse:
    """Return the published figures of a survey as a table, the same as on the page."""
    heading = (
        "Initiative",
        "Survey",
        "Closed",
        "Set",
        "Question",
        "Of",
        "Answers",
        "Mean (0 to 100)",
        "Standard deviation",
        "From",
        "To (95 %)",
    )
    return csv_export.stream(
        f"survey-{row.pk}",
        heading,
        presentation.lines(row),
        of=f"{row.initiative.ref} {row.title}",
        by=request.user,
    )
