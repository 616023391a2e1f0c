"""A sheet of one's own: matched, corrected on the page, published; owners asked once; changes proposed, not taken."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance import clock
from governance.audit_log import entries
from governance.database import row_history
from governance.database.row_history import acting
from governance.models import Entry, PasswordLink, Unit, User
from governance.permission_result import Conflict, Refused
from initiatives.inbox.rows.person_rows import look_of
from initiatives.inbox.tasks.inbox_tasks import sheet_changes
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.roles import inbox as role_inbox
from initiatives.models import BusinessCase, ImportBatch, Initiative, RoleAssignment
from initiatives.portfolio.imports.portfolio import actions, proposed_changes
from initiatives.portfolio.imports.removal import actions as removal_actions
from tests.support.attacks.unguarded_writes import unguarded

pytestmark = pytest.mark.django_db
SHEET = """Initiative;Owner;Department;Status;Vendor;Budget;Currency;Go-live;Ticket;Risk
Invoice reader;{owner};{unit};Live;Acme;120k;EUR;2025-03-14;P-1;High
Mail triage;{owner};{unit};Pilot;;€ 80 000;;Q3 2026;P-2;
Route planner;Bob Nobody;Warehousing;Idea;;;;;P-3;low
Depot camera;;Warehousing;Poc;Acme;10;;03/04/2027;P-4;
Quiet one;;;;;;;;P-5;
;;{unit};Idea;;;;;P-6;
"""


def sheet(cast, text=SHEET):
    return text.format(owner=cast.owner.full_name, unit=cast.unit.name)


def upload(cast, text=SHEET, name="portfolio.csv") -> ImportBatch:
    return actions.upload_portfolio(content=sheet(cast, text).encode(), file_name=name, by=cast.admin)


def fates(batch) -> dict[str, str]:
    return {row.mapped["title"]: row.decision for row in batch.rows.all()}


def test_what_a_sheet_says_is_read_and_nothing_is_live(cast):
    before = Initiative.objects.count()
    batch = upload(cast)
    assert fates(batch) == {
        "Invoice reader": "import",
        "Mail triage": "import",
        "Route planner": "import",
        "Depot camera": "import",
        "Quiet one": "triage",
        "": "reject",
    }
    rows = {row.mapped["title"]: row for row in batch.rows.all()}
    reader = rows["Invoice reader"].mapped
    assert (reader["stage"], reader["budget"], reader["currency"]) == ("production", "120000.00", "EUR")
    assert reader["owner"] == cast.owner.pk
    assert rows["Mail triage"].mapped["stage"] == "mvp"
    assert rows["Mail triage"].mapped["go_live_on"] == "2026-09-30"
    assert rows["Route planner"].mapped["stage"] == "proposed"
    assert rows["Route planner"].mapped["owner"] is None
    texts = [each["text"] for each in rows["Depot camera"].problems]
    assert any("without a currency" in text for text in texts)
    assert any("03/04/2027" in text for text in texts)
    assert Initiative.objects.count() == before
    assert not RoleAssignment.objects.waiting().exists()


def test_corrected_on_the_page_published_and_remembered(cast, as_):
    batch = upload(cast)
    client = as_(cast.admin)
    page = client.get(batch.get_absolute_url())
    form = page.context["mapping"]
    assert len(form.unsure) == 1
    posted = {name: field.initial or "" for name, field in form.fields.items()} | form.initial
    posted |= {f"stage_{form.stages.index([''])}": "proposed", "currency": "CHF", "dates": "dmy"}
    posted |= {f"login_{form.people_words.index('Bob Nobody')}": cast.lead.login}
    client.post(batch.get_absolute_url(), posted)
    batch.refresh_from_db()
    rows = {row.mapped["title"]: row.mapped for row in batch.rows.all()}
    assert rows["Quiet one"]["stage"] == "proposed"
    assert (rows["Depot camera"]["currency"], rows["Depot camera"]["go_live_on"]) == ("CHF", "2027-04-03")
    assert rows["Route planner"]["owner"] == cast.lead.pk
    page = client.get(f"{batch.get_absolute_url()}confirm/").content.decode()
    assert "5 initiatives are added to the portfolio: 2 as ideas" in page
    assert "Warehousing" in page
    done = client.post(f"{batch.get_absolute_url()}confirm/", follow=True).content.decode()
    assert "5 initiatives are in your portfolio. Owners are asked for 3 of them." in done
    planner = Initiative.objects.get(title="Route planner")
    assert (planner.stage, planner.basis, planner.unit.name) == ("proposed", "registered", "Warehousing")
    assert not planner.unit.imported
    assert planner.proposed_tier == "minimal"
    reader = Initiative.objects.get(title="Invoice reader")
    assert (reader.stage, reader.basis, reader.unit) == ("production", "import", cast.unit)
    assert reader.business_case.budget == 120000
    assert reader.business_case.ticket == "P-1"
    assert client.get(reader.get_absolute_url()).status_code == 200
    assert {row.person for row in RoleAssignment.objects.waiting()} == {cast.owner, cast.lead}
    again = upload(cast, "Initiative;Owner;Department;Status\nNew one;Bob Nobody;Warehousing;\n")
    row = again.rows.get()
    assert (row.mapped["stage"], row.mapped["owner"]) == ("proposed", cast.lead.pk)
    assert row.mapped["unit"] == str(planner.unit_id), "the unit that was made is found by its name"


def test_each_owner_is_asked_by_one_message(cast):
    actions.confirm_portfolio(batch=upload(cast), by=cast.admin)
    told = [due for due in role_inbox.roles_to_accept(clock.now()) if due.person == cast.owner]
    assert len(told) == 1
    assert "2 roles" in told[0].subject


def test_a_second_sheet_proposes_changes_and_makes_no_second_initiative(cast, as_):
    actions.confirm_portfolio(batch=upload(cast), by=cast.admin)
    count = Initiative.objects.count()
    newer = SHEET.replace("120k", "150k").replace("Mail triage", "Mail sorting").replace("Pilot", "Live")
    newer = newer.replace(";P-3;low", ";P-3;high").replace("Depot camera;;", "Depot camera;{owner};")
    batch = upload(cast, newer, "newer.csv")
    rows = {row.mapped["title"]: row for row in batch.rows.all()}
    assert [each["field"] for each in rows["Invoice reader"].mapped["changes"]] == ["budget"]
    assert [each["field"] for each in rows["Mail sorting"].mapped["changes"]] == ["title"]
    refused = {title: [each["words"] for each in row.mapped["refused"]] for title, row in rows.items()}
    assert refused["Mail sorting"] == ["Status"]
    assert refused["Route planner"] == ["Risk tier"]
    assert refused["Depot camera"] == ["Owner"]
    assert Initiative.objects.count() == count
    assert actions.confirm_portfolio(batch=batch, by=cast.admin)["imported"] == 0, "only what is new"
    with pytest.raises(Conflict):
        actions.confirm_portfolio(batch=batch, by=cast.admin)
    owned = rows["Invoice reader"]
    role = RoleAssignment.objects.waiting().get(initiative=owned.initiative, role="owner")
    role_actions.accept_role(assignment=role, by=cast.owner)
    as_(cast.admin).post(f"{batch.get_absolute_url()}changes/")
    assert Initiative.objects.filter(title="Mail sorting", stage="mvp").exists(), "taken: nobody owns it yet"
    assert BusinessCase.objects.get(ticket="P-1").budget == 120000, "its owner is asked"
    ref = owned.initiative.ref
    with pytest.raises(Refused):
        proposed_changes.take_changes(row=owned, fields=["budget"], by=cast.admin)
    assert [line.link for line in sheet_changes(look_of(cast.owner))] == [
        f"/initiatives/{ref}/do/take-changes/"
    ]
    page = as_(cast.owner).get(f"/initiatives/{ref}/do/take-changes/").content.decode()
    assert "150000" in page
    as_(cast.owner).post(f"/initiatives/{ref}/do/take-changes/", {"fields_taken": ["budget"]})
    assert BusinessCase.objects.get(ticket="P-1").budget == 150000
    assert not list(sheet_changes(look_of(cast.owner)))
    assert Entry.objects.filter(kind="imported row decided", initiative_ref=ref).exists()


def test_an_own_sheet_is_undone_and_an_invitation_binds_by_its_link(cast, mailoutbox):
    text = "Initiative;Owner;Status\nCard scanner;Mia New <mia@new.example>;Pilot\n"
    batch = upload(cast, text)
    word = "Mia New <mia@new.example>"
    assert batch.reading["people"][word]["person"] is None
    assert not User.objects.filter(email="mia@new.example").exists()
    actions.map_portfolio(
        batch=batch,
        columns=batch.reading["columns"],
        stages={},
        units={},
        people={word: "invite"},
        unit=cast.unit,
        parent=cast.unit,
        by=cast.admin,
    )
    assert not User.objects.filter(email="mia@new.example").exists(), (
        "nobody is invited before it is published"
    )
    assert not PasswordLink.objects.exists()
    counts = actions.confirm_portfolio(batch=ImportBatch.objects.get(pk=batch.pk), by=cast.admin)
    person = User.objects.get(email="mia@new.example")
    assert not person.has_usable_password()
    assert person.full_name == "Mia New"
    assert PasswordLink.objects.get().person == person
    assert counts["asked"] == 1
    removal_actions.undo_batch(batch=batch, reason="Wrong sheet.", by=cast.admin)
    assert not Initiative.objects.live().filter(title="Card scanner").exists()
    assert not RoleAssignment.objects.waiting().filter(person=person).exists()


def test_only_admins_import_and_an_unknown_reference_is_refused(cast):
    with pytest.raises(Refused):
        actions.upload_portfolio(content=b"Title;Status\nA;Idea\n", file_name="a.csv", by=cast.owner)
    batch = upload(cast, "Reference;Title;Status\nAI-9999;Nobody's;Idea\n")
    assert batch.rows.get().decision == "reject"
    assert "There isn't an initiative AI-9999 here" in batch.rows.get().problems[-1]["text"]


def map_as_read(cast, batch, **said):
    """The mapping confirmed as it was guessed, but for what is said otherwise."""
    as_read = {"stages": {}, "units": {}, "people": {}, "unit": cast.unit, "parent": cast.unit}
    return actions.map_portfolio(
        batch=batch, columns=batch.reading["columns"], by=cast.admin, **(as_read | said)
    )


def test_a_confirmed_tier_keeps_an_import(cast):
    batch = upload(cast)
    actions.confirm_portfolio(batch=batch, by=cast.admin)
    initiative = Initiative.objects.get(title="Invoice reader")
    assert not removal_actions.worked_on(removal_actions.brought_by(batch)), "proposed, and not confirmed"
    detail_actions.confirm_tier(initiative=initiative, tier="high", by=cast.seat_risk)
    words = removal_actions.worked_on(removal_actions.brought_by(batch))
    assert words == {initiative.ref: ["risk tier confirmed"]}


def test_every_department_and_owner_is_read_however_many_there_are(cast, as_):
    lines = [f"Initiative {number};Person {number};Place {number};Idea" for number in range(230)]
    lines.append(f"Initiative 230;{cast.owner.full_name};{cast.unit.name};Idea")
    batch = upload(cast, "\n".join(["Initiative;Owner;Department;Status", *lines]))
    assert len(batch.reading["units"]) == len(batch.reading["people"]) == 231
    row = batch.rows.get(mapped__title="Initiative 230")
    assert (row.mapped["unit"], row.mapped["owner"]) == (str(cast.unit.pk), cast.owner.pk)
    page = as_(cast.admin).get(batch.get_absolute_url())
    form = page.context["mapping"]
    assert (len(form.part("unit")), len(form.unsure), len(form.sure)) == (200, 200, 0)
    assert "62 more departments and owners are not in this list" in page.content.decode()
    posted = {name: field.initial or "" for name, field in form.fields.items()} | form.initial
    assert as_(cast.admin).post(batch.get_absolute_url(), posted).status_code == 302
    row.refresh_from_db()
    assert row.mapped["owner"] == cast.owner.pk


def test_what_is_remembered_counts_while_it_is_there(cast):
    text = "Initiative;Owner;Department;Status\nOne;The boss;Depot;Idea\n"
    batch = upload(cast, text)
    with acting(by=cast.admin):
        gone = Unit.objects.create(code="gone", name="Gone", parent=cast.unit)
        entries.record("unit added", unit=gone.name)
    map_as_read(cast, batch, units={"Depot": str(gone.pk)}, people={"The boss": str(cast.lead.pk)})
    again = upload(cast, text.replace("One", "Two"))
    assert again.reading["units"] == {"Depot": str(gone.pk)}
    assert again.reading["people"]["The boss"]["person"] == cast.lead.pk
    with unguarded("governance_user", "governance_unit"), acting(by=cast.admin):
        gone.delete()
        row_history.update_where(User, [cast.lead.pk], is_active=False)
    third = upload(cast, text.replace("One", "Three"))
    assert third.reading["units"] == {"Depot": "new"}
    assert third.reading["people"]["The boss"]["person"] is None


def test_an_owner_who_was_cleared_is_forgotten(cast):
    text = "Initiative;Owner;Status\nOne;The boss;Idea\n"
    map_as_read(cast, upload(cast, text), people={"The boss": str(cast.lead.pk)})
    second = upload(cast, text.replace("One", "Two"))
    assert second.reading["people"]["The boss"]["person"] == cast.lead.pk
    map_as_read(cast, second, people={"The boss": ""})
    assert upload(cast, text.replace("One", "Three")).reading["people"]["The boss"]["person"] is None


def test_rows_keep_their_keys_when_they_are_read_anew(cast):
    batch = upload(cast)
    before = dict(batch.rows.values_list("line", "pk"))
    map_as_read(cast, batch, stages={"": "proposed"})
    assert dict(batch.rows.values_list("line", "pk")) == before
    assert batch.rows.get(mapped__title="Quiet one").decision == "import"


TWICE = """Initiative;Status;Budget;Currency;Ticket
Invoice reader;Live;100;EUR;P-1
 invoice  READER ;Pilot;200;EUR;
Reader of invoices;Pilot;300;EUR;p-1
Mail triage;Idea;;;P-2
"""


def test_one_initiative_in_several_lines_is_one_question(cast, as_):
    batch = upload(cast, TWICE)
    assert list(batch.rows.values_list("line", "decision")) == [
        *((line, "triage") for line in (2, 3, 4)),
        (5, "import"),
    ]
    assert [(each["lines"], each["answer"]) for each in batch.reading["repeated"]] == [("2, 3, 4", "")]
    assert {each["kind"] for each in batch.rows.get(line=3).problems} == {"repeated"}
    client = as_(cast.admin)
    form = client.get(batch.get_absolute_url()).context["mapping"]
    posted = {name: field.initial or "" for name, field in form.fields.items()} | form.initial
    client.post(batch.get_absolute_url(), posted | {"repeated_0": "3"})
    client.post(f"{batch.get_absolute_url()}confirm/")
    assert list(batch.rows.values_list("line", "decision")) == [
        (2, "reject"),
        (3, "import"),
        (4, "reject"),
        (5, "import"),
    ]
    row = batch.rows.get(line=3)
    assert (row.initiative.title, row.initiative.business_case.budget) == ("invoice READER", 200)


def test_lines_of_one_name_can_be_different_initiatives(cast):
    batch = upload(cast, TWICE)
    batch = map_as_read(cast, batch, repeated={"2, 3, 4": "apart"})
    assert set(batch.rows.values_list("decision", flat=True)) == {"import"}
    actions.confirm_portfolio(batch=batch, by=cast.admin)
    again = upload(cast, TWICE.replace("300", "400"), "newer.csv")
    change = again.rows.get(decision="change")
    assert change.initiative.title == "Reader of invoices", "its ticket is shared, but its title is its own"


def test_the_same_sheet_again_adds_nothing_and_asks_nothing(cast):
    batch = map_as_read(cast, upload(cast, TWICE), repeated={"2, 3, 4": "apart"})
    actions.confirm_portfolio(batch=batch, by=cast.admin)
    count = Initiative.objects.count()
    again = upload(cast, TWICE + "\n", "again.csv")
    assert set(again.rows.values_list("decision", flat=True)) <= {"unchanged", "change"}
    assert not again.reading["repeated"]
    assert Initiative.objects.count() == count


@pytest.mark.parametrize("answer", ["", "apart", "here"])
def test_a_changed_line_of_a_known_name_is_not_new_without_a_question(cast, answer):
    batch = map_as_read(cast, upload(cast, TWICE), repeated={"2, 3, 4": "apart"})
    actions.confirm_portfolio(batch=batch, by=cast.admin)
    ref = Initiative.objects.get(title="Invoice reader").ref
    lines = TWICE.splitlines()
    again = upload(cast, "\n".join([*lines[:2], lines[2] + "1", *lines[3:]]), "again.csv")
    changed = again.rows.get(line=3)
    assert changed.decision == "triage"
    (asked,) = again.reading["repeated"]
    assert (asked["lines"], ref in asked["here"]) == ("3", True)
    again = map_as_read(cast, again, repeated={"3": ref if answer == "here" else answer})
    row = again.rows.get(line=3)
    assert row.decision in {"": ["triage"], "apart": ["import"], "here": ["change", "unchanged"]}[answer]
    assert (row.initiative and row.initiative.ref) == (ref if answer == "here" else None)


def test_an_initiative_that_is_here_in_two_lines_is_one_question(cast):
    actions.confirm_portfolio(batch=upload(cast, TWICE), by=cast.admin)
    ref = Initiative.objects.get(title="Mail triage").ref
    batch = upload(cast, f"Reference;Title;Vendor\n{ref};Mail triage;Acme\n{ref};Mail triage;Bolt\n")
    assert set(batch.rows.values_list("decision", flat=True)) == {"triage"}
    batch = map_as_read(cast, batch, repeated={"2, 3": "3"})
    assert list(batch.rows.values_list("decision", flat=True)) == ["reject", "change"]


def test_two_sheets_that_waited_make_no_second_initiative_and_no_second_unit(cast):
    text = "Initiative;Department;Status\nOne;Yard;Idea\n"
    first, second = upload(cast, text), upload(cast, text + "Two;Yard;Idea\n", "more.csv")
    assert fates(second) == {"One": "import", "Two": "import"}
    actions.confirm_portfolio(batch=first, by=cast.admin)
    assert actions.confirm_portfolio(batch=second, by=cast.admin)["imported"] == 1
    assert Initiative.objects.filter(title="One").count() == 1
    assert Unit.objects.own().filter(name="Yard").count() == 1
    assert {row.initiative.unit.name for row in second.rows.all()} == {"Yard"}


def test_a_closed_initiative_asks_its_owner_nothing(cast):
    actions.confirm_portfolio(batch=upload(cast), by=cast.admin)
    initiative = Initiative.objects.get(title="Route planner")
    role = role_actions.propose_role(initiative=initiative, role="owner", person=cast.lead, by=cast.admin)
    role_actions.accept_role(assignment=role, by=cast.lead)
    upload(cast, "Initiative;Vendor;Status\nRoute planner;Acme;Idea\n")
    assert list(sheet_changes(look_of(cast.lead)))
    with unguarded("initiatives_initiative"), acting(by=cast.admin):
        gone = {"withdrawn_at": clock.now(), "withdrawn_reason": "Not ours."}
        row_history.update_where(Initiative, [initiative.pk], **gone)
    assert not list(sheet_changes(look_of(cast.lead)))


def test_changes_that_no_longer_fit_stop_none_of_the_others(cast, as_):
    actions.confirm_portfolio(batch=upload(cast), by=cast.admin)
    with acting(by=cast.admin):
        waiting = RoleAssignment.objects.waiting().values_list("pk", flat=True)
        row_history.update_where(RoleAssignment, list(waiting), declined_at=clock.now())
    batch = upload(cast, SHEET.replace("120k", "150k").replace("80 000", "90 000"), "newer.csv")
    rows = batch.rows.filter(decision="change").order_by("line")
    assert [row.mapped["title"] for row in rows] == ["Invoice reader", "Mail triage"]
    first = rows[0]
    first.mapped["changes"][0]["after"] = "9" * 30  # more than the column holds
    first.save()
    page = as_(cast.admin).post(f"{batch.get_absolute_url()}changes/", follow=True)
    assert (
        "Changes of 1 rows are accepted. 1 rows wait for the owner of the initiative."
        in page.content.decode()
    )
    assert BusinessCase.objects.get(ticket="P-2").budget == 90000


def test_an_answer_that_takes_nothing_is_an_answer(cast, as_):
    actions.confirm_portfolio(batch=upload(cast), by=cast.admin)
    initiative = Initiative.objects.get(title="Route planner")
    role = role_actions.propose_role(initiative=initiative, role="owner", person=cast.lead, by=cast.admin)
    role_actions.accept_role(assignment=role, by=cast.lead)
    upload(cast, "Initiative;Vendor;Status\nRoute planner;Acme;Idea\n")
    url = f"{initiative.get_absolute_url()}do/take-changes/"
    assert as_(cast.lead).post(url, {"answered": "1"}).status_code == 302
    assert not list(sheet_changes(look_of(cast.lead)))
    assert BusinessCase.objects.get(initiative=initiative).vendor == ""
    entry = Entry.objects.filter(kind="imported row decided", initiative_ref=initiative.ref).latest("pk")
    assert entry.facts["facts"]["taken"] == []


def test_who_left_since_the_sheet_was_read_is_not_asked(cast):
    batch = upload(cast, "Initiative;Owner;Status\nOne;{owner};Idea\n")
    assert batch.rows.get().mapped["owner"] == cast.owner.pk
    with unguarded("governance_user"), acting(by=cast.admin):
        row_history.update_where(User, [cast.owner.pk], is_active=False)
    assert actions.confirm_portfolio(batch=batch, by=cast.admin)["asked"] == 0


def test_statements_do_not_grow_with_the_rows_of_a_sheet(cast):
    took = []
    for rows in (20, 60):
        text = "Title;Status\n" + "".join(f"Sheet {rows} row {n};Idea\n" for n in range(rows))
        batch = upload(cast, text)
        with CaptureQueriesContext(connection) as statements:
            actions.confirm_portfolio(batch=batch, by=cast.admin)
        took.append(len(statements))
    assert took[1] <= took[0]
