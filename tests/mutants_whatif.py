"""Defences of trying a rulebook, for `tests.mutants`: name, file, defence, what stands instead, tests."""

FORETOLD = "tests/initiatives/test_foreseeing.py"
DRAFTS = "tests/initiatives/test_views_drafts.py"
FORECASTS = "tests/initiatives/test_views_forecasts.py"

WHATIF = [
    (
        "what is foretold judges again whatever the new rulebook says otherwise",
        "initiatives/foreseeing.py",
        "        differ = {key for key, one in new.requirements.items() if one != old.requirements[key]}",
        "        differ = set()",
        FORETOLD,
    ),
    (
        "a replaced requirement is judged again with its replacement",
        "initiatives/foreseeing.py",
        "if replacement in differ",
        "if False",
        f"{FORETOLD} --rounds 500",
    ),
    (
        "the day of re-attestation is the new rulebook's",
        "initiatives/foreseeing.py",
        "    return replace(facts, reattest_by=standing.reattest_by(case, book))",
        "    return facts",
        f"{FORETOLD} --rounds 500",
    ),
    (
        "two people who edit a draft do not overwrite each other",
        "initiatives/actions/drafts.py",
        "            if moved:\n",
        "            if False:\n",
        f"{DRAFTS} -k two_people",
    ),
    (
        "a draft is loaded as it was seen",
        "initiatives/actions/drafts.py",
        "        if based_on != draft.number:\n            raise Conflict(",
        "        if False:\n            raise Conflict(",
        f"{DRAFTS} -k once_as_it_was_seen",
    ),
    (
        "publishing names only what was foretold of this text",
        "initiatives/actions/rulebooks.py",
        "forecast.digest != rulebook.digest or ",
        "",
        f"{FORECASTS} -k names_only",
    ),
    (
        "what publishing opens is due on the day of grace",
        "initiatives/actions/holds.py",
        "due=grace.until if grace else ",
        "due=",
        f"{FORECASTS} -k from_asking",
    ),
]
