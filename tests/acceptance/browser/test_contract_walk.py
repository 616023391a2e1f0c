"""The contract in a real browser: written, found wanting, fixed, signed, asked by an agent, and recorded."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from adoption.demo import initiative_acts
from governance.authorization import client, decision_log
from tests.support import factories
from tests.support.browser.people import PATIENCE, Person
from tests.support.paths import EXAMPLES

pytestmark = pytest.mark.django_db(transaction=True)

AGENT = "agent:ticket-triage"


def test_what_the_board_signs_is_what_the_agent_may_do(watch, cast, tmp_path):
    """From a template, with three gaps that the check finds, to an agent that is allowed, asked to wait, and denied."""
    initiative = factories.make_prototype(cast, title="Ticket triage")
    initiative_acts.staff(initiative, cast.team, ("support_owner", "technical_lead"))
    factories.declare_test_subjects(cast, initiative, [AGENT])  # of a prototype, which allows nobody else
    owner = watch.sign_in(cast.owner)
    owner.initiative(initiative.title)
    begin(owner)
    gaps(owner)
    initiative_acts.staff(initiative, cast.team, ("record_owner",))
    fix(owner)
    send(owner)
    for person in (cast.seat_value, cast.seat_risk):
        approve_contract(watch.sign_in(person), initiative.title)
    key = make_key(owner)

    running = agent(tmp_path, watch.address, key)
    support = watch.sign_in(cast.support)
    answer_call(support)
    said, complaint = running.communicate(timeout=PATIENCE / 1000)
    assert (running.returncode, complaint) == (1, "")
    assert re.findall(r"^  (yes|wait|done|no)\b", said, re.MULTILINE) == [
        *("yes", "done"),
        *("wait", "yes", "done"),
        "no",
    ], said
    assert "no (unknown_action)" in said
    recorded(owner)


def begin(owner: Person) -> None:
    """Start from what others use, in the words of these systems, and leave out three things."""
    owner.tab("Contract")
    owner.click("Triage")
    owner.type("Who does the system work for?", "the service desk")
    owner.type("What does the system act on?", "incoming requests")
    owner.type("Regions where data may go", "")  # the script of the example names no region
    owner.press("Use this template")
    owner.said("The draft")
    new_clause(owner, "Autonomous", "assign a ticket to a team", "assign_ticket")
    owner.press("Save the clause")
    new_clause(owner, "Human approval required", "pay back a customer", "refund_customer")
    owner.tick("The support owner")
    owner.press("Save the clause")  # the first gap: no time to answer is set
    everybody = clause_row(owner, "It works for")
    owner.click("Edit", everybody)
    owner.type("Also add a new group", "the triage agent")
    owner.page.get_by_label("Key", exact=True).last.fill(AGENT)
    owner.press("Save the clause")
    owner.click("Remove", clause_row(owner, "the model does not answer in time"))  # the second
    owner.press("Remove the clause")


def new_clause(owner: Person, kind: str, words: str, key: str) -> None:
    """The form of a new clause with an act that the vocabulary does not have yet."""
    owner.click(kind, owner.page.locator("#add"))
    owner.type("Or enter a new action", words)
    owner.page.get_by_label("Key", exact=True).first.fill(key)


def clause_row(owner: Person, words: str):
    """The row of the editor whose sentence holds these words."""
    return owner.page.locator("article.clause").filter(has_text=words).first


def gaps(owner: Person) -> None:
    """The check names all three: no time, a failure nobody thought of, and nobody who owns the audit log."""
    found = owner.page.locator(".gap").filter(has_text="to fix first")
    expect(found).to_have_count(3)
    expect(owner.page.locator("main")).to_contain_text("the model does not answer in time")
    expect(owner.page.locator("main")).to_contain_text("change log")
    owner.fits()
    owner.click("Back to the contract")
    expect(owner.page.locator("main")).to_contain_text("Missing in the draft")
    expect(owner.page.get_by_role("link", name="Send the draft to the board")).to_have_count(0)


def fix(owner: Person) -> None:
    """Set the time, foresee the failure; the record owner has accepted meanwhile."""
    owner.click("Edit the draft")
    owner.click("Edit", clause_row(owner, "pay back a customer"))
    owner.type("Time to answer", "30")
    owner.page.get_by_label("in", exact=True).select_option("minutes")
    owner.press("Save the clause")
    owner.click("Exceptions", owner.page.locator("#add"))
    owner.choose("Applies if", "the model does not answer in time")
    owner.choose("Then", "it does nothing")
    owner.press("Save the clause")
    expect(owner.page.locator(".gap").filter(has_text="to fix first")).to_have_count(0)


def send(owner: Person) -> None:
    """To the seats."""
    owner.click("Back to the contract")
    owner.click("Send the draft to the board")
    owner.press("Send the contract")
    owner.said("The contract is with the board.")


def approve_contract(seat: Person, title: str) -> None:
    """Read the text and approve exactly that."""
    seat.initiative(title)
    seat.tab("Contract")
    seat.approve_contract()
    seat.said("You approved the contract.")


def make_key(owner: Person) -> str:
    """A key for the agent, read from the one page that shows it."""
    owner.tab("API access")
    owner.click("Make a key")
    owner.type("System", "Triage agent")
    owner.choose("Responsible person", "Ravi Menon")
    owner.press("Make the key")
    key = owner.page.get_by_label("The key of Triage agent").input_value()
    owner.click("I have copied the key")
    expect(owner.page.locator("main")).not_to_contain_text(key)
    return key


def agent(folder: Path, address: str, key: str) -> subprocess.Popen:
    """The example that is handed out, beside the client that is handed out, as a process of its own."""
    shutil.copy(client.__file__, folder / "plumbline.py")
    shutil.copy(EXAMPLES / "plain_script.py", folder)
    return subprocess.Popen(
        [sys.executable, "plain_script.py", "--every", "0.2", "--wait", "60"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PLUMBLINE_ADDRESS": address, "PLUMBLINE_KEY": key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer_call(support: Person) -> None:
    """The support owner finds the call in the inbox, reads what is asked, and approves it."""
    until = time.monotonic() + PATIENCE / 1000
    while True:  # the agent starts by itself
        support.inbox()
        waiting = support.page.get_by_role("link", name=re.compile("Read and answer|Read the call"))
        if waiting.count() or time.monotonic() > until:
            break
    support.follow(waiting.first)
    expect(support.page.locator("main")).to_contain_text("80.00 EUR")
    expect(support.page.locator("main")).to_contain_text("If no one answers, the call is denied.")
    support.fits()
    support.press("Approve this call")
    support.said("You approved the call. The approval is for this call only.")


def recorded(owner: Person) -> None:
    """What it was told, the approval and the history show all of it."""
    decision_log.decisions.bring_over()  # in production a thread does
    owner.tab("API access")
    owner.click("Decision log")
    rows = owner.page.get_by_role("table", name="Decision log").or_(owner.page.locator("table.deck")).first
    for code in ("allowed", "needs_approval", "approved", "unknown_action"):
        expect(rows).to_contain_text(code)
    owner.fits()
    owner.tab("Activity")
    for words in ("approved", "key", "contract"):
        expect(owner.page.locator("main")).to_contain_text(re.compile(words, re.IGNORECASE))
