"""The addresses of the project, and one bare page that the others are measured against."""

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

BARE = """{% extends "base.html" %}{% block main %}<h1>Bare</h1><table>{% for row in rows %}
<tr><td>{{ row.title }}</td><td>{{ row.of_unit }}</td><td>{{ row.stage }}</td></tr>{% endfor %}</table>{% endblock %}"""


def bare(request: HttpRequest) -> HttpResponse:
    """Fifty rows of one join in the base template: what any page of ours costs at the least."""
    from initiatives.models import Initiative

    rows = Initiative.objects.order_by("pk").annotate(of_unit=F("unit__name"))
    shown = rows.values("title", "of_unit", "stage")[:50]
    return HttpResponse(engines["django"].from_string(BARE).render({"rows": shown}, request))


urlpatterns = [path("bare/", bare, name="bare"), path("", include("governance.urls"))]
