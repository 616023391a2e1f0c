"""Forms by which admins and auditors open and lift legal holds."""

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from governance.models import LegalHold, User
from governance.privacy import retention
from governance.sign_in.signing import SigningForm
from governance.vocabulary.phrases import phrase


def _why() -> forms.CharField:
    return forms.CharField(label=_("Why"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


REFERENCE = RegexValidator(r"^AI-\d{1,9}$", "Enter the full reference of an initiative, such as AI-0042.")


class HoldForm(SigningForm):
    """A hold on an initiative, or on a person, signed."""

    act = "hold"
    prefix = "hold"
    initiative = forms.CharField(
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
        help_text=_("The login, if the hold covers a person."),
    )
    why = _why()

    def clean_login(self) -> User | None:
        """Return the person of that login."""
        login = self.cleaned_data["login"]
        person = User.objects.filter(login__iexact=login).first() if login else None
        if login and person is None:
            raise forms.ValidationError(phrase("No one signs in as {}.", login))
        return person

    def clean(self):
        """Check first that the held person or initiative exists, then the signature."""
        said = self.cleaned_data
        if {"initiative", "login"} <= said.keys():
            retention.check_held(said["initiative"], said["login"])
        return super().clean()


class LiftForm(SigningForm):
    """One of the open holds, and why it need not be, signed."""

    act = "hold"
    prefix = "lift"
    hold = forms.ModelChoiceField(LegalHold.objects.none(), label=_("Hold"), empty_label=None)
    why = _why()

    def __init__(self, *args, **options):
        """The holds that are open now."""
        super().__init__(*args, **options)
        self.fields["hold"].queryset = LegalHold.objects.open().select_related("person")

    def signed_words(self, cleaned: dict) -> dict:
        """Return the signed words with the subject, the start and the reason of the hold."""
        hold = cleaned["hold"]
        held = {
            "held": hold.initiative_ref or hold.person,
            "since": hold.opened_at,
            "held because": hold.reason,
        }
        return super().signed_words(cleaned) | held
