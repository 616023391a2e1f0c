"""The filter of the register of decisions; every field may be left empty."""

from django import forms

from governance.audit.forms import DayField
from governance.models import Unit
from governance.people.boards import boards
from governance.sign_in.forms import UnitField
from initiatives.decisions.decision_register import KINDS, Wanted, day_begins, day_ends


class DecidedForm(forms.Form):
    """The filters of the list of decisions. What is not understood is said and left out."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "reason, title, AI-42"}),
    )
    what = forms.ChoiceField(label="Decision", required=False, choices=[("", "any"), *KINDS.items()])
    gate = forms.ChoiceField(label="Gate", required=False)
    board = forms.TypedChoiceField(label="Board", required=False, empty_value=None)
    unit = UnitField(label="Unit", required=False, queryset=Unit.objects.without_others(), empty_label="any")
    who = forms.CharField(label="Decided by", required=False, max_length=120)
    since = DayField(label="From")
    until = DayField(label="To")

    def __init__(self, *args, book, **options):
        """`book` names the gates."""
        super().__init__(*args, **options)
        known = boards()
        self.fields["gate"].choices = [
            ("", "any"),
            *((key, gate.title) for key, gate in book.gates.items() if gate.criteria),
        ]
        self.fields["board"].choices = [("", "any"), *((str(board.pk), board.name) for board in known)]
        self.fields["board"].coerce = lambda key: next(board for board in known if str(board.pk) == key)

    def clean(self):
        """A period ends after it begins."""
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "This day is before the first one.")
        return cleaned

    @property
    def wanted(self) -> Wanted:
        """What was understood."""
        self.is_valid()
        given = self.cleaned_data
        return Wanted(
            gate=given.get("gate") or "",
            what=given.get("what") or "",
            board=given.get("board"),
            unit=given.get("unit"),
            since=day_begins(given.get("since")),
            until=day_ends(given.get("until")),
            who=given.get("who") or "",
            text=given.get("q") or "",
        )
