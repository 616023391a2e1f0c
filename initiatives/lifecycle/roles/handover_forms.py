"""Forms on handing over: one successor an initiative, or one for all that is left."""

import re

from django import forms

from governance.identity.proofs.batch_forms import BatchSigningForm
from governance.models import User
from governance.web.form_fields import WordsField
from initiatives.lifecycle.roles.handover_queries import Part

IN_BRACKETS = re.compile(r"\(([^()]+)\)\s*$")


class SuccessorField(forms.CharField):
    """A person, typed or picked from the one list of the page; becomes a `User` in `HandoverForm.clean`."""

    def __init__(self, **options):
        options.setdefault("required", False)
        options.setdefault("max_length", 200)
        super().__init__(
            widget=forms.TextInput(attrs={"list": "successors", "autocomplete": "off"}), **options
        )


class HandoverForm(forms.Form):
    """Successors: `initiative-<key>` for each part, `everything` for those left empty; and why."""

    everything = SuccessorField(
        label="One successor for every initiative left empty below",
        help_text="Begin to type a name. Left empty, those initiatives stay where they are.",
    )
    reason = WordsField(label="Why", help_text="The successors read it; it stays in the history.")

    rows_may_be_empty = True

    def __init__(self, *args, parts: list[Part], people: list[User], **options):
        super().__init__(*args, **options)
        self.parts = {f"initiative-{part.initiative.pk}": part for part in parts}
        self._by_login = {person.login.casefold(): person for person in people}
        self._by_name: dict[str, list[User]] = {}
        for person in people:
            self._by_name.setdefault(person.full_name.casefold(), []).append(person)
        for name, part in self.parts.items():
            self.fields[name] = SuccessorField(label=f"Successor for {part.initiative.ref}")
        self.order_fields(["everything", *self.parts, "reason"])

    @property
    def rows(self) -> list[tuple]:
        """Each part with its field."""
        return [(part, self[name]) for name, part in self.parts.items()]

    def clean(self):
        """Names become people; a name that two people have needs its sign-in name."""
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
            many = "Several people have that name: add the sign-in name in brackets."
            self.add_error(name, many if named else "Nobody active has that name; pick one from the list.")
        return found

    @property
    def chosen(self) -> list[tuple[Part, User]]:
        """Each part for which somebody is asked, of a form that is valid. Who waits for an answer is left in peace."""
        said = self.cleaned_data
        pairs = [
            (part, said.get(name) or (said.get("everything") if part.waiting is None else None))
            for name, part in self.parts.items()
        ]
        return [(part, successor) for part, successor in pairs if successor]


class AnswerForm(BatchSigningForm):
    """Which of the handovers one answers, and why not; taking over is signed, for roles are accepted by it."""

    act = "role"

    reason = WordsField(label="If you decline: why", required=False, help_text="Helps to find somebody else.")

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["take"].error_messages["required"] = "Tick at least one initiative."
        self.fields["password"].required = self.data.get("step") != "decline"
