"""Pages of residency: the path of each link, vendor terms, policies of units, regions."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, F, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance import clock
from governance.runtime.signed_in_request import SignedInRequest
from governance.web.form_fields import ReasonForm
from initiatives.integration.components.queries import seen_by
from initiatives.integration.proposals import permissions as proposal_permissions
from initiatives.integration.proposals.actions import aimed
from initiatives.integration.remedies import Fixing
from initiatives.integration.residency import actions, findings, permissions, preview, regions
from initiatives.integration.residency.actions import (
    check_term,
    initiatives_in,
    initiatives_of_unit,
    initiatives_of_vendor,
)
from initiatives.integration.residency.findings import UNIT, VENDOR, Judged, WhatIf
from initiatives.integration.residency.forms import (
    MoveForm,
    PolicyForm,
    RegionForm,
    VendorForm,
    VendorTermForm,
)
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import acted, fix, initiative_context, page_of, sent
from initiatives.models import Initiative, Region, UnitPolicy, Vendor, VendorTerm

MOST_COMPONENTS = 50  # of a vendor, shown on its page
TONES = {
    findings.FREE: ("unknown: no term on file", "warn"),
    findings.ALLOWED: ("allowed", "ok"),
    findings.UNTOLD: ("region not known", "warn"),
    findings.FORBIDDEN: ("forbidden", "bad"),
    findings.OUTSIDE: ("not among the allowed", "bad"),
    findings.UNKNOWN: ("region not known, so not allowed", "bad"),
}


# --- An initiative
# ----------------------------------------------------------------------------------------------------------


@require_safe
def of_initiative(request: SignedInRequest, ref: str) -> HttpResponse:
    """Where the data of each link go, which terms bind them there, since when and until when."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "integration")
    now = context["now"]
    by_link: dict[int, list[Judged]] = {}
    for one in findings.judge([initiative.pk], unbound=True):
        by_link.setdefault(one.link, []).append(one)
    fixing = Fixing.read(initiative, context["may"], request.path)
    context |= {
        "title": _("Data residency"),
        "paths": [_path(link, by_link.get(link.pk, []), now, fixing) for link in fixing.links.values()],
        "hold": next((row for row in context["facts"].holds if row.kind == "residency"), None),
    }
    return render(request, "initiatives/integration/residency/residency.html", context)


def _path(link, judged: list[Judged], now, fixing: Fixing) -> dict:
    """A link, the places that its data pass now, what binds them there, and where one that must not be is changed."""
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
                "allowed": not any(one.broken for one in found),
                "unknown": not any(one.basis for one in found),
                "why": " ".join(one.why for one in sorted(found, key=_worst) if one.basis),
                "fixes": fixing.of_place(link, found[0].transfer) if any(one.broken for one in found) else [],
            }
            for found in places.values()
        ],
        "terms": [
            {
                "one": one,
                "word": TONES[one.answer][0],
                "tone": TONES[one.answer][1],
                "starts": one.since > now,
            }
            for one in judged
            if one.basis
        ],
    }


def _worst(one: Judged) -> bool:
    return not one.broken


# --- Vendors and their terms -----------------------------------------------------------------------------------------


@require_safe
def vendors(request: SignedInRequest) -> HttpResponse:
    """Every vendor with how many of its terms stand."""
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
    """A vendor: its terms, and where they bite among the initiatives that one may see."""
    row = found_or_404(Vendor.objects.shared(), pk)
    biting = [
        one
        for one in findings.judge(initiatives_of_vendor(row))
        if one.basis == VENDOR and one.broken and one.term
    ]
    terms = list(row.terms.select_related("by", "withdrawn_by").order_by("-starts_on", "-pk"))
    bites = _shown(request.user, _by_initiative(biting))
    today = clock.today()
    may_file = permissions.may_file_terms(row, request.user)
    context = {
        "nav": "systems",
        "vendor": row,
        "terms": [{"row": term, "state": _state(term, today)} for term in terms],
        "systems": row.systems.current(),
        "components": seen_by(request.user).filter(vendor=row)[:MOST_COMPONENTS],
        "most_components": MOST_COMPONENTS,
        "bites": bites,
        "page": page_of(request, bites["initiatives"], 25),
        "may_file": may_file,
        "may_propose": not may_file
        and proposal_permissions.may_propose(aimed("vendor_term_filed", row), request.user),
        "may_confirm": permissions.may_confirm_terms(request.user),
        "may_withdraw": {term.pk for term in terms if permissions.may_withdraw_term(term, request.user)},
    }
    return render(request, "initiatives/integration/residency/vendor.html", context)


def _state(term, today) -> tuple[str, str]:
    """Whether a term binds on a day, in words and a tone."""
    if term.withdrawn_at:
        return "withdrawn", ""
    if term.awaits_confirmation:
        return "filed, not confirmed: binds nobody", "warn"
    if term.starts_on > today:
        return "to come", "warn"
    if term.ends_on and term.ends_on < today:
        return "over", ""
    return "binds", "ok"


def vendor_add(request: SignedInRequest) -> HttpResponse:
    """List a vendor."""
    permissions.may_add_vendor(request.user).or_refuse()
    form = VendorForm(sent(request))
    return one_act(
        request,
        form,
        save=lambda: actions.add_vendor(by=request.user, **form.cleaned_data),
        done="The vendor is listed. File what its contract says of regions.",
        to_made=True,
        back=reverse("vendors"),
        parent="Vendors",
        title=_("List a vendor"),
        lede=_("A company whose systems or services initiatives use."),
        verb=_("List it"),
    )


def term_change(request: SignedInRequest, pk: int) -> HttpResponse:
    """File a term anew in the place of one."""
    term = found_or_404(VendorTerm.objects.current().select_related("vendor", "by"), pk)
    permissions.may_withdraw_term(term, request.user).or_refuse()
    permissions.may_file_terms(term.vendor, request.user).or_refuse()
    return term_form(
        request, term.vendor, term, title=f"Change {term.reference} of {term.vendor}", verb=_("Change it")
    )


def term_form(request, of: Vendor, replaces: VendorTerm | None, **page) -> HttpResponse:
    form = VendorTermForm(sent(request), initial=_fields_of(replaces, VendorTermForm))

    def look():
        fields = form.bound()
        bound = check_term(VENDOR, of.pk, kind=form.cleaned_data["kind"], **fields)
        without = ((VENDOR, replaces.pk),) if replaces else ()
        return preview.look(initiatives_of_vendor(of), WhatIf(also=bound, without=without))

    return one_act(
        request,
        form,
        look=look,
        save=lambda: actions.file_vendor_term(
            vendor=of, kind=form.cleaned_data["kind"], replaces=replaces, by=request.user, **form.bound()
        ),
        done="The term is filed. Every initiative that it forbids something is held."
        if permissions.may_confirm_terms(request.user)
        else "The term is filed. It binds once a seat for security or risk, or an admin, confirms it.",
        back=of.get_absolute_url(),
        parent=of.name,
        lede=_(
            "It binds from its first day, once a seat for security or risk, or an admin, stands behind it. "
            "Evidence that "
            "rests on the vendor's terms has to be given again."
        ),
        **page,
    )


def term_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a term back."""
    term = found_or_404(VendorTerm.objects.current().select_related("vendor", "by"), pk)
    permissions.may_withdraw_term(term, request.user).or_refuse()
    return _withdrawing(
        request,
        term,
        WhatIf(without=((VENDOR, term.pk),)),
        initiatives_of_vendor(term.vendor),
        save=lambda reason: actions.withdraw_vendor_term(term=term, reason=reason, by=request.user),
        back=term.vendor.get_absolute_url(),
        parent=term.vendor.name,
        title=f"Withdraw {term.reference} of {term.vendor}",
    )


@require_safe
def vendor_move(request: SignedInRequest, pk: int) -> HttpResponse:
    """What would come of it if the vendor moved all that it runs in one region to another: looked at, never saved."""
    row = found_or_404(Vendor.objects.shared(), pk)
    told = Initiative.objects.filter(
        Q(confidential=False) | Q(pk__in=initiative_permissions.visible_to(request.user))
    )
    form, found = MoveForm(request.GET or None, vendor=row, places=findings.regions_of(row, told)), None
    if form.is_valid():
        what_if = WhatIf(moved=(row.pk, form.cleaned_data["moved_from"], form.cleaned_data["moved_to"]))
        found = told_ahead(request.user, preview.look(initiatives_of_vendor(row), what_if))
    return render(
        request,
        "initiatives/integration/residency/residency_look.html",
        {"nav": "systems", "vendor": row, "form": form, "ahead": found},
    )


# --- Policies of units -----------------------------------------------------------------------------------------------


@require_safe
def policies(request: SignedInRequest) -> HttpResponse:
    """Every policy of a unit on where its data may be."""
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


def policy_add(request: SignedInRequest) -> HttpResponse:
    """Set a policy of a unit."""
    return _policy(request, None, title=_("Set a policy"), verb=_("Set it"))


def policy_change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Set a policy anew in the place of one."""
    row = found_or_404(UnitPolicy.objects.current().select_related("unit"), pk)
    return _policy(request, row, title=f"Change {row.reference} of {row.unit}", verb=_("Change it"))


def _policy(request, replaces: UnitPolicy | None, **page) -> HttpResponse:
    permissions.may_set_regions(request.user).or_refuse()
    initial = _fields_of(replaces, PolicyForm) | ({"unit": replaces.unit_id} if replaces else {})
    form = PolicyForm(sent(request), initial=initial)

    def look():
        unit = form.cleaned_data["unit"]
        bound = check_term(UNIT, unit.pk, **form.bound())
        keys = {*initiatives_of_unit(unit), *(initiatives_of_unit(replaces.unit) if replaces else ())}
        without = ((UNIT, replaces.pk),) if replaces else ()
        return preview.look(keys, WhatIf(also=bound, without=without))

    return one_act(
        request,
        form,
        look=look,
        save=lambda: actions.set_unit_policy(
            unit=form.cleaned_data["unit"], replaces=replaces, by=request.user, **form.bound()
        ),
        done="The policy is set. Every initiative that it forbids something is held.",
        back=reverse("unit-policies"),
        parent="Policies of units",
        lede=_("It binds the unit and all below it, whoever runs the place."),
        **page,
    )


def policy_withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a policy back."""
    row = found_or_404(UnitPolicy.objects.current().select_related("unit"), pk)
    permissions.may_set_regions(request.user).or_refuse()
    return _withdrawing(
        request,
        row,
        WhatIf(without=((UNIT, row.pk),)),
        initiatives_of_unit(row.unit),
        save=lambda reason: actions.withdraw_unit_policy(policy=row, reason=reason, by=request.user),
        back=reverse("unit-policies"),
        parent="Policies of units",
        title=f"Withdraw {row.reference} of {row.unit}",
    )


# --- Regions ---------------------------------------------------------------------------------------------------------


@require_safe
def region_list(request: SignedInRequest) -> HttpResponse:
    """Every region that is known, what it lies within, and where one name lies."""
    added, asked = findings.added(), request.GET.get("name", "").strip()[:60]
    known = regions.known()
    context = {
        "nav": "systems",
        "added": [
            row for row in Region.objects.select_related("within") if regions.key_of(row.key) not in known
        ],
        "groups": [
            {
                "name": name,
                "words": words,
                "parts": sorted((part, said) for part, said, within in known.values() if within == key),
            }
            for key, (name, words, _) in known.items()
            if any(within == key for _, _, within in known.values())
        ],
        "asked": asked,
        "above": [_name(key, added) for key in regions.above(asked, added)[1:]],
        "is_known": regions.key_of(asked) in {*known, *(regions.key_of(key) for key, _ in added)},
        "may_add": permissions.may_set_regions(request.user),
    }
    return render(request, "initiatives/integration/residency/regions.html", context)


def _name(key: str, added: list[tuple[str, str]]) -> str:
    """A region as it is written, from its key."""
    known = regions.known()
    return known[key][0] if key in known else next(name for name, _ in added if regions.key_of(name) == key)


def region_add(request: SignedInRequest) -> HttpResponse:
    """Add a region; who looks first sees which initiatives it holds or frees."""
    permissions.may_set_regions(request.user).or_refuse()
    form = RegionForm(sent(request), initial={"key": request.GET.get("key", "")[:60]})
    return one_act(
        request,
        form,
        look=lambda: preview.look(
            initiatives_in(form.cleaned_data["key"]),
            WhatIf(added=(form.cleaned_data["key"], form.cleaned_data["within"])),
        ),
        save=lambda: actions.add_region(by=request.user, **form.cleaned_data),
        done="The region is known from now on.",
        back=reverse("regions"),
        parent="Regions",
        title=_("Add a region"),
        lede=_("It stays where you put it: initiatives may rest on it from now on."),
        verb=_("Add it"),
    )


# --- What they share -------------------------------------------------------------------------------------------------


def found_or_404(rows, pk: int):
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404("No such thing.")
    return row


def _fields_of(row, form) -> dict:
    """What a form begins with: what the row says, or nothing."""
    if row is None:
        return {}
    return {name: getattr(row, name) for name in form.base_fields if hasattr(row, name)}


def one_act(
    request, form, *, save, done: str, back: str, look=None, to_made: bool = False, **page
) -> HttpResponse:
    """A form that shows, where it is asked to, which initiatives it would hold or free, before it is saved.

    It leads `back`, which bears the name `parent`; `to_made`: to the page of what was made instead.
    """
    found = None
    if request.method == "POST" and form.is_valid():
        try:
            if look is not None and request.POST.get("step") == "look":
                found = told_ahead(request.user, look())
            else:
                made = save()
                if done:
                    messages.success(request, done)
                return redirect(made.get_absolute_url() if to_made else back)
        except ValidationError as error:
            fix(form, error)
    return page_with(request, form, found, back=back, two_steps=look is not None, **page)


def _withdrawing(
    request, row, what_if: WhatIf, initiatives: list[int], *, save, back: str, parent: str, title: str
) -> HttpResponse:
    """The reason for taking back a term, beside what would come of it."""
    form = ReasonForm(sent(request))
    if acted(request, form, lambda: save(form.cleaned_data["reason"])):
        messages.success(request, _("It is withdrawn and binds nobody from now on."))
        return redirect(back)
    return page_with(
        request,
        form,
        told_ahead(request.user, preview.look(initiatives, what_if)),
        back=back,
        parent=parent,
        two_steps=False,
        title=title,
        lede=_(
            "It binds nobody from now on, and stays to be read. A hold that it caused is then lifted by the chair."
        ),
        verb=_("Withdraw it"),
        danger=True,
    )


def page_with(request, form, found, *, back: str, **page) -> HttpResponse:
    context = {"nav": "systems", "form": form, "ahead": found, "back_url": back} | page
    return render(request, "initiatives/integration/residency/residency_form.html", context)


def _by_initiative(found: list[Judged]) -> dict[int, list[Judged]]:
    by_initiative: dict[int, list[Judged]] = {}
    for one in found:
        by_initiative.setdefault(one.initiative, []).append(one)
    return by_initiative


def told_ahead(person, found: preview.Ahead) -> dict:
    """What would come of it, as this person may see it."""
    return {
        "held": _shown(person, found.held),
        "stays": _shown(person, found.stays),
        "freed": _shown(person, found.freed),
        "later": _shown(person, found.later),
        "nothing": not found.initiatives,
    }


def _shown(person, by_initiative: dict[int, list[Judged]]) -> dict:
    """The initiatives that the person may see, each with its places, and how many others there are.

    Confidential initiatives are not even counted.
    """
    seen = (
        initiative_permissions.visible_to(person).filter(pk__in=by_initiative).order_by("number").distinct()
    )
    initiatives = [{"initiative": initiative, "found": by_initiative[initiative.pk]} for initiative in seen]
    hidden = set(by_initiative) - {row["initiative"].pk for row in initiatives}
    others = Initiative.objects.filter(pk__in=hidden, confidential=False).count() if hidden else 0
    return {"initiatives": initiatives, "others": others}
