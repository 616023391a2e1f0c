"""What a browser would send of the form on a page, as it stands there."""

from bs4 import BeautifulSoup


def filled(page, named: str = "based_on") -> dict[str, str | list[str]]:
    """Name and value of each field of the form that has a field of this name; a list where several share a name."""
    soup = BeautifulSoup(page.content, "html.parser")
    form = next(form for form in soup.select("form") if form.find(attrs={"name": named}))
    found: dict[str, list[str]] = {}
    lists = set()
    for field in form.select("input[name],select[name],textarea[name]"):
        name = field["name"]
        if field.name == "select":
            options = field.select("option[selected]") or field.select("option")[:1]
            values = [option.get("value", option.get_text()) for option in options]
        elif field.name == "textarea":
            values = [field.get_text().removeprefix("\n")]
        elif field.get("type") in ("checkbox", "radio"):
            lists |= {name} if field.get("value") else set()
            values = [field.get("value", "on")] if field.has_attr("checked") else []
        else:
            values = [field.get("value", "")]
        if values:
            found.setdefault(name, []).extend(values)
    found.pop("csrfmiddlewaretoken", None)
    return {name: values if name in lists else values[0] for name, values in found.items()}
