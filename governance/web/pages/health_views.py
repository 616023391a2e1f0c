"""Endpoints for load balancers, `manage.py run` and Prometheus: `/healthz`, `/readyz` and `/metrics`."""

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from governance.operations import metrics as figures
from governance.operations import readiness, versions
from governance.web.middleware import for_machines


@for_machines
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Return 200 as long as the process answers. It asks no other part."""
    return HttpResponse("ok", content_type="text/plain")


@for_machines
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 if all needs are met, else 503, with words for each unmet need.

    Without the queue everything but the tasks goes on, so a queue that is away is only named. The versions are those of
    the code.
    """
    ready, state = readiness.ready()
    told = {"ready": ready, "version": settings.VERSION, "schema": versions.schema()}
    return JsonResponse(told | state, status=200 if ready else 503)


@for_machines
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all figures for Prometheus if the request has PLUMBLINE_METRICS_TOKEN. Without that setting: 404."""
    if not settings.METRICS_TOKEN:
        raise Http404
    sent = request.META.get("HTTP_AUTHORIZATION", "")
    if not hmac.compare_digest(sent.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        words = "Send the header Authorization: Bearer, with the token in PLUMBLINE_METRICS_TOKEN.\n"
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse(words, content_type="text/plain", status=401, headers=headers)
    return HttpResponse(figures.text(), content_type=CONTENT_TYPE_LATEST)
