"""Changes since a person's last visit: acts of others and stale sign-offs."""

from datetime import datetime

from governance import clock
from governance.gates.criteria import Judged
from governance.gates.evidence_rules import expiry_of
from governance.models import Rulebook, User
from governance.models.audit_log import Entry
from governance.privacy import erasure_log
from governance.templatetags.plumbline import day
from initiatives.lifecycle.activity import entry_wording, timeline
from initiatives.models import Initiative, InitiativeVisit, Review, ReviewVisit

# So many acts of others since the last visit are told; of the rest, how many.
NEWS = 30


def of_review(review: Review, person: User, judged: Judged) -> dict | None:
    """Return the changes since the person last opened this review, None at first. Records this visit."""
    since = ReviewVisit.look(review, person, clock.now())
    return _since(review.initiative, person, since, judged)


def of_initiative(initiative: Initiative, person: User, judged: Judged) -> dict | None:
    """Return the changes since the person last opened the initiative, None at first. Records this visit."""
    since = InitiativeVisit.look(initiative, person, clock.now())
    return _since(initiative, person, since, judged)


def _since(initiative: Initiative, person: User, since: datetime | None, judged: Judged) -> dict | None:
    if since is None:
        return None
    entries = (
        Entry.objects.acts().of_initiative(initiative.ref).filter(at__gt=since).exclude(actor_id=person.pk)
    )
    entries = timeline.without_private(entries, person)
    current = Rulebook.objects.current().parsed
    found, shown = list(entries[: NEWS + 1]), []
    gone = erasure_log.words_for(erasure_log.without_words(found))
    for entry in found[:NEWS]:
        body = entry.facts
        shown.append(
            {
                "at": entry.at,
                "who": "" if entry.pk in gone else body["actor"]["name"],
                "text": gone.get(entry.pk)
                or entry_wording.sentence(entry.kind, body.get("facts") or {}, current),
                "reason": body["reason"],
            }
        )
    return {
        "since": since,
        "entries": shown,
        "more": entries.count() - NEWS if len(found) > NEWS else 0,
        "aged": aged(judged, since),
    }


def aged(judged: Judged, since: datetime) -> list[str]:
    """Return the questions whose evidence expired between that visit and today. Expiry has no entry."""
    then, today, found = clock.local_day(since), clock.today(), []
    for key, state in judged.states.items():
        if state.state == "expired":
            asked = judged.rulebook.requirements[key]
            last = expiry_of(judged.facts, asked, state.items[0])
            if last is not None and then <= last < today:
                found.append(f"{asked.question} Its evidence was current until {day(last)}.")
    return found
