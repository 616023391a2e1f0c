"""Where the rules and the plain reading of the shipped rulebook differ, for the same facts at the same moment."""

from governance.gates import criteria
from tests.support.rules import plain_levels


def differences(facts, rulebook, at):
    """Each matter on which the rules and the plain reading differ."""
    judged = criteria.judge(facts, rulebook, at)
    states, found = judged.states, judged.support
    plain = plain_levels.read(facts, rulebook, at)
    for key, state in states.items():
        if state.level != plain.levels[key]:
            yield f"{key} is {state.level or 'at no level'}, read: {plain.levels[key] or 'at no level'}"
    for (key, gate), enough in plain.satisfied.items():
        if states[key].satisfies(gate) != enough:
            yield f"{key} satisfies {gate}: {not enough}, read: {enough}"
    for key, finding in judged.findings.items():
        if finding.state != plain.findings[key]:
            yield f"{key} is {finding.state}, read: {plain.findings[key]}"
    if found.tests != plain.tests:
        yield f"the scale tests are {found.tests}, read: {plain.tests}"
    if found.supported != plain.supported:
        yield f"{found.supported} is supported, read: {plain.supported}"
