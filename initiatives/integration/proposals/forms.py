"""The form of whoever declines a proposal."""

from django import forms

from initiatives.form_fields import WordsField


class DeclineForm(forms.Form):
    """Why not."""

    answer = WordsField(label="Why not", help_text="Whoever proposed it reads this.")
