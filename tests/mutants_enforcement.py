"""Defences of what enforces a contract, for `tests.mutants`: name, file, defence, what stands instead, tests."""

WALK = "tests/walks/test_enforcement.py"
ACTS = "initiatives/actions/enforcement.py"

ENFORCEMENT = [
    (
        "a clause without a control closes the production gate",
        "governance/proof.py",
        "if key == ENFORCED and (words := _unmapped(facts, at)):",
        "if False:",
        f"{WALK} -k one_clause_without_a_control",
    ),
    (
        "only the version in force has to be mapped",
        "governance/proof.py",
        "next((version for version in facts.contracts if version.in_force_at(at)), None)",
        "next(iter(facts.contracts), None)",
        "tests/governance/test_proof.py -k only_the_contract_in_force",
    ),
    (
        "a reworded clause is mapped again",
        "initiatives/sources.py",
        'clause__version__contract=OuterRef("version__contract"), clause__fingerprint=OuterRef("fingerprint")',
        'clause__version__contract=OuterRef("version__contract"), clause__number=OuterRef("number")',
        f"{WALK} -k reworded",
    ),
    (
        "a clause of another contract maps nothing here",
        "initiatives/sources.py",
        'clause__version__contract=OuterRef("version__contract"), clause__fingerprint=OuterRef("fingerprint")',
        'clause__fingerprint=OuterRef("fingerprint")',
        f"{WALK} -k same_words_in_another_contract",
    ),
    (
        "withdrawn and replaced proof maps nothing",
        "initiatives/models/enforcement.py",
        "evidence__isnull=False, evidence__withdrawn_at__isnull=True, evidence__superseded_by__isnull=True",
        "evidence__isnull=False",
        f"{WALK} -k withdrawn_or_replaced",
    ),
    (
        "a draft is not mapped",
        ACTS,
        "return version.starts_at is not None and (version.ends_at is None or version.ends_at > clock.now())",
        "return True",
        f"{WALK} -k starts_later",
    ),
    (
        "a report on a layer waits for a reader",
        "governance/proof.py",
        'return requirement.group == "layer" and favourable and requirement.key not in item.reviewed',
        "return False",
        f"{WALK} -k technical_lead",
    ),
    (
        "a reader is from outside, now and then",
        "initiatives/standing.py",
        "if not sources.inside(case, by, datetime.fromisoformat(at))",
        "if True:",
        f"{WALK} -k technical_lead",
    ),
    (
        "a reader who joins is no longer outside",
        "initiatives/sources.py",
        "(row.person_id == person and (row.open or _open_at(row, then)))",
        "(row.person_id == person and _open_at(row, then))",
        f"{WALK} -k joins_the_team",
    ),
    (
        "a reader who was inside stays so",
        "initiatives/sources.py",
        "(row.person_id == person and (row.open or _open_at(row, then)))",
        "(row.person_id == person and row.open)",
        f"{WALK} -k was_of_the_team",
    ),
    (
        "the standing follows whoever is asked to join",
        "initiatives/actions/roles.py",
        "    else:\n        _look_at_readings(case, person)\n    return assignment",
        "    return assignment",
        f"{WALK} -k joins_the_team",
    ),
    (
        "nobody of the team reads for it",
        ACTS,
        "permissions.may_review_layer_report(case, evidence, by).or_refuse()",
        "pass",
        f"{WALK} -k technical_lead",
    ),
    (
        "a contract later than the architecture is told",
        "initiatives/views/banners.py",
        "    if began <= first:",
        "    if True:",
        f"{WALK} -k later_than_the_first_decision",
    ),
    (
        "decisions from before the prototype gate do not count",
        "initiatives/views/banners.py",
        "if gate is not None and on >= gate)",
        "if gate is not None)",
        f"{WALK} -k later_than_the_first_decision",
    ),
]
