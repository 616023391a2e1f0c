"""The form of the intake link, and those of whoever answers it."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Board, User
from governance.web.form_fields import DayField, OwnUnitField, PersonField, WordsField, sign_offs_lost
from initiatives.portfolio.intake.actions import LONGEST


class IntakeForm(forms.Form):
    """What somebody without an account tells: who they are, which problem it is, whose, and what it costs."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=LONGEST["name"],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("Your mail address"),
        max_length=LONGEST["email"],
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("No mail comes from this form. Somebody may write to you, or invite you."),
    )
    problem = WordsField(
        label=_("What the problem is"),
        max_length=LONGEST["problem"],
        help_text=_("Leave out names of other people."),
    )
    users = forms.CharField(label=_("Who would use a solution"), max_length=LONGEST["users"])
    hurts = WordsField(
        label=_("Where it hurts today"),
        required=False,
        max_length=LONGEST["hurts"],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("How often, how long, what it costs. If you know."),
    )
    once = forms.UUIDField(required=False, widget=forms.HiddenInput())


class LinkForm(forms.Form):
    """The unit that people write to, and until when."""

    until = DayField(label=_("Open until"), help_text=_("The last day on which it takes something."))

    def __init__(self, *args, units, **options):
        super().__init__(*args, **options)
        self.fields["unit"] = OwnUnitField(
            queryset=units, empty_label=_("choose"), help_text=_("The chair of its board answers.")
        )
        self.order_fields(["unit", "until"])


class IdeaForm(forms.Form):
    """What the sender's words lack for an idea. `why_new` is asked only when there are similar initiatives."""

    rows_may_be_empty = True  # only why_new, which is needed wherever it is shown
    title = forms.CharField(max_length=200, help_text=_("What people will call it."))
    owner = PersonField(help_text=_("Is asked to accept. You, or somebody else; never a team."))
    why_new = WordsField(
        label=_("Why this is new"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What it does that none of these does."),
    )
    invite = forms.BooleanField(
        label=_("Ask the admins to invite the sender"),
        required=False,
        initial=True,
        help_text=_(
            "Only admins add accounts. It comes to their inbox with the name and address that were given."
        ),
    )

    def __init__(self, *args, board: Board | None, **options):
        super().__init__(*args, **options)
        cast(PersonField, self.fields["owner"]).beside = sign_offs_lost(board) if board else {}


class DeclineForm(forms.Form):
    """Why nothing is made of it."""

    reason = WordsField(label=_("Why"), max_length=1000)


class InviteForm(forms.Form):
    """The account of the sender, or why there is none."""

    full_name = forms.CharField(label=_("Name"), max_length=120)
    login = forms.CharField(
        label=_("User name"),
        max_length=User._meta.get_field("login").max_length,
        validators=User._meta.get_field("login").validators,
        help_text=_("What they sign in with."),
    )
    unit = OwnUnitField(required=False, empty_label=_("none"))


class LeaveForm(forms.Form):
    """Why the sender is not invited."""

    reason = WordsField(label=_("Why"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
