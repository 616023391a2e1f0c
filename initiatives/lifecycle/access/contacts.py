"""The people to ask, as a refusal names them."""

from django.db.models import Q

from governance import clock
from governance.contracts.wording import listed
from governance.models import Membership, User
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.permissions import ARCHITECTURE

MOST_NAMED = 3  # people in one refusal


def whom_to_ask(owner: User | None = None, seats: tuple[str, ...] = (ARCHITECTURE,)) -> str:
    """Return a sentence with names and email addresses: the active owner, else holders of the seats, else admins."""
    people = [owner] if owner is not None and owner.is_active else []
    held = Membership.objects.held_at(clock.now()).filter(seat__in=seats)
    for others in (Q(pk__in=held.values("person")), Q(is_admin=True)):
        people = people or list(
            User.objects.filter(others, is_active=True).order_by("full_name")[:MOST_NAMED]
        )
    named = [f"{one} ({one.email})" if one.email else f"{one}" for one in people]
    return phrase("Ask {}.", listed(named or ["an admin"], "or"))
