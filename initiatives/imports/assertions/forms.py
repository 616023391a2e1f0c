"""Filters of what lists assert, and what a person says of the rows that were ticked."""

from django import forms
from django.utils.translation import gettext_lazy as _

from initiatives.form_fields import WordsField
from initiatives.imports.assertions.queries import MOVE_WORDS, STATES, Wanted

DO = {
    "take": _("Take the newer claim"),
    "leave": _("Leave the claim as it was"),
    "same": _("It is the same system"),
    "other": _("It is another system"),
}


class MovesFilter(forms.Form):
    """The filter of the moves; every field may be left empty."""

    q = forms.CharField(
        label=_("Name"), required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    batch = forms.TypedChoiceField(label=_("List"), required=False, coerce=int, empty_value=None)
    move = forms.ChoiceField(
        label=_("Asserted move"), required=False, choices=[("", _("any")), *MOVE_WORDS.items()]
    )
    state = forms.ChoiceField(label=_("Decision"), required=False, choices=[("", _("any")), *STATES.items()])
    organisation = forms.CharField(label=_("Organisation"), required=False, max_length=160)

    def __init__(self, data, *, lists, **options):
        """`lists`: the confirmed lists to choose from."""
        super().__init__(data, **options)
        named = [(str(one.pk), f"{one.file_name[:60]} ({one.pk})") for one in lists]
        self.fields["batch"].choices = [("", _("any")), *named]

    @property
    def wanted(self) -> Wanted:
        """What was understood."""
        self.is_valid()
        given = self.cleaned_data
        return Wanted(
            batch=given.get("batch"),
            move=given.get("move") or "",
            state=given.get("state") or "",
            organisation=given.get("organisation") or "",
            text=given.get("q") or "",
        )


class DecideMovesForm(forms.Form):
    """What is said of the ticked rows, and why."""

    what = forms.ChoiceField(
        label=_("What you say of the ticked rows"), choices=[("", _("choose")), *DO.items()]
    )
    every = forms.BooleanField(
        label=_("Of every row that passes the filter, not of the ticked ones alone"), required=False
    )
    reason = WordsField(
        label=_("How you know"), help_text=_("It stays with each initiative: a claim is an author's word.")
    )


class AnswersFilter(forms.Form):
    """Which question of a list, and which answers to it."""

    question = forms.ChoiceField(label=_("Question"), required=False)
    answer = forms.CharField(
        label=_("Its answer contains"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    word = forms.ChoiceField(label=_("Counts here as"), required=False)
    stage = forms.ChoiceField(label=_("Stage as reported"), required=False)
    organisation = forms.CharField(label=_("Organisation"), required=False, max_length=160)
    and_question = forms.ChoiceField(label=_("And to the question"), required=False)
    and_answer = forms.CharField(label=_("the answer is"), required=False, max_length=200)

    def __init__(self, data, *, questions, words, stages, **options):
        """`questions`: [(column, words)], `words`: how answers are called here, `stages`: as the source writes them."""
        super().__init__(data, **options)
        self.fields["question"].choices = [("", _("choose")), *questions]
        self.fields["and_question"].choices = [("", _("any")), *questions]
        self.fields["word"].choices = [("", _("any")), *((word, word) for word in words)]
        self.fields["stage"].choices = [("", _("any")), *((stage, stage) for stage in stages if stage)]

    @property
    def given(self) -> dict:
        """What was understood."""
        self.is_valid()
        return self.cleaned_data
