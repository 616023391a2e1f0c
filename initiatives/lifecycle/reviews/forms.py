"""Forms of reviews: a reason, a question, an answer, the conditions of a decision."""

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from governance import clock
from governance.models import User
from governance.people.boards import board_for
from governance.sign_in.signing import SigningForm
from governance.web.form_fields import DayField, PersonField, ReasonForm, WordsField
from initiatives.models import Initiative, SignOff


def people_around(initiative: Initiative, *more) -> QuerySet:
    """Return people for tasks here: role holders, the board, and `more`."""
    board = board_for(initiative.unit)
    seated = board.memberships.held_at(clock.now()).values("person") if board else []
    return (
        User.objects.active()
        .select_related("unit")
        .filter(Q(pk__in=initiative.roles.in_force().values("person")) | Q(pk__in=seated) | Q(pk__in=[*more]))
    )


class ReasonOfActForm(ReasonForm):
    """The reason of one act at a review. The page knows if the act needs it."""

    def __init__(self, *args, label: str = "Reason", help_text: str = "", required: bool = True, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = label
        self.fields["reason"].help_text = help_text
        self.fields["reason"].required = required


class DecisionForm(SigningForm, ReasonOfActForm):
    """The reason of a decision, and the signature. The act compares what the page showed."""

    act = "decision"
    act_compares = True


class TextForm(forms.Form):
    """The words of an answer."""

    text = WordsField(label=gettext_lazy("Your answer"), max_length=4000)


class ReplyForm(TextForm):
    """The reply to an objection, and its criterion if the seat objects to several."""

    criterion = forms.ChoiceField(label=gettext_lazy("Criterion"))
    field_order = ("criterion", "text")

    def __init__(self, *args, objection: SignOff, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["criterion"].choices = [
            (key, objection.review.criterion(key).question) for key in objection.criteria
        ]
        self.fields["text"].label = "Your reply"
        if len(objection.criteria) == 1:
            del self.fields["criterion"]


class QuestionForm(forms.Form):
    """A question on one criterion of the gate."""

    criterion = forms.ChoiceField(label=gettext_lazy("Criterion"))
    text = WordsField(label=gettext_lazy("Your question"), max_length=4000)

    def __init__(self, *args, gate, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["criterion"].choices = [(c.key, c.question) for c in gate.criteria]


class ConditionForm(forms.Form):
    """One condition of a decision: its text, owner and last day."""

    sign_off = forms.IntegerField(widget=forms.HiddenInput, required=False)
    text = WordsField(label=gettext_lazy("Condition"), max_length=2000)
    owner = PersonField(label=gettext_lazy("Owner of the condition"))
    due = DayField(label=gettext_lazy("Due date"))

    def __init__(self, *args, people, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = people

    def clean_due(self):
        """Refuse a past day, because overdue conditions block decisions."""
        due = self.cleaned_data["due"]
        if due < clock.today():
            raise forms.ValidationError(gettext_lazy("Choose today or a later day."))
        return due


class ConditionRows(forms.BaseFormSet):
    """The conditions of a decision. The chair can leave out those of signers."""

    def add_fields(self, form, index):
        """Rename Django's field for deleting a row to what it does here."""
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].label = "Leave this condition out"


ConditionFormSet = forms.formset_factory(
    ConditionForm, formset=ConditionRows, extra=1, can_delete=True, can_delete_extra=False
)
