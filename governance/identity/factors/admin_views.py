"""Pages of factors for admins: those of one account, confirmed and reset."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.identity.factors import codes, passkeys, resets, second_step
from governance.identity.factors.forms import ResetForm
from governance.models import FactorReset, Passkey, User
from governance.people.permissions import may_keep_accounts
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase


@require_safe
def factors(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the factors of an account, which of them wait, and how to reset lost ones."""
    may_keep_accounts(request.user).or_refuse()
    person = get_object_or_404(User, pk=pk)
    resets.carry_out_due(person)
    now = clock.now()
    rows = [
        (row, row.may_sign_at(now), passkeys.may_confirm(row, request.user)) for row in passkeys.of(person)
    ]
    context = {
        "nav": "accounts",
        "person": person,
        "passkeys": rows,
        "app": codes.app_of(person),
        "reset": resets.open_for(person),
        "may_ask": resets.may_ask(person, request.user),
        "lost": second_step.lost().filter(pk=person.pk).exists(),
    }
    return render(request, "governance/factors/account_factors.html", context)


@require_POST
def confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let a new passkey of another person sign at once."""
    may_keep_accounts(request.user).or_refuse()
    row = get_object_or_404(Passkey, pk=pk)
    passkeys.confirm(passkey=row, by=request.user)
    messages.success(request, phrase("{} can sign with {} from now on.", row.person, row.name).in_language())
    return redirect("account-factors", row.person_id)


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def ask_reset(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have all factors of a person end in a day."""
    may_keep_accounts(request.user).or_refuse()
    person = get_object_or_404(User, pk=pk)
    resets.may_ask(person, request.user).or_refuse()
    sent = request.POST if request.method == "POST" else None
    form = ResetForm(sent, request=request, purpose=f"reset the factors of {person}")
    if request.method == "POST" and form.is_valid():
        try:
            row = resets.ask(person=person, reason=form.cleaned_data["reason"], by=request.user)
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            messages.success(
                request,
                phrase(
                    "{} has a notification. The reset happens at {}.",
                    person,
                    clock.moment_in_words(row.due_at),
                ).in_language(),
            )
            return redirect("account-factors", person.pk)
    context = {"nav": "accounts", "person": person, "form": form}
    return render(request, "governance/factors/reset_ask.html", context, status=form.status)


@require_POST
def stop_reset(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a reset that waits."""
    may_keep_accounts(request.user).or_refuse()
    row = get_object_or_404(FactorReset, pk=pk)
    resets.stop(reset=row, by=request.user)
    messages.success(request, "The reset is stopped.")
    return redirect("account-factors", row.person_id)
