"""The systems of an initiative: their keys, how to connect one, and a request that is tried without a key."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance import clock
from governance.authorization import authzen, client, decision_queries
from governance.authorization import decision as authorization_decision
from governance.contracts.clauses import FAILURES
from governance.contracts.wording import APPROVERS
from governance.models import KeyHeartbeat, PolicyDecision, ServiceKey
from governance.models.sign_in import ALERTS, INTERACTIONS, KEY_SCOPES
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import DecisionOutcome
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.enforcement import code_examples, system_keys
from initiatives.contracts.enforcement.decision_cache import known_of
from initiatives.contracts.enforcement.key_forms import KeyForm, RotateForm, TryForm
from initiatives.contracts.enforcement.system_keys import CHANGE_OVER
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import ask, fix, initiative_context, sent
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, RowAct
from initiatives.lifecycle.initiative_pages import banners

CLIENT = Path(client.__file__)
OUTCOME_TONES = {"allow": "ok", "deny": "bad", "needs_approval": "warn"}


@require_safe
def api_access(request: SignedInRequest, ref: str) -> HttpResponse:
    """Keys, the switch, and everything that whoever builds a system needs to have it ask."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "api-access")
    known = known_of(initiative)
    version, _ = known.version_at(context["now"])
    rules = version.policies.rules if version else ()
    evaluation_request = code_examples.example(rules, known.condition)
    context |= {
        "title": "API access",
        "banners": [*context["banners"], *banners.enforced_elsewhere(initiative, context["now"])],
        "keys": [_told(key, context["now"]) for key in _keys_of(initiative)],
        "version": version,
        "address": settings.ADDRESS,
        "bounds": code_examples.bounds(known.condition, rules),
        "failures": list(FAILURES.items()),
        "curl": code_examples.as_curl(settings.ADDRESS, evaluation_request),
        "python": code_examples.as_python(settings.ADDRESS, evaluation_request),
        "http": code_examples.as_http(settings.ADDRESS, evaluation_request),
        "report": code_examples.as_outcome(settings.ADDRESS),
        "telemetry": code_examples.as_telemetry(settings.ADDRESS),
        "one_interaction": code_examples.as_interaction(settings.ADDRESS),
        "testers": known.condition.bound.test_subjects if known.condition.bound else (),
        "weeks": decision_queries.weeks(initiative.number, context["now"]) if initiative.contract_id else [],
        "stretch": decision_queries.STRETCH,
        "codes": [
            (code, DecisionOutcome(outcome).label, OUTCOME_TONES[outcome], meaning)
            for code, (outcome, meaning) in code_examples.CODES.items()
        ],
        "statuses": list(code_examples.STATUSES.items()),
        "rate": settings.DECISION_RATE,
        "preview_days": approval_actions.PREVIEW_KEPT.days,
        "switches": list(initiative.kill_switches.select_related("pressed_by", "released_by")[:5]),
    }
    return render(request, "initiatives/enforcement/api_access.html", context)


def _keys_of(initiative):
    if not initiative.contract_id:
        return []
    last = PolicyDecision.objects.filter(key_id=OuterRef("pk")).order_by("-at").values("at")[:1]
    beat = KeyHeartbeat.objects.filter(key=OuterRef("pk")).order_by("-day").values("at")[:1]
    return (
        initiative.contract.keys.select_related("principal", "revoked_by", "rotated_by")
        .annotate(last_used=Subquery(last), last_beat=Subquery(beat))
        .order_by("system", "-made_at")
    )


def _told(key: ServiceKey, now) -> dict:
    """A key as the page shows it: its state in words, and whether it may still be rotated."""
    replaced = getattr(key, "rotated_by", None)
    if key.revoked_at is not None:
        state, tone = "revoked", ""
    elif key.expires_at <= now:
        state, tone = "expired", ""
    elif replaced is not None:
        state, tone = "being replaced", "warn"
    else:
        state, tone = "opens", "ok"
    good = key.good_at(now)
    return {
        "row": key,
        "state": state,
        "tone": tone,
        "scopes": [KEY_SCOPES[scope] for scope in key.scopes],
        "good": good,
        "rotatable": good and replaced is None,
    }


@require_safe
def client_file(request: SignedInRequest) -> HttpResponse:
    """The client as the one file to save beside a system's code."""
    response = HttpResponse(CLIENT.read_bytes(), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="client.py"'
    return response


# --- Keys ------------------------------------------------------------------------------------------------------------


@never_cache
def make_key(request: SignedInRequest, ref: str) -> HttpResponse:
    """Make a key; what it answers to being sent is the one page that shows it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_manage_keys(initiative, request.user).or_refuse()
    form = KeyForm(sent(request), initiative=initiative, scope=request.GET.get("for", ""))
    return _new_key(
        request,
        initiative,
        form,
        lambda: system_keys.make_key(initiative=initiative, by=request.user, **form.act()),
        title=_("Make a key"),
        happens=[
            _("The key is shown once, on the next page. Plumbline keeps no copy that anybody could read."),
            _(
                "Whoever has it asks in the name of this system. Every request it asks is kept with the initiative."
            ),
        ],
        verb=_("Make the key"),
    )


@never_cache
def rotate_key(request: SignedInRequest, ref: str, pk: int) -> HttpResponse:
    """Make the key that follows one; both open during the change-over."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_manage_keys(initiative, request.user).or_refuse()
    key = _key_of(initiative, pk)
    form = RotateForm(sent(request))
    return _new_key(
        request,
        initiative,
        form,
        lambda: system_keys.rotate_key(key=key, by=request.user, **form.act()),
        title=_("Rotate a key"),
        lede=f"{key.system}, {key.public}.",
        happens=[
            _("The new key is shown once, on the next page."),
            f"The old one opens for {CHANGE_OVER.total_seconds() / 3600:g} hours more, so that the system can change "
            "over without a gap; then it ends.",
        ],
        verb=_("Make the new key"),
    )


def _new_key(request, initiative, form, act, **page):
    """The form, and once it is sent the new key: drawn in the answer itself, and kept in no session and no log."""
    if request.method == "POST" and form.is_valid():
        try:
            key, token = act()
        except ValidationError as error:
            fix(form, error)
        else:
            context = initiative_context(request, initiative, "api-access")
            context |= {"title": _("The new key"), "key": key, "token": token, "address": settings.ADDRESS}
            if INTERACTIONS in key.scopes:
                context["telemetry"] = code_examples.as_telemetry(settings.ADDRESS, token.text)
            if ALERTS in key.scopes:
                context["senders"] = code_examples.as_alert_senders(settings.ADDRESS, token.text).items()
            return render(request, "initiatives/enforcement/key_made.html", context)
    return ask(
        request, initiative, "api-access", form, back_url=reverse("api-access", args=[initiative.ref]), **page
    )


ROW_ACTS["keys/revoke"] = RowAct(
    rows=ServiceKey.objects.select_related("contract__initiative__unit"),
    of="contract",
    may=lambda row, person: initiative_permissions.may_manage_keys(row.contract.initiative, person),
    act=system_keys.revoke_key,
    noun="key",
    page="api-access",
    title=gettext_lazy("Revoke a key"),
    lede=lambda row: f"{row.system}, {row.public}.",
    happens=(gettext_lazy("Requests with this key are refused within a second. It never opens again."),),
    verb=gettext_lazy("Revoke it"),
    danger=True,
    done=gettext_lazy("The key is revoked: the next request that comes with it is refused."),
)


def _key_of(initiative, pk: int) -> ServiceKey:
    found = initiative.contract.keys.filter(pk=pk).first() if initiative.contract_id else None
    if found is None:
        raise Http404("No such key of this initiative.")
    return found


# --- A request that is tried ----------------------------------------------------------------------------------------


@never_cache
def try_it(request: SignedInRequest, ref: str) -> HttpResponse:
    """Ask as a system would, without a key: what would be answered now. Nothing is logged, nobody is asked."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    known, now = known_of(initiative), clock.now()
    version, _ = known.version_at(now)
    evaluation_request = code_examples.example(version.policies.rules if version else (), known.condition)
    initial = {
        "subject": f"{evaluation_request['subject']['type']}:{evaluation_request['subject']['id']}",
        "action": evaluation_request["action"]["name"],
        "resource": f"{evaluation_request['resource']['type']}:{evaluation_request['resource']['id']}",
        "properties": code_examples.as_lines(evaluation_request),
    }
    form, decision = TryForm(sent(request), initial=initial), None
    if request.method == "POST" and form.is_valid():
        try:
            decision = authorization_decision.decide(
                version, known.condition, code_examples.evaluation_request_of(**form.cleaned_data), now
            )
        except authzen.BadRequest as wrong:
            form.add_error(None, str(wrong))
    context = initiative_context(request, initiative, "api-access")
    context |= {
        "title": "Try a request",
        "form": form,
        "decision": decision,
        "outcome": DecisionOutcome(decision.outcome).label if decision else "",
        "tone": OUTCOME_TONES[decision.outcome] if decision else "",
        "meaning": authorization_decision.CODES[decision.code][1] if decision else "",
        "asked": [APPROVERS.get(role, role) for role in decision.approval.approvers]
        if decision and decision.approval
        else [],
        "version": version,
    }
    return render(request, "initiatives/enforcement/api_access_try.html", context)
