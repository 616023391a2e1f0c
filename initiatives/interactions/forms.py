"""Forms of the interaction log: filters, a file, an erasure, act names."""

from collections.abc import Iterable
from dataclasses import replace

from django import forms
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.audit.forms import DayField
from governance.database.shown_state import OverwritingForm
from governance.interaction_log.keys import pseudonym
from governance.interaction_log.reading import Wanted
from governance.sign_in.signing import SigningForm
from governance.vocabulary import LogFindingKind
from governance.vocabulary.phrases import phrase
from initiatives.interactions.actions import NO_ACT
from initiatives.interactions.comparison.act_names import names_of
from initiatives.models import Initiative, LogFinding

DONE, PROBABLE = "done", "probable"
# What the comparison with decisions may have said of an interaction.
FOUND = {
    "": _("any"),
    DONE: _("permitted and done"),
    LogFindingKind.NEVER_ASKED: _("done without a request"),
    LogFindingKind.AFTER_DENIAL: _("done after a denial"),
    PROBABLE: _("probably after a denial"),
    LogFindingKind.OTHER_MODEL: _("by a model that is not declared"),
}
MOST_FOUND = 5_000


class InteractionFilter(forms.Form):
    """Optional filters of the log. The page names and ignores invalid ones."""

    subject = forms.CharField(
        label=_("Person"),
        required=False,
        max_length=220,
        help_text=_("Enter the name exactly as the system uses it."),
    )
    model = forms.CharField(label=_("Model or version"), required=False, max_length=120)
    decided = forms.ChoiceField(
        label=_("Names a decision"),
        required=False,
        choices=[("", "any"), ("yes", "yes"), ("no", "no")],
    )
    key = forms.TypedChoiceField(label=_("Key"), required=False, coerce=int, empty_value=None)
    unread = forms.ChoiceField(
        label=_("Words"), required=False, choices=[("", _("any")), ("yes", _("not fully understood"))]
    )
    found = forms.ChoiceField(label=_("Compared with decisions"), required=False, choices=list(FOUND.items()))
    since = DayField(label=_("From"))
    until = DayField(label=_("To"))

    def __init__(self, *args, keys, people: bool, **options):
        """Take the `keys` of the initiative. `people` is True if the reader may search by person."""
        super().__init__(*args, **options)
        choice = self.fields["key"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [("", "any"), *((str(key.pk), str(key)) for key in keys)]
        if not people:
            del self.fields["subject"]

    @property
    def wanted(self) -> Wanted:
        """Return the valid filters, without the one on the comparison (`compared`)."""
        self.is_valid()
        given = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        given.pop("found", None)
        if "unread" in given:
            given["unread"] = True
        if "since" in given:
            given["since"] = clock.midnight_before(given["since"])
        if "until" in given:
            given["until"] = clock.midnight_after(given["until"])
        return Wanted(**given)

    def compared(self, initiative: Initiative) -> Wanted:
        """Return the valid filters, narrowed to the chosen findings of the comparison."""
        wanted, chosen = self.wanted, self.cleaned_data.get("found", "")
        if not chosen:
            return wanted
        found = LogFinding.objects.current().filter(initiative=initiative, interaction__isnull=False)
        if wanted.since is not None:
            found = found.filter(at__gte=wanted.since)
        if wanted.until is not None:
            found = found.filter(at__lt=wanted.until)
        if chosen == DONE:
            rows = found.exclude(kind=LogFindingKind.OTHER_MODEL).values_list("interaction", flat=True)
            actions = tuple(names_of([initiative])[initiative.pk].actions)
            return replace(wanted, actions=actions, without=tuple(rows[:MOST_FOUND]))
        if chosen == LogFindingKind.OTHER_MODEL:
            labels = found.filter(kind=chosen).values_list("what", flat=True)
            return replace(wanted, answered_by=tuple(dict.fromkeys(labels[:MOST_FOUND])))
        found = found.filter(probable=True) if chosen == PROBABLE else found.filter(kind=chosen)
        return replace(
            wanted, only=tuple(found.order_by("-at").values_list("interaction", flat=True)[:MOST_FOUND])
        )


class PersonForm(forms.Form):
    """A person by the name that systems use, the scope, and the reason."""

    subject = forms.CharField(
        label=_("Person"),
        max_length=220,
        help_text=_("Enter the name exactly as the system uses it. The audit log keeps only a pseudonym."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    everywhere = forms.TypedChoiceField(
        label=_("Where"),
        coerce=lambda value: value == "all",
        choices=[("this", "in this initiative"), ("all", "in all initiatives")],
        widget=forms.RadioSelect,
        initial="this",
    )
    why = forms.CharField(
        label=_("Why"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The audit log keeps this text permanently. Do not name the person in this text."),
    )


class ErasureForm(PersonForm, SigningForm):
    """The person to erase, the scope, the reason, the legal duty, and the signature."""

    act = "erasure"

    duty = forms.CharField(
        label=_("Legal duty"),
        max_length=200,
        help_text=_("For example: GDPR, Article 17."),
    )

    def signed_words(self, cleaned: dict) -> dict:
        """Replace the person by their pseudonym. The signed text does not keep the name."""
        return cleaned | {"subject": pseudonym("subject", cleaned.get("subject", "")).hex()}


class InteractionFileForm(forms.Form):
    """A file from systems that cannot report by themselves."""

    MOST = 20 << 20  # bytes: the most lines of a sending, of two kilobytes each
    NAMED = (".csv", ".jsonl", ".ndjson", ".json")

    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "Choose a JSON file with one object on each line, or a CSV file with these names in its "
            "first line: at, input, output, model, version, subject, conversation, decision, tools, "
            "sources, tokens_in, tokens_out, id. Other names are kept too."
        ),
    )

    def clean_file(self):
        """Raise ValidationError for another kind of file, and for one that is too large."""
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith(self.NAMED):
            raise ValidationError(
                phrase("Choose a file with one of these endings: {}.", ", ".join(self.NAMED))
            )
        if file.size > self.MOST:
            raise ValidationError(
                phrase("The file is larger than {}. Split it into smaller files.", filesizeformat(self.MOST))
            )
        return file


class ActNamesForm(OverwritingForm):
    """The meaning of each name of an act: an action of the contract, or none."""

    def __init__(self, *args, names: Iterable[tuple[str, str, int]], actions: dict[str, str], **options):
        """Take `names` as (name, meaning or "", times seen), and `actions`, words by key."""
        super().__init__(*args, initial={f"act-{name}": said for name, said, _count in names}, **options)
        offered = [
            ("", _("not chosen")),
            *((key, f"{words} ({key})") for key, words in actions.items()),
            (NO_ACT, _("no act of the contract")),
        ]
        self.names = {f"act-{name}": name for name, _said, _count in names}
        for name, _said, count in names:
            self.fields[f"act-{name}"] = forms.ChoiceField(
                label=name,
                required=False,
                choices=offered,
                help_text=_("Seen %(count)s times in the last thirty days.") % {"count": count},
            )

    def act(self) -> dict[str, dict[str, str]]:
        """Return the chosen action by name."""
        meant = {self.names[field]: value for field, value in self.cleaned_data.items()}
        return {"meant": meant}
