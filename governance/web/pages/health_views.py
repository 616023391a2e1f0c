"""Health endpoints for load balancers and `manage.py run`: `/healthz` and `/readyz`."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance.operations import readiness
from governance.web.middleware import for_machines


@for_machines
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; asks nothing of anybody else."""
    return HttpResponse("ok", content_type="text/plain")


@for_machines
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when all that is needed is in order, else 503; says in words what each lacks.

    Without the queue everything but the tasks goes on: it is named as away, and nothing more.
    """
    ready, state = readiness.ready()
    return JsonResponse({"ready": ready} | state, status=200 if ready else 503)
