"""People from a table: every line told what it does or how to fix it, nothing half saved, nothing done twice."""

import csv
import io
import re

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.models import Entry, Membership, User
from governance.organisation import actions as organisation_actions
from governance.organisation import people_import
from governance.organisation.table_lines import KNOWN, NEW, WRONG
from governance.permission_result import Refused
from governance.sign_in import password_links
from governance.tables.reader import read_table
from tests.support.initiatives.initiative_pages import SIGNED

HEAD = "user name,name,mail,unit,manager,board,seat\n"
GOOD = (
    HEAD + "ben,Ben Okoye,ben@example.org,accounts,ana,,\n"
    "ana,Ana Ruiz,ana@example.org,Logistics,chair,,\n"
    "sponsor,Ada Moreau,,,,Retail board,Risk and compliance\n"
)

TABLE = read_table(GOOD.encode())


def read(cast, text):
    return people_import.read(
        read_table(text.encode(), expected=people_import.NEEDED_HEADINGS), by=cast.admin
    )


def problems(cast, *lines) -> list[list[str]]:
    whole = [line + "," * (6 - line.count(",")) for line in lines]
    return [line.problems for line in read(cast, HEAD + "\n".join(whole)).lines]


def test_each_line_is_told_what_it_does(cast):
    ben, ana, ada = read(cast, GOOD).lines
    assert [line.state for line in (ben, ana, ada)] == [NEW, NEW, KNOWN]
    assert (ben.unit, ana.unit) == (cast.unit, cast.elsewhere), "a unit by its code or its name"
    assert ada.fills_seat
    assert ada.seat_words == "Risk and compliance, Retail board"
    assert not ben.seat_words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (",Ana Ruiz", "The user name is missing"),
        (
            "ana,Ana\u202e Ruiz",
            "The name cannot be used. The text contains a character that readers cannot see: U+202E",
        ),
        ("ana,Ana Ruiz,,,,Retail\u200b board,Chair", "The board cannot be used."),
        ("a b,Ana Ruiz", "Use letters, digits"),
        ("ana,", "The name is missing"),
        ("ana,Ana Ruiz,not an address", "Use the form ana@example.org"),
        ("ana,Ana Ruiz,,nowhere", "Unit 'nowhere' does not exist. Add the unit first"),
        ("ana,Ana Ruiz,,,nobody", "No one signs in as 'nobody'"),
        ("ana,Ana Ruiz,,,ana", "A person cannot be their own manager"),
        ("ana,Ana Ruiz,,,,Retail board", "The line names a board without a seat"),
        ("ana,Ana Ruiz,,,,No board,Chair", "Board 'No board' does not exist"),
        ("ana,Ana Ruiz,,,,Retail board,Throne", "Choose one of these seats: Business value"),
        ("admin,Per Dahl,,,,Retail board,Chair", "You cannot give yourself a seat"),
        ("ana,=HYPERLINK(1)", "reads as a formula"),
        ("ana,Ana,,+1", "reads as a formula"),
        ("@SUM(1),Ana", "reads as a formula"),
        ("ana,\uff1d1+1", "reads as a formula"),
        ("ana,Ana Ruiz,,,,,,and more", "The row has 8 cells"),
        (f"{'a' * 255},Ana", "at most 254"),
        ("ana," + "n" * 121, "Shorten it"),
    ],
)
def test_what_is_wrong_says_how_to_fix_it(cast, line, words):
    (found,) = problems(cast, line)
    assert any(words in problem for problem in found), found


def test_a_known_address_is_not_a_second_account(cast):
    organisation_actions.add_people(table=TABLE, invite=False, by=cast.admin)
    other, same = problems(cast, "ben.o,Ben Okoye,BEN@example.org", "ben,Ben Okoye,ben@example.org")
    assert any("'ben'" in problem for problem in other)
    assert not same


PLAIN = "Name,E-mail,Department,Manager\n"


def test_a_list_without_user_names_is_read_by_addresses(cast):
    ida = organisation_actions.add_person(
        login="ida", full_name="Ida Holm", email="ida@example.org", by=cast.admin
    )
    ana, ben, zoe, again = read(
        cast,
        f'{PLAIN}Ana Ruíz,Ana@example.org,accounts,{cast.chair.full_name}\nBen Okoye,ben@example.org,,"Ruiz, Ana"\n'
        "Zoe Lee,zoe@example.org,,BEN@example.org\nIda Holm,IDA@example.org,,Ana Ruiz\n",
    ).lines
    assert not [line.problems for line in (ana, ben, zoe, again) if line.problems]
    assert [line.cells["login"] for line in (ana, ben, zoe, again)] == [
        *("ana@example.org", "ben@example.org", "zoe@example.org", "ida")
    ]
    assert [line.cells["manager"] for line in (ana, ben, zoe)] == [
        *(cast.chair.login, "ana@example.org", "ben@example.org")
    ]
    assert (ben.above, zoe.above, again.known) == (ana, ben, ida)
    assert any("manager stays" in remark for remark in again.remarks)


def test_a_manager_by_a_name_that_is_not_clear_is_asked_about(cast):
    lines = read(
        cast,
        PLAIN
        + "Ana Ruiz,ana@example.org,,\nAna Ruiz,ana.ruiz@example.org,,\nBen Okoye,ben@example.org,,Ana Ruiz\n"
        "Zoe Lee,zoe@example.org,,Nobody Known\nIda Holm,,,\nIda Holm,ana@example.org,,\n"
        "Uma Roy,uma@example.org,,Uma Roy",
    ).lines
    assert [line.state for line in lines] == [NEW, NEW, *[WRONG] * 5]
    assert "ana.ruiz@example.org, ana@example.org" in lines[2].problems[0]
    assert "'Nobody Known'" in lines[3].problems[0]


def test_people_and_managers_of_a_list_without_user_names_are_added(cast):
    text = PLAIN + "Ben Okoye,ben@example.org,,Ana Ruiz\nAna Ruiz,ana@example.org,,\n"
    organisation_actions.add_people(table=read_table(text.encode()), invite=False, by=cast.admin)
    ben = User.objects.get(login="ben@example.org")
    assert (ben.email, ben.manager.email) == ("ben@example.org", "ana@example.org")
    assert [line.state for line in read(cast, text).lines] == [KNOWN, KNOWN]


def test_what_two_lines_do_to_each_other(cast):
    assert problems(cast, "ana,Ana Ruiz", "ANA,Ana Again")[1] == [
        "Line 2 already has the same user name. Keep one of the two lines."
    ]
    circle = problems(cast, "a,A,,,b", "b,B,,,c", "c,C,,,a")
    assert all("a circle" in found[0] for found in circle)
    below = problems(cast, "a,A,,,b", "b,B,,,b2", "b2,C,,,b")
    assert [bool(found) for found in below] == [False, True, True], (
        "who hangs below a circle is not part of it"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("user name,name\n", "no rows below"),
        ("a,b\nc,d\n", "no column “user name” and no column “name”"),
        ("name,name,user name\nx,y,z\n", "“name” and “name .2.” mean the same"),
        ('user name,name\nana,"Ana', "quotation mark"),
    ],
)
def test_what_is_no_table_is_said(cast, text, words):
    if "quotation" in words:
        text += "x" * 200_000
    with pytest.raises(ValidationError, match=words):
        read(cast, text)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_as_spreadsheets_write_it(cast, delimiter):
    text = "\ufeff" + GOOD.replace(",", delimiter).replace("\n", "\r\n")
    assert [line.state for line in read(cast, text).lines] == [NEW, NEW, KNOWN]
    assert [line.number for line in read(cast, "\n\n" + GOOD).lines] == [4, 5, 6]


def test_all_are_added_at_once_managers_first_and_a_second_run_changes_nothing(
    cast, django_capture_on_commit_callbacks
):
    cast.board.memberships.get(seat="risk_compliance")
    with django_capture_on_commit_callbacks(execute=True):
        organisation_actions.add_people(table=TABLE, invite=True, by=cast.admin)
    ana, ben = User.objects.get(login="ana"), User.objects.get(login="ben")
    assert (ben.manager, ana.manager, ben.unit) == (ana, cast.chair, cast.unit)
    told = [message for message in mail.outbox if "You were given the seat" in message.subject]
    invited = [message.to[0] for message in mail.outbox if message not in told]
    assert (sorted(invited), len(told)) == (["ana@example.org", "ben@example.org"], 1)
    seat = Membership.objects.get(person=cast.sponsor, seat="risk_compliance")
    assert (seat.board, seat.granted_by) == (cast.board, cast.admin)
    newest = Entry.objects.latest("pk").pk
    with django_capture_on_commit_callbacks(execute=True):
        table = organisation_actions.add_people(table=TABLE, invite=True, by=cast.admin)
    assert [line.state for line in table.lines] == [KNOWN] * 3
    assert table.changes == 0
    assert Entry.objects.latest("pk").pk == newest, "not even an entry"
    assert len(mail.outbox) == 3


def test_who_is_here_stays_as_they_are_and_the_difference_is_said(cast):
    (line,) = read(cast, HEAD + "OWNER,Marta Lind,new@example.org,logistics,chair,,\n").lines
    assert line.state == KNOWN
    assert line.remarks == [
        "The name stays 'Marta Lindqvist'. Change it in Admin.",
        "The mail stays 'owner@example.org'. Change it in Admin.",
        "The unit stays 'accounts'. Change it in Admin.",
        "The manager stays empty. Add it in Admin.",
    ]


def test_one_wrong_line_and_nobody_is_added(cast, as_):
    count = User.objects.count()
    text = GOOD + "carl,Carl,not an address\n"
    with pytest.raises(ValidationError, match="One line needs fixing"):
        organisation_actions.add_people(table=read_table(text.encode()), invite=True, by=cast.admin)
    assert User.objects.count() == count
    page = as_(cast.admin).post("/accounts/add/", {"text": text, "step": "enter", "invite": "on"})
    words = page.content.decode()
    assert "One line needs fixing." in words
    assert not re.search(r"<button[^>]*>\s*</button>", words), "no button without words"
    assert "carl,Carl,not an address" in words, "nothing typed is lost"
    assert "Take all of it" not in words
    assert User.objects.count() == count
    with pytest.raises(Refused):
        organisation_actions.add_people(table=TABLE, invite=False, by=cast.owner)


def test_the_page_shows_before_it_takes(cast, as_):
    client, count = as_(cast.admin), User.objects.count()
    file = SimpleUploadedFile("people.csv", GOOD.encode())
    page = client.post("/accounts/add/", {"file": file, "step": "enter", "invite": "on"})
    assert User.objects.count() == count, "a file is shown first, whatever button was pressed"
    words = page.content.decode()
    assert "The table can be imported." in words
    assert "Risk and compliance, Retail board" in words
    assert "ben,Ben Okoye,ben@example.org" in words
    page = client.post(
        "/accounts/add/", SIGNED | {"text": GOOD, "step": "enter", "invite": "on"}, follow=True
    )
    assert "2 accounts added, 1 seat filled, 2 invited." in page.content.decode()
    again = client.post("/accounts/add/", {"text": GOOD, "step": "look"}).content.decode()
    assert "No line of the table is new." in again


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 workbook", "The workbook is damaged"),
        ("user name,name\nana,Jos\u00e9\n".encode("latin-1"), "In which code page"),
        (b"x" * (1024 * 1024 + 1), "larger than 1 MB"),
        (b"", "empty"),
        (b"\0\0\0", "The file is not text"),
    ],
)
def test_odd_files_are_answered_in_words(cast, as_, content, words):
    file = SimpleUploadedFile("people.csv", content)
    page = as_(cast.admin).post("/accounts/add/", {"file": file, "step": "look"})
    assert page.status_code == 200
    assert words in page.content.decode()


def test_names_are_escaped_on_the_page(cast, as_):
    text = HEAD + "ana,<script>alert(1)</script>\n"
    words = as_(cast.admin).post("/accounts/add/", {"text": text, "step": "look"}).content.decode()
    assert "<script>alert(1)" not in words


def test_the_list_says_who_has_not_answered_and_its_export_comes_back(cast, as_):
    organisation_actions.add_people(table=TABLE, invite=True, by=cast.admin)
    organisation_actions.add_person(login="never", full_name="Nev Er", email="n@example.org", by=cast.admin)
    client = as_(cast.admin)
    words = client.get("/accounts/?show=unanswered").content.decode()
    assert ("Ana Ruiz" in words, "Nev Er" in words, "Marta Lindqvist" in words) == (True, False, False)
    assert "Send again" in words
    words = client.get("/accounts/?show=never&q=nev").content.decode()
    assert ("Ana Ruiz" in words, "Nev Er" in words) == (False, True)
    never = User.objects.get(login="never")
    page = client.post(f"/accounts/{never.pk}/invite/", {"show": "never"}, follow=True)
    assert "Nev Er gets a link to choose a password" in page.content.decode()
    page = client.post(f"/accounts/{cast.owner.pk}/invite/", follow=True)
    assert "works for an hour" in page.content.decode()
    link = cast.owner.password_links.get()
    assert (link.purpose, link.made_by) == ("reset", cast.admin)
    assert f"{cast.admin} asked for a new password for you" in password_links.compose(link).body
    taken = b"".join(client.get("/accounts/?format=csv").streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(taken.lstrip("\ufeff"))))
    assert {row["state"] for row in rows} == {"can sign in", "invited, not answered"}
    table = read(cast, taken)
    assert table.of(WRONG) == []
    assert table.changes == 0


def test_a_long_list_asks_no_more_questions(cast, as_, django_assert_max_num_queries):
    client = as_(cast.admin)
    client.get("/accounts/")
    with django_assert_max_num_queries(20):
        client.get("/accounts/")
    lines = "\n".join(f"p{n},Person {n},p{n}@example.org,accounts,,," for n in range(60))
    with django_assert_max_num_queries(40):  # what is sent is rehearsed first
        page = client.post("/accounts/add/", {"text": HEAD + lines, "step": "look"})
    assert page.context["look"].entering == 60
