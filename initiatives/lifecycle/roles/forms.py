"""Forms on roles."""

from django import forms
from django.utils.translation import gettext_lazy

from governance.identity.proofs.batch_forms import BatchSigningForm
from governance.models import User
from governance.people.boards import board_for
from governance.sign_in.signing import SigningForm
from governance.vocabulary import Role
from governance.web.form_fields import PersonField, WordsField, sign_offs_lost
from initiatives.lifecycle.roles.actions import acceptance_words
from initiatives.models import Initiative


class ProposeForm(SigningForm):
    """People for roles of an initiative: one field a role, with at least one filled.

    A person who proposes themselves accepts, so only then the form asks for a signature.
    """

    act = "role"

    def __init__(self, *args, initiative: Initiative, roles: dict[str, str], **options):
        """Set up the form. `roles` are those that can be proposed, each with its duty."""
        super().__init__(*args, facts=self._accepted, **options)
        self.initiative = initiative
        board = board_for(initiative.unit)
        beside = sign_offs_lost(board) if board else {}
        self.roles = tuple(roles)
        for role, duty in roles.items():
            field = PersonField(
                label=Role.word(role),
                required=False,
                help_text=f"{duty[:1].upper()}{duty[1:]}.",
            )
            field.beside = beside
            self.fields[role] = field
        self.order_fields(self.roles)
        if not self._themselves():
            del self.fields["password"]

    def _themselves(self) -> bool:
        """Return True if the sender chose themselves for one of the roles."""
        for role in self.roles if self.is_bound else ():
            field = self.fields[role]
            try:
                chosen = field.clean(
                    field.widget.value_from_datadict(self.data, self.files, self.add_prefix(role))
                )
            except forms.ValidationError:
                continue
            if chosen == self.request.user:
                return True
        return False

    def _accepted(self) -> dict:
        """Return what the sender accepts: the words of each role that they take themselves."""
        mine = [role for role, person in self.chosen.items() if person == self.request.user]
        return {"accepted": [acceptance_words(self.initiative, role) for role in mine]}

    def clean(self):
        """Refuse a form without any person."""
        if not self.errors and not self.chosen:
            raise forms.ValidationError("Choose a person for at least one role.")
        return super().clean()

    @property
    def chosen(self) -> dict[str, User]:
        """Return the proposed person by role, for a valid form."""
        return {role: self.cleaned_data[role] for role in self.roles if self.cleaned_data.get(role)}


class AcceptForm(SigningForm):
    """Own words beside those that are accepted, and the signature."""

    act = "role"

    words = WordsField(
        label=gettext_lazy("In your own words"),
        required=False,
        help_text=gettext_lazy("If you leave this empty, you accept the text above."),
    )


class AcceptSeveralForm(BatchSigningForm):
    """Roles accepted in one batch, each in the shown words, and the signature."""

    act = "role"


class DeclineForm(forms.Form):
    """The reason to decline."""

    reason = WordsField(
        label=gettext_lazy("Why"),
        required=False,
        help_text=gettext_lazy("This helps the owner to find someone else."),
    )
