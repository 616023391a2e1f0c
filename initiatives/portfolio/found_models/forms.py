"""The forms of the three answers to a model that was found."""

from typing import cast

from django import forms
from django.utils.translation import gettext_lazy as _

from governance.models import Board
from governance.web.form_fields import OwnUnitField, PersonField, Picker, WordsField, sign_offs_lost
from initiatives.models import FoundModel


class IdeaForm(forms.Form):
    """The fields of a proposed initiative, beside the name of its model."""

    title = forms.CharField(max_length=200, help_text=_("The name that people will use."))
    unit = OwnUnitField()
    problem = WordsField(label=_("Problem"), max_length=2000, help_text=_("The purpose, as far as you know."))
    owner = PersonField(
        help_text=_("Name one person, not a team: you or someone else. The person must accept.")
    )

    def __init__(self, *args, found: FoundModel, board: Board | None, **options):
        options["initial"] = {"title": found.name, "unit": found.unit_id}
        super().__init__(*args, **options)
        cast(PersonField, self.fields["owner"]).beside = sign_offs_lost(board) if board else {}


class BelongsForm(forms.Form):
    """The running initiative that the model is part of."""

    def __init__(self, *args, running, **options):
        super().__init__(*args, **options)
        self.fields["initiative"] = forms.ModelChoiceField(
            running,
            label=_("Initiative"),
            empty_label=_("choose"),
            widget=Picker,
            help_text=_("The owner and the technical lead are asked to record the model as a component."),
        )


class NotOursForm(forms.Form):
    """The reason why the name needs no initiative."""

    reason = WordsField(label=_("Why"), max_length=1000)
