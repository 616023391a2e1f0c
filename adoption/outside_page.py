"""Shared parts of the pages for people outside: surveys and problem reports. No sign-in, two languages."""

from collections.abc import Callable
from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from adoption.models.surveys import LANGUAGES

# What such a page may load is its style sheet. It runs nothing, and sends to itself alone.
ALONE: Callable[[Any], Any] = csp(
    {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
)


def language_of(request: HttpRequest, begins: str = "") -> str:
    """Return the language that the reader switched to. Else `begins`, else the browser's language."""
    wanted = request.POST.get("lang") or request.GET.get("lang") or begins
    return wanted if wanted in LANGUAGES else translation.get_language_from_request(request)


def page(
    request: HttpRequest, template: str, context: dict, *, language: str, status: int = 200
) -> HttpResponse:
    """Return the page in this language. Its address is or was a secret, so the log omits it."""
    with translation.override(language):
        context = context | {"language": language, "languages": LANGUAGES}
        response = render(request, template, context, status=status)
    response._has_been_logged = True
    return response
