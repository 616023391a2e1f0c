"""Forms on planned absence."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Membership
from governance.web.form_fields import DayField, PersonField, WordsField
from initiatives.inbox.absences.actions import Asked


class AbsenceForm(forms.Form):
    """From when to when, and who stands in: for roles on initiatives where one has any, and for each signing seat."""

    first = DayField(label=_("First day away"))
    last = DayField(label=_("Last day away"))

    def __init__(self, *args, roles: bool, seats: list[Membership], **options):
        super().__init__(*args, **options)
        self.seats = {f"seat-{seat.pk}": seat for seat in seats}
        if roles:
            self.fields["roles"] = delegate_field("Stands in for your roles on initiatives")
        for name, seat in self.seats.items():
            self.fields[name] = delegate_field(f"Sits for you: {seat.get_seat_display()}, {seat.board}")

    @property
    def asked(self) -> list[Asked]:
        """Whom to ask, of a form that is valid."""
        said = self.cleaned_data
        asked = [Asked(said["roles"])] if said.get("roles") else []
        return asked + [Asked(said[name], seat) for name, seat in self.seats.items() if said.get(name)]


def delegate_field(label: str) -> PersonField:
    """A person to ask, or nobody."""
    return PersonField(
        label=label,
        required=False,
        empty_label=_("nobody"),
        help_text=_("Counts once this person has accepted it."),
    )


class DelegateForm(forms.Form):
    """Somebody else to ask."""

    delegate = PersonField(label=_("Ask"), help_text=_("Counts once this person has accepted it."))


class EndDelegationForm(forms.Form):
    """Why not."""

    reason = WordsField(label=_("Why"), required=False, help_text=_("Helps to find somebody else."))
