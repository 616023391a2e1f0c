"""Data profiles of an initiative: what the data hold, what changed since the last profile, what that voids."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from initiatives.access import case_lookup
from initiatives.access import permissions as case_permissions
from initiatives.cases.case_frame import case_context, one_act, page_of, sent
from initiatives.integration.profiles import actions, drift_effects
from initiatives.integration.profiles.forms import DataProfileForm
from initiatives.models import Drift, Initiative, Profile

PER_PAGE = 25


def profiles(request, ref):
    """The data profiles of a case, newest first."""
    case = case_lookup.case_for(request.user, ref)
    rows = case.profiles.select_related("system", "by", "drift").order_by("-taken_on", "-pk")
    context = case_context(request, case, "integration-profiles") | {
        "title": _("Data profiles"),
        "page": page_of(request, rows.defer("columns"), PER_PAGE),
        "may_add": case_permissions.may_collaborate(case, request.user),
    }
    return render(request, "initiatives/integration/profiles/profiles.html", context)


def add(request, ref):
    """Send a profile."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_collaborate(case, request.user).or_refuse()
    form = DataProfileForm(sent(request), request.FILES or None, case=case)
    return one_act(
        request,
        case,
        form,
        lambda _row: actions.add_profile(case=case, by=request.user, **form.act()),
        _("The data profile is added."),
        page="integration-profiles",
        title=_("Add a data profile"),
        lede=_(
            "Plumbline keeps names of columns, counts, shares, patterns of values and failed checks. It keeps no value "
            "and no row of the data."
        ),
        verb=_("Add data profile"),
    )


def profile(request, pk):
    """One profile: its columns beside the last ones, what changed, and the button that confirms it."""
    rows = Profile.objects.select_related("initiative__unit", "initiative__contract", "system", "by")
    row = case_lookup.of_case(rows, request.user, pk)
    case = row.initiative
    may = case_permissions.may_collaborate(case, request.user)
    if request.method == "POST":
        may.or_refuse()
        actions.confirm_drift(profile=row, seen=request.POST.get("seen", ""), by=request.user)
        messages.success(request, _("The changes are confirmed. What rested on the data before is void."))
        return redirect(request.path)
    known = Drift.objects.filter(profile=row).select_related("by", "change").first()
    cases = list(Initiative.objects.filter(pk__in=drift_effects.cases_of(row, request.user)))
    ahead = drift_effects.consequences(row, cases) if row.changes and not known else None
    own = case_permissions.visible_to(request.user).filter(pk__in=[one.pk for one in cases])
    last = actions.last_before(row)
    earlier = {column["name"]: column for column in last.columns} if last else {}
    context = case_context(request, case, "integration-profiles") | {
        "title": row.data_set,
        "profile": row,
        "last": last,
        "columns": [_shown(column, earlier.get(column["name"], {})) for column in row.columns],
        "known": known,
        "ahead": ahead,
        "voided": _voided(ahead, cases, set(own.values_list("pk", flat=True))),
        "may_confirm": may,
    }
    return render(request, "initiatives/integration/profiles/profile.html", context)


def _shown(column: dict, earlier: dict) -> dict:
    """A column as its line of the table shows it, beside the same column of the last profile."""
    shown = {"name": column["name"], "type": column["type"]}
    for key, write in (("missing", _share), ("distinct", "{:,}".format)):
        now, then = (write(one[key]) if key in one else "" for one in (column, earlier))
        shown[key], shown[f"{key}_before"] = now, then if then != now else ""
    patterns = column.get("patterns", {})
    return shown | {"patterns": [(name, _share(part)) for name, part in patterns.items()]}


def _share(value: float) -> str:
    return "under 0.1 %" if 0 < value < 0.001 else f"{value * 100:.1f}".removesuffix(".0") + " %"


def _voided(ahead, cases, visible: set[int]) -> list[str]:
    """Sentences on what confirming voids: by case and item where one may see the case, counted where not."""
    if ahead is None:
        return []
    told, others = [], 0
    for case in cases:
        rows = ahead.voidings.get(case.pk, [])
        if case.pk not in visible:
            others += bool(rows) and not case.confidential
            continue
        by_item: dict[str, list[str]] = {}
        for row in rows:
            by_item.setdefault(row.evidence.title, []).append(row.requirement)
        told += [
            f"{case.ref}: {title} no longer counts for {', '.join(keys)}." for title, keys in by_item.items()
        ]
    if others:
        told.append(f"Evidence of {others} initiative{'' if others == 1 else 's'} you do not see.")
    return told
