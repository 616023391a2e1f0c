"""Entries of the record about the register in plain words; `words.sentence` looks them up here."""

from governance.answers import ended
from initiatives.models.proposals import PROPOSED_KINDS
from initiatives.models.systems import CONDITIONS_OF_SYSTEMS


def _fields(names) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _found(facts, book) -> str:
    new, gone = facts.get("against") or [], facts.get("gone") or []
    said = [" ".join(ended(words) for _, words in new)] if new else []
    if gone:
        said.append("No longer so: " + " ".join(ended(words) for _, words in gone))
    return f"changed what the register says: {' '.join(said)}" if said else "looked into the register."


def _answered(facts, book) -> str:
    agreed = "agreed" if facts["accepts"] else "declined"
    why = f" {facts['words']}" if facts.get("words") else ""
    return f"{agreed}, as owner of {facts['system']}, that the case depends on it.{why}"


def _proposed(facts) -> str:
    return f"{PROPOSED_KINDS.get(facts['change'], facts['change']).lower()}: {facts['about']}"


SENTENCES = {
    "term named": lambda f, b: (
        f"wrote “{f['term']}” into the glossary" + (f": {f['meaning']}" if f["meaning"] else ".")
    ),
    "term changed": lambda f, b: (
        f"changed the business term {f['term']}: "
        f"{_fields(name for name in f['after'] if f['after'][name] != f['before'].get(name))}."
    ),
    "change proposed": lambda f, b: f"proposed a change, {_proposed(f)}: {f['why']}",
    "proposal confirmed": lambda f, b: f"confirmed what {f['proposed_by']} proposed, {_proposed(f)}.",
    "proposal declined": lambda f, b: (
        f"declined what {f['proposed_by']} proposed, {_proposed(f)}: {f['why']}"
    ),
    "proposal taken back": lambda f, b: f"took a proposal back, {_proposed(f)}.",
    "term used": lambda f, b: f"recorded that the case uses the term {f['term']}.",
    "term no longer used": lambda f, b: f"recorded that the case no longer uses the term {f['term']}.",
    "definition written": lambda f, b: (
        f"wrote down what {f['system']} means by {f['term']} in {f['field']}: {f['said']['meaning']}"
    ),
    "definition changed": lambda f, b: (
        f"changed what {f['system']} means by {f['term']} in {f['field']}: "
        f"{_fields(name for name in f['said'] if f['said'][name] != f['before'][name])}."
    ),
    "definition withdrawn": lambda f, b: (
        f"took back what {f['system']} means by {f['term']} in {f['field']}: {f['why']}"
    ),
    "conflict found": lambda f, b: f"brought up a conflict of definitions: {f['words']}",
    "conflict gone": lambda f, b: f"brought an end to a conflict of definitions: {f['words']}",
    "conflict reconciled": lambda f, b: f"reconciled a conflict of definitions: {f['words']} {f['decision']}",
    "difference accepted": lambda f, b: (
        f"accepted a difference of definitions: {f['words']} {ended(f['decision'])} "
        f"It shows in {', '.join(f['downstream'])}."
    ),
    "register found": _found,
    "system described": lambda f, b: f"described the system {f['system']}.",
    "system changed": lambda f, b: f"changed what is said of {f['system']}: {_fields(f['after'])}.",
    "system disowned": lambda f, b: f"said that {f['system']} is not theirs: {f['why']}",
    "system retired": lambda f, b: f"recorded that {f['system']} was retired: {f['why']}",
    "customisation added": lambda f, b: (
        f"recorded that {f['team']} customised {f['system']}: {ended(f['what'])}"
    ),
    "customisation ended": lambda f, b: (
        f"recorded that {f['system']} is no longer customised by {f['team']}."
    ),
    "account opened": lambda f, b: f"recorded the service account {f['account']} in {f['system']}.",
    "account changed": lambda f, b: f"changed the service account {f['account']} in {f['system']}.",
    "account reviewed": lambda f, b: (
        f"looked at what the service account {f['account']} may do in {f['system']}: {ended(f['privileges'])}"
    ),
    "account closed": lambda f, b: (
        f"recorded that the service account {f['account']} in {f['system']} was closed: {f['why']}"
    ),
    "link added": lambda f, b: f"tied the case to {f['system']}.",
    "link changed": lambda f, b: f"changed the link to {f['system']}: {_fields(f['after'])}.",
    "link ended": lambda f, b: f"ended the link to {f['system']}: {f['why']}",
    "link answered": _answered,
    "source accepted": lambda f, b: (
        f"accepted {f['system']} in its condition ({CONDITIONS_OF_SYSTEMS[f['condition']].lower()}) until "
        f"{f['until']}: {f['consequence']}"
    ),
}
