"""Forms of requests of persons: identity, names, text searches, steps."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.sign_in.signing import SigningForm
from governance.web.form_fields import DayField, WordsField
from initiatives.models import Initiative, SubjectRequest
from initiatives.models.interactions.subject_requests import ACCESS

STAYS = _("The audit log keeps this text permanently. Do not name the person in this text.")


def _offer(form: forms.Form, initiatives) -> None:
    """Offer these initiatives."""
    choice = form.fields["initiatives"]
    if isinstance(choice, forms.ModelMultipleChoiceField):
        choice.queryset = initiatives


class RequestForm(forms.Form):
    """A request as received. Data that names the person is encrypted, and destroyed later."""

    kind = forms.ChoiceField(
        label=_("Kind of request"), choices=list(SubjectRequest.KINDS.items()), initial=ACCESS
    )
    channel = forms.ChoiceField(label=_("Received by"), choices=list(SubjectRequest.CHANNELS.items()))
    received_on = DayField(label=_("Received on"), help_text=_("The answer is due a month after this day."))
    name = forms.CharField(
        label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    contact = WordsField(
        label=_("Address for the answer"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    identifiers = WordsField(
        label=_("Names in the systems"),
        max_length=4000,
        help_text=_(
            "Write one name on each line, exactly as systems report it: a customer number, an address, a login."
        ),
    )
    words = WordsField(label=_("Text of the request"), required=False, max_length=10_000)
    initiatives = forms.ModelMultipleChoiceField(
        Initiative.objects.none(),
        label=_("Initiatives"),
        required=False,
        help_text=_("If you choose none, the request is about all initiatives."),
    )

    def __init__(self, *args, initiatives, **options):
        super().__init__(*args, **options)
        _offer(self, initiatives)

    def clean_identifiers(self) -> list[str]:
        """Return the identifiers, one from each line."""
        return self.cleaned_data["identifiers"].splitlines()


class IdentityForm(forms.Form):
    """The description of the identity check."""

    how = WordsField(
        label=_("Identity check"),
        max_length=2000,
        help_text=_(
            "For example: called back on the number on file. The audit log keeps this text permanently. Do "
            "not name the person in this text."
        ),
    )


class WhyForm(forms.Form):
    """The reason of a step."""

    why = WordsField(label=_("Why"), max_length=2000, help_text=STAYS)


class TextForm(forms.Form):
    """A text that names the person, and the initiatives and days to search."""

    text = forms.CharField(
        label=_("Text"),
        max_length=200,
        help_text=_("A name, a number, or an address. The text is stored encrypted, with the request."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    initiatives = forms.ModelMultipleChoiceField(Initiative.objects.none(), label=_("Initiatives"))
    first = DayField(label=_("From"))
    last = DayField(label=_("To"))

    def __init__(self, *args, initiatives, **options):
        super().__init__(*args, **options)
        _offer(self, initiatives)


class BlackOutForm(forms.Form):
    """The words of third persons to black out."""

    words = WordsField(
        label=_("Words to black out"),
        max_length=4000,
        help_text=_(
            "Write one passage on each line, copied exactly. Every occurrence in this interaction is "
            "blacked out."
        ),
    )


class CopyForm(forms.Form):
    """The confirmation that words which stay readable elsewhere were checked."""

    despite = forms.BooleanField(
        label=_(
            "I checked the words that I blacked out in one interaction, but that stay readable in "
            "another interaction."
        ),
        required=False,
    )


class EraseForm(SigningForm):
    """The legal duty of an erasure, and the signature."""

    act = "erasure"

    duty = forms.CharField(
        label=_("Legal duty"), max_length=200, help_text=_("For example: GDPR, Article 17.")
    )


class AnswerForm(forms.Form):
    """The outcome of a request, and the answer to the person."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=list(SubjectRequest.OUTCOMES.items()))
    words = WordsField(
        label=_("Answer to the person, or reason for no answer"), max_length=4000, help_text=STAYS
    )
    legal_basis = WordsField(
        label=_("Legal basis"),
        required=False,
        max_length=2000,
        help_text=_("For a full or partial refusal, for example GDPR, Article 12(5), or Article 15(4)."),
    )
