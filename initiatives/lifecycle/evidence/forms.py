"""Forms on evidence: what it is, what it proves, which versions it speaks of."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.gates import requirements as gates_requirements
from governance.models import Clause
from governance.vocabulary import EvidenceCondition, EvidenceKind, EvidenceResult
from governance.web.form_fields import DayField, WordsField
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.evidence.actions import never_uploaded, versions_named
from initiatives.lifecycle.evidence.artefact_kinds import SOURCES, Detail
from initiatives.models import Deployment, Initiative

BY_ITSELF, CHOSEN = "", "chosen"


def added_kinds(rulebook) -> dict[str, str]:
    """The kinds that people add themselves, by their words: an attestation comes from saving the answer, and what a
    register writes comes from there. A clause of the contract is cited, never uploaded.
    """
    never = {EvidenceKind.ATTESTATION, *rulebook.register_kinds} - {EvidenceKind.CONTRACT_CLAUSE}
    return {key: words for key, words in EvidenceKind.choices if key not in never}


def elsewhere(initiative: Initiative, rulebook, kinds=tuple(EvidenceKind)) -> list[tuple[str, str, str]]:
    """Where those of these kinds come from that are not added: sentence, address and words of a page of the
    initiative.
    """
    offered = added_kinds(rulebook)
    sources = [SOURCES[kind] for kind in SOURCES if kind in kinds and kind not in offered]
    return [(one.words, reverse(one.url_name, args=[initiative.ref]), one.link) for one in sources]


def names_of(initiative: Initiative) -> dict[str, object]:
    """Every version an item of this initiative may name, by a key for the form; the newest first."""
    deployments = initiative.deployments.select_related("version").order_by("version__layer", "-runs_from")
    found: dict[str, object] = {f"part-{row.pk}": row for row in deployments}
    found |= {f"scope-{row.pk}": row for row in initiative.scopes.order_by("-number")}
    if initiative.contract_id:
        approved = initiative.contract.versions.filter(starts_at__isnull=False).select_related("contract")
        found |= {f"contract-{row.pk}": row for row in approved.order_by("-number")}
    return found


def spoken_of(initiative: Initiative, kind: str, observed_on, clause=None) -> list:
    """What an item speaks of when nobody says: what ran that day and what is planned; a test, of components only."""
    planned = initiative.deployments.filter(runs_from__gt=clock.now()).select_related("version")
    found = list(dict.fromkeys([*versions_named(initiative, observed_on, clause), *planned]))
    if kind == "test_report":
        found = [row for row in found if isinstance(row, Deployment)]
    return found


class NeededText(forms.CharField):
    """A text that the kind of the item needs, so that nothing calls it optional."""

    needed = True


class NeededChoice(forms.ChoiceField):
    """A choice that the kind of the item needs, so that nothing calls it optional."""

    needed = True


def _detail_field(one: Detail) -> forms.Field:
    """A field of a kind's form; where several kinds can be chosen, only what is chosen is needed (`clean`)."""
    said: dict[str, Any] = {"label": one.label, "help_text": one.help, "required": False}
    said["error_messages"] = {"required": one.missing}
    if one.type == artefact_kinds.CHOICE:
        return NeededChoice(choices=[("", _("choose")), *one.choices], **said)
    attributes: dict[str, dict[str, str]] = {
        artefact_kinds.DAY: {"type": "date"},
        artefact_kinds.COUNT: {"inputmode": "numeric", "autocomplete": "off"},
        artefact_kinds.NUMBER: {"inputmode": "decimal", "autocomplete": "off"},
    }
    widget = forms.TextInput(attrs=attributes.get(one.type, {}))
    return NeededText(max_length=artefact_kinds.LONGEST, widget=widget, **said)


class EvidenceItemForm(forms.Form):
    """The item itself. `kinds` are those offered; only fields that a kind carries are asked."""

    kind = forms.ChoiceField(label=_("Kind of evidence"))
    title = forms.CharField(max_length=200, help_text=_("What it shows, and of when."))
    file = forms.FileField(
        required=False, help_text=_("PDF, picture, office document, text, CSV, JSON or mail, up to 25 MB.")
    )
    link = forms.URLField(
        required=False,
        max_length=1000,
        assume_scheme="https",
        help_text=_("A link is shown as unverified: nobody here can say what stands behind it later."),
    )
    clause = forms.ModelChoiceField(queryset=Clause.objects.none(), required=False, empty_label=_("none"))
    observed_on = DayField(
        label=_("Observed on"), help_text=_("Its age counts from this day, not from the day it is added.")
    )
    result = forms.ChoiceField(choices=[("", _("none")), *EvidenceResult.choices], required=False)
    condition = forms.ChoiceField(
        label=_("Test conditions"), choices=[("", _("none")), *EvidenceCondition.choices], required=False
    )
    note = WordsField(required=False, help_text=_("Period, query, sample: what a reader needs to judge it."))
    names_how = forms.ChoiceField(
        label=_("Applies to version"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            (
                BY_ITSELF,
                _("What ran on that day and what is planned; for a test report, the components only"),
            ),
            (CHOSEN, _("Exactly the versions ticked below")),
        ],
    )
    names = forms.MultipleChoiceField(
        label=_("Versions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Ticked are those it speaks of by itself when observed today."),
    )

    def __init__(self, *args, initiative: Initiative, rulebook, kinds, **kwargs):
        super().__init__(*args, **kwargs)
        self.initiative = initiative
        offered = added_kinds(rulebook)
        kinds = [kind for kind in offered if kind in kinds]
        self.fields["kind"].choices = [(kind, offered[kind]) for kind in kinds]
        self.fields["kind"].error_messages["invalid_choice"] = _no_choice(self, rulebook)
        # By kind, the fields of its form.
        self.own = {
            kind: {f"{kind}_{one.name}": _detail_field(one) for one in artefact_kinds.FORMS[kind]}
            for kind in kinds
            if kind in rulebook.detailed_kinds
        }
        for fields in self.own.values():
            self.fields |= fields
        if not rulebook.result_kinds & set(kinds):
            del self.fields["result"]
        if not rulebook.condition_kinds & set(kinds):
            del self.fields["condition"]
        in_force = initiative.contract.in_force_at(clock.now()) if initiative.contract_id else None
        if in_force is None or "contract_clause" not in kinds:
            del self.fields["clause"]
        else:
            self.fields["clause"].queryset = in_force.clauses.all()
        self.known = names_of(initiative)
        if self.known:
            usual = spoken_of(initiative, kinds[0] if len(kinds) == 1 else "", clock.today())
            self.fields["names"].choices = [(key, _name(row)) for key, row in self.known.items()]
            self.fields["names"].initial = [key for key, row in self.known.items() if row in usual]
        else:
            del self.fields["names"], self.fields["names_how"]
        self.fields["observed_on"].initial = clock.today()

    def clean(self):
        """What is missing of the form of the chosen kind, beside what else is wrong."""
        fields = super().clean()
        kind = fields.get("kind")
        if kind in self.own and self.meant:
            wrong = artefact_kinds.check(
                kind, self.details(kind), result=fields.get("result", ""), today=clock.today()
            )
            for name, said in artefact_kinds.by_field(kind, wrong).items():
                if name not in self.errors:
                    self.add_error(name, said)
        return fields

    @property
    def meant(self) -> bool:
        """Whether an item is to be added at all."""
        return True

    def details(self, kind: str) -> dict:
        """What was typed into the form of a kind."""
        return {
            name.removeprefix(f"{kind}_"): self.cleaned_data.get(name, "") for name in self.own.get(kind, ())
        }

    @property
    def own_names(self) -> list[str]:
        """The fields of the forms of all kinds."""
        return [name for fields in self.own.values() for name in fields]

    @property
    def plain_fields(self) -> list:
        """What is asked of every kind, but for the versions it speaks of."""
        apart = {"kind", "names", "names_how", *self.own_names}
        return [field for field in self.visible_fields() if field.name not in apart]

    @property
    def parts(self) -> list[dict]:
        """The forms of the kinds that have one: kind, words, lede, fields, and whether it is shown unfolded."""
        # A list of which nothing was chosen shows its first.
        chosen = self["kind"].value() or next(iter(dict(self.fields["kind"].choices)), "")
        parts = []
        for kind, names in self.own.items():
            fields = [self[name] for name in names]
            parts.append(
                {
                    "kind": kind,
                    "words": EvidenceKind(kind).label,
                    "lede": artefact_kinds.LEDES[EvidenceKind(kind)],
                    "fields": fields,
                    "open": kind == chosen or any(field.errors for field in fields),
                }
            )
        return parts

    def act(self) -> dict:
        """The fields as the act takes them."""
        fields = self.cleaned_data
        return {
            "details": self.details(fields["kind"]),
            "kind": fields["kind"],
            "title": fields["title"],
            "observed_on": fields["observed_on"],
            "note": fields["note"],
            "file": fields["file"],
            "link": fields["link"],
            "clause": fields.get("clause"),
            "result": fields.get("result", ""),
            "condition": fields.get("condition", ""),
            "names": self.named(),
        }

    def named(self) -> list:
        """The versions the item speaks of."""
        fields = self.cleaned_data
        if fields.get("names_how") == CHOSEN:
            return [self.known[key] for key in fields["names"]]
        observed_on = fields["observed_on"] or clock.today()
        return spoken_of(self.initiative, fields["kind"], observed_on, fields.get("clause"))


def _no_choice(form: forms.Form, rulebook) -> str:
    """Why the kind that was sent is not taken."""
    sent = form.data.get(form.add_prefix("kind"), "")
    return (
        never_uploaded(sent)
        if sent in rulebook.register_kinds
        else "Choose one of the kinds that are offered."
    )


def _name(row) -> str:
    """A version as people tell it apart, with its days."""
    if isinstance(row, Deployment):
        planned = " (planned)" if row.runs_from > clock.now() else ""
        past = f" (until {row.runs_to:%-d %B %Y})" if row.runs_to and row.runs_to <= clock.now() else ""
        return f"{row.version.get_layer_display()}: {row}{planned or past}"
    if hasattr(row, "user_count"):
        planned = " (planned)" if row.starts_at is None and row.ended_at is None else ""
        return f"Scope {row.number}: {row.user_count} users{planned}"
    return f"Contract, version {row.number}"


class EvidenceForm(EvidenceItemForm):
    """A new item for one or many requirements; `kind` is chosen before, so that only fitting requirements are
    offered.
    """

    covers = forms.MultipleChoiceField(
        label=_("Which requirements it is evidence for"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("One item may be evidence for many."),
    )
    supersedes = forms.ModelChoiceField(
        label=_("Replaces"),
        queryset=None,
        required=False,
        empty_label=_("nothing"),
        help_text=_("The older item stops counting, and approvals that rest on it go stale."),
    )

    def __init__(self, *args, initiative: Initiative, rulebook, kind: str, keys, **kwargs):
        super().__init__(*args, initiative=initiative, rulebook=rulebook, kinds=[kind], **kwargs)
        self.fields["kind"].widget = forms.HiddenInput()
        self.fields["kind"].initial = kind
        for name in ("result", "condition"):
            if name in self.fields:
                self.fields[name].required = True
                self.fields[name].choices = [("", "choose"), *self.fields[name].choices[1:]]
        self.fields["covers"].choices = cover_choices(rulebook, kind, keys)
        live = initiative.evidence.filter(
            withdrawn_at__isnull=True, superseded_by__isnull=True, generated=False
        )
        self.fields["supersedes"].queryset = live.exclude(kind="attestation").order_by("-observed_on", "-id")
        for name in self.own_names:
            self.fields[name].required = True
        self.order_fields(
            ["kind", *self.own_names, "file", "link", "clause", "title", "observed_on", "covers"]
        )

    def act(self) -> dict:
        """The fields as the act takes them."""
        fields = self.cleaned_data
        return super().act() | {"covers": fields["covers"], "supersedes": fields["supersedes"]}


def coverable(rulebook, kind: str, keys) -> list[str]:
    """The requirements among `keys` that an item of this kind can prove, in the rulebook's order."""
    return [
        key
        for key in rulebook.requirements
        if key in keys
        and key not in gates_requirements.GENERATED_ONLY
        and kind in rulebook.requirements[key].evidence
    ]


def cover_choices(rulebook, kind: str, keys) -> list[tuple[str, str]]:
    """Those requirements as choices."""
    return [(key, rulebook.requirements[key].question) for key in coverable(rulebook, kind, keys)]


class CaptureForm(forms.Form):
    """Nothing to fill in; it carries what went wrong while a link was fetched."""


class CoverForm(forms.Form):
    """More requirements that an item proves."""

    requirements = forms.MultipleChoiceField(
        label=_("Which further requirements it is evidence for"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, rulebook, kind: str, keys, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["requirements"].choices = cover_choices(rulebook, kind, keys)
