"""Lessons as forms: one from outside, an answer to each that is offered, why one is taken out."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.models.postmortems import PATTERNS
from governance.vocabulary import Layer
from initiatives.models import System

NOT_SAID, YES, NO = "", "yes", "no"
APPLIES = [(YES, "It applies to this initiative"), (NO, "It does not apply")]


class LessonForm(forms.Form):
    """A lesson from outside: what was read where, and what to do instead."""

    text = forms.CharField(
        label=_("What the next team should know"),
        help_text=_("One or two sentences, in your own words."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    instead = forms.CharField(
        label=_("What to do instead"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    source = forms.CharField(
        label=_("Where it was read"),
        help_text=_("A public incident, a report, another company: so that others can check it."),
        max_length=300,
    )
    source_link = forms.URLField(
        label=_("Its address"), max_length=500, required=False, assume_scheme="https"
    )
    layer = forms.ChoiceField(
        label=_("The layer it lies in"), choices=[("", _("not chosen yet")), *Layer.choices]
    )
    pattern = forms.ChoiceField(
        label=_("Kind of trouble"), choices=[("", _("none of these")), *PATTERNS.items()], required=False
    )
    tags = forms.CharField(
        label=_("Other words it should be found by"),
        help_text=_("Apart by commas."),
        max_length=300,
        required=False,
    )
    vendors = forms.CharField(
        label=_("Vendors it is about"),
        help_text=_("As they are called in the initiatives, apart by commas."),
        max_length=300,
        required=False,
    )
    systems = forms.ModelMultipleChoiceField(
        System.objects.none(), label=_("Systems of ours it is about"), required=False
    )

    def __init__(self, *args, **kwargs):
        """The systems of today."""
        super().__init__(*args, **kwargs)
        self.fields["systems"].queryset = System.objects.current().order_by("name")

    def act(self) -> dict:
        """What `actions.enter` takes."""
        said = self.cleaned_data
        return said | {
            "tags": said["tags"].split(","),
            "vendors": said["vendors"].split(","),
            "systems": [system.pk for system in said["systems"]],
        }


class ReasonForm(forms.Form):
    """Why a lesson is taken out of the library."""

    reason = forms.CharField(label=_("Why it should no longer be offered"), max_length=500)


class ResponsesForm(forms.Form):
    """An answer to each lesson; what is left open stays open. `rows`: (lesson, its last response or None)."""

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
                label=_("What was done about it, or why it does not apply"),
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
        """The bound fields of one lesson: applies, words, version."""
        return tuple(self[f"{name}_{lesson.pk}"] for name in ("applies", "words", "version"))

    def clean(self):
        """Half an answer is none."""
        said = super().clean()
        for lesson, _words in self.rows:
            applies, words = said.get(f"applies_{lesson.pk}"), said.get(f"words_{lesson.pk}", "")
            if applies and not words.strip():
                self.add_error(
                    f"words_{lesson.pk}",
                    "Say what was done about it." if applies == YES else "Say why it does not apply.",
                )
            if words.strip() and not applies:
                self.add_error(f"applies_{lesson.pk}", "Say whether it applies.")
        return said

    def changed(self) -> list[tuple]:
        """What was said anew: lesson, applies, words, the version that was seen."""
        found = []
        for lesson, last in self.rows:
            applies = self.cleaned_data.get(f"applies_{lesson.pk}")
            words = self.cleaned_data.get(f"words_{lesson.pk}", "").strip()
            before = (YES if last.applies else NO, last.words) if last else None
            if applies and (applies, words) != before:
                seen = self.cleaned_data.get(f"version_{lesson.pk}") or 0
                found.append((lesson, applies == YES, words, seen))
        return found
