"""Pages of API access: keys, the connection of a system, and a trial request."""

from pathlib import Path

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance import clock
from governance.authorization import authzen, client, decision_queries, deployment_decision, service_keys
from governance.authorization import decision as authorization_decision
from governance.contracts.clauses import FAILURES
from governance.contracts.wording import APPROVERS
from governance.models import KeyHeartbeat, PolicyDecision, ServiceKey
from governance.models.sign_in import ALERTS, INTERACTIONS, KEY_SCOPES
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import STAGE_RANK, DecisionOutcome, Stage
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.enforcement import code_examples, deployment_gate, system_keys
from initiatives.contracts.enforcement.decision_cache import known_of
from initiatives.contracts.enforcement.key_forms import KeyForm, PrincipalForm, RotateForm, TryForm
from initiatives.contracts.enforcement.system_keys import CHANGE_OVER
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.lifecycle.initiative_pages import banners
from initiatives.models import Initiative

CLIENT = Path(client.__file__)
OUTCOME_TONES = {"allow": "ok", "deny": "bad", "needs_approval": "warn"}


@require_safe
def api_access(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the keys, the switch, and what a developer needs to connect a system."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "api-access")
    known = known_of(initiative)
    version, _ = known.version_at(context["now"])
    rules = version.policies.rules if version else ()
    evaluation_request = code_examples.example(rules, known.condition)
    context |= {
        "title": "API access",
        "banners": [*context["banners"], *banners.runs_without(initiative, context["judged"])],
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
        "deployment": _deployment_code(initiative, context["now"]),
        "deployment_decisions": list(initiative.deployment_decisions.select_related("key")[:5]),
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


def _deployment_code(initiative: Initiative, now) -> str:
    """Return the request of a pipeline, for the newest own version that the initiative runs or plans."""
    own = initiative.deployments.current_at(now).filter(version__vendor__isnull=True)
    newest = own.select_related("version").order_by("-runs_from", "-pk").first()
    stage = initiative.stage if STAGE_RANK.get(initiative.stage, 0) else Stage.PRODUCTION
    return code_examples.as_deployment(
        settings.ADDRESS, stage, newest.version.version if newest else "<version>"
    )


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
    """Return a key as the page shows it: its state in words, and if it can be rotated."""
    replaced = getattr(key, "rotated_by", None)
    if key.revoked_at is not None:
        state, tone = "revoked", ""
    elif key.expires_at <= now:
        state, tone = "expired", ""
    elif key.named_until is not None:
        state, tone = "no one is responsible", "bad"
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
        "rotatable": good and replaced is None and key.principal_left_at is None,
        "name_by": clock.last_day_before(key.named_until) if good and key.named_until else None,
        "denied": good and key.named_until is not None and key.named_until <= now,
    }


@require_safe
def client_file(request: SignedInRequest) -> HttpResponse:
    """Return the client as one file to save beside a system's code."""
    response = HttpResponse(CLIENT.read_bytes(), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="client.py"'
    return response


# --- Keys ------------------------------------------------------------------------------------------------------------


def _show_key(request: SignedInRequest, made: tuple[ServiceKey, service_keys.Token]) -> HttpResponse:
    """Show the new key in this response only. No session and no log keeps it."""
    key, token = made
    context = initiative_context(request, key.contract.initiative, "api-access")
    context |= {"title": _("The new key"), "key": key, "token": token, "address": settings.ADDRESS}
    if INTERACTIONS in key.scopes:
        context["telemetry"] = code_examples.as_telemetry(settings.ADDRESS, token.text)
    if ALERTS in key.scopes:
        context["senders"] = code_examples.as_alert_senders(settings.ADDRESS, token.text).items()
    response = render(request, "initiatives/enforcement/key_made.html", context)
    add_never_cache_headers(response)
    return response


INITIATIVE_ACTS["make-key"] = PageStep(
    may=initiative_permissions.may_manage_keys,
    act=system_keys.make_key,
    then=_show_key,
    form=KeyForm,
    given=lambda initiative, request: {"initiative": initiative, "scope": request.GET.get("for", "")},
    page="api-access",
    title=gettext_lazy("Make a key"),
    happens=(
        gettext_lazy("The key is shown once, on the next page. Plumbline keeps no readable copy."),
        gettext_lazy(
            "Anyone with the key can send requests as this system. Every request is kept with the initiative."
        ),
    ),
    verb=gettext_lazy("Make the key"),
    done="",
)


KEYS = ServiceKey.objects.select_related("contract__initiative__unit")


ROW_ACTS["keys/rotate"] = RowAct(
    rows=KEYS,
    of="contract",
    may=lambda row, person: initiative_permissions.may_manage_keys(row.contract.initiative, person),
    act=system_keys.rotate_key,
    then=_show_key,
    noun="key",
    form=RotateForm,
    page="api-access",
    title=gettext_lazy("Rotate a key"),
    lede=lambda row: f"{row.system}, {row.public}.",
    happens=(
        gettext_lazy("The new key is shown once, on the next page."),
        (
            f"The old key works for at most {CHANGE_OVER.total_seconds() / 3600:g} more hours. Give the new key to "
            "the system before the old key ends."
        ),
    ),
    verb=gettext_lazy("Make the new key"),
    done="",
)


ROW_ACTS["keys/principal"] = RowAct(
    rows=KEYS,
    of="contract",
    may=lambda row, person: initiative_permissions.may_manage_keys(row.contract.initiative, person),
    act=system_keys.name_principal,
    noun="key",
    form=PrincipalForm,
    page="api-access",
    title=gettext_lazy("Name who is responsible for a key"),
    lede=lambda row: f"{row.system}, {row.public}.",
    happens=(gettext_lazy("The key and its purpose stay as they are."),),
    verb=gettext_lazy("Name the person"),
    done=gettext_lazy("The key has another responsible person."),
)


ROW_ACTS["keys/revoke"] = RowAct(
    rows=KEYS,
    of="contract",
    may=lambda row, person: initiative_permissions.may_manage_keys(row.contract.initiative, person),
    act=system_keys.revoke_key,
    noun="key",
    page="api-access",
    title=gettext_lazy("Revoke a key"),
    lede=lambda row: f"{row.system}, {row.public}.",
    happens=(
        gettext_lazy(
            "Plumbline refuses requests with this key within a second. The key cannot be used again."
        ),
    ),
    verb=gettext_lazy("Revoke the key"),
    danger=True,
    done=gettext_lazy("The key is revoked. Plumbline refuses requests with this key within a second."),
)


# --- A request that is tried ----------------------------------------------------------------------------------------


@never_cache
def try_it(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the decision that a request would get now. It needs no key and is not logged."""
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
            asked = code_examples.evaluation_request_of(**form.cleaned_data)
            if deployment_decision.is_asked(asked):
                deployed = deployment_decision.read(asked)
                decision, _reasons = deployment_gate.answer(known, initiative, deployed, now)
            else:
                decision = authorization_decision.decide(version, known.condition, asked, now)
        except authzen.BadRequest as wrong:
            form.add_error(None, str(wrong))
    context = initiative_context(request, initiative, "api-access")
    context |= {
        "title": "Try a request",
        "form": form,
        "decision": decision,
        "outcome": DecisionOutcome(decision.outcome).label if decision else "",
        "tone": OUTCOME_TONES[decision.outcome] if decision else "",
        "meaning": code_examples.CODES[decision.code][1] if decision else "",
        "asked": [APPROVERS.get(role, role) for role in decision.approval.approvers]
        if decision and decision.approval
        else [],
        "version": version,
    }
    return render(request, "initiatives/enforcement/api_access_try.html", context)
