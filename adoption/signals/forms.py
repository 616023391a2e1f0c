"""Forms of signals. They read what was typed; what is wrong with it, the acts say."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.models.signals import EXTENTS, SIGNAL_KINDS, SIGNAL_SOURCES
from governance import clock
from initiatives.efforts.note_forms import OnceForm
from initiatives.form_fields import DayField, WordsField

# Those that a person gives; the others are worked out, or come with what a user reported.
TYPED = {key: words for key, words in SIGNAL_SOURCES.items() if key in ("seen", "told", "figures")}


class SignalForm(OnceForm):
    """What a group does with the system."""

    kind = forms.ChoiceField(
        label=_("What people do"), choices=list(SIGNAL_KINDS.items()), widget=forms.RadioSelect
    )
    group = forms.CharField(
        max_length=120, help_text=_("For instance: the night shift of dispatch. A group, never a person.")
    )
    share = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=100,
        label=_("Percent of the group"),
        help_text=_("If you know it."),
    )
    extent = forms.ChoiceField(
        label=_("How much of the group"),
        choices=list(EXTENTS.items()),
        initial="unknown",
        required=False,
        help_text=_("Where you give a percentage, that counts."),
    )
    words = WordsField(
        label=_("In your words"),
        help_text=_("What they do instead, or to whom it is done, and why, as far as you know."),
        max_length=4000,
    )
    source = forms.ChoiceField(
        label=_("How it is known"), choices=list(TYPED.items()), widget=forms.RadioSelect
    )
    observed_on = DayField(label=_("Seen on"), initial=clock.today)
    may_ask = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Whoever chairs the board may ask for my name, and I am told"),
    )

    def act(self) -> dict:
        """The fields as the act takes them."""
        return self.cleaned_data | {"extent": self.cleaned_data["extent"] or "unknown"}


class AnswerForm(forms.Form):
    """The word of the board on a signal."""

    words = WordsField(
        label=_("The board's answer"),
        help_text=_("What is done, by whom, until when. Everybody who may open the initiative reads it."),
        max_length=4000,
    )
    over = forms.BooleanField(
        required=False, label=_("It is no longer so"), help_text=_("Only where you know that it has stopped.")
    )
