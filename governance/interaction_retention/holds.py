"""Legal holds on interactions: those of an initiative, and those of a person.

A hold is on a person with an account here. Systems use their own names for the people they serve. A hold on a person
therefore keeps reports under the person's login, address or full name, and the conversations in it. A hold on the
initiative covers a person with another name.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from governance.interaction_log import keys
from governance.models import Interaction, LegalHold
from governance.permission_result import Answer, no, yes
from governance.vocabulary.phrases import phrase


@dataclass(frozen=True)
class Held:
    """Pseudonyms of people under a hold, and of the conversations that they took part in."""

    subjects: frozenset[bytes]
    conversations: frozenset[bytes]

    def __bool__(self) -> bool:
        return bool(self.subjects)

    @property
    def holders(self) -> frozenset[bytes]:
        """Whose keys are kept."""
        return self.subjects | self.conversations


def held_initiatives() -> set[int]:
    """Return the numbers of the initiatives that a hold is on."""
    return set(LegalHold.objects.open().initiative_numbers())


def held_people() -> Held:
    """Whom holds are on, as pseudonyms."""
    subjects = frozenset(_subjects())
    talked = Interaction.objects.filter(subject__in=subjects, conversation__isnull=False)
    found = talked.values_list("conversation", flat=True).distinct() if subjects else []
    return Held(subjects, frozenset(bytes(one) for one in found if one))


def _subjects() -> dict[bytes, int]:
    """Return the hold on each person, by pseudonym."""
    found = {}
    for hold in LegalHold.objects.open().filter(person__isnull=False).select_related("person"):
        person = hold.person
        for name in (person.login, person.email, person.full_name):
            for said in {name, name.lower()} - {""}:
                found[keys.pseudonym("subject", said)] = hold.pk
    return found


def may_destroy(subject: bytes, initiatives: Iterable[int]) -> Answer:
    """Return yes if no hold covers this pseudonym in these initiatives (numbers)."""
    if (hold := _subjects().get(subject)) is not None:
        return no(
            phrase("Legal hold {} covers this person.", hold),
            "Lift the legal hold first, if that is allowed.",
        )
    if held := sorted(held_initiatives().intersection(initiatives)):
        named = ", ".join(f"AI-{number:04d}" for number in held)
        return no(phrase("A legal hold covers {}.", named), "Lift the legal hold first, if that is allowed.")
    return yes()
