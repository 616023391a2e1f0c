"""The evidence of an initiative: listed, added, read, offered for more, withdrawn, generated."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import clock
from governance.files import file_previews
from governance.gates.evidence_rules import expiry, unusable
from governance.models import Rulebook
from governance.rulebook import ParsedRulebook
from governance.vocabulary import EvidenceKind
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence import actions, artefact_kinds, captures, preview
from initiatives.lifecycle.evidence.captures import versions_of
from initiatives.lifecycle.evidence.forms import (
    CaptureForm,
    CoverForm,
    EvidenceForm,
    added_kinds,
    cover_choices,
    elsewhere,
)
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative import impact_preview
from initiatives.lifecycle.initiative.initiative_frame import (
    acted,
    ask,
    fix,
    initiative_context,
    page_of,
    pick,
    sent,
)
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, RowAct, on_initiative
from initiatives.models import Evidence

STATES = {
    "current": "current",
    "aging": "expiring within 30 days",
    "expired": "expired",
    "voided": "ended by a change",
    "superseded": "superseded",
    "withdrawn": "withdrawn",
    "missing": "file missing",
}
TONES = {"current": "ok", "aging": "warn", "expired": "warn", "voided": "bad", "missing": "bad"}


def _asked(rulebook: ParsedRulebook) -> set[str]:
    """Every requirement that a gate asks for."""
    return {key for gate in rulebook.gates.values() for key in gate.requirements()}


@on_any_day(initiative_lookup.initiative_on_any_day)
def evidence_list(request, ref):
    """Every item with its state, filtered by state and kind."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, "evidence")
    state = pick(request.GET.get("state"), STATES)
    kind = pick(request.GET.get("kind"), EvidenceKind)
    facts, rulebook, now = context["facts"], context["rulebook"], context["now"]
    rows = [
        {"item": item, "state": found, "word": STATES[found], "tone": TONES.get(found, ""), "last": last}
        for item in sorted(facts.items, key=lambda item: (item.observed_on, item.id), reverse=True)
        for found, last in [state_of_item(facts, rulebook, item, now)]
        if kind in ("", item.kind) and state in ("", found)
    ]
    page = page_of(request, rows)
    authors = dict(
        initiative.evidence.filter(pk__in=[row["item"].id for row in page]).values_list(
            "pk", "author__full_name"
        )
    )
    details = {row.pk: row.details for row in initiative_rows.rows(initiative, "evidence")}
    for row in page:
        item = row["item"]
        row["author"] = authors.get(item.id, "")
        row["kind"] = EvidenceKind(item.kind).label
        row["holds"] = artefact_kinds.in_words(item.kind, details[item.id])
    context |= {
        "title": _("Evidence"),
        "page": page,
        "states": context["states"],
        "wanted": STATES,
        "kinds": EvidenceKind.choices,
        "state": state,
        "kind": kind,
    }
    return render(request, "initiatives/evidence/evidence_list.html", context)


def state_of_item(facts, rulebook, item, now) -> tuple[str, object]:
    """The state of an item over all it covers, its best one, and the last day on which it is current somewhere."""
    if item.withdrawn_at is not None:
        return "withdrawn", None
    if item.superseded_by is not None:
        return "superseded", None
    if item.missing:
        return "missing", None
    today = clock.local_day(now)
    asked = [rulebook.requirements[key] for key in item.covers if key in rulebook.requirements]
    alive = [requirement for requirement in asked if item.void_at(requirement.key, now) is None]
    if asked and not alive:
        return "voided", None
    ends = [expiry(requirement, item, facts.tier) for requirement in alive]
    days = [end for end in ends if end is not None]
    if not ends or len(days) < len(ends):
        return "current", None
    last = max(days)
    if last < today:
        return "expired", last
    return ("aging" if (last - today).days <= max(rulebook.freshness.warn_days_before) else "current"), last


def add(request, ref):
    """Add an item: first its kind, then the requirements it can prove and the rest."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    rulebook = Rulebook.objects.current().parsed
    keys = _asked(rulebook)
    older = _older(initiative, request.GET.get("supersedes"))
    wanted = request.POST.get("kind") or request.GET.get("kind") or (older.kind if older else "")
    offered = added_kinds(rulebook)
    kind = pick(wanted, offered)
    if not kind:
        context = initiative_context(request, initiative, "evidence")
        context |= {
            "title": _("Add evidence"),
            "kinds": [
                (key, words, rulebook.evidence_kinds.get(key, ""), len(cover_choices(rulebook, key, keys)))
                for key, words in offered.items()
            ],
            "elsewhere": elsewhere(initiative, rulebook),
            "older": older,
            "wrong": request.method == "POST" or bool(wanted),
            "why": actions.never_uploaded(wanted) if wanted in rulebook.register_kinds else "",
        }
        return render(request, "initiatives/evidence/evidence_kind.html", context)
    initial = {"covers": request.GET.getlist("covers")}
    if older is not None:
        initial = {
            "covers": list(older.coverage.values_list("requirement", flat=True)),
            "supersedes": older,
            "title": older.title,
            "condition": older.condition,
        }
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = EvidenceForm(
        *sent, initial=initial, initiative=initiative, rulebook=rulebook, kind=kind, keys=keys
    )
    effects = None
    if older is not None and request.method != "POST":
        effects = preview.of_evidence(
            initiative,
            covers=initial["covers"],
            kind=kind,
            result="pass" if kind in rulebook.result_kinds else "",
            supersedes=older,
            by=request.user,
        )
    if request.method == "POST" and form.is_valid():
        if request.POST.get("step") == "look":
            effects = _effects(initiative, form, request.user)
        else:
            try:
                item = actions.add_evidence(initiative=initiative, by=request.user, **form.act())
            except ValidationError as error:
                fix(form, error)
            else:
                messages.success(request, _("The item is added."))
                return redirect("evidence-item", initiative.ref, item.pk)
    return ask(
        request,
        initiative,
        "evidence",
        form,
        template="initiatives/evidence/evidence_add.html",
        title=f"Add evidence: {EvidenceKind(kind).label.lower()}",
        lede=rulebook.evidence_kinds.get(kind, "").replace(" | ", ", ").replace("_", " "),
        kind=kind,
        effects=effects,
        back_url=reverse("evidence", args=[initiative.ref]),
    )


def _older(initiative, wanted):
    """The item to be replaced, when the query string names one of this initiative."""
    if not wanted or not wanted.isascii() or not wanted.isdecimal():
        return None
    return initiative.evidence.filter(pk=int(wanted), generated=False).exclude(kind="attestation").first()


def _effects(initiative, form, person) -> list[str]:
    """What adding this item would end."""
    fields = form.act()
    return preview.of_evidence(
        initiative,
        covers=fields["covers"],
        kind=fields["kind"],
        result=fields["result"],
        condition=fields["condition"],
        supersedes=fields["supersedes"],
        title=fields["title"],
        observed_on=fields["observed_on"],
        clause=fields["clause"],
        names=fields["names"],
        by=person,
    )


@on_any_day(initiative_lookup.initiative_on_any_day)
def item(request, ref, pk):
    """One item: its facts, what it covers and whether it counts there, what it replaced, what ended it."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    row = initiative_lookup.evidence_for(request.user, initiative, pk)
    return render(request, "initiatives/evidence/evidence_item.html", item_context(request, initiative, row))


def item_context(request, initiative, row) -> dict:
    """What a page about one item shows of it."""
    context = initiative_context(request, initiative, "evidence")
    facts, rulebook, now = context["facts"], context["rulebook"], context["now"]
    fact = next(item for item in facts.items if item.id == row.pk)
    found, _ = state_of_item(facts, rulebook, fact, now)
    covers = []
    for key in fact.covers:
        asked = rulebook.requirements.get(key)
        if asked is None:
            covers.append(
                {"key": "", "question": key, "why": "No longer asked.", "counts": False, "last": None}
            )
            continue
        last = expiry(asked, fact, facts.tier)
        why = unusable(facts, rulebook, asked, fact, now)
        if not why and last is not None and last < context["today"]:
            why = "It expired."
        if not why and fact.result and fact.result != "pass":
            why = f"It says {fact.result}: only a pass counts."
        said = fact.verifications.get(key, ())
        covers.append(
            {
                "key": key,
                "question": asked.question,
                "why": why,
                "counts": not why,
                "last": last,
                "said": said,
            }
        )
    return context | {
        "title": row.title,
        "item": row,
        "fact": fact,
        "word": STATES[found],
        "tone": TONES.get(found, ""),
        "counts_as": _counts_as(rulebook, row),
        "covers": covers,
        "voidings": [
            (
                void,
                rulebook.requirements[void.requirement].question
                if void.requirement in rulebook.requirements
                else "",
            )
            for void in row.voidings.order_by("-effective_at")
        ],
        "names": row.names.select_related(
            "deployment__version", "scope_version", "contract_version__contract"
        ),
        "holds": artefact_kinds.in_words(row.kind, row.details),
        "same_file": initiative.evidence.filter(sha256=row.sha256).exclude(pk=row.pk) if row.sha256 else (),
        "older": row.supersedes,
        "newer": initiative.evidence.filter(supersedes=row).first(),
        "has_file": bool(row.file),
        "can_look": bool(row.file) and file_previews.offered(row.content_type),
    }


def _counts_as(rulebook: ParsedRulebook, row) -> str:
    """As which other kind an item counts that was uploaded as one that is never uploaded, in a sentence."""
    if row.kind not in rulebook.register_kinds:
        return ""
    here = row.generated or bool(row.clause_id) or hasattr(row, "drill") or hasattr(row, "kill_switch")
    kind = artefact_kinds.counts_as(row.kind, row.details, rulebook.register_kinds, written_here=here)
    if kind == row.kind:
        return ""
    return f"counts as a {EvidenceKind(kind).label.lower()}. {artefact_kinds.SOURCES[EvidenceKind(row.kind)].words}"


def cover(request, ref, pk):
    """Offer an item for more requirements."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    row = initiative_lookup.evidence_for(request.user, initiative, pk)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    rulebook = Rulebook.objects.current().parsed
    have = set(row.coverage.values_list("requirement", flat=True))
    keys = _asked(rulebook) - have
    form = CoverForm(sent(request), rulebook=rulebook, kind=row.kind, keys=keys)
    if request.method == "POST" and form.is_valid():
        try:
            actions.cover(evidence=row, by=request.user, **form.cleaned_data)
        except ValidationError as error:
            _fix_cover(form, error)
        else:
            messages.success(request, _("The item is offered for these too."))
            return redirect("evidence-item", initiative.ref, row.pk)
    return ask(
        request,
        initiative,
        "evidence",
        form,
        title=_("Use for other requirements"),
        lede=row.title,
        verb=_("Offer it"),
        back_url=reverse("evidence-item", args=[initiative.ref, row.pk]),
    )


def _fix_cover(form, error: ValidationError) -> None:
    """The act speaks of `covers`; the page's field is called by what it holds."""
    problems = getattr(
        error, "error_dict", {"covers": error.error_list if hasattr(error, "error_list") else []}
    )
    for found in problems.values():
        form.add_error("requirements", found)


ROW_ACTS["evidence/withdraw"] = RowAct(
    rows=Evidence.objects.select_related("initiative__unit", "initiative__contract"),
    may=on_initiative(initiative_permissions.may_collaborate),
    act=actions.withdraw_evidence,
    noun="evidence",
    page="evidence",
    back=lambda row: reverse("evidence-item", args=[row.initiative.ref, row.pk]),
    title=gettext_lazy("Withdraw an item"),
    lede=lambda row: row.title,
    happens=(gettext_lazy("It stays readable and stops counting, everywhere and at once."),),
    effects=lambda row, person: (
        None if row.withdrawn_at else preview.of_withdrawal(row.initiative, row, by=person)
    ),
    impact_verb=gettext_lazy("Withdrawing it"),
    danger=True,
    verb=gettext_lazy("Withdraw it"),
    done=gettext_lazy("The item is withdrawn."),
)


def capture(request, ref, pk):
    """Have what stands behind the link of an item fetched and kept in its place."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    row = initiative_lookup.evidence_for(request.user, initiative, pk)
    initiative_permissions.may_capture(initiative, request.user).or_refuse()
    form = CaptureForm(sent(request))
    if item := acted(request, form, lambda: captures.capture_link(evidence=row, by=request.user)):
        messages.success(request, _("The link is captured: its content is kept with its fingerprint."))
        return redirect("evidence-item", initiative.ref, item.pk)
    return ask(
        request,
        initiative,
        "evidence",
        form,
        title=_("Capture the link"),
        lede=row.link,
        happens=[
            _(
                "Plumbline fetches the page now, as somebody who is not signed in there, and keeps it with its hash."
            ),
            _(
                "That becomes a newer item in place of this one. Its age still counts from the day it was observed."
            ),
        ],
        effects=_capture_effects(initiative, row, request.user) if row.unverified else None,
        verb=_("Capture it"),
        back_url=reverse("evidence-item", args=[initiative.ref, row.pk]),
    )


def _capture_effects(initiative, row, person) -> list[str]:
    return preview.of_evidence(
        initiative,
        covers=list(row.coverage.values_list("requirement", flat=True)),
        kind=row.kind,
        result=row.result,
        condition=row.condition,
        supersedes=row,
        title=row.title,
        observed_on=row.observed_on,
        clause=row.clause,
        names=versions_of(row),
        by=person,
    )


def generate(request, ref):
    """Generate the index that answers the question on governance evidence."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_manage(initiative, request.user).or_refuse()
    if request.method == "POST":
        made = actions.generate_index(initiative=initiative, by=request.user)
        messages.success(request, _("The index is generated."))
        return redirect("evidence-item", initiative.ref, made.pk)
    return ask(
        request,
        initiative,
        "evidence",
        None,
        title=_("Generate the governance index"),
        lede=_(
            "Contract, impact assessment, earlier decisions with their sign-offs, conditions: as they stand now."
        ),
        happens=[_("A new index replaces the one before, if there is one.")],
        effects=_index_effects(initiative, request.user),
        verb=_("Generate it"),
        back_url=reverse("evidence", args=[initiative.ref]),
    )


def _index_effects(initiative, person) -> list[str]:
    return impact_preview.preview(
        initiative, lambda locked: actions.generate_index(initiative=locked, by=person), by=person
    )
