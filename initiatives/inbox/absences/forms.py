"""Forms on planned absence."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Membership
from governance.web.form_fields import DayField, PersonField, WordsField
from initiatives.inbox.absences.actions import Asked


class AbsenceForm(forms.Form):
    """A form for the days of an absence and its delegates, by roles and signing seats."""

    first = DayField(label=_("First day away"))
    last = DayField(label=_("Last day away"))

    def __init__(self, *args, roles: bool, seats: list[Membership], **options):
        super().__init__(*args, **options)
        self.seats = {f"seat-{seat.pk}": seat for seat in seats}
        if roles:
            self.fields["roles"] = delegate_field("Person who stands in for your roles on initiatives")
        for name, seat in self.seats.items():
            self.fields[name] = delegate_field(
                f"Person who sits for you: {seat.get_seat_display()}, {seat.board}"
            )

    @property
    def asked(self) -> list[Asked]:
        """Return the requests to stand in, from a valid form."""
        said = self.cleaned_data
        asked = [Asked(said["roles"])] if said.get("roles") else []
        return asked + [Asked(said[name], seat) for name, seat in self.seats.items() if said.get(name)]


def delegate_field(label: str) -> PersonField:
    """Return an optional field for the person to ask."""
    return PersonField(
        label=label,
        required=False,
        empty_label=_("no one"),
        help_text=_("The person stands in for you only after they have accepted."),
    )


class DelegateForm(forms.Form):
    """A form that asks someone else to stand in."""

    delegate = PersonField(
        label=_("Ask"), help_text=_("The person stands in for you only after they have accepted.")
    )


class EndDelegationForm(forms.Form):
    """A form for the reason to decline."""

    reason = WordsField(
        label=_("Why"), required=False, help_text=_("Your reason makes it easier to find someone else.")
    )
