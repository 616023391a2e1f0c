"""What every page must be: under the strict policy, and without a line that only works where the policy is slack."""

import re
from html.parser import HTMLParser

POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
}
# Pages for people who answer a survey or report a problem run nothing and load nothing but their style sheet.
OUTSIDE = ("/survey/", "/report/")
ALONE = {
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def policy_of(path: str) -> set[str]:
    """The policy that the page at this address has."""
    return ALONE if path.startswith(OUTSIDE) else POLICY


SCHEME = re.compile(r"\s*(?:javascript|data|vbscript|blob)\s*:", re.IGNORECASE)
ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "embed": "src", "object": "data"}


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.trouble: list[str] = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "style" or (tag == "script" and not attributes.get("src")):
            self.trouble.append(f"<{tag}> with its content in the page")
        if tag in ("base", "object", "embed"):
            self.trouble.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name == "style" or name.startswith("hx-on"):
                self.trouble.append(f"{tag} has {name}={value!r}")
            if name in ("href", "src", "action", "formaction", "xlink:href") and SCHEME.match(value or ""):
                self.trouble.append(f"{tag} has {name}={value!r}")
        if ELSEWHERE.match(attributes.get(LOADS.get(tag, "")) or ""):
            self.trouble.append(f"{tag} loads {attributes[LOADS[tag]]}")


def trouble_with(response) -> list[str]:
    """What is wrong with the headers of an answer, and with its page where it is one."""
    path = getattr(response, "request", {}).get("PATH_INFO", "")
    wanted = HEADERS | ({"Referrer-Policy": "no-referrer"} if path.startswith(OUTSIDE) else {})
    found = [
        f"{name} is {response.headers.get(name)!r}"
        for name, value in wanted.items()
        if response.headers.get(name) != value
    ]
    policy = {part.strip() for part in response.headers.get("Content-Security-Policy", "").split(";")}
    if policy != policy_of(path):
        found.append(f"its policy is {sorted(policy)}")
    if not response.headers.get("Content-Type", "").startswith("text/html"):
        return found
    page = _Page()
    page.feed(response.content.decode())
    return found + page.trouble
