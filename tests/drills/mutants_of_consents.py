"""What the drill takes away of consents, reports, components, tables and the quorum."""

INITIATIVES = "initiatives.migrations.0001_initial:Migration"
COUNTING = "tests/app/initiatives/lifecycle/consents/test_consents_that_count.py"
DECIDING = "tests/app/initiatives/lifecycle/consents/test_who_decides.py"
CONSENTS = "tests/app/initiatives/lifecycle/requirements/test_consents.py"
KEPT = "governance/migrations/guards/audit_log.sql:plumbline_guard_kept"
JUDGING = "tests/app/adoption/reports/test_judging.py"
REPORTS = "adoption/migrations/guards/reports.sql:plumbline_guard_report"
ENDS = "tests/app/initiatives/integration/components/test_end_of_life.py"
REGISTER = "tests/app/initiatives/integration/components/test_register.py"
LEFT_OUT = "tests/unit/governance/rulebook/test_seats_at_a_tier.py"
BOUNDS = "tests/unit/governance/interaction_log/test_bounds.py"
QUORUM = "tests/app/initiatives/lifecycle/reviews/test_quorum.py"


def _any_row(name: str, end: str = "") -> tuple[str, str]:
    """A constraint of this name, and the same where every row passes its last part."""
    part = f"_connector='OR'){end}, name='{name}'"
    return part, f"('pk__isnull', False), {part}"


MUTANTS = [
    (
        "why a waiver was refused, by constraint",
        INITIATIVES,
        *_any_row("a_refused_waiver_says_when_and_why"),
        f"{CONSENTS} -k holds_who_consents",
    ),
    (
        "two others consent to a waiver, by constraint",
        INITIATIVES,
        *_any_row("others_consent_to_a_waiver", ")"),
        f"{CONSENTS} -k holds_who_consents",
    ),
    (
        "another one accepts a risk, by constraint",
        INITIATIVES,
        *_any_row("others_consent_to_a_accepted_risk"),
        f"{CONSENTS} -k holds_who_consents",
    ),
    (
        "what was refused keeps its reason, by the database",
        KEPT,
        "coalesce(stood ->> c, 'false') IN ('', 'false')",
        "true",
        f"{CONSENTS} -k stays_as_it_was",
    ),
    (
        "a refusal says why",
        "initiatives.lifecycle.consents.consent_kinds:Kind.refuse",
        "if not reason.strip():",
        "if False:",
        f"{CONSENTS} -k says_why",
    ),
    (
        "a team member consents to nothing",
        "initiatives.lifecycle.consents.consent_kinds:Kind.may_refuse",
        "if reasons := signers.barred_from_signing(initiative, person, now=True):",
        "if reasons := []:",
        f"{CONSENTS} -k team_member",
    ),
    (
        "nobody consents to what they asked for",
        "initiatives.lifecycle.consents.consent_kinds:Kind.may_refuse",
        "if row.requested_by_id in accounts_of(person):",
        "if False:",
        f"{CONSENTS} -k nobody_answers",
    ),
    (
        "nobody consents in two parts",
        "initiatives.lifecycle.consents.consent_kinds:Kind.part_of",
        "if not accounts_of(person) & agreed:",
        "if True:",
        f"{CONSENTS} -k two_parts",
    ),
    (
        "a seat that was granted again consents again",
        "initiatives.lifecycle.access.signers:EligibleSigners.why_lapsed",
        "elif not any(self.holds(person, seat, since) for seat in seats):",
        "elif False:",
        f"{COUNTING} -k still_give",
    ),
    (
        "a lapsed agreement is taken out before the last one is given",
        "initiatives.lifecycle.consents.consent_kinds:Kind.agree",
        "for other in self.lapsed(row):",
        "for other in ():",
        f"{COUNTING} -k waiver",
    ),
    (
        "the database looks again at the earlier of two consents",
        "initiatives/migrations/guards/roles.sql:plumbline_guard_consents",
        "IF given AND complete AND lapsed THEN",
        "IF false THEN",
        f"{COUNTING} -k waiver",
    ),
    (
        "the database counts the approvals of a contract that count",
        "initiatives/migrations/guards/contracts.sql:plumbline_guard_in_force",
        "AND plumbline_consents(of_initiative, a.person_id, ARRAY[a.seat::text], a.at, moment)",
        "",
        f"{COUNTING} -k contract",
    ),
    (
        "the verifier looks again at the earlier of two consents",
        "governance.offline.verify:Judge._of_two",
        "if (before[who], before[at]) != (after[who], after[at]):",
        "if True:",
        f"{COUNTING} -k waiver",
    ),
    (
        "who worked on it since the last decision does not decide",
        "initiatives.lifecycle.access.signers:why_not_decide",
        "if accounts & set(wrote):",
        "if False:",
        f"{DECIDING} -k wrote",
    ),
    (
        "a former owner consents to nothing, in the database",
        "initiatives/migrations/guards/roles.sql:plumbline_team_member",
        "AND r.ended_at > plumbline_last_decision(of_initiative, moment)",
        "AND false",
        f"{COUNTING} -k contract",
    ),
    (
        "a waiver needs every consent",
        "initiatives.models.reviews:granted",
        '**{f"{part}_at__isnull": False for part in parts}',
        '**{f"{part}_at__isnull": False for part in parts[:1]}',
        f"{CONSENTS} -k two_parts",
    ),
    (
        "no act takes a reason that nobody can read",
        "initiatives.lifecycle.initiative.act:act",
        "READABLE(reason)",
        "pass",
        "tests/acceptance/input/test_hidden_characters.py -k no_act_takes",
    ),
    (
        "a report is judged once, by the database",
        KEPT,
        "IF EXISTS (SELECT FROM unnest(TG_ARGV[4]::text[]) c",
        "IF false AND EXISTS (SELECT FROM unnest(TG_ARGV[4]::text[]) c",
        f"{JUDGING} -k stand_in",
    ),
    (
        "what was reported stays, by the database",
        KEPT,
        "IF told - free IS DISTINCT FROM stood - free THEN",
        "IF false THEN",
        f"{JUDGING} -k stand_in",
    ),
    (
        "a report is not deleted",
        KEPT,
        "IF TG_OP = 'DELETE' THEN",
        "IF TG_OP = 'DELETE' THEN RETURN OLD;",
        f"{JUDGING} -k stand_in",
    ),
    (
        "what a person reported is not worked out anew",
        REPORTS,
        "IF NOT OLD.computed AND",
        "IF false AND",
        f"{JUDGING} -k over_stands",
    ),
    (
        "a report is judged by who may",
        "adoption.reports.actions:judge",
        "kind.may_judge(initiative, by).or_refuse()",
        "pass",
        f"{JUDGING} -k nobody_else",
    ),
    (
        "a report is judged once",
        "adoption.reports.actions:judge",
        "if outcome not in [one.key for one in outcomes_of(row)]:",
        "if False:",
        f"{JUDGING} -k judged_once",
    ),
    (
        "a judgement says by whom and what, by constraint",
        "adoption.migrations.0001_initial:Migration",
        *_any_row("a_judged_problemreport_says_by_whom_and_what"),
        f"{JUDGING} -k half_judgement",
    ),
    (
        "a tier is asked or left out",
        "governance.rulebook.validation:_Check.level_of",
        "if (tier in level) == (tier in left_out):",
        "if tier not in level and tier not in left_out:",
        LEFT_OUT,
    ),
    (
        "a tier that is left out says why",
        "governance.rulebook.schema:LEVELLED",
        '"left_out": ("texts by name", False, ""),',
        '"left_out": ("table", False, ""),',
        LEFT_OUT,
    ),
    (
        "a model counts less from its end of life on",
        "initiatives.integration.components.findings:Ending.counts_from",
        "max(clock.midnight_before(self.day), self.use.runs_from)",
        "self.use.runs_from",
        ENDS,
    ),
    (
        "an end of life counts until another version runs",
        "initiatives.integration.components.findings:says",
        "until=one.use.runs_to,",
        "until=None,",
        ENDS,
    ),
    (
        "an end of life says where it stands, by constraint",
        INITIATIVES,
        *_any_row("an_end_of_life_names_its_source"),
        f"{REGISTER} -k database",
    ),
    (
        "a deployment ends after it begins, by constraint",
        INITIATIVES,
        *_any_row("deployments_end_after_they_start"),
        f"{REGISTER} -k database",
    ),
    (
        "one version runs in a part, by constraint",
        INITIATIVES,
        "fields=('initiative', 'part'), name='one_open_deployment_per_part'",
        "fields=('initiative', 'part', 'id'), name='one_open_deployment_per_part'",
        f"{REGISTER} -k database",
    ),
    (
        "one wrong line of a table and nothing enters",
        "governance.organisation.table_lines:Lines.refuse_wrong",
        "raise ValidationError(",
        "print(",
        "tests/app/governance/people/test_unit_import.py",
    ),
    (
        "two columns that say the same are refused",
        "governance.tables.columns:required",
        "if len(found) > 1:",
        "if False:",
        "tests/app/governance/people/test_unit_import.py -k two_columns",
    ),
    (
        "JSON is as deep as code walks it",
        "governance.vocabulary.bounded_json:measured",
        'if b"()" in left or left.count(b"(") > deepest:',
        "if False:",
        BOUNDS,
    ),
    (
        "a group of protobuf is not passed over",
        "governance.vocabulary.bounded_protobuf:_Walk.through",
        "raise Malformed(kind)\n        except",
        "pass\n        except",
        BOUNDS,
    ),
    (
        "messages within messages are bounded",
        "governance.vocabulary.bounded_protobuf:_Walk.through",
        "if depth > self._schema._deepest + 1:",
        "if False:",
        BOUNDS,
    ),
    (
        "one person counts once for the quorum",
        "governance.offline.verify:count_sign_offs",
        "len({sign_off.person_id for sign_off in approvals})",
        "len({sign_off.seat for sign_off in approvals})",
        QUORUM,
    ),
    (
        "only seats of the gate count for its quorum",
        "governance.offline.verify:count_sign_offs",
        " and sign_off.seat in seats",
        "",
        QUORUM,
    ),
    (
        "one person counts once for the quorum, by the database",
        "initiatives/migrations/guards/sign_offs.sql:plumbline_guard_decision",
        "count(DISTINCT (SELECT min(account) FROM plumbline_accounts(s.person_id) account))",
        "count(*)",
        QUORUM,
    ),
]
