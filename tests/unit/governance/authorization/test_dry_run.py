"""Requests answered again by another version: what would change, and what would not."""

from datetime import UTC, datetime

from governance.authorization import decision, dry_run
from governance.contracts.cedar_policies import Policies, Rule, Unreadable
from governance.contracts.clauses import Terms

FRIDAY = datetime(2026, 3, 13, 10, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 15, 10, 0, tzinfo=UTC)
RUNNING = decision.InitiativeCondition("production")


def version(*said) -> decision.Version:
    """A version of these clauses, on trial."""
    rules = [
        Rule(number, kind, Terms(**terms), f"Clause {number}") for number, (kind, terms) in enumerate(said, 1)
    ]
    return dry_run.on_trial(7, "", Policies(rules))


def asked(action="read", outcome="allow", code="allowed", at=FRIDAY, **more) -> dry_run.Asked:
    """One request of the log."""
    evaluation_request = {
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": action},
        "resource": {"type": "record", "id": "1"},
    }
    return dry_run.Asked(at, evaluation_request | more, outcome, code)


MAY_READ = ("autonomy", {"action": "read"})


def test_the_same_version_changes_nothing():
    found = dry_run.replay(
        version(MAY_READ), RUNNING, [asked()] * 3 + [asked("fly", "deny", "unknown_action")]
    )
    assert (found.asked, found.changed, found.changes) == (4, 0, [])
    assert found.outcomes == {("allow", "allow"): 3, ("deny", "deny"): 1}


def test_what_changes_is_grouped_by_action_the_most_frequent_first_with_the_newest_examples():
    tried = version(("human_approval", {"action": "read", "approvers": ("owner",), "minutes": 5}))
    evaluation_requests = [asked("fly", "allow")] + [
        asked(subject={"type": "user", "id": str(n)}) for n in range(5)
    ]
    found = dry_run.replay(tried, RUNNING, iter(evaluation_requests))
    assert [(one.action, one.before, one.after, one.count) for one in found.changes] == [
        ("read", "allow", "needs_approval", 5),
        ("fly", "allow", "deny", 1),
    ]
    examples = found.changes[0].examples
    assert [one.asked.evaluation_request["subject"]["id"] for one in examples] == ["0", "1", "2"]
    assert examples[0].decision.clauses[0].sentence == "Clause 1"
    assert found.changed == 6


def test_each_request_is_answered_at_the_moment_it_was_asked():
    tried = version(("autonomy", {"action": "read", "weekdays": (1, 2, 3, 4, 5)}))
    found = dry_run.replay(tried, RUNNING, [asked(at=FRIDAY), asked(at=SUNDAY)])
    assert found.outcomes == {("allow", "allow"): 1, ("allow", "deny"): 1}
    assert found.changes[0].examples[0].asked.at == SUNDAY


def test_what_a_person_answered_counts_as_a_request_to_a_person():
    tried = version(("human_approval", {"action": "read", "approvers": ("owner",), "minutes": 5}))
    found = dry_run.replay(
        tried,
        RUNNING,
        [
            asked(code="approved"),
            asked(outcome="deny", code="approval_refused"),
            asked(outcome="needs_approval"),
        ],
    )
    assert found.outcomes == {("needs_approval", "needs_approval"): 3}


def test_the_condition_of_the_initiative_is_the_one_that_is_handed_over():
    held = decision.InitiativeCondition("production", held=("A concern",))
    found = dry_run.replay(version(MAY_READ), held, [asked()])
    assert found.changes[0].examples[0].decision.code == "held"
    untested = decision.InitiativeCondition("prototype")
    found = dry_run.replay(version(MAY_READ), untested, [asked()])
    assert found.changes[0].examples[0].decision.code == "outside_test_subjects"
    unreadable = dry_run.on_trial(7, "", Unreadable())
    assert dry_run.replay(unreadable, RUNNING, [asked()]).outcomes == {("allow", "deny"): 1}
