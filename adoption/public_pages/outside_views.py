"""The public page of an initiative and its badge, for everyone with the address. Read only, in English or German."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from adoption.models.surveys import LANGUAGES
from adoption.outside_page import ALONE, language_of, page
from adoption.public_pages import presentation
from governance.web.middleware import for_the_unknown

SECONDS = 60  # for which a badge may be shown without asking again


@for_the_unknown
@ALONE
@require_safe
def public_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show the purpose, stage, limits and contacts. An unknown or withdrawn address is 404."""
    found = presentation.public_initiative(token)
    if found is None:
        return _nothing(request)
    language = language_of(request)
    with translation.override(language):
        context = {
            "public": found,
            "limits": presentation.limits_of(found.initiative),
            "people": presentation.people_of(found.initiative),
            "report": presentation.report_address(found.initiative),
        }
        response = page(request, "adoption/public_pages/public_page.html", context, language=language)
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@for_the_unknown
@ALONE
@require_safe
def badge(request: HttpRequest, token: str) -> HttpResponse:
    """Show the reference and the supported stage as a picture, for any site.

    It is in English unless the address asks for another language: the copy kept for a minute is the same for everyone.
    """
    found = presentation.public_initiative(token)
    if found is None:
        return _nothing(request)
    wanted = request.GET.get("lang", "en")
    with translation.override(wanted if wanted in LANGUAGES else "en"):
        context = {"badge": found.badge}
        response = render(
            request, "adoption/public_pages/badge.svg", context, content_type="image/svg+xml; charset=utf-8"
        )
    response["Cache-Control"] = f"public, max-age={SECONDS}"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _nothing(request: HttpRequest) -> HttpResponse:
    template = "adoption/reports/report_nothing.html"
    return page(request, template, {}, language=language_of(request), status=404)
