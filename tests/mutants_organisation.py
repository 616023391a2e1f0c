"""Defences of units, absences and handovers, for `tests.mutants`: name, file, defence, what stands instead, tests."""

ORGANISATION = [
    (
        "the lock on the tree of units",
        "initiatives/actions/units.py",
        'Unit.objects.select_for_update().order_by("pk")',
        'Unit.objects.order_by("pk")',
        "tests/initiatives/test_units.py -k once",
    ),
    (
        "votes of another board do not count",
        "initiatives/board.py",
        'if row.facts.get("board", bench.board) != bench.board:',
        "if False:",
        "tests/initiatives/test_units.py -k old_board",
    ),
    (
        "whoever stands in for the owner does not sign",
        "initiatives/permissions.py",
        "        for key in sources.standing_in(row):",
        "        for key in ():",
        "tests/initiatives/test_absences.py -k stands_in_for_the_owner",
    ),
    (
        "party to the case, at decision",
        "initiatives/board.py",
        "return why_barred(permissions.signer_of(person), seat, self.parties, rests_on=rests_on)",
        "return []",
        "tests/test_separation_of_duties.py -k becomes_party",
    ),
    (
        "a move waits for its judgement",
        "initiatives/models/stage_machine.py",
        "return case.judgement.gate == gate",
        "return True",
        "tests/test_state_table.py -k waits_for_exactly",
    ),
    (
        "an absent chair does not decide",
        "initiatives/permissions.py",
        "        if not roles and not member.away:",
        "        if not roles:",
        "tests/initiatives/test_absences.py -k chair_is_away",
    ),
    (
        "nobody takes over for another",
        "initiatives/actions/handovers.py",
        "if row.successor_id != by.pk or not by.is_active:",
        "if not by.is_active:",
        "tests/initiatives/test_handovers.py -k for_another",
    ),
]
