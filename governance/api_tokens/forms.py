"""Forms on tokens. The owner confirms their identity before a token is made."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.api_tokens.actions import MOST_DAYS
from governance.identity.factors.forms import FreshForm
from governance.models import ApiToken
from governance.models.sign_in import PERSONAL, PERSONAL_SCOPES, SERVICE, SERVICE_SCOPES

LIVES = (7, 30, 90, 180, 365)  # days


class RotateTokenForm(FreshForm):
    """The life of a token."""

    days = forms.TypedChoiceField(label=_("Expires after"), coerce=int)

    def __init__(self, *args, kind: str = SERVICE, **options):
        super().__init__(*args, **options)
        lives = [days for days in LIVES if days <= MOST_DAYS[kind]]
        field = cast(forms.TypedChoiceField, self.fields["days"])
        field.choices = [(days, _("%(days)s days") % {"days": days}) for days in lives]
        field.initial = 30


class TokenForm(RotateTokenForm):
    """A new token: its name, its life, what a service reads, and whether a personal token drafts."""

    name = forms.CharField(
        label=_("Name"),
        max_length=ApiToken._meta.get_field("name").max_length,
        help_text=_("The program that uses the token, for example: Weekly report."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes of the token"),
        choices=list(SERVICE_SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args, kind: str, **options):
        super().__init__(*args, kind=kind, **options)
        if kind == PERSONAL:
            scopes = cast(forms.MultipleChoiceField, self.fields["scopes"])
            scopes.choices, scopes.required = list(PERSONAL_SCOPES.items()), False
            scopes.help_text = _("Every personal token reads what you see.")
        self.order_fields(["name", "scopes", "days"])


class EndTokenForm(forms.Form):
    """Why an admin ends a token."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The owner of the token sees the reason."),
    )
