"""The questions about a table of systems: unknown kinds, and changes of systems in the register."""

from collections import Counter

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from governance.vocabulary.phrases import phrase
from initiatives.models.integration.systems import SYSTEM_KINDS
from initiatives.portfolio.imports.systems.class_words import LEAVE_OUT
from initiatives.portfolio.imports.systems.systems_table import ALL, COLUMNS, Line

MOST_TICKS = 500


class KindsForm(forms.Form):
    """The kind of each word that is not known: a field for each."""

    rows_may_be_empty = True  # an unanswered word is a problem of its lines

    def __init__(self, words: list[str], *args, **options):
        super().__init__(*args, **options)
        self.words = words
        for place, word in enumerate(words):
            label = gettext("“%(word)s” is") % {"word": word[:90]} if word else _("Lines without a kind")
            self.fields[f"kind_{place}"] = forms.ChoiceField(
                label=label,
                choices=[("", _("choose")), *SYSTEM_KINDS.items(), (LEAVE_OUT, _("left out"))],
                required=False,
            )

    def kinds(self) -> dict[str, str]:
        """Return the chosen kinds by word."""
        if not self.is_valid():
            return {}
        chosen = {word: self.cleaned_data[f"kind_{place}"] for place, word in enumerate(self.words)}
        return {word: kind for word, kind in chosen.items() if kind}

    def offer(self, lines: list[Line]) -> None:
        """Ask for each change of a system in the register. A change that is not chosen is left.

        Many changes are asked about by field, because a page cannot send thousands of ticks.
        """
        choices = [
            (f"{line.number} {name}", f"{line.number}, {line.known}: {words}")
            for line in lines
            for name, words in line.offered.items()
        ]
        if len(choices) > MOST_TICKS:
            counts = Counter(name for line in lines for name in line.offered)
            choices = [
                (f"{ALL} {name}", phrase("{}: {} changes", COLUMNS[name][0], count).in_language())
                for name, count in counts.items()
            ]
        if choices:
            self.fields["changes"] = forms.MultipleChoiceField(
                label=_("Changes to take"),
                choices=choices,
                required=False,
                widget=forms.CheckboxSelectMultiple,
            )
            self.full_clean()

    def taken(self) -> list[str]:
        """Return the changes to make, by line and field."""
        return self.cleaned_data.get("changes", []) if self.is_valid() else []
