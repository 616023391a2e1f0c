"""Hostile uploads: refused in words, or kept and never handed to a browser as anything that acts."""

import random
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import FileField

from governance.files import file_previews
from governance.files.upload_policy import LONGEST_NAME, TYPES, check_file, extension_of, tidy_name
from initiatives.models import Evidence
from tests.acceptance.input.test_generated_input import all_forms, kept, taken_back
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of
from tests.support.input import hostile_files
from tests.support.input.hostile_files import KEPT, MARK, REFUSED

pytestmark = pytest.mark.django_db

FILES = hostile_files.files()
TABLES = ("UploadForm",)  # where a table that can be read is kept as rows
INLINE = {"image/png", "image/jpeg", "application/pdf"}


# Every form that takes a file: where it is shown, who sends it, the name of its file there, what is said beside it.
SEVERAL = (
    "mvp.problem",
    "mvp.possibility",
    "mvp.workflow",
    "mvp.users",
    "mvp.success",
    "mvp.advance_evidence",
    "mvp.rollout",
    "mvp.override",
    "mvp.expectations",
)
DOORS = {
    "EvidenceForm": (
        lambda initiative: at("evidence-add", initiative.ref, kind="contract_clause"),
        "owner",
        "file",
        {
            "kind": "contract_clause",
            "covers": ["gov.autonomy"],
            "title": "Evidence",
            "observed_on": timedelta(0),
        },
    ),
    "RowEvidenceForm": (
        lambda initiative: at("requirement", initiative.ref, "gov.autonomy"),
        "owner",
        "evidence-file",
        {
            **{"kind": "answered", "based_on": "0", "evidence-kind": "contract_clause"},
            **{"evidence-title": "Evidence", "evidence-observed_on": timedelta(0)},
        },
    ),
    "ItemForm": (
        lambda initiative: at("requirements-several", initiative.ref, gate="mvp"),
        "owner",
        "item-document-file",
        {
            # What a browser sends along of the other questions of the page: hidden, and empty.
            **{f"{key}-kind": "answered" for key in SEVERAL} | {f"{key}-based_on": "0" for key in SEVERAL},
            **{
                "mvp.workflow-text": "Letters of the morning.",
                "item-document-kind": "document",
                "item-document-source": "file",
            },
            **{"item-document-observed_on": timedelta(0), "item-test_report-kind": "test_report"},
        },
    ),
    "UploadForm": (lambda _: at("imports"), "admin", "file", {"source": "us-2025"}),
    "InteractionFileForm": (
        lambda initiative: at("interactions-import", initiative.ref),
        "owner",
        "file",
        {},
    ),
    "MeasurementsFileForm": (
        lambda initiative: at("measurements-import", initiative.ref),
        "owner",
        "file",
        {},
    ),
    "PeopleForm": (lambda _: at("accounts-add"), "admin", "file", {}),
    "LinesForm": (lambda _: at("units-from-table"), "admin", "file", {}),
    "RulebookForm": (lambda _: at("rulebook-load"), "admin", "file", {}),
}


def send(client, initiative, file: hostile_files.Hostile, door: str = "EvidenceForm"):
    """The file as a browser of a hostile person sends it: its name unchanged, its type what it likes."""
    upload = SimpleUploadedFile("x", file.content, "text/html")
    upload._name = file.name  # past what Django's own class would tidy
    place, _, name, beside = DOORS[door]
    return client.post(place(initiative), factories.from_today(beside) | {name: upload})


def test_there_are_enough_of_them_and_each_is_another():
    assert len({(file.name, file.content) for file in FILES}) == len(FILES) >= 60
    assert sum(file.verdict == REFUSED for file in FILES) >= 60


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.what)
def test_each_is_judged_as_it_should_be(file):
    upload = SimpleUploadedFile("x", file.content)
    upload._name = file.name
    if file.verdict == KEPT:
        check_file(upload)
    else:
        with pytest.raises(ValidationError) as refusal:
            check_file(upload)
        assert file.words in " ".join(refusal.value.messages)


def test_what_is_refused_is_said_and_what_is_kept_never_acts(cast, as_, rounds):
    """Sent through the page: fifty of them, which chance chooses; all of them at full length."""
    initiative, client, wrong = factories.make_initiative(cast), as_(cast.owner), []
    for file in FILES if rounds >= 100 else random.sample(FILES, 50):
        wrong += [f"{file.what}: {trouble}" for trouble in judged(client, initiative, file, "EvidenceForm")]
    assert not wrong, "\n".join(wrong)


def judged(client, initiative, file, door):
    """What is wrong with what came of a file that was sent as evidence."""
    before = set(Evidence.objects.values_list("pk", flat=True))
    answer = send(client, initiative, file, door)
    # An answer that is sent along is attested, which is another row of evidence.
    new = Evidence.objects.exclude(pk__in=before).exclude(kind="attestation")
    if file.verdict == REFUSED:
        said = text_of(answer) if answer.status_code in (200, 422) else ""
        if new or file.words not in said or "Not saved yet" not in said:
            yield f"{answer.status_code}, {len(new)} kept, not said: {file.words}"
    elif len(new) != 1:
        yield "not kept"
    else:
        yield from handed_out(client, initiative, new[0], file)


def test_no_other_form_takes_what_is_no_table_or_text(cast, as_, rounds):
    """The other forms that take a file: three files each, which chance chooses; all of them at full length.

    What they take is read as a table, people or a rulebook, and is never handed out; what they do not is said in words.
    """
    takes = {
        form.__name__
        for form in all_forms()
        if any(isinstance(field, FileField) for field in form.base_fields.values())
    }
    # Their base, the style guide's, and those that have hostile files of their own: test_profiling, test_views_drills.
    others = {
        "EvidenceItemForm",
        "EvidenceOnRow",
        "TableForm",
        "SampleForm",
        "DataProfileForm",
        "DrillForm",
        "TraceForm",
    }
    others |= {"AttachForm", "TextForm"}  # kept as evidence is, read as a rulebook is
    assert takes - others == set(DOORS)
    initiative, wrong = factories.make_initiative(cast), []
    clients = {who: as_(getattr(cast, who)) for who in ("owner", "admin")}
    for door, (_, who, _, _) in DOORS.items():
        if door == "EvidenceForm":
            continue
        for file in FILES if rounds >= 100 else random.sample(FILES, 3):
            with taken_back():
                if door in ("RowEvidenceForm", "ItemForm"):
                    trouble = [*judged(clients[who], initiative, file, door)]
                else:
                    trouble = [*read_or_refused(clients[who], initiative, file, door)]
            wrong += [f"{file.what}, sent to {door}: {one}" for one in trouble]
    assert not wrong, "\n".join(wrong)


def read_or_refused(client, initiative, file, door):
    """What is wrong with what came of a file that was sent where tables, people and rulebooks are read."""
    before = kept()
    answer = send(client, initiative, file, door)
    if answer.status_code == 302:
        if door not in TABLES or (file.verdict == REFUSED and file.what != "a table as workbook"):
            yield "it was taken"  # a workbook is told by its content, not by its name
        answer = client.get(answer.url)
    elif kept() != before and not waits(answer) and file.verdict == REFUSED:
        yield "something is left of it"
    if answer.status_code != 200 or MARK in text_of(answer):
        yield f"its page answers {answer.status_code} or repeats it unescaped"


def waits(answer) -> bool:
    """Whether the page asks something about the file, which is kept for an hour: its code page, or its columns."""
    context = answer.context
    return "encoding" in context["form"].errors or bool(context.get("unsure") or context.get("look"))


def handed_out(client, initiative, item, file):
    """What is wrong with the ways this item leaves the house."""
    if (
        extension_of(item.file_name) not in TYPES
        or len(item.file_name) > LONGEST_NAME
        or set("/\\:<>\0\r\n") & set(item.file_name)
    ):
        yield f"its name is kept as {item.file_name!r}"
    sent = client.get(at("evidence-file", initiative.ref, item.pk))
    if b"".join(sent.streaming_content) != file.content:
        yield "its bytes are others"
    if (
        not sent["Content-Disposition"].startswith("attachment")
        or sent["X-Content-Type-Options"] != "nosniff"
    ):
        yield f"handed out as {sent['Content-Disposition']}"
    if not sent["Content-Security-Policy"].startswith("sandbox; default-src 'none'"):
        yield "handed out without a policy"
    if sent["Content-Type"].partition(";")[0] in (
        "text/html",
        "image/svg+xml",
        "application/xhtml+xml",
        "text/xml",
    ):
        yield f"handed out as {sent['Content-Type']}"
    if file.name != "report.pdf" and file.content == hostile_files.pdf():
        return  # only its name is hostile
    looked = client.get(at("evidence-look", initiative.ref, item.pk))
    if looked.status_code != 200 or MARK in text_of(looked) or "\u202e" in text_of(looked):
        yield f"its page answers {looked.status_code} or repeats it unescaped"
    shown = client.get(at("evidence-content", initiative.ref, item.pk))
    if shown.status_code == 200 and (shown["Content-Type"] not in INLINE or item.content_type not in INLINE):
        yield f"shown as {shown['Content-Type']}"
    if shown.status_code == 200 and not shown["Content-Security-Policy"].startswith(
        "sandbox; default-src 'none'"
    ):
        yield "shown without a policy"


def test_harmless_files_of_every_kind_are_taken():
    """The look is no use when it refuses what people really send."""
    good = {
        "pdf": hostile_files.pdf(hostile_files.packed(hostile_files.zlib.compress(b"1 0 << /Type /Font >>"))),
        "png": hostile_files.png(),
        "jpg": hostile_files.jpeg(),
        "jpeg": hostile_files.jpeg(after=b"\0" * 40),  # telephones pad
        "docx": hostile_files.office(
            parts={"word/embeddings/Microsoft_Excel_Sheet.xlsx": hostile_files.office("xlsx")}
        ),
        "xlsx": hostile_files.office("xlsx", {"xl/printerSettings/printerSettings1.bin": b"x"}),
        "pptx": hostile_files.office("pptx", {"ppt/media/image1.svg": "<svg/>"}),
        "odt": hostile_files.office("odt"),
        "txt": "Grüße, 早".encode(),
        "md": b"<h1 align=center>Notes</h1>",
        "csv": b"a;b\n1;2\n",
        "json": b"[1, 2]",
        "jsonl": b'{"a": 1}\n{"a": 2}\n',
        "log": b"\x1b[31mred\x1b[0m 12:00\n" * 20,
        "eml": b"From: a@b.c\n\nHello",
    }
    assert set(good) == set(TYPES)
    for extension, content in good.items():
        assert check_file(ContentFile(content, f"report.{extension}")) == TYPES[extension][0]


def test_too_large_is_said_before_it_is_read(settings):
    settings.UPLOAD_MAX_BYTES = 10
    with pytest.raises(ValidationError, match="larger than"):
        check_file(ContentFile(b"x" * 11, "a.txt"))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\a:b.pdf", "a_b.pdf"),
        ("nul.txt", "_nul.txt"),
        ("report.pdf. .", "report.pdf"),
        ("re\u202etrop\u200b\x07.pdf", "retrop.pdf"),
        ("Bericht Ü.pdf", "Bericht Ü.pdf"),
        ("\u0645\u06cc\u200c\u062e\u0648.pdf", "\u0645\u06cc\u200c\u062e\u0648.pdf"),
        ("a\ufe0f\u200d\U0001f469.pdf", "a\U0001f469.pdf"),
        ("", ""),
        ("...", ""),
    ],
)
def test_names_are_tidied(name, kept):
    assert tidy_name(name) == kept


def test_what_lies_there_from_before_is_looked_at_again(cast, as_, monkeypatch):
    """The type that a row remembers is not believed: content that would be refused today is not shown.

    It was recorded with its own hash, by rules that let it pass; another file in its place is not opened at all.
    """
    initiative = factories.make_initiative(cast)
    client = as_(cast.owner)
    monkeypatch.setattr(
        "initiatives.lifecycle.evidence.actions.check_file", lambda file, *, page: "image/png"
    )
    for content in (
        hostile_files.HTML,
        hostile_files.SVG,
        hostile_files.pdf(hostile_files.SCRIPT_OBJECT),
        hostile_files.png(after=hostile_files.HTML),
    ):
        send(
            client,
            initiative,
            hostile_files.Hostile("a picture of before", "report.png", content, hostile_files.KEPT),
        )
        item = initiative.evidence.latest("pk")
        assert item.file.read() == content
        assert client.get(at("evidence-content", initiative.ref, item.pk)).status_code == 404
        assert "Plumbline shows only plain text" in text_of(
            client.get(at("evidence-look", initiative.ref, item.pk))
        )


def test_only_pictures_and_pdfs_that_pass_go_to_a_browser_as_they_are():
    for file in FILES:
        if file.verdict == REFUSED and file.content != hostile_files.pdf():  # where the name was the matter
            assert file_previews.sent_as(file.content) == "", file.what
