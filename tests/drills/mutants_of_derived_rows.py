"""What `make mutants` takes away of what protects derived rows; see mutants_table.py."""

MUTANTS = [
    (
        "a span that this installation did not write is not relied on",
        "initiatives.contracts.enforcement.decision_cache:_sealed",
        "return span if supported_stage_rows.is_sealed(initiative, span) else None",
        "return span",
        "tests/acceptance/attacks/test_derived_rows.py -k forged",
    ),
    (
        "the seal of a span is bound to its supported stage",
        "initiatives.lifecycle.facts.supported_stage_rows:seal_of",
        'f"{past_supported_stage} {initiative} ',
        'f"{initiative} ',
        "tests/acceptance/attacks/test_derived_rows.py -k forged",
    ),
    (
        "only the database writes spans",
        "governance.database.database_roles:_of_application_on",
        'table in {*derived(), "django_migrations"}',
        'table == "django_migrations"',
        "tests/acceptance/attacks/test_derived_rows.py -k cannot_write",
    ),
    (
        "an earlier supported stage is not put after a newer one",
        "initiatives/migrations/guards/stages.sql:plumbline_follow_supported_stage",
        "WHERE p.id > told.id",
        "WHERE false",
        "tests/acceptance/attacks/test_derived_rows.py -k earlier",
    ),
    (
        "supported stages are compared with their facts, whatever they say of their end",
        "initiatives.lifecycle.stages.periodic:correct",
        "found = {one.initiative.pk for one in supported_stage_rows.differing(batch)}",
        "found = set()",
        "tests/acceptance/attacks/test_derived_rows.py -k forged",
    ),
    (
        "verification compares supported stages with their facts",
        "initiatives.lifecycle.facts.supported_stage_rows:unlike",
        "yield from _unlike_facts(keys[start : start + AT_ONCE], refs)",
        "yield from ()",
        "tests/acceptance/attacks/test_derived_rows.py -k forged",
    ),
    (
        "verification compares spans with the newest supported stage",
        "initiatives.lifecycle.facts.supported_stage_rows:unlike",
        "for row, initiative in recomputation.stream(using, query, []):",
        "for row, initiative in ():",
        "tests/acceptance/attacks/test_derived_rows.py -k changed_by_the_owner",
    ),
    (
        "tallies are compared with their measurements",
        "adoption.measurements.tallies:unlike",
        "in recomputation.stream(using, _DIFFERING, []):",
        "in ():",
        "tests/acceptance/attacks/test_derived_rows.py -k tally",
    ),
    (
        "figures of both logs are counted again",
        "initiatives.interactions.comparison.reconciling:_mark_due",
        "recent.filter(counted, day__gte=clock.local_day(now - RECOUNTED)).update(due=True)",
        "pass",
        "tests/acceptance/attacks/test_derived_rows.py -k figures",
    ),
    (
        "a row is about one initiative, by the database",
        "initiatives/migrations/guards/evidence.sql:plumbline_guard_one_initiative",
        "IF theirs <> own THEN",
        "IF false THEN",
        "tests/app/initiatives/lifecycle/evidence/test_subjects.py -k another_initiative",
    ),
]
