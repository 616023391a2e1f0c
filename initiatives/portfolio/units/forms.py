"""Forms on units, boards and seats; admins send them, and the acts decide."""

from datetime import date, datetime, time

from django import forms
from django.utils import timezone
from django.utils.text import slugify

from governance import clock
from governance.models import Board, Membership, Unit, User
from governance.vocabulary import BoardRole
from governance.web.confirmation_pages import ReasonForm
from governance.web.form_fields import DayField, OwnUnitField, PersonField

LONGEST_CODE = Unit._meta.get_field("code").max_length or 0


class PlaceField(OwnUnitField):
    """A unit of one's own, shown in its place in the tree."""

    def __init__(self, **options):
        super().__init__(queryset=Unit.objects.own().order_by("path"), **options)

    def label_from_instance(self, unit) -> str:
        """Its name, and what it is below."""
        above = unit.path.strip("/").split("/")[:-1]
        return f"{unit} (below {above[-1]})" if above else f"{unit} (at the top)"


class AddUnitForm(forms.Form):
    """A new unit: name, place, and a code where the one made of the name will not do."""

    name = forms.CharField(max_length=120, help_text="As people call it.")
    parent = PlaceField(label="Below", required=False, empty_label="no unit: at the top")
    code = forms.SlugField(
        required=False,
        max_length=LONGEST_CODE,
        help_text="Short, for tables and files, such as sales; it never changes. Left empty, it is made of the name.",
    )

    def clean(self):
        """Where no code was typed, the first one of the name that nobody has."""
        said = super().clean()
        if said.get("name") and not said.get("code") and "code" not in self.errors:
            said["code"] = free_code(said["name"])
        return said


def free_code(name: str) -> str:
    """A code made of this name that no unit has."""
    code = stem = (slugify(name) or "unit")[: LONGEST_CODE - 4].rstrip("-")
    number = 1
    while Unit.objects.filter(code=code).exists():
        number += 1
        code = f"{stem}-{number}"
    return code


class RenameForm(forms.Form):
    """Another name for a unit."""

    name = forms.CharField(max_length=120, help_text="Its code and its place stay.")


class MoveForm(ReasonForm):
    """The new place of a unit."""

    into = PlaceField(
        label="Below",
        required=False,
        empty_label="no unit: at the top",
        help_text="What is below it comes along.",
    )
    field_order = ("into", "reason")


class MergeForm(ReasonForm):
    """The unit that takes another in. `carry` is asked where the merged one has a board of its own."""

    into = PlaceField(
        label="Into",
        empty_label="choose",
        help_text="Takes its initiatives, its people and what is below it.",
    )
    carry = forms.BooleanField(
        label="Keep its board",
        required=False,
        help_text="Only where the other unit has none of its own. Otherwise its seats end.",
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
        empty_label="choose",
        help_text="It decides the initiatives of this unit and of every unit below that has no board.",
    )

    def clean_name(self) -> str:
        """Boards are told apart by their names."""
        name = self.cleaned_data["name"]
        if Board.objects.filter(name=name).exists():
            raise forms.ValidationError(f"There is a board called {name}; choose another name.")
        return name

    def clean_unit(self) -> Unit:
        """A unit has one board at most."""
        unit = self.cleaned_data["unit"]
        own = Board.objects.filter(unit=unit).first()
        if own is not None:
            raise forms.ValidationError(f"{unit} has {own} already; choose another unit.")
        return unit


class GrantForm(forms.Form):
    """A person for a seat of one board."""

    seat = forms.ChoiceField(choices=[("", "choose a seat"), *BoardRole.choices])
    person = PersonField()
    starts_on = DayField(label="From", required=False, help_text="Left empty, from now on.")
    ends_on = DayField(label="Last day", required=False, help_text="Left empty, until somebody ends it.")
    delegate_of = forms.ModelChoiceField(
        Membership.objects.none(),
        label="Stands in for",
        required=False,
        empty_label="nobody: holds the seat",
        help_text="Only for a delegate of somebody in the same seat.",
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
        """The days as moments; one seat is held once, and ends after it begins."""
        said = super().clean()
        starts, ends = said.get("starts_on"), said.get("ends_on")
        if starts and starts < clock.today():
            self.add_error("starts_on", "No seat begins before the day it is granted. Choose today or later.")
        if ends and ends < (starts or clock.today()):
            self.add_error("ends_on", "The seat ends before it begins.")
        held_by = said.get("delegate_of")
        if held_by is not None and held_by.seat != said.get("seat"):
            self.add_error("delegate_of", "A delegate stands in for somebody in the same seat.")
        person, seat = said.get("person"), said.get("seat")
        open_ended = Membership.objects.filter(board=self.board, ends_at=None)
        if person and seat and not ends and open_ended.filter(person=person, seat=seat).exists():
            self.add_error("person", f"{person} holds this seat already.")
        return said

    @property
    def granted(self) -> dict:
        """What `actions.appoint` takes, of a form that is valid."""
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


def _moment(day: date, at: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, at))
