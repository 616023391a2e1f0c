"""What legal holds keep of interactions: those of an initiative, and those of a person by the names we know them by.

A hold is on one of our people; systems call whom they serve by names of their own. So a hold on a person keeps what was
reported under their login, address or full name, and the conversations in it. Whoever is called otherwise is held by
the initiative.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from governance.interaction_log import keys
from governance.models import Interaction, LegalHold
from governance.permission_result import Answer, no, yes


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
    """The numbers of the initiatives that a hold is on."""
    return set(LegalHold.objects.open().initiative_numbers())


def held_people() -> Held:
    """Whom holds are on, as pseudonyms."""
    subjects = frozenset(_subjects())
    talked = Interaction.objects.filter(subject__in=subjects, conversation__isnull=False)
    found = talked.values_list("conversation", flat=True).distinct() if subjects else []
    return Held(subjects, frozenset(bytes(one) for one in found if one))


def _subjects() -> dict[bytes, int]:
    """By pseudonym, the hold that is on its person."""
    found = {}
    for hold in LegalHold.objects.open().filter(person__isnull=False).select_related("person"):
        person = hold.person
        for name in (person.login, person.email, person.full_name):
            for said in {name, name.lower()} - {""}:
                found[keys.pseudonym("subject", said)] = hold.pk
    return found


def may_destroy(subject: bytes, initiatives: Iterable[int]) -> Answer:
    """Whether no legal hold keeps what these initiatives (their numbers) hold of this pseudonym."""
    if (hold := _subjects().get(subject)) is not None:
        return no(f"Legal hold {hold} is on this person.", "Lift it first, where it may be lifted.")
    if held := sorted(held_initiatives().intersection(initiatives)):
        named = ", ".join(f"AI-{number:04d}" for number in held)
        return no(f"A legal hold is on {named}.", "Lift it first, where it may be lifted.")
    return yes()
