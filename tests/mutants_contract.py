"""Defences of writing a contract, for `tests.mutants`: name, file, defence, what stands instead, tests."""

CLAUSES, COMMENTS, CONTRACTS = (
    f"initiatives/actions/{name}.py" for name in ("clauses", "comments", "contracts")
)
FORM = "initiatives/forms/clauses.py"
WRITING, READING = "tests/initiatives/test_views_clauses.py", "tests/initiatives/test_views_contracts.py"

CONTRACT = [
    (
        "the clause is still the one its author saw",
        CLAUSES,
        'if (now.fingerprint if now else "") == seen:',
        "if True:",
        f"{WRITING} -k meanwhile",
    ),
    (
        "no number of a clause is given twice",
        CONTRACTS,
        "Clause.history.model.objects.filter(version__contract=contract.pk)",
        "Clause.objects.filter(version__contract=contract.pk)",
        f"{WRITING} -k never_given_again",
    ),
    (
        "no gap that bars it goes to the board",
        CONTRACTS,
        "complete(case, version.clauses.all()).or_refuse()",
        "complete(case, version.clauses.all())",
        f"{READING} -k every_gap",
    ),
    (
        "a contract has an end",
        CLAUSES,
        "if now is None and len(there) >= MOST_CLAUSES:",
        "if False:",
        f"{WRITING} -k at_most_so_many",
    ),
    (
        "one key is one word",
        CLAUSES,
        "if taken is not None:",
        "if False:",
        f"{WRITING} -k added_worded_otherwise",
    ),
    (
        "a word in use is not retired",
        CLAUSES,
        "if using:",
        "if False:",
        f"{WRITING} -k in_use",
    ),
    (
        "words somebody else changed",
        CLAUSES,
        "elif before != seen and not word.retired_at:",
        "elif False:",
        f"{WRITING} -k two_who_word",
    ),
    (
        "comments belong to their case",
        COMMENTS,
        "rows.get(pk=comment.pk, contract=case.contract_id)",
        "rows.get(pk=comment.pk)",
        f"{WRITING} -k of_another_case",
    ),
    (
        "who settles a comment",
        COMMENTS,
        "may_settle(case, comment, by).or_refuse()",
        "may_settle(case, comment, by)",
        f"{WRITING} -k until_somebody_settles",
    ),
    (
        "no sentence beside its terms",
        FORM,
        "if made and own and made != own:",
        "if False:",
        f"{WRITING} -k nothing_typed_is_lost",
    ),
]
