"""The page of a dry run: logged requests, answered again by another version."""

from dataclasses import replace
from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance import clock
from governance.authorization import decision_queries
from governance.authorization import dry_run as authorization_dry_run
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import DecisionOutcome
from initiatives.contracts.enforcement.decision_cache import known_of, policies_of
from initiatives.contracts.enforcement.key_forms import DryRunForm
from initiatives.contracts.enforcement.key_views import OUTCOME_TONES
from initiatives.lifecycle.access import initiative_lookup, visibility
from initiatives.lifecycle.initiative.initiative_frame import initiative_context


@require_safe
def dry_run(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show a dry run of yesterday's requests on the draft, or as the address asks."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    visibility.may_read_decision_requests(initiative, request.user).or_refuse()
    context = initiative_context(request, initiative, "contract")
    versions = list(initiative.contract.versions.order_by("-number")) if initiative.contract_id else []
    yesterday = clock.today() - timedelta(days=1)
    usual = {"version": versions[0].number if versions else "", "since": yesterday, "until": yesterday}
    asked = {name: request.GET.get(name) or value for name, value in usual.items()}
    form = DryRunForm(asked | {"running": request.GET.get("running", "")}, versions=versions)
    context |= {"title": _("Dry run"), "form": form, "versions": versions, "most": authorization_dry_run.MOST}
    if versions and form.is_valid():
        context |= _found(initiative, versions, form.cleaned_data)
    return render(request, "initiatives/contracts/dry_run.html", context)


def _found(initiative, versions, given: dict) -> dict:
    version = next(one for one in versions if one.number == given["version"])
    known = known_of(initiative)
    condition = known.condition
    stopped = bool(condition.switched_off or condition.held)
    if given["running"]:
        condition = replace(condition, switched_off="", held=())
    wanted = decision_queries.Wanted(
        since=clock.midnight_before(given["since"]), until=clock.midnight_after(given["until"]), calls=True
    )
    erased = 0

    def evaluation_requests():
        nonlocal erased
        for row in decision_queries.each(initiative.number, wanted, authorization_dry_run.MOST):
            if row.salt is None:
                erased += 1
                continue
            yield authorization_dry_run.Asked(
                row.at, row.request, row.outcome, row.code, row.reason, str(decision_queries.Place.of(row))
            )

    trial = authorization_dry_run.on_trial(version.number, version.digest, policies_of(version))
    found = authorization_dry_run.replay(trial, condition, evaluation_requests())
    return {
        "version": version,
        "found": found,
        "erased": erased,
        "cut": found.asked + erased == authorization_dry_run.MOST,
        "stopped": stopped and not given["running"],
        "outcomes": [
            {
                "before": DecisionOutcome(before).label,
                "after": DecisionOutcome(after).label,
                "tone": OUTCOME_TONES[after],
                "same": before == after,
                "count": count,
            }
            for (before, after), count in sorted(found.outcomes.items())
        ],
        "changes": [
            {
                "change": change,
                "before": DecisionOutcome(change.before).label,
                "after": DecisionOutcome(change.after).label,
                "tone": OUTCOME_TONES[change.after],
            }
            for change in found.changes
        ],
    }
