"""The tools of agents: they read initiatives and tasks, offer evidence and draft answers.

A tool that reads is an address of the read API, with its parameters, permissions and scopes. A tool that drafts keeps a
draft of the person who owns the token. No tool signs, verifies, decides or moves a stage (ADR 92).
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, QueryDict
from django.urls import resolve
from ninja import Schema
from pydantic import ConfigDict, Field
from pydantic import ValidationError as WrongArguments

from adoption.read_api import api as read_api
from adoption.read_api.api import page_at
from governance.models import ApiToken, Rulebook
from governance.models.sign_in import DRAFT, READ_INITIATIVES, READ_TASKS
from governance.permission_result import Refused, no
from governance.vocabulary import EvidenceKind, strict_json
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access.initiative_lookup import initiative_for
from initiatives.lifecycle.evidence import artefact_kinds
from initiatives.lifecycle.evidence.actions import check_evidence
from initiatives.lifecycle.evidence.forms import added_kinds
from initiatives.lifecycle.requirements.actions import draft_by_program
from initiatives.models import Answer, AnswerDraft, Initiative

LONGEST = 10_000  # characters of one text
LIKE = {bool: "boolean", int: "integer", str: "string"}


class ToolRefused(Exception):
    """The tool refused. The message has the reason and the fix."""


@dataclass(frozen=True)
class Tool:
    """A tool of agents. `run` returns plain values. Raises ToolRefused."""

    name: str
    words: str
    scope: str
    schema: Callable[[], dict]
    run: Callable[[HttpRequest, ApiToken, dict], dict]

    def listed(self) -> dict:
        """Return the tool as `tools/list` has it."""
        reads = self.scope != DRAFT
        return {
            "name": self.name,
            "description": self.words,
            "inputSchema": self.schema(),
            "annotations": {"readOnlyHint": reads, "destructiveHint": False, "openWorldHint": False},
        }


def call(tool: Tool, request: HttpRequest, token: ApiToken, arguments: dict) -> dict:
    """Return what the tool answers. Raises ToolRefused."""
    if not token.allows(tool.scope):
        raise ToolRefused(
            f"This token does not have the scope {tool.scope}. Its owner can make a token that has it, under Your "
            "account."
        )
    if hidden := strict_json.hidden_text(arguments):
        raise ToolRefused(f"{hidden[0] or 'An argument'}: {hidden[1]}")
    try:
        return tool.run(request, token, arguments)
    except Refused as refused:
        raise ToolRefused(str(refused.answer)) from None
    except Http404 as missing:
        raise ToolRefused(str(missing) or "The initiative does not exist, or you cannot see it.") from None
    except ValidationError as wrong:
        raise ToolRefused(_sentences(wrong)) from None
    except WrongArguments as wrong:
        first = wrong.errors()[0]
        named = ".".join(map(str, first["loc"])) or "arguments"
        raise ToolRefused(f"The argument “{named}” is wrong. {first['msg'].rstrip('.')}.") from None


def _sentences(wrong: ValidationError) -> str:
    said = wrong.message_dict if hasattr(wrong, "error_dict") else {"": wrong.messages}
    return " ".join(
        f"{name}: {sentence}" if name else sentence for name, words in said.items() for sentence in words
    )


# --- Reading ---------------------------------------------------------------------------------------------------------


@cache
def _operation(name: str) -> tuple[str, dict]:
    """Return the address of an endpoint of the read API with its places, and its description."""
    return next(
        (address, methods["get"])
        for address, methods in read_api.document()["paths"].items()
        if methods["get"]["operationId"] == name
    )


def _parameters(operation: str) -> dict:
    """Return the JSON Schema of the parameters of an endpoint."""
    said = _operation(operation)[1]["parameters"]
    return {
        "type": "object",
        "properties": {
            one["name"]: {
                "type": one["schema"].get("type", "string"),
                "description": one.get("description", "Reference of the initiative, for example AI-42"),
            }
            for one in said
        },
        "required": [one["name"] for one in said if one["in"] == "path"],
        "additionalProperties": False,
    }


def _reads(operation: str) -> Callable[[HttpRequest, ApiToken, dict], dict]:
    """Return a function that asks the read API, as its caller would with the same token."""

    def run(request: HttpRequest, token: ApiToken, arguments: dict) -> dict:
        address, said = _operation(operation)
        schema = _parameters(operation)
        places = {one["name"] for one in said["parameters"] if one["in"] == "path"}
        if missing := places - arguments.keys():
            raise ToolRefused(f"The argument “{sorted(missing)[0]}” is missing.")
        query: dict[str, str] = {}
        for name, value in arguments.items():
            if name not in schema["properties"]:
                raise ToolRefused(
                    f"The argument “{name[:40]}” does not exist here. Use: {', '.join(schema['properties'])}."
                )
            asked = schema["properties"][name]["type"]
            if LIKE.get(type(value)) != asked:
                raise ToolRefused(f"The argument “{name}” is not a JSON {asked}.")
            if name not in places:
                query[name] = str(value).lower() if value in (True, False) else str(value)
            elif "/" in value or not value:
                raise ToolRefused(f"The argument “{name}” is not a reference. Use one like AI-42.")
            else:
                address = address.replace(f"{{{name}}}", value)
        asked_of = copy.copy(request)
        asked_of.method, asked_of.path, asked_of.path_info = "GET", address, address
        asked_of.GET = QueryDict(urlencode(query))
        found = resolve(address)
        answer = found.func(asked_of, *found.args, **found.kwargs)
        body = json.loads(answer.content)
        if answer.status_code != 200:
            raise ToolRefused(body["error"])
        return body

    return run


# --- Drafting --------------------------------------------------------------------------------------------------------


class OfRequirement(Schema):
    """The requirement of a draft."""

    model_config = ConfigDict(extra="forbid")

    initiative: str = Field(description="Reference of the initiative, for example AI-42", max_length=40)
    requirement: str = Field(description="Key of the requirement, from list_requirements", max_length=60)


class DraftedAnswer(OfRequirement):
    """The arguments of `draft_answer`."""

    text: str = Field(description="The answer, in plain sentences", min_length=1, max_length=LONGEST)
    kind: Literal["answered", "no", "not_applicable"] = Field(
        "answered", description="answered for yes, no for not yet, not_applicable with the reason in text"
    )


class OfferedEvidence(OfRequirement):
    """The arguments of `offer_evidence`."""

    kind: str = Field(description="Kind of evidence, for example test_report or document", max_length=40)
    title: str = Field(
        description="Title with the subject and the time that the item shows", min_length=1, max_length=200
    )
    link: str = Field(
        description="Address where people can open the evidence", pattern="^https?://", max_length=1000
    )
    observed_on: date = Field(description="Day on which it was observed. The age counts from this day")
    result: str = Field("", description="pass, partial or fail, of kinds with a result", max_length=20)
    condition: str = Field("", description="Test condition, of kinds with one", max_length=20)
    note: str = Field("", description="Period, query and sample", max_length=LONGEST)
    details: dict[str, str] = Field(
        default_factory=dict, description="Fields of the kind. A refusal names those that are missing"
    )


def draft_answer(request: HttpRequest, token: ApiToken, arguments: dict) -> dict:
    """Keep an answer as a draft of the owner of the token."""
    given = DraftedAnswer(**arguments)
    initiative = initiative_for(token.owner, given.initiative)
    saved = Answer.objects.filter(initiative=initiative, requirement=given.requirement).first()
    fields = {"kind": given.kind, "text": given.text, "based_on": str(saved.version if saved else 0)}
    return _kept(
        draft_by_program(initiative=initiative, requirement=given.requirement, fields=fields, token=token)
    )


def offer_evidence(request: HttpRequest, token: ApiToken, arguments: dict) -> dict:
    """Keep an item of evidence as a draft of the owner of the token, once it has the form that its kind needs."""
    given = OfferedEvidence(**arguments)
    initiative = initiative_for(token.owner, given.initiative)
    rulebook = Rulebook.objects.current().parsed
    if given.kind not in added_kinds(rulebook):
        no(
            phrase("The kind “{}” cannot be offered.", given.kind),
            phrase("Use one of: {}.", ", ".join(added_kinds(rulebook))),
        ).or_refuse()
    known = [one.name for one in artefact_kinds.FORMS.get(given.kind, ())]
    if unknown := sorted(given.details.keys() - known):
        no(
            phrase("A {} has no field “{}”.", label(EvidenceKind(given.kind).label, inside=True), unknown[0]),
            phrase("Use: {}.", ", ".join(known)) if known else "Leave details out.",
        ).or_refuse()
    details = {one.name: one.usual for one in artefact_kinds.FORMS.get(given.kind, ())} | given.details
    result = given.result
    if not result and not artefact_kinds.check(given.kind, details):
        result = artefact_kinds.result_of(given.kind, details)
    if wrong := check_evidence(
        initiative,
        kind=given.kind,
        title=given.title,
        observed_on=given.observed_on,
        covers=[given.requirement],
        result=result,
        condition=given.condition,
        link=given.link,
        note=given.note,
        details=details,
    ):
        raise ValidationError({name.removeprefix(f"{given.kind}_"): said for name, said in wrong.items()})
    fields = {
        "source": "link",
        "kind": given.kind,
        "title": given.title,
        "link": given.link,
        "observed_on": given.observed_on.isoformat(),
        "result": result,
        "condition": given.condition,
        "note": given.note,
    } | {f"{given.kind}_{name}": value for name, value in details.items()}
    prefixed = {f"evidence-{name}": value for name, value in fields.items()}
    return _kept(
        draft_by_program(initiative=initiative, requirement=given.requirement, fields=prefixed, token=token)
    )


def _kept(draft: AnswerDraft) -> dict:
    initiative: Initiative = draft.initiative
    return {
        "draft": True,
        "waits_for": draft.person.full_name,
        "page": page_at(f"{initiative.get_absolute_url()}requirements/{draft.requirement}/"),
    }


def _schema(arguments: type[Schema]) -> Callable[[], dict]:
    return cache(lambda: arguments.model_json_schema())


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "list_initiatives",
            "List the initiatives that your person may see, with approved and supported stage.",
            READ_INITIATIVES,
            lambda: _parameters("initiatives"),
            _reads("initiatives"),
        ),
        Tool(
            "read_initiative",
            "Read one initiative: stages, people, gaps, scale tests and numbers of open requirements.",
            READ_INITIATIVES,
            lambda: _parameters("initiative"),
            _reads("initiative"),
        ),
        Tool(
            "list_requirements",
            "List the requirements of an initiative with their answers, levels and whom each waits for.",
            READ_INITIATIVES,
            lambda: _parameters("requirements"),
            _reads("requirements"),
        ),
        Tool(
            "list_tasks",
            "List the open tasks of your person, as their inbox has them.",
            READ_TASKS,
            lambda: _parameters("tasks"),
            _reads("tasks"),
        ),
        Tool(
            "draft_answer",
            "Draft the answer to a requirement. Nothing is saved until your person has checked and saved the draft.",
            DRAFT,
            _schema(DraftedAnswer),
            draft_answer,
        ),
        Tool(
            "offer_evidence",
            "Offer a link as evidence for a requirement. It counts only after your person has checked and saved it.",
            DRAFT,
            _schema(OfferedEvidence),
            offer_evidence,
        ),
    )
}
