"""The texts of the project by who reads them, and the rules of docs/STYLE.md that a pattern can check.

Areas: pages, refusals, emails, docs, docstrings, and remedies, which are the second parts of refusals. Each text is
checked sentence by sentence.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.template.base import Lexer, TokenType

from tests.support.paths import ROOT

APPS = ("governance", "initiatives", "adoption")
# Modules that hold no text of Plumbline: the words of other organisations' files, of clauses that a board approved,
# and words that someone may search for.
NOT_OURS = (
    "initiatives/portfolio/imports/inventories/",
    "governance/contracts/wording.py",
    "governance/web/help_topics.py",
    "adoption/demo/",
)
# Functions that refuse; so does whatever is raised, but for the faults of a programmer.
REFUSES = {"no", "Reason", "add_error", "wrong", "_wrong", "_unclear", "Problem"}
TWO_PARTS = {"no", "Reason", "Refused", "Conflict"}
FAULTS = {"KeyError", "TypeError", "LookupError", "NotImplementedError", "AssertionError", "AttributeError"}
SILENT = re.compile(r"(log|logger|logging|re|clock)\.|(_?sql|execute|getattr|setattr|compile|act|act_on)$")
ATTRIBUTES = re.compile(r'\b(?:title|aria-label|placeholder|alt|label|data-col)="([^"]*)"')
LITERAL = re.compile(r"""\"([^"]*)\"|'([^']*)'""")
TRANSLATED = re.compile(r"""(?:^translate |_\()(?:"([^"]*)"|'([^']*)')""")
SEEN = ("pages", "refusals", "emails")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# No sentence: a header, a query, a style, an example of code, an entity of HTML.
CODE = re.compile(
    r"charset=|filename=|-src '|\bSET LOCAL\b|\bRAISE\b|--header|-H '|HTTP/1|webhook_configs|"
    r"\b(?:jobs|script|artifacts|rules|steps|inputs):|"
    r"\{ ?[\"a-z-]+ ?:|\w+\(…|&\w+;"
)
ALLOWED = "prose: allow"  # in a comment on the line: a quoted law, a word that is looked for


@dataclass(frozen=True)
class Rule:
    """A pattern, and what to write instead. `areas`: where it holds; empty for all."""

    name: str
    pattern: str
    instead: str
    areas: tuple[str, ...] = ()


RULES = (
    Rule("is no X", r"\b(is|are|was|were|be) no (?!longer|more than)[a-z]+", "is not a …"),
    Rule("any more", r"\bany ?more\b", "no longer"),
    Rule("whoever", r"\b(whoever|whomever|whatever|whom)\b", "who, what, or the role"),
    Rule(
        "clause as a subject",
        r"^(What|That|Whether|By when|Where|How|Who|Which) (?!one\b)\S+ (?!.*[?…]$).*",
        "a noun, or a question with its mark",
    ),
    Rule(
        "yours to",
        r"\b(yours|ours|theirs|whose) to\b|\bnot (yours|theirs|his|hers)\b|\bone's own\b|"
        r"\bof (one's|its|their|his|our) own\b",
        "your …, or who may do it",
    ),
    Rule(
        "software that speaks",
        r"\b(says?|said|tells?|told|speaks? of|hears?|heard) (so|no|nothing|that|what|of|it|why|which|how|whether|by|"
        r"apart)\b",
        "show, contain, name, or the person who acts",
    ),
    Rule("stands", r"\b(stands?|stood|lies?|lay|lie)\b(?! in\b)", "is, remains, is recorded"),
    Rule(
        "becomes of",
        r"\b(comes?|came|become|became|becomes) (of|to pass|to nothing)\b|\bcame to\b",
        "the result, what happens to",
    ),
    Rule(
        "starts with Nothing",
        r"^(Nothing|Nobody|None|Never)\b",
        "the positive fact, no one, or the next step",
    ),
    Rule("of before", r"\bof (before|its day|then|old|later)\b|\bthe (one|day|version) before\b", "earlier"),
    Rule("such", r"\b[Nn]o such\b|\b[Ss]uch (a|an|things?)\b", "this … does not exist; a … like this"),
    Rule(
        "starts with It",
        r"^(It|Its|They|Their|Those|That one) |"
        r"^(This|These|That|One) (is|are|was|were|has|have|had|can|cannot|will|does|do|did|means|makes|ends|may"
        r"|must)\b",
        "the noun",
        SEEN,
    ),
    Rule(
        "inverted start",
        r"^(Of|By|At|To|With|Beyond|Under|Past|Between|Against|Until|From|As) [a-z]\S* \S+ ",
        "the subject first",
    ),
    Rule("chain of facts", r"[:;] .*[:;] ", "two sentences, or a list"),
    Rule("semicolon", r"[a-z…”]; ", "two sentences", SEEN),
)
COMPILED = [(rule, re.compile(rule.pattern)) for rule in RULES]
NO_INSTRUCTION = Rule("no instruction", "", "an instruction that starts with a verb, or who can help")
# How the second part of a refusal begins, or who it names: what to do now.
INSTRUCTS = re.compile(
    r"(Accept|Add|Answer|Approve|Ask|Call|Cancel|Change|Check|Choose|Clear|Close|Comment|Compare|Complete|Conclude|"
    r"Confirm|Connect|Continue|Correct|Create|Decide|Declare|Decline|Delete|Describe|Draw|End|Enter|Export|Fill|Find|Finish|Fix|"
    r"Give|Have|Import|Invite|Keep|Leave|Lift|Link|List|Look|Make|Mark|Merge|Move|Name|Open|Pass|Pick|Propose|Publish|"
    r"Put|Read|Record|Refuse|Register|Reload|Remove|Reopen|Repeat|Replace|Report|Restart|Retire|Return|Revoke|Run|Save|Search|"
    r"Seat|See|Select|Send|Set|Shorten|Sign|Split|Start|State|Stop|Supersede|Switch|Take|Tick|Try|Turn|Type|Undo|Unlink|Upload|"
    r"Use|Verify|Wait|Withdraw|Write|If .*, \w+|To .*, \w+|Before .*, \w+|First,? \w+|Then \w+)\b"
    r"|.*\b(can|may) (?!not\b)\w+"
)


def looks_like_words(text: str) -> bool:
    """Return True if a literal in code is something people read, not a name."""
    return (" " in text.strip() or text[:1].isupper()) and not re.match(r"\w+/[\w/]+\.\w+$", text)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, without what stands for nothing."""
    parts = re.split(r"(?<=[.?!])[”)]?\s+(?=[A-Z“(…])|\n{2,}", text)
    found = [" ".join(part.split()) for part in parts]
    return [one for one in found if len(one) > 3 and re.search("[a-z]{2}", one) and not CODE.search(one)]


def hits(text: str, area: str) -> list[tuple[str, Rule]]:
    """Return each sentence of the text that breaks a rule of the area, with the rule."""
    return [
        (sentence, rule)
        for sentence in sentences(text)
        for rule, pattern in COMPILED
        if (not rule.areas or area in rule.areas) and pattern.search(sentence)
    ]


def of_template(source: str) -> list[str]:
    """Return what a template shows: text between tags, attributes that are read out, literals of its own tags."""
    found, html = [], []
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.TEXT:
            html.append(token.contents)
        elif token.token_type == TokenType.VAR:
            html.append("…")
            found += [text for one in LITERAL.findall(token.contents) if " " in (text := "".join(one))]
        else:
            broken = re.match(r"(plural|translate|else|elif|if|endif|for|endfor|blocktr)", token.contents)
            html.append("\n\n" if broken else "\x00")
            if token.token_type != TokenType.COMMENT:
                texts = ["".join(one) for one in LITERAL.findall(token.contents)]
                said = {"".join(one) for one in TRANSLATED.findall(token.contents)}
                found += [text for text in texts if text in said or looks_like_words(text)]
    page = re.sub(
        r'<(code|pre|kbd)\b.*?</\1>|<span class="mono">[^<]*</span>', "…", "".join(html), flags=re.DOTALL
    )
    found += ATTRIBUTES.findall(page)
    text = re.sub(r"</?(a|b|i|em|strong|span|abbr|time|bdi)\b[^<>]*>", "", page)
    text = re.sub(r"<[^<>]*>", "\n\n", text).replace("\x00", "…")
    return found + [" ".join(line.split()) for line in re.split(r"\n\s*\n", text) if line.strip()]


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in node.values)
    return None


def of_module(
    source: str,
) -> tuple[list[tuple[int, str]], list[tuple[int, str, bool]], list[tuple[int, str]]]:
    """Return the texts of a module with their lines: shown on pages, of refusals (True: a remedy), docstrings."""
    tree = ast.parse(source)
    lines = source.splitlines()
    silent: set[int] = set()
    refusing: set[int] = set()
    remedies: set[int] = set()
    docstrings = []
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and (words := ast.get_docstring(node)):
            docstrings.append((node.body[0].lineno, words))
        if isinstance(node, ast.Expr):
            silent.add(id(node.value))
        elif (
            isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _called(node.exc) not in FAULTS
        ):
            refusing |= {id(one) for one in ast.walk(node.exc)}
        if isinstance(node, ast.Call):
            name = _called(node)
            if SILENT.match(name) or SILENT.search(name.rpartition(".")[2]):
                silent |= {id(one) for one in ast.walk(node)}
            elif name.rpartition(".")[2] in REFUSES:
                refusing |= {id(one) for one in ast.walk(node)}
            if name.rpartition(".")[2] in TWO_PARTS:
                remedy = [word.value for word in node.keywords if word.arg == "remedy"] + node.args[1:2]
                remedies |= {id(one) for part in remedy for one in ast.walk(part)}
        if isinstance(node, ast.JoinedStr):
            silent |= {id(one) for one in node.values}
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            silent.add(id(node.returns))
        elif isinstance(node, ast.Dict):
            silent |= {id(key) for key in node.keys if key is not None}
    pages, refusals = [], []
    for node in ast.walk(tree):
        if id(node) in silent or (text := _text(node)) is None or not looks_like_words(text):
            continue
        if (
            re.search(r"\b(SELECT|FROM|WHERE|UPDATE|ALTER|CREATE)\b", text)
            or ALLOWED in lines[node.lineno - 1]
        ):
            continue
        if id(node) in refusing:
            refusals.append((node.lineno, text, id(node) in remedies))
        elif " " in text:
            pages.append((node.lineno, text))
    return pages, refusals, docstrings


def of_markdown(source: str) -> list[tuple[int, str]]:
    """Return the paragraphs, headings, list items and cells of a document with their lines, without code."""
    found, number, code, paragraph, began = [], 0, False, [], 0

    def close() -> None:
        if paragraph:
            found.append((began, " ".join(paragraph)))
            paragraph.clear()

    for number, line in enumerate(source.splitlines(), 1):
        fence = line.lstrip().startswith("```")  # also in an item of a list
        code ^= fence
        if code or fence or line.startswith("<!--") or not line.strip():
            close()
            continue
        words = re.sub(r"`[^`]*`", "…", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line)).strip()
        if line.startswith("|"):
            close()
            found += [(number, cell.strip()) for cell in words.strip("|").split("|") if " " in cell.strip()]
            continue
        if line.startswith(("#", "- ", "* ")) or re.match(r"\d+\. ", line):
            close()
            words = re.sub(r"^(#+|[-*]|\d+\.) +", "", words)
        if not paragraph:
            began = number
        paragraph.append(words.replace("**", ""))
        if line.startswith("#"):
            close()
    close()
    return found


@cache
def texts(below: str = "") -> dict[str, list[tuple[str, str]]]:
    """Return the texts of each area as (place, text); a place is a path with its line, where the line is known.

    Only files are read whose path begins with `below`.
    """
    found: dict[str, list[tuple[str, str]]] = {area: [] for area in (*SEEN, "docs", "docstrings", "remedies")}
    for path in sorted((ROOT / "templates").rglob("*.*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".html", ".txt") and name.startswith(below):
            area = "emails" if name.startswith("templates/emails/") else "pages"
            found[area] += [(name, text) for text in of_template(path.read_text())]
    for path in sorted(path for app in APPS for path in (ROOT / app).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if "/migrations/" in name or name.startswith(NOT_OURS) or not name.startswith(below):
            continue
        pages, refusals, docstrings = of_module(path.read_text())
        found["pages"] += [(f"{name}:{line}", text) for line, text in pages]
        found["refusals"] += [(f"{name}:{line}", text) for line, text, _ in refusals]
        found["remedies"] += [(f"{name}:{line}", text) for line, text, remedy in refusals if remedy]
        found["docstrings"] += [(f"{name}:{line}", text) for line, text in docstrings]
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for path in documents:
        name = path.relative_to(ROOT).as_posix()
        if name == "docs/STYLE.md" or not name.startswith(below):  # it quotes what not to write
            continue
        found["docs"] += [(f"{name}:{line}", text) for line, text in of_markdown(path.read_text())]
    return found


def all_hits(below: str = "") -> Iterator[tuple[str, str, str, Rule]]:
    """Yield (area, place, sentence, rule) of everything below a path that breaks a rule."""
    for area, rows in texts(below).items():
        for place, text in rows:
            if area != "remedies":
                for sentence, rule in hits(text, area):
                    yield area, place, sentence, rule
            elif text.endswith(".") and not text.startswith("…") and not INSTRUCTS.match(text):
                yield area, place, text, NO_INSTRUCTION


def counted_as(area: str, place: str) -> str:
    """Return under what a hit is counted: its area and folder, such as `pages templates/initiatives`."""
    parts = place.split(":")[0].split("/")
    return f"{area} {'/'.join(parts[:-1][:3]) or '.'}"


def counts() -> dict[str, int]:
    """Return the number of hits by area and folder."""
    return dict(sorted(Counter(counted_as(area, place) for area, place, _, _ in all_hits()).items()))
