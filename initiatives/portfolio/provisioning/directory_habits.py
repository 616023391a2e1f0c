"""Deviations of Entra ID and Okta from the standard, converted to RFC 7644. Pure.

The sources are Microsoft's "Known issues and resolutions with SCIM 2.0 protocol compliance of the provisioning service"
and "Tutorial: develop and plan provisioning for a SCIM endpoint", and Okta's "SCIM 2.0 protocol reference".
"""

from typing import Any

from scim2_models import ScimFilter

READ_ONLY = ("id", "meta", "schemas", "groups")  # which Okta names in what it sends
TRUTHS = ("active", "primary")
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LISTS = ("emails", "members")  # the attributes with several values that are kept


def plain(said: Any) -> Any:
    """Return a resource in standard form: truth values parsed, no read-only parts."""
    if isinstance(said, list):
        return [plain(one) for one in said]
    if not isinstance(said, dict):
        return said
    found = {}
    for name, value in said.items():
        if name.lower() in TRUTHS:
            value = _truth(_only(value))
        elif name.lower() == "manager":
            value = _manager(value)
        found[name] = plain(value)
    return found


def as_the_standard_has_it(operation: Any) -> list:
    """Return the standard operations of one PATCH operation. A read-only write gives none."""
    if not isinstance(operation, dict):
        return [operation]
    operation = {
        (name.lower() if name.lower() in ("op", "path", "value") else name): value
        for name, value in operation.items()
    }
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str) and path.strip():
        return _at(operation, path.strip(), value)
    if not isinstance(value, dict):
        return [operation]
    # Okta names the id too, Entra ID paths such as `emails[type eq "work"].value`: each path is its own operation.
    rest = {name: one for name, one in operation.items() if name not in ("value", "path")}
    whole, found = {}, []
    for name, one in value.items():
        if "[" in name or _last(name) in ("manager", *TRUTHS):
            found += _at(rest | {"path": name, "value": one}, name, one)
        elif name.lower() not in READ_ONLY:
            whole[name] = plain(one)
    return [*found, rest | {"value": whole}] if whole else found


def _at(operation: dict, path: str, value: Any) -> list:
    """Return the standard operations of an operation on a path."""
    last = _last(path)
    removes = str(operation.get("op")).lower() == "remove"
    if removes and path.lower() == "members" and isinstance(value, list):
        named = [one.get("value") for one in value if isinstance(one, dict)]
        return [{"op": "remove", "path": f"members[value eq {ScimFilter.quote(name)}]"} for name in named]
    if path.lower() in ("manager", "manager.value"):
        path = f"{ENTERPRISE}:{path}"
        operation = operation | {"path": path}
    if last == "manager" or (last == "value" and path.lower().endswith("manager.value")):
        managed = _manager(value)
        if removes or not managed or not managed.get("value"):
            return [{"op": "remove", "path": path}]
        return [operation | {"value": managed if last == "manager" else managed["value"]}]
    if removes and value in ("", [], {}, None):
        return [{name: one for name, one in operation.items() if name != "value"}]
    if last in TRUTHS:
        value = _truth(_only(value))
    elif last not in LISTS:
        value = _only(value)
    return [operation | {"value": plain(value)}] if "value" in operation else [operation]


def _last(path: str) -> str:
    """Return the last attribute of a path, lower case, without schema and filter."""
    tail = path.lower().rpartition("]")[2] or path.lower().partition("[")[0]
    return tail.rpartition(":")[2].rpartition(".")[2] if ":" in tail else tail.rpartition(".")[2]


def _only(value: Any) -> Any:
    """Return the value that Entra ID wraps in a list of one or in an object."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and "value" in value and not value.keys() - {"value", "$ref"}:
        value = value["value"]
    return value


def _truth(value: Any) -> Any:
    return value.lower() == "true" if isinstance(value, str) and value.lower() in ("true", "false") else value


def _manager(value: Any) -> Any:
    """Return the manager by id alone. A name is read-only and ignored (RFC 7644, 3.5.2)."""
    value = _only(value)
    if isinstance(value, str):
        return {"value": value}
    if isinstance(value, dict):
        return {name: one for name, one in value.items() if name.lower() == "value"}
    return None if value in (None, []) else value
