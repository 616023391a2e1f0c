"""A year lived through the real acts, seen as it went by, and asked again: for the suite and the drills."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.test import RequestFactory

from adoption.demo import initiative_acts
from governance import clock
from governance.gates import criteria
from governance.models import Entry, Rulebook
from governance.transparency_log import as_of, sealing
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.facts import initiative_rows, supported_stage
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative.initiative_frame import initiative_context
from initiatives.lifecycle.initiative_pages import next_step
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements.row_presentation import rows_of, sheet_of, sheets_of
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative, SignOff, SupportedStage
from initiatives.portfolio.initiative_list import filters
from tests.support import factories

BEGINS = datetime(2024, 1, 10, 9, tzinfo=UTC)
DAYS = 360


@dataclass
class Year:
    """The cast of the year, its initiatives, and what was seen of each at which instant."""

    cast: factories.Cast
    initiatives: list[Initiative] = field(default_factory=list)
    seen: dict[tuple[int, datetime], dict | None] = field(default_factory=dict)

    @property
    def moments(self) -> set[datetime]:
        """The instants at which somebody looked."""
        return {moment for _, moment in self.seen}


def look(number: int, person) -> dict | None:
    """Everything that pages and rules say of an initiative where this runs; None when there is none."""
    initiative = Initiative.objects.select_related("unit", "contract").filter(number=number).first()
    if initiative is None:
        return None
    now, rulebook = clock.now(), Rulebook.objects.current()
    request = RequestFactory().get("/")
    request.user = person
    facts = supported_stage.facts_of(initiative)
    context = initiative_context(request, initiative, "initiative", facts=facts)
    parsed, sheets = context["rulebook"], sheets_of(initiative, context["rulebook"])
    listed = filters.with_people(
        filters.with_contract(
            filters.with_supported_stage(Initiative.objects.filter(pk=initiative.pk), rulebook, now), now
        )
    )
    return {
        "row": Initiative.objects.filter(pk=initiative.pk).values().get(),
        "facts": facts,
        "support": context["support"],
        "gaps": supported_stage.gap_counts(context["judged_next"]),
        "supported_stage": SupportedStage.objects.filter(initiative=initiative)
        .values("rulebook_id", "computed_at", "valid_until")
        .get(),
        "span": initiative.spans.covering(now).values().get(),
        "portfolio": listed.values(
            "supported",
            "unsupported_stages",
            "label",
            "held",
            "gap_counts",
            "next_due",
            "owner_name",
            "contracted",
        ).get(),
        "page": [context[name] for name in ("rests_on", "goal", "lean", "tags")],
        "banners": [(banner["title"], banner["text"]) for banner in context["banners"]],
        "rooms": [(room["word"], room["tags"]) for room in context["rooms"]],
        "open": context["open_words"],
        "standards": next_step.standard_rows(context),
        "requirements": [
            (row["key"], row["word"], row["who"], row["more_items"], row["answer"] and row["answer"].text)
            for row in rows_of(context, sheet_of(initiative, sheets, None))
        ],
        "sign-offs": list(SignOff.objects.filter(review__initiative=initiative).order_by("pk").values()),
        "history": list(Entry.objects.acts().of_initiative(initiative.ref).values_list("pk", flat=True)),
        "roles": [
            (role.role, role.person.full_name, role.open) for role in initiative_rows.roles(initiative)
        ],
        "holds_now": [hold.words for hold in criteria.holds_at(facts, parsed, now)],
    }


def lived(*, initiatives: int = 5, looks: int = 200, seed: int = 7) -> Year:
    """Tell the year: each initiative registered, promoted, changed; after each act sealed, between acts looked at."""
    chance = random.Random(seed)
    with clock.simulated(BEGINS):
        year = Year(factories.make_cast())
    for place in range(initiatives):
        with clock.simulated(BEGINS):
            year.initiatives.append(factories.make_initiative(year.cast, f"Summaries of region {place + 1}"))
    sealing.seal()
    acts = sorted(_acts(year, chance), key=lambda act: act[0])
    moments = sorted(BEGINS + timedelta(seconds=chance.randrange(DAYS * 86_400)) for _ in range(looks))
    for moment, act in acts:
        while moments and moments[0] < moment:
            _see(year, moments.pop(0))
        with clock.simulated(moment):
            act()
        sealing.seal()
        moments.insert(0, moment) if chance.random() < 0.2 else None
    for moment in moments:
        _see(year, moment)
    return year


def _see(year: Year, moment: datetime) -> None:
    with clock.simulated(moment):
        for initiative in year.initiatives:
            year.seen[initiative.number, moment] = look(initiative.number, year.cast.auditor)


def _acts(year: Year, chance):
    """What happens, each with its moment: the gates at their times, small things in between."""
    cast = year.cast
    for place, initiative in enumerate(year.initiatives):
        yield (
            _day(chance, 10 + 5 * place),
            lambda initiative=initiative: initiative_acts.to_prototype(
                initiative_acts.fresh(initiative), cast.team
            ),
        )
        if place % 3 == 0:
            yield (
                _day(chance, 70 + 5 * place),
                lambda initiative=initiative: initiative_acts.to_mvp(
                    initiative_acts.fresh(initiative), cast.team
                ),
            )
        for _ in range(12):
            small = chance.choice(
                [_say_again, _withdraw_one, _hold_or_lift, _new_version, _rename, _end_or_ask]
            )
            yield (
                _day(chance, chance.randrange(100, DAYS)),
                lambda initiative=initiative, small=small: small(initiative, cast, chance),
            )
        if place % 3 == 1:
            yield (
                _day(chance, DAYS - 20),
                lambda initiative=initiative: stage_actions.stop(
                    initiative=initiative_acts.fresh(initiative),
                    reason_code="no_value",
                    reason="Nobody used it.",
                    by=cast.owner,
                ),
            )


def _day(chance, day: int) -> datetime:
    return BEGINS + timedelta(days=day, seconds=chance.randrange(30_000))


def _say_again(initiative, cast, chance) -> None:
    key = chance.choice(["proto.question", "proto.limits", "mvp.problem", "mvp.users"])
    if key in Rulebook.objects.current().parsed.requirements:
        text = f"Said again, for the {chance.randrange(1000)}th time."
        requirement_actions.answer(
            initiative=initiative_acts.fresh(initiative),
            requirement=key,
            kind="answered",
            text=text,
            by=cast.owner,
        )


def _withdraw_one(initiative, cast, chance) -> None:
    items = (
        initiative_acts.fresh(initiative)
        .evidence.filter(withdrawn_at__isnull=True, generated=False)
        .exclude(kind="attestation")
    )
    item = items.order_by("pk").first()
    if item is not None:
        evidence_actions.withdraw_evidence(evidence=item, reason="It was the wrong file.", by=cast.owner)


def _hold_or_lift(initiative, cast, chance) -> None:
    held = initiative_acts.fresh(initiative).holds.filter(lifted_at__isnull=True).first()
    if held is None:
        hold_deeds.hold(
            initiative=initiative_acts.fresh(initiative), reason="Complaints came in.", by=cast.seat_security
        )
    else:
        hold_deeds.lift_hold(hold=held, reason="They were answered.", by=cast.chair)


def _new_version(initiative, cast, chance) -> None:
    components_actions.record_component(
        initiative=initiative_acts.fresh(initiative),
        layer="model",
        name="Language model",
        version=f"m-{chance.randrange(9999)}",
        by=cast.owner,
    )


def _rename(initiative, cast, chance) -> None:
    row = initiative_acts.fresh(initiative)
    title = f"{row.title.split(',')[0]}, {chance.randrange(1000)}"
    if title != row.title:
        detail_actions.rename(initiative=row, title=title, reason="Clearer.", by=cast.owner)
    detail_actions.change_details(
        initiative=row,
        problem=row.problem,
        platform="",
        confidential=chance.random() < 0.3,
        by=cast.owner,
    )


def _end_or_ask(initiative, cast, chance) -> None:
    row = initiative_acts.fresh(initiative)
    deputy = row.roles.filter(role="deputy", ended_at__isnull=True, declined_at__isnull=True).first()
    if deputy is None:
        role_actions.propose_role(initiative=row, role="deputy", person=cast.second_admin, by=cast.owner)
    elif deputy.accepted_at is None:
        role_actions.accept_role(assignment=deputy, by=cast.second_admin)
    else:
        role_actions.revoke_role(assignment=deputy, reason="Back to the day job.", by=cast.owner)


def asked_again(year: Year, count: int, *, seed: int) -> list[str]:
    """Ask for so many random pairs of initiative and instant again: what differs from what was seen, in words."""
    wrong = []
    pairs = sorted(year.seen)
    for number, moment in random.Random(seed).sample(pairs, min(count, len(pairs))):
        with as_of.day(moment, opened=as_of.Opened()):
            now = look(number, year.cast.auditor)
        then = year.seen[number, moment]
        if then is None or now is None:
            wrong += (
                [f"AI-{number:04d} at {moment}: there then: {then is not None}"] if then is not now else []
            )
            continue
        wrong += [
            f"AI-{number:04d} at {moment}, {name}: {then[name]} is now {now[name]}"[:600]
            for name in then
            if then[name] != now[name]
        ]
    return wrong
