"""Forms on roles."""

from django import forms

from governance.vocabulary import Role
from initiatives.form_fields import PersonField, WordsField


class ProposeForm(forms.Form):
    """A person for a role."""

    role = forms.ChoiceField(choices=[("", "choose a role"), *Role.choices])
    person = PersonField(help_text="The role counts once this person has accepted it.")


class AcceptForm(forms.Form):
    """Own words beside those that are accepted."""

    words = WordsField(
        label="In your own words",
        required=False,
        help_text="Left empty, the words above are what you accept.",
    )


class DeclineForm(forms.Form):
    """Why not."""

    reason = WordsField(label="Why", required=False, help_text="Helps the owner to find somebody else.")
