"""The rulebook, readable by anyone: questions, signers and ages of evidence."""

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.models import Rulebook
from governance.organisation import actions as organisation_actions
from governance.people import permissions as people_permissions
from governance.permission_result import no
from governance.rulebook import parse, shipped_text
from governance.rulebook.parsed_rulebook import ParsedRulebook
from governance.rulebook.validation import MOVES
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.forms import RulebookForm
from governance.sign_in.sessions import open_to_all
from governance.vocabulary import RUNNING_STAGES, Stage, Tier
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.frameworks import framework_words

GROUPS = {
    "stage": "Requirements of the stage",
    "contract": "The governance contract",
    "integration": "Integration",
    "adoption": "Adoption",
    "layer": "The layers",
    "own": "Requirements of a criterion",
}


@open_to_all
@require_safe
def current_rulebook(request: HttpRequest) -> HttpResponse:
    """Show the version in force, or that no version was published yet."""
    rulebook = Rulebook.objects.in_force()
    if rulebook is None:
        return render(request, "governance/pages/rulebook_none.html", {"nav": "rulebook"})
    return _page(request, rulebook)


@open_to_all
@require_safe
def version(request: HttpRequest, version: str) -> HttpResponse:
    """Show one version. Drafts are for people who have signed in. Raises Http404 for others."""
    return _page(request, readable(request, version))


@open_to_all
@require_safe
def versions(request: HttpRequest) -> HttpResponse:
    """Show every version that was in force, and drafts to people who have signed in."""
    rows = Rulebook.objects.published().select_related("admin", "chair", "loaded_by")
    drafts = Rulebook.objects.filter(published_at__isnull=True).select_related("admin", "loaded_by")
    if not request.user.is_authenticated:
        drafts = drafts.none()
    may_try = request.user.is_authenticated and people_permissions.may_forecast(request.user)
    context = {"nav": "rulebook", "rows": rows, "drafts": drafts, "may_try": may_try}
    return render(request, "governance/pages/rulebook_versions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def load(request: SignedInRequest) -> HttpResponse:
    """Load a draft as admin: the shipped rulebook by one button, or a text.

    Every problem of a text is listed with its line, and the text is kept.
    """
    if not request.user.is_admin:
        no("Only admins can load a rulebook.", "Ask an admin.").or_refuse()
    shipped = shipped_text()
    if request.method == "POST" and "shipped" in request.POST:
        rulebook = organisation_actions.load_rulebook(source=shipped, by=request.user)
        return redirect("rulebook-version", rulebook.version)
    form = RulebookForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and form.is_valid():
        try:
            rulebook = organisation_actions.load_rulebook(source=form.cleaned_data["source"], by=request.user)
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            return redirect("rulebook-version", rulebook.version)
    if form.is_bound and form.cleaned_data.get("source"):
        form.data = form.data.copy()  # what came as a file is kept as text, so that it can be fixed here
        form.data["text"] = form.cleaned_data["source"]
    elif not form.is_bound and "default" in request.GET:
        form.fields["text"].initial = shipped
    parsed = parse(shipped)
    known = Rulebook.objects.filter(version=parsed.version).exists()
    context = {"nav": "rulebook", "form": form, "contains": [] if known else _contains(parsed)}
    return render(request, "governance/pages/rulebook_load.html", context)


def _contains(parsed: ParsedRulebook) -> list[str]:
    """Return the contents of a rulebook in five lines."""
    tiers = {tier: sum(parsed.asks(key, tier) for key in parsed.requirements) for tier in Tier}
    days = [row.fresh_days for row in parsed.requirements.values() if row.fresh_days]
    lines = [
        _("%(stages)s stages and %(gates)s gates between them."),
        _("%(asked)s requirements for owners: %(minimal)s at minimal risk, %(high)s at high risk."),
        _("%(criteria)s criteria, signed by %(seats)s seats of a board."),
        _("Evidence stays current for %(least)s to %(most)s days."),
        _("Owners have %(grace)s days to fix a gap, and a waiver lasts at most %(waiver)s days."),
    ]
    values = {
        "stages": len(parsed.stages),
        "gates": len(parsed.gates),
        "asked": len(parsed.requirements),
        **tiers,
        "criteria": len(parsed.criteria),
        "seats": len(parsed.seats),
        "least": min(days),
        "most": max(days),
        "grace": parsed.freshness.grace_days,
        "waiver": parsed.freshness.waiver_max_days,
    }
    return [line % values for line in lines]


@require_POST
def propose(request: SignedInRequest, version: str) -> HttpResponse:
    """Propose, as admin, that a chair publishes this draft."""
    rulebook = readable(request, version)
    organisation_actions.propose_publication(rulebook=rulebook, by=request.user)
    return redirect("rulebook-version", rulebook.version)


def readable(request: HttpRequest, version: str) -> Rulebook:
    """This version, when the reader may read it: drafts are for people who have signed in. Raises Http404."""
    if "\0" in version:
        raise Http404("This version does not exist.")
    rows = Rulebook.objects.select_related("admin", "chair", "loaded_by")
    rulebook = get_object_or_404(rows, version=version)
    if not rulebook.published and not request.user.is_authenticated:
        raise Http404("This version is not published.")
    return rulebook


def _page(request: HttpRequest, rulebook: Rulebook) -> HttpResponse:
    parsed = rulebook.parsed
    newest = Rulebook.objects.published().values_list("pk", flat=True).first()
    context = {
        "nav": "rulebook",
        "rulebook": rulebook,
        "parsed": parsed,
        "in_force": rulebook.pk == newest,
        "may_try": not rulebook.published
        and request.user.is_authenticated
        and people_permissions.may_forecast(request.user),
        "compared": newest is not None,
        "gates": [_gate(parsed, parsed.gates[key]) for key in MOVES if key in parsed.gates],
        "stages": [_stage(parsed, key) for key in parsed.stages],
        "standards": [
            (matter.replace("_", " "), [expects.get(stage, "") for stage in RUNNING_STAGES[1:]])
            for matter, expects in parsed.standards.items()
        ],
        "crosswalk": _crosswalk(parsed),
        "triggers": [
            (key, words, sorted(parsed.listing(key), key=list(parsed.requirements).index))
            for key, words in parsed.triggers.items()
        ],
    }
    return render(request, "governance/pages/rulebook.html", context)


def _stage(parsed, key: str) -> dict:
    asked: dict[str, list] = {}
    for requirement in parsed.requirements.values():
        if (requirement.stage or "stopped") == key:  # a stop can come from any stage
            asked.setdefault(requirement.group, []).append(requirement)
    return {
        "rule": parsed.stages[key],
        "tolerated": parsed.tolerated(key),
        "groups": [(words, asked[group]) for group, words in GROUPS.items() if group in asked],
        "count": sum(len(rows) for rows in asked.values()),
    }


def _gate(parsed, gate) -> dict:
    return {
        "gate": gate,
        "criteria": [
            (criterion, [parsed.requirements[key] for key in criterion.requirements])
            for criterion in gate.criteria
        ],
        "asked": len(gate.requirements()),
        "drawn": parsed.drawn_at(Tier.MINIMAL) if gate.key == Stage.PRODUCTION else 0,
    }


def _crosswalk(parsed) -> list[tuple[str, list]]:
    """(name of the framework, [(its id, what refers to it: requirements and criteria)])."""
    table: dict[str, dict[str, list]] = {name: {} for name in parsed.crosswalk_frameworks()}
    for row in {**parsed.criteria, **parsed.requirements}.values():
        for framework, ids in row.crosswalk.items():
            for one in ids:
                table[framework].setdefault(one, []).append(row)
    return [(framework_words(name), sorted(ids.items())) for name, ids in table.items()]
