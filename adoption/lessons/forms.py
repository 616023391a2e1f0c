"""Forms of lessons: a lesson from outside, answers, the reason to take one out."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.models.postmortems import PATTERNS
from governance.vocabulary import Layer
from initiatives.models import System

NOT_SAID, YES, NO = "", "yes", "no"
APPLIES = [(YES, "Applies to this initiative"), (NO, "Does not apply")]


class LessonForm(forms.Form):
    """The form for a lesson from outside: its source, and what to do instead."""

    text = forms.CharField(
        label=_("What should the next team know?"),
        help_text=_("One or two sentences, in your own words."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    instead = forms.CharField(
        label=_("Better alternative"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    source = forms.CharField(
        label=_("Source"),
        help_text=_(
            "For example a public incident, a report or another company. Others must be able to "
            "check the source."
        ),
        max_length=300,
    )
    source_link = forms.URLField(
        label=_("Address of the source"), max_length=500, required=False, assume_scheme="https"
    )
    layer = forms.ChoiceField(
        label=_("Layer of the cause"), choices=[("", _("not chosen yet")), *Layer.choices]
    )
    pattern = forms.ChoiceField(
        label=_("Kind of problem"), choices=[("", _("none of these")), *PATTERNS.items()], required=False
    )
    tags = forms.CharField(
        label=_("Search words"),
        help_text=_("Separate the words with commas."),
        max_length=300,
        required=False,
    )
    vendors = forms.CharField(
        label=_("Vendors"),
        help_text=_("Use the same names as the pages of the initiatives. Separate the names with commas."),
        max_length=300,
        required=False,
    )
    systems = forms.ModelMultipleChoiceField(System.objects.none(), label=_("Our systems"), required=False)

    def __init__(self, *args, **kwargs):
        """Offer the current systems."""
        super().__init__(*args, **kwargs)
        self.fields["systems"].queryset = System.objects.current().order_by("name")

    def act(self) -> dict:
        """Return the arguments of `actions.enter`."""
        said = self.cleaned_data
        return said | {
            "tags": said["tags"].split(","),
            "vendors": said["vendors"].split(","),
            "systems": [system.pk for system in said["systems"]],
        }


class ReasonForm(forms.Form):
    """The form for the reason to take a lesson out of the library."""

    reason = forms.CharField(label=_("Why should the lesson no longer be offered?"), max_length=500)


class ResponsesForm(forms.Form):
    """The form for an answer to each lesson. Open ones remain open. `rows`: (lesson, its last response or None)."""

    rows_may_be_empty = True

    def __init__(self, *args, rows=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.rows = list(rows)
        for lesson, last in self.rows:
            self.fields[f"applies_{lesson.pk}"] = forms.ChoiceField(
                label=_("Does it apply?"),
                choices=APPLIES,
                required=False,
                widget=forms.RadioSelect,
                initial=(YES if last.applies else NO) if last else NOT_SAID,
            )
            self.fields[f"words_{lesson.pk}"] = forms.CharField(
                label=_("Action taken, or reason why the lesson does not apply"),
                required=False,
                max_length=2000,
                strip=False,
                initial=last.words if last else "",
                widget=forms.Textarea(attrs={"rows": 2}),
            )
            self.fields[f"version_{lesson.pk}"] = forms.IntegerField(
                required=False, widget=forms.HiddenInput, initial=last.version if last else 0
            )

    def fields_of(self, lesson) -> tuple:
        """Return the bound fields of one lesson: applies, words, version."""
        return tuple(self[f"{name}_{lesson.pk}"] for name in ("applies", "words", "version"))

    def clean(self):
        """Refuse an answer without its words, or words without an answer."""
        said = super().clean()
        for lesson, _words in self.rows:
            applies, words = said.get(f"applies_{lesson.pk}"), said.get(f"words_{lesson.pk}", "")
            if applies and not words.strip():
                self.add_error(
                    f"words_{lesson.pk}",
                    "Describe what was done about the lesson."
                    if applies == YES
                    else "Give a reason why the lesson does not apply.",
                )
            if words.strip() and not applies:
                self.add_error(f"applies_{lesson.pk}", "Choose whether the lesson applies.")
        return said

    def changed(self) -> list[tuple]:
        """Return the changed answers: lesson, applies, words, the version that was seen."""
        found = []
        for lesson, last in self.rows:
            applies = self.cleaned_data.get(f"applies_{lesson.pk}")
            words = self.cleaned_data.get(f"words_{lesson.pk}", "").strip()
            before = (YES if last.applies else NO, last.words) if last else None
            if applies and (applies, words) != before:
                seen = self.cleaned_data.get(f"version_{lesson.pk}") or 0
                found.append((lesson, applies == YES, words, seen))
        return found
