"""The portfolio: approved beside supported, as a table, as a board, and as a file."""

from typing import NamedTuple

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.database.replica import reads_replica
from governance.models import Rulebook
from governance.people.boards import seats_held
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.days import keep
from governance.templatetags.plumbline import day
from governance.transparency_log import as_of
from governance.vocabulary import CLOSED_STAGES, RUNNING_STAGES, Stage
from governance.vocabulary.phrases import phrase
from governance.web.middleware import on_any_day
from initiatives.contributions import contributed
from initiatives.lifecycle.access import initiative_lookup, visibility
from initiatives.lifecycle.facts import open_requirements
from initiatives.lifecycle.facts.open_requirements import APPROVED
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.portfolio.initiative_list import actions, filters, portfolio_export
from initiatives.portfolio.initiative_list.portfolio_paging import Listing

PAGE = 25
PER_COLUMN = 25
MOST_OF_AN_ADDRESS = 4000  # letters; what is kept of it is shorter
TESTS = ("governance", "integration", "adoption")


@reads_replica
@on_any_day(initiative_lookup.portfolio_on_any_day)
@require_safe
def portfolio(request: SignedInRequest) -> HttpResponse:
    """Show the filtered initiatives that the person may see. `?view=board` shows columns."""
    rulebook = Rulebook.objects.in_force()
    parsed = rulebook.parsed if rulebook else None
    chosen = chosen_initiatives(request, rulebook)
    listing = Listing(chosen, visibility.visible_to(request.user).own(), rulebook, clock.now())
    board = request.GET.get("view") == "board"
    context = {
        "nav": "portfolio",
        "filter": chosen,
        "filtered": any(request.GET.get(name) for name in chosen.filters),
        "reports": contributed.reports,
        "report": chosen.report_shown,
        "totals": {"all": listing.total, "short": listing.short},
        "view": "board" if board else "table",
        "all_url": reverse("portfolio") + ("?view=board" if board else ""),
        "may_look_back": as_of.current() is None
        and (request.user.is_auditor or bool(seats_held(request.user))),
    }
    context |= {"shown_filter": "", "saved_views": []}
    if as_of.current() is None:
        context["shown_filter"] = actions.filter_of(request.GET)
        context["saved_views"] = list(request.user.saved_views.all())
    if board:
        context["columns"] = _columns(listing, parsed)
    else:
        context["page"] = page_of(request, listing, PAGE)
        context["rows"] = _rows(context["page"])
    template = (
        "initiatives/portfolio/portfolio_board.html" if board else "initiatives/portfolio/portfolio.html"
    )
    return render(request, template, context)


@reads_replica
@require_safe
def export(request: SignedInRequest, ending: str) -> HttpResponse:
    """Return the same initiatives as a file: streamed CSV, or a workbook."""
    rulebook = Rulebook.objects.in_force()
    initiatives = filters.with_details(chosen_initiatives(request, rulebook).qs, rulebook)
    initiatives = filters.with_people(filters.with_contract(initiatives, clock.now()))
    of = request.GET.urlencode() or "all initiatives"
    write = portfolio_export.portfolio if ending == "csv" else portfolio_export.portfolio_workbook
    return write(initiatives, rulebook.parsed if rulebook else None, of=of, by=request.user)


@require_POST
def save_view(request: SignedInRequest) -> HttpResponse:
    """Save the active filter under a name."""
    query = QueryDict(request.POST.get("query", "")[:MOST_OF_AN_ADDRESS])
    try:
        view = actions.save_view(name=request.POST.get("name", ""), query=query, by=request.user)
    except ValidationError as wrong:
        messages.error(request, phrase("Not saved: {}", " ".join(wrong.messages)).in_language())
        return redirect(f"{reverse('portfolio')}?{actions.filter_of(query)}")
    messages.success(request, phrase("Saved as “{}”.", view).in_language())
    return redirect(view)


@require_POST
def delete_view(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a saved view of the person. Raises Http404 for one of someone else."""
    view = get_object_or_404(request.user.saved_views, pk=pk)
    actions.delete_view(view=view, by=request.user)
    messages.success(
        request, phrase("The saved view “{}” is deleted. No initiative has changed.", view).in_language()
    )
    return redirect("portfolio")


def chosen_initiatives(request: SignedInRequest, rulebook: Rulebook | None) -> filters.PortfolioFilter:
    """Return the filter of the address over the initiatives that the person may see."""
    seen = filters.with_support(visibility.visible_to(request.user), rulebook, clock.now())
    return filters.PortfolioFilter(request.GET, queryset=seen, request=request)


class Told(NamedTuple):
    """The approved and the supported stage of a row. Equal cells are drawn once (`alike`)."""

    stage: str
    imported: bool
    known: bool
    supported: str | None
    label: str
    unsupported_stages: int
    held: bool
    tests: tuple[str | None, ...]
    without: str

    @property
    def tone(self) -> str:
        """Return the colour of a stage that evidence does not support. An imported stage is not judged."""
        if self.imported or not self.unsupported_stages:
            return ""
        return "bad" if self.unsupported_stages > 1 else "warn"


def _told(initiative) -> Told:
    known = initiative.supported != "recomputing"
    asked = initiative.stage in (Stage.MVP, Stage.PRODUCTION) and known
    return Told(
        stage=initiative.stage,
        imported=initiative.imported,
        known=known,
        supported=initiative.supported if known and initiative.supported != Stage.PROPOSED else None,
        label=initiative.label,
        unsupported_stages=initiative.unsupported_stages,
        held=initiative.held,
        tests=tuple(getattr(initiative, name) if asked else None for name in TESTS),
        without=portfolio_export.runs_without_words(initiative) if known else "",
    )


def _card(initiative) -> dict:
    """Return the fields of a card on the board, fewer than of a row."""
    return {
        "title": initiative.title,
        "link": keep(initiative.get_absolute_url()),
        "ref": initiative.ref,
        "told": _told(initiative),
        "owner": portfolio_export.owner_words(initiative),
        "vacant": initiative.owner_name is None
        and initiative.ever_owned
        and initiative.stage in RUNNING_STAGES,
    }


def _row(initiative, now, today) -> dict:
    known = initiative.supported != "recomputing"
    return _card(initiative) | {
        "withdrawn": initiative.withdrawn_at is not None,
        "open": open_requirements.total(initiative.open_requirements, APPROVED) if known else 0,
        "unit": initiative.unit_name,
        "stay": _days((now - initiative.since).days),
        "due": day(initiative.next_due),
        "late": initiative.next_due is not None and initiative.next_due < today,
    }


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def _rows(initiatives) -> list[dict]:
    now, today = clock.now(), clock.today()
    return [_row(initiative, now, today) for initiative in initiatives]


def _columns(listing: Listing, parsed) -> list[dict]:
    """Return a column per running stage with first initiatives, and closed counts."""
    counts = listing.by_stage()
    heads = listing.heads(RUNNING_STAGES, PER_COLUMN)
    columns = [
        {
            "stage": stage,
            "goal": portfolio_export.goal_of(parsed, stage),
            "count": counts.get(stage, 0),
            "more": counts.get(stage, 0) - len(heads.get(stage, [])),
            "rows": [_card(initiative) for initiative in heads.get(stage, [])],
        }
        for stage in RUNNING_STAGES
    ]
    closed = [(stage, Stage(stage).label, counts[stage]) for stage in CLOSED_STAGES if counts.get(stage)]
    return [*columns, {"stage": "", "closed": closed}] if closed else columns
