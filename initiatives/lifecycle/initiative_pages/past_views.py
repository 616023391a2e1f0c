"""An initiative as known on a day, and two days side by side."""

from dataclasses import dataclass, field

from django.urls import reverse

from governance import clock
from governance.gates import criteria
from governance.gates.gate_inputs import without_words
from governance.models import ContractVersion
from governance.people.boards import board_for
from governance.templatetags.plumbline import day, stage_word
from governance.transparency_log import as_of
from governance.vocabulary import HoldKind, Role, ScaleTestOutcome, Seat, SignOffVerdict
from governance.web.pages.as_of_views import Day
from initiatives.lifecycle.activity.entry_wording import question
from initiatives.lifecycle.evidence.views import STATES, state_of_item
from initiatives.lifecycle.facts import initiative_rows, open_requirements, supported_stage
from initiatives.models import Initiative, SignOff, SupportedStage

NOTHING = "nothing"
ANSWER_KINDS = {
    "no": "Not yet. ",
    "not_applicable": "Not applicable. ",
    "not_reported": "Not reported by the source. ",
}
LONGEST = 240  # characters of an answer that are shown beside another


# --- As computed then, and now ---------------------------------------------------------------------------------------


def kept_beside_now(context) -> dict:
    """Return the supported stage recorded on the day beside the one of now.

    Keys: rows (words, then, now, differs, empty without a supported stage), differs, computed_at, kept_rulebook,
    now_rulebook, compare_url.
    """
    initiative, now = context["initiative"], context["now"]
    judged = context["judged"]
    stored = SupportedStage.objects.filter(initiative=initiative).select_related("rulebook").first()
    span = initiative.spans.covering(now).first() if stored else None
    asked = Day.of(as_of.current()).asked
    found = {
        "rows": [],
        "now_rulebook": judged.rulebook.version,
        "compare_url": f"{reverse('initiative-activity', args=[initiative.ref])}?one={asked}",
    }
    if span is None:
        return found
    facts, support = context["facts"], context["support"]
    pairs = [
        ("Supports", stage_word(span.supported), stage_word(support.supported)),
        ("Support", span.label or "supported", support.label or "supported"),
        ("Held", _yes(span.held), _yes(criteria.holds_at(facts, judged.rulebook, now))),
        *(
            (f"{name.capitalize()} test", ScaleTestOutcome.word(getattr(span, name)), str(outcome.label))
            for name, outcome in support.tests.items()
        ),
        ("Shown by the running system", _without(span.runs_without), _without(support.runs_without)),
        ("Open requirements", _open(span.open_requirements), _open(context["open"])),
    ]
    rows = [{"words": what, "then": then, "now": new, "differs": then != new} for what, then, new in pairs]
    return found | {
        "rows": rows,
        "differs": any(row["differs"] for row in rows),
        "computed_at": stored.computed_at,
        "kept_rulebook": stored.rulebook.version,
    }


def _open(counts: open_requirements.ByRole) -> str:
    return ", ".join(open_requirements.told(counts)) or "none"


def _yes(value) -> str:
    return "yes" if value else "no"


def _without(missing) -> str:
    return without_words(missing) or "all requirements are met"


# --- Two days side by side -------------------------------------------------------------------------------------------


@dataclass
class Then:
    """The known facts of an initiative on one day: lines of each section."""

    sections: dict[str, dict] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """The differences of two days in one matter: (what, one, other). `same` is the number of equal lines."""

    words: str
    lines: list[tuple[str, str, str]]
    same: int


def then_of(number: int) -> Then | None:
    """Return the known facts inside `asof.day`, or None if it did not exist."""
    initiative = Initiative.objects.select_related("unit", "contract").filter(number=number).first()
    if initiative is None:
        return None
    now = clock.now()
    judged = supported_stage.judged(initiative, at=now)
    rulebook, facts = judged.rulebook, judged.facts
    return Then(
        {
            "Stages": _supported_stage(initiative, judged),
            "Answers": _answers(facts, rulebook),
            "Evidence": _evidence(facts, rulebook, now),
            "Holds": {
                hold.pk: (HoldKind(hold.kind).label, f"since {day(hold.opened_at)}: {hold.reason}")
                for hold in initiative_rows.rows(initiative, "holds")
            },
            "Roles": {
                role.pk: (
                    Role(role.role).label,
                    f"{role.person.full_name}" + ("" if role.accepted_at else ", asked, not yet accepted"),
                )
                for role in initiative_rows.roles(initiative)
                if role.open
            },
            "Sign-offs": _sign_offs(initiative),
        }
    )


def _supported_stage(initiative, judged: criteria.Judged) -> dict:
    rulebook, support = judged.rulebook, judged.support
    versions = initiative_rows.rows(initiative, "contract_versions")
    in_force = [version for version in versions if _binds(version, judged.at)]
    board = board_for(initiative.unit)
    lines = {
        "Title": initiative.title,
        "Approved stage": stage_word(initiative.stage),
        "Evidence supports": stage_word(support.supported),
        "Support": support.label or "supported",
        "Risk tier": initiative.get_tier_display() or "not confirmed",
        "Contract in force": f"version {in_force[-1].number}" if in_force else "none",
        "Board": board.name if board else "none",
        "Rulebook": rulebook.version,
    }
    lines |= {f"{name.capitalize()} test": str(outcome.label) for name, outcome in support.tests.items()}
    lines["Shown by the running system"] = _without(support.runs_without)
    lines["Open requirements"] = _open(
        open_requirements.by_role(judged, open_requirements.by_rulebook_in_force(judged))
    )
    return {what: (what, said) for what, said in lines.items()}


def _binds(version, now) -> bool:
    started = version.starts_at is not None and version.starts_at <= now
    return (
        started
        and (version.ends_at is None or version.ends_at > now)
        and version.state != ContractVersion.DRAFT
    )


def _answers(facts, rulebook) -> dict:
    return {
        key: (question(rulebook, key), _shortened(f"{ANSWER_KINDS.get(reply.kind, '')}{reply.text}"))
        for key, reply in facts.answers.items()
    }


def _evidence(facts, rulebook, now) -> dict:
    return {
        item.id: (
            f"{item.title}, observed {item.observed_on:%-d %B %Y}",
            STATES[state_of_item(facts, rulebook, item, now)[0]],
        )
        for item in facts.items
    }


def _sign_offs(initiative) -> dict:
    rows = (
        SignOff.objects.filter(review__initiative=initiative)
        .select_related("person", "review")
        .order_by("pk")
    )
    replaced = {row.replaces_id for row in rows}
    return {
        row.pk: (
            f"{Seat.word(row.seat)}, gate {row.review.gate}, signed {row.at:%-d %B %Y}",
            f"{SignOffVerdict(row.verdict).label.lower()}, {row.person.full_name}"
            + (", replaced since" if row.pk in replaced else ""),
        )
        for row in rows
    }


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def differences(one: Then, other: Then) -> list[Section]:
    """Return the differences section by section. A line of one day only is `NOTHING` on the other."""
    found = []
    for words, before in one.sections.items():
        after = other.sections[words]
        lines = []
        for key in dict.fromkeys([*before, *after]):
            old, new = before.get(key), after.get(key)
            if old != new:
                what = (new or old)[0]
                lines.append((what, old[1] if old else NOTHING, new[1] if new else NOTHING))
        found.append(Section(words, lines, len(before.keys() & after.keys()) - _changed(before, after)))
    return found


def _changed(before: dict, after: dict) -> int:
    return sum(before[key] != after[key] for key in before.keys() & after.keys())
