"""Forms on evidence: the item, the requirements it proves, the versions it names."""

from collections.abc import Collection
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
    """Return the kinds that people add themselves, with their words.

    An attestation comes from saving the answer. A register writes its kinds. A clause of the contract is cited, not
    uploaded.
    """
    never = {EvidenceKind.ATTESTATION, *rulebook.register_kinds} - {EvidenceKind.CONTRACT_CLAUSE}
    return {key: words for key, words in EvidenceKind.choices if key not in never}


def elsewhere(initiative: Initiative, rulebook, kinds=tuple(EvidenceKind)) -> list[tuple[str, str, str]]:
    """Return the sources of these kinds that people do not add.

    Each is a sentence, and the address and words of a page of the initiative.
    """
    offered = added_kinds(rulebook)
    sources = [SOURCES[kind] for kind in SOURCES if kind in kinds and kind not in offered]
    return [(one.words, reverse(one.url_name, args=[initiative.ref]), one.link) for one in sources]


def names_of(initiative: Initiative) -> dict[str, object]:
    """Return each version that an item may name, by its form key, newest first."""
    deployments = initiative.deployments.select_related("version").order_by("version__layer", "-runs_from")
    found: dict[str, object] = {f"part-{row.pk}": row for row in deployments}
    found |= {f"scope-{row.pk}": row for row in initiative.scopes.order_by("-number")}
    if initiative.contract_id:
        approved = initiative.contract.versions.filter(starts_at__isnull=False).select_related("contract")
        found |= {f"contract-{row.pk}": row for row in approved.order_by("-number")}
    return found


def spoken_of(initiative: Initiative, kind: str, observed_on, clause=None) -> list:
    """Return what an item names by default: running and planned versions. A test names components only."""
    planned = initiative.deployments.filter(runs_from__gt=clock.now()).select_related("version")
    found = list(dict.fromkeys([*versions_named(initiative, observed_on, clause), *planned]))
    if kind == "test_report":
        found = [row for row in found if isinstance(row, Deployment)]
    return found


# Where others can open an item: the field that holds it, with its words as a choice. Only the chosen field is shown.
SOURCES_OF_ITEM = {
    "file": (_("Upload"), _("Choose a file, so that others can open the evidence.")),
    "link": (_("Web address"), _("Paste the link, so that others can open the evidence.")),
    "clause": (_("Clause of the contract in force"), _("Choose the clause.")),
    "offer": (_("Item of this initiative"), _("Choose the item.")),
}


class NeededText(forms.CharField):
    """A text that the kind of the item needs, so no page marks it optional."""

    needed = True


class NeededChoice(forms.ChoiceField):
    """A choice that the kind of the item needs, so no page marks it optional."""

    needed = True


def _detail_field(one: Detail) -> forms.Field:
    """Return a field of a kind's form. If several kinds can be chosen, only the chosen one is needed (`clean`)."""
    said: dict[str, Any] = {"label": one.label, "help_text": one.help, "required": False}
    said["initial"] = one.usual
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
    """The item itself. `kinds` are those offered, and the form has only the fields of those kinds.

    `tested` is what a test or research has to be about, if its requirements ask for that.
    """

    source = forms.ChoiceField(
        label=_("Where can others open the evidence?"), required=False, widget=forms.RadioSelect
    )
    kind = forms.ChoiceField(label=_("Kind of evidence"))
    title = forms.CharField(max_length=200, help_text=_("Describe what the item shows, and for which time."))
    file = forms.FileField(
        required=False, help_text=_("PDF, picture, office document, text, CSV, JSON or email, up to 25 MB.")
    )
    link = forms.URLField(
        required=False,
        max_length=1000,
        assume_scheme="https",
        help_text=_("A link is shown as unverified, because its page can change later."),
    )
    clause = forms.ModelChoiceField(queryset=Clause.objects.none(), required=False, empty_label=_("none"))
    observed_on = DayField(
        label=_("Observed on"),
        help_text=_("The age of the evidence counts from this day, not from the day you add it."),
    )
    result = forms.ChoiceField(choices=[("", _("none")), *EvidenceResult.choices], required=False)
    condition = forms.ChoiceField(
        label=_("Test conditions"), choices=[("", _("none")), *EvidenceCondition.choices], required=False
    )
    note = WordsField(
        required=False,
        help_text=_(
            "Describe the period, the query and the sample, so that a reader can judge the evidence."
        ),
    )
    names_how = forms.ChoiceField(
        label=_("Applies to version"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            (
                BY_ITSELF,
                _("Versions in use on that day and planned versions. A test report names components only."),
            ),
            (CHOSEN, _("Only the versions that you tick below")),
        ],
    )
    names = forms.MultipleChoiceField(
        label=_("Versions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("The versions in use today and the planned versions are ticked at first."),
    )

    def __init__(self, *args, initiative: Initiative, rulebook, kinds, tested=(), **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("file", "link", "result"):  # a kind needs one of the first two, and some kinds the third
            self.fields[name].needed = True
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
        self._limit_tested(tested)
        if not rulebook.result_kinds & set(kinds):
            del self.fields["result"]
        elif EvidenceKind.TEST_REPORT in kinds:
            self.fields["result"].help_text = _(
                "You can leave this empty for a test report. Plumbline compares the result value with the "
                "threshold."
            )
        if not rulebook.condition_kinds & set(kinds):
            del self.fields["condition"]
        in_force = initiative.contract.in_force_at(clock.now()) if initiative.contract_id else None
        if in_force is None or "contract_clause" not in kinds:
            del self.fields["clause"]
        else:
            self.fields["clause"].queryset = in_force.clauses.all()
        self._offer_sources({*kinds}, rulebook)
        self.known = names_of(initiative)
        if self.known:
            usual = spoken_of(initiative, kinds[0] if len(kinds) == 1 else "", clock.today())
            self.fields["names"].choices = [(key, _name(row)) for key, row in self.known.items()]
            self.fields["names"].initial = [key for key, row in self.known.items() if row in usual]
        else:
            del self.fields["names"], self.fields["names_how"]
        self.fields["observed_on"].initial = clock.today()

    def _limit_tested(self, tested: Collection[str]) -> None:
        """Offer only the subjects that the requirements ask a test or research to cover. A single one is chosen."""
        for kind, fields in self.own.items():
            field = fields.get(f"{kind}_tested")
            if field is not None and tested:
                field.choices = [
                    (word, said)
                    for word, said in field.choices
                    if word in tested or (not word and len(tested) > 1)
                ]
                field.initial = next(iter(tested)) if len(tested) == 1 else ""

    def _offer_sources(self, kinds: set[str], rulebook) -> None:
        """Keep only the sources that an item of these kinds has. A single source is not asked for."""
        if kinds == {EvidenceKind.CONTRACT_CLAUSE} and "clause" in self.fields:
            del self.fields["file"], self.fields["link"]
        elif kinds <= {EvidenceKind.LOG_SAMPLE} & rulebook.detailed_kinds:
            del self.fields["link"]
        self.sources = [name for name in SOURCES_OF_ITEM if name in self.fields]
        for name in self.sources:
            self.fields[name].needed = True
        self.fields["source"].choices = [(name, SOURCES_OF_ITEM[name][0]) for name in self.sources]
        self.fields["source"].needed = True
        self.fields["source"].initial = next(iter(self.sources), "")
        if len(self.sources) < 2:
            del self.fields["source"]

    def clean(self):
        """Add the errors of the chosen kind's form to the other errors."""
        fields = super().clean()
        if not any(fields.get(name) or name in self.errors for name in self.sources) and self.meant:
            wanted = fields.get("source") or next(iter(self.sources), "")
            if wanted:
                self.add_error(wanted, SOURCES_OF_ITEM[wanted][1])
        if fields.get("clause") and EvidenceKind.CONTRACT_CLAUSE in dict(self.fields["kind"].choices):
            fields["kind"] = EvidenceKind.CONTRACT_CLAUSE
        kind = fields.get("kind")
        if kind in self.own and self.meant:
            wrong = artefact_kinds.check(
                kind, self.details(kind), result=fields.get("result", ""), today=clock.today()
            )
            for name, said in artefact_kinds.by_field(kind, wrong).items():
                if name not in self.errors:
                    self.add_error(name, said)
            if not wrong and "result" in fields and not fields["result"]:
                fields["result"] = artefact_kinds.result_of(kind, self.details(kind))
        return fields

    @property
    def meant(self) -> bool:
        """Return True if an item is to be added."""
        return True

    def details(self, kind: str) -> dict:
        """Return the input of a kind's form."""
        return {
            name.removeprefix(f"{kind}_"): self.cleaned_data.get(name, "") for name in self.own.get(kind, ())
        }

    @property
    def own_names(self) -> list[str]:
        """Return the fields of the forms of all kinds."""
        return [name for fields in self.own.values() for name in fields]

    @property
    def plain_fields(self) -> list:
        """Return what is asked of every kind, without its source, and without the folded note and versions."""
        apart = {"source", *self.sources, "kind", "note", "names", "names_how", *self.own_names}
        return [field for field in self.visible_fields() if field.name not in apart]

    @property
    def source_fields(self) -> list:
        """Return the fields of the sources, of which only the chosen one is shown."""
        return [self[name] for name in self.sources]

    @property
    def parts(self) -> list[dict]:
        """Return the forms of the kinds: kind, words, lede, fields, shown unfolded."""
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
        """Return the fields as the act takes them."""
        fields = self.cleaned_data
        return {
            "details": self.details(fields["kind"]),
            "kind": fields["kind"],
            "title": fields["title"],
            "observed_on": fields["observed_on"],
            "note": fields["note"],
            "file": fields.get("file"),
            "link": fields.get("link", ""),
            "clause": fields.get("clause"),
            "result": fields.get("result", ""),
            "condition": fields.get("condition", ""),
            "names": self.named(),
        }

    def named(self) -> list:
        """Return the versions that the item names."""
        fields = self.cleaned_data
        if fields.get("names_how") == CHOSEN:
            return [self.known[key] for key in fields["names"]]
        observed_on = fields["observed_on"] or clock.today()
        return spoken_of(self.initiative, fields["kind"], observed_on, fields.get("clause"))


def _no_choice(form: forms.Form, rulebook) -> str:
    """Return the reason why the kind that was sent is refused."""
    sent = form.data.get(form.add_prefix("kind"), "")
    return never_uploaded(sent) if sent in rulebook.register_kinds else "Choose one of the listed kinds."


def _name(row) -> str:
    """Return a version in words, with its days."""
    if isinstance(row, Deployment):
        planned = " (planned)" if row.runs_from > clock.now() else ""
        past = f" (until {row.runs_to:%-d %B %Y})" if row.runs_to and row.runs_to <= clock.now() else ""
        return f"{row.version.get_layer_display()}: {row}{planned or past}"
    if hasattr(row, "user_count"):
        planned = " (planned)" if row.starts_at is None and row.ended_at is None else ""
        return f"Scope {row.number}: {row.user_count} users{planned}"
    return f"Contract, version {row.number}"


class EvidenceForm(EvidenceItemForm):
    """A new item for requirements. `kind` is chosen first, so that only fitting requirements are offered."""

    covers = forms.MultipleChoiceField(
        label=_("Requirements that this item answers"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("One item can answer several requirements."),
    )
    supersedes = forms.ModelChoiceField(
        label=_("Replaces"),
        queryset=None,
        required=False,
        empty_label=_("nothing"),
        help_text=_("The older item no longer counts. Approvals based on the older item go stale."),
    )

    def __init__(self, *args, initiative: Initiative, rulebook, kind: str, keys, **kwargs):
        super().__init__(*args, initiative=initiative, rulebook=rulebook, kinds=[kind], **kwargs)
        self.fields["kind"].widget = forms.HiddenInput()
        self.fields["kind"].initial = kind
        for name in ("result", "condition"):
            if name in self.fields and not (name == "result" and kind == EvidenceKind.TEST_REPORT):
                self.fields[name].required = True
                self.fields[name].choices = [("", "choose"), *self.fields[name].choices[1:]]
        self.fields["covers"].choices = cover_choices(rulebook, kind, keys)
        live = initiative.evidence.filter(
            withdrawn_at__isnull=True, superseded_by__isnull=True, generated=False
        )
        # What was uploaded as a kind that is never uploaded now is replaced by an item of another kind.
        fits = {kind, *rulebook.register_kinds} - {EvidenceKind.ATTESTATION}
        self.fields["supersedes"].queryset = live.filter(kind__in=fits).order_by("-observed_on", "-id")
        for name in self.own_names:
            self.fields[name].required = True
        self.order_fields(["kind", *self.own_names, "title", "observed_on", "covers"])

    def act(self) -> dict:
        """Return the fields as the act takes them."""
        fields = self.cleaned_data
        return super().act() | {"covers": fields["covers"], "supersedes": fields["supersedes"]}


def coverable(rulebook, kind: str, keys) -> list[str]:
    """Return the requirements of `keys` that this kind can prove, in order."""
    return [
        key
        for key in rulebook.requirements
        if key in keys
        and key not in gates_requirements.GENERATED_ONLY
        and kind in rulebook.requirements[key].evidence
    ]


def cover_choices(rulebook, kind: str, keys) -> list[tuple[str, str]]:
    """Return those requirements as choices."""
    return [(key, rulebook.requirements[key].question) for key in coverable(rulebook, kind, keys)]


class CoverForm(forms.Form):
    """More requirements that an item proves."""

    requirements = forms.MultipleChoiceField(
        label=_("More requirements that this item answers"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, rulebook, kind: str, keys, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["requirements"].choices = cover_choices(rulebook, kind, keys)
