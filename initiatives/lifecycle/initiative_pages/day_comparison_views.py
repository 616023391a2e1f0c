"""Two days of an initiative side by side, and the number of equal lines."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance.transparency_log import as_of
from governance.web.middleware import read_of
from governance.web.pages.as_of_views import CannotBeShown, Day, cannot_be_shown, latest
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative_pages.past_views import Then, differences, then_of


@require_safe
def compare(request, ref):
    """Show the initiative at the end of the days `one` and `other`. The default is the sealed audit log."""
    opened = initiative_lookup.initiative_on_any_day(request.user, ref)
    initiative, known = opened.initiative, as_of.known_until()
    context = {
        "nav": "portfolio",
        "initiative": initiative,
        "one": request.GET.get("one", ""),
        "latest": latest(),
    }
    if not context["one"]:
        return render(
            request,
            "initiatives/initiative_pages/compare.html",
            context | {"other": request.GET.get("other", "")},
        )
    try:
        newest = context["latest"].asked if context["latest"] else ""
        days = [Day.read(context["one"]), Day.read(request.GET.get("other") or newest)]
        days = sorted((one.can_be_shown(known) for one in days), key=lambda one: one.moment)
    except CannotBeShown as trouble:
        return cannot_be_shown(request, str(trouble))
    read_of(request.user, initiative, page="initiative-compare", as_of=days[0].asked, and_of=days[1].asked)
    before, after = (_then(initiative.number, one, opened) for one in days)
    context |= {
        "one": days[0].asked,
        "other": days[1].asked,
        "days": days,
        "absent": [one.words for one, then in zip(days, (before, after), strict=True) if then is None],
    }
    if before is not None and after is not None:
        found = differences(before, after)
        context |= {
            "sections": [section for section in found if section.lines],
            "same": [section for section in found if section.same],
        }
    return render(request, "initiatives/initiative_pages/compare.html", context)


def _then(number: int, one: Day, opened) -> Then | None:
    with as_of.day(one.moment, opened=opened):
        return then_of(number)
