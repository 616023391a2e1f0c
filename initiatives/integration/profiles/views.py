"""Data profiles of an initiative: what the data hold, what changed since the last profile, what that voids."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance.database.rehearsing import not_rehearsed
from initiatives.integration.profiles import actions, drift_effects
from initiatives.integration.profiles.forms import DataProfileForm
from initiatives.lifecycle.access import initiative_lookup, visibility
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, page_of
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.models import Drift, Initiative, Profile

PER_PAGE = 25


def profiles(request, ref):
    """The data profiles of an initiative, newest first."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    rows = initiative.profiles.select_related("system", "by", "drift").order_by("-taken_on", "-pk")
    context = initiative_context(request, initiative, "integration-profiles") | {
        "title": _("Data profiles"),
        "page": page_of(request, rows.defer("columns"), PER_PAGE),
        "may_add": initiative_permissions.may_collaborate(initiative, request.user),
    }
    return render(request, "initiatives/integration/profiles/profiles.html", context)


INITIATIVE_ACTS["add-profile"] = PageStep(
    may=initiative_permissions.may_collaborate,
    act=actions.add_profile,
    form=DataProfileForm,
    with_files=True,
    given=lambda row, request: {"initiative": row},
    page="integration-profiles",
    title=gettext_lazy("Add a data profile"),
    lede=gettext_lazy(
        "Plumbline keeps names of columns, counts, shares, patterns of values and failed checks. No "
        "value and no row of the data is kept."
    ),
    verb=gettext_lazy("Add data profile"),
    done=gettext_lazy("The data profile is added."),
)


@not_rehearsed
def profile(request, pk):
    """One profile: its columns beside the last ones, what changed, and the button that confirms it."""
    rows = Profile.objects.select_related("initiative__unit", "initiative__contract", "system", "by")
    row = initiative_lookup.of_initiative(rows, request.user, pk)
    initiative = row.initiative
    may = initiative_permissions.may_collaborate(initiative, request.user)
    if request.method == "POST":
        may.or_refuse()
        actions.confirm_drift(profile=row, seen=request.POST.get("seen", ""), by=request.user)
        messages.success(
            request,
            _("The changes are confirmed. Evidence that depended on the earlier data no longer counts."),
        )
        return redirect(request.path)
    known = Drift.objects.filter(profile=row).select_related("by", "change").first()
    initiatives = list(Initiative.objects.filter(pk__in=drift_effects.initiatives_of(row, request.user)))
    ahead = drift_effects.consequences(row, initiatives) if row.changes and not known else None
    own = visibility.visible_to(request.user).filter(pk__in=[one.pk for one in initiatives])
    last = actions.last_before(row)
    earlier = {column["name"]: column for column in last.columns} if last else {}
    context = initiative_context(request, initiative, "integration-profiles") | {
        "title": row.data_set,
        "profile": row,
        "last": last,
        "columns": [_shown(column, earlier.get(column["name"], {})) for column in row.columns],
        "known": known,
        "ahead": ahead,
        "voided": _voided(ahead, initiatives, set(own.values_list("pk", flat=True))),
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


def _voided(ahead, initiatives, visible: set[int]) -> list[str]:
    """Sentences on what confirming voids: by initiative and item where one may see the initiative, counted where
    not.
    """
    if ahead is None:
        return []
    told, others = [], 0
    for initiative in initiatives:
        rows = ahead.voidings.get(initiative.pk, [])
        if initiative.pk not in visible:
            others += bool(rows) and not initiative.confidential
            continue
        by_item: dict[str, list[str]] = {}
        for row in rows:
            by_item.setdefault(row.evidence.title, []).append(row.requirement)
        told += [
            f"{initiative.ref}: {title} no longer counts for {', '.join(keys)}."
            for title, keys in by_item.items()
        ]
    if others:
        told.append(
            f"Evidence of {others} initiative{'' if others == 1 else 's'} that you cannot see also no "
            "longer counts."
        )
    return told
