"""What a person says of one row that may speak, or speaks, of a system that is here."""

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import User
from governance.vocabulary import Stage
from initiatives.form_fields import WordsField
from initiatives.imports.assertions.actions import decide_move
from initiatives.imports.assertions.pair_actions import answer_pair
from initiatives.models import ImportRow, Initiative

OTHER, LEAVE = "other", "leave"


def _how() -> WordsField:
    return WordsField(
        label=_("How you know"), help_text=_("It stays with the initiative: a claim is an author's word.")
    )


class PairForm(forms.Form):
    """Which of the cases of its name the row speaks of."""

    which = forms.ChoiceField(label=_("Which system it is"))
    reason = _how()

    def __init__(self, cases, *args, **options):
        """`cases`: those that have the name."""
        super().__init__(*args, **options)
        self.cases = {str(case.pk): case for case in cases}
        self.fields["which"].choices = [
            ("", _("choose")),
            *(
                (key, f"{case.ref} {case.title}: {Stage(case.stage).label}")
                for key, case in self.cases.items()
            ),
            (OTHER, _("Another system, which is not here yet")),
        ]

    def decide(self, row: ImportRow, *, by: User) -> ImportRow:
        """Say it. Raises what `answer_pair` raises."""
        case: Initiative | None = self.cases.get(self.cleaned_data["which"])
        return answer_pair(row=row, case=case, reason=self.cleaned_data["reason"], by=by)


class MoveForm(forms.Form):
    """Whether what a newer list asserts becomes what its case claims."""

    stage = forms.ChoiceField(label=_("Decision"))
    reason = _how()

    def __init__(self, row: ImportRow, *args, **options):
        """`row`: tied to a case."""
        super().__init__(*args, **options)
        ref, said = row.initiative.ref, row.mapped["stage"]
        newer = [(said, f"Take the newer claim: {ref} is {Stage(said).label}")] if said else []
        others = [stage for stage in Stage if stage not in (said, row.initiative.stage)]
        self.fields["stage"].choices = [
            ("", _("choose")),
            *newer,
            (LEAVE, f"Leave what {ref} claims: {Stage(row.initiative.stage).label}"),
            *((stage, f"By hand: {ref} claims to be {Stage(stage).label}") for stage in others),
        ]

    def decide(self, row: ImportRow, *, by: User) -> ImportRow:
        """Decide it. Raises what `decide_move` raises."""
        stage = self.cleaned_data["stage"]
        reason = self.cleaned_data["reason"]
        return decide_move(row=row, stage="" if stage == LEAVE else stage, reason=reason, by=by)
