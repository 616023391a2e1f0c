"""The frame of the pages of an initiative: stage, goal, blockers, sections."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from governance import clock
from governance.database import rehearsing, shown_state
from governance.database.request_memo import once
from governance.gates import criteria
from governance.gates.levels import VERIFIERS
from governance.gates.requirement_state import ITS_SEAT, State
from governance.models import Rulebook
from governance.people.boards import board_for
from governance.permission_result import Answer
from governance.templatetags.plumbline import day, lean, stage_word
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, Layer, Level, Role, Seat, Stage
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import label, phrase
from initiatives.contributions import contributed
from initiatives.lifecycle.access.signers import eligible_signers_of
from initiatives.lifecycle.facts import initiative_rows, open_requirements, supported_stage, visible_progress
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.initiative_sections import sections_of
from initiatives.lifecycle.initiative.review_state import seat_states
from initiatives.lifecycle.initiative.who_may import who_may
from initiatives.models import Initiative

NOT_EVIDENCED = "reported by the source, without evidence in Plumbline"
# What a stage is for where the rulebook has no mission for it.
OTHER_GOALS = {
    "proposed": (
        phrase("Describe the initiative honestly"),
        phrase("Is this idea worth exploring, compared with the other ideas?"),
    ),
    "stopped": (phrase("Keep what was learned"), phrase("What did we learn, and what is still due?")),
    "retired": (
        phrase("Keep the records"),
        phrase("What was learned, and where are the logs and decisions?"),
    ),
}
UNSUPPORTED_WORDS = {0: "", 1: "one stage short", 2: "two stages short", 3: "three stages short"}


def initiative_context(request, initiative: Initiative, page: str, *, facts=None) -> dict:
    """Return the context of a page of the initiative. `page` is the URL name of its section page.

    `rulebook` is the rulebook in force, which asks its requirements next. `judged_next` is judged by it, and `judged`
    by the version that decides for the initiative. `open` counts open requirements by role, and `open_words` has both
    counts in words for the reader.

    Keys: initiative, rulebook, facts, states, judged, judged_next, support, now, today, goal, requirement, has_stage
    (True for more than an idea), rests_on (basis in words), supports (the stage its evidence supports, in words, or
    ""), lean, tags, former (earlier names), rooms, banners, sections, may (WhoMay), open_review.
    """
    rulebook = Rulebook.objects.current().parsed.at_tier(initiative.tier)
    judged = supported_stage.judged(initiative, facts)
    now = judged.at
    judged_next = judged if judged.rulebook == rulebook else criteria.judge(judged.facts, rulebook, now)
    facts, support = judged.facts, judged.support
    may = who_may(initiative, request.user)
    review = next((row for row in initiative_rows.reviews(initiative) if row.is_open), None)
    goal, question = goal_of(initiative, rulebook)
    counts = open_requirements.by_role(judged, judged_next)
    return {
        "nav": "reviews" if page == "review-open" else "portfolio",
        "initiative": initiative,
        "rulebook": rulebook,
        "facts": facts,
        "states": judged_next.states,
        "judged": judged,
        "judged_next": judged_next,
        "support": support,
        "now": now,
        "today": clock.local_day(now),
        "goal": goal,
        "question": question,
        "has_stage": initiative.stage != Stage.PROPOSED,
        "rests_on": basis_words(initiative),
        "supports": stage_word(support.supported) if support.supported not in (None, Stage.PROPOSED) else "",
        "lean": "none"
        if initiative.imported and support.unsupported_stages
        else lean(initiative.stage, support.supported),
        "lean_label": lean_words(initiative, support),
        "tags": tags_of(initiative, support),
        "former": [row.title for row in initiative_rows.rows(initiative, "former_titles")],
        "open": counts,
        "open_words": {
            which: open_requirements.words(counts, which, may.turns) for which in open_requirements.FOR
        },
        "rooms": rooms_of(initiative, judged, review),
        "banners": [one for banners in contributed.banners for one in banners(initiative, judged_next, may)],
        "sections": sections_of(initiative, page, facts, review),
        "may": may,
        "open_review": review,
    }


def banner(tone: str, title: str, text: str, link: str = "", link_text: str = "") -> dict:
    """Return a banner in the form of the pages of an initiative."""
    return {"tone": tone, "title": title, "text": text, "link": link, "link_text": link_text}


def outgrown_banner(initiative) -> list[dict]:
    """Return a banner if the demo is older than the newest integration work (S1-15)."""
    found = None if initiative.closed else visible_progress.outgrown(initiative.pk)
    if found is None:
        return []
    return [
        banner(
            "warn",
            phrase("The demo of {} does not include the newest integration work.", day(found.demo)),
            phrase("The newest integration work is of {}, after the demo.", day(found.work)),
            reverse("integration-effort", args=[initiative.ref]),
            phrase("See the work"),
        )
    ]


def goal_of(initiative: Initiative, rulebook) -> tuple[str, str]:
    """Return the mission of the initiative's stage, and its question."""
    if initiative.stage in OTHER_GOALS:
        return OTHER_GOALS[initiative.stage]
    rule = rulebook.stages[initiative.stage]
    return rule.goal, rule.question


def basis_words(initiative: Initiative) -> str:
    """Return the basis of the approved stage, such as "registered on 1 May"."""
    on = day(initiative.since)
    if initiative.imported:
        source = f" ({initiative.source_organisation})" if initiative.source_organisation else ""
        return f"{NOT_EVIDENCED}{source}"
    if initiative.basis == "decision":
        board = board_for(initiative.unit)
        return f"decided by the {board.name if board else 'board'} on {on}"
    words = {
        "registered": phrase("registered on {}", on),
        "step back": phrase("stepped back on {}", on),
        "stopped": phrase("stopped on {}", on),
        "emergency": phrase("retired in an emergency on {}", on),
        "reopened": phrase("reopened on {}", on),
    }
    return words.get(initiative.basis, phrase("since {}", on))


def lean_words(initiative: Initiative, support: criteria.Support) -> str:
    """Return the state that the plumb line draws, in words for all readers."""
    if initiative.imported and support.unsupported_stages:
        return NOT_EVIDENCED
    if initiative.stage not in STAGE_RANK or initiative.stage == Stage.PROPOSED:
        return "no stage yet"
    if support.supports_approved_stage:
        return "on track: evidence supports the stage"
    return phrase("not supported: {}", UNSUPPORTED_WORDS[support.unsupported_stages])


def tags_of(initiative: Initiative, support: criteria.Support) -> list[tuple[str, str]]:
    """Return the words in the header of an initiative, each with its tone."""
    tags = [(stage_word(initiative.stage), "lead")]
    if initiative.withdrawn_at:
        tags.append(("withdrawn", "warn"))
    if initiative.imported and support.unsupported_stages:
        tags.append((NOT_EVIDENCED, ""))
    elif support.label:
        supports = stage_word(support.supported) or "no stage"
        tags.append(
            (
                phrase("not supported: evidence supports {}", supports),
                "bad" if support.unsupported_stages > 1 else "warn",
            )
        )
    if support.waived:
        many = "a waiver" if len(support.waived) == 1 else phrase("{} waivers", len(support.waived))
        tags.append((phrase("with {} until {}", many, support.waived[0][1]), "lead"))
    if initiative.tier:
        tags.append(
            (
                phrase("{} risk", label(initiative.get_tier_display(), inside=True)),
                "warn" if initiative.high_risk else "",
            )
        )
    elif initiative.proposed_tier:
        tags.append(
            (
                phrase(
                    "{} risk, not yet confirmed", label(initiative.get_proposed_tier_display(), inside=True)
                ),
                "",
            )
        )
    if initiative.confidential:
        tags.append(("confidential", ""))
    return tags


def supported_tone(states: Iterable[State]) -> str:
    """Return the tone of a supported stage: green only if every answer that has a level is verified or measured."""
    levels = {state.level for state in states if state.level}
    return "ok" if levels and levels <= {Level.VERIFIED, Level.MEASURED} else ""


def rooms_of(initiative, judged: criteria.Judged, review) -> list[dict]:
    """Return the stages as rooms: approved, supported, or with an open review."""
    rulebook, support = judged.rulebook, judged.support
    held = STAGE_RANK.get(support.supported, 0)
    tone = supported_tone(judged.states[key] for key in supported_stage.asked(judged.facts, rulebook))
    rooms = []
    for stage in RUNNING_STAGES[1:]:
        approved, tags = initiative.stage == stage, []
        if initiative.stage in STAGE_RANK and held >= STAGE_RANK[stage]:
            tags.append(
                (phrase("approved, evidence supports it"), tone)
                if approved
                else (phrase("evidence supports it"), "")
            )
        elif approved:
            tags.append((NOT_EVIDENCED, "") if initiative.imported else ("approved", "warn"))
            if support.held_by and not initiative.imported:
                tags.append(("held", "warn"))
        room = {
            "word": stage_word(stage),
            "approved": approved,
            "tags": tags,
        }
        if review is not None and rulebook.gates[review.gate].to == stage:
            room |= {"link": review.get_absolute_url(), "link_text": "review open"}
        rooms.append(room)
    last = "stopped" if initiative.stage == Stage.STOPPED else "retired"
    room = {
        "word": stage_word(last),
        "approved": initiative.stage == last,
        "tags": [],
    }
    if review is not None and review.gate == "retire":
        room |= {"link": review.get_absolute_url(), "link_text": "review open"}
    return [*rooms, room]


def waits_for(initiative: Initiative, judged: criteria.Judged, key: str) -> str:
    """Return who has to act on an open requirement, by name with role or seat, such as "Ravi Menon (technical lead)".

    A seat is that of those who could sign. People who verified the answer already are left out, as is the one author of
    its evidence.
    """
    state, rulebook = judged.states[key], judged.rulebook
    if state.fixed_by not in (ITS_SEAT, VERIFIERS):
        return state.fixed_by or _who_answers(judged.facts, rulebook.requirements[key])
    states = once(("seat states", initiative.pk), lambda: seat_states(eligible_signers_of(initiative)))
    authors = {item.author_id for item in state.items}
    done, found = state.verifiers | (authors if len(authors) == 1 else set()), []
    for seat in rulebook.seats_asking(key):
        able = zip(states[seat].people, states[seat].eligible, strict=True)
        names = " or ".join(name for person, name in able if person not in done)
        word = label(Seat.word(seat), inside=True)
        found.append((not names, phrase("{} ({})", names or phrase("nobody yet"), word)))
    return " or ".join(words for nobody, words in found if not nobody) or found[0][1]


def _who_answers(facts, requirement) -> str:
    role = open_requirements.ROLE_OF.get(requirement.answered_by, requirement.answered_by)
    words = requirement.answered_by.replace("_", " ")
    name = facts.people.get(role)
    if name is not None:
        return phrase("{} ({})", name, words)
    owner = facts.people.get("owner")
    if owner is not None:
        return phrase("{} (owner, because no {} has accepted)", owner, words) if role != Role.OWNER else owner
    return phrase("the {} (no one has accepted yet)", words)


def pick(value, known, default=""):
    """Return the value of a filter if it is known, else the default."""
    return value if value in known else default


def page_of(request, rows, per: int = 25) -> Page:
    """Return the list page of the query string: first for junk, last if too large."""
    return Paginator(rows, per).get_page(request.GET.get("page"))


def sent(request):
    """Return the POST data for a form, even if empty, or None for a GET."""
    return request.POST if request.method == "POST" else None


def acted(request, form, act):
    """Return the result of the act (True for None) if it was done, else None.

    A form that was sent as its page showed it changes nothing: its act is not called, and the result is its row. Errors
    of the act are put on the form, and all input stays. The page is shown again, without the act, until the person has
    confirmed the consequences.
    """
    if request.method != "POST" or not form.is_valid():
        return None
    if isinstance(form, shown_state.OverwritingForm) and form.unchanged:
        return form.row or True
    try:
        made = act()
    except ValidationError as error:
        put_errors(form, error)
        return None
    except rehearsing.Unconfirmed:
        return None
    except shown_state.ShownOtherwise as changed:
        if not hasattr(form, "say_changed"):
            raise
        form.say_changed(changed.names)
        return None
    return made or True


def insist(request, answer: Answer, name: str, initiative: Initiative | None) -> None:
    """Refuse the page if the answer is no. A refused POST leaves its entry, as every refused act does."""
    if not answer and request.method == "POST":
        with act(name, by=request.user, initiative=initiative):
            answer.or_refuse()
    answer.or_refuse()


def layers_of(rulebook) -> dict[str, str]:
    """Return the layers of the rulebook with their words, in the order of the stack."""
    return {key: Layer.word(key) for key in rulebook.layers}


def back_to(request, fallback: str) -> str:
    """Return the form's `next` if that is a page of Plumbline, else `fallback`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if wanted and own else fallback


def ask(request, initiative: Initiative, page: str, form, **more):
    """Show a page with one form: title, effects, fields, button, way out.

    Keys of `more`: title, lede, happens, another, verb, danger, hidden, back_url, template, status.
    """
    status = more.pop("status", getattr(form, "status", 200))
    template = more.pop("template", "initiatives/initiative/initiative_form.html")
    more.setdefault("back_url", back_to(request, initiative.get_absolute_url()))
    context = initiative_context(request, initiative, page) | {
        "form": form,
        "frame": "form",
        "happens": [],
        "danger": False,
    }
    return render(request, template, context | more, status=status)
