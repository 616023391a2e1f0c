"""Samples of real data of a case: what they hold, what changed from one to the next, what they stand for."""

from dataclasses import asdict

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from governance.permission_result import Conflict
from initiatives.access import case_lookup
from initiatives.access import permissions as case_permissions
from initiatives.cases.case_frame import case_context, mend, one_act, page_of, sent
from initiatives.integration.measurement.coverage import cover, strata_of
from initiatives.integration.measurement.drift import KINDS, SEVERITIES
from initiatives.integration.measurement.wording import share
from initiatives.integration.profiles import actions, drift_effects
from initiatives.integration.profiles.charts import in_time, months_of
from initiatives.integration.profiles.forms import DataSampleForm, PopulationForm
from initiatives.models import Drift, Initiative, Profile

PER_PAGE = 25
STATES = {
    "over": "too many",
    "under": "too few",
    "missing": "missing",
    "fair": "fair",
    "unknown": "not in the whole",
}


def profiles(request, ref):
    """The samples of a case, newest first, and which can be compared."""
    case = case_lookup.case_for(request.user, ref)
    rows = case.profiles.select_related("system", "by").order_by("-taken_on", "-pk")
    context = case_context(request, case, "integration-profiles") | {
        "title": _("Samples of real data"),
        "page": page_of(request, rows, PER_PAGE),
        "pairs": _pairs(case),
        "may_add": case_permissions.may_collaborate(case, request.user),
    }
    return render(request, "initiatives/integration/profiles/profiles.html", context)


def _pairs(case: Initiative) -> list[tuple[Profile, Profile]]:
    """Each measured sample with the one of the same system before it."""
    rows = case.profiles.filter(state="measured").select_related("system").defer("columns", "findings")
    last: dict[int, Profile] = {}
    pairs = []
    for row in rows.order_by("taken_on", "pk"):
        if row.system_id in last:
            pairs.append((last[row.system_id], row))
        last[row.system_id] = row
    return pairs[::-1]


def add(request, ref):
    """Send a sample."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_collaborate(case, request.user).or_refuse()
    form = DataSampleForm(sent(request), request.FILES or None, case=case, again=_failed(request, case))
    return one_act(
        request,
        case,
        form,
        lambda _row: actions.add_profile(case=case, by=request.user, **form.act()),
        _("The sample is being measured; you may leave, the page will say what was found."),
        page="integration-profiles",
        title=_("Send a sample"),
        lede=_(
            "It is measured on this server, in a process of its own. Kept of it is what was measured: shares, "
            "lengths, patterns, the range of numbers and days, and values that many rows have."
        ),
        verb=_("Send it"),
    )


def _failed(request, case: Initiative) -> Profile | None:
    """The sample that could not be measured, and that somebody sends again."""
    key = request.GET.get("again", "")
    rows = case.profiles.filter(state="failed", pk=int(key)) if key.isdecimal() and len(key) < 10 else ()
    return next(iter(rows), None)


def profile(request, pk):
    """One sample: what was found, its columns, and how they changed month by month."""
    row = _profile(request, pk)
    case = row.initiative
    told = [one for one in row.findings if one.get("words")]
    drawn = [months_of(column) for column in row.columns if len(column.get("eras", [])) > 1][:6]
    context = case_context(request, case, "integration-profiles") | {
        "title": row.title,
        "profile": row,
        "found": told,
        "columns": [_shown(column) for column in row.columns],
        "drawn": drawn,
        "running": row.state in ("waiting", "measuring"),
        "may_add": case_permissions.may_collaborate(case, request.user),
    }
    return render(request, "initiatives/integration/profiles/profile.html", context)


def _profile(request, pk) -> Profile:
    rows = Profile.objects.select_related("initiative__unit", "initiative__contract", "system", "by")
    return case_lookup.of_case(rows, request.user, pk)


def _shown(column: dict) -> dict:
    """A column as its line of the table says it."""
    span = ""
    if column.get("min") is not None:
        span = f"{column['min']} to {column['max']}"
    elif column.get("min_length") is not None:
        span = f"{column['min_length']} to {column['max_length']} characters"
    return {
        "name": column["name"],
        "type": column["type"],
        "key": {"key": "key", "nearly": "nearly a key"}.get(column.get("key", ""), ""),
        "blank": share(column["blank_share"]),
        "distinct": f"{column['distinct']:,}",
        "span": span,
        "patterns": [(name, share(column["patterns"][name])) for name in in_time(column)],
    }


def delete_sample(request, pk):
    """Remove a kept sample before its day."""
    row = _profile(request, pk)
    case_permissions.may_collaborate(row.initiative, request.user).or_refuse()
    return one_act(
        request,
        row.initiative,
        _Nothing() if request.method == "POST" else None,
        lambda _row: actions.delete_sample(profile=row, by=request.user),
        _("The sample is removed."),
        page="integration-profiles",
        title=_("Remove the sample"),
        lede=f"{row.file_name}, of {row.title}.",
        happens=[_("The file is removed from this server now."), _("What was measured stays.")],
        verb=_("Remove it"),
    )


class _Nothing:
    """A form without fields: pressing its button is all there is to say."""

    cleaned_data: dict = {}

    def is_valid(self) -> bool:
        return True

    def add_error(self, *_) -> None:
        raise Conflict("The sample is gone already.")


def drift(request, ref, earlier, later):
    """What changed between two samples of a system, what that voids, and the button that confirms it."""
    case = case_lookup.case_for(request.user, ref)
    pair = [get_object_or_404(case.profiles.select_related("system"), pk=pk) for pk in (earlier, later)]
    try:
        drift_effects.check(*pair)
    except ValidationError as wrong:
        raise Http404(" ".join(wrong.messages)) from None
    found = drift_effects.findings(*pair)
    known = Drift.objects.filter(earlier=pair[0], later=pair[1]).select_related("by", "change").first()
    own = case_permissions.visible_to(request.user)
    cases = list(Initiative.objects.filter(pk__in=drift_effects.cases_of(pair[1], request.user)))
    ahead = drift_effects.consequences(pair[0], pair[1], found, cases) if found and not known else None
    may = case_permissions.may_collaborate(case, request.user)
    if request.method == "POST":
        may.or_refuse()
        actions.confirm_drift(
            earlier=pair[0], later=pair[1], seen=request.POST.get("seen", ""), by=request.user
        )
        messages.success(request, _("The drift is confirmed; what rested on the data before is void."))
        return redirect(reverse("integration-drift", args=[case.ref, earlier, later]))
    context = case_context(request, case, "integration-profiles") | {
        "title": f"From {pair[0].title} to {pair[1].title}",
        "earlier": pair[0],
        "later": pair[1],
        "found": [
            one | {"kind": KINDS[one["kind"]], "severity": SEVERITIES[one["severity"]]} for one in found
        ],
        "known": known,
        "ahead": ahead,
        "voided": _voided(
            ahead, cases, set(own.filter(pk__in=[c.pk for c in cases]).values_list("pk", flat=True))
        ),
        "may_confirm": may,
    }
    return render(request, "initiatives/integration/profiles/profile_drift.html", context)


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


def representativeness(request, pk):
    """How much of the whole population a sample stands for, by a column that parts it."""
    row = _profile(request, pk)
    case = row.initiative
    may = case_permissions.may_collaborate(case, request.user)
    form = PopulationForm(sent(request))
    if request.method == "POST":
        may.or_refuse()
        if form.is_valid():
            try:
                actions.set_population(profile=row, by=request.user, **form.cleaned_data)
            except ValidationError as error:
                mend(form, error)
            else:
                messages.success(request, _("The population is described."))
                return redirect(request.get_full_path())
    parted = {column["name"]: column for column in row.columns if column.get("categories")}
    name = request.GET.get("column", "")
    name = name if name in parted else next(iter(parted), "")
    found = None
    if name and row.strata:
        found = cover(row.strata, strata_of(parted[name]), rows=row.rows)
    context = case_context(request, case, "integration-profiles") | {
        "title": f"What {row.title} stands for",
        "profile": row,
        "form": form,
        "parted": list(parted),
        "column": name,
        "cover": found,
        "covered": share(found.covered) if found else "",
        "unspoken": share(found.unspoken) if found and found.unspoken > 0.005 else "",
        "strata": [
            asdict(one)
            | {"population": share(one.population), "sample": share(one.sample), "state": STATES[one.state]}
            for one in (found.strata if found else ())
        ],
        "may_add": may,
    }
    return render(request, "initiatives/integration/profiles/profile_cover.html", context)
