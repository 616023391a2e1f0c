"""Forms of sign-offs: words, criteria, a condition; and the signature."""

from django import forms

from governance import clock
from governance.gates.sign_off_statement import one_line
from governance.sign_in.signing import SigningForm
from governance.vocabulary import SignOffVerdict
from governance.web.form_fields import DayField, PersonField, WordsField

REASON = {
    SignOffVerdict.APPROVE: ("Remark", "It becomes part of the statement."),
    SignOffVerdict.CONDITION: ("Remark", "It becomes part of the statement."),
    SignOffVerdict.OBJECT: ("Why you object", "So that others can answer it."),
    SignOffVerdict.RECUSE: ("Why you recuse yourself", "For instance: I advised the team last year."),
}


class SignOffForm(forms.Form):
    """The words of a sign-off: they are part of the statement shown next, and stand in no address."""

    criteria = forms.MultipleChoiceField(
        label="Criteria you object to",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Name the criteria of your seat that you object to."},
    )
    condition_text = WordsField(label="The condition", max_length=600)
    condition_owner = PersonField(label="Who meets it")
    condition_due = DayField(label="By which day")
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
        """A condition lies ahead."""
        due = self.cleaned_data["condition_due"]
        if due < clock.today():
            raise forms.ValidationError("Choose a day that lies ahead.")
        return due

    def words(self) -> dict:
        """What the sign-off says beside its verdict, as plain values: reason, criteria, condition."""
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
        """None: the digest of what was read is a fact, and the seal around it says no more."""
        return {}
