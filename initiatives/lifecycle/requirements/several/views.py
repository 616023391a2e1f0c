"""One page for many requirements of a gate: the contract's answers taken in one act, the others written in one form."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from governance.permission_result import Conflict
from governance.vocabulary import EvidenceKind
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.evidence.actions import add_evidence
from initiatives.lifecycle.initiative.act import together
from initiatives.lifecycle.initiative.initiative_frame import fix, initiative_context
from initiatives.lifecycle.requirements.requirement_rows import save_row
from initiatives.lifecycle.requirements.row_presentation import sheet_of, sheets_of
from initiatives.lifecycle.requirements.several import actions, presentation
from initiatives.lifecycle.requirements.several.forms import ItemForm, ShortAnswerForm
from initiatives.models import Answer


@require_http_methods(["GET", "HEAD", "POST"])
def several(request, ref):
    """The open requirements of a gate together: what the contract answers, then what is answered in words."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    context = initiative_context(request, initiative, "requirements")
    sheets = sheets_of(initiative, context["rulebook"])
    chosen = sheet_of(initiative, sheets, request.GET.get("gate"))
    rows = presentation.open_rows(context, chosen)
    cited = presentation.cited(context, rows)
    if request.method == "POST" and request.POST.get("step") == "contract":
        actions.cite_contract(
            initiative=initiative, cited=cited, version=request.POST.get("version", ""), by=request.user
        )
        messages.success(request, _("The clauses of the contract answer these requirements now."))
        return redirect(
            _here(initiative, chosen) if presentation.worded(context, rows) else _list(initiative, chosen)
        )
    page = _Page(request, initiative, context, chosen, rows)
    status = 200
    if request.method == "POST":
        saved = page.save()
        if saved:
            return _saved(request, initiative, chosen, saved)
        status = 409 if page.overtaken else 422
    context |= {
        "title": _("Several requirements at once"),
        "frame": "form",
        "chosen": chosen,
        "cited": cited,
        "rows": page.rows,
        "items": page.items,
        "more": page.more,
        "overtaken": page.overtaken,
        "empty": page.empty,
    }
    return render(request, "initiatives/requirements/several.html", context, status=status)


def _here(initiative, chosen) -> str:
    return f"{reverse('requirements-several', args=[initiative.ref])}?gate={chosen.key}"


def _list(initiative, chosen) -> str:
    return f"{reverse('requirements', args=[initiative.ref])}?gate={chosen.key}"


def _saved(request, initiative, chosen, saved: int):
    """After saving: on to the requirements that are left, else to the list."""
    words = ngettext("%(count)d answer is saved.", "%(count)d answers are saved.", saved) % {"count": saved}
    context = initiative_context(request, initiative, "requirements")
    left = presentation.worded(context, presentation.open_rows(context, chosen))
    mine = any(row["mine"] for row in left)
    if "then" in request.POST and mine:
        messages.success(request, f"{words} " + _("These are the next."))
        return redirect(_here(initiative, chosen))
    messages.success(request, words)
    return redirect(_list(initiative, chosen))


class _Page:
    """The forms of the page, filled with what was sent, and what saving them comes to."""

    def __init__(self, request, initiative, context, chosen, rows: list[dict]):
        self.initiative, self.by = initiative, request.user
        self.sent = request.POST if request.method == "POST" else None
        self.empty = False
        asked = presentation.worded(context, rows)
        self.more = max(0, len(asked) - presentation.MOST)
        self.rows = asked[: presentation.MOST]
        for row in self.rows:
            row["kind"] = presentation.shown_by(context, row, chosen.gate)
        self.items = self._items(request, context)
        there = list(
            initiative.evidence.filter(withdrawn_at__isnull=True)
            .exclude(kind=EvidenceKind.ATTESTATION)
            .order_by("-observed_on", "-id")
        )
        for row in self.rows:
            fits = [item for item in there if item.kind in row["asked"].evidence]
            words = _("What is added below") if row["kind"] in self.items else _("none")
            row["form"] = ShortAnswerForm(
                self.sent, prefix=row["key"], requirement=row["asked"], items=fits, otherwise=words
            )
        self.overtaken = self._overtaken() if self.sent is not None else []

    def _items(self, request, context) -> dict[str, dict]:
        """For each kind of evidence that requirements of the page take: its words, the questions, the form."""
        items: dict[str, dict] = {}
        for row in self.rows:
            if row["kind"]:
                of_kind = items.setdefault(
                    row["kind"], {"words": EvidenceKind(row["kind"]).label, "questions": []}
                )
                of_kind["questions"].append(row["asked"].question)
        for kind, item in items.items():
            item["form"] = ItemForm(
                self.sent,
                request.FILES if self.sent is not None else None,
                prefix=f"item-{kind}",
                initiative=self.initiative,
                rulebook=context["rulebook"],
                kind=kind,
            )
        return items

    def _overtaken(self) -> list[dict]:
        """What was written here to requirements that somebody else answered meanwhile, beside their answers."""
        shown = {row["key"] for row in self.rows}
        typed = {
            name.removesuffix("-text"): words
            for name, words in self.sent.items()
            if name.endswith("-text") and words.strip()
        }
        late = Answer.objects.filter(initiative=self.initiative, requirement__in=typed.keys() - shown)
        return [{"theirs": row, "yours": typed[row.requirement]} for row in late.select_related("by")]

    def save(self) -> int:
        """Save what was written, all of it or nothing: how many answers; 0 where something is to fix."""
        checked = [  # each, so that all that is to fix is shown at once
            one["form"].is_valid() for one in (*self.rows, *self.items.values())
        ]
        if not all(checked) or self.overtaken:
            return 0
        answered = [row for row in self.rows if row["form"].reply() is not None]
        self.empty = not answered
        if self.empty or not self._said_for_items(answered):
            return 0
        form = None
        try:
            with together():
                for row in answered:
                    form = row["form"]
                    save_row(
                        initiative=self.initiative,
                        requirement=row["key"],
                        reply=form.reply(),
                        offer=form.chosen,
                        by=self.by,
                    )
                for kind, item in self.items.items():
                    form = item["form"]
                    if form.meant:
                        add_evidence(
                            initiative=self.initiative,
                            covers=self._covered(kind, answered),
                            by=self.by,
                            **form.act(),
                        )
        except ValidationError as error:
            fix(form, error)
            return 0
        except Conflict:
            self.overtaken = self._overtaken_now(answered)
            return 0
        return len(answered)

    def _covered(self, kind: str, answered: list[dict]) -> list[str]:
        """The answered requirements that the item of this kind is evidence for: another was chosen for none of them."""
        return [row["key"] for row in answered if row["kind"] == kind and row["form"].chosen is None]

    def _said_for_items(self, answered: list[dict]) -> bool:
        """Whether each item that is added has an answer to show; else its form says so."""
        for kind, item in self.items.items():
            if item["form"].meant and not self._covered(kind, answered):
                item["form"].add_error(None, _("Answer one of its requirements above, or leave this empty."))
        return not any(item["form"].errors for item in self.items.values())

    def _overtaken_now(self, answered: list[dict]) -> list[dict]:
        """The same as `_overtaken`, for what was answered while this was being saved."""
        typed = {row["key"]: row["form"].cleaned_data["text"] for row in answered}
        late = Answer.objects.filter(initiative=self.initiative, requirement__in=typed)
        return [{"theirs": row, "yours": typed[row.requirement]} for row in late.select_related("by")]
