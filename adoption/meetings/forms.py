"""Forms of meetings. The acts validate the values."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.database.shown_state import OverwritingForm
from governance.models import Board
from governance.tables.forms import WholeNumberField
from governance.web.form_fields import DayField, PersonField, WordsField


class MeetingForm(OverwritingForm):
    """The form for a meeting's day, place and secretary."""

    held_on = DayField(label=_("Day"), help_text=_("Members are notified a week and three days before."))
    place = forms.CharField(
        label=_("Place"),
        required=False,
        max_length=200,
        help_text=_("A room or a meeting link."),
    )
    secretary = PersonField(
        label=_("Secretary"),
        required=False,
        help_text=_(
            "The chair and the deputy chair can also write the minutes. The secretary can see the "
            "meeting and its agenda."
        ),
    )


class PlanForm(MeetingForm):
    """The form for a new meeting. People who lead several boards also choose the board."""

    field_order = ["board"]
    board = forms.ModelChoiceField(queryset=Board.objects.none(), label=_("Board"))

    def __init__(self, *args, boards, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["board"].queryset = Board.objects.filter(pk__in=[board.pk for board in boards])
        if len(boards) == 1:
            self.fields["board"].initial = boards[0].pk


class PointForm(forms.Form):
    """The form for a point in words."""

    words = forms.CharField(
        label=_("Item"), max_length=200, help_text=_("Open reviews are on the agenda automatically.")
    )


class PlaceForm(forms.Form):
    """The form for the place of a point, or for leaving it out, with a reason."""

    WHAT = {"place": "Move the item to this position", "out": "Leave the item out of this meeting"}

    what = forms.ChoiceField(label=_("What"), choices=WHAT.items(), widget=forms.RadioSelect)
    place = WholeNumberField(label=_("Position on the agenda"), required=False, min_value=1, max_value=999)
    reason = WordsField(
        label=_("Why"),
        required=False,
        help_text=_("Everyone who was invited to the meeting can read the reason."),
    )


class CallOffForm(forms.Form):
    """The form for the reason why a meeting does not take place."""

    reason = WordsField(label=_("Why"), required=False, help_text=_("Everyone who was invited is notified."))


class AttendanceForm(OverwritingForm):
    """The form for the people present, one box a person."""

    confirms = True
    present = forms.MultipleChoiceField(
        label=_("Present"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, people, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["present"].choices = [(str(person.pk), person.full_name) for person in people]


class MinutesForm(forms.Form):
    """The form for the minutes of a point."""

    text = WordsField(
        label=_("Minutes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=_("Each save is a new version. All versions are kept, and the newest is shown."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=100_000)
