"""The form of a verifier's verdict on an item."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.sign_in.signing import SigningForm
from governance.web.form_fields import WordsField
from initiatives.lifecycle.evidence.forms import NeededText

VERDICTS = (("shows", "Yes, it supports the answer"), ("not", "No, it does not support the answer"))


class VerificationForm(SigningForm):
    """The verdict on an item, the place, what was seen there, and the signature."""

    act = "verification"

    verdict = forms.ChoiceField(
        label=_("Does this evidence support the answer?"), choices=VERDICTS, widget=forms.RadioSelect
    )
    place = NeededText(
        label=_("Where in the document?"),
        max_length=200,
        required=False,
        help_text=_(
            "A page, a row, a heading or a time. Leave this empty only if the evidence does not support "
            "the answer."
        ),
    )
    words = WordsField(
        label=_("Your observation"),
        help_text=_("One sentence. If the evidence does not support the answer, describe what is missing."),
    )

    def clean_place(self):
        """Require a place if the verifier confirms that the item shows the answer."""
        place = self.cleaned_data["place"]
        if self.cleaned_data.get("verdict") == "shows" and not place.strip():
            raise forms.ValidationError(
                _("Enter the place in the document: a page, a row, a time or a heading.")
            )
        return place

    def said(self) -> dict:
        """Return the fields as the act takes them."""
        given = self.cleaned_data
        return {"shows": given["verdict"] == "shows", "place": given["place"], "words": given["words"]}
