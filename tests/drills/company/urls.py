"""The addresses of the project, and one bare page that the others are measured against."""

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

BARE = """{% extends "base.html" %}{% block main %}<h1>Bare</h1><table>{% for row in rows %}
<tr><td>{{ row.title }}</td><td>{{ row.of_unit }}</td><td>{{ row.stage }}</td></tr>{% endfor %}</table>{% endblock %}"""


EMPTY = BARE.replace('{% extends "base.html" %}{% block main %}', "").replace("{% endblock %}", "")


def bare(request: HttpRequest, template: str = BARE) -> HttpResponse:
    """Fifty rows of one join in a template: in the base template what any page of ours costs at the least."""
    from initiatives.models import Initiative

    rows = Initiative.objects.order_by("pk").annotate(of_unit=F("unit__name"))
    shown = rows.values("title", "of_unit", "stage")[:50]
    return HttpResponse(engines["django"].from_string(template).render({"rows": shown}, request))


urlpatterns = [
    path("bare/", bare, name="bare"),
    path("empty/", bare, {"template": EMPTY}, name="empty"),
    path("", include("governance.urls")),
]
