"""Forms on handing over: one successor an initiative, or one for all that is left."""

import re

from django import forms
from django.utils.translation import gettext, gettext_lazy

from governance.identity.proofs.batch_forms import BatchSigningForm
from governance.models import User
from governance.web.form_fields import WordsField
from initiatives.lifecycle.roles.handover_queries import Part

IN_BRACKETS = re.compile(r"\(([^()]+)\)\s*$")


class SuccessorField(forms.CharField):
    """A person, typed or picked from the list of the page. `HandoverForm.clean` makes it a `User`."""

    def __init__(self, **options):
        options.setdefault("required", False)
        options.setdefault("max_length", 200)
        super().__init__(
            widget=forms.TextInput(attrs={"list": "successors", "autocomplete": "off"}), **options
        )


class HandoverForm(forms.Form):
    """Successors in `initiative-<key>`, `everything` for the rest, and why."""

    everything = SuccessorField(
        label=gettext_lazy("Successor for every initiative that you leave empty below"),
        help_text=(
            gettext_lazy(
                "Type the beginning of a name. If you leave this empty, those initiatives stay with the "
                "person."
            )
        ),
    )
    reason = WordsField(
        label=gettext_lazy("Why"),
        help_text=gettext_lazy("The successors read the reason, and it stays in the activity."),
    )

    rows_may_be_empty = True

    def __init__(self, *args, parts: list[Part], people: list[User], **options):
        super().__init__(*args, **options)
        self.parts = {f"initiative-{part.initiative.pk}": part for part in parts}
        self._by_login = {person.login.casefold(): person for person in people}
        self._by_name: dict[str, list[User]] = {}
        for person in people:
            self._by_name.setdefault(person.full_name.casefold(), []).append(person)
        for name, part in self.parts.items():
            self.fields[name] = SuccessorField(
                label=gettext("Successor for %(ref)s") % {"ref": part.initiative.ref}
            )
        self.order_fields(["everything", *self.parts, "reason"])

    @property
    def rows(self) -> list[tuple]:
        """Return each part with its field."""
        return [(part, self[name]) for name, part in self.parts.items()]

    def clean(self):
        """Replace names by people. A name that two people have needs its sign-in name."""
        said = super().clean()
        for name in ("everything", *self.parts):
            if said.get(name):
                said[name] = self._person(name, said[name])
        return said

    def _person(self, name: str, typed: str) -> User | None:
        bracketed = IN_BRACKETS.search(typed)
        key = (bracketed.group(1) if bracketed else typed).strip().casefold()
        found = self._by_login.get(key)
        named = self._by_name.get(typed.strip().casefold(), [])
        if found is None and len(named) == 1:
            found = named[0]
        if found is None:
            many = "Several people have this name. Add the sign-in name in brackets."
            self.add_error(
                name, many if named else "No active person has this name. Choose a person from the list."
            )
        return found

    @property
    def chosen(self) -> list[tuple[Part, User]]:
        """Return each part with its successor, for a valid form. `everything` skips parts that wait for an answer."""
        said = self.cleaned_data
        pairs = [
            (part, said.get(name) or (said.get("everything") if part.waiting is None else None))
            for name, part in self.parts.items()
        ]
        return [(part, successor) for part, successor in pairs if successor]


class AnswerForm(BatchSigningForm):
    """The handovers that a person answers, the reason, and the signature."""

    act = "role"

    reason = WordsField(
        label=gettext_lazy("Reason, if you decline"),
        required=False,
        help_text=gettext_lazy("This helps to find someone else."),
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["take"].error_messages["required"] = "Tick at least one initiative."
        self.fields["password"].required = self.data.get("step") != "decline"
