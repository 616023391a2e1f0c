"""Forms of reviews: a reason, a question, an answer, the conditions of a decision."""

from django import forms
from django.db.models import Q, QuerySet

from governance import clock
from governance.models import User
from governance.people.boards import board_for
from governance.sign_in.signing import SigningForm
from governance.web.form_fields import DayField, PersonField, ReasonForm, WordsField
from initiatives.models import Initiative


def people_around(initiative: Initiative, *more) -> QuerySet:
    """Who can be asked to do something for the initiative: people with a role on it, its board, and `more`."""
    board = board_for(initiative.unit)
    seated = board.memberships.held_at(clock.now()).values("person") if board else []
    return (
        User.objects.active()
        .select_related("unit")
        .filter(Q(pk__in=initiative.roles.in_force().values("person")) | Q(pk__in=seated) | Q(pk__in=[*more]))
    )


class ReasonOfActForm(ReasonForm):
    """The reason of one act at a review; whether it must be there is the act's own rule, which the page knows."""

    def __init__(self, *args, label: str = "Reason", help_text: str = "", required: bool = True, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = label
        self.fields["reason"].help_text = help_text
        self.fields["reason"].required = required


class SignedReasonForm(SigningForm, ReasonOfActForm):
    """The reason of an act at a review that binds, and the signature."""

    act = "decision"


class TextForm(forms.Form):
    """The words of an answer."""

    text = WordsField(label="Your answer", max_length=4000)


class NoteForm(forms.Form):
    """What shows that something is done."""

    note = WordsField(label="What shows that it is met", max_length=4000, help_text="Name the evidence.")


class QuestionForm(forms.Form):
    """A question on one criterion of the gate."""

    criterion = forms.ChoiceField(label="Criterion")
    text = WordsField(label="Your question", max_length=4000)

    def __init__(self, *args, gate, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["criterion"].choices = [(c.key, c.question) for c in gate.criteria]


class ConditionForm(forms.Form):
    """One condition of a decision: what, by whom, until when."""

    text = WordsField(label="Condition", max_length=2000)
    owner = PersonField(label="Who meets it")
    due = DayField(label="By which day")

    def __init__(self, *args, people, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = people

    def clean_due(self):
        """A condition lies ahead: overdue ones block decisions."""
        due = self.cleaned_data["due"]
        if due < clock.today():
            raise forms.ValidationError("Choose a day that lies ahead.")
        return due


class ConditionRows(forms.BaseFormSet):
    """The conditions of a decision; what a signer proposed can be left out."""

    def add_fields(self, form, index):
        """Django's word for leaving a row out says what it does here."""
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].label = "Leave this condition out"


ConditionFormSet = forms.formset_factory(
    ConditionForm, formset=ConditionRows, extra=1, can_delete=True, can_delete_extra=False
)
