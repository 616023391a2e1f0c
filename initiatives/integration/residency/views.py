"""Pages of residency: the path of each link, vendor terms, policies of units, regions."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, F, Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import User
from governance.permission_result import Answer, Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from initiatives.integration.components.queries import seen_by
from initiatives.integration.remedies import Fixing
from initiatives.integration.residency import actions, findings, permissions, regions, term_effects
from initiatives.integration.residency.actions import bound_of, initiatives_of_unit, initiatives_of_vendor
from initiatives.integration.residency.findings import UNIT, VENDOR, Judged, WhatIf
from initiatives.integration.residency.forms import (
    MoveForm,
    PolicyForm,
    RegionForm,
    VendorForm,
    VendorTermForm,
)
from initiatives.lifecycle.access import initiative_lookup, visibility
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, page_of
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, ROW_ACTS, Frame, PageStep, RowAct
from initiatives.models import Initiative, Region, UnitPolicy, Vendor, VendorTerm

MOST_COMPONENTS = 50  # of a vendor, shown on its page
TONES = {
    findings.FREE: ("unknown: no term on file", "warn"),
    findings.ALLOWED: ("allowed", "ok"),
    findings.UNTOLD: ("region not known", "warn"),
    findings.FORBIDDEN: ("forbidden", "bad"),
    findings.OUTSIDE: ("not one of the allowed regions", "bad"),
    findings.UNKNOWN: ("region not known, so not allowed", "bad"),
}


def _tone(one: Judged) -> tuple[str, str]:
    """Return the answer of a term, or the day to find out a region, in words and tone."""
    if one.due is not None and one.pending:
        return f"region not known, find out by {one.due:%-d %B %Y}", "warn"
    return TONES[one.answer]


# --- An initiative
# ----------------------------------------------------------------------------------------------------------


@require_safe
def of_initiative(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the places of each link's data, and the terms that bind them, with days."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "integration")
    now = context["now"]
    by_link: dict[int, list[Judged]] = {}
    for one in findings.with_days(findings.judge([initiative.pk], unbound=True)):
        by_link.setdefault(one.link, []).append(one)
    fixing = Fixing.read(initiative, context["may"], request.path)
    context |= {
        "title": _("Data residency"),
        "paths": [_path(link, by_link.get(link.pk, []), now, fixing) for link in fixing.links.values()],
        "hold": next((row for row in context["facts"].holds if row.kind == "residency"), None),
    }
    return render(request, "initiatives/integration/residency/residency.html", context)


def _path(link, judged: list[Judged], now, fixing: Fixing) -> dict:
    """Return a link with its current places, what binds them, and where to fix one."""
    places: dict[tuple, list[Judged]] = {}
    for one in judged:
        if one.counts_at(now):
            places.setdefault((one.transfer, one.place), []).append(one)
    return {
        "link": link,
        "transfers": [
            {
                "name": found[0].name,
                "region": found[0].region,
                "allowed": not any(one.forbidden_now for one in found),
                "unknown": not any(one.basis for one in found),
                "why": " ".join(one.why for one in sorted(found, key=_worst) if one.basis),
                "fixes": fixing.of_place(link, found[0].transfer) if any(one.broken for one in found) else [],
            }
            for found in places.values()
        ],
        "terms": [
            {
                "one": one,
                "word": word,
                "tone": tone,
                "starts": one.since > now,
            }
            for one in judged
            if one.basis
            for word, tone in [_tone(one)]
        ],
    }


def _worst(one: Judged) -> bool:
    return not one.broken


# --- Vendors and their terms -----------------------------------------------------------------------------------------


@require_safe
def vendors(request: SignedInRequest) -> HttpResponse:
    """Show every vendor with the number of its current terms."""
    rows = (
        Vendor.objects.shared()
        .annotate(
            current=Count("terms", Q(terms__withdrawn_at__isnull=True), distinct=True),
            listed=Count("systems", Q(systems__retired_at__isnull=True), distinct=True),
            offered=Count("components", Q(components__confirmed_at__isnull=False), distinct=True),
        )
        .order_by("name")
    )
    context = {
        "nav": "systems",
        "page": page_of(request, rows, 50),
        "may_add": permissions.may_add_vendor(request.user),
    }
    return render(request, "initiatives/integration/residency/vendors.html", context)


@require_safe
def vendor(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a vendor: its terms, and their effects in initiatives the person may see."""
    row = found_or_404(Vendor.objects.shared(), pk)
    biting = [
        one
        for one in findings.with_days(findings.judge(initiatives_of_vendor(row)))
        if one.basis == VENDOR and one.broken and one.term
    ]
    terms = list(row.terms.select_related("by", "withdrawn_by").order_by("-starts_on", "-pk"))
    bites = _shown(request.user, _by_initiative(biting))
    today = clock.today()
    context = {
        "nav": "systems",
        "vendor": row,
        "terms": [{"row": term, "state": _state(term, today)} for term in terms],
        "systems": row.systems.current(),
        "components": seen_by(request.user).filter(vendor=row)[:MOST_COMPONENTS],
        "most_components": MOST_COMPONENTS,
        "bites": bites,
        "page": page_of(request, bites["initiatives"], 25),
        "may_file": permissions.may_file_terms(row, request.user),
        "may_confirm": permissions.may_confirm_terms(request.user),
        "may_withdraw": {term.pk for term in terms if permissions.may_withdraw_term(term, request.user)},
    }
    return render(request, "initiatives/integration/residency/vendor.html", context)


def _state(term, today) -> tuple[str, str]:
    """Return the state of a term on a day, in words and a tone."""
    if term.withdrawn_at:
        return "withdrawn", ""
    if term.awaits_confirmation:
        return "filed, not confirmed: no effect yet", "warn"
    if term.starts_on > today:
        return "starts later", "warn"
    if term.ends_on and term.ends_on < today:
        return "over", ""
    return "binds", "ok"


@require_safe
def vendor_move(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the effects of moving a vendor from one region to another. Saves nothing."""
    row = found_or_404(Vendor.objects.shared(), pk)
    told = Initiative.objects.filter(Q(confidential=False) | Q(pk__in=visibility.visible_to(request.user)))
    form, found = MoveForm(request.GET or None, vendor=row, places=findings.regions_of(row, told)), None
    if form.is_valid():
        change = WhatIf(moved=(row.pk, form.cleaned_data["moved_from"], form.cleaned_data["moved_to"]))
        found = told_ahead(request.user, term_effects.look(initiatives_of_vendor(row), change))
    return render(
        request,
        "initiatives/integration/residency/residency_look.html",
        {"nav": "systems", "vendor": row, "form": form, "ahead": found},
    )


# --- Policies of units -----------------------------------------------------------------------------------------------


@require_safe
def policies(request: SignedInRequest) -> HttpResponse:
    """Show every policy of a unit on where its data may be."""
    rows = UnitPolicy.objects.select_related("unit", "by", "withdrawn_by").order_by(
        F("withdrawn_at").asc(nulls_first=True), "unit__path", "-starts_on"
    )
    page, today = page_of(request, rows, 50), clock.today()
    context = {
        "nav": "systems",
        "page": page,
        "policies": [{"row": row, "state": _state(row, today)} for row in page],
        "may_set": permissions.may_set_regions(request.user),
    }
    return render(request, "initiatives/integration/residency/unit_policies.html", context)


# --- Regions ---------------------------------------------------------------------------------------------------------


@require_safe
def region_list(request: SignedInRequest) -> HttpResponse:
    """Show every known region, the regions above it, and where one name belongs."""
    added, asked = findings.added(), request.GET.get("name", "").strip()[:60]
    known = regions.known()
    parts: dict[str, list[tuple[str, str]]] = {}
    for part, said, within in known.values():
        parts.setdefault(within, []).append((part, said))
    context = {
        "nav": "systems",
        "added": [
            row for row in Region.objects.select_related("within") if regions.key_of(row.key) not in known
        ],
        "groups": [
            {"name": name, "words": words, "parts": sorted(parts[key])}
            for key, (name, words, _) in known.items()
            if key in parts
        ],
        "asked": asked,
        "above": [_name(key, added) for key in regions.above(asked, added)[1:]],
        "is_known": regions.key_of(asked) in {*known, *(regions.key_of(key) for key, _ in added)},
        "may_add": permissions.may_set_regions(request.user),
    }
    return render(request, "initiatives/integration/residency/regions.html", context)


def _name(key: str, added: list[tuple[str, str]]) -> str:
    """Return a region as it is written, from its key."""
    known = regions.known()
    return known[key][0] if key in known else next(name for name, _ in added if regions.key_of(name) == key)


# --- What they share -------------------------------------------------------------------------------------------------


def found_or_404(rows, pk: int):
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("This page does not exist.")
    return row


def _by_initiative(found: list[Judged]) -> dict[int, list[Judged]]:
    by_initiative: dict[int, list[Judged]] = {}
    for one in found:
        by_initiative.setdefault(one.initiative, []).append(one)
    return by_initiative


def told_ahead(person, found: term_effects.Ahead) -> dict:
    """Return the effects of a change, as this person may see them."""
    return {
        "held": _shown(person, found.held),
        "stays": _shown(person, found.stays),
        "freed": _shown(person, found.freed),
        "later": _shown(person, found.later),
        "nothing": not found.initiatives,
    }


def _shown(person, by_initiative: dict[int, list[Judged]]) -> dict:
    """Return initiatives that the person may see, with places, and a count of others.

    Confidential initiatives are not counted.
    """
    seen = visibility.visible_to(person).filter(pk__in=by_initiative).order_by("number").distinct()
    initiatives = [{"initiative": initiative, "found": by_initiative[initiative.pk]} for initiative in seen]
    hidden = set(by_initiative) - {row["initiative"].pk for row in initiatives}
    others = Initiative.objects.filter(pk__in=hidden, confidential=False).count() if hidden else 0
    return {"initiatives": initiatives, "others": others}


# --- Acts ------------------------------------------------------------------------------------------------------------

FORM = "initiatives/integration/residency/residency_form.html"
# Everyone signed in sees vendors, terms and policies.
ON_VENDORS = Frame(nav="systems", seen=lambda rows, person: rows, template=FORM)
ON_TERMS = replace(ON_VENDORS, page=lambda row: row.vendor.get_absolute_url())
ON_POLICIES = replace(ON_VENDORS, page=lambda row: reverse("unit-policies"))
WITHDRAWING = gettext_lazy(
    "The text no longer applies, but everyone can still read it. The chair can then lift a hold that the text caused."
)
FILED = gettext_lazy("The term is filed. Initiatives with data in a region that the term forbids get a hold.")
NOT_CONFIRMED = gettext_lazy(
    "The term is filed. The term applies when the security seat, the risk seat or an admin has confirmed it."
)
TERM_LEDE = gettext_lazy(
    "The term applies from its first day, after the security seat, the risk seat or an admin has "
    "confirmed it. Evidence that depends on the vendor's terms must then be given again."
)
POLICY_LEDE = gettext_lazy("The policy applies to the unit and all units below it, for every vendor.")
POLICY_SET = gettext_lazy(
    "The policy is set. Initiatives with data in a region that the policy forbids get a hold."
)
TERMS = VendorTerm.objects.select_related("vendor", "by", "withdrawn_by")
POLICIES = UnitPolicy.objects.select_related("unit", "withdrawn_by")


def _refuse_replaced(row: VendorTerm | UnitPolicy, link: str) -> None:
    """Raise Conflict naming who withdrew or replaced the row, and when, if it is no longer current."""
    if row.withdrawn_at:
        raise Conflict(
            phrase(
                "{} withdrew or replaced {} at {}.",
                row.withdrawn_by or "The system",
                row.reference,
                clock.moment_in_words(row.withdrawn_at),
            ),
            "Open the present version.",
            link,
        )


def _fields_of(row: VendorTerm | UnitPolicy, form: type[forms.Form]) -> dict:
    """Return the initial values of a form from the row."""
    return {name: getattr(row, name) for name in form.base_fields if hasattr(row, name)}


def _ahead(request: SignedInRequest, initiatives: list[int], change: WhatIf) -> dict[str, Any]:
    """Return the effects of a change, to show above a form."""
    return {
        "template": "initiatives/integration/residency/_residency_ahead.html",
        "ahead": told_ahead(request.user, term_effects.look(initiatives, change)),
        "row": None,
    }


def _withdrawn(row: VendorTerm | UnitPolicy) -> str:
    return phrase("{} is withdrawn and no longer applies.", row.reference)


PLAIN_ACTS["add-vendor"] = PageStep(
    frame=ON_VENDORS,
    may=lambda _, person: permissions.may_add_vendor(person),
    act=actions.add_vendor,
    noun="by",
    form=VendorForm,
    title=gettext_lazy("Add a vendor"),
    lede=gettext_lazy("A company whose systems or services initiatives use."),
    back=lambda _: reverse("vendors"),
    after=lambda _, made, person: made.get_absolute_url(),
    context=lambda _, request: {"parent": gettext_lazy("Vendors")},
    verb=gettext_lazy("Add the vendor"),
    done=gettext_lazy("The vendor is added. Now file its contract terms on regions."),
)
PLAIN_ACTS["add-region"] = PageStep(
    frame=ON_VENDORS,
    may=lambda _, person: permissions.may_set_regions(person),
    act=actions.add_region,
    noun="by",
    form=RegionForm,
    given=lambda _, request: {"initial": {"key": request.GET.get("key", "")[:60]}},
    title=gettext_lazy("Add a region"),
    lede=gettext_lazy("You cannot move or remove the region later, because initiatives may depend on it."),
    back=lambda _: reverse("regions"),
    context=lambda _, request: {"parent": gettext_lazy("Regions")},
    verb=gettext_lazy("Add the region"),
    done=gettext_lazy("The region is added."),
)


def _say_filed(request: SignedInRequest, term: VendorTerm) -> None:
    messages.success(request, NOT_CONFIRMED if term.awaits_confirmation else FILED)


def _may_change_term(term: VendorTerm, person: User) -> Answer:
    may = permissions.may_file_terms(term.vendor, person)
    if may:
        _refuse_replaced(term, term.vendor.get_absolute_url())
    return may and permissions.may_withdraw_term(term, person)


def _may_confirm(term: VendorTerm, person: User) -> Answer:
    may = permissions.may_confirm_terms(person)
    if may and not term.awaits_confirmation:
        raise Conflict("This term is confirmed already.")
    return may


ROW_ACTS["vendors/file-term"] = RowAct(
    rows=Vendor.objects.shared(),
    frame=ON_VENDORS,
    may=permissions.may_file_terms,
    act=actions.file_vendor_term,
    noun="vendor",
    form=VendorTermForm,
    given=lambda row, request: {"row": None},
    title=lambda row: phrase("File a term of {}", row),
    lede=TERM_LEDE,
    context=lambda row, request: {"parent": row.name},
    then=_say_filed,
    verb=gettext_lazy("File the term"),
    done="",
)
ROW_ACTS["vendor-terms/change"] = RowAct(
    rows=TERMS,
    frame=ON_TERMS,
    may=_may_change_term,
    act=lambda *, term, by, **fields: actions.file_vendor_term(
        vendor=term.vendor, replaces=term, by=by, **fields
    ),
    noun="term",
    form=VendorTermForm,
    given=lambda row, request: {"initial": _fields_of(row, VendorTermForm)},
    title=lambda row: phrase("Change {} of {}", row.reference, row.vendor),
    lede=TERM_LEDE,
    context=lambda row, request: {"parent": row.vendor.name},
    then=_say_filed,
    verb=gettext_lazy("Change the term"),
    done="",
)
ROW_ACTS["vendor-terms/confirm"] = RowAct(
    rows=VendorTerm.objects.current().select_related("vendor", "by"),
    frame=ON_TERMS,
    may=_may_confirm,
    act=actions.confirm_vendor_term,
    noun="term",
    form=forms.Form,
    title=lambda row: phrase("Confirm {} of {}", row.reference, row.vendor),
    lede=lambda row: phrase(
        "{} filed this term on {}. The term has no effect until someone confirms it.",
        row.by,
        f"{clock.local_day(row.at):%-d %B %Y}",
    ),
    parts=lambda row, request: [
        {"template": "initiatives/integration/residency/_residency_says.html", "row": row, "ahead": None},
        _ahead(request, initiatives_of_vendor(row.vendor), WhatIf(also=bound_of(VENDOR, row))),
    ],
    context=lambda row, request: {"parent": row.vendor.name},
    verb=gettext_lazy("Confirm the term"),
    done=gettext_lazy(
        "The term applies from its first day. Initiatives with data in a region that the term forbids get a hold."
    ),
)
ROW_ACTS["vendor-terms/withdraw"] = RowAct(
    rows=VendorTerm.objects.current().select_related("vendor", "by"),
    frame=ON_TERMS,
    may=permissions.may_withdraw_term,
    act=actions.withdraw_vendor_term,
    noun="term",
    title=lambda row: phrase("Withdraw {} of {}", row.reference, row.vendor),
    lede=WITHDRAWING,
    parts=lambda row, request: [
        _ahead(request, initiatives_of_vendor(row.vendor), WhatIf(without=((VENDOR, row.pk),)))
    ],
    context=lambda row, request: {"parent": row.vendor.name},
    verb=gettext_lazy("Withdraw"),
    danger=True,
    done=_withdrawn,
)


def _may_change_policy(row: UnitPolicy, person: User) -> Answer:
    may = permissions.may_set_regions(person)
    if may:
        _refuse_replaced(row, reverse("unit-policies"))
    return may


PLAIN_ACTS["set-policy"] = PageStep(
    frame=ON_POLICIES,
    may=lambda _, person: permissions.may_set_regions(person),
    act=actions.set_unit_policy,
    noun="by",
    form=PolicyForm,
    given=lambda _, request: {"row": None},
    title=gettext_lazy("Set a policy"),
    lede=POLICY_LEDE,
    context=lambda _, request: {"parent": gettext_lazy("Policies of units")},
    verb=gettext_lazy("Set the policy"),
    done=POLICY_SET,
)
ROW_ACTS["policies/change"] = RowAct(
    rows=POLICIES,
    frame=ON_POLICIES,
    may=_may_change_policy,
    act=lambda *, policy, by, **fields: actions.set_unit_policy(replaces=policy, by=by, **fields),
    noun="policy",
    form=PolicyForm,
    given=lambda row, request: {"initial": _fields_of(row, PolicyForm) | {"unit": row.unit_id}},
    title=lambda row: phrase("Change {} of {}", row.reference, row.unit),
    lede=POLICY_LEDE,
    context=lambda row, request: {"parent": gettext_lazy("Policies of units")},
    verb=gettext_lazy("Change the policy"),
    done=POLICY_SET,
)
ROW_ACTS["policies/withdraw"] = RowAct(
    rows=UnitPolicy.objects.current().select_related("unit"),
    frame=ON_POLICIES,
    may=lambda row, person: permissions.may_set_regions(person),
    act=actions.withdraw_unit_policy,
    noun="policy",
    title=lambda row: phrase("Withdraw {} of {}", row.reference, row.unit),
    lede=WITHDRAWING,
    parts=lambda row, request: [
        _ahead(request, initiatives_of_unit(row.unit), WhatIf(without=((UNIT, row.pk),)))
    ],
    context=lambda row, request: {"parent": gettext_lazy("Policies of units")},
    verb=gettext_lazy("Withdraw"),
    danger=True,
    done=_withdrawn,
)
