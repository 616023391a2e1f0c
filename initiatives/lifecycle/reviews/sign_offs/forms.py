"""Forms of sign-offs: words, criteria, a condition, and the signature."""

from django import forms
from django.utils.translation import gettext_lazy

from governance import clock
from governance.gates.sign_off_statement import one_line
from governance.sign_in.signing import SigningForm
from governance.vocabulary import SignOffVerdict
from governance.web.form_fields import DayField, PersonField, WordsField

REASON = {
    SignOffVerdict.APPROVE: ("Remark", "The remark becomes part of the statement."),
    SignOffVerdict.CONDITION: ("Remark", "The remark becomes part of the statement."),
    SignOffVerdict.OBJECT: ("Why you object", "Others can read and answer the reason."),
    SignOffVerdict.RECUSE: ("Reason to recuse yourself", "For instance: I advised the team last year."),
}


class SignOffForm(forms.Form):
    """The words of a sign-off, part of the statement and of no address."""

    criteria = forms.MultipleChoiceField(
        label=gettext_lazy("Criteria you object to"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose the criteria of your seat that you object to."},
    )
    condition_text = WordsField(label=gettext_lazy("The condition"), max_length=600)
    condition_owner = PersonField(label=gettext_lazy("Owner of the condition"))
    condition_due = DayField(label=gettext_lazy("Due date"))
    reason = WordsField(max_length=1000)

    def __init__(self, data, *, verdict: str, criteria, people):
        super().__init__(data)
        label, help_text = REASON[verdict]
        self.fields["reason"].label, self.fields["reason"].help_text = label, help_text
        self.fields["reason"].required = verdict in (SignOffVerdict.OBJECT, SignOffVerdict.RECUSE)
        self.fields["criteria"].choices = [(c.key, c.question) for c in criteria]
        self.fields["condition_owner"].queryset = people
        if verdict != SignOffVerdict.OBJECT:
            del self.fields["criteria"]
        if verdict != SignOffVerdict.CONDITION:
            for name in ("condition_text", "condition_owner", "condition_due"):
                del self.fields[name]

    def clean_condition_due(self):
        """Refuse a past day for the condition."""
        due = self.cleaned_data["condition_due"]
        if due < clock.today():
            raise forms.ValidationError(gettext_lazy("Choose today or a later day."))
        return due

    def words(self) -> dict:
        """Return reason, criteria and condition of the sign-off as plain values."""
        given = self.cleaned_data
        condition = None
        if given.get("condition_text"):
            owner = given["condition_owner"]
            condition = {
                "text": one_line(given["condition_text"]),
                "owner": owner.pk,
                "owner_name": owner.full_name,
                "due": given["condition_due"].isoformat(),
            }
        return {
            "reason": one_line(given["reason"]),
            "criteria": list(given.get("criteria", ())),
            "condition": condition,
        }


class StatementForm(SigningForm):
    """The signature: how the signer shows who they are, and what was shown, sealed."""

    act = "sign_off"
    statement = forms.CharField(widget=forms.HiddenInput)

    def signed_words(self, cleaned: dict) -> dict:
        """Return no words, because the digest of the statement is a signed fact."""
        return {}

    def shown_values(self) -> dict:
        """Return nothing, because the act compares the whole statement."""
        return {}
