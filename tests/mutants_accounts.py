"""Defences of accounts and seats, for `tests.mutants`: name, file, defence, what stands instead, tests."""

SEATS = "governance/migrations/0017_accounts.py"
GUARDS = "initiatives/migrations/0025_accounts.py"
ATTACKS = "tests/attacks/test_accounts.py"

ACCOUNTS = [
    (
        "an approving vote waits",
        "initiatives/permissions.py",
        "        return cooling_off.may_lift(person, memberships_on(case, person, (seat,)))\n    return yes()\n",
        "        return yes()\n    return yes()\n",
        f"{ATTACKS} -k after_a_reset_by_another",
    ),
    (
        "an approving vote waits in the database",
        GUARDS,
        "PERFORM plumbline_cooled_off(NEW.person_id, ARRAY[NEW.seat::text], unit, NEW.at);",
        "NULL;",
        f"{ATTACKS} -k in_its_first_day_unless",
    ),
    (
        "an approving decision waits",
        "initiatives/actions/reviews.py",
        "(permissions.may_raise if rises else permissions.may_chair)(case, by).or_refuse()",
        "permissions.may_chair(case, by).or_refuse()",
        f"{ATTACKS} -k a_chair_in_the_first_day",
    ),
    (
        "the wait is measured by the database",
        SEATS,
        "least(said, plumbline_rule_time(said))",
        "least(said, said)",
        f"{ATTACKS} -k name_a_later_moment",
    ),
    (
        "no seat begins before it is granted, in the database",
        SEATS,
        "NEW.starts_at < moment - interval '10 minutes'",
        "false",
        f"{ATTACKS} -k before_the_day_it_is_granted",
    ),
    (
        "whoever granted a seat does not confirm it",
        "governance/permissions.py",
        "if person.pk in (membership.person_id, membership.granted_by_id):",
        "if False:",
        f"{ATTACKS} -k admin_of_more_than_a_day",
    ),
    (
        "a password by a link of somebody else waits",
        "governance/links.py",
        "waits = made_by_another or changed is not None",
        "waits = False",
        f"{ATTACKS} -k after_a_reset_by_another",
    ),
    (
        "a changed address waits a day",
        "governance/links.py",
        "if end - since >= cooling_off.LASTS",
        "if True",
        f"{ATTACKS} -k changed_address_waits",
    ),
    (
        "tries of one purpose count for no other",
        "governance/throttle.py",
        "tries = SignInAttempt.objects.filter(purpose=purpose)",
        "tries = SignInAttempt.objects.all()",
        f"{ATTACKS} -k purposes_of_tries",
    ),
    (
        "a known browser has tries of its own",
        "governance/throttle.py",
        "        return enter_try(known, purpose=KNOWN)\n",
        "        pass\n",
        f"{ATTACKS} -k kept_out_by_nobody",
    ),
    (
        "an unknown link writes no session",
        "governance/views/account.py",
        "    if links.find(token) is not None:\n",
        "    if True:\n",
        f"{ATTACKS} -k unknown_link",
    ),
    (
        "a role that ended opens nothing",
        "initiatives/visibility.py",
        "roles = RoleAssignment.objects.open()",
        "roles = RoleAssignment.objects.filter(declined_at__isnull=True)",
        f"{ATTACKS} -k opens_nothing",
    ),
    (
        "who owes something reads what it is about",
        "initiatives/visibility.py",
        "    own |= Q(pk__in=owed_by(person))\n",
        "",
        f"{ATTACKS} -k what_is_owed",
    ),
]
