"""Risk tiers that wait to be confirmed by the risk seat: proposed, or confirmed for another scope or purpose."""

from datetime import timedelta

from django.urls import reverse

from governance import clock
from governance.notifications.inbox import InboxTask
from governance.vocabulary.phrases import label, phrase
from initiatives.inbox.rows.person_rows import Look
from initiatives.lifecycle.facts import initiative_rows


def tiers(look: Look):
    """One task for each initiative whose tier is proposed, or was not confirmed for its purpose or for its scopes."""
    rows = [row for row in look.rows("tiers") if row.pk not in look.team_initiatives]
    reopened = [row.pk for row in rows if row.proposed_tier == row.tier]
    scopes = initiative_rows.scopes_of_each(reopened) if reopened else {}
    for initiative in rows:
        why = phrase(
            "Proposed: {}. The tier counts after the risk seat has confirmed it.",
            label(initiative.get_proposed_tier_display(), inside=True),
        )
        since, due = clock.local_day(initiative.tier_proposed_at or initiative.registered_at), None
        if initiative.pk in reopened:
            known = scopes.get(initiative.pk, [])
            beyond = initiative_rows.beyond_tier(initiative, known)
            if not beyond:
                continue
            why = phrase("{} If a different tier fits, ask the owner to propose that tier.", beyond)
            without = [row for row in initiative.scopes_without_tier(known) if row.ended_at is None]
            begun = [*(row.starts_at for row in without), initiative.purpose_changed_at]
            starts = min(filter(None, begun), default=None)
            since = clock.local_day(starts or initiative.tier_confirmed_at)
            if starts and look.rulebook:
                due = since + timedelta(days=look.rulebook.freshness.tier_grace_days)
        yield InboxTask(
            "confirm",
            phrase("Risk tier of {}", initiative.title),
            reverse("initiative-act", args=[initiative.ref, "confirm-tier"]),
            phrase("Read and confirm"),
            why,
            initiative.ref,
            due,
            since=since,
            about=(f"tier:{initiative.pk}",),
        )
