"""What a forger finds, and what he writes: statements past every act, as true as he can make them."""

import json
from dataclasses import dataclass

from adoption.demo import initiative_acts
from governance import clock
from governance.audit_log import row_capture
from governance.gates import sign_off_statement
from governance.models import ContractVersion, Membership, Rulebook
from governance.organisation import actions as organisation_actions
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs.actions import statement_for
from initiatives.models import Initiative, Review, SignOff
from initiatives.portfolio.registration import actions as registration_actions
from tests.support import factories


@dataclass
class Scene:
    """A prototype before its next gate with one sign-off of three, a contract with the board, an idea nobody owns
    yet.
    """

    cast: factories.Cast
    initiative: Initiative
    review: Review
    sign_off: SignOff
    contract: ContractVersion
    idea: Review
    stranger_board: object


def set_up() -> Scene:
    """What is attacked; made by acts."""
    cast = factories.make_cast()
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.plan_scope(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.propose_and_confirm_tier(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.ground_gate(initiative_acts.fresh(initiative), "mvp", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    sign_off = initiative_acts.sign_off(review, "business_value", cast.seat_value)
    other = factories.make_initiative(cast, title="Another")
    initiative_acts.staff(other, cast.team)
    contract_actions.save_contract(
        initiative=other,
        clauses=initiative_acts.CLAUSES,
        vocabulary=initiative_acts.VOCABULARY,
        by=cast.owner,
    )
    contract = contract_actions.propose_contract(initiative=initiative_acts.fresh(other), by=cast.owner)
    registered = registration_actions.register(
        title="Mine", unit=cast.unit, problem="It is slow.", owner=cast.support, by=cast.seat_value
    )
    idea = review_actions.open_review(initiative=initiative_acts.fresh(registered), by=cast.seat_value)
    board = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    organisation_actions.appoint(board=board, person=cast.outsider, seat="business_value", by=cast.admin)
    return Scene(
        cast,
        initiative_acts.fresh(initiative),
        Review.objects.get(pk=review.pk),
        sign_off,
        contract,
        idea,
        board,
    )


# --- What a forger writes --------------------------------------------------------------------------------------------


def as_(person):
    """Let whatever follows be written in the name of this person; None for a part of the system."""
    said = {
        "id": person.pk if person else None,
        "name": person.full_name if person else "system: mallory",
        "reason": "",
        "request": "",
        "at": clock.now().isoformat(),
    }
    return "SELECT set_config('plumbline.act', %s, true)", [json.dumps(said)]


def told(kind, person, initiative=None, **facts):
    """The act in the audit log, as `as_` says who acts."""
    actor = "(current_setting('plumbline.act')::json->'id')"
    return (
        "SELECT plumbline_record(%s, %s, NULL, '', (current_setting('plumbline.act')::json->>'at')::timestamptz,"
        " ARRAY[%s], ARRAY[convert_to(json_build_object('kind', %s::text, 'at',"
        f" current_setting('plumbline.act')::json->>'at', 'actor', json_build_object('id', {actor}, 'name',"
        " current_setting('plumbline.act')::json->>'name'), 'initiative', %s::json, 'reason', '',"
        " 'facts', %s::json)::text,"
        " 'UTF8')])",
        [
            kind,
            person.pk if person else None,
            initiative.ref if initiative else "",
            kind,
            json.dumps({"ref": initiative.ref, "title": initiative.title} if initiative else None),
            json.dumps(facts, default=str, separators=(",", ":")),
        ],
    )


def row_of_history(model, pk, sign="~"):
    """The equal row of history that a change of a governed row must have."""
    columns = ", ".join(f'"{column}"' for column in row_capture.columns_of(model))
    return (
        f"INSERT INTO {model.history.model._meta.db_table} ({columns}, history_type, history_date, history_user_id,"
        f" history_user_name, history_change_reason) SELECT {columns}, '{sign}',"
        " (current_setting('plumbline.act')::json->>'at')::timestamptz,"
        " (current_setting('plumbline.act')::json->>'id')::bigint, current_setting('plumbline.act')::json->>'name', ''"
        f" FROM public.{model._meta.db_table} WHERE id = {pk}",
        [],
    )


def changed(row, **fields):
    """An update of a row, with its history."""
    model, pk = type(row), row.pk
    sets = ", ".join(f'"{name}" = %s' for name in fields)
    return [
        (f"UPDATE public.{model._meta.db_table} SET {sets} WHERE id = {pk}", list(fields.values())),
        row_of_history(model, pk),
    ]


def entry(kind, initiative, by=None):
    """An act in the audit log, as the application may write it."""
    return (
        "SELECT plumbline_record(%s, %s, NULL, '', now(), ARRAY[%s], ARRAY[convert_to('{}', 'UTF8')])",
        [kind, by.pk if by else None, initiative.ref],
    )


def stage_change(initiative, target, basis, by=None, review=None):
    """The row beside a move, tied to the newest entry."""
    return (
        "INSERT INTO public.initiatives_stagechange (initiative_id, from_stage, to_stage, basis, review_id, reason,"
        " by_id, at, supported_then, entry_id, consumed) SELECT %s, %s, %s, %s, %s, '', %s, now(), '', max(id), false"
        " FROM public.governance_entry",
        [
            initiative.pk,
            initiative.stage,
            target,
            basis,
            review.pk if review else None,
            by.pk if by else None,
        ],
    )


def sign_off(review, seat, person, **fields):
    """A sign-off with a true statement, past the act."""
    review = Review.objects.select_related("initiative", "rulebook").get(pk=review.pk)
    text, covered = statement_for(
        review_state.snapshot_of(review), seat, person, verdict="approve", at=clock.now()
    )
    values = {
        "review_id": review.pk,
        "seat": seat,
        "person_id": person.pk,
        "verdict": "approve",
        "reason": "",
        "criteria": "[]",
        "statement": text,
        "digest": sign_off_statement.digest(text),
        "facts": json.dumps(covered),
        "covered_evidence": json.dumps(sorted(map(int, covered["evidence"]))),
        "at": clock.now(),
    } | fields
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    return (f"INSERT INTO public.initiatives_signoff ({names}) VALUES ({marks})", list(values.values()))


def ended(scene, outcome, by, *, sign_offs=(), review=None, **fields):
    """The end of a review in the name of who ended it, with findings that name these sign-offs as fresh."""
    findings = {"sign_offs": [{"digest": row.digest, "stale": []} for row in sign_offs]}
    values = {
        "outcome": outcome,
        "ended_by_id": by.pk,
        "ended_at": clock.now(),
        "reason": "Go.",
        "findings": json.dumps(findings),
    }
    return [as_(by), *changed(review or scene.review, **values | fields)]


def shadow(*tables):
    """Temporary tables of these names, which a session would look up before those of the schema."""
    return [(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table})", []) for table in tables]


def seated(scene, person, seat, by=None):
    """A seat on the board of the initiative, with its history; granted by that person."""
    return [
        (
            "INSERT INTO governance_membership (id, board_id, person_id, seat, starts_at, granted_by_id, signs_from)"
            " VALUES (99999, %s, %s, %s, plumbline_now(), %s, plumbline_now() + interval '24 hours')",
            [scene.cast.board.pk, person.pk, seat, by.pk if by else None],
        ),
        row_of_history(Membership, 99999, "+"),
    ]


def in_force(version):
    """A contract version put in force, with its history."""
    return changed(version, state="in_force", starts_at=clock.now())


def contract_approval(scene, person, seat, digest=None):
    """An approval of the contract that is with the board."""
    return (
        "INSERT INTO governance_contractapproval (version_id, seat, person_id, digest, at) VALUES (%s, %s, %s, %s, %s)",
        [scene.contract.pk, seat, person.pk, digest or scene.contract.digest, clock.now()],
    )


def draft(scene, source=None):
    """A loaded and proposed rulebook that nobody published."""
    row = organisation_actions.load_rulebook(
        source=Rulebook.objects.current().source.replace('version = "', 'version = "9.', 1),
        by=scene.cast.admin,
    )
    organisation_actions.propose_publication(rulebook=row, by=scene.cast.admin)
    return Rulebook.objects.get(pk=row.pk)


def plain(*texts):
    """The same statements whatever the scene."""
    return lambda s: [(text, []) for text in texts]
