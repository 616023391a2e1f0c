"""What keeps those who answer a pulse unknown: taken away one by one (see mutants.py)."""

ATTACKS = "tests/adoption/test_pulse_attacks.py"
ANSWERS = "tests/adoption/test_pulse_answers.py"
TOTALS = "tests/adoption/test_pulse_totals.py"
OWNER = "tests/adoption/test_pulses.py"

PULSES = [
    (
        "nothing is published under five answers",
        "adoption/pulse_totals.py",
        "    if sum(answered.values()) < LEAST:\n        return None\n",
        "",
        f"{ATTACKS}::test_under_five_answers_nothing_shows_what_was_said_open_or_closed",
    ),
    (
        "no figure of a question under five answers",
        "adoption/pulse_totals.py",
        "    if n < LEAST:\n        return None\n",
        "    if n < 2:\n        return None\n",
        TOTALS,
    ),
    (
        "small teams are put together",
        "adoption/pulse_totals.py",
        "    if small and sum(counts[team] for team in small) < least:\n        small.append(large.pop(0))\n",
        "",
        TOTALS,
    ),
    (
        "an invitation is taken",
        "adoption/answering.py",
        "        if taken != 1:\n            return False\n",
        "",
        f"{ATTACKS}::test_nobody_answers_twice",
    ),
    (
        "the lock on the box",
        "adoption/answering.py",
        '            AnswerBox.objects.select_for_update(of=("self",))\n            .select_related',
        "            AnswerBox.objects.select_related",
        "tests/races/test_pulses.py::test_none_is_lost_and_none_counts_twice",
    ),
    (
        "comments are shuffled in the box",
        "adoption/answering.py",
        "        secrets.SystemRandom().shuffle(box.comments)\n",
        "",
        f"{ATTACKS}::test_comments_and_links_are_in_no_order_of_their_making",
    ),
    (
        "invitations are inserted in random order",
        "adoption/actions/pulses.py",
        "    chance.shuffle(made)\n    return [",
        "    return [",
        f"{ATTACKS}::test_comments_and_links_are_in_no_order_of_their_making",
    ),
    (
        "what is left in the box is thrown away",
        "adoption/actions/pulses.py",
        "        box.delete()\n",
        "",
        f"{ATTACKS}::test_under_five_answers_nothing_shows_what_was_said_open_or_closed",
    ),
    (
        "cookies are taken off before anybody reads them",
        "governance/middleware.py",
        '        request.META.pop("HTTP_COOKIE", None)\n',
        "",
        f"{ANSWERS}::test_whoever_is_signed_in_stays_unknown",
    ),
    (
        "two pulses are weeks apart",
        "adoption/permissions/pulses.py",
        "APART = timedelta(days=28)",
        "APART = timedelta(0)",
        f"{OWNER}::test_two_pulses_are_never_so_near_that_one_could_be_taken_from_the_other",
    ),
    (
        "guesses are slowed down",
        "adoption/answering.py",
        "        raise Guessed(until)\n",
        "        pass\n",
        f"{ANSWERS}::test_guesses_are_slowed_down_and_right_links_leave_no_try",
    ),
]
