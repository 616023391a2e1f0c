"""Acts that draw requirements at minimal risk, once, by the log's seed."""

from collections.abc import Collection

from governance import clock
from governance.audit_log import entries
from governance.database.request_memo import one_look
from governance.gates import drawing
from governance.models import Checkpoint
from governance.queue.task_base import named
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.reviews.drawn_requirements import queries
from initiatives.models import DrawnRequirement


def draw_after_sealing(checkpoint: Checkpoint) -> None:
    """Have requirements drawn for this checkpoint and what it sealed."""
    if keys := queries.touched(checkpoint):
        named("initiatives.tasks.draw_requirements").delay(keys)


def draw_due(keys: Collection[int] | None = None) -> list[DrawnRequirement]:
    """Draw the due requirements of running rounds, of all initiatives or of these.

    Two runs at once draw each requirement once.
    """
    return [row for key in queries.rounds_among(keys) for row in draw(key)]


def draw(initiative: int) -> list[DrawnRequirement]:
    """Draw the due requirements of this initiative (a key). Draws none before its seed is sealed."""
    with act("draw requirements", system="drawing of requirements", initiative=initiative) as locked:
        with one_look():
            running = queries.round_that_runs(locked)
            seed = queries.seed_of(running) if running is not None else None
            if running is None or seed is None:
                return []
            earlier = {
                row.requirement: row
                for row in initiative_rows.rows(locked, "drawn")
                if row.round == running.judged.facts.round
            }
        facts, root = running.judged.facts, bytes(seed.root)
        drawn = drawing.draw(running.judged, root)
        rows = []
        for place, one in enumerate(drawn, start=len(earlier) + 1):
            reply = facts.answers.get(one.requirement)
            row = DrawnRequirement(
                initiative=locked,
                review=running.review,
                renews=running.renews,
                requirement=one.requirement,
                checkpoint=seed,
                place=place,
                replaces=earlier.get(one.in_place_of),
                answer_version=reply.version if reply else 0,
                items=sorted(drawing.offered(facts, running.judged.rulebook, one.requirement)),
                drawn_at=clock.now(),
            )
            row.save()
            rows.append(row)
        if rows:
            entries.record(
                EntryKind.REQUIREMENTS_DRAWN,
                initiative=locked,
                round=facts.round,
                checkpoint=seed.size,
                root=root.hex(),
                drawn=[one.requirement for one in drawn],
                in_place_of=[one.in_place_of for one in drawn if one.in_place_of],
                among=drawing.in_order(root, facts.ref, facts.round, drawing.left(running.judged)),
            )
            rewrite_supported_stage(locked)
    return rows
