"""Pages that publish a rulebook and compare two. They show initiatives, so they are here."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from governance.models import Rulebook, User
from governance.people.permissions import may_forecast
from governance.permission_result import Answer, Conflict, no, yes
from governance.rulebook import diff
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.sessions import open_to_all
from governance.vocabulary import STAGE_RANK, ReviewOutcome, TakesEffect
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from governance.web.pages.rulebook_views import readable
from initiatives.lifecycle.initiative.initiative_frame import insist, sent
from initiatives.models import Forecast, Initiative, Review
from initiatives.portfolio.rulebook_changes import publication
from initiatives.portfolio.rulebook_changes.forecast_views import outdated
from initiatives.portfolio.rulebook_changes.forms import PublishForm


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: SignedInRequest, version: str) -> HttpResponse:
    """Show what publishing does, with its forecast, and publish as chair."""
    rulebook = get_object_or_404(Rulebook.objects.select_related("admin"), version=version.replace("\0", ""))
    may_open_publication(rulebook, request.user).or_refuse()
    if request.method == "POST" and not rulebook.published:
        insist(request, publication.may_publish(rulebook, request.user), "publish rulebook", None)
    initiatives = Initiative.objects.live().own().count()
    signed = {
        "affects_initiatives": bool(initiatives),
        "request": request,
        "purpose": f"publish rulebook {rulebook.version}",
        "facts": {"digest": rulebook.digest},
    }
    form = PublishForm(sent(request), **signed)
    seen = Forecast.objects.of(rulebook.digest).filter(state=Forecast.DONE)
    if request.method == "POST" and form.is_valid():
        shown, digest = form.cleaned_data["seen"], form.cleaned_data["outcome"]
        forecast = seen.filter(pk=shown, outcome=digest).first() if shown else None
        if shown and forecast is None:
            raise Conflict("The forecast has changed after you opened the page.", "Open the page again.")
        try:
            publication.publish_rulebook(
                rulebook=rulebook,
                takes_effect=form.cleaned_data["takes_effect"] or TakesEffect.CASE_BY_CASE,
                effective_on=form.cleaned_data["effective_on"],
                grace_until=form.cleaned_data["grace_until"],
                forecast=forecast,
                by=request.user,
            )
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            messages.success(request, phrase("Rulebook {} is in force.", version).in_language())
            return redirect("rulebook-version", rulebook.version)
    reviews = Review.objects.filter(outcome=ReviewOutcome.OPEN).count()
    newest = seen.select_related("in_force", "draft", "by").first()
    if newest is not None and not form.is_bound:
        form = PublishForm(
            initial={
                # A day of grace is what is asked of a version that takes effect at once.
                "takes_effect": TakesEffect.AT_ONCE if newest.grace_until else TakesEffect.CASE_BY_CASE,
                "grace_until": newest.grace_until,
                "seen": newest.pk,
                "outcome": newest.outcome,
            },
            **signed,
        )
    context = {
        "nav": "rulebook",
        "rulebook": rulebook,
        "answer": publication.may_publish(rulebook, request.user),
        "form": form,
        "forecast": newest,
        "outdated": outdated(newest) if newest else [],
        "may_forecast": bool(initiatives) and may_forecast(request.user),
        "happens": [
            f"Version {rulebook.version} is in force from now, and can no longer be changed.",
            _("Reviews that open from now on use this version."),
        ],
    }
    if initiatives:
        context["happens"] += [
            f"Plumbline computes the supported stage of {initiatives} "
            f"initiative{'' if initiatives == 1 else 's'} again with this version, from the day that you "
            "choose below. Approved stages stay as they are.",
            _(
                "If an MVP or production loses its support, the owner is notified and must restore the "
                "support within the days of grace."
            ),
            f"{reviews} open review{' keeps its' if reviews == 1 else 's keep their'} version.",
        ]
    return render(request, "governance/pages/rulebook_publish.html", context, status=form.status)


def may_open_publication(rulebook: Rulebook, person: User) -> Answer:
    """Open the page that publishes a draft: people who propose, publish or forecast."""
    if rulebook.published or may_forecast(person):
        return yes()
    return no("Only admins and the chairs of boards can publish a rulebook.", "Read the draft instead.")


@open_to_all
@require_safe
def changes(request: SignedInRequest, version: str) -> HttpResponse:
    """Show the changes of a version from another, and the initiatives affected."""
    newer = readable(request, version)
    others = Rulebook.objects.published().exclude(pk=newer.pk)
    earlier = others.filter(published_at__lt=newer.published_at) if newer.published else others
    asked = request.GET.get("since", "")
    older = readable(request, asked) if asked else earlier.order_by("-published_at").first()
    sections = diff.differences(older.parsed, newer.parsed) if older else []
    context = {
        "nav": "rulebook",
        "newer": newer,
        "older": older,
        "others": others,
        "sections": sections,
        "met": _met(older, newer, sections) if request.user.is_authenticated and sections else [],
    }
    return render(request, "governance/pages/rulebook_changes.html", context)


def _met(older: Rulebook, newer: Rulebook, sections: list[diff.Section]) -> list[dict]:
    """Return for each changed gate how many initiatives are before, past or in review."""
    stages = dict(
        Initiative.objects.live()
        .own()
        .order_by()
        .values("stage")
        .annotate(n=Count("pk"))
        .values_list("stage", "n")
    )
    reviews = Review.objects.filter(outcome=ReviewOutcome.OPEN, rulebook=older).order_by().values("gate")
    open_under = dict(reviews.annotate(n=Count("pk")).values_list("gate", "n"))
    touched = {gate for section in sections for gate in section.gates}
    return [
        {
            "gate": gate,
            "before": sum(stages.get(stage, 0) for stage in gate.from_stages),
            "passed": sum(
                n for stage, n in stages.items() if STAGE_RANK.get(stage, 0) >= STAGE_RANK[gate.to]
            ),
            "open": open_under.get(key, 0),
        }
        for key, gate in sorted(newer.parsed.gates.items(), key=lambda pair: STAGE_RANK.get(pair[1].to, 0))
        if key in touched and gate.to in STAGE_RANK
    ]
