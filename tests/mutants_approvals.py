"""Defences of approvals, for `tests.mutants`: name, file, defence, what stands instead, tests."""

ACTS, READS = "initiatives/actions/approvals.py", "initiatives/approving.py"
MAY, GUARD = "initiatives/approval_permissions.py", "initiatives/migrations/0012_contract_as_policy.py"
TESTS, PAGES = "tests/initiatives/test_approvals.py", "tests/initiatives/test_views_approvals.py"

APPROVALS = [
    (
        "an approval is for exactly these arguments",
        ACTS,
        "if _digest_or_none(question) != request.arguments_digest:",
        "if False:",
        f"{TESTS} -k never_accepted",
    ),
    (
        "the circumstances are part of the arguments",
        READS,
        'return {**{part: question[part] for part in ENTITIES}, "context": context}',
        'return {**{part: question[part] for part in ENTITIES}, "context": {}}',
        f"{TESTS} -k never_accepted",
    ),
    (
        "another system's key knows nothing of an approval",
        ACTS,
        "key__contract=key.contract_id, key__system=key.system, key__principal=key.principal_id",
        "key__contract=key.contract_id",
        f"{TESTS} -k knows_nothing",
    ),
    (
        "a principal approves nothing",
        MAY,
        "if approving.is_principal(request, person):",
        "if False:",
        f"{TESTS} -k acts_for_does_not",
    ),
    (
        "a principal approves nothing, by the database",
        GUARD,
        "IF NEW.person_id = ANY (asked.principals) THEN",
        "IF FALSE THEN",
        f"{TESTS} -k acts_for_does_not",
    ),
    (
        "a stand-in has no voice of a principal",
        READS,
        " and not is_principal(request, row.person):\n            lent",
        ":\n            lent",
        f"{TESTS} -k stand_in_answers",
    ),
    (
        "four eyes are two voices",
        MAY,
        "if any(mine in (row.person_id, row.on_behalf_of_id) for row in given):",
        "if False:",
        f"{TESTS} -k four_eyes",
    ),
    (
        "four eyes are two people",
        ACTS,
        "voices >= (2 if request.four_eyes else 1)",
        "voices >= 1",
        f"{TESTS} -k four_eyes",
    ),
    (
        "an old approval is too old, by the database",
        GUARD,
        "RAISE EXCEPTION 'Plumbline: this approval is too old.' USING ERRCODE = 'PL051';",
        "NULL;",
        f"{TESTS} -k too_old",
    ),
    (
        "no answer after its time",
        MAY,
        "if request.expires_at <= now:",
        "if False:",
        f"{TESTS} -k too_old",
    ),
    (
        "an approval ends with its contract version",
        "initiatives/models/approvals.py",
        "if self.expires_at <= moment or self.superseded_at(moment):",
        "if self.expires_at <= moment:",
        f"{TESTS} -k has_ended",
    ),
    (
        "an approval of fewer people is not enough",
        ACTS,
        "if not _is_enough(request, approval):",
        "if False:",
        f"{TESTS} -k fewer",
    ),
    (
        "what a screen would hide is spelt out",
        READS,
        """in "CZ" and letter""",
        """in "" and letter""",
        f"{TESTS} -k is_shown",
    ),
    (
        "the first look is kept",
        "initiatives/views/approvals.py",
        'get_or_create(request=row, person=person, defaults={"at": now})',
        'update_or_create(request=row, person=person, defaults={"at": now})',
        f"{PAGES} -k first_opened",
    ),
    (
        "the day's mail does not repeat an approval",
        "governance/delivery.py",
        "return unsent_notices().exclude(kind__in=hooks.own_mails)",
        "return unsent_notices()",
        f"{PAGES} -k repeats",
    ),
]
