"""What a statement prints is compared: taken away one by one (see mutants.py)."""

FILE, TESTS = "governance/statements.py", "tests/governance/test_statement_coverage.py"

STATEMENTS = [
    (
        "another title, problem, platform or confidentiality stales a vote",
        FILE,
        "        reasons += _case_moved(signed, now)\n",
        "        pass\n",
        TESTS,
    ),
    (
        "an item of proof that says something else stales a vote",
        FILE,
        "        reasons += _proof_moved(book, signed, now, items)\n",
        "        pass\n",
        TESTS,
    ),
]
