"""Forms by which admins and auditors open and lift legal holds."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from governance.models import LegalHold, User


def _why() -> forms.CharField:
    return forms.CharField(label=_("Why"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


REFERENCE = RegexValidator(r"^AI-\d{1,9}$", "Give the whole reference of an initiative, such as AI-0042.")


class HoldForm(forms.Form):
    """A hold on a case, or on a person."""

    prefix = "hold"
    case = forms.CharField(
        label=_("Initiative"),
        required=False,
        max_length=12,
        validators=[REFERENCE],
        help_text=_("Such as AI-0042."),
    )
    login = forms.CharField(
        label=_("Person"),
        required=False,
        max_length=60,
        help_text=_("The login, where the hold is on a person."),
    )
    why = _why()

    def clean_login(self) -> User | None:
        """The person of that login."""
        login = self.cleaned_data["login"]
        person = User.objects.filter(login__iexact=login).first() if login else None
        if login and person is None:
            raise forms.ValidationError(f"Nobody signs in as {login}.")
        return person


class LiftForm(forms.Form):
    """One of the open holds, and why it need not be."""

    prefix = "lift"
    hold = forms.ModelChoiceField(LegalHold.objects.none(), label=_("Hold"), empty_label=None)
    why = _why()

    def __init__(self, *args, **options):
        """The holds that are open now."""
        super().__init__(*args, **options)
        self.fields["hold"].queryset = LegalHold.objects.open().select_related("person")
