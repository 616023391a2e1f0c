"""One page for many requirements in one form."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from governance.permission_result import Conflict
from governance.vocabulary import EvidenceCondition, EvidenceKind
from governance.vocabulary.form_errors import put_errors
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.evidence.actions import add_evidence
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import together
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.requirements.known_answers import known_words
from initiatives.lifecycle.requirements.requirement_rows import save_row
from initiatives.lifecycle.requirements.row_presentation import sheet_of, sheets_of
from initiatives.lifecycle.requirements.several import presentation
from initiatives.lifecycle.requirements.several.forms import ItemForm, ShortAnswerForm
from initiatives.models import Answer


@require_http_methods(["GET", "HEAD", "POST"])
def several(request, ref):
    """Show the open requirements of a gate that are answered in words."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    context = initiative_context(request, initiative, "requirements")
    sheets = sheets_of(initiative, context["rulebook"])
    chosen = sheet_of(initiative, sheets, request.GET.get("gate"))
    rows = presentation.open_rows(context, chosen)
    page = _Page(request, initiative, context, chosen, rows)
    status = 200
    if request.method == "POST":
        saved = page.save()
        if saved:
            return _saved(request, initiative, chosen, [row["key"] for row in page.answered])
        status = 409 if page.overtaken else 422
    context |= {
        "title": _("Several requirements at once"),
        "frame": "form",
        "chosen": chosen,
        "elsewhere": presentation.elsewhere(rows, presentation.worded(context, rows)),
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


def _saved(request, initiative, chosen, saved: list[str]):
    """Return the page after saving: the requirements left, or the list. Warn of answers that do not count yet."""
    count = len(saved)
    words = ngettext("%(count)d answer is saved.", "%(count)d answers are saved.", count) % {"count": count}
    context = initiative_context(request, initiative, "requirements")
    left = presentation.worded(context, presentation.open_rows(context, chosen))
    for key in saved:
        state, question = context["states"][key], context["rulebook"].requirements[key].question
        if not (state.satisfies(chosen.gate) if chosen.gate else state.satisfied):
            said = _("Saved, but not met yet: “%(question)s” %(words)s")
            messages.warning(request, said % {"question": question, "words": state.words})
    mine = any(row["mine"] for row in left)
    if "then" in request.POST and mine:
        messages.success(request, f"{words} " + _("The next requirements are shown below."))
        return redirect(_here(initiative, chosen))
    messages.success(request, words)
    return redirect(_list(initiative, chosen))


class _Page:
    """The forms of the page, filled with the input, and the result of saving them."""

    def __init__(self, request, initiative, context, chosen, rows: list[dict]):
        self.initiative, self.by = initiative, request.user
        self.sent = request.POST if request.method == "POST" else None
        self.empty, self.answered = False, []
        asked = presentation.worded(context, rows)
        self.more = max(0, len(asked) - presentation.MOST)
        self.rows = asked[: presentation.MOST]
        for row in self.rows:
            row["kind"] = presentation.shown_by(context, row, chosen.gate)
            row["by_item"] = row["kind"] == EvidenceKind.TEST_REPORT == row["asked"].min_evidence
        self.items = self._items(request, context)
        there = list(
            initiative.evidence.filter(withdrawn_at__isnull=True)
            .exclude(kind=EvidenceKind.ATTESTATION)
            .order_by("-observed_on", "-id")
        )
        for row in self.rows:
            fits = [
                item
                for item in there
                if item.kind in row["asked"].evidence
                and row["asked"].takes(item.kind, item.details.get("tested", ""))
            ]
            words = _("The evidence you add below") if row["kind"] in self.items else _("none")
            row["form"] = ShortAnswerForm(
                self.sent,
                prefix=row["key"],
                requirement=row["asked"],
                known=known_words(initiative, row["key"]),
                items=fits,
                otherwise=words,
            )
        self.overtaken = self._overtaken() if self.sent is not None else []

    def _items(self, request, context) -> dict[str, dict]:
        """Return for each kind of evidence on the page its words, requirements and form."""
        items: dict[str, dict] = {}
        conditions = ["", *EvidenceCondition]
        for row in self.rows:
            if row["kind"]:
                of_kind = items.setdefault(
                    row["kind"],
                    {
                        "words": EvidenceKind(row["kind"]).label,
                        "questions": [],
                        "conditions": [],
                        "tested": row["asked"].tested,
                    },
                )
                # One item is about one thing: what is asked about another has its own, on its own page.
                shared = tuple(word for word in of_kind["tested"] if row["asked"].takes(row["kind"], word))
                if of_kind["tested"] and not shared:
                    row["kind"] = ""
                    continue
                of_kind["tested"] = shared or row["asked"].tested
                of_kind["questions"].append(row["asked"].question)
                of_kind["conditions"].append(row["asked"].min_condition or "")
        for kind, item in items.items():
            item["form"] = ItemForm(
                self.sent,
                request.FILES if self.sent is not None else None,
                prefix=f"item-{kind}",
                initiative=self.initiative,
                rulebook=context["rulebook"],
                kind=kind,
                condition=max(item["conditions"], key=conditions.index),
                tested=item["tested"],
            )
        return items

    def _overtaken(self) -> list[dict]:
        """Return input to requirements that someone else answered meanwhile."""
        shown = {row["key"] for row in self.rows}
        typed = {
            name.removesuffix("-text"): words
            for name, words in self.sent.items()
            if name.endswith("-text") and words.strip()
        }
        late = Answer.objects.filter(initiative=self.initiative, requirement__in=typed.keys() - shown)
        return [{"theirs": row, "yours": typed[row.requirement]} for row in late.select_related("by")]

    def save(self) -> int:
        """Save all input or none, and return the number of answers. It is 0 if there are errors."""
        checked = [  # each, so that all that is to fix is shown at once
            one["form"].is_valid() for one in (*self.rows, *self.items.values())
        ]
        if not all(checked) or self.overtaken:
            return 0
        for row in self.rows:
            item = self.items.get(row["kind"])
            if item and row["by_item"] and not row["form"].chosen:
                row["form"].fall_back(item["form"].in_words)
        self.answered = answered = [row for row in self.rows if row["form"].reply() is not None]
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
            put_errors(form, error)
            return 0
        except Conflict:
            self.overtaken = self._overtaken_now(answered)
            return 0
        return len(answered)

    def _covered(self, kind: str, answered: list[dict]) -> list[str]:
        """Return the answered requirements that the item of this kind shows. They have no other item chosen."""
        return [row["key"] for row in answered if row["kind"] == kind and row["form"].chosen is None]

    def _said_for_items(self, answered: list[dict]) -> bool:
        """Return True if each added item has an answer to show. Otherwise its form gets an error."""
        for kind, item in self.items.items():
            if item["form"].meant and not self._covered(kind, answered):
                item["form"].add_error(
                    None,
                    _(
                        "Answer at least one requirement above that uses this evidence, or leave the evidence empty."
                    ),
                )
        return not any(item["form"].errors for item in self.items.values())

    def _overtaken_now(self, answered: list[dict]) -> list[dict]:
        """Return what `_overtaken` does, for answers saved during this save."""
        typed = {row["key"]: row["form"].cleaned_data["text"] for row in answered}
        late = Answer.objects.filter(initiative=self.initiative, requirement__in=typed)
        return [{"theirs": row, "yours": typed[row.requirement]} for row in late.select_related("by")]
