"""Publication of a rulebook. It changes supported stages, so the module is beside the initiatives."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit_log import entries
from governance.models import Membership, Rulebook, User
from governance.notifications import notify
from governance.people import cooling_off
from governance.permission_result import Answer, Conflict, no, yes
from governance.transparency_log import signing_rules
from governance.vocabulary import BoardRole, TakesEffect
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.holds.actions import Grace
from initiatives.lifecycle.initiative.act import act, batched, rewrite_supported_stages
from initiatives.lifecycle.reminders import telling
from initiatives.models import Forecast, Initiative, Obligation
from initiatives.portfolio.rulebook_changes.forecast_actions import MOST_AHEAD, MOST_GRACE

NAMED = 20  # so many initiatives are named in one message


def may_publish(rulebook: Rulebook, person: User) -> Answer:
    """Allow a chair to publish a draft that another person proposed, who is still an admin."""
    if rulebook.published:
        return no(phrase("Rulebook {} is already published.", rulebook.version))
    again = "Ask an admin to propose it on the page of the rulebook."
    if rulebook.admin is None:
        return no("No admin has proposed this rulebook.", again)
    if not rulebook.proposal_stands:
        return no(phrase("{} proposed this rulebook, and is no longer an admin.", rulebook.admin), again)
    if rulebook.admin_id in accounts_of(person):
        return no("You proposed this rulebook, so someone else must publish it.", "Ask a chair.")
    if not _chaired(person):
        return no("Only a chair can publish a rulebook.", "Ask the chair of a board.")
    return yes()


def _chaired(person: User) -> list[Membership]:
    return list(Membership.objects.held_at(clock.now()).filter(person=person, seat=BoardRole.CHAIR))


def publish_rulebook(
    *,
    rulebook: Rulebook,
    takes_effect: str = TakesEffect.AT_ONCE,
    effective_on: date | None = None,
    grace_until: date | None = None,
    forecast: Forecast | None = None,
    by: User,
) -> Rulebook:
    """Put a rulebook in force as chair, after an admin proposed it.

    All supported stages are computed again. Open reviews keep their version, and new ones get this one. `takes_effect`
    is when it starts to decide the supported stage (initiatives/lifecycle/facts/rulebook_in_effect.py), and
    `effective_on` a future day of it. Support falls at that time. `grace_until` is the last day of the obligations that
    this opens at once (docs/adr/0037), or else the rulebook's number of days. `forecast` is the one that the chair saw.
    Raises ValidationError, Refused or Conflict.
    """
    today = clock.today()
    dated = takes_effect == TakesEffect.ON_A_DAY
    if takes_effect not in TakesEffect:
        raise ValidationError({"takes_effect": "Choose when the rulebook takes effect."})
    if dated and (effective_on is None or not today < effective_on <= today + MOST_AHEAD):
        raise ValidationError({"effective_on": phrase("Choose a future day, until {}.", today + MOST_AHEAD)})
    if grace_until is not None and takes_effect != TakesEffect.AT_ONCE:
        raise ValidationError(
            {"grace_until": "This day is only for a rulebook that starts at once. Leave it empty."}
        )
    if grace_until is not None and not today <= grace_until <= today + MOST_GRACE:
        raise ValidationError(
            {"grace_until": phrase("Choose a day from today to {}, or leave it empty.", today + MOST_GRACE)}
        )
    with act("publish rulebook", by=by):
        rulebook = Rulebook.objects.select_for_update().get(pk=rulebook.pk)
        if rulebook.published:
            raise Conflict(phrase("Rulebook {} is already published.", rulebook.version))
        may_publish(rulebook, by).or_refuse()
        cooling_off.may_lift(by, _chaired(by)).or_refuse()
        if forecast is not None and (forecast.digest != rulebook.digest or forecast.state != Forecast.DONE):
            raise Conflict(
                "The effects of this rulebook have changed after you opened the page.", "Open the page again."
            )
        rulebook.chair, rulebook.published_at = by, clock.now()
        rulebook.takes_effect, rulebook.effective_on = takes_effect, effective_on if dated else None
        rulebook.save()
        signing_rules.write(rulebook)
        until = grace_until or today + timedelta(days=rulebook.parsed.freshness.grace_days)
        entries.record(
            EntryKind.RULEBOOK_PUBLISHED,
            version=rulebook.version,
            digest=rulebook.digest,
            admin=rulebook.admin.full_name,
            takes_effect=takes_effect,
            effective_on=rulebook.effective_on,
            grace_until=until if takes_effect == TakesEffect.AT_ONCE else None,
            forecast=forecast.outcome if forecast else None,
        )
        grace = Grace(until, f" under rulebook {rulebook.version}")
        keys = list(Initiative.objects.live().order_by("pk").values_list("pk", flat=True))
        opened: list[Obligation] = []
        for some in batched(keys):
            opened += rewrite_supported_stages(Initiative.objects.all_locked(some), grace)
        _tell(rulebook, opened)
    return rulebook


def _tell(rulebook: Rulebook, opened: list[Obligation]) -> None:
    """Notify each responsible person once of lost support and the day to restore it."""
    by_person: dict[User, list[Obligation]] = {}
    for obligation in opened:
        if obligation.responsible is not None:
            by_person.setdefault(obligation.responsible, []).append(obligation)
    for person, obligations in by_person.items():
        kind, key = "rulebook published", f"rulebook:{rulebook.pk}"
        news = f"Rulebook {rulebook.version} is in force"
        named = "; ".join(
            f"{obligation.initiative.ref}: {obligation.text.partition(' under rulebook')[0]}"
            for obligation in obligations[:NAMED]
        )
        more = f", and {len(obligations) - NAMED} more" if len(obligations) > NAMED else ""
        due = obligations[0].due
        text = (
            f"{named}{more}. Restore the support until {due:%-d %B %Y}. After that day the chair is asked to "
            "step back."
        )
        if len(obligations) == 1:
            initiative = obligations[0].initiative
            words = f"{news[:1].lower()}{news[1:]}, and the approved stage lost its support"
            link = initiative.get_absolute_url()
            telling.tell(initiative, [person], kind, key, words, text=text, link=link, due_on=due)
            continue
        subject = f"{news}: {len(obligations)} of your initiatives lost the support of the approved stage"
        notify.notify(person, kind, key, subject=subject, text=text, link="/initiatives/?mine=on", due_on=due)
