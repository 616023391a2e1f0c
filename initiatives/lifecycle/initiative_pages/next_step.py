"""The next step of an initiative, and the standards of its stage and the next."""

from django.urls import reverse

from governance.gates import requirements, standards
from governance.models import User
from governance.permission_result import ended
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import RUNNING_STAGES, Role, Stage
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.activity.entry_wording import question
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.facts.open_requirements import APPROVED, NEXT
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements.row_presentation import LIVE

MARKS = {standards.MET: "", standards.NOT_MET: "bad", standards.NOTHING_ASKED: ""}


def next_step(context, person: User) -> dict | None:
    """Return the person's next act here: title, text and link, or None.

    A hold that only they can end comes first. Gaps of the approved stage follow, then those of the next. The board
    comes last, once all is met. Readers have no next act.
    """
    initiative, may, ahead, held = (context[name] for name in ("initiative", "may", "ahead", "open_review"))
    if not may.collaborate or ahead is None:
        return None
    disagreeing = [
        row for row in initiative_rows.rows(initiative, "holds") if row.kind == "definition_conflict"
    ]
    if disagreeing and Role.DATA_STEWARD in roles_and_seats.roles_of(initiative, person):
        return {
            "title": phrase("Next step: resolve the conflicting definitions."),
            "text": phrase(
                "{} The initiative is held until you resolve the conflicts. Only you can do this.",
                ended(disagreeing[0].reason),
            ),
            "link": reverse("integration-definitions", args=[initiative.ref]),
            "link_text": phrase("Reconcile the definitions"),
        }
    rises = ahead.to in RUNNING_STAGES
    if not rises and held is None and not context["holding"] and not context["missed"]:
        return None  # in production nothing is open, and no one is asked to retire it
    for which, name, gate in ((APPROVED, "holding", LIVE), (NEXT, "reaching", ahead.key)):
        mine = [row for row in context[name] if row["who"] == "You" and (rises or which == APPROVED)]
        if which == NEXT and mine and may.manage and _mvp_not_started(initiative):
            return {
                "title": phrase("Next step: start the MVP."),
                "text": phrase(
                    "{}. Other requirements wait for the scope and the risk tier.",
                    context["open_words"][which],
                ),
                "link": reverse("mvp-start", args=[initiative.ref]),
                "link_text": phrase("Start the MVP"),
            }
        # What is recorded before evidence comes first.
        before = next((row for row in mine if row["before"]), None)
        first = mine[0] if len(mine) == 1 else before
        if first:
            return {
                "title": phrase("Next step: {}.", context["open_words"][which]),
                "text": first["before"] or first["text"],
                "link": first["link"],
                "link_text": first["link_text"],
            }
        if mine:
            return {
                "title": phrase("Next step: {}.", context["open_words"][which]),
                "text": phrase("The first is “{}”", mine[0]["text"]),
                "link": f"{reverse('requirements', args=[initiative.ref])}?gate={gate}&show=mine",
                "link_text": "See requirements",
            }
    if context["missed"] and may.manage:
        return {
            "title": phrase("Next step: report the results of the declaration."),
            "text": context["missed"][0]["text"],
            "link": context["missed"][0]["link"],
            "link_text": context["missed"][0]["link_text"],
        }
    for waits in requirements.unanswered(context["facts"], ahead.key, context["now"]):
        return {
            "title": phrase("Next step: answer this requirement before the gate."),
            "text": ended(waits.text),
            "link": reverse("lessons-answer", args=[initiative.ref]),
            "link_text": phrase("Answer the requirement"),
        }
    for objection in initiative_rows.objections(held):
        return {
            "title": phrase("{} objects.", label(objection.get_seat_display())),
            "text": phrase(
                "{} The board cannot decide until you answer the objection.", ended(objection.reason)
            ),
            "link": f"{held.get_absolute_url()}#{objection.criteria[0]}",
            "link_text": phrase("Answer the objection"),
        }
    if held is not None:
        return {
            "title": phrase("The board has had the review since {}.", day(held.opened_at)),
            "text": phrase("You have no task here. The page of the review shows who must act."),
            "link": held.get_absolute_url(),
            "link_text": phrase("Open the review"),
        }
    others = context["holding"] or context["reaching"]
    if others or context["missed"]:
        who = list(dict.fromkeys(row["who"] for row in others or context["missed"]))
        more = ", and others" if len(who) > 2 else ""
        gate = LIVE if context["holding"] else ahead.key
        return {
            "title": phrase("You have no task here."),
            "text": phrase("The open requirements wait for {}{}.", ", ".join(who[:2]), more),
            "link": f"{reverse('requirements', args=[initiative.ref])}?gate={gate}&show=open",
            "link_text": phrase("See the open requirements"),
        }
    waits = next(iter(review_state.tier_confirmed(initiative, ahead.key).reasons), None)
    if may.manage and waits is not None:
        propose = reverse("initiative-act", args=[initiative.ref, "propose-tier"])
        return {
            "title": phrase("Next step: ask for confirmation of the risk tier."),
            "text": phrase("{} {}", waits.text, waits.remedy),
            "link": initiative.get_absolute_url() if initiative.proposed_tier else propose,
            "link_text": phrase("See the risk tier")
            if initiative.proposed_tier
            else phrase("Propose a tier"),
        }
    if may.manage:
        return {
            "title": phrase("Next step: request a review."),
            "text": phrase("All requirements for this gate are met."),
            "link": reverse("review-open", args=[initiative.ref]),
            "link_text": phrase("Request a review"),
        }
    return None


def _mvp_not_started(initiative) -> bool:
    """Return True for a prototype without a proposed tier or a scope for the MVP: other requirements wait for both."""
    scope = initiative_rows.scope_ahead(initiative)
    return initiative.stage == Stage.PROTOTYPE and (
        not initiative.proposed_tier or scope is None or scope.for_stage != Stage.MVP
    )


def standard_stages(stage: str) -> list[tuple[str, str]]:
    """Return this stage and the next as the two columns of what is allowed."""
    here = stage if stage in RUNNING_STAGES[1:] else "prototype"
    place = RUNNING_STAGES.index(here)
    return [(key, stage_word(key)) for key in RUNNING_STAGES[place : place + 2]]


def standard_rows(context) -> list[dict]:
    """Return the nine matters of this stage and the next. Each has the rulebook's words, state and requirements."""
    initiative, rulebook, facts, states = (
        context[name] for name in ("initiative", "rulebook", "facts", "states")
    )
    stages = [key for key, _ in standard_stages(initiative.stage)]
    return [
        {
            "matter": matter.replace("_", " ").capitalize(),
            "cells": [
                _cell(
                    initiative,
                    rulebook,
                    standards.standard_of(facts, rulebook, states, matter, stage, context["now"]),
                )
                for stage in stages
            ],
        }
        for matter in rulebook.standards
    ]


def _cell(initiative, rulebook, standard: standards.Standard) -> dict:
    behind = [
        (question(rulebook, key), "shown" if key in standard.shown else "open", _row(initiative, key))
        for key in (*standard.missing, *standard.shown)
    ]
    return {
        "words": standard.words,
        "mark": standard.mark,
        "tone": MARKS[standard.mark],
        "note": standard.note,
        "behind": behind,
        "stage": stage_word(standard.stage),
    }


def _row(initiative, key: str) -> str:
    return reverse("requirement", args=[initiative.ref, key])
