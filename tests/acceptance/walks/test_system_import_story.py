"""A morning with the system import: from an export to the register, and once more a month later."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.models import Entry
from initiatives.models import System, SystemImport, Voiding
from tests.acceptance.walks.story import at
from tests.support import factories

pytestmark = pytest.mark.django_db

JUNE = (
    "System import of the claims department,,,\n"
    "Anwendung,Typ,Verantwortlich,Adresse\n"
    "Claims core,Eigenentwicklung,{owner},https://claims.example.org\n"
    "Price list,Netzlaufwerk,Nobody Known,//share/prices\n"
    "Handbook,Wiki,{owner},https://wiki.example.org\n"
)
JULY = (
    JUNE.replace("//share/prices", "//archive/prices").replace("https://wiki.", "https://handbook.")
    + "Rates,Datenbank,{owner},rates-db\n"
)


def post(client, url, **data) -> str:
    answer = client.post(url, data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def upload(client, text: str) -> tuple[SystemImport, str]:
    file = SimpleUploadedFile("system_import.csv", text.encode(), "text/csv")
    shown = post(client, reverse("system-imports"), file=file, kind="systems")
    return SystemImport.objects.latest("pk"), shown


def test_a_system_import_comes_in_twice_and_nothing_is_lost(cast, as_):
    owner = cast.outsider
    with at(2026, 6, 1):
        client = as_(cast.admin)
        june, shown = upload(client, JUNE.format(owner=owner.full_name))
        assert "No one here has the name “Nobody Known”" in shown
        assert (
            "3 rows are added to the register"
            in client.get(reverse("system-import-confirm", args=[june.pk])).content.decode()
        )
        post(client, reverse("system-import-confirm", args=[june.pk]), go="1")
        systems = {system.name: system for system in System.objects.all()}
        assert set(systems) == {"Claims core", "Price list", "Handbook"}
        assert systems["Claims core"].owner == owner
        assert systems["Price list"].owner is None
        initiative = factories.make_mvp(cast)
        factories.make_link(cast, initiative, systems["Price list"])
        before = Voiding.objects.count()
    with at(2026, 6, 2):
        again, shown = upload(as_(cast.admin), JUNE.format(owner=owner.full_name))
        assert again == june
        assert "This file was imported before" in shown
    with at(2026, 7, 1):
        client = as_(cast.admin)
        july, shown = upload(client, JULY.format(owner=owner.full_name))
        assert "as in the last table" not in shown, "its guess was never changed"
        states = dict(july.rows.values_list("mapped__label", "state"))
        assert states == {
            "Claims core": "same",
            "Price list": "differs",
            "Handbook": "differs",
            "Rates": "new",
        }
        taken = july.rows.get(mapped__label="Price list")
        kept = july.rows.get(mapped__label="Handbook")
        post(
            client,
            reverse("system-import", args=[july.pk]),
            do="rows",
            row=[taken.pk, kept.pk],
            take=[f"{taken.pk}:location"],
        )
        post(client, reverse("system-import-confirm", args=[july.pk]), go="1")
        places = dict(System.objects.values_list("name", "location"))
        assert places["Price list"] == "//archive/prices", "this one was taken"
        assert places["Handbook"] == "https://wiki.example.org", "this one was kept"
        assert places["Rates"] == "rates-db"
        assert Voiding.objects.count() > before, "the initiative hears that its source moved"
        assert dict(july.rows.values_list("mapped__label", "state"))["Price list"] == "replaced"
        changed = Entry.objects.filter(kind="system changed").get()
        assert changed.actor_id == cast.admin.pk
