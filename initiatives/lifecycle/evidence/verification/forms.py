"""What a verifier says of an item."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.sign_in.signing import SigningForm
from governance.web.form_fields import WordsField
from initiatives.lifecycle.evidence.forms import NeededText

VERDICTS = (("shows", "It shows this"), ("not", "It does not show this"))


class VerificationForm(SigningForm):
    """Whether the item shows the answer, where in it, what was seen there, and the signature."""

    act = "verification"

    verdict = forms.ChoiceField(label=_("Does it show this?"), choices=VERDICTS, widget=forms.RadioSelect)
    place = NeededText(
        label=_("Where in it"),
        max_length=200,
        required=False,
        help_text=_("A page, a row, a heading, a time; empty only where it does not show it."),
    )
    words = WordsField(
        label=_("What you saw"), help_text=_("One sentence. Where it does not show it: what is missing.")
    )

    def clean_place(self):
        """Whoever says that it shows it says where."""
        place = self.cleaned_data["place"]
        if self.cleaned_data.get("verdict") == "shows" and not place.strip():
            raise forms.ValidationError(_("Say where in it: a page, a row, a time, a heading."))
        return place

    def said(self) -> dict:
        """The fields as the act takes them."""
        given = self.cleaned_data
        return {"shows": given["verdict"] == "shows", "place": given["place"], "words": given["words"]}
