"""Forms on roles."""

from django import forms

from governance.identity.proofs.batch_forms import BatchSigningForm
from governance.models import User
from governance.people.boards import board_for
from governance.sign_in.signing import SigningForm
from governance.vocabulary import Role
from governance.web.form_fields import PersonField, WordsField, sign_offs_lost
from initiatives.models import Initiative


class ProposeForm(SigningForm):
    """People for roles of an initiative: one field a role, named like it; at least one is filled.

    Whoever proposes themselves accepts by that, and signs it: only then the password is asked for.
    """

    act = "role"

    def __init__(self, *args, initiative: Initiative, roles: dict[str, str], **options):
        """`roles`: the roles that can be proposed for here, each with what it does."""
        super().__init__(*args, **options)
        board = board_for(initiative.unit)
        beside = sign_offs_lost(board) if board else {}
        self.roles = tuple(roles)
        for role, duty in roles.items():
            field = PersonField(
                label=Role.word(role), required=False, help_text=f"{duty[:1].upper()}{duty[1:]}."
            )
            field.beside = beside
            self.fields[role] = field
        self.order_fields(self.roles)
        self.fields["password"].required = self.data.get("step") != "look"
        if not self._themselves():
            del self.fields["password"]

    def _themselves(self) -> bool:
        """Whether whoever sent this chose themselves for one of the roles."""
        for role in self.roles if self.is_bound else ():
            field = self.fields[role]
            try:
                chosen = field.clean(field.widget.value_from_datadict(self.data, self.files, role))
            except forms.ValidationError:
                continue
            if chosen == self.request.user:
                return True
        return False

    def clean(self):
        """Somebody is proposed for something."""
        if not self.errors and not self.chosen:
            raise forms.ValidationError("Choose a person for one role at least.")
        return super().clean()

    @property
    def chosen(self) -> dict[str, User]:
        """Whom the form, once it is valid, proposes for which role."""
        return {role: self.cleaned_data[role] for role in self.roles if self.cleaned_data.get(role)}


class AcceptForm(SigningForm):
    """Own words beside those that are accepted, and the signature."""

    act = "role"

    words = WordsField(
        label="In your own words",
        required=False,
        help_text="Left empty, the words above are what you accept.",
    )


class AcceptSeveralForm(BatchSigningForm):
    """Roles that are accepted in one batch, each in the words that are shown, and the signature."""

    act = "role"


class DeclineForm(forms.Form):
    """Why not."""

    reason = WordsField(label="Why", required=False, help_text="Helps the owner to find somebody else.")
