"""Pages of tokens: those of your account, and all of them for admins."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.api_tokens import actions
from governance.api_tokens.forms import EndTokenForm, RotateTokenForm, TokenForm
from governance.identity import ways_in
from governance.models import ApiToken, ApiTokenUse
from governance.models.sign_in import PERSONAL_SCOPES, READ, SERVICE, SERVICE_SCOPES, TOKEN_KINDS
from governance.people.permissions import may_keep_accounts
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import joined, phrase

TAKES = ["GET", "HEAD", "POST"]
SECRETS = ("password", "code")
PAGE = 50
BY_OWNER = "Ended by its owner"


def _rows(tokens: QuerySet[ApiToken]) -> QuerySet[ApiToken]:
    used = ApiTokenUse.objects.filter(token=OuterRef("pk")).order_by("-day").values("day")[:1]
    rows = tokens.select_related("owner", "ended_by", "rotates", "rotated_by")
    return rows.annotate(last_used=Subquery(used))


def _shown(token: ApiToken, now) -> dict:
    """Return a token as a page shows it: its state in words, and if it can be rotated or ended."""
    replaced = getattr(token, "rotated_by", None)
    good = token.good_at(now)
    if token.ended_at is not None:
        state, tone = _("ended"), ""
    elif not good:
        state, tone = _("expired"), ""
    elif replaced is not None:
        state, tone = _("being replaced"), "warn"
    else:
        state, tone = _("opens"), "ok"
    return {
        "row": token,
        "state": state,
        "tone": tone,
        "scopes": [
            _("everything that you see") if scope == READ else (SERVICE_SCOPES | PERSONAL_SCOPES)[scope]
            for scope in token.scopes
        ],
        "good": good,
        "rotatable": good and replaced is None and token.kind == SERVICE,
    }


@never_cache
@require_safe
def own(request: SignedInRequest) -> HttpResponse:
    """Show the tokens of your account, those that open first."""
    now = clock.now()
    page = Paginator(_rows(ApiToken.objects.filter(owner=request.user)), PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "nav": "account",
        "page": page,
        "rows": [_shown(token, now) for token in page],
        "may_make": actions.may_make_token(request.user),
    }
    return render(request, "governance/api_tokens/own_tokens.html", context)


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(TAKES)
def make(request: SignedInRequest, kind: str) -> HttpResponse:
    """Make a token, and show it this once. Raises Http404 for a kind that does not exist."""
    if kind not in TOKEN_KINDS:
        raise Http404("This kind of token does not exist.")
    actions.may_make_token(request.user).or_refuse()
    form = TokenForm(_sent(request), request=request, purpose="make an API token", kind=kind)
    if request.method == "POST" and form.is_valid():
        try:
            return _made(request, actions.make_token(kind=kind, by=request.user, **form.cleaned_data))
        except ValidationError as wrong:
            put_errors(form, wrong)
    service = kind == SERVICE
    happens = [
        _("The token is shown once, on the next page. Plumbline keeps no readable copy."),
        _("Anyone with the token can read what you see. The token cannot sign, decide or save anything."),
        _("The token ends when your account is deactivated."),
    ]
    if service:
        happens.append(_("You are the owner of the service. If you leave, its next owner makes a new token."))
    title = _("Make a service token") if service else _("Make a personal token")
    return _ask(request, form, title, _("Make the token"), happens)


@sensitive_post_parameters(*SECRETS)
@never_cache
@require_http_methods(TAKES)
def rotate(request: SignedInRequest, pk: int) -> HttpResponse:
    """Make the successor of a service token of yours."""
    row = get_object_or_404(ApiToken, pk=pk, owner=request.user, kind=SERVICE)
    form = RotateTokenForm(_sent(request), request=request, purpose="rotate an API token")
    if request.method == "POST" and form.is_valid():
        return _made(request, actions.rotate_token(token=row, by=request.user, **form.cleaned_data))
    hours = f"{actions.CHANGE_OVER.total_seconds() / 3600:g}"
    happens = [
        _("The new token is shown once, on the next page."),
        _("The old token works for at most %(hours)s more hours.") % {"hours": hours},
    ]
    title = _("Rotate the token %(row)s") % {"row": row}
    return _ask(request, form, title, _("Make the new token"), happens)


@require_POST
def end(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a token of yours."""
    row = get_object_or_404(ApiToken, pk=pk, owner=request.user)
    actions.end_token(token=row, reason=BY_OWNER, by=request.user)
    said = phrase("The token {} is ended.", row)
    go_on = ways_in.go_on(request.user, EntryKind.API_TOKEN_ENDED, request.session.session_key)
    messages.success(request, joined(said, go_on).in_language())
    return redirect("account-tokens")


# --- Of all people ---------------------------------------------------------------------------------------------------


@require_safe
def listing(request: SignedInRequest) -> HttpResponse:
    """Show the tokens of all people that have not ended, the newest first. For admins."""
    may_keep_accounts(request.user).or_refuse()
    now = clock.now()
    tokens = _rows(ApiToken.objects.filter(ended_at=None, expires_at__gt=now))
    page = Paginator(tokens, PAGE).get_page(request.GET.get("page"))
    context = {"nav": "units", "page": page, "rows": [_shown(token, now) for token in page]}
    return render(request, "governance/api_tokens/all_tokens.html", context)


@require_http_methods(TAKES)
def end_of_another(request: SignedInRequest, pk: int) -> HttpResponse:
    """End a token of anyone, with a reason. For admins."""
    may_keep_accounts(request.user).or_refuse()
    row = get_object_or_404(ApiToken.objects.select_related("owner"), pk=pk)
    form = EndTokenForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        actions.end_token(token=row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, _("The token %(row)s is ended.") % {"row": row})
        return redirect("tokens")
    context = {
        "nav": "units",
        "form": form,
        "title": _("End the token %(row)s of %(owner)s") % {"row": row, "owner": row.owner},
        "verb": _("End the token"),
        "happens": [_("The program that uses the token can no longer read. The token cannot be used again.")],
        "danger": True,
        "back_url": reverse("tokens"),
        "back_words": _("API tokens"),
    }
    return render(request, "governance/api_tokens/token_act.html", context)


def _made(request: SignedInRequest, made) -> HttpResponse:
    row, token = made
    context = {"nav": "account", "row": row, "token": token}
    return render(request, "governance/api_tokens/token_made.html", context)


def _ask(request: SignedInRequest, form, title: str, verb: str, happens: list[str]) -> HttpResponse:
    context = {
        "nav": "account",
        "form": form,
        "title": title,
        "verb": verb,
        "happens": happens,
        "danger": False,
        "back_url": reverse("account-tokens"),
        "back_words": _("API tokens"),
    }
    return render(request, "governance/api_tokens/token_act.html", context, status=form.status)


def _sent(request: SignedInRequest):
    return request.POST if request.method == "POST" else None
