"""Defences of judging what was recorded, for `tests.mutants`: name, file, defence, what stands instead, tests."""

OFFLINE = "governance/offline/verify.py"
TESTS = "tests/attacks/test_judged.py"

JUDGED = [
    (
        "a stage changes by a stage change of its transaction",
        OFFLINE,
        "            if not mine:\n",
        "            if False:\n",
        TESTS,
    ),
    (
        "a decision has a review that was approved with it",
        OFFLINE,
        '            if made.row["basis"] == "decision":\n',
        "            if False:\n",
        TESTS,
    ),
    (
        "the quorum is judged",
        OFFLINE,
        "        if counted.short or counted.missing:\n",
        "        if False:\n",
        TESTS,
    ),
    (
        "a vote of somebody who left the seat is not counted",
        OFFLINE,
        "            stale = (*stale, *self._lapsed(change, vote, case))\n",
        "",
        TESTS,
    ),
    (
        "a vote is one of a member of that board",
        OFFLINE,
        '            (one["board_id"], one["person_id"]) == (board, person)\n            and ',
        "            ",
        TESTS,
    ),
    (
        "whoever registered a case that nobody owned is party to it",
        OFFLINE,
        'if known and known["registered_by_id"] == person and not owned:',
        "if False:",
        TESTS,
    ),
    (
        "a vote has its act",
        OFFLINE,
        "            if kind in kinds and same and by in actors:\n",
        "            if True:\n",
        TESTS,
    ),
    (
        "a contract in force has the approvals of its seats",
        OFFLINE,
        "        if not seats or wanted - seats:\n",
        "        if False:\n",
        TESTS,
    ),
    (
        "what is older than judging is no finding",
        OFFLINE,
        "before=self.begun is None or breach.entry < self.begun",
        "before=False",
        TESTS,
    ),
    (
        "an exchanged hash is not the recorded one",
        "governance/replay.py",
        "        yield from _secret(table, pk, column, since, using)\n",
        "        yield from ()\n",
        TESTS,
    ),
    (
        "the digests of a person's hashes are not handed out",
        "governance/subject_access.py",
        ' if name != "secrets"',
        "",
        TESTS,
    ),
]
