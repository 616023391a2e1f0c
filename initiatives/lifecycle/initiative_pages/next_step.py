"""The next step of an initiative: the three lead questions and what fixes them, the standards of this stage and the
next.
"""

from django.urls import reverse

from governance.gates import criteria, lead_questions, standards
from governance.models import User
from governance.permission_result import ended
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import RUNNING_STAGES, Role
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.activity.entry_wording import question
from initiatives.lifecycle.facts import initiative_rows

# answer: (tone, mark)
TONES = {lead_questions.YES: "ok", lead_questions.NOT_YET: "", lead_questions.NO: "bad"}
MARKS = {standards.MET: "ok", standards.NOT_MET: "bad", standards.NOTHING_ASKED: ""}


def lead_rows(initiative, facts, rulebook, states, asked: set[str], now) -> list[dict]:
    """The three questions: each with its answer, tone, reason, and the page that fixes it."""
    rows = []
    for lead in lead_questions.leads(facts, rulebook, states, asked, now):
        row = {
            "question": lead.question,
            "answer": lead.answer,
            "tone": TONES[lead.answer],
            "reason": lead.reason,
            "link": "",
        }
        if lead.fix == "contract":
            row |= {"link": reverse("contract", args=[initiative.ref]), "link_text": "Open the contract"}
        elif lead.fix:
            row |= {
                "link": reverse("requirement", args=[initiative.ref, lead.fix]),
                "link_text": "Open the requirement",
            }
        rows.append(row)
    return rows


def next_step(context, person: User) -> dict | None:
    """The one thing that the person does next on this initiative: title, text, link and its words; None for readers.

    A hold that they alone can end comes first; then its gaps, the approved stage before the next; then the board, once
    nothing is missing.
    """
    initiative, may, ahead, held = (context[name] for name in ("initiative", "may", "ahead", "open_review"))
    if not may.collaborate or ahead is None:
        return None
    disagreeing = [
        row for row in initiative_rows.rows(initiative, "holds") if row.kind == "definition_conflict"
    ]
    if disagreeing and Role.DATA_STEWARD in initiative_permissions.roles_of(initiative, person):
        return {
            "title": "Next: definitions that disagree are yours to resolve.",
            "text": f"{ended(disagreeing[0].reason)} The initiative is held until then, and nobody else can.",
            "link": reverse("integration-definitions", args=[initiative.ref]),
            "link_text": "Reconcile them",
        }
    missing = [row for row in context["holding"] + context["reaching"] if row["state"] != "waived"]
    mine = [row for row in missing if row["who"] == "You"]
    if mine:
        first, count = mine[0], len(mine)
        title = f"Next: {'one requirement is' if count == 1 else f'{count} requirements are'} yours."
        if not context["holding"] and held is None:
            title = f"{title[:-1]} before the board can decide."
        return {
            "title": title,
            "text": f"Begin with “{first['text']}”",
            "link": first["link"],
            "link_text": first["link_text"],
        }
    for waits in criteria.unanswered(context["facts"], ahead.key, context["now"]):
        return {
            "title": "Next: answer this before the gate.",
            "text": ended(waits.text),
            "link": reverse("lessons-answer", args=[initiative.ref]),
            "link_text": "Answer it",
        }
    if held is not None:
        return {
            "title": f"The board has it since {day(held.opened_at)}.",
            "text": "Nothing here waits for you; its page says whom it waits for.",
            "link": held.get_absolute_url(),
            "link_text": "Open the review",
        }
    if missing:
        who = list(dict.fromkeys(row["who"] for row in missing if row["who"]))
        others = f", and {len(who) - 2} more" if len(who) > 2 else ""
        return {
            "title": "Nothing here waits for you.",
            "text": f"What is missing waits for {', '.join(who[:2])}{others}.",
            "link": f"{reverse('requirements', args=[initiative.ref])}?show=open",
            "link_text": "See what is missing",
        }
    if may.manage:
        return {
            "title": "Next: ask the board to decide.",
            "text": "Everything that the gate asks is there.",
            "link": reverse("review-open", args=[initiative.ref]),
            "link_text": "Ask the board to decide",
        }
    return None


def standard_stages(stage: str) -> list[tuple[str, str]]:
    """The stage of the initiative and the one after it, as the two columns of what is allowed."""
    here = stage if stage in RUNNING_STAGES[1:] else "prototype"
    place = RUNNING_STAGES.index(here)
    return [(key, stage_word(key)) for key in RUNNING_STAGES[place : place + 2]]


def standard_rows(context) -> list[dict]:
    """The nine matters: for this stage and the next the rulebook's words, met or not, and the requirements behind
    it.
    """
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
