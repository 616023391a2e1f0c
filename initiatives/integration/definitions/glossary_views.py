"""Pages of the glossary: every term, its definitions by system, and their history."""

from collections.abc import Iterable
from itertools import groupby

from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.integration.definitions import actions, permissions
from initiatives.integration.definitions.actions import LONGEST_NAME
from initiatives.integration.definitions.forms import TermForm
from initiatives.integration.definitions.views import ON_GLOSSARY, TERMS_ON_A_PAGE, all_said, all_stated
from initiatives.integration.systems.permissions import changed_by
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, PageStep
from initiatives.models import DefinitionConflict, Term, TermDefinition, TermUse
from initiatives.models.integration.definitions import GONE, OPEN, UNDECIDED


@require_safe
def glossary(request: SignedInRequest) -> HttpResponse:
    """Show every term, with the number of systems that define it."""
    wanted = request.GET.get("q", "").strip()[:80]
    current = Q(definitions__withdrawn_at__isnull=True, definitions__system__retired_at__isnull=True)
    terms = Term.objects.annotate(systems=Count("definitions__system", filter=current, distinct=True))
    if wanted:
        terms = terms.filter(Q(name__icontains=wanted) | Q(meaning__icontains=wanted))
    context = {
        "nav": "systems",
        "q": wanted,
        "may_name": permissions.may_name_terms(request.user),
        "page": page_of(request, terms.order_by("name"), TERMS_ON_A_PAGE),
    }
    return render(request, "initiatives/integration/definitions/glossary.html", context)


@require_safe
def term(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one term: its definitions by system, their rows, history and conflicts."""
    row = Term.objects.filter(pk=pk).first()
    if row is None:
        raise Http404("This term does not exist.")
    said = list(
        row.definitions.select_related("system__owner", "withdrawn_by").order_by("system__name", "pk")
    )
    for one in said:
        one.stated = all_stated(one)
    by_system = [
        (system, list(rows))
        for system, rows in groupby((one for one in said if not one.withdrawn_at), key=lambda one: one.system)
    ]
    about = DefinitionConflict.objects.filter(Q(one__term=row) | Q(other__term=row)).exclude(status=GONE)
    hidden = about.filter(initiative__confidential=True).exclude(
        initiative__in=visibility.visible_to(request.user)
    )
    disputed = about.exclude(pk__in=hidden.values("pk")).aggregate(
        conflicts=Count("pk", filter=Q(status=OPEN)), undecided=Count("pk", filter=Q(status=UNDECIDED))
    )
    seen = visibility.visible_to(request.user).filter(term_uses__term=row, term_uses__ended_at__isnull=True)
    all_uses = TermUse.objects.filter(term=row, ended_at__isnull=True, initiative__confidential=False)
    context = {
        "nav": "systems",
        "row": row,
        "by_system": by_system,
        "history": list(_history(said)),
        **disputed,
        "initiatives": list(seen.order_by("number").distinct()),
        "others": all_uses.exclude(initiative__in=seen).count(),
        "mine": changed_by(request.user, [system for system, _ in by_system]),
        "may_name": permissions.may_name_terms(request.user),
    }
    return render(request, "initiatives/integration/definitions/glossary_term.html", context)


def _history(said: list[TermDefinition]) -> Iterable[dict]:
    """Yield the changes of definitions, newest first: when, who, and the new text."""
    model = TermDefinition.history.model
    rows = model.objects.filter(id__in=[one.pk for one in said]).order_by("-history_date", "-history_id")[
        :100
    ]
    systems = {one.system_id: one.system for one in said}
    for old in rows:
        yield {
            "at": old.history_date,
            "who": old.history_user_name,
            "system": systems[old.system_id],
            "field": old.field,
            "said": all_said(old),
            "withdrawn": old.withdrawn_reason if old.withdrawn_at else "",
        }


PLAIN_ACTS["name-term"] = PageStep(
    frame=ON_GLOSSARY,
    may=lambda _, person: permissions.may_name_terms(person),
    act=actions.name_term,
    noun="by",
    form=TermForm,
    given=lambda _, request: {"row": None, "initial": {"name": request.GET.get("name", "")[:LONGEST_NAME]}},
    title=_("Add a business term"),
    back=lambda _: reverse("glossary"),
    verb=_("Add the term"),
    done=_("The term is in the glossary. Initiatives can use it now."),
)
