"""A dry run: what was asked on some days, answered again by another version of the contract."""

from dataclasses import replace
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance import clock, replaying, told
from governance.models.decisions import OUTCOMES
from initiatives import doors, permissions
from initiatives.conditions import known_of, policies_of
from initiatives.forms.systems import DryRunForm
from initiatives.views.shared import case_context
from initiatives.views.systems import OUTCOME_TONES


@require_safe
def dry_run(request: HttpRequest, ref: str) -> HttpResponse:
    """Yesterday's questions against the draft, or the days and the version that the address names."""
    case = doors.case_for(request.user, ref)
    permissions.may_read_questions(case, request.user).or_refuse()
    context = case_context(request, case, "contract")
    versions = list(case.contract.versions.order_by("-number")) if case.contract_id else []
    yesterday = clock.today() - timedelta(days=1)
    usual = {"version": versions[0].number if versions else "", "since": yesterday, "until": yesterday}
    asked = {name: request.GET.get(name) or value for name, value in usual.items()}
    form = DryRunForm(asked | {"running": request.GET.get("running", "")}, versions=versions)
    context |= {"title": "Dry run", "form": form, "versions": versions, "most": replaying.MOST}
    if versions and form.is_valid():
        context |= _found(case, versions, form.cleaned_data)
    return render(request, "initiatives/dry_run.html", context)


def _found(case, versions, given: dict) -> dict:
    version = next(one for one in versions if one.number == given["version"])
    known = known_of(case)
    condition = known.condition
    stopped = bool(condition.switched_off or condition.held)
    if given["running"]:
        condition = replace(condition, switched_off="", held=())
    wanted = told.Wanted(
        since=clock.midnight_before(given["since"]), until=clock.midnight_after(given["until"])
    )
    erased = 0

    def questions():
        nonlocal erased
        for row in told.each(case.number, wanted, replaying.MOST):
            if row.salt is None:
                erased += 1
                continue
            yield replaying.Asked(
                row.at, row.request, row.outcome, row.code, row.reason, str(told.Place.of(row))
            )

    trial = replaying.on_trial(version.number, version.digest, policies_of(version))
    found = replaying.replay(trial, condition, questions())
    return {
        "version": version,
        "found": found,
        "erased": erased,
        "cut": found.asked + erased == replaying.MOST,
        "stopped": stopped and not given["running"],
        "outcomes": [
            {
                "before": OUTCOMES[before],
                "after": OUTCOMES[after],
                "tone": OUTCOME_TONES[after],
                "same": before == after,
                "count": count,
            }
            for (before, after), count in sorted(found.outcomes.items())
        ],
        "changes": [
            {
                "change": change,
                "before": OUTCOMES[change.before],
                "after": OUTCOMES[change.after],
                "tone": OUTCOME_TONES[change.after],
            }
            for change in found.changes
        ],
    }
