"""Defences removed one at a time: for each, a named test must go red. Run by hand with `make mutants`.

A mutant is a place in the source, the text that is the defence, what stands there instead, and the tests that must
notice. It works on a copy of the project, so that nobody's work is touched. `test_mutants.py` checks in the ordinary
suite that every defence still stands where the table says.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

TABLES = (
    "organisation", "client", "enforcement", "approvals", "contract", "integration", "pulses", "whatif",
    "leaders", "judged", "accounts", "statements",
)  # fmt: skip
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Mutant:
    """One defence, taken away."""

    name: str
    file: str
    defence: str
    instead: str
    tests: str


GUARDS = "initiatives/migrations/0002_guards.py"
RECORD = "governance/migrations/0002_guards.py"
NOTES = "initiatives/migrations/0006_owner.py"
DUTIES = "tests/test_separation_of_duties.py"
ATTACKS = "tests/test_stage_attacks.py"
PROOF = "tests/governance/test_proof.py"
GATES = "tests/governance/test_gates.py"
STATEMENTS = "tests/governance/test_statements.py"
UGLY = "tests/walks/test_small_ugly.py"
LINKS = "tests/initiatives/test_links.py"
HOSTILE = "tests/test_hostile_files.py"
ACCOUNT = "tests/governance/test_account.py"

MUTANTS = [
    # Races
    Mutant(
        "the lock on the case",
        "initiatives/models/initiative.py",
        'self.select_for_update(of=("self",)).select_related("unit").get(pk=pk)',
        'self.select_related("unit").get(pk=pk)',
        "tests/races/test_races.py",
    ),
    Mutant(
        "one vote per seat, by constraint",
        "initiatives/migrations/0001_initial.py",
        "name='one_vote_per_seat', nulls_distinct=False",
        "name='one_vote_per_seat'",
        "tests/test_constraints.py",
    ),
    Mutant(
        "one open review per case, by constraint",
        "initiatives/migrations/0001_initial.py",
        "fields=('initiative',), name='one_open_review_per_case'",
        "fields=('initiative', 'id'), name='one_open_review_per_case'",
        "tests/test_constraints.py",
    ),
    Mutant(
        "the vote one saw standing is compared",
        "initiatives/actions/votes.py",
        "if (last.pk if last else None) != (replaces.pk if isinstance(replaces, SignOff) else replaces):",
        "if False:",
        "tests/initiatives/test_views_votes.py -k two_tabs",
    ),
    Mutant(
        "a review that ended is not decided again",
        "initiatives/actions/reviews.py",
        "if not review.is_open:",
        "if False:",
        "tests/initiatives/test_views_reviews.py -k second_tab",
    ),
    # The stage
    Mutant(
        "the stage needs its StageChange and entry",
        GUARDS,
        "IF found_id IS NULL THEN",
        "IF false THEN",
        ATTACKS,
    ),
    Mutant(
        "a case starts as an idea",
        GUARDS,
        "IF NEW.stage <> 'proposed' OR NEW.basis <> 'registered' THEN",
        "IF false THEN",
        ATTACKS,
    ),
    Mutant(
        "a StageChange is used in its transaction",
        GUARDS,
        "IF NOT EXISTS (SELECT 1 FROM initiatives_stagechange WHERE id = NEW.id AND consumed) THEN",
        "IF false THEN",
        ATTACKS,
    ),
    Mutant(
        "a template cannot run a move",
        "initiatives/models/stage_machine.py",
        "method.alters_data = True",
        "method.alters_data = False",
        f"{ATTACKS} -k template",
    ),
    Mutant(
        "record tables are append-only",
        "governance/migrations/0002_guards.py",
        "append_only BEFORE UPDATE OR DELETE ON %I",
        "append_only BEFORE DELETE ON %I",
        "tests/test_record.py -k stays_as_it_was",
    ),
    # Separation of duties
    Mutant(
        "party to the case",
        "governance/separation_of_duties.py",
        "if approving or not part.proposed",
        "if False",
        DUTIES,
    ),
    Mutant(
        "party to the case, in the database",
        GUARDS,
        "RAISE EXCEPTION 'Plumbline: nobody signs on a case they hold a role on.' USING ERRCODE = 'PL014';",
        "NULL;",
        DUTIES,
    ),
    Mutant(
        "authors of evidence do not approve on it",
        "governance/separation_of_duties.py",
        "if signer.id in rests_on.evidence_authors:",
        "if False:",
        DUTIES,
    ),
    Mutant(
        "whoever seats themselves holds nothing",
        "governance/models/people.py",
        'return seated.filter(Q(granted_by__isnull=True) | ~Q(granted_by=F("person")))',
        "return seated",
        DUTIES,
    ),
    Mutant(
        "a chair who is party does not decide",
        "initiatives/permissions.py",
        '        if not roles and not member.away:\n            return member.person, "chair"',
        '        if not member.away:\n            return member.person, "chair"',
        f"{DUTIES} {UGLY} -k chair",
    ),
    Mutant(
        "nobody accepts a role for another",
        "initiatives/permissions.py",
        'if assignment.person_id != person.pk:\n        return no(f"Only {assignment.person}',
        'if False:\n        return no(f"Only {assignment.person}',
        f"{DUTIES} -k nobody_accepts",
    ),
    Mutant(
        "strangers do not see a case",
        "initiatives/visibility.py",
        "return cases.filter(seen)",
        "return cases",
        "tests/test_access.py -k not_yours",
    ),
    # Proof
    Mutant(
        "proof ages at midnight",
        "governance/proof.py",
        "if ageless or (last := expiry(requirement, item, facts.high)) is None or day <= last",
        "if True",
        PROOF,
    ),
    Mutant(
        "partial and fail are not pass",
        "governance/proof.py",
        'if newest is not None and newest.result != "pass":',
        "if False:",
        PROOF,
    ),
    Mutant(
        "proof names the model that runs",
        "governance/proof.py",
        "and not ({version.id for version in models} <= item.components)",
        "and False",
        PROOF,
    ),
    Mutant(
        "one report serves one layer",
        "governance/proof.py",
        "position < mine",
        "False",
        PROOF,
    ),
    Mutant(
        "acceptance is in person",
        "governance/proof.py",
        "if item.acceptance_role != ACCEPTED_IN_PERSON[key]:",
        "if False:",
        PROOF,
    ),
    Mutant(
        "valid until: ageing is foreseen",
        "governance/gates.py",
        "yield key, clock.midnight_after(item.observed_on + timedelta(days=days))",
        "pass",
        GATES,
    ),
    Mutant(
        "scale tests are not waived",
        "governance/rulebook/book.py",
        "return self.requirements[key].waivable and key not in self.scale_items",
        "return self.requirements[key].waivable",
        GATES,
    ),
    Mutant(
        "observed dates are not in the future",
        "initiatives/actions/evidence.py",
        "elif observed_on > clock.today():",
        "elif False:",
        "tests/walks/test_scenario_1.py",
    ),
    # Freshness
    Mutant(
        "a changed scope stales every vote",
        "governance/statements.py",
        "if _scopes(now, whole) != _scopes(signed, whole):",
        "if False:",
        STATEMENTS,
    ),
    Mutant(
        "a changed answer stales a vote",
        "governance/statements.py",
        'if then["answer"] and state.state != "as_decided" and state.answer_version != then["answer"]:',
        "if False:",
        STATEMENTS,
    ),
    Mutant(
        "what is signed is what was read",
        "initiatives/actions/votes.py",
        "if statements.digest(text) != digest:",
        "if False:",
        "tests/initiatives/test_views_votes.py -k moved_since",
    ),
    # Decisions
    Mutant(
        "the quorum",
        "governance/gates.py",
        "    if counted.short:\n        others",
        "    if False:\n        others",
        GATES,
    ),
    Mutant(
        "a hold blocks",
        "governance/gates.py",
        "if hold.blocking:",
        "if False:",
        GATES,
    ),
    Mutant(
        "an overdue debt blocks",
        "governance/gates.py",
        "if clock.local_day(at) > debt.due and not debt.excused:",
        "if False:",
        GATES,
    ),
    # Nobody is forgotten
    Mutant(
        "a mail is claimed by one worker",
        "governance/outgoing.py",
        "return Q(claimed_at__isnull=True) | Q(claimed_at__lt=clock.now() - CLAIM)",
        "return Q(pk__gt=0)",
        "tests/governance/test_delivery.py -k two_workers",
    ),
    Mutant(
        "cells of an export hold no formula",
        "governance/exports.py",
        "if text and (text[0] in STARTERS or",
        "if text and (",
        "tests/initiatives/test_views_portfolio.py -k file_is_safe",
    ),
    # Hostile files
    Mutant(
        "a PDF that acts is refused",
        "initiatives/contents/pdf.py",
        "    if found:\n        raise NotTaken(",
        "    if False:\n        raise NotTaken(",
        HOSTILE,
    ),
    Mutant(
        "what a PDF packs is unpacked and looked at",
        "initiatives/contents/pdf.py",
        '        for text in texts:\n            _look(text or b"")',
        "        pass",
        HOSTILE,
    ),
    Mutant(
        "two files in one are refused",
        "initiatives/contents/__init__.py",
        "    if ACTIVE.search(head) or",
        "    if False and ACTIVE.search(head) or",
        HOSTILE,
    ),
    Mutant(
        "parts of an office document that act are refused",
        "initiatives/contents/office.py",
        "        if ACTS.search(part.filename) or",
        "        if False and ACTS.search(part.filename) or",
        HOSTILE,
    ),
    Mutant(
        "entities in an office document are refused",
        "initiatives/contents/office.py",
        "    raise NotTaken(ENTITIES)",
        "    return None",
        HOSTILE,
    ),
    Mutant(
        "pictures have a largest size",
        "initiatives/contents/pictures.py",
        "    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:",
        "    if False:",
        HOSTILE,
    ),
    Mutant(
        "names of uploads are tidied",
        "initiatives/actions/evidence.py",
        "item.file_name = tidy_name(file.name)",
        "item.file_name = file.name[:200]",
        HOSTILE,
    ),
    Mutant(
        "content is looked at again before it is shown",
        "initiatives/previews.py",
        "                check(content)\n",
        "                pass\n",
        HOSTILE,
    ),
    Mutant(
        "a file of evidence is cut off from our pages",
        "initiatives/views/files.py",
        "POLICY = \"sandbox; default-src 'none';",
        "POLICY = \"default-src 'self';",
        HOSTILE,
    ),
    # Headers, logs, addresses
    Mutant(
        "no page needs a slacker policy",
        "governance/settings.py",
        '"form-action": [SELF],',
        '"form-action": [SELF], "style-src": [SELF, "\'unsafe-inline\'"],',
        "tests/test_policy.py",
    ),
    Mutant(
        "secrets are taken out of logs",
        "governance/logs.py",
        "                    BlackOut(secrets),\n",
        "",
        "tests/governance/test_redaction.py",
    ),
    # Accounts
    Mutant(
        "a link to set a password works once",
        "governance/links.py",
        "used = PasswordLink.objects.open().filter(pk=link.pk).update(used_at=clock.now())",
        "used = True",
        f"{ACCOUNT} -k works_once",
    ),
    Mutant(
        "a link to set a password is signed",
        "governance/links.py",
        '        key, _, nonce = _signer.unsign(token).partition(".")',
        '        key, _, nonce = token.partition("~")[0].partition(".")',
        f"{ACCOUNT} -k good_for_a_while",
    ),
    Mutant(
        "a new password ends the other links",
        "governance/links.py",
        "    end_all(person)\n    sessions.end_all(person, but=keep)",
        "    sessions.end_all(person, but=keep)",
        f"{ACCOUNT} -k ends_every_other",
    ),
    Mutant(
        "sessions of somebody who left do not come back",
        "initiatives/actions/people.py",
        "        sessions.end_all(person)\n",
        "",
        f"{ACCOUNT} -k for_good",
    ),
    Mutant(
        "asking for a new password is slowed down",
        "governance/account_forms.py",
        'throttle.enter_try(cleaned["name"], purpose=throttle.RESET)',
        "None",
        f"{ACCOUNT} -k slowed_down",
    ),
    Mutant(
        "a wrong password where one signs is recorded",
        "governance/passwords.py",
        "            ledger.record(REFUSED, login=person.login, purpose=purpose, address=address)\n",
        "            pass\n",
        "tests/initiatives/test_views_votes.py -k wrong_password",
    ),
    Mutant(
        "there is one first admin",
        "governance/first_admin.py",
        "        if not missing():\n            raise ValidationError(TAKEN)\n",
        "",
        f"{ACCOUNT} -k first_admin_is_made_once",
    ),
    Mutant(
        "the token of a link is in no log",
        "governance/views/account.py",
        '        del request.session[TOKEN]\n    return redirect("password-set")\n',
        "        del request.session[TOKEN]\n    return set_password(request)\n",
        f"{ACCOUNT} -k ever_written",
    ),
    Mutant(
        "nobody of a table is added while a line is wrong",
        "governance/actions.py",
        "        if wrong:\n",
        "        if False:\n",
        "tests/governance/test_people_file.py -k one_wrong_line",
    ),
    Mutant(
        "a cell that begins like a formula is refused",
        "governance/people_file.py",
        "cell[0] in STARTERS or ",
        "",
        "tests/governance/test_people_file.py -k how_to_mend",
    ),
    Mutant(
        "a silent beat is noticed",
        "governance/status.py",
        "row.seen_at < now - SILENT",
        "False",
        "tests/governance/test_status.py -k silent_beat",
    ),
    Mutant(
        "a mail that a worker holds is left to it",
        "governance/outgoing.py",
        '.exclude(last_error="").update(claimed_at=None)',
        ".update(claimed_at=None)",
        "tests/governance/test_status.py -k holds_is_not_sent",
    ),
    Mutant(
        "only named proxies are believed",
        "governance/throttle.py",
        "any(address in network for network in settings.PROXIES)",
        "True",
        "tests/governance/test_throttle.py",
    ),
    # The record
    Mutant(
        "no write without an actor",
        RECORD,
        "IF coalesce(act->>'name', '') = '' THEN",
        "IF false THEN",
        "tests/test_record.py -k unnamed",
    ),
    Mutant(
        "a change without its row of history is refused at commit",
        "governance/capture.py",
        "IF told = 0 OR kept <>",
        "IF false AND kept <>",
        "tests/test_path_matrix.py",
    ),
    Mutant(
        "a row belongs where it was made",
        "governance/capture.py",
        "IF TG_OP = 'UPDATE' AND OLD.{belonging} <> NEW.{belonging} THEN",
        "IF false THEN",
        "tests/test_path_matrix.py tests/test_record.py",
    ),
    Mutant(
        "the record is append-only",
        RECORD,
        "TRIGGER append_only BEFORE UPDATE OR DELETE ON %I",
        "TRIGGER append_only BEFORE DELETE ON %I",
        "tests/test_record_attacks.py",
    ),
    Mutant(
        "the database alone writes entries of rows",
        "governance/migrations/0016_judged.py",
        "REVOKE EXECUTE ON FUNCTION plumbline_keep_row(text, text, text, bigint, json, json, json) FROM PUBLIC;",
        "",
        "tests/test_record_attacks.py tests/governance/test_roles.py",
    ),
    Mutant(
        "the floor of a sealing waits until its mark has settled",
        "governance/seals.py",
        "WHERE (counted, running_to) <> (%s, %s)",
        "WHERE (counted, running_to) = (%s, %s)",
        "tests/governance/test_seals.py",
    ),
    Mutant(
        "nothing is signed on top of a changed tree",
        "governance/seals.py",
        "if last and peaks.root() != bytes(last.root):",
        "if False:",
        "tests/governance/test_seals.py",
    ),
    Mutant(
        "a known key must have signed a checkpoint",
        "governance/offline/verify.py",
        """    if not signers:
        raise Rejected("No known key signed the note.")""",
        "",
        "tests/governance/test_notes.py",
    ),
    Mutant(
        "a body is the one that its digest stands for",
        "governance/offline/verify.py",
        "if body is not None and not hmac.compare_digest(",
        "if False and not hmac.compare_digest(",
        "tests/governance/test_seals.py -k receipt",
    ),
    Mutant(
        "a day shows only what was known by then",
        "governance/asof.py",
        " AND {seal}.known_at <= asof.moment() OFFSET 0)",
        " OFFSET 0)",
        "tests/test_asof.py",
    ),
    Mutant(
        "the facts of a case are read anew in every act",
        "governance/reading.py",
        """    kept = _look.get()
    token = _look.set(None)
""",
        """    kept = _look.get()
    token = _look.set(kept)
""",
        "tests/test_queries.py tests/initiatives/test_views_votes.py tests/initiatives/test_views_checklist.py",
    ),
    # Links
    Mutant(
        "every address of a link is judged",
        "initiatives/links.py",
        "if not found or not all(_allowed(",
        "if not found or not any(_allowed(",
        LINKS,
    ),
    Mutant(
        "addresses in disguise are seen through",
        "initiatives/links.py",
        "    return carried or address",
        "    return address",
        LINKS,
    ),
    Mutant(
        "the address that was judged is the one asked",
        "initiatives/links.py",
        "socket.create_connection((self.address, self.port)",
        "socket.create_connection((self.parts.hostname, self.port)",
        LINKS,
    ),
    Mutant(
        "certificates behind links are checked",
        "initiatives/links.py",
        "context = ssl.create_default_context()",
        "context = ssl._create_unverified_context()",
        LINKS,
    ),
    Mutant(
        "capturing is off unless switched on",
        "initiatives/permissions.py",
        "    if not settings.CAPTURE_LINKS:",
        "    if False:",
        LINKS,
    ),
    # Notes, dependants, ends
    Mutant(
        "a note says for ever what it said",
        NOTES,
        "RAISE EXCEPTION 'Plumbline: a note does not change.'",
        "RAISE NOTICE 'Plumbline: a note does not change.'",
        "tests/test_constraints.py",
    ),
    Mutant(
        "what an executive is asked to state does not change under them",
        NOTES,
        "RAISE EXCEPTION 'Plumbline: what somebody depends on stays as it was stated.'",
        "RAISE NOTICE 'Plumbline: what somebody depends on stays as it was stated.'",
        "tests/test_constraints.py",
    ),
    Mutant(
        "a case goes on only in the stage it has",
        NOTES,
        "RAISE EXCEPTION 'Plumbline: a case goes on in the stage that it has.'",
        "RAISE NOTICE 'Plumbline: a case goes on in the stage that it has.'",
        "tests/test_constraints.py",
    ),
    Mutant(
        "nobody states a dependence for another",
        "initiatives/permissions.py",
        "if dependant.executive_id != person.pk:",
        "if False:",
        "tests/initiatives/test_views_dependants.py",
    ),
    Mutant(
        "a note sent twice is one",
        "initiatives/actions/notes.py",
        "return model.objects.filter(initiative=case, once=once).first() if once else None",
        "return None",
        "tests/initiatives/test_views_notes.py",
    ),
    Mutant(
        "money keeps what was said on its own day",
        "initiatives/standing.py",
        "if on >= clock.today():",
        "if True:",
        "tests/initiatives/test_views_notes.py",
    ),
    Mutant(
        "one word on one end",
        "initiatives/actions/moves.py",
        "if ends != was:",
        "if False:",
        "tests/initiatives/test_ends.py",
    ),
    Mutant(
        "a claim that rests on what is not there is a no",
        "governance/questions.py",
        "answer = NO if denied or wanted else NOT_YET",
        "answer = NO if denied else NOT_YET",
        "tests/governance/test_questions.py",
    ),
    Mutant(
        "a yes needs everything of its group",
        "governance/questions.py",
        "if len(shown) == len(keys):",
        "if len(shown) >= len(keys) - 1:",
        "tests/governance/test_questions.py",
    ),
]
MUTANTS += [
    Mutant(*parts)
    for name in TABLES
    for parts in getattr(import_module(f"tests.mutants_{name}"), name.upper())
]


def source_without(mutant: Mutant) -> str:
    """The file without the defence. Raises ValueError when the defence is not there, or not once."""
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    if source.count(mutant.defence) != 1:
        raise ValueError(f"{mutant.name}: found {source.count(mutant.defence)} times in {mutant.file}")
    return source.replace(mutant.defence, mutant.instead)


def survives(mutant: Mutant, place: Path) -> bool:
    """Whether the named tests stay green in the copy at `place` without the defence: then nothing guards it."""
    path = place / mutant.file
    path.write_text(source_without(mutant), encoding="utf-8")
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", *mutant.tests.split()],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=900,
            env=os.environ | {"PLUMBLINE_DATA": str(place / ".data")},
        )
    finally:
        shutil.copy(ROOT / mutant.file, path)
    if run.returncode not in (0, 1):
        raise RuntimeError(f"{mutant.name}: the tests did not run\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return run.returncode == 0


def main(wanted: list[str]) -> int:
    """Try every mutant, or those whose name holds one of the words given. 1 when any survives."""
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "plumbline"
        shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(".git", ".venv", ".data", "__pycache__"))
        for mutant in MUTANTS:
            if wanted and not any(word in mutant.name for word in wanted):
                continue
            alive = survives(mutant, place)
            survivors += alive
            print(f"{'SURVIVES' if alive else 'killed  '}  {mutant.name}  [{mutant.tests}]", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
