"""The form by which a waiver is asked for."""

from datetime import timedelta

from django import forms

from governance import clock
from governance.web.form_fields import DayField, WordsField


class WaiverForm(forms.Form):
    """What is to be waived, why, and until when. Only what the rulebook lets anybody waive can be chosen."""

    key = forms.ChoiceField(label="What cannot be shown now")
    reason = WordsField(
        label="Why, and what is done instead",
        max_length=2000,
        help_text="The chair and the risk seat decide on these words.",
    )
    until = DayField(label="Until which day")

    def __init__(self, *args, choices, longest: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["key"].choices = choices
        last = clock.today() + timedelta(days=longest)
        self.fields["until"].help_text = f"At most {longest} days, not after {last:%-d %B %Y}."
