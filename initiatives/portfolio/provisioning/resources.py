"""SCIM resources of accounts and groups: only the fields that Plumbline uses.

The schemas are those of RFC 7643 and 7644 in scim2-models. Directories send undeclared fields too (telephone numbers,
job titles). They are ignored and not stored.
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urljoin

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    InvalidValueException,
    Meta,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from governance.models import ManagedAccount, ManagedGroup
from governance.models import User as Person

MOST = 200  # resources a page
LONGEST_EXTERNAL_ID = ManagedAccount._meta.get_field("external_id").max_length or 0
LONGEST_NAME = Person._meta.get_field("full_name").max_length or 0
ROOT = "/scim/v2/"


class Name(ComplexAttribute):
    """The parts of a name. They make the whole if a directory sends no `displayName`."""

    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class Address(ComplexAttribute):
    """An email address. The primary, or else the first, is the address of the account."""

    value: str | None = None
    type: str | None = None
    primary: bool | None = None


class InGroup(ComplexAttribute):
    """A group that the account is in."""

    value: Annotated[str | None, Mutability.read_only] = None
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.read_only] = None


class Member(ComplexAttribute):
    """An account that is in a group. It has no type, because groups in groups are not kept."""

    value: Annotated[str | None, Mutability.immutable] = None
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )


class Manager(ComplexAttribute):
    """Whom the person reports to, by the id of an account of the same directory."""

    value: Annotated[str | None, CaseExact.true] = None
    display_name: Annotated[str | None, Mutability.read_only] = None


class Enterprise(Extension):
    """The enterprise schema: the manager, who counts for the separation of duties."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    manager: Manager | None = None


class User(Resource[Any]):
    """An account."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    emails: list[Address] | None = None
    active: bool | None = None
    groups: Annotated[list[InGroup] | None, Mutability.read_only] = None


class Group(Resource[Any]):
    """A group of accounts."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


Account: Any = User.__class_getitem__(Enterprise)  # composed as it runs

CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Key of the directory",
            description="The key that an admin made for this directory, as Authorization: Bearer.",
            primary=True,
        )
    ],
)
# Directories depart from the standard in known ways: attributes nobody asked for, removals that name a value.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER = ScimProvider(
    models=[User, Enterprise, Group],
    resource_types=[ResourceType.from_resource(Account), ResourceType.from_resource(Group)],
    config=CONFIG,
    policy=POLICY,
)


def etag(version: int) -> str:
    """Return the version of a resource as its ETag."""
    return f'W/"{version}"'


def account_of(row: ManagedAccount, base: str, *, with_names: bool = True) -> Resource:
    """Return the SCIM resource of an account. `base` is the address of SCIM here.

    `with_names=False` omits the manager's name, which is derived: a directory cannot write it.
    """
    said, person = row.said, row.person
    manager = getattr(person.manager, "managed", None) if person.manager_id else None
    found = Account(
        id=str(row.uid),
        external_id=row.external_id or None,
        user_name=row.user_name,
        name=Name(**said["name"]) if said.get("name") else None,
        display_name=said.get("display_name"),
        emails=[Address(**one) for one in said.get("emails") or []] or None,
        active=None if said.get("active_removed") else person.is_active,
        groups=[
            InGroup(
                value=str(one.group.uid),
                ref=Reference(urljoin(base, f"Groups/{one.group.uid}")),
                display=one.group.display_name,
            )
            for one in row.memberships.all()
        ]
        or None,
        meta=_meta("User", row, base),
    )
    if manager is not None and manager.directory_id == row.directory_id and manager.removed_at is None:
        named = Manager(value=str(manager.uid), display_name=str(person.manager) if with_names else None)
        found[Enterprise] = Enterprise(manager=named)
    elif said.get("manager"):
        found[Enterprise] = Enterprise(manager=Manager(value=said["manager"]))
    return found


def group_of(row: ManagedGroup, base: str) -> Resource:
    """Return the SCIM resource of a group."""
    return Group(
        id=str(row.uid),
        external_id=row.external_id or None,
        display_name=row.display_name,
        members=[
            Member(
                value=str(one.account.uid),
                ref=Reference(urljoin(base, f"Users/{one.account.uid}")),
            )
            for one in row.memberships.all()
        ]
        or None,
        meta=_meta("Group", row, base),
    )


def _meta(kind: str, row, base: str) -> Meta:
    return Meta(
        resource_type=kind,
        created=_whole(row.made_at),
        last_modified=_whole(row.changed_at),
        location=urljoin(base, f"{kind}s/{row.uid}"),
        version=etag(row.version),
    )


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


# --- Values in a resource that a directory sent ---------------------------------------------------------------------


def login_in(user_name: str) -> str:
    """Return the user name. Raises InvalidValueException if it cannot be one here."""
    field = Person._meta.get_field("login")
    try:
        field.run_validators(user_name)  # its length too
    except ValidationError as wrong:
        words = " ".join(wrong.messages)
        raise InvalidValueException(
            detail=f"userName {user_name[:100]!r} cannot be a user name here: {words}"
        ) from None
    return user_name


def full_name_in(said: Any) -> str:
    """Return the name that the account shows. Raises InvalidValueException."""
    name = said.name
    parts = " ".join(part for part in (name.given_name, name.family_name) if part) if name else ""
    return one_line(
        said.display_name or (name.formatted if name else "") or parts or said.user_name[:LONGEST_NAME],
        "displayName",
    )


def one_line(text: str, attribute: str) -> str:
    """Return the text of an attribute without spaces around it. Raises InvalidValueException unless it is one line."""
    text = (text or "").strip()
    if not text or len(text) > LONGEST_NAME:
        raise InvalidValueException(
            detail=f"{attribute} is empty or too long. Send 1 to {LONGEST_NAME} characters."
        )
    if len(text.splitlines()) > 1 or "\t" in text:
        raise InvalidValueException(
            detail=f"{attribute} has several lines or a tab. Send one line without tabs."
        )
    return text


def address_in(said: Any) -> str:
    """Return the primary or first email address, or "". Raises InvalidValueException."""
    rows = [one for one in said.emails or [] if one.value]
    found = next((one.value for one in rows if one.primary), rows[0].value if rows else "")
    try:
        if found:
            validate_email(found)
            Person._meta.get_field("email").run_validators(found)  # its length too
    except ValidationError:
        raise InvalidValueException(
            detail=f"emails: {found[:300]!r} is not an email address. Send an address such as ana@example.org."
        ) from None
    return found


def manager_in(said: Any) -> str:
    """Return the id of the manager, or ""."""
    extension = said[Enterprise]
    return (extension.manager.value or "") if extension is not None and extension.manager is not None else ""


def external_id_in(said: Any) -> str:
    """Return the external id, or "". Raises InvalidValueException if it is too long."""
    found = said.external_id or ""
    if len(found) > LONGEST_EXTERNAL_ID:
        raise InvalidValueException(
            detail=f"externalId has more than {LONGEST_EXTERNAL_ID} characters. Send a shorter externalId."
        )
    return found


def kept_of(said: Any) -> dict:
    """Return what is kept beside the columns, so the resource reads as it was sent."""
    name = said.name
    return {
        "display_name": said.display_name,
        "manager": manager_in(said),
        "name": {
            part: getattr(name, part)
            for part in ("formatted", "family_name", "given_name")
            if getattr(name, part)
        }
        if name
        else None,
        "emails": [
            {"value": one.value, "type": one.type, "primary": one.primary} for one in said.emails or []
        ],
    }
