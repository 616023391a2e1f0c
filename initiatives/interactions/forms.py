"""Forms of the interaction log: its filters, a file, a person erased, a shorter time, what names of acts mean."""

from collections.abc import Iterable
from dataclasses import replace

from django import forms
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.audit.forms import DayField
from governance.interaction_log.keys import pseudonym
from governance.interaction_log.reading import Wanted
from governance.sign_in.signing import SigningForm
from governance.vocabulary import LogFindingKind
from governance.web.form_fields import DayField as ChosenDayField
from governance.web.form_fields import WordsField
from initiatives.interactions.actions import NO_ACT
from initiatives.interactions.comparison.act_names import names_of
from initiatives.models import BodyTerm, Initiative, LogFinding

DONE, PROBABLE = "done", "probable"
# What the comparison with decisions may have said of an interaction.
FOUND = {
    "": _("any"),
    DONE: _("permitted and done"),
    LogFindingKind.NEVER_ASKED: _("done and never asked"),
    LogFindingKind.AFTER_DENIAL: _("done after a denial"),
    PROBABLE: _("probably after a denial"),
    LogFindingKind.OTHER_MODEL: _("by a model that nobody declared"),
}
MOST_FOUND = 5_000


class InteractionFilter(forms.Form):
    """Nothing is required; what is not understood is said and left out."""

    subject = forms.CharField(
        label="Person", required=False, max_length=220, help_text="Exactly as the system calls them."
    )
    model = forms.CharField(label="Model or version", required=False, max_length=120)
    decided = forms.ChoiceField(
        label="Names a decision", required=False, choices=[("", "any"), ("yes", "yes"), ("no", "no")]
    )
    key = forms.TypedChoiceField(label="Key", required=False, coerce=int, empty_value=None)
    unread = forms.ChoiceField(
        label=_("Words"), required=False, choices=[("", _("any")), ("yes", _("not all understood"))]
    )
    found = forms.ChoiceField(label=_("Compared with decisions"), required=False, choices=list(FOUND.items()))
    since = DayField(label="From")
    until = DayField(label="To")

    def __init__(self, *args, keys, people: bool, **options):
        """`keys` are those of the initiative; `people`: whether the reader may look for a person."""
        super().__init__(*args, **options)
        choice = self.fields["key"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [("", "any"), *((str(key.pk), str(key)) for key in keys)]
        if not people:
            del self.fields["subject"]

    @property
    def wanted(self) -> Wanted:
        """What was understood, but what was compared (`compared`)."""
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
        """What is wanted of the initiative, narrowed to what the comparison with decisions said of it."""
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


class ErasureForm(SigningForm):
    """Who is erased, where, why, and the signature."""

    act = "erasure"

    subject = forms.CharField(
        label="Person",
        max_length=220,
        help_text="Exactly as the system calls them. It is kept nowhere: the audit log keeps a pseudonym.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    everywhere = forms.TypedChoiceField(
        label="Where",
        coerce=lambda value: value == "all",
        choices=[("this", "in this initiative"), ("all", "in all initiatives")],
        widget=forms.RadioSelect,
        initial="this",
    )
    duty = forms.CharField(
        label="Which duty asks for it", max_length=200, help_text="For instance: GDPR, Article 17."
    )
    why = forms.CharField(
        label="Why",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="It stays in the audit log for good: write it without naming the person.",
    )

    def signed_words(self, cleaned: dict) -> dict:
        """The person by the pseudonym that the audit log keeps: their name stands nowhere afterwards."""
        return cleaned | {"subject": pseudonym("subject", cleaned.get("subject", "")).hex()}


class BodyTermForm(forms.Form):
    """For how many days what was said is kept, on which legal basis, and until when that holds."""

    days = forms.IntegerField(
        label="Days",
        min_value=BodyTerm.LEAST,
        max_value=BodyTerm.MOST,
        help_text=f"From {BodyTerm.LEAST} to {BodyTerm.MOST}, from the day it came in.",
    )
    reason = WordsField(
        label="Legal basis",
        max_length=2000,
        help_text="The law that asks for less, and why it applies. The risk seat and an auditor agree to these words.",
    )
    until = ChosenDayField(label="Until which day", help_text=f"At most {BodyTerm.LONGEST} days.")


class InteractionFileForm(forms.Form):
    """A file of what systems did that cannot report it by themselves."""

    MOST = 20 << 20  # bytes: the most lines of a sending, of two kilobytes each
    NAMED = (".csv", ".jsonl", ".ndjson", ".json")

    file = forms.FileField(
        label=_("The file"),
        help_text=_(
            "JSON, one object a line, or CSV with the names in its first line: at, input, output, model, version, "
            "subject, conversation, decision, tools, sources, tokens_in, tokens_out, id. Other names are kept too."
        ),
    )

    def clean_file(self):
        """Raises ValidationError for another kind of file, and for one that is too large."""
        file = self.cleaned_data["file"]
        if not file.name.lower().endswith(self.NAMED):
            raise ValidationError(f"Choose a file whose name ends in one of {', '.join(self.NAMED)}.")
        if file.size > self.MOST:
            raise ValidationError(f"The file holds more than {filesizeformat(self.MOST)}: divide it.")
        return file


class ActNamesForm(forms.Form):
    """What each name of an act means: an action of the contract, no act of it, or what it says."""

    def __init__(self, *args, names: Iterable[tuple[str, str, int]], actions: dict[str, str], **options):
        """`names`: each with what is said of it ("" for nothing) and how often it was seen; `actions`: words by key."""
        super().__init__(*args, **options)
        offered = [
            ("", _("not said")),
            *((key, f"{words} ({key})") for key, words in actions.items()),
            (NO_ACT, _("no act of the contract")),
        ]
        self.names = {f"act-{name}": name for name, _said, _count in names}
        for name, said, count in names:
            self.fields[f"act-{name}"] = forms.ChoiceField(
                label=name,
                required=False,
                choices=offered,
                initial=said,
                help_text=_("Seen %(count)s times in the last thirty days.") % {"count": count},
            )

    @property
    def meant(self) -> dict[str, str]:
        """By name, what was chosen."""
        return {self.names[field]: value for field, value in self.cleaned_data.items()}
