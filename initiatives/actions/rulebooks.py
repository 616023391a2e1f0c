"""Publishing a rulebook: it changes what every case's proof supports, so it lives beside the cases."""

from governance import clock, ledger
from governance.answers import Conflict, no
from governance.models import Membership, Rulebook, User
from governance.models.people import CHAIR
from initiatives.actions.base import act, batched, settle_standings
from initiatives.models import Initiative


def publish_rulebook(*, rulebook: Rulebook, by: User) -> Rulebook:
    """Put a rulebook in force as chair, after an admin proposed it; every standing is computed anew.

    Open reviews keep the version they were opened with. Raises Refused or Conflict.
    """
    with act("publish rulebook", by=by):
        rulebook = Rulebook.objects.select_for_update().get(pk=rulebook.pk)
        if rulebook.published:
            raise Conflict(f"Rulebook {rulebook.version} is published already.")
        if rulebook.admin_id is None:
            no("No admin proposed to publish it.", "An admin does that on its page.").or_refuse()
        if rulebook.admin_id == by.pk:
            no("Admin and chair are two people.", "A chair publishes what an admin proposed.").or_refuse()
        if not Membership.objects.held_at(clock.now()).filter(person=by, seat=CHAIR).exists():
            no("Only a chair publishes a rulebook.", "Ask the chair of a board.").or_refuse()
        rulebook.chair, rulebook.published_at = by, clock.now()
        rulebook.save()
        ledger.record(
            "rulebook published",
            version=rulebook.version,
            digest=rulebook.digest,
            admin=rulebook.admin.full_name,
        )
        keys = list(Initiative.objects.live().order_by("pk").values_list("pk", flat=True))
        for some in batched(keys):
            settle_standings(Initiative.objects.all_locked(some), rulebook)
    return rulebook
