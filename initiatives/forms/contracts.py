"""The draft of a contract: clauses, each of a kind and in a sentence."""

from django import forms

from governance.models.contracts import CLAUSE_KINDS
from initiatives.actions import Written
from initiatives.forms import DayField

# Empty rows offered below the clauses that are there, so that adding needs no script.
EXTRA_ROWS = 3
MOST_CLAUSES = 100


class ClauseForm(forms.Form):
    """One clause; a row whose sentence is emptied goes."""

    # A row is empty or whole: no field of it is marked as optional.
    rows_may_be_empty = True

    kind = forms.ChoiceField(choices=[("", "choose a kind"), *CLAUSE_KINDS.items()], required=False)
    sentence = forms.CharField(
        required=False, max_length=4_000, widget=forms.Textarea(attrs={"rows": 2}), label="Sentence"
    )

    def clean(self):
        """A sentence needs its kind; a kind alone is an empty row."""
        cleaned = super().clean()
        if cleaned.get("sentence") and not cleaned.get("kind"):
            self.add_error("kind", "Choose a kind for this clause.")
        return cleaned


ClauseFormSet = forms.formset_factory(
    ClauseForm, extra=EXTRA_ROWS, max_num=MOST_CLAUSES, absolute_max=MOST_CLAUSES + EXTRA_ROWS
)


def clauses_of(formset) -> list[Written]:
    """The clauses that were written, in order."""
    rows = (form.cleaned_data for form in formset)
    return [Written(row["kind"], row["sentence"]) for row in rows if row.get("sentence")]


class StartForm(forms.Form):
    """From when the version is wanted."""

    wanted_from = DayField(
        label="In force from", required=False, help_text="Empty: as soon as the last seat has approved it."
    )
