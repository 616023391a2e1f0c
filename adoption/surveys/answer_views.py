"""The page for answering a survey, by link. No sign-in, no scripts, English or German."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_safe

from adoption.models.surveys import LEAST
from adoption.outside_page import ALONE, language_of, page
from adoption.surveys import question_sets, survey_submission
from adoption.surveys.forms import AnswerForm
from governance import clock
from governance.sign_in import throttling
from governance.web.middleware import for_the_unknown


@for_the_unknown
@ALONE
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Show the questions, or take an answer. A used or invalid link gives a page about it."""
    try:
        invitation = survey_submission.invitation_of(token, throttling.address_of(request))
    except survey_submission.Guessed as guessed:
        response = _closed(request, status=429)
        response["Retry-After"] = str(max(1, int((guessed.until - clock.now()).total_seconds())))
        return response
    if invitation is None:
        return _closed(request, status=404)
    survey = invitation.survey
    language = language_of(request, survey.language)
    with translation.override(language):
        form = AnswerForm(request.POST if request.method == "POST" else None, survey=survey)
        if request.method == "POST" and form.is_valid():
            taken = survey_submission.answer(
                invitation=invitation, steps=form.steps(), comment=form.cleaned_data["comment"]
            )
            return redirect("survey-thanks", language) if taken else _closed(request, status=409)
        context = {
            "survey": survey,
            "form": form,
            "seconds": question_sets.seconds(survey.sets),
            "least": LEAST,
            "sources": [
                source
                for key in survey.sets
                if key in question_sets.SETS
                for source in question_sets.SETS[key].sources
            ],
        }
        status = 422 if request.method == "POST" else 200
        return page(request, "adoption/surveys/survey_answer.html", context, language=language, status=status)


@for_the_unknown
@ALONE
@require_safe
def thanks(request: HttpRequest, language: str) -> HttpResponse:
    """Show the thanks at an address that is the same for everyone."""
    return page(request, "adoption/surveys/survey_thanks.html", {}, language=language_of(request, language))


def _closed(request: HttpRequest, *, status: int) -> HttpResponse:
    """Show that the link opens nothing. A used, ended, mistyped or guessed one has the same words."""
    context = {"status": status}
    return page(
        request, "adoption/surveys/survey_nothing.html", context, language=language_of(request), status=status
    )
