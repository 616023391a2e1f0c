"""Forgeries that the database refuses, with its sentence for the application's login and for the owner."""

from governance import clock
from initiatives.models import Evidence, RoleAssignment
from tests.support.attacks.forged_statements import (
    as_,
    changed,
    contract_approval,
    draft,
    ended,
    entry,
    in_force,
    plain,
    seated,
    shadow,
    sign_off,
    stage_change,
    told,
)

DENIED = "permission denied"
NO_TABLES = "permission denied to create temporary tables"
NOT_DECIDED = "without a recorded decision"
NOT_THE_SEAT = "of the board that decides this initiative"
NOT_THE_CHAIR = "decided by the chair of the board of its initiative"
NOT_BY_AN_ADMIN = "a seat is granted by an admin"
NOT_ENOUGH = "needs fresh approvals of"
KEEPS = "keeps what was written"
DELETED = "it is not deleted"


def _consumed_by_a_trigger(s):
    """H1 f: marked as used from within a trigger on a table of the forger's own."""
    return [
        as_(s.cast.owner),
        *shadow("governance_unit"),
        entry("stage changed", s.initiative, s.cast.admin),
        stage_change(s.initiative, "stopped", "stopped", s.cast.owner),
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
            " WHERE kind = 'stage changed' AND initiative_ref = %s",
            [s.initiative.ref],
        ),
        (
            "INSERT INTO pg_temp.initiatives_stagechange SELECT * FROM public.initiatives_stagechange"
            " WHERE initiative_id = %s",
            [s.initiative.pk],
        ),
        (
            "UPDATE pg_temp.initiatives_stagechange SET from_stage = 'prototype', to_stage = 'production',"
            " basis = 'import', consumed = false, xact = plumbline_xact()",
            [],
        ),
        ("UPDATE pg_temp.governance_entry SET xact = plumbline_xact()", []),
        *changed(s.initiative, stage="production", basis="import"),
    ]


def _shadowed_seat(s):
    """H1 a: a sign-off for a seat that only a temporary table knows."""
    return [
        *shadow("governance_membership"),
        (
            "INSERT INTO pg_temp.governance_membership (id, board_id, person_id, seat, starts_at)"
            " VALUES (1, %s, %s, 'security_privacy', now() - interval '1 day')",
            [s.cast.board.pk, s.cast.outsider.pk],
        ),
        sign_off(s.review, "security_privacy", s.cast.outsider),
    ]


def _false_entries(s):
    """H1 e: entries of sign-offs that nobody cast, by the capture function on a table of the forger's own."""
    return [
        *shadow("initiatives_signoff"),
        (
            "CREATE TRIGGER mine AFTER INSERT ON pg_temp.initiatives_signoff FOR EACH ROW"
            " EXECUTE FUNCTION public.plumbline_capture_initiatives_signoff()",
            [],
        ),
        sign_off(s.review, "risk_compliance", s.cast.seat_risk),
        ("INSERT INTO pg_temp.initiatives_signoff SELECT * FROM public.initiatives_signoff", []),
    ]


# By what is tried: what is written; the sentence for the application; the sentence for the owner.
REFUSED = {
    # stage
    "H1a a stage with its guard's tables shadowed": (_shadowed_stage, NO_TABLES, NOT_DECIDED),
    "a stage alone": (
        lambda s: changed(s.initiative, stage="production", basis="decision"),
        NOT_DECIDED,
        NOT_DECIDED,
    ),
    "a stage with a decision of no review": (
        lambda s: [entry("stage changed", s.initiative), stage_change(s.initiative, "mvp", "decision")],
        "no review of this initiative was approved",
        "no review of this initiative was approved",
    ),
    "a stage with the open review": (
        lambda s: [
            entry("stage changed", s.initiative),
            stage_change(s.initiative, "mvp", "decision", s.cast.chair, s.review),
        ],
        "no review of this initiative was approved",
        "no review of this initiative was approved",
    ),
    "a step back by its owner": (
        lambda s: [
            entry("stage changed", s.initiative),
            stage_change(s.initiative, "stopped", "step back", s.cast.owner),
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
            as_(s.cast.owner),
            entry("stage changed", s.initiative),
            stage_change(s.initiative, "stopped", "stopped", s.cast.owner),
            ("UPDATE initiatives_stagechange SET consumed = true WHERE NOT consumed", []),
        ],
        DENIED,
        KEEPS,
    ),
    "an initiative deleted": (
        lambda s: [("DELETE FROM initiatives_initiative WHERE id = %s", [s.initiative.pk])],
        "a row of initiatives_initiative is kept",
        "a row of initiatives_initiative is kept",
    ),
    # decision
    "H1b a review approved by the outsider with no sign-off": (
        lambda s: ended(s, "approved", s.cast.outsider),
        NOT_THE_CHAIR,
        NOT_THE_CHAIR,
    ),
    "a review approved by the deputy while the chair is there": (
        lambda s: ended(s, "approved", s.cast.deputy_chair, sign_offs=[s.sign_off]),
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
    "a review approved by the chair with no sign-off": (
        lambda s: ended(s, "approved", s.cast.chair, review=s.idea),
        NOT_ENOUGH,
        NOT_ENOUGH,
    ),
    "a review approved with one sign-off of three": (
        lambda s: ended(s, "approved", s.cast.chair, sign_offs=[s.sign_off]),
        NOT_ENOUGH,
        NOT_ENOUGH,
    ),
    "a review approved with sign-offs that its findings do not name": (
        lambda s: [
            sign_off(s.review, "risk_compliance", s.cast.seat_risk),
            sign_off(s.review, "security_privacy", s.cast.seat_security),
            *ended(s, "approved", s.cast.chair, sign_offs=[s.sign_off]),
        ],
        NOT_ENOUGH,
        NOT_ENOUGH,
    ),
    "a review approved after its time": (
        lambda s: ended(s, "approved", s.cast.chair, sign_offs=[s.sign_off], ended_at=s.review.expires_at),
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
    # sign-off
    "H1a a sign-off with the seats shadowed": (_shadowed_seat, NO_TABLES, "does not hold the seat"),
    "H1a a sign-off with the roles shadowed": (
        lambda s: [*shadow("initiatives_roleassignment"), sign_off(s.review, "business_value", s.cast.owner)],
        NO_TABLES,
        "does not hold the seat",
    ),
    "H1c a sign-off for the risk seat by the outsider": (
        lambda s: [sign_off(s.review, "risk_compliance", s.cast.outsider)],
        "does not hold the seat",
        "does not hold the seat",
    ),
    "H1c a sign-off by the value seat of another board": (
        lambda s: [sign_off(s.idea, "business_value", s.cast.outsider)],
        NOT_THE_SEAT,
        NOT_THE_SEAT,
    ),
    "H1c a sign-off by who registered the initiative": (
        lambda s: [sign_off(s.idea, "business_value", s.cast.seat_value)],
        "registered and nobody owned yet",
        "registered and nobody owned yet",
    ),
    "a sign-off for a seat that does not sign here": (
        lambda s: [sign_off(s.idea, "adoption_change", s.cast.seat_adoption)],
        "does not sign at the gate",
        "does not sign at the gate",
    ),
    "a sign-off by who seated himself": (
        lambda s: [
            as_(s.cast.outsider),
            *seated(s, s.cast.outsider, "risk_compliance", s.cast.outsider),
            sign_off(s.review, "risk_compliance", s.cast.outsider),
        ],
        NOT_BY_AN_ADMIN,
        NOT_BY_AN_ADMIN,
    ),
    "a sign-off with another statement": (
        lambda s: [sign_off(s.review, "risk_compliance", s.cast.seat_risk, statement="I approve.")],
        "not signed for this review and seat",
        "not signed for this review and seat",
    ),
    "a sign-off withdrawn by somebody else": (
        lambda s: [
            sign_off(
                s.review, "business_value", s.cast.owner, verdict="withdrawn", replaces_id=s.sign_off.pk
            ),
        ],
        "withdrawn by its signer",
        "withdrawn by its signer",
    ),
    "a sign-off turned round": (plain("UPDATE initiatives_signoff SET verdict = 'object'"), DENIED, KEEPS),
    "a sign-off deleted": (plain("DELETE FROM initiatives_signoff"), DENIED, KEEPS),
    "H1e entries of sign-offs that nobody cast": (_false_entries, NO_TABLES, "this guard does not stand on"),
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
        "person_id of initiatives_roleassignment stays",
        "person_id of initiatives_roleassignment stays",
    ),
    "a role deleted": (plain("DELETE FROM initiatives_roleassignment"), DELETED, DELETED),
    "a role with no history": (
        plain("UPDATE initiatives_roleassignment SET ended_at = now()"),
        "without its own equal row of history",
        "without its own equal row of history",
    ),
    "a seat with no history": (
        lambda s: [
            as_(s.cast.admin),
            seated(s, s.cast.outsider, "risk_compliance", s.cast.admin)[0],
            told("appointed", s.cast.admin, person_id=s.cast.outsider.pk),
        ],
        "without its own equal row of history",
        "without its own equal row of history",
    ),
    # evidence
    "evidence with another fingerprint": (
        lambda s: changed(Evidence.objects.first(), sha256="0" * 64),
        "sha256 of initiatives_evidence stays",
        "sha256 of initiatives_evidence stays",
    ),
    "evidence deleted": (plain("DELETE FROM initiatives_evidence"), DELETED, DELETED),
    # password
    "a password with no history": (
        lambda s: [
            as_(s.cast.seat_risk),
            ("UPDATE governance_user SET password = 'mine' WHERE id = %s", [s.cast.seat_risk.pk]),
            told("password set", s.cast.seat_risk, person_id=s.cast.seat_risk.pk),
        ],
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
        "source of governance_rulebook stays",
        "source of governance_rulebook stays",
    ),
    "a quorum lowered": (plain("UPDATE governance_signingrule SET quorum = 0"), DENIED, KEEPS),
    "the rules of signatures removed": (plain("DELETE FROM governance_signingrule"), DENIED, KEEPS),
    # the audit log
    "an entry changed": (plain("UPDATE governance_entry SET kind = 'decided'"), DENIED, KEEPS),
    "the audit log emptied": (plain("TRUNCATE governance_entry CASCADE"), DENIED, KEEPS),
}
