"""The words of pages: one a thing, as docs/glossary.md says; what a word replaced is shown nowhere any more."""

import ast
import re
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

from governance.vocabulary import terms
from tests.support.paths import ROOT

# Modules whose texts people read, by name; forms, views and the like by how their name ends.
MODULES = re.compile(
    r"(^|_)(actions|admin|admin_base|apps|api|banners|calendar|charts|inbox|digest|filters|findings|first_steps|forms|"
    r"help_topics|lines|mails|next_step|permissions|preview|presentation|queries|remedies|reminders|report_links|search|"
    r"turn|views|wording|instruments|evidence_rules|requirements|criteria|levels)\.py$"
)
# Texts of these are data of others, or stand in what was handed out and is read by programs.
NOT_OURS = {
    "initiatives/portfolio/imports/inventories/": "words of other organisations' inventories, by which "
    "their columns are known",
    "governance/contracts/wording.py": "sentences of clauses, which boards approved, do not change",
    "governance/web/help_topics.py": "words that somebody may still look for, old ones among them",
}
# Each (what is said no more, what is said instead); whole words, small or capital.
SAID_NO_MORE = [
    (r"cases?", "initiative"),
    (r"proofs?|proved|proven|proves?", "evidence"),
    (r"ages? out|aged out|ageing|evidence ages", "expires, expired"),
    (r"debts?|owed", "obligation, due"),
    (r"settle what is", "resolve"),
    (r"mend(s|ed|ing)?", "fix"),
    (r"tied|tie (it|the initiative)", "connected, connect"),
    (r"hops?", "transfer"),
    (r"pulses?", "survey"),
    (r"signals?", "behaviour report"),
    (r"the desk|your desk", "inbox"),
    (r"for leaders", "insights"),
    (r"what stands between", "overview"),
    (r"what the gate asks", "requirements"),
    (r"which questions$", "gate"),
    (r"judged on", "quality dimension"),
    (r"keys and switch", "API access"),
    (r"opens until", "expires"),
    (r"who answers for it", "responsible person"),
    (r"what it was told", "decision log"),
    (r"asked of people", "approval requests"),
    (r"words of the contract", "actions and resources"),
    (r"read it aloud", "print version"),
    (r"may do on its own|may do when a person approves", "autonomous, human approval required"),
    (r"record owner|owns the record", "audit trail owner"),
    (r"make it a clause of", "change type"),
    (r"the way of the data", "data flow"),
    (r"where data may be", "data residency"),
    (r"what the register says against", "findings"),
    (r"bring together", "reconcile"),
    (r"take (it out|back)", "remove, withdraw"),
    (r"drop (it|this)", "delete"),
    (r"say what a field means|what its fields mean", "add definition, field definitions"),
    (r"sources that are not governed", "ungoverned sources"),
    (r"processes to be worked anew", "unbudgeted process redesign"),
    (r"on what most \w+ hang", "most used systems"),
    (r"describe a system", "add system"),
    (r"where the months go$|where it goes", "effort by layer"),
    (r"long work and emptiness", "idle time"),
    (r"asking users", "user surveys"),
    (r"of so many", "sample size"),
    (r"send a reading", "add measurement"),
    (r"cannot tell yet", "inconclusive"),
    (r"how people behave", "user behaviour reports"),
    (r"make an address", "create public report link"),
    (r"does it have to be reported|start a clock", "regulatory reporting, start deadline"),
    (r"the same as another", "mark as duplicate"),
    (r"speaks of$", "applies to version"),
    (r"offer it for more", "use for other requirements"),
    (r"look at it$", "preview"),
    (r"add a newer one\.?$", "replace with newer version"),
    (r"tried under$", "test conditions"),
    (r"true as of", "valid from"),
    (r"kind of answer|this is our answer|does not apply, because", "yes, not yet, not applicable"),
    (r"signs for it", "reviewer"),
    (r"not asked of this seat", "n/a"),
    (r"whose move", "waiting for"),
    (r"fresh approvals?", "current approval"),
    (r"read and sign", "review"),
    (r"(?-i:Continue) or stop", "stage time-box review"),
    (r"where they bite", "affected systems"),
    (r"step back a stage", "demote stage"),
    (r"raise a concern", "put on hold"),
    (r"write down an observation", "add note"),
    (r"brought about a hold", "triggered a hold"),
    (r"as it was known at the end|look back$", "view as of, go"),
    (r"try a change", "draft a change"),
    (r"work it out", "run impact analysis"),
    (r"crosswalk", "regulatory mapping"),
    (r"what ends evidence", "expiry triggers"),
    (r"not now", "cancel"),
    (r"what is odd", "issues"),
    (r"set aside for triage", "needs review"),
    (r"read it and show me", "preview"),
    (r"take all of it|make it live", "import all, publish import"),
    (r"the pack to print|packs that were taken", "board pack (PDF), downloads"),
    (r"kept and erased|read and taken", "retention and erasure, access log"),
    (r"(?<!would )notices?(?! with date)", "notification"),
    (r"how you are told", "notification settings"),
    (r"checklist", "requirements"),
    (r"away or leaving", "absence and handover"),
    (r"^what runs(, and where)?$", "versions and scope"),
    (r"the record(?! owner)|on record", "audit log, recorded"),
    (r"calls that need a person's", "approval requests"),
    (r"let (one )?decisions? pass", "allow decisions meanwhile"),
    (r"applies in an edge case", "exceptions"),
    (r"show how it reads|it reads:?$", "preview"),
    (r"anchor: outputs", "source of truth"),
    (r"collection of knowledge sources|people who are asked", "knowledge base, subject-matter experts"),
    (r"so many$", "count"),
    (r"keep it$|keep it as evidence", "save"),
    (r"put by|drop$", "archive, delete"),
    (r"blamed, and found", "assumed cause, actual cause"),
    (r"success that nobody", "useful no results"),
    (r"where stages are blurred", "stage mismatches"),
    (r"what follows later", "delayed consequences"),
    (r"pilot for ever", "stuck in pilot"),
    (r"shortfalls?|over-?claimed|claims more than", "not supported"),
    (r"no, we do not have this", "not yet"),
    (r"asked of you", "assigned to you"),
    (r"(not|to become) decidable", "ready for decision"),
    (r"(^what|things?) stands? in the way$", "blockers"),
    (r"^its own question", "question to answer"),
    (r"return with questions", "request changes"),
    (r"what you would sign$", "your criteria"),
    (r"gaps that outlive|bites others", "gaps"),
    (r"tolerated here|^forbidden:", "allowed in this stage, not allowed"),
    (r"withdraw: registered by mistake", "delete idea"),
    (r"rows behind it", "database changes"),
    (r"they agree$", "recomputed: identical"),
    (r"owes?|owing", "due from"),
    (r"meetings that are over", "past meetings"),
    (r"larger prototype|production in name only|prototype in production", "not supported"),
]
# Said in another sense, or standard terms; each with why. What is listed is looked for in the sources, too.
SAID_ON_PURPOSE = {
    r"(edge|use|test|curated|real|other) cases?": "cases in the ordinary sense",
    r"in (any|that|which|what) case|case by case": "the ordinary phrases",
    r"business cases?": "what money and dates of an initiative are called everywhere",
    r"(inclusion|consistency) proofs?": "the standard terms of a transparency log",
    r"what (this|that) proves|it proves|not prove|proves (later|what|on|that|those)|receipt proves": "of hashes and "
    "signatures, which prove; never of an answer",
    r"<em>(larger prototype|production in name only|prototype in production)</em>": "the names of insights, explained",
}
ATTRIBUTES = re.compile(r'\b(?:title|aria-label|placeholder|alt|label|data-col)="([^"]*)"')
LITERAL = re.compile(r"""\"([^"]*)\"|'([^']*)'""")
TRANSLATED = re.compile(r"""(?:^translate |_\()(?:"([^"]*)"|'([^']*)')""")
ALLOWED = re.compile("|".join(SAID_ON_PURPOSE), re.IGNORECASE)
WORDS = [(re.compile(rf"\b(?:{said})(?!\w)", re.IGNORECASE), instead) for said, instead in SAID_NO_MORE]


def looks_like_words(text: str) -> bool:
    """Whether a literal in code is something people read, not a name: it has a space or begins with a capital."""
    return (" " in text.strip() or text[:1].isupper()) and not re.match(r"\w+/[\w/]+\.\w+$", text)


def texts_of_template(source: str) -> list[str]:
    """What a template shows: text between tags, attributes that are read out, literals handed to its own tags."""
    found, html = [], []
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.TEXT:
            html.append(token.contents)
        else:
            html.append("\x00")
            if token.token_type != TokenType.COMMENT:
                texts = ["".join(one) for one in LITERAL.findall(token.contents)]
                said = {"".join(one) for one in TRANSLATED.findall(token.contents)}
                found += [text for text in texts if text in said or looks_like_words(text)]
    page = re.sub(
        r'<(code|pre|kbd)\b.*?</\1>|<span class="mono">[^<]*</span>', "…", "".join(html), flags=re.DOTALL
    )
    found += ATTRIBUTES.findall(page)
    text = re.sub(r"<(?!/?em\b)[^<>]*>", "\n", page).replace("\x00", "…")
    return found + [" ".join(line.split()) for line in re.split(r"\n\s*\n|\n(?=\s*\n)", text) if line.strip()]


def texts_of_module(source: str) -> list[str]:
    """What the module may show: its literals without docstrings, f-strings without what is filled in."""
    tree = ast.parse(source)
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            silent |= {id(node.value)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "logger.", "re.")):
            silent |= {id(one) for one in ast.walk(node)}
        elif isinstance(node, ast.Call) and node.args and ast.unparse(node.func) == "act":
            silent |= {id(node.args[0])}  # the name of an act, under which its refusal is recorded
        elif isinstance(node, ast.JoinedStr):
            silent |= {id(one) for one in node.values}
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            silent |= {id(node.returns)}
        elif isinstance(node, ast.Dict):
            silent |= {id(key) for key in node.keys}
    found = []
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "…" for one in node.values]
            found.append("".join(str(part) for part in parts))
    shown = [re.sub(r"\{[^{}]*\}", "…", text) for text in found if looks_like_words(text)]
    return [text for text in shown if not re.search(r"\b(SELECT|FROM|WHERE|UPDATE)\b", text)]


def said_in(text: str) -> list[str]:
    """What of the text is said no more, with what is said instead."""
    rest = ALLOWED.sub("…", text)
    return [f"{found[0]} ({instead})" for pattern, instead in WORDS if (found := pattern.search(rest))]


def sources() -> dict[str, list[str]]:
    """The texts of every template and of every module that people read, by its place."""
    shown = {}
    for path in sorted((ROOT / "templates").rglob("*.*")):
        if path.suffix in (".html", ".txt"):
            shown[path.relative_to(ROOT).as_posix()] = texts_of_template(path.read_text())
    for app in ("governance", "initiatives", "adoption"):
        for path in sorted((ROOT / app).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if MODULES.search(path.name) and "/demo/" not in name and "/migrations/" not in name:
                shown[name] = texts_of_module(path.read_text())
    return shown


SOURCES = sources()


def test_no_page_says_what_was_replaced():
    ours = {name: texts for name, texts in SOURCES.items() if not name.startswith(tuple(NOT_OURS))}
    assert len(ours) > 700
    hits = [
        f"{name}: {what}: {text[:120]}"
        for name, texts in ours.items()
        for text in texts
        for what in said_in(text)
    ]
    assert not hits, "\n".join(hits)


# What code, addresses, pages, tests and documents no longer call a thing, and what they call it.
DROPPED = {
    r"part(y|ies)": "team member",
    r"ow(ed|es|e|ing)": "due, obligation",
    r"(un)?settl(e|es|ed|ing)": "complete, resolve",
    r"shortcomings?": "finding",
    r"standings?": "supported stage, current",
    r"proofs?": "evidence",
    r"estates?": "systems",
    r"initiative[ _-]history|initiatives[/.]history|history of (?:the|an) initiative": "activity",
    r"interaction.keeping|audit/keeping": "retention",
    r"signs?[\s_]of[\s_]life": "heartbeat",
    r"knock(?:s|ed|ing)?": "queue message",
    r"sweep(?:s|ing)?": "periodic job",
    r"notices?": "notification",
    r"how[\s_]you[\s_]are[\s_]told": "notification settings",
    r"the[\s_]+(?:(?:whole|sealed|append-only)[\s_]+)?record(?! owner)": "audit log",
    r"(?:on record|record[ _-]?exports?|export_record)": "recorded, audit log",
    r"(?:verify|governance|models|import|rows of the|the append-only)[ ._/]ledger": "audit log",
    r"pulses?": "survey",
    r"hops?": "transfer",
    r"mend(s|ed|ing)?": "fix",
    r"cases?": "initiative",
    r"debts?|debtors?": "obligation, responsible",
    r"vot(e|es|ed|ing)": "sign-off, sign off",
    r"sittings?": "review snapshot, batch",
    r"desks?": "inbox",
    r"checklists?": "requirements",
    r"(adoption|make|owe|chart|overdue)[_/]readings?|readings (recorded|of measures)": "measurement",
    r"books?": "rulebook, workbook",
    r"shortfalls?|over.?claimed": "unsupported stages, not supported",
    r"claimed.stage|supports.claim|make.claim|moves.of.claims": "approved stage",
    r"lists? of others|blamed|where_it_goes": "external inventory, assumed cause, effort by layer",
    r"worklists?": "inbox rows",
}
# What the dropped words are in ordinary phrases, in names of libraries and in the syntax of Python and SQL.
ORDINARY = re.compile(
    r"blamed line|"
    r"`shortfall.html`|claims claimed supported approved shortfall|"
    r"(run|shift|rule) book|book[ _]match(es)?|(like|large as) a book|a book in every|double-book|books what fits|"
    r"(relying|third)[ _-]?part(y|ies)|"
    r"owes me money|ueltschi owes|who owes|asking helios for what is owed|that nobody owes|"
    r"its addresses owe|what is owed\?,nothing is owed|"
    r"standing[ _]in(?![a-z])|"
    r"(signature|provider|inclusion|consistency)[ _]?proofs?|governance[./]identity[./]proofs|"
    r"knock-on|"
    r"(can|would|must|tests that|edit it|others)[\s_]+notice|notice (period|with date|or end of)|retire.notice|"
    r"(trademark|permission|in this) notices?|notice, notify|"
    r"(business|use|edge|test|curated|worst|lower|upper|agreed|ugly)[ _-]cases?|case[\s_-]+by[\s_-]+case|case law|"
    r"(service|sales|robot|question|correspondence|tech|call|complaints|answer|returns|help)[ _-]?desk|"
    r"in[ _](which|any|both)[ _]cases?|(regard to|more.than).case|the case file|as a case files|case (name|id)|"
    r"no checklist asks|"
    # Cases of the people whom a system serves.
    r"by case and|affected cases|customer, case|share of cases|tested case|(sixty|other|no) cases?|cases beside|"
    # What the rows of a test report may be called.
    r'"results", "cases", "examples"|'
    r'(?-i:\bCASE\b|\bCase\(|import [\w, ]*\bCase\b|-> Case:|^ +Case,$|Case Exact|^ +case .*:$)|"use",\s+"case"',
    re.IGNORECASE | re.MULTILINE,
)
# Where a dropped word has another meaning, in which it stays: files and folders.
STAYS_IN: dict[str, tuple[str, ...]] = {
    r"part(y|ies)": (
        "initiatives/portfolio/imports/",
        "adoption/demo/",
    ),
    r"ow(ed|es|e|ing)": ("governance/web/help_topics.py",),
    r"proofs?": (
        "governance/identity/",
        "governance/models/identity/",
        "governance/migrations/0001_initial.py",
        "governance/models/audit_log.py",
        "governance/sign_in/",
        "governance/transparency_log/",
        "governance/offline/",
        "governance/audit_log/",
        "governance/audit/",
        "governance/interaction_log/reading.py",
        "governance/web/routes.py",
        "governance/privacy/retention.py",
        "adoption/audit_log_export/",
        "adoption/demo/signatures.py",
        "adoption/management/commands/export_audit_log.py",
        "initiatives/lifecycle/roles/",
        "initiatives/inbox/tasks/seat_decisions.py",
        "initiatives/portfolio/registration/mvp_start.py",
        "tests/app/initiatives/inbox/tasks/test_seat_decisions.py",
        "initiatives/portfolio/rulebook_changes/forecast_views.py",
        "initiatives/lifecycle/initiative/act.py",
        "templates/governance/audit/",
        "templates/adoption/audit_log_export/",
        "docs/adr/0084-have-others-cosign-checkpoints.md",
        "docs/operate/monitor.md",
        "tests/support/servers/witness.py",
        "tests/app/governance/identity/",
        "tests/app/governance/transparency_log/",
        "tests/app/governance/sign_in/",
        "tests/app/governance/audit_log/",
        "tests/app/adoption/audit_log_export/",
        "tests/app/initiatives/lifecycle/roles/test_roles_to_accept.py",
        "tests/app/initiatives/lifecycle/initiative/test_signing.py",
        "tests/app/initiatives/lifecycle/initiative/test_signing_by_passkey.py",
        "tests/acceptance/browser/test_passkey_walk.py",
        "tests/acceptance/browser/test_provider_walk.py",
        "tests/acceptance/identity/",
        "tests/acceptance/audit_log/test_audit_log_export.py",
        "tests/drills/audit_log/",
        "tests/drills/company/pages.py",
        "tests/drills/mutants_of_signatures.py",
        "tests/support/identity/",
        "tests/unit/governance/transparency_log/",
        "docs/identity.md",
        "docs/audit-log.md",
        "docs/asvs.md",
        "docs/threats.md",
        "docs/SECURITY.md",
        "docs/architecture.md",
        "docs/adr/0061-what-binds-is-signed.md",
        "docs/adr/0065-a-signature-that-proves-itself.md",
        "docs/adr/0067-signing-at-the-identity-provider.md",
        "README.md",
        "pyproject.toml",
        "governance/privacy/erasure.py",
        "governance/web/help_topics.py",
        "initiatives/portfolio/imports/inventories/",
        "tests/acceptance/initiatives/test_search.py",
        "tests/acceptance/audit_log/test_erasure.py",
    ),
}
TEXT = {".py", ".html", ".txt", ".sql", ".md", ".toml", ".css", ".js"}


# One look for all of them in small letters is ten times as fast as one look for each.
ANY_DROPPED = re.compile(rf"(?<![a-z])(?:{'|'.join(f'(?:{word})' for word in DROPPED)})(?![a-z])")


def dropped_in(text: str) -> list[str]:
    """Return the dropped words that stand in `text` as a word or as a part of a name."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    low = parts.lower()
    hits = [low.count("\n", 0, hit.start()) for hit in ANY_DROPPED.finditer(low)]
    # To look for ordinary phrases is slow. Each is at most one line longer than the word in it, on either side.
    near = sorted({number + step for number in hits for step in (-1, 0, 1, 2)})
    lines = parts.split("\n")
    rest = ORDINARY.sub("", "\n".join(lines[number] for number in near if 0 <= number < len(lines)))
    found = {hit[0] for hit in ANY_DROPPED.finditer(rest.lower())}
    return [word for word in DROPPED if any(re.fullmatch(word, one) for one in found)]


def test_a_dropped_word_is_part_of_no_name_and_of_no_text():
    tops = ("governance", "initiatives", "adoption", "templates", "tests", "docs")
    found = {}
    for path in [ROOT / "README.md", *(path for top in tops for path in (ROOT / top).rglob("*"))]:
        name = path.relative_to(ROOT).as_posix()
        # The glossary tells the words before; the data of tests are other people's.
        left_out = name.startswith(("tests/data/", "docs/glossary.md")) or path == Path(__file__)
        if path.suffix in TEXT and path.is_file() and not left_out:
            words = dropped_in(f"{name} {path.read_text(encoding='utf-8')}")
            found[name] = [word for word in words if not name.startswith(STAYS_IN.get(word, ()))]
    assert len(found) > 1000
    wrong = [f"{name}: {', '.join(words)}" for name, words in found.items() if words]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text", ["a pulse", "open_pulses()", "PULSE_OPENED", "PulseForm", "aPulse", "Mended."]
)
def test_a_dropped_word_is_found_in_each_spelling(text):
    assert len(dropped_in(text)) == 1


@pytest.mark.parametrize("text", ["impulse", "hope", "HOPELESS", "shop", "amended", "recommend", "restated"])
def test_a_word_that_only_holds_a_dropped_one_is_none(text):
    assert dropped_in(text) == []


def test_what_is_excepted_is_there():
    for place in NOT_OURS:
        assert (ROOT / place).exists(), f"{place} is gone: take it out of the list"
    everything = "\n".join(text for texts in SOURCES.values() for text in texts)
    for said in SAID_ON_PURPOSE:
        assert re.search(said, everything, re.IGNORECASE | re.MULTILINE), (
            f"nobody says {said}: take it out of the list"
        )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<p>Each case is kept.</p>", "case"),
        ('<a aria-label="Proof of it" href="/x/">Open</a>', "Proof"),
        ('{% note "ok" title="No proof yet" %}Good.{% endnote %}', "proof"),
        ("<p>What the\n   gate asks</p>", "What the gate asks"),
        ("{% comment %}x{% endcomment %}<b>Mend it</b>", "Mend"),
        ('{% translate "debt" %}', "debt"),
        ("""<a title="{% translate 'Proof of it' %}"></a>""", "Proof"),
        ('{{ x|default:_("proof") }}', "proof"),
        (
            "{% blocktranslate with n=x.y %}What the gate asks of {{ n }}{% endblocktranslate %}",
            "What the gate asks",
        ),
    ],
)
def test_a_word_on_a_page_is_found(source, said):
    found = [what for text in texts_of_template(source) for what in said_in(text)]
    assert [what.partition(" (")[0] for what in found] == [said]


@pytest.mark.parametrize(
    "source",
    [
        "{# a case #}<p>In any case, edge cases stay.</p>",
        "{% url 'case' case.ref %}{{ case.proof }}<p>With its inclusion proof</p>",
        '<form class="case" name="proof" id="debt"></form>',
    ],
)
def test_names_in_code_and_ordinary_words_are_none(source):
    assert not [what for text in texts_of_template(source) for what in said_in(text)]


def test_a_word_in_a_module_is_found_and_a_docstring_is_none():
    source = '"""Of a case."""\nlabel = "Kind of proof"\nname = "proof"\nact("end case")\nsaid = f"{n} cases wait"\n'
    assert [what for text in texts_of_module(source) for what in said_in(text)] == [
        "proof (evidence)",
        "cases (initiative)",
    ]


def test_the_glossary_of_the_pages_is_that_of_the_documents():
    part = (ROOT / "docs/glossary.md").read_text().partition("## Words of pages")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", part, re.MULTILINE)) == terms.TERMS
    assert not [meaning for meaning in terms.TERMS.values() if said_in(meaning)]


def test_every_term_shown_beside_a_word_has_a_meaning():
    asked = {
        name
        for path in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r'\{% term "([^"]+)"', path.read_text())
    }
    assert asked, "no page shows any"
    assert asked <= terms.TERMS.keys()
