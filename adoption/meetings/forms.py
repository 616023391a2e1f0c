"""Forms of meetings. They read what was typed; what is wrong with it, the acts say."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Board
from governance.web.form_fields import DayField, PersonField, WordsField


class MeetingForm(forms.Form):
    """Day, place and secretary of a meeting, and its board where somebody leads several."""

    board = forms.ModelChoiceField(queryset=Board.objects.none(), label=_("Board"))
    held_on = DayField(label=_("Day"), help_text=_("Members are told a week before, and three days before."))
    place = forms.CharField(
        label=_("Where"),
        required=False,
        max_length=200,
        help_text=_("A room, or a link to where people meet."),
    )
    secretary = PersonField(
        label=_("Who writes the minutes"),
        required=False,
        help_text=_("Besides chair and deputy chair; they then see the meeting and its agenda."),
    )

    def __init__(self, *args, boards, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["board"].queryset = Board.objects.filter(pk__in=[board.pk for board in boards])
        if len(boards) == 1:
            self.fields["board"].initial = boards[0].pk


class PointForm(forms.Form):
    """A point in words."""

    words = forms.CharField(
        label=_("Point"), max_length=200, help_text=_("Open reviews stand on the agenda by themselves.")
    )


class PlaceForm(forms.Form):
    """Where a point comes, or that it is left out; and why."""

    WHAT = {"place": "Put it at this place", "out": "Leave it out of this meeting"}

    what = forms.ChoiceField(label=_("What"), choices=WHAT.items(), widget=forms.RadioSelect)
    place = forms.IntegerField(label=_("Place"), required=False, min_value=1, max_value=999)
    reason = WordsField(
        label=_("Why"), required=False, help_text=_("Everybody who was asked to the meeting reads this.")
    )


class CallOffForm(forms.Form):
    """Why a meeting does not take place."""

    reason = WordsField(label=_("Why"), required=False, help_text=_("Everybody who was asked is told."))


class AttendanceForm(forms.Form):
    """Who is there, one box a person."""

    present = forms.MultipleChoiceField(
        label=_("Who is there"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, people, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["present"].choices = [(str(person.pk), person.full_name) for person in people]


class MinutesForm(forms.Form):
    """What was said at a point."""

    text = WordsField(
        label=_("Minutes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
        help_text=_("Each saving is a version of its own; all are kept, and the newest is shown."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=100_000)
