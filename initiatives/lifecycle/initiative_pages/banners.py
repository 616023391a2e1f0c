"""Banners of every page of an initiative: held, waived, unassessed, overdue."""

from datetime import timedelta

from django.urls import reverse

from governance import clock
from governance.authorization import decision_queries
from governance.gates import criteria, levels
from governance.gates.gate_inputs import without_words
from governance.permission_result import ended
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import RUNNING_STAGES, WRITTEN_OBLIGATIONS, HoldKind, Role, Stage, TakesEffect
from governance.vocabulary.phrases import joined, label, phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.access.visibility import openable
from initiatives.lifecycle.facts import initiative_rows, rulebook_in_effect, supported_stage
from initiatives.lifecycle.initiative.initiative_frame import banner
from initiatives.lifecycle.initiative.page_steps import buttons

TOLD = 2  # overdue obligations in words; more stand in their list
# What ends a hold that the system opened, and where one reads more: residency alone waits for the chair.
CLOSES = {
    "residency": phrase("The chair can lift this hold when the path of the data is fixed."),
    "definition_conflict": phrase(
        "This hold ends when {steward} has resolved each conflict, with a mapping or as an accepted "
        "difference."
    ),
    "failed_drill": phrase("This hold ends when the drill passes."),
}
PAGES = {
    "residency": ("integration-residency", phrase("See the transfer and the reason")),
    "definition_conflict": ("integration-definitions", phrase("See the conflicting definitions")),
    "failed_drill": ("integration-drills", phrase("See the drill")),
}
# Holds computed from dates, though nobody has opened their row: what ends each, and where one reads more.
OF_REGISTER = (
    phrase("This hold closes automatically when its cause is gone."),
    ("initiative",),
    phrase("See the overview"),
)
COMPUTED = {
    "reattestation": (
        phrase(
            "The owner and the support owner accept their roles again. Then the chair confirms production."
        ),
        ("initiative-act", "confirm-production"),
        phrase("See what is needed"),
    ),
    **{kind: (CLOSES[kind], (name,), words) for kind, (name, words) in PAGES.items()},
}


def banners_of(initiative, judged: criteria.Judged, may) -> list[dict]:
    """Return the banners of every page of the initiative, some with a link."""
    rulebook, facts, now = judged.rulebook, judged.facts, judged.at
    today = clock.local_day(now)
    found = _switch_banner(initiative, may)
    if initiative.withdrawn_at:
        merged = _joined(initiative, may.person)
        found.append(
            banner(
                "warn",
                "Withdrawn.",
                phrase("{}{} No obligation is due.", initiative.withdrawn_reason, merged),
            )
        )
    in_force = any(version.in_force_at(now) for version in facts.contracts)
    if initiative.stage in RUNNING_STAGES[1:] and not in_force:
        found.append(
            banner(
                "warn" if initiative.stage == Stage.PROTOTYPE else "bad",
                phrase("No contract in force."),
                phrase("Plumbline denies every request of the system until a contract is in force."),
                reverse("contract", args=[initiative.ref]),
                phrase("Open the contract"),
            )
        )
    found += _objection_banners(initiative)
    found += _late_contract_banner(initiative, facts, now)
    found += _rulebook_banner(initiative, judged)
    found += _tier_banner(initiative, judged, may)
    found += _hold_banners(initiative, facts, now, may)
    found += [
        banner(
            "warn",
            phrase("A waiver runs."),
            phrase("{} Waived until {}: {}", _asked(rulebook, waiver.key), day(waiver.until), waiver.reason),
            reverse("waivers", args=[initiative.ref]),
            phrase("Open the waivers"),
        )
        for waiver in facts.waivers
        if waiver.since <= now and today <= waiver.until
    ]
    found += _obligations_banner(initiative, facts, may.person)
    found += _model_banner(initiative, facts, now)
    found += _age_banner(initiative, today, may)
    found += _overdue_banner(initiative, today)
    return found


def _joined(initiative, person) -> str:
    """Return the sentence on the initiative that an idea was joined to, named for people who may open it."""
    if not initiative.joined_to_id:
        return ""
    ref = initiative.joined_to.ref
    if openable(person, {ref}):
        return phrase(" The initiative was joined to {}.", ref)
    return phrase(" The initiative was joined to another initiative.")


def _overdue_banner(initiative, today) -> list[dict]:
    """Return a banner on the longest overdue obligation, counting the others."""
    late = sorted(
        (obligation for obligation in initiative_rows.obligations(initiative) if obligation.due < today),
        key=lambda obligation: obligation.due,
    )
    if not late:
        return []
    told = [
        phrase(
            "{} Responsible: {}. Due {}.",
            ended(obligation.text),
            obligation.responsible or "no one",
            day(obligation.due),
        )
        for obligation in late[:TOLD]
    ]
    title = phrase("Overdue.") if len(late) == 1 else phrase("{} obligations are overdue.", len(late))
    return [
        banner(
            "bad",
            title,
            joined(*told),
            f"{initiative.get_absolute_url()}#obligations",
            phrase("See the obligations"),
        )
    ]


def runs_without(initiative, judged: criteria.Judged) -> list[dict]:
    """Return a banner if production runs without enforcement or a log.

    The logs themselves are read, so that a first request counts at once. The judgement uses nightly counts.
    """
    if initiative.stage != Stage.PRODUCTION or initiative.withdrawn_at:
        return []
    now, days = judged.at, judged.rulebook.freshness.shown_here_days
    within, missing, told = timedelta(days=days), [], []
    if not decision_queries.enforced_here(initiative.number, initiative.contract_id, now, within):
        missing.append("enforcement")
        told.append(
            phrase(
                "No key of the initiative's systems sent a request or a heartbeat within {} days. "
                "Plumbline cannot show that the contract is enforced.",
                days,
            )
        )
    if not decision_queries.logged_here(initiative.number, now, within):
        missing.append("log")
        told.append(phrase("No call reached the interaction log within {} days.", days))
    if not missing:
        return []
    return [
        banner(
            "warn",
            without_words(missing),
            joined(*told),
            reverse("api-access", args=[initiative.ref]) + "#connect",
            phrase("Connect its system"),
        )
    ]


def _rulebook_banner(initiative, judged: criteria.Judged) -> list[dict]:
    """Return a banner if an older rulebook still decides. It has the end and effect."""
    following = rulebook_in_effect.successor(initiative, judged.at)
    if initiative.stage not in RUNNING_STAGES[1:] or following is None:
        return []
    moment, newer = following
    first = newer.takes_effect == TakesEffect.CASE_BY_CASE
    when = "for this initiative at its next gate or re-attestation, and at the latest " if first else ""
    said = stage_word(judged.support.supported)
    return [
        banner(
            "info",
            phrase(
                "Rulebook {} decides the supported stage here.",
                rulebook_in_effect.rulebook_of(initiative, judged.at).version,
            ),
            phrase(
                "Rulebook {} takes effect {}from {}. A new review uses rulebook {}. The evidence "
                "supports {} under that rulebook.",
                newer.version,
                when,
                day(clock.local_day(moment)),
                judged.rulebook.version,
                said,
            ),
            reverse("requirements", args=[initiative.ref]),
            phrase("Open the requirements"),
        )
    ]


def _asked(rulebook, key: str) -> str:
    known = rulebook.requirements.get(key) or rulebook.criteria.get(key)
    return known.question if known else key


def _objection_banners(initiative) -> list[dict]:
    """Return a banner for each objection at the open review, with its place."""
    review = next((row for row in initiative_rows.reviews(initiative) if row.is_open), None)
    return [
        banner(
            "bad",
            phrase("{} objects.", label(row.get_seat_display())),
            ended(row.reason),
            f"{review.get_absolute_url()}#{row.criteria[0]}",
            phrase("Read the objection"),
        )
        for row in initiative_rows.objections(review)
    ]


def _late_contract_banner(initiative, facts, now) -> list[dict]:
    """Return a banner if architecture was decided before the contract (S0-1).

    Owner and board see it. Only decisions after the prototype gate count.
    """
    words = (
        contract_after_architecture(initiative, facts, now) if initiative.stage in RUNNING_STAGES[1:] else ""
    )
    if not words:
        return []
    link = reverse("deployments", args=[initiative.ref]) + "#architecture"
    return [
        banner(
            "warn",
            phrase("An architecture decision was made before a contract was in force."),
            words,
            link,
            phrase("See the decisions"),
        )
    ]


def contract_after_architecture(initiative, facts, now) -> str:
    """Return a sentence if architecture preceded the contract, else "".

    Only the days of decisions are known. A decision on the day of the gate counts as after the gate, and a contract
    of the same day as in time.
    """
    gate = facts.decided.get("prototype")
    decided = [row.decided_on for row in initiative_rows.rows(initiative, "architecture_decisions")]
    first = min((on for on in decided if gate is not None and on >= gate), default=None)
    if first is None:
        return ""
    started = min((version.since for version in facts.contracts), default=None)
    if started is None or started > now:
        return phrase(
            "No contract is in force yet. The first architecture decision was made on {}.", day(first)
        )
    began = clock.local_day(started)
    if began <= first:
        return ""
    return phrase(
        "The contract came into force on {}, after the first architecture decision on {}.",
        day(began),
        day(first),
    )


def _switch_banner(initiative, may) -> list[dict]:
    """Return a banner while systems are switched off, with actor and way back."""
    return [
        banner(
            "bad",
            phrase("The systems have been switched off since {}.", clock.moment_in_words(row.pressed_at)),
            f"{row.pressed_by} switched the systems off: {ended(row.reason)} Plumbline denies every request."
            + ("" if may.switch else " The owner or the chair can switch them on again."),
            reverse("initiative-act", args=[initiative.ref, "switch-on"]) if may.switch else "",
            phrase("Switch the systems on again"),
        )
        for row in initiative_rows.rows(initiative, "switched_off")
    ]


def _tier_banner(initiative, judged: criteria.Judged, may) -> list[dict]:
    """Return a banner if the tier is not confirmed for its purpose or scopes."""
    text = initiative_rows.beyond_tier(initiative, initiative_rows.rows(initiative, "scopes"))
    if not text or initiative.stage not in RUNNING_STAGES:
        return []
    ends = levels.tier_grace_ends(judged.facts, judged.rulebook, judged.at)
    tier = initiative.get_tier_display().lower()
    late = ends is not None and clock.local_day(judged.at) > ends
    if ends is not None:
        text += (
            phrase(
                " Requirements that do not apply at {} risk have counted as open since {}.", tier, day(ends)
            )
            if late
            else phrase(" Requirements that do not apply at {} risk count as open after {}.", tier, day(ends))
        )
    return [
        banner(
            "bad" if late else "warn",
            phrase("The risk tier is not confirmed for this scope and purpose."),
            text if may.confirm_tier else phrase("{} The risk seat can confirm it.", text),
            reverse("initiative-act", args=[initiative.ref, "confirm-tier"]) if may.confirm_tier else "",
            phrase("Confirm the tier"),
        )
    ]


def _hold_banners(initiative, facts, now, may) -> list[dict]:
    found = []
    holding = criteria.holds_at(facts, rulebook_in_effect.rulebook_of(initiative, now).parsed, now)
    current = {hold.kind for hold in holding}
    rows = [row for row in initiative_rows.rows(initiative, "holds") if row.kind in current]
    chair = roles_and_seats.acting_chair(initiative)[0] if rows else None
    steward = facts.people.get(Role.DATA_STEWARD, "the data steward (no one yet)")
    for row in rows:
        by_people = row.opened_by_id is not None or row.liftable_since is not None
        who = phrase("{} can lift the hold.", chair or "The chair (no one yet)")
        how = (
            who
            if by_people
            else CLOSES.get(row.kind, phrase("The hold closes automatically when its cause is gone."))
        )
        meanwhile = phrase("The initiative cannot be promoted meanwhile. ") if row.blocking else ""
        link, link_text = next(iter(buttons(row, may.person)), ("", ""))
        if not link and row.kind in PAGES:
            name, link_text = PAGES[row.kind]
            link = reverse(name, args=[initiative.ref])
        why = (
            phrase("Fixed since {}. The cause was: {}", day(row.liftable_since), row.reason)
            if row.liftable_since
            else row.reason
        )
        found.append(
            banner(
                "bad",
                phrase(
                    "Held since {}: {}.", day(row.opened_at), label(HoldKind(row.kind).label, inside=True)
                ),
                phrase("{} {}{}", ended(why), meanwhile, how.format(steward=steward)),
                link,
                link_text,
            )
        )
    stored = {hold.kind for hold in facts.holds}
    for hold in holding:
        if hold.kind not in stored:
            how, (name, *verb), link_text = COMPUTED.get(hold.kind, OF_REGISTER)
            found.append(
                banner(
                    "bad",
                    f"Held: {hold.words.lower()}.",
                    phrase("{} {}", ended(hold.reason), how.format(steward=steward)),
                    reverse(name, args=[initiative.ref, *verb]),
                    link_text,
                )
            )
    return found


def _obligations_banner(initiative, facts, person) -> list[dict]:
    """Return a banner on the owner's open texts for other initiatives. Overdue ones block the next decision.

    The words of those on confidential initiatives are for people who may open these.
    """
    if initiative.stage not in (Stage.PROPOSED, Stage.PROTOTYPE, Stage.MVP) or initiative.withdrawn_at:
        return []
    open_obligations = [
        obligation
        for obligation in facts.obligations
        if obligation.kind in WRITTEN_OBLIGATIONS
        and obligation.initiative_ref != initiative.ref
        and not obligation.excused
    ]
    if not open_obligations:
        return []
    opened = openable(
        person, {obligation.initiative_ref for obligation in open_obligations if obligation.secret}
    )
    listed = "; ".join(
        f"{obligation.text.rstrip('.')} ({obligation.initiative_ref}), due {day(obligation.due)}"
        if not obligation.secret or obligation.initiative_ref in opened
        else phrase("A text on a confidential initiative, due {}", day(obligation.due))
        for obligation in open_obligations
    )
    return [
        banner(
            "warn",
            phrase("{} still has post-mortems to write.", open_obligations[0].responsible),
            phrase(
                "{}. While a post-mortem is overdue, no MVP or production review of the same owner "
                "can be decided.",
                listed,
            ),
        )
    ]


def _model_banner(initiative, facts, now) -> list[dict]:
    """Return a banner on production with a model that no passing test names. The rulebook forbids it."""
    models = facts.models_at(now)
    if initiative.stage != Stage.PRODUCTION or initiative.imported or not models:
        return []
    wanted = {version.id for version in models}
    assessed = any(
        item.kind == "test_report"
        and item.result == "pass"
        and item.withdrawn_at is None
        and wanted <= item.components
        for item in facts.items
    )
    if assessed:
        return []
    names = ", ".join(f"{version.label} since {day(version.since)}" for version in models)
    return [
        banner(
            "bad",
            phrase("Production uses a model that no one has assessed."),
            phrase("{}. No passing test report names the model.", names),
            reverse("evidence-add", args=[initiative.ref]) + "?kind=test_report",
            phrase("Add a test report"),
        )
    ]


def _age_banner(initiative, today, may) -> list[dict]:
    """Return a banner on a prototype or MVP past its age or its set end. It waits for the chair."""
    ends = supported_stage.review_by(initiative)
    if ends is None or today <= ends:
        return []
    age = (today - clock.local_day(initiative.since)).days
    return [
        banner(
            "warn",
            phrase("{} for {} days. The planned end was {}.", stage_word(initiative.stage), age, day(ends)),
            phrase("The chair must decide: continue until a new day, or stop."),
            reverse("initiative-act", args=[initiative.ref, "continue"]) if may.go_on else "",
            phrase("Stage time-box review"),
        )
    ]
