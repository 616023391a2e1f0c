"""What a system of an initiative sends: requests with its key, as a client would."""

import json
import secrets
from datetime import timedelta

from django.test import Client

from governance import clock
from governance.authorization import decision_log
from governance.interaction_log import loading
from governance.interaction_log.intake import interactions
from governance.interaction_log.shape import Interaction as Report
from governance.interaction_log.shape import Kind, Message
from governance.models import Interaction, PolicyDecision


class System:
    """A running system with its key."""

    def __init__(self, token: str = ""):
        self.client, self.token = Client(), token

    def send(self, url: str, body, **headers):
        """Post a body, a text or what becomes JSON; returns the response."""
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        headers.setdefault("content_type", "application/json")
        if self.token:
            headers.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.token}")
        return self.client.post(url, data, **headers)

    def ask(
        self, action: str, *, subject="user:alice", resource="record:record-1", context=None, **properties
    ) -> dict:
        """The decision on one request; properties as subject_role="admin", resource_status="open"."""
        answer = self.send(
            "/access/v1/evaluation", evaluation_request(action, subject, resource, context, **properties)
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    def ask_person(self, asked: dict, answer: dict):
        """The response to an access request about a denied call."""
        context = answer["context"]
        denial = context["access_request"] | {"evaluation_id": context["evaluation_id"]}
        return self.send("/access/v1/requests", asked | {"denial": denial})

    def report(self, body: dict):
        """The response to what came of a decision, or to a heartbeat."""
        return self.send("/access/v1/outcomes", body)

    def ask_all(self, body: dict):
        """The answer to a batch."""
        answer = self.send("/access/v1/evaluations", body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def get(self, url: str):
        """Read an address with the key."""
        return self.client.get(url, HTTP_AUTHORIZATION=f"Bearer {self.token}")


def evaluation_request(
    action: str, subject="user:alice", resource="record:record-1", context=None, **properties
) -> dict:
    """A request as AuthZEN writes it."""
    said: dict[str, dict] = {"subject": {}, "action": {}, "resource": {}}
    for name, value in properties.items():
        part, _, attribute = name.partition("_")
        said[part][attribute] = value
    kind, _, key = subject.partition(":")
    thing, _, name = resource.partition(":")
    body = {
        "subject": {"type": kind, "id": key, "properties": said["subject"]},
        "action": {"name": action, "properties": said["action"]},
        "resource": {"type": thing, "id": name, "properties": said["resource"]},
    }
    return body | ({"context": context} if context is not None else {})


def logged(**filters) -> list[PolicyDecision]:
    """The decisions in the log, oldest first, after what waits was brought over."""
    decision_log.decisions.bring_over()
    return list(PolicyDecision.objects.filter(**filters).order_by("id"))


def reported(initiative, key=None, **fields) -> Interaction:
    """One interaction in the log of the initiative, brought over; what is said of it as the fields of the shape."""
    said = {
        "model": "m-1",
        "input": (Message("user", "How long is it good for?"),),
        "output": (Message("assistant", "Two years."),),
        "subject": "customer 4",
        "started": clock.now(),
        "id": secrets.token_hex(8),
    }
    report = Report(Kind.CALL, **said | fields)
    interactions.keep(
        [report], initiative=initiative.number, key=key, decision_of=lambda text: None, now=clock.now()
    )
    interactions.bring_over()
    loading.loader.bring_orphans(interactions._folder)
    return Interaction.objects.filter(initiative_number=initiative.number).latest("id")


def write(initiative, count: int, *, at=None, key=None, apart: int = 1, **fields) -> None:
    """Put decisions into the log of the initiative, so many seconds apart, the last one at the moment."""
    last = at or clock.now()
    for number in range(count):
        row = {
            "at": (last - timedelta(seconds=apart * (count - 1 - number))).isoformat(),
            "initiative_number": initiative.number,
            "version_number": 1,
            "contract_digest": "",
            "key_id": key.pk if key else None,
            "subject": f"user:{number}",
            "action": "read",
            "resource": f"record:{number}",
            "outcome": "allow",
            "code": "allowed",
            "clauses": [1],
            "reason": f"Number {number}.",
            "request": {"action": {"name": "read"}},
            "request_id": "",
            "approval": None,
            "took_us": 1,
        }
        decision_log.decisions.write(row | fields)
    decision_log.decisions.bring_over()
