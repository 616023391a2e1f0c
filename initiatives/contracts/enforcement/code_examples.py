"""Code examples for connecting a system: a request to the contract, its answers.

The functions are pure and take the binding clauses and the scope.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from governance.authorization import authzen, decision, deployment_decision
from governance.contracts import subject_patterns
from governance.contracts.cedar_policies import Rule
from governance.contracts.clauses import FAILURE, GROUPS, NUMERIC, RESOURCE_ID, Terms, Test
from governance.vocabulary import DecisionOutcome, Stage

# What is answered instead of a decision, by HTTP status: whatever it is, nothing is allowed.
STATUSES = {
    400: "The body is not a request of this API. The answer is a sentence that names the problem.",
    401: "The key is missing, wrong, expired or revoked.",
    403: "The key does not have the scope for this request.",
    404: "This key has no initiative, decision or access request with this id.",
    405: "The method is not allowed. The header Allow names the allowed method.",
    409: "The report contradicts the decision, or an earlier report.",
    410: "The denial or the access request has expired. Send the evaluation again.",
    413: "The request is too long. Send less at once.",
    415: "Send an access request as application/json, without a Content-Encoding.",
    429: "This key sent too many requests, or this address sent too many wrong keys. Wait for Retry-After.",
    500: "Plumbline could not answer. The error message contains a reference for an administrator.",
    503: "Plumbline cannot reach its database. Send the request again after the time in the header Retry-After.",
    507: "The disk of Plumbline is full. Tell an administrator.",
}
# Every code that a decision may carry: those of the contract, and those of what people answered.
CODES = (
    decision.CODES
    | deployment_decision.CODES
    | {
        "approved": (DecisionOutcome.ALLOW, "A person approved exactly this call. The approval is now used."),
        "approval_waiting": (
            DecisionOutcome.DENY,
            "The request for approval has no answer yet: the call came too early.",
        ),
        "approval_refused": (DecisionOutcome.DENY, "An approver refused the call."),
        "approval_expired": (
            DecisionOutcome.DENY,
            "No one answered in time, or the call came too late. Ask again.",
        ),
        "approval_used": (
            DecisionOutcome.DENY,
            "The approval was already used. An approval is valid for one call.",
        ),
        "approval_unknown": (DecisionOutcome.DENY, "This system has no approval with this id."),
        "approval_for_other_arguments": (
            DecisionOutcome.DENY,
            "The call differs from the approved call. Ask again.",
        ),
        "approval_for_other_terms": (
            DecisionOutcome.DENY,
            "The contract now asks for a different approval. Ask again.",
        ),
        "approval_lapsed": (
            DecisionOutcome.DENY,
            "A person who approved the call has left or no longer has the role. Ask again.",
        ),
        "unavailable": (
            DecisionOutcome.DENY,
            "Plumbline cannot reach its database, so it denies every request. Ask again.",
        ),
    }
)
PARTS = ("subject", "action", "resource", "context")
MOST_LINES = 50
LINE = 80  # of code, before an object is written over several lines


@dataclass(frozen=True)
class Bound:
    """One value that a request has to state: its place, and the values allowed."""

    name: str
    words: str
    values: tuple[str, ...]


def bounds(condition: decision.InitiativeCondition, rules: Iterable[Rule]) -> list[Bound]:
    """Return what every request has to state, because scope or contract bounds it."""
    found = []
    if condition.stage == Stage.PROTOTYPE and condition.bound:
        words = "Test subject of the prototype (* for any characters)"
        found.append(Bound("subject, as type:id", words, _sorted(condition.bound.test_subjects)))
    if condition.stage == Stage.MVP and condition.bound:
        for words, part, name, allowed in condition.bound.limits:
            words = f"{words.capitalize()} in the scope of the MVP"
            found.append(Bound(f"{part}.properties.{name}", words, _sorted(allowed)))
    rules = list(rules)
    people = {one for rule in rules if rule.kind == "audience" for one in rule.terms.audience}
    regions = {one for rule in rules if rule.kind == "residency" for one in rule.terms.regions}
    found.append(Bound("subject, or subject.properties.groups", "Audience of the contract", _sorted(people)))
    found.append(Bound("context.region", "Regions of the data", _sorted(regions)))
    return [one for one in found if one.values]


def _sorted(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(values))


def _tester(names: list[str], people: Iterable[str], condition: decision.InitiativeCondition) -> str:
    """Return the test subject of a prototype's example, one from the contract first."""
    if condition.stage != Stage.PROTOTYPE or not condition.bound:
        return ""
    declared = condition.bound.test_subjects
    named = next((one for one in names if subject_patterns.fits(declared, one)), "")
    only_named = bool(list(people)) and all(":" in one for one in people)
    return named or ("" if only_named else next(iter(declared), "").replace("*", "1"))


def example(rules: Iterable[Rule], condition: decision.InitiativeCondition) -> dict:
    """Return a request in the contract's words, for its first clause on an action.

    It has all that the clauses about this action compare, so that none of them applies because something is missing.
    """
    rules = list(rules)
    first = next((rule for rule in rules if rule.terms.action and rule.kind == "autonomy"), None)
    first = first or next((rule for rule in rules if rule.terms.action), None)
    terms = first.terms if first else Terms(action="read")
    bounding = [rule.terms for rule in rules if rule.kind in ("audience", "residency")]
    people = terms.audience or next((one.audience for one in bounding if one.audience), ())
    regions = next((one.regions for one in bounding if one.regions), ())
    names = [one for one in people if ":" in one] or ["user:alice"]
    name = _tester(names, people, condition) or names[0]
    kind, _, key = name.partition(":")
    said: dict[str, dict] = {"subject": {}, "action": {}, "resource": {}, "context": {}}
    groups = [one for one in people if ":" not in one]
    if groups and name not in people:
        said["subject"]["groups"] = groups[:1]
    if terms.amounts:
        amount = terms.up_to if terms.up_to is not None else terms.over + 1
        said["action"] |= {"amount": amount, "currency": terms.currency}
    if terms.most is not None:
        said["action"]["count"] = 1
    for one in terms.tests:
        said[one.of].setdefault(one.name, _met(one))
    for rule in rules:
        if rule is not first and rule.kind != "autonomy" and rule.terms.action in ("", terms.action):
            _state(said, rule.terms)
    thing = said["resource"].pop("id", "4711")
    if regions:
        said["context"]["region"] = regions[0]
    if condition.stage == Stage.MVP and condition.bound:
        for _, part, attribute, values in condition.bound.limits:
            said[part][attribute] = sorted(values)[0]
    evaluation_request = {
        "subject": {"type": kind, "id": key},
        "action": {"name": terms.action},
        "resource": {"type": terms.resource or "record", "id": thing},
    }
    for part, properties in said.items():
        if properties and part == "context":
            evaluation_request["context"] = properties
        elif properties:
            evaluation_request[part]["properties"] = properties
    return evaluation_request


def _met(one: Test) -> str | int:
    """Return a value with which the condition holds."""
    if isinstance(one.value, tuple):
        return one.value[0]
    return _other(one.value) if one.how == "differs" else one.value


def _other(value: str | int) -> str | int:
    """Return a value of the same type that is not this one."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else f"not {value}"


def _state(said: dict[str, dict], terms: Terms) -> None:
    """Add what a restricting clause compares and the request does not state, if possible so that it does not apply."""
    if any(attribute == GROUPS for attribute, _ in terms.compared):
        said["subject"].setdefault("groups", [])
    if terms.amounts:
        amount = terms.over if terms.over is not None else (terms.up_to or 0) + 1
        said["action"].setdefault("amount", amount)
        said["action"].setdefault("currency", terms.currency)
    if terms.most is not None:
        said["action"].setdefault("count", terms.most + 1)
    for one in terms.tests:
        if one.attribute in (FAILURE, RESOURCE_ID):
            continue
        if isinstance(one.value, tuple):
            value: str | int = f"not {one.value[0]}"
        elif one.how in NUMERIC:
            value = int(one.value) + (1 if one.how == "at_most" else -1)
        else:
            value = one.value if one.how == "differs" else _other(one.value)
        said[one.of].setdefault(one.name, value)


# --- The example as code ---------------------------------------------------------------------------------------------


def as_curl(address: str, evaluation_request: dict) -> str:
    """Return the request for a shell. The environment has the key."""
    return f"""curl --silent --show-error --max-time 2 \\
  --header "Authorization: Bearer $PLUMBLINE_KEY" \\
  --header "Content-Type: application/json" \\
  --data @- {address}/access/v1/evaluation <<'REQUEST'
{_json(evaluation_request)}
REQUEST"""


def as_http(address: str, evaluation_request: dict) -> str:
    """Return the request as raw HTTP, for any language."""
    there = urlsplit(address)
    return f"""POST {there.path}/access/v1/evaluation HTTP/1.1
Host: {there.netloc}
Authorization: Bearer plk_...
Content-Type: application/json

{_json(evaluation_request)}"""


def as_outcome(address: str) -> str:
    """Return the shell command that reports the outcome of an allowed call."""
    return f"""curl --silent --show-error --max-time 2 \\
  --header "Authorization: Bearer $PLUMBLINE_KEY" \\
  --header "Content-Type: application/json" \\
  --data '{{"decision": "<context.id of the answer>", "outcome": "done"}}' \\
  {address}/access/v1/outcomes"""


def as_deployment(address: str, stage: str, version: str) -> str:
    """Return the shell commands of a pipeline that asks before it deploys, and keeps the attestation."""
    evaluation_request = {
        "subject": {"type": "pipeline", "id": "release"},
        "action": {"name": deployment_decision.ACTION, "properties": {"stage": stage, "version": version}},
        "resource": {"type": deployment_decision.RESOURCE, "id": f"sha256:{'0' * 64}"},
    }
    return f"""curl --silent --show-error --fail --max-time 30 --output answer.json \\
  --header "Authorization: Bearer $PLUMBLINE_KEY" \\
  --header "Content-Type: application/json" \\
  --data @- {address}/access/v1/evaluation <<'REQUEST'
{_json(evaluation_request)}
REQUEST
jq --raw-output '.context.reason' answer.json
curl --silent --show-error --fail --max-time 30 --output attestation.json \\
  --header "Authorization: Bearer $PLUMBLINE_KEY" \\
  "{address}$(jq --raw-output '.context.attestation' answer.json)"
jq --exit-status '.decision' answer.json"""


def as_telemetry(address: str, key: str = "plk_…") -> str:
    """Return the settings with which an OpenTelemetry SDK reports here, in one line."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"{address}/otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{key}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
        "AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED": "true",
        "TRACELOOP_TRACE_CONTENT": "true",
    }
    return " ".join(f"{name}={value}" for name, value in settings.items())


def as_interaction(address: str) -> str:
    """Return a curl command that sends one interaction, for systems without telemetry."""
    said = {
        "at": "2026-11-22T09:30:00Z",
        "input": "How long is it good for?",
        "output": "Two years.",
        "model": "m-1",
        "subject": "customer 4",
        "decision": "context.id of the answer",
    }
    return (
        f"curl {address}/access/v1/interactions -H 'Authorization: Bearer plk_…' \\\n"
        f"  -H 'Content-Type: application/x-ndjson' -d '{json.dumps(said)}'"
    )


def as_python(address: str, evaluation_request: dict) -> str:
    """Return code for the client that is downloaded from the page as plumbline.py."""
    parts = ["subject", "action", "resource", *(["context"] if "context" in evaluation_request else [])]
    action = evaluation_request["action"]
    said = evaluation_request | {"action": action["name"] if len(action) == 1 else action}
    arguments = "\n".join(f"    {part}={_literal(said[part], 4)}," for part in parts)
    return f"""import os

from plumbline import Plumbline

plumbline = Plumbline({_literal(address)}, os.environ["PLUMBLINE_KEY"])
decision = plumbline.ask(
{arguments}
)
if decision.needs_approval:
    decision = plumbline.wait_for_approval(decision, timeout=600)
if decision.allowed:
    print("go on, with exactly these arguments")
    plumbline.outcome(decision, "done")  # or "failed"; "undone" if it is taken back later
else:
    print(decision.reason)"""


def _literal(value, indent: int = 0) -> str:
    """Return a value as Python writes it, long objects over several lines."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(_literal(one) for one in value)}]"
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    parts = [f"{_literal(name)}: {_literal(one, indent + 4)}" for name, one in value.items()]
    short = f"{{{', '.join(parts)}}}"
    if indent + len(short) <= LINE and "\n" not in short:
        return short
    within = " " * (indent + 4)
    return "{\n" + "".join(f"{within}{part},\n" for part in parts) + " " * indent + "}"


def _json(evaluation_request: dict) -> str:
    return json.dumps(evaluation_request, indent=2, ensure_ascii=False)


# --- A request as it is typed ----------------------------------------------------------------------------------------


def evaluation_request_of(*, subject: str, action: str, resource: str, properties: str) -> dict:
    """Return a request from form fields, checked as by the API. Raises authzen.BadRequest.

    The fields `subject` and `resource` are "type:id". `properties` has one a line, such as subject.department=Sales.
    """
    body: dict = {"action": {"name": action}}
    for part, text in (("subject", subject), ("resource", resource)):
        kind, _, key = text.partition(":")
        if not key:
            raise authzen.BadRequest(f"Write the {part} as type:id, for example user:alice or record:4711.")
        body[part] = {"type": kind, "id": key}
    lines = [line.strip() for line in properties.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise authzen.BadRequest(f"You can enter at most {MOST_LINES} properties. Remove some.")
    for line in lines:
        name, equals, value = line.partition("=")
        part, _, attribute = name.strip().partition(".")
        if not equals or part not in PARTS or not attribute:
            raise authzen.BadRequest(
                f"“{line[:80]}” is not a property. Write name=value, with a name that begins with subject., "
                "action., resource. or context."
            )
        told = (
            body.setdefault("context", {}) if part == "context" else body[part].setdefault("properties", {})
        )
        told[attribute] = _value(f"{part}.{attribute}", value.strip())
    return authzen.evaluation_request(authzen.read(json.dumps(body).encode()))


def _value(name: str, text: str):
    """Return numbers and truth values as their types, groups as a list, else text."""
    if name == "subject.groups":
        return [one.strip() for one in text.split(",") if one.strip()]
    if text in ("true", "false"):
        return text == "true"
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else text


def as_lines(evaluation_request: dict) -> str:
    """Return the properties of a request as they are typed."""
    found = []
    for part in PARTS:
        told = (
            evaluation_request.get(part, {})
            if part == "context"
            else evaluation_request[part].get("properties", {})
        )
        found += [f"{part}.{name}={_typed(value)}" for name, value in told.items()]
    return "\n".join(found)


def _typed(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)


def as_alert_senders(address: str, key: str = "plk_…") -> dict[str, str]:
    """Return the settings that send alerts here with this key, by kind of monitoring."""
    place = f"{address}/adoption/v1/alerts"
    said = {
        "id": "disk-7",
        "rule": "DiskFull",
        "severity": "critical",
        "state": "firing",
        "started": "2026-11-20T10:00:00Z",
        "summary": "Disk 7 is full",
    }
    header = f"-H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
    return {
        "Alertmanager": (
            "receivers:\n"
            "  - name: plumbline\n"
            "    webhook_configs:\n"
            f"      - url: {place}\n"
            "        send_resolved: true\n"
            "        max_alerts: 500\n"
            "        http_config:\n"
            "          authorization:\n"
            "            type: Bearer\n"
            f"            credentials: {key}\n"
        ),
        "Azure Monitor": (
            "az monitor action-group create --resource-group <resource group> --name plumbline \\\n"
            f"  --action webhook plumbline {place}/{key} usecommonalertschema\n"
        ),
        "another sender": (
            f"curl {place} {header} \\\n  -d '{json.dumps({'alerts': [said]})}'\n\n"
            f"curl {place} {header} \\\n  -d '{json.dumps({'heartbeat': True})}'\n"
        ),
    }
