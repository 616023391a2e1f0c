"""Pages of your account: sessions, password, password links, the first admin."""

from urllib.parse import urlencode

from django.contrib import auth, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.database.row_history import acting
from governance.identity import ways_in
from governance.identity.factors import second_step
from governance.identity.permissions import may_sign_in_locally
from governance.models import ExternalIdentity, IdentityProvider, User
from governance.models.sign_in import INVITATION
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import first_admin, password_links, reauthentication, sessions, throttling
from governance.sign_in.account_forms import ChangePasswordForm, FirstAdminForm, NewPasswordForm, ResetForm
from governance.sign_in.sessions import open_to_all
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import Phrase, joined, phrase

TOKEN = "password_link"  # in the session: an address with a token in it is left at once, and never logged
SECRETS = ("password", "again", "current")


@require_safe
def account(request: SignedInRequest) -> HttpResponse:
    """Show your account, your sessions and your linked identities."""
    key = request.session.session_key
    rows = [(row, row.session_key == key) for row in sessions.of(request.user)]
    rows.sort(key=lambda row: not row[1])
    linked = list(
        ExternalIdentity.objects.open().filter(person=request.user).select_related("provider", "linked_by")
    )
    taken = {row.provider_id for row in linked}
    context = {
        "nav": "account",
        "sessions": rows,
        "others": sum(not here for _, here in rows),
        "linked": [(row, row.counts_from is not None and row.counts_from > clock.now()) for row in linked],
        "providers": [row for row in IdentityProvider.objects.on() if row.pk not in taken],
        "ways": ways_in.preview(request.user, EntryKind.SIGNED_OUT_ELSEWHERE, key),
        "by_provider": bool(request.session.get(sessions.PROVIDER)),
    }
    return render(request, "governance/sign_in/account.html", context)


@require_POST
def sign_out_elsewhere(request: SignedInRequest) -> HttpResponse:
    """End one of my other sessions, or all of them but this, with what programs read by if the box is ticked."""
    mark, key = request.POST.get("session") or None, request.session.session_key
    also = ways_in.also(request)
    count = sessions.sign_out(person=request.user, mark=mark, but=key, also=also, by=request.user)
    words = phrase("The session is signed out.") if count else phrase("The session had already ended.")
    if not mark:
        out, none = phrase("You are signed out everywhere else."), phrase("You have no other sessions.")
        words = joined(
            out if count else none, ways_in.go_on(request.user, EntryKind.SIGNED_OUT_ELSEWHERE, key)
        )
    messages.success(request, words.in_language())
    return redirect("account")


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: SignedInRequest) -> HttpResponse:
    """Set my own password, with the one of now; every other browser is signed out."""
    person, status = request.user, 200
    form = ChangePasswordForm(person, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        wrong = reauthentication.why_refused(
            person,
            form.cleaned_data["current"],
            purpose="change it",
            address=throttling.address_of(request),
        )
        if wrong:
            form.add_error("current", phrase("{} Your account is unchanged.", wrong))
            status = 429 if wrong.startswith("Too many") else 200
        else:
            go_on = _change(request, form.cleaned_data["password"])
            said = phrase("Your password is changed. You are signed out everywhere else.")
            messages.success(request, joined(said, go_on).in_language())
            return redirect("account")
    ways = ways_in.preview(person, EntryKind.PASSWORD_SET, request.session.session_key)
    context = {"nav": "account", "form": form, "ways": ways}
    return render(request, "governance/sign_in/account_password.html", context, status=status)


def _change(request: SignedInRequest, password: str) -> Phrase:
    with acting(by=request.user, reason="Own password changed"):
        person = User.objects.select_for_update().get(pk=request.user.pk)
        key, also = request.session.session_key, ways_in.also(request)
        go_on = password_links.change_password(person, password, how="by themselves", keep=key, also=also)
    auth.update_session_auth_hash(request, person)
    return go_on


# --- By a link -----------------------------------------------------------------------------------------------


@open_to_all
@never_cache
@require_safe
def password_link(request: HttpRequest, token: str) -> HttpResponse:
    """Remove the link from the address, where logs and other sites could see it.

    Then open the page. For a link that is unknown, used or ended, the page shows that, and no row is written.
    """
    if password_links.find(token) is not None:
        request.session[TOKEN] = token
    elif TOKEN in request.session:
        del request.session[TOKEN]
    return redirect("password-set")


@open_to_all
@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest) -> HttpResponse:
    """Set a password by the opened link. A first password signs in, a reset does not."""
    token = request.session.get(TOKEN, "")
    link = password_links.find(token)
    if link is None:
        return render(request, "governance/sign_in/password_link_ended.html", status=404)
    form = NewPasswordForm(link.person, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        password, also = form.cleaned_data["password"], ways_in.also(request)
        person = password_links.set_password(token=token, password=password, also=also)
        auth.logout(request)
        stands_in = password_links.made_by_another(link) and second_step.lost().filter(pk=person.pk).exists()
        if stands_in and may_sign_in_locally(person):
            return second_step.finish_by_link(request, person)
        return _go_on(request, "Your password is set.", person, first=link.purpose == INVITATION)
    ways = ways_in.preview(link.person, EntryKind.PASSWORD_SET)
    return render(request, "governance/sign_in/password_set.html", {"form": form, "link": link, "ways": ways})


@open_to_all
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link to choose a new password. The answer is the same for unknown names."""
    form = ResetForm(throttling.address_of(request), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        password_links.ask_reset(name=form.cleaned_data["name"])
        return redirect(f"{reverse('password-reset')}?sent=yes")
    response = render(
        request,
        "governance/sign_in/password_reset.html",
        {"form": form, "sent": request.method != "POST" and "sent" in request.GET},
        status=429 if form.throttled_until else 200,
    )
    if form.throttled_until:
        response["Retry-After"] = str(max(1, int((form.throttled_until - clock.now()).total_seconds())))
    return response


# --- The first admin -----------------------------------------------------------------------------------------


@open_to_all
@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def make_first_admin(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first admin of an empty installation; once there is one, this page is gone."""
    if not first_admin.opens(token):
        return render(request, "governance/sign_in/first_admin_ended.html", status=404)
    form = FirstAdminForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        names = ("login", "full_name", "email", "password")
        try:
            person = first_admin.make(**{name: said[name] for name in names})
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            auth.logout(request)
            return _go_on(request, "Your account is made.", person, first=True)
    return render(request, "governance/sign_in/first_admin.html", {"form": form})


def _go_on(request: HttpRequest, said: str, person: User, *, first: bool) -> HttpResponse:
    """Sign in a person who chose their first password, with the checks of a sign-in.

    Other people go to the sign-in page with the name filled in, because a mailbox alone is not a sign-in.
    """
    if first and may_sign_in_locally(person):
        response = second_step.begin(request, person, "")
        messages.success(request, said)
        return response
    messages.success(request, phrase("{} Sign in as {}.", said, person.login).in_language())
    return redirect(f"{reverse('sign-in')}?{urlencode({'name': person.login})}")
