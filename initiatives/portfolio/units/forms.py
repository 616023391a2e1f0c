"""Forms on units, boards and seats. Admins send them, and the acts decide."""

from datetime import date, datetime, time

from django import forms
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy

from governance import clock
from governance.database.shown_state import OverwritingForm
from governance.models import Board, Membership, Unit, User
from governance.sign_in.signing import SigningForm
from governance.vocabulary import BoardRole
from governance.vocabulary.phrases import phrase
from governance.web.confirmation_pages import ReasonForm
from governance.web.form_fields import DayField, OwnUnitField, PersonField

LONGEST_CODE = Unit._meta.get_field("code").max_length or 0


class PlaceField(OwnUnitField):
    """A unit of the organisation, shown in its place in the tree."""

    def __init__(self, **options):
        super().__init__(queryset=Unit.objects.own().order_by("path"), **options)

    def label_from_instance(self, unit) -> str:
        """Return the name of the unit, with the unit above."""
        above = unit.path.strip("/").split("/")[:-1]
        return f"{unit} (below {above[-1]})" if above else f"{unit} (at the top)"


class AddUnitForm(forms.Form):
    """A new unit: name, place, and a code where the one made of the name will not do."""

    name = forms.CharField(max_length=120, help_text=gettext_lazy("The name that people use."))
    parent = PlaceField(
        label=gettext_lazy("Below"), required=False, empty_label=gettext_lazy("no unit: at the top")
    )
    code = forms.SlugField(
        required=False,
        max_length=LONGEST_CODE,
        help_text=gettext_lazy(
            "Short, for tables and files, for example sales. You cannot change it later. If you leave the "
            "code empty, it is made from the name."
        ),
    )

    def clean(self):
        """Fill in the first free code of the name if no code was typed."""
        said = super().clean()
        if said.get("name") and not said.get("code") and "code" not in self.errors:
            said["code"] = free_code(said["name"])
        return said


def free_code(name: str) -> str:
    """Return a code made of this name that no unit has."""
    code = stem = (slugify(name) or "unit")[: LONGEST_CODE - 4].rstrip("-")
    number = 1
    while Unit.objects.filter(code=code).exists():
        number += 1
        code = f"{stem}-{number}"
    return code


class RenameForm(OverwritingForm):
    """Another name for a unit."""

    name = forms.CharField(
        max_length=120, help_text=gettext_lazy("The code and the place of the unit do not change.")
    )


class MoveForm(ReasonForm):
    """The new place of a unit."""

    into = PlaceField(
        label=gettext_lazy("Below"),
        required=False,
        empty_label=gettext_lazy("no unit: at the top"),
        help_text=gettext_lazy("The units below the moved unit move too."),
    )
    field_order = ("into", "reason")


class MergeForm(ReasonForm):
    """The unit that takes another in. `carry` is for a merged unit with a board."""

    into = PlaceField(
        label=gettext_lazy("Into"),
        empty_label=gettext_lazy("choose"),
        help_text=gettext_lazy("This unit gets the initiatives, the people and the units below."),
    )
    carry = forms.BooleanField(
        label=gettext_lazy("Keep its board"),
        required=False,
        help_text=gettext_lazy(
            "Tick this field only if the other unit has no board. If you do not keep the board, its "
            "seats end."
        ),
    )
    field_order = ("into", "carry", "reason")

    def __init__(self, *args, unit: Unit, **options):
        super().__init__(*args, **options)
        if not Board.objects.filter(unit=unit).exists():
            del self.fields["carry"]


class AddBoardForm(forms.Form):
    """A new board, and the unit it decides for."""

    name = forms.CharField(max_length=120)
    unit = PlaceField(
        empty_label=gettext_lazy("choose"),
        help_text=gettext_lazy(
            "The board decides on initiatives of this unit, and of units below without a board."
        ),
    )

    def clean_name(self) -> str:
        """Return the name. Raises ValidationError if a board has it, because boards have unique names."""
        name = self.cleaned_data["name"]
        if Board.objects.filter(name=name).exists():
            raise forms.ValidationError(
                phrase("There is already a board called {}. Choose another name.", name)
            )
        return name

    def clean_unit(self) -> Unit:
        """Return the unit. Raises ValidationError if it has a board already."""
        unit = self.cleaned_data["unit"]
        own = Board.objects.filter(unit=unit).first()
        if own is not None:
            raise forms.ValidationError(phrase("{} already has {}. Choose another unit.", unit, own))
        return unit


class GrantForm(SigningForm):
    """A person for a seat of one board, and the signature."""

    act = "seat"

    seat = forms.ChoiceField(choices=[("", "choose a seat"), *BoardRole.choices])
    person = PersonField()
    starts_on = DayField(
        label=gettext_lazy("From"),
        required=False,
        help_text=gettext_lazy("If you leave this empty, the seat starts now."),
    )
    ends_on = DayField(
        label=gettext_lazy("Last day"),
        required=False,
        help_text=gettext_lazy("If you leave this empty, the seat has no last day."),
    )
    delegate_of = forms.ModelChoiceField(
        Membership.objects.none(),
        label=gettext_lazy("Delegate of"),
        required=False,
        empty_label=gettext_lazy("no one: the person holds the seat"),
        help_text=gettext_lazy("Fill in this field only for a delegate of a person in the same seat."),
    )

    def __init__(self, *args, board: Board, by: User, **options):
        super().__init__(*args, **options)
        self.board = board
        self.fields["person"].queryset = self.fields["person"].queryset.exclude(pk=by.pk)
        held = Membership.objects.held_at(clock.now()).filter(board=board, delegate_of=None)
        self.fields["delegate_of"].queryset = held.select_related("person", "board")
        self.fields["delegate_of"].label_from_instance = lambda held: (
            f"{held.person}, {held.get_seat_display()}"
        )

    def clean(self):
        """Check the days and the seat: it is held once, and ends after it begins."""
        said = super().clean()
        starts, ends = said.get("starts_on"), said.get("ends_on")
        if starts and starts < clock.today():
            self.add_error("starts_on", "A seat cannot start before today. Choose today or a later day.")
        if ends and ends < (starts or clock.today()):
            self.add_error("ends_on", "The last day is before the first day. Change one of the two days.")
        held_by = said.get("delegate_of")
        if held_by is not None and held_by.seat != said.get("seat"):
            self.add_error(
                "delegate_of", "A delegate must have the same seat as the person. Choose another person."
            )
        last = clock.local_day(held_by.ends_at) if held_by is not None and held_by.ends_at else None
        if starts and last is not None and starts > last:
            words = phrase("The seat of {} ends on {}. Choose an earlier day.", held_by.person, last)
            self.add_error("starts_on", words)
        person, seat = said.get("person"), said.get("seat")
        open_ended = Membership.objects.filter(board=self.board, ends_at=None)
        if person and seat and not ends and open_ended.filter(person=person, seat=seat).exists():
            self.add_error("person", phrase("{} already holds this seat. Choose another seat.", person))
        return said

    @property
    def granted(self) -> dict:
        """Return the valid values as `actions.appoint` takes them."""
        said = self.cleaned_data
        starts, ends = said["starts_on"], said["ends_on"]
        return {
            "board": self.board,
            "person": said["person"],
            "seat": said["seat"],
            "starts_at": _moment(starts, time.min) if starts and starts > clock.today() else None,
            "ends_at": _moment(ends, time.max) if ends else None,
            "delegate_of": said["delegate_of"],
        }


class RevokeForm(SigningForm, ReasonForm):
    """The reason for revoking a seat, and the signature."""

    act = "seat"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["reason"].help_text = gettext_lazy("The audit log keeps the reason.")


def _moment(day: date, at: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))
