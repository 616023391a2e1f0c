"""The form that requests a waiver."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy

from governance import clock
from governance.web.form_fields import DayField, WordsField


class WaiverForm(forms.Form):
    """The requirement to waive, the reason and the last day. Only waivable ones can be chosen."""

    key = forms.ChoiceField(label=gettext_lazy("Requirement that cannot be met now"))
    reason = WordsField(
        label=gettext_lazy("Reason, and what is done instead"),
        max_length=2000,
        help_text=gettext_lazy("The chair and the risk seat use your text to decide."),
    )
    until = DayField(label=gettext_lazy("Until"))

    def __init__(self, *args, choices, longest: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["key"].choices = choices
        last = clock.today() + timedelta(days=longest)
        self.fields[
            "until"
        ].help_text = f"The waiver can last at most {longest} days, until {last:%-d %B %Y}."
