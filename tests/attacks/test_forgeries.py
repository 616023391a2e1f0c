"""H1: forgeries of stage, vote, decision, contract, role, seat, evidence, password, guard, function and grant.

Each is tried as the application's login, with the product's own grants, and as the owner of the tables. `REFUSED` says
the database's sentence for each of the two; `FOUND` what the owner gets through and verification finds.
"""

import json
from dataclasses import dataclass

import pytest
from django.db import DatabaseError, connection, transaction

from adoption.demo import life
from governance import actions as ground
from governance import capture, clock, guards, statements, verification
from governance.models import ContractVersion, Membership, Rulebook
from initiatives import actions
from initiatives.actions.votes import statement_for
from initiatives.models import Evidence, Initiative, Review, RoleAssignment, SignOff
from tests import factories, plumbing

pytestmark = pytest.mark.django_db(transaction=True)

DENIED = "permission denied"
NO_TABLES = "permission denied to create temporary tables"
OWNERS = "must be owner"
NOT_DECIDED = "without a recorded decision"
NOT_THE_SEAT = "of the board that decides this case"
NOT_THE_CHAIR = "decided by the chair of the board of its case"
NOT_ENOUGH = "needs fresh approvals of"
KEEPS = "keeps what was written"


@dataclass
class Scene:
    """A prototype before its next gate with one vote of three, a contract with the board, an idea nobody owns yet."""

    cast: factories.Cast
    case: Initiative
    review: Review
    vote: SignOff
    contract: ContractVersion
    idea: Review
    stranger_board: object


@pytest.fixture
def scene(transactional_db) -> Scene:
    """What is attacked; made by acts."""
    cast = factories.make_cast()
    case = factories.make_prototype(cast)
    life.staff(case, cast.team)
    life.contract(life.fresh(case), cast.team)
    life.plan_scope(life.fresh(case), cast.team)
    life.propose_and_confirm_tier(life.fresh(case), cast.team)
    life.ground_gate(life.fresh(case), "mvp", cast.team)
    review = actions.open_review(case=life.fresh(case), by=cast.owner)
    vote = life.vote(review, "business_value", cast.seat_value)
    other = factories.make_case(cast, title="Another")
    life.staff(other, cast.team)
    actions.save_contract(case=other, clauses=life.CLAUSES, vocabulary=life.VOCABULARY, by=cast.owner)
    contract = actions.propose_contract(case=life.fresh(other), by=cast.owner)
    registered = actions.register(
        title="Mine", unit=cast.unit, problem="It is slow.", owner=cast.support, by=cast.seat_value
    )
    idea = actions.open_review(case=life.fresh(registered), by=cast.seat_value)
    board = ground.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
    ground.appoint(board=board, person=cast.outsider, seat="business_value", by=cast.admin)
    return Scene(cast, life.fresh(case), Review.objects.get(pk=review.pk), vote, contract, idea, board)


# --- What a forger writes --------------------------------------------------------------------------------------------


def row_of_history(model, pk, sign="~"):
    """The equal row of history that a change of a governed row must have."""
    columns = ", ".join(f'"{column}"' for column in capture.columns_of(model))
    return (
        f"INSERT INTO {model.history.model._meta.db_table} ({columns}, history_type, history_date, history_user_name,"
        f" history_change_reason) SELECT {columns}, '{sign}',"
        f" (current_setting('plumbline.act')::json->>'at')::timestamptz, 'Mallory', ''"
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


def entry(kind, case, by=None):
    """An act in the record, as the application may write it."""
    return (
        "SELECT plumbline_record(%s, %s, NULL, '', now(), ARRAY[%s], ARRAY[convert_to('{}', 'UTF8')])",
        [kind, by.pk if by else None, case.ref],
    )


def stage_change(case, target, basis, by=None, review=None):
    """The row beside a move, tied to the newest entry."""
    return (
        "INSERT INTO public.initiatives_stagechange (initiative_id, from_stage, to_stage, basis, review_id, reason,"
        " by_id, at, supported_then, entry_id, consumed) SELECT %s, %s, %s, %s, %s, '', %s, now(), '', max(id), false"
        " FROM public.governance_entry",
        [case.pk, case.stage, target, basis, review.pk if review else None, by.pk if by else None],
    )


def vote(review, seat, person, **fields):
    """A vote with a true statement, past the act."""
    review = Review.objects.select_related("initiative", "rulebook").get(pk=review.pk)
    text, covered = statement_for(review, seat, person, verdict="approve", at=clock.now())
    values = {
        "review_id": review.pk,
        "seat": seat,
        "person_id": person.pk,
        "verdict": "approve",
        "reason": "",
        "criteria": "[]",
        "statement": text,
        "digest": statements.digest(text),
        "facts": json.dumps(covered),
        "covered_evidence": json.dumps(sorted(map(int, covered["evidence"]))),
        "at": clock.now(),
    } | fields
    names, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    return (f"INSERT INTO public.initiatives_signoff ({names}) VALUES ({marks})", list(values.values()))


def ended(scene, outcome, by, *, votes=(), review=None, **fields):
    """The end of a review, with findings that name these votes as fresh."""
    findings = {"votes": [{"digest": row.digest, "stale": []} for row in votes]}
    values = {
        "outcome": outcome,
        "ended_by_id": by.pk,
        "ended_at": clock.now(),
        "reason": "Go.",
        "findings": json.dumps(findings),
    }
    return changed(review or scene.review, **values | fields)


def shadow(*tables):
    """Temporary tables of these names, which a session would look up before those of the schema."""
    return [(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table})", []) for table in tables]


def seated(scene, person, seat, by=None):
    """A seat on the board of the case, with its history; granted by that person."""
    return [
        (
            "INSERT INTO governance_membership (id, board_id, person_id, seat, starts_at, granted_by_id)"
            " VALUES (99999, %s, %s, %s, now() - interval '1 hour', %s)",
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
    row = ground.load_rulebook(
        source=Rulebook.objects.current().source.replace('version = "', 'version = "9.', 1),
        by=scene.cast.admin,
    )
    ground.propose_publication(rulebook=row, by=scene.cast.admin)
    return Rulebook.objects.get(pk=row.pk)


def _consumed_by_a_trigger(s):
    """H1 f: marked as used from within a trigger on a table of the forger's own."""
    return [
        *shadow("governance_unit"),
        entry("stage changed", s.case, s.cast.admin),
        stage_change(s.case, "stopped", "stopped", s.cast.owner),
        (
            "CREATE FUNCTION pg_temp.consume() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN"
            " UPDATE public.initiatives_stagechange SET consumed = true WHERE NOT consumed; RETURN NEW; END'",
            [],
        ),
        (
            "CREATE TRIGGER mine BEFORE INSERT ON pg_temp.governance_unit"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.consume()",
            [],
        ),
        ("INSERT INTO pg_temp.governance_unit (id, name, code, path) VALUES (1, '', '', '')", []),
    ]


def _shadowed_stage(s):
    """H1 a: the stage, with the tables that its guard asks shadowed."""
    return [
        *shadow("initiatives_stagechange", "governance_entry"),
        (
            "INSERT INTO pg_temp.governance_entry SELECT * FROM public.governance_entry"
            " WHERE kind = 'stage changed' AND case_ref = %s",
            [s.case.ref],
        ),
        (
            "INSERT INTO pg_temp.initiatives_stagechange SELECT * FROM public.initiatives_stagechange"
            " WHERE initiative_id = %s",
            [s.case.pk],
        ),
        (
            "UPDATE pg_temp.initiatives_stagechange SET from_stage = 'prototype', to_stage = 'production',"
            " basis = 'import', consumed = false, xact = plumbline_xact()",
            [],
        ),
        ("UPDATE pg_temp.governance_entry SET xact = plumbline_xact()", []),
        *changed(s.case, stage="production", basis="import"),
    ]


def _shadowed_seat(s):
    """H1 a: a vote for a seat that only a temporary table knows."""
    return [
        *shadow("governance_membership"),
        (
            "INSERT INTO pg_temp.governance_membership (id, board_id, person_id, seat, starts_at)"
            " VALUES (1, %s, %s, 'security_privacy', now() - interval '1 day')",
            [s.cast.board.pk, s.cast.outsider.pk],
        ),
        vote(s.review, "security_privacy", s.cast.outsider),
    ]


def _false_entries(s):
    """H1 e: entries of votes that nobody cast, by the capture function on a table of the forger's own."""
    return [
        *shadow("initiatives_signoff"),
        (
            "CREATE TRIGGER mine AFTER INSERT ON pg_temp.initiatives_signoff FOR EACH ROW"
            " EXECUTE FUNCTION public.plumbline_capture_initiatives_signoff()",
            [],
        ),
        vote(s.review, "risk_compliance", s.cast.seat_risk),
        ("INSERT INTO pg_temp.initiatives_signoff SELECT * FROM public.initiatives_signoff", []),
    ]


def plain(*texts):
    """The same statements whatever the scene."""
    return lambda s: [(text, []) for text in texts]


# By what is tried: what is written; the sentence for the application; the sentence for the owner.
REFUSED = {
    # stage
    "H1a a stage with its guard's tables shadowed": (_shadowed_stage, NO_TABLES, NOT_DECIDED),
    "a stage alone": (
        lambda s: changed(s.case, stage="production", basis="decision"),
        NOT_DECIDED,
        NOT_DECIDED,
    ),
    "a stage with a decision of no review": (
        lambda s: [entry("stage changed", s.case), stage_change(s.case, "mvp", "decision")],
        "no review of this case was approved",
        "no review of this case was approved",
    ),
    "a stage with the open review": (
        lambda s: [
            entry("stage changed", s.case),
            stage_change(s.case, "mvp", "decision", s.cast.chair, s.review),
        ],
        "no review of this case was approved",
        "no review of this case was approved",
    ),
    "a step back by its owner": (
        lambda s: [
            entry("stage changed", s.case),
            stage_change(s.case, "stopped", "step back", s.cast.owner),
        ],
        "there is no move",
        "there is no move",
    ),
    "an import by somebody who is no admin": (
        lambda s: [
            entry("stage changed", s.idea.initiative),
            stage_change(s.idea.initiative, "production", "import", s.cast.owner),
        ],
        "only admins import",
        "only admins import",
    ),
    "H1f a stage change consumed from a trigger of one's own": (
        _consumed_by_a_trigger,
        NO_TABLES,
        "the stage did not change",
    ),
    "a stage change consumed by hand": (
        lambda s: [
            entry("stage changed", s.case),
            stage_change(s.case, "stopped", "stopped", s.cast.owner),
            ("UPDATE initiatives_stagechange SET consumed = true WHERE NOT consumed", []),
        ],
        DENIED,
        KEEPS,
    ),
    "a case deleted": (
        lambda s: [("DELETE FROM initiatives_initiative WHERE id = %s", [s.case.pk])],
        "cases are kept",
        "cases are kept",
    ),
    # decision
    "H1b a review approved by the outsider with no vote": (
        lambda s: ended(s, "approved", s.cast.outsider),
        NOT_THE_CHAIR,
        NOT_THE_CHAIR,
    ),
    "a review approved by the deputy while the chair is there": (
        lambda s: ended(s, "approved", s.cast.deputy_chair, votes=[s.vote]),
        NOT_THE_CHAIR,
        NOT_THE_CHAIR,
    ),
    "a review approved by an admin": (
        lambda s: ended(s, "approved", s.cast.admin),
        NOT_THE_CHAIR,
        NOT_THE_CHAIR,
    ),
    "a review approved by its owner": (
        lambda s: ended(s, "approved", s.cast.owner),
        NOT_THE_CHAIR,
        NOT_THE_CHAIR,
    ),
    "a review refused by the outsider": (
        lambda s: ended(s, "refused", s.cast.outsider),
        NOT_THE_CHAIR,
        NOT_THE_CHAIR,
    ),
    "a review returned by a seat": (
        lambda s: ended(s, "returned", s.cast.seat_risk),
        NOT_THE_CHAIR,
        NOT_THE_CHAIR,
    ),
    "a review approved by the chair with no vote": (
        lambda s: ended(s, "approved", s.cast.chair, review=s.idea),
        NOT_ENOUGH,
        NOT_ENOUGH,
    ),
    "a review approved with one vote of three": (
        lambda s: ended(s, "approved", s.cast.chair, votes=[s.vote]),
        NOT_ENOUGH,
        NOT_ENOUGH,
    ),
    "a review approved with votes that its findings do not name": (
        lambda s: [
            vote(s.review, "risk_compliance", s.cast.seat_risk),
            vote(s.review, "security_privacy", s.cast.seat_security),
            *ended(s, "approved", s.cast.chair, votes=[s.vote]),
        ],
        NOT_ENOUGH,
        NOT_ENOUGH,
    ),
    "a review approved after its time": (
        lambda s: ended(s, "approved", s.cast.chair, votes=[s.vote], ended_at=s.review.expires_at),
        "approved while it is open",
        "approved while it is open",
    ),
    "a review that begins approved": (
        lambda s: [
            (
                "INSERT INTO initiatives_review (initiative_id, gate, rulebook_id, opened_by_id, opened_at, expires_at,"
                " outcome, ended_by_id, ended_at, reason, findings) SELECT initiative_id, 'production', rulebook_id,"
                " opened_by_id, opened_at, expires_at, 'approved', %s, opened_at, '', '{}' FROM initiatives_review"
                " WHERE id = %s",
                [s.cast.chair.pk, s.review.pk],
            )
        ],
        "a review begins open",
        "a review begins open",
    ),
    "a review moved to a rulebook that is not in force": (
        lambda s: changed(s.review, rulebook_id=draft(s).pk),
        "moves to the rulebook in force",
        "moves to the rulebook in force",
    ),
    # vote
    "H1a a vote with the seats shadowed": (_shadowed_seat, NO_TABLES, "does not hold the seat"),
    "H1a a vote with the roles shadowed": (
        lambda s: [*shadow("initiatives_roleassignment"), vote(s.review, "business_value", s.cast.owner)],
        NO_TABLES,
        "does not hold the seat",
    ),
    "H1c a vote for the risk seat by the outsider": (
        lambda s: [vote(s.review, "risk_compliance", s.cast.outsider)],
        "does not hold the seat",
        "does not hold the seat",
    ),
    "H1c a vote by the value seat of another board": (
        lambda s: [vote(s.idea, "business_value", s.cast.outsider)],
        NOT_THE_SEAT,
        NOT_THE_SEAT,
    ),
    "H1c a vote by who registered the case": (
        lambda s: [vote(s.idea, "business_value", s.cast.seat_value)],
        "registered and nobody owned yet",
        "registered and nobody owned yet",
    ),
    "a vote for a seat that does not sign here": (
        lambda s: [vote(s.idea, "adoption_change", s.cast.seat_adoption)],
        "does not sign at the gate",
        "does not sign at the gate",
    ),
    "a vote by who seated himself": (
        lambda s: [
            *seated(s, s.cast.outsider, "risk_compliance", s.cast.outsider),
            vote(s.review, "risk_compliance", s.cast.outsider),
        ],
        "does not hold the seat",
        "does not hold the seat",
    ),
    "a vote with another statement": (
        lambda s: [vote(s.review, "risk_compliance", s.cast.seat_risk, statement="I approve.")],
        "not signed for this review and seat",
        "not signed for this review and seat",
    ),
    "a vote withdrawn by somebody else": (
        lambda s: [
            vote(s.review, "business_value", s.cast.owner, verdict="withdrawn", replaces_id=s.vote.pk),
        ],
        "withdrawn by its signer",
        "withdrawn by its signer",
    ),
    "a vote turned round": (plain("UPDATE initiatives_signoff SET verdict = 'object'"), DENIED, KEEPS),
    "a vote deleted": (plain("DELETE FROM initiatives_signoff"), DENIED, KEEPS),
    "H1e entries of votes that nobody cast": (_false_entries, NO_TABLES, "this guard does not stand on"),
    # contract
    "H1d a contract in force with no approval": (
        lambda s: in_force(s.contract),
        "with the approvals of its text",
        "with the approvals of its text",
    ),
    "a contract in force with one approval": (
        lambda s: [contract_approval(s, s.cast.seat_risk, "risk_compliance"), *in_force(s.contract)],
        "with the approvals of its text",
        "with the approvals of its text",
    ),
    "a contract approved by the outsider": (
        lambda s: [contract_approval(s, s.cast.outsider, "business_value")],
        NOT_THE_SEAT,
        NOT_THE_SEAT,
    ),
    "another text of the contract approved": (
        lambda s: [contract_approval(s, s.cast.seat_risk, "risk_compliance", "0" * 64)],
        "is not with the board",
        "is not with the board",
    ),
    "a clause changed under the board's eyes": (
        lambda s: changed(s.contract.clauses.first(), sentence="It may do anything."),
        "fixed once it leaves draft",
        "fixed once it leaves draft",
    ),
    # role and seat
    "a role moved to another person": (
        lambda s: changed(RoleAssignment.objects.first(), person_id=s.cast.outsider.pk),
        "keeps its person",
        "keeps its person",
    ),
    "a role deleted": (plain("DELETE FROM initiatives_roleassignment"), "roles end", "roles end"),
    "a role with no history": (
        plain("UPDATE initiatives_roleassignment SET ended_at = now()"),
        "without its own equal row of history",
        "without its own equal row of history",
    ),
    "a seat with no history": (
        lambda s: seated(s, s.cast.outsider, "risk_compliance", s.cast.admin)[:1],
        "without its own equal row of history",
        "without its own equal row of history",
    ),
    # evidence
    "evidence with another fingerprint": (
        lambda s: changed(Evidence.objects.first(), sha256="0" * 64),
        "evidence does not change",
        "evidence does not change",
    ),
    "evidence deleted": (plain("DELETE FROM initiatives_evidence"), "evidence is kept", "evidence is kept"),
    # password
    "a password with no history": (
        plain("UPDATE governance_user SET password = 'mine' WHERE login = 'seat-risk'"),
        "without its own equal row of history",
        "without its own equal row of history",
    ),
    # rulebook, and what the guards read of it
    "a rulebook published by the outsider": (
        lambda s: changed(draft(s), chair_id=s.cast.outsider.pk, published_at=clock.now()),
        "published by the chair of a board",
        "published by the chair of a board",
    ),
    "a rulebook published with another text": (
        lambda s: changed(draft(s), chair_id=s.cast.chair.pk, published_at=clock.now(), source="quorum = 0"),
        "does not change once loaded",
        "does not change once loaded",
    ),
    "a quorum lowered": (plain("UPDATE governance_signingrule SET quorum = 0"), DENIED, KEEPS),
    "the rules of signatures removed": (plain("DELETE FROM governance_signingrule"), DENIED, KEEPS),
    # the ledger
    "an entry changed": (plain("UPDATE governance_entry SET kind = 'decided'"), DENIED, KEEPS),
    "the record emptied": (plain("TRUNCATE governance_entry CASCADE"), DENIED, KEEPS),
}

# What the owner of the tables gets through, and what the application is told; the finding's words.
FOUND = {
    "the guard of votes switched off": (
        plain("ALTER TABLE initiatives_signoff DISABLE TRIGGER vote_of_the_board"),
        OWNERS,
        "initiatives_signoff.vote_of_the_board is switched off",
    ),
    "the guard of decisions dropped": (
        plain("DROP TRIGGER decided_as_its_rulebook_says ON initiatives_review"),
        OWNERS,
        "initiatives_review.decided_as_its_rulebook_says is gone",
    ),
    "the guard of stages replaced": (
        plain(
            "CREATE OR REPLACE FUNCTION plumbline_guard_stage() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'"
        ),
        f"{OWNERS}|{DENIED}",
        "plumbline_guard_stage() is not as migrations install it",
    ),
    "append_only dropped": (
        plain("DROP TRIGGER append_only ON initiatives_signoff"),
        OWNERS,
        "initiatives_signoff.append_only is gone",
    ),
    "a function of guards replaced": (
        plain(
            "CREATE OR REPLACE FUNCTION plumbline_sits(board bigint, person bigint, place text, moment timestamptz)"
            " RETURNS boolean LANGUAGE sql AS 'SELECT true'"
        ),
        f"{OWNERS}|{DENIED}",
        "is not as migrations install it",
    ),
    "a search path opened": (
        plain("ALTER FUNCTION plumbline_guard_decision() RESET search_path"),
        OWNERS,
        "plumbline_guard_decision() is not as migrations install it",
    ),
    "a trigger function given to everybody": (
        plain("GRANT EXECUTE ON FUNCTION plumbline_capture_initiatives_signoff() TO PUBLIC"),
        "",
        "plumbline_capture_initiatives_signoff() may be called by anybody",
    ),
    "a function of one's own on a table": (
        plain(
            "CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER aaa BEFORE INSERT ON initiatives_signoff FOR EACH ROW EXECUTE FUNCTION public.mine()",
        ),
        DENIED,
        "initiatives_signoff.aaa is of nobody's making",
    ),
    "votes made changeable": (
        lambda s: [(f"GRANT UPDATE ON initiatives_signoff TO {plumbing.LOGINS.application}", [])],
        "",
        "was granted UPDATE on initiatives_signoff",
    ),
    "passwords shown to auditors": (
        lambda s: [(f"GRANT SELECT ON governance_user TO {plumbing.LOGINS.auditor}", [])],
        "",
        "was granted SELECT on governance_user",
    ),
    "temporary tables for everybody": (
        lambda s: [(f'GRANT TEMPORARY ON DATABASE "{connection.settings_dict["NAME"]}" TO PUBLIC', [])],
        "",
        "Everybody was granted TEMPORARY",
    ),
    "a constraint dropped": (
        plain("ALTER TABLE initiatives_signoff DROP CONSTRAINT one_vote_per_seat"),
        OWNERS,
        "initiatives_signoff.one_vote_per_seat is gone",
    ),
    "rules of signatures of one's own": (
        lambda s: [
            (
                "INSERT INTO governance_signingrule (rulebook_id, about, tier, seats, must_include, quorum,"
                " max_age_days, blocking, decided_by) SELECT id, 'mine', '', '[]', '[]', 0, 1, '[]', ''"
                " FROM governance_rulebook",
                [],
            )
        ],
        "is written when it is published",
        "are not what its text says",
    ),
    "a stage with every trigger off": (
        plain(
            "ALTER TABLE initiatives_initiative DISABLE TRIGGER USER",
            "UPDATE initiatives_initiative SET stage = 'production' WHERE stage = 'prototype'",
            "ALTER TABLE initiatives_initiative ENABLE TRIGGER USER",
        ),
        OWNERS,
        "changed past the record",
    ),
    "a vote turned round with every trigger off": (
        plain(
            "ALTER TABLE initiatives_signoff DISABLE TRIGGER USER",
            "UPDATE initiatives_signoff SET verdict = 'recuse'",
            "ALTER TABLE initiatives_signoff ENABLE TRIGGER USER",
        ),
        OWNERS,
        "changed past the record",
    ),
}


def _stage_with_its_guard_off(s):
    """H2: the guard of the stage off for one transaction, capture on."""
    return [
        ("ALTER TABLE initiatives_initiative DISABLE TRIGGER stage_is_guarded", []),
        *changed(s.case, stage="production", basis="decision"),
        ("SET CONSTRAINTS ALL IMMEDIATE", []),
        ("ALTER TABLE initiatives_initiative ENABLE TRIGGER stage_is_guarded", []),
    ]


def _decided_with_its_guard_off(s):
    """H2: a review approved with one vote of three, its guard off for one transaction."""
    return [
        ("ALTER TABLE initiatives_review DISABLE TRIGGER decided_as_its_rulebook_says", []),
        *ended(s, "approved", s.cast.chair, votes=[s.vote]),
        ("SET CONSTRAINTS ALL IMMEDIATE", []),
        ("ALTER TABLE initiatives_review ENABLE TRIGGER decided_as_its_rulebook_says", []),
    ]


def _voted_with_its_guards_off(s):
    """H2: a vote by the outsider, the guards of votes off for one transaction."""
    names = ("duties_are_separate", "vote_of_the_board", "stand_ins_do_not_sign")
    return [
        *((f"ALTER TABLE initiatives_signoff DISABLE TRIGGER {name}", []) for name in names),
        vote(s.review, "risk_compliance", s.cast.outsider),
        ("SET CONSTRAINTS ALL IMMEDIATE", []),
        *((f"ALTER TABLE initiatives_signoff ENABLE TRIGGER {name}", []) for name in names),
    ]


def _in_force_with_its_guard_off(s):
    """H2: a contract in force with no approval, its guard off for one transaction."""
    return [
        ("ALTER TABLE governance_contractversion DISABLE TRIGGER in_force_once_approved", []),
        *in_force(s.contract),
        ("SET CONSTRAINTS ALL IMMEDIATE", []),
        ("ALTER TABLE governance_contractversion ENABLE TRIGGER in_force_once_approved", []),
    ]


# Found by what verification judges (H2, M4), once it does.
JUDGED = {
    "H2 a stage with its guard off": _stage_with_its_guard_off,
    "H2 a decision with its guard off": _decided_with_its_guard_off,
    "H2 a vote with its guards off": _voted_with_its_guards_off,
    "H2 a contract with its guard off": _in_force_with_its_guard_off,
    "M4 a password with every trigger off": plain(
        "ALTER TABLE governance_user DISABLE TRIGGER USER",
        "UPDATE governance_user SET password = 'mine' WHERE login = 'seat-risk'",
        "ALTER TABLE governance_user ENABLE TRIGGER USER",
    ),
}


# --- Tried -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def application_login() -> str:
    """The login of web and worker; the owner must be allowed to put it on."""
    plumbing.address_for(plumbing.LOGINS.application)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")
        if not cursor.fetchone()[0]:
            pytest.skip("the user in DATABASE_URL may not act as the application")
    return plumbing.LOGINS.application


def tried(forge, scene, login=None) -> tuple[str, list[str]]:
    """Carry a forgery out up to its commit: what the database says to it, and what verification finds. Taken back."""
    said, found = "", []
    with transaction.atomic():
        statements = forge(scene)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                act = {"name": "Mallory", "at": clock.now().isoformat(), "reason": ""}
                cursor.execute("SELECT set_config('plumbline.act', %s, true)", [json.dumps(act)])
                if login:
                    cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {login}")
                for text, values in statements:
                    cursor.execute(text, values or None)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                if login:
                    cursor.execute("RESET SESSION AUTHORIZATION")
        except DatabaseError as trouble:
            said = str(trouble).splitlines()[0]
        else:
            found = [
                *guards.differences(connection, plumbing.LOGINS),
                *map(str, verification.verify().findings),
            ]
        transaction.set_rollback(True)
    return said, found


def test_the_database_refuses_the_application(scene, application_login):
    wrong = {}
    for name, (forge, words, _) in REFUSED.items():
        said, _ = tried(forge, scene, application_login)
        if not said or words not in said:
            wrong[name] = said or "it went through"
    assert wrong == {}
    assert len(REFUSED) + len(FOUND) >= 40


def test_the_database_refuses_the_owner(scene):
    wrong = {}
    for name, (forge, _, words) in REFUSED.items():
        said, _ = tried(forge, scene)
        if not said or words not in said:
            wrong[name] = said or "it went through"
    assert wrong == {}


def test_what_the_owner_gets_through_is_found_and_the_application_gets_nowhere(scene, application_login):
    wrong = {}
    for name, (forge, denied, words) in FOUND.items():
        said, found = tried(forge, scene)
        if said or not any(words in finding for finding in found):
            wrong[name] = said or found[:3]
        said, found = tried(forge, scene, application_login)
        # Whoever grants what is not his to give is warned, and nothing is granted.
        if (denied and not any(word in said for word in denied.split("|"))) or (not denied and found):
            wrong[f"{name}, by the application"] = said or found[:3] or "it went through"
    assert wrong == {}


def test_an_untouched_scene_has_nothing_to_find(scene):
    assert tried(lambda s: [], scene) == ("", [])


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="verification does not judge yet what was recorded (H2)"
)
@pytest.mark.parametrize("name", JUDGED)
def test_what_was_done_with_a_guard_off_is_found_by_judging(scene, name):
    said, found = tried(JUDGED[name], scene)
    if said:
        raise RuntimeError(said)
    assert found, name
