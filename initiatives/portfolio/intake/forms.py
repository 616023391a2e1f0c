"""The form of the intake link, and the forms of its answers."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Board, User
from governance.web.form_fields import DayField, OwnUnitField, PersonField, WordsField, sign_offs_lost
from initiatives.portfolio.intake.actions import LONGEST


class IntakeForm(forms.Form):
    """The request of someone without an account: name, problem, users and effects."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=LONGEST["name"],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("Your email address"),
        max_length=LONGEST["email"],
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("This form sends no email. Someone might write to you or invite you."),
    )
    problem = WordsField(
        label=_("What is the problem?"),
        max_length=LONGEST["problem"],
        help_text=_("Leave out names of other people."),
    )
    users = forms.CharField(label=_("Who would use a solution?"), max_length=LONGEST["users"])
    hurts = WordsField(
        label=_("What are the effects today?"),
        required=False,
        max_length=LONGEST["hurts"],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Frequency, duration and cost, if you know them."),
    )
    once = forms.UUIDField(required=False, widget=forms.HiddenInput())


class LinkForm(forms.Form):
    """The unit that people write to, and until when."""

    until = DayField(label=_("Open until"), help_text=_("The last day for new ideas."))

    def __init__(self, *args, units, **options):
        super().__init__(*args, **options)
        self.fields["unit"] = OwnUnitField(
            queryset=units, empty_label=_("choose"), help_text=_("The chair of the unit's board answers.")
        )
        self.order_fields(["unit", "until"])


class IdeaForm(forms.Form):
    """The fields of an idea that the sender's words lack."""

    title = forms.CharField(max_length=200, help_text=_("Enter the name that people will use."))
    owner = PersonField(help_text=_("Name one person, not a team. The person must accept."))
    invite = forms.BooleanField(
        label=_("Ask the admins to invite the sender"),
        required=False,
        initial=True,
        help_text=_(
            "Only admins can add accounts. The request in their inbox has the name and address from the form."
        ),
    )

    def __init__(self, *args, board: Board | None, **options):
        super().__init__(*args, **options)
        cast(PersonField, self.fields["owner"]).beside = sign_offs_lost(board) if board else {}


class DeclineForm(forms.Form):
    """The reason for declining the request."""

    reason = WordsField(label=_("Why"), max_length=1000)


class InviteForm(forms.Form):
    """The account of the sender, or why there is none."""

    full_name = forms.CharField(label=_("Name"), max_length=120)
    login = forms.CharField(
        label=_("User name"),
        max_length=User._meta.get_field("login").max_length,
        validators=User._meta.get_field("login").validators,
        help_text=_("The name to sign in with."),
    )
    unit = OwnUnitField(required=False, empty_label=_("none"))


class LeaveForm(forms.Form):
    """The reason why the sender is not invited."""

    reason = WordsField(label=_("Why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
