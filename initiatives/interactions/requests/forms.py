"""Forms of requests of persons: who asks and how systems call them, texts to be sought, what is said of each step."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.sign_in.signing import SigningForm
from governance.web.form_fields import DayField, WordsField
from initiatives.models import Initiative, SubjectRequest
from initiatives.models.interactions.subject_requests import ACCESS

STAYS = _("It stays in the audit log for good: write it without naming the person.")


def _offer(form: forms.Form, initiatives) -> None:
    """Offer these initiatives."""
    choice = form.fields["initiatives"]
    if isinstance(choice, forms.ModelMultipleChoiceField):
        choice.queryset = initiatives


class RequestForm(forms.Form):
    """A request as it came in. What names the person is kept encrypted, and destroyed after the request."""

    kind = forms.ChoiceField(
        label=_("What is asked for"), choices=list(SubjectRequest.KINDS.items()), initial=ACCESS
    )
    channel = forms.ChoiceField(label=_("How it came in"), choices=list(SubjectRequest.CHANNELS.items()))
    received_on = DayField(label=_("Received on"), help_text=_("A month from this day the answer is due."))
    name = forms.CharField(
        label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    contact = WordsField(
        label=_("Where the person is answered"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    identifiers = WordsField(
        label=_("How systems call the person"),
        max_length=4000,
        help_text=_("One a line, exactly as they report it: a customer number, an address, a login."),
    )
    words = WordsField(label=_("What the person wrote"), required=False, max_length=10_000)
    initiatives = forms.ModelMultipleChoiceField(
        Initiative.objects.none(),
        label=_("About which initiatives"),
        required=False,
        help_text=_("None chosen means all of them."),
    )

    def __init__(self, *args, initiatives, **options):
        super().__init__(*args, **options)
        _offer(self, initiatives)

    def clean_identifiers(self) -> list[str]:
        """One a line."""
        return self.cleaned_data["identifiers"].splitlines()


class IdentityForm(forms.Form):
    """How the identity was checked."""

    how = WordsField(
        label=_("How it was checked"),
        max_length=2000,
        help_text=_(
            "For instance: called back on the number on file. It stays in the audit log for good: write it without "
            "naming "
            "the person."
        ),
    )


class WhyForm(forms.Form):
    """Why."""

    why = WordsField(label=_("Why"), max_length=2000, help_text=STAYS)


class TextForm(forms.Form):
    """A text that names the person in what was said, and where it is looked for."""

    text = forms.CharField(
        label=_("Text"),
        max_length=200,
        help_text=_("A name, a number, an address. It is kept encrypted, with the request."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    initiatives = forms.ModelMultipleChoiceField(Initiative.objects.none(), label=_("In which initiatives"))
    first = DayField(label=_("From"))
    last = DayField(label=_("To"))

    def __init__(self, *args, initiatives, **options):
        super().__init__(*args, **options)
        _offer(self, initiatives)


class BlackOutForm(forms.Form):
    """Words of third persons."""

    words = WordsField(
        label=_("Words to black out"),
        max_length=4000,
        help_text=_(
            "One passage a line, copied as it is written. It is blacked out wherever it stands in this one."
        ),
    )


class CopyForm(forms.Form):
    """That words which stand in clear elsewhere were looked at."""

    despite = forms.BooleanField(
        label=_("I looked at what is blacked out in one and stands in clear in another: it stays"),
        required=False,
    )


class EraseForm(SigningForm):
    """By which duty, signed."""

    act = "erasure"

    duty = forms.CharField(
        label=_("Which duty asks for it"), max_length=200, help_text=_("For instance: GDPR, Article 17.")
    )


class AnswerForm(forms.Form):
    """How the person was answered."""

    outcome = forms.ChoiceField(label=_("Outcome"), choices=list(SubjectRequest.OUTCOMES.items()))
    words = WordsField(label=_("How the person was answered, or why not"), max_length=4000, help_text=STAYS)
    legal_basis = WordsField(
        label=_("Legal basis"),
        required=False,
        max_length=2000,
        help_text=_(
            "For what is refused, all or in part: for instance GDPR, Article 12(5), or Article 15(4)."
        ),
    )
