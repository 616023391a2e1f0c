"""Banners of every page of an initiative: not production-ready, held, waived, unassessed, overdue."""

from django.urls import reverse

from governance import clock
from governance.authorization import decision_queries
from governance.gates import criteria
from governance.permission_result import ended
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import RUNNING_STAGES, WRITTEN_OBLIGATIONS, HoldKind, Role, Stage, TakesEffect
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import initiative_rows, rulebook_in_effect, supported_stage
from initiatives.lifecycle.initiative.initiative_frame import banner

TOLD = 2  # overdue obligations in words; more stand in their list
# What ends a hold that the system opened, and where one reads more: residency alone waits for the chair.
CLOSES = {
    "residency": "Once the path is fixed, the chair can lift it.",
    "definition_conflict": "It ends once {steward} has resolved each, with a mapping or as an accepted difference.",
    "failed_drill": "It ends with a drill that passes.",
}
PAGES = {
    "residency": ("integration-residency", "See where and why"),
    "definition_conflict": ("integration-definitions", "See what disagrees"),
    "failed_drill": ("integration-drills", "See the drill"),
}
# Holds computed from dates, though nobody has opened their row: what ends each, and where one reads more.
OF_REGISTER = ("It opens and closes with its cause.", "initiative", "See the overview")
COMPUTED = {
    "reattestation": (
        "The owner and the support owner accept again, then the chair confirms.",
        "initiative-reattest",
        "See what is needed",
    ),
    **{kind: (CLOSES[kind], *page) for kind, page in PAGES.items()},
}


def banners_of(initiative, judged: criteria.Judged, may) -> list[dict]:
    """What every page must say of the initiative, as the rulebook in force judges it; each perhaps with a link."""
    rulebook, facts, now = judged.rulebook, judged.facts, judged.at
    today = clock.local_day(now)
    found = _switch_banner(initiative, may)
    if initiative.withdrawn_at:
        joined = f" It was joined to {initiative.joined_to.ref}." if initiative.joined_to_id else ""
        found.append(banner("warn", "Withdrawn.", f"{initiative.withdrawn_reason}{joined} Nothing is due."))
    if initiative.stage == Stage.PROTOTYPE:
        found.append(
            banner("warn", "Not production-ready.", "This is a prototype: no business may depend on it.")
        )
    in_force = any(version.in_force_at(now) for version in facts.contracts)
    if initiative.stage in RUNNING_STAGES[1:] and not in_force:
        found.append(
            banner(
                "warn" if initiative.stage == Stage.PROTOTYPE else "bad",
                "No contract in force.",
                "What is not written in a contract, the system may not do.",
                reverse("contract", args=[initiative.ref]),
                "Open the contract",
            )
        )
    found += _late_contract_banner(initiative, facts, now)
    found += _rulebook_banner(initiative, judged)
    found += _hold_banners(initiative, facts, now, may)
    found += [
        banner(
            "warn",
            "A waiver runs.",
            f"{_asked(rulebook, waiver.key)} Waived until {day(waiver.until)}: {waiver.reason}",
            reverse("waivers", args=[initiative.ref]),
            "Open the waivers",
        )
        for waiver in facts.waivers
        if waiver.since <= now and today <= waiver.until
    ]
    found += _obligations_banner(initiative, facts)
    found += _model_banner(initiative, facts, now)
    found += _age_banner(initiative, today, may)
    found += _overdue_banner(initiative, today)
    return found


def _overdue_banner(initiative, today) -> list[dict]:
    """The obligations whose day has passed: the longest overdue in words, of the others how many."""
    late = sorted(
        (obligation for obligation in initiative_rows.obligations(initiative) if obligation.due < today),
        key=lambda obligation: obligation.due,
    )
    if not late:
        return []
    told = [
        f"{ended(obligation.text)} {obligation.responsible or 'Nobody'} was to give it by {day(obligation.due)}."
        for obligation in late[:TOLD]
    ]
    title = "Overdue." if len(late) == 1 else f"{len(late)} obligations are overdue."
    return [
        banner(
            "bad",
            title,
            " ".join(told),
            f"{initiative.get_absolute_url()}#obligations",
            "See the obligations",
        )
    ]


def enforced_elsewhere(initiative, now) -> list[dict]:
    """That no key of an initiative in production was heard of lately: for the pages that say what runs."""
    if initiative.stage != Stage.PRODUCTION or initiative.withdrawn_at:
        return []
    if decision_queries.enforced_here(initiative.number, initiative.contract_id, now):
        return []
    days = decision_queries.ENFORCED_WITHIN.days
    return [
        banner(
            "warn",
            "Enforced elsewhere.",
            f"No key of its systems asked here or sent a heartbeat within {days} days, so nothing here shows that its "
            "contract is enforced.",
            reverse("api-access", args=[initiative.ref]) + "#connect",
            "Connect its system",
        )
    ]


def _rulebook_banner(initiative, judged: criteria.Judged) -> list[dict]:
    """That an older rulebook still decides what is supported, until when, and what the one in force makes of it."""
    following = rulebook_in_effect.successor(initiative, judged.at)
    if initiative.stage not in RUNNING_STAGES[1:] or following is None:
        return []
    moment, newer = following
    first = newer.takes_effect == TakesEffect.CASE_BY_CASE
    when = "from its next gate or re-attestation on, at the latest " if first else ""
    said = stage_word(judged.support.supported)
    gaps = len(criteria.gaps_to(judged, initiative.stage))
    more = (
        f", with {gaps} requirement{'' if gaps == 1 else 's'} open up to the approved stage" if gaps else ""
    )
    return [
        banner(
            "info",
            f"Rulebook {rulebook_in_effect.rulebook_of(initiative, judged.at).version} decides what is supported here.",
            f"{newer.version} does so {when}from {day(clock.local_day(moment))}. A new review is opened under "
            f"{judged.rulebook.version}, by which the evidence supports: {said}{more}.",
            reverse("requirements", args=[initiative.ref]),
            "Open the requirements",
        )
    ]


def _asked(rulebook, key: str) -> str:
    known = rulebook.requirements.get(key) or rulebook.criteria.get(key)
    return known.question if known else key


def _late_contract_banner(initiative, facts, now) -> list[dict]:
    """Architecture decided before the contract, once the prototype gate was passed (S0-1): told to owner and board."""
    words = (
        contract_after_architecture(initiative, facts, now) if initiative.stage in RUNNING_STAGES[1:] else ""
    )
    if not words:
        return []
    link = reverse("deployments", args=[initiative.ref]) + "#architecture"
    return [banner("warn", "Architecture came before the contract.", words, link, "See the decisions")]


def contract_after_architecture(initiative, facts, now) -> str:
    """That architecture was first decided, after the prototype gate, before the contract; empty where it was not.

    Days are all that is known of decisions, so one on the day of the gate counts as after it, and a contract of the
    same day as in time.
    """
    gate = facts.decided.get("prototype")
    decided = [row.decided_on for row in initiative_rows.rows(initiative, "architecture_decisions")]
    first = min((on for on in decided if gate is not None and on >= gate), default=None)
    if first is None:
        return ""
    started = min((version.since for version in facts.contracts), default=None)
    if started is None or started > now:
        return f"No contract is in force yet; the first architecture decision was made on {day(first)}."
    began = clock.local_day(started)
    if began <= first:
        return ""
    return f"The contract came into force on {day(began)}, after the first architecture decision on {day(first)}."


def _switch_banner(initiative, may) -> list[dict]:
    """That everything is denied until somebody switches its systems on again: who did it, since when, the way back."""
    return [
        banner(
            "bad",
            f"Its systems are switched off, since {clock.moment_in_words(row.pressed_at)}.",
            f"{row.pressed_by} switched them off: {ended(row.reason)} Whatever they ask is denied."
            + ("" if may.switch else " The owner or the chair can switch them on again."),
            reverse("initiative-switch-on", args=[initiative.ref]) if may.switch else "",
            "Switch them on again",
        )
        for row in initiative_rows.rows(initiative, "switched_off")
    ]


def _hold_banners(initiative, facts, now, may) -> list[dict]:
    found = []
    holding = criteria.holds_at(facts, rulebook_in_effect.rulebook_of(initiative, now).parsed, now)
    current = {hold.kind for hold in holding}
    rows = [row for row in initiative_rows.rows(initiative, "holds") if row.kind in current]
    chair = initiative_permissions.acting_chair(initiative)[0] if rows else None
    steward = facts.people.get(Role.DATA_STEWARD, "the data steward (nobody yet)")
    for row in rows:
        by_people = row.opened_by_id is not None or row.liftable_since is not None
        who = f"{chair or 'the chair (nobody yet)'} can lift it."
        how = who if by_people else CLOSES.get(row.kind, "It closes by itself when its cause is gone.")
        meanwhile = "Nothing is promoted meanwhile. " if row.blocking else ""
        lift = reverse("row-act", args=["holds", row.pk, "lift"])
        link, link_text = lift if by_people and may.chair else "", "Lift it"
        if not link and row.kind in PAGES:
            name, link_text = PAGES[row.kind]
            link = reverse(name, args=[initiative.ref])
        why = (
            f"Fixed since {day(row.liftable_since)}. It was: {row.reason}"
            if row.liftable_since
            else row.reason
        )
        found.append(
            banner(
                "bad",
                f"Held since {day(row.opened_at)}: {HoldKind(row.kind).label.lower()}.",
                f"{ended(why)} {meanwhile}{how.format(steward=steward)}",
                link,
                link_text,
            )
        )
    stored = {hold.kind for hold in facts.holds}
    for hold in holding:
        if hold.kind not in stored:
            how, name, link_text = COMPUTED.get(hold.kind, OF_REGISTER)
            found.append(
                banner(
                    "bad",
                    f"Held: {hold.words.lower()}.",
                    f"{ended(hold.reason)} {how.format(steward=steward)}",
                    reverse(name, args=[initiative.ref]),
                    link_text,
                )
            )
    return found


def _obligations_banner(initiative, facts) -> list[dict]:
    """What the owner of an initiative on its way still has to write in writing on other initiatives: overdue, it stops
    the next decision.
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
    listed = "; ".join(
        f"{obligation.text.rstrip('.')} ({obligation.initiative_ref}), due {day(obligation.due)}"
        for obligation in open_obligations
    )
    return [
        banner(
            "warn",
            f"{open_obligations[0].responsible} has not yet written what others could learn from.",
            f"{listed}. While one of these is overdue, no MVP or production review of theirs is decided.",
        )
    ]


def _model_banner(initiative, facts, now) -> list[dict]:
    """Production on a model that no passing test names: the rulebook forbids it."""
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
            "Production runs on a model nobody has assessed.",
            f"{names}. No passing test report names it.",
            reverse("evidence-add", args=[initiative.ref]) + "?kind=test_report",
            "Add one",
        )
    ]


def _age_banner(initiative, today, may) -> list[dict]:
    """A prototype or MVP past its maximum age, or past the end that the chair set, waits for the chair's word."""
    ends = supported_stage.review_by(initiative)
    if ends is None or today <= ends:
        return []
    age = (today - clock.local_day(initiative.since)).days
    return [
        banner(
            "warn",
            f"{stage_word(initiative.stage)} for {age} days; it was to end on {day(ends)}.",
            "It awaits the chair's word: continue until a new day, or stop.",
            reverse("initiative-continue", args=[initiative.ref]) if may.go_on else "",
            "Stage time-box review",
        )
    ]
