"""Admin pages of sign-in: providers, local and break-glass accounts, account pairs."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.identity import actions, break_glass, linked_accounts, reported_identities, same_person
from governance.identity.forms import (
    BreakGlassForm,
    LinkForForm,
    PairForm,
    ProviderForm,
    ReasonForm,
    TakeOverForm,
)
from governance.identity.permissions import local_accounts_on, may_keep_providers
from governance.identity.proofs.batch_forms import Row
from governance.identity.provider_guides import guide_of, ours
from governance.identity.providers.denials import Denied
from governance.models import BreakGlass, ExternalIdentity, IdentityProvider, ReportedIdentity, SamePerson
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase

SHOWN = 200  # reports on a page


@require_safe
def overview(request: SignedInRequest) -> HttpResponse:
    """Show everything about how people sign in, on one page."""
    may_keep_providers(request.user).or_refuse()
    context = {
        "nav": "units",
        "providers": list(IdentityProvider.objects.order_by("name")),
        "local": local_accounts_on(),
        "marked": list(BreakGlass.objects.select_related("person", "marked_by")),
        "break_glass_form": BreakGlassForm(),
        "pairs": list(SamePerson.objects.filter(cleared_at=None).select_related("one", "other")[:200]),
        "pair_form": PairForm(),
        "reported": len(reported_identities.waiting()),
    }
    return render(request, "governance/identity/overview.html", context)


@sensitive_post_parameters("secret")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedInRequest) -> HttpResponse:
    """Add a provider; it is switched off until it was tried."""
    may_keep_providers(request.user).or_refuse()
    form = ProviderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            provider = actions.add_provider(by=request.user, **form.said())
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            messages.success(
                request,
                phrase(
                    "{} is added and switched off. Switch the provider on to test it.", provider
                ).in_language(),
            )
            return redirect("identity-provider", slug=provider.slug)
    return render(request, "governance/identity/provider_form.html", {"nav": "units", "form": form})


@sensitive_post_parameters("secret")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, slug: str) -> HttpResponse:
    """Change what is not pinned."""
    may_keep_providers(request.user).or_refuse()
    provider = get_object_or_404(IdentityProvider, slug=slug)
    form = ProviderForm(request.POST or None, instance=provider)
    if form.unchanged:
        messages.info(request, "You changed no field. No entry was written.")
        return redirect("identity-provider", slug=slug)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_provider(provider=provider, by=request.user, **form.said())
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            messages.success(request, "The provider is saved. Test the sign-in again.")
            return redirect("identity-provider", slug=slug)
    context = {"nav": "units", "form": form, "provider": provider}
    return render(request, "governance/identity/provider_form.html", context, status=form.status)


@require_safe
def provider(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show one provider: what to enter there, what is kept here, who is linked."""
    may_keep_providers(request.user).or_refuse()
    row = get_object_or_404(IdentityProvider, slug=slug)
    identities = ExternalIdentity.objects.open().filter(provider=row).select_related("person", "linked_by")
    context = {
        "nav": "units",
        "provider": row,
        "guide": guide_of(row),
        "ours": ours(row),
        "keys": list(row.keys.all()[:20]),
        "client_key": row.client_keys.filter(ended_at__isnull=True).first(),
        "identities": list(identities.order_by("person__full_name")[:200]),
        "link_form": LinkForForm(),
    }
    return render(request, "governance/identity/provider.html", context)


@require_POST
def switch(request: SignedInRequest, slug: str) -> HttpResponse:
    """Switch a provider on or off."""
    row = get_object_or_404(IdentityProvider, slug=slug)
    on = request.POST.get("on") == "yes"
    actions.switch_provider(provider=row, on=on, by=request.user)
    messages.success(request, f"{row} is switched {'on' if on else 'off'}.")
    return redirect("identity-provider", slug=slug)


@require_POST
def renew_key(request: SignedInRequest, slug: str) -> HttpResponse:
    """Make a new key of ours for a provider."""
    row = get_object_or_404(IdentityProvider, slug=slug)
    actions.renew_key(provider=row, by=request.user)
    messages.success(request, "A new key is made. Give the provider the new public key.")
    return redirect("identity-provider", slug=slug)


@require_POST
def link_for(request: SignedInRequest, slug: str) -> HttpResponse:
    """Link a person's account as admin. The link counts a day later."""
    may_keep_providers(request.user).or_refuse()
    row, form = get_object_or_404(IdentityProvider, slug=slug), LinkForForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a person and enter their key at the provider.")
        return redirect("identity-provider", slug=slug)
    try:
        linked_accounts.link_for(provider=row, by=request.user, **form.cleaned_data)
    except Denied as denied:
        messages.error(request, str(denied))
    else:
        messages.success(
            request,
            "Linked. The link takes effect after one day. The person has a notification, and can revoke "
            "the link.",
        )
    return redirect("identity-provider", slug=slug)


@require_POST
def revoke_link(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke a person's link as admin."""
    may_keep_providers(request.user).or_refuse()
    identity = get_object_or_404(ExternalIdentity, pk=pk)
    linked_accounts.revoke_link(identity=identity, reason="Revoked by an admin", by=request.user)
    messages.success(
        request,
        phrase("The link of {} is revoked, and its sessions are ended.", identity.person).in_language(),
    )
    return redirect("identity-provider", slug=identity.provider.slug)


@require_POST
def local_accounts(request: SignedInRequest) -> HttpResponse:
    """Switch local accounts on or off."""
    on = request.POST.get("on") == "yes"
    break_glass.switch_local_accounts(on=on, by=request.user)
    messages.success(request, f"Local accounts are switched {'on' if on else 'off'}.")
    return redirect("identity")


@require_POST
def mark_break_glass(request: SignedInRequest) -> HttpResponse:
    """Mark an admin as break-glass."""
    may_keep_providers(request.user).or_refuse()
    form = BreakGlassForm(request.POST)
    if form.is_valid():
        break_glass.mark(person=form.cleaned_data["person"], by=request.user)
        messages.success(request, "Marked. All admins and auditors get a notification.")
    else:
        messages.error(request, "Choose an admin without the mark.")
    return redirect("identity")


@require_POST
def revoke_break_glass(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take the mark away."""
    may_keep_providers(request.user).or_refuse()
    break_glass.revoke(row=get_object_or_404(BreakGlass, pk=pk), by=request.user)
    messages.success(request, "The mark is removed. All admins and auditors get a notification.")
    return redirect("identity")


@require_POST
def mark_pair(request: SignedInRequest) -> HttpResponse:
    """Record that two accounts may be one person's."""
    may_keep_providers(request.user).or_refuse()
    form = PairForm(request.POST)
    if form.is_valid():
        same_person.mark(by=request.user, **form.cleaned_data)
        messages.success(
            request, "Both accounts count as one person on every initiative until an admin separates them."
        )
    else:
        messages.error(request, "Choose two accounts and enter a reason.")
    return redirect("identity")


@require_POST
def clear_pair(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record that two accounts are two people's."""
    may_keep_providers(request.user).or_refuse()
    form = ReasonForm(request.POST)
    if form.is_valid():
        pair = get_object_or_404(SamePerson, pk=pk)
        same_person.clear(pair=pair, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, "The two accounts count as two people from now on.")
    else:
        messages.error(request, "Describe how you know that these are two people.")
    return redirect("identity")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reported(request: SignedInRequest) -> HttpResponse:
    """Show the reported keys, addresses and names. The ticked ones are all taken over, or none."""
    may_keep_providers(request.user).or_refuse()
    every = reported_identities.waiting()
    found = every[:SHOWN]
    prefetch_related_objects(found, "person__external_identities")
    form = TakeOverForm(
        request.POST if request.method == "POST" else None,
        rows={row.pk: _signed_row(request, row) for row in found},
        all_ticked=request.GET.get("tick") == "all",
        request=request,
        purpose="take over reported identities",
    )
    if request.method == "POST" and form.is_valid():
        chosen = [row for row in found if row.pk in form.proofs]
        try:
            reported_identities.take_over(reports=chosen, proofs=form.proofs, by=request.user)
        except Denied as denied:
            form.add_error(None, str(denied))
        else:
            messages.success(
                request, phrase("Taken over: {}. Each person is notified.", len(chosen)).in_language()
            )
            return redirect("identity-reported")
    rows = [
        {
            "row": row,
            "now": form.rows[row.pk].facts["now"],
            "ticked": row.pk in form.ticked,
            "why_not": form.rows[row.pk].why_not,
            "statement": form.statement_of(row.pk),
        }
        for row in found
    ]
    groups = [(kind, [one for one in rows if one["row"].kind == kind]) for kind in ReportedIdentity.Kind]
    context = {
        "nav": "units",
        "form": form,
        "groups": [group for group in groups if group[1]],
        "shown": len(found),
        "waiting": len(every),
    }
    return render(request, "governance/identity/reported.html", context, status=form.status)


def _signed_row(request: SignedInRequest, row: ReportedIdentity) -> Row:
    facts = reported_identities.signed_facts(row)
    return Row(
        label=f"{row.person}, {row.get_kind_display()}",
        purpose=f"take over the {row.get_kind_display()} that {row.source} reports",
        facts=facts,
        tier=None,
        why_not=reported_identities.why_not(row, request.user),
    )


@require_POST
def decline_reported(request: SignedInRequest) -> HttpResponse:
    """Decline the ticked reports. Their values are not reported again."""
    may_keep_providers(request.user).or_refuse()
    ticked = {int(key) for key in request.POST.getlist("take") if key.isascii() and key.isdigit()}
    chosen = [row for row in reported_identities.waiting() if row.pk in ticked]
    if chosen:
        reported_identities.decline(reports=chosen, by=request.user)
        messages.success(request, phrase("Declined: {}.", len(chosen)).in_language())
    else:
        messages.error(request, "Tick at least one row.")
    return redirect("identity-reported")
