"""A regulator's question, two years later: what the system told a customer, whether it was allowed to, and on what.

Put to an auditor, who finds it from the list of initiatives, and hands out a file that strangers check.
"""

import os
import subprocess
import venv
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from governance import clock
from governance.authorization import decision_log
from governance.interaction_log import loading
from governance.interaction_log.intake import interactions
from governance.models import Entry
from governance.offline import verify
from governance.transparency_log import sealing
from tests.support import factories
from tests.support.servers.asking_systems import System

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(days=700)
INSIDE = {
    "subject_groups": ["account_managers"],
    "subject_department": "Account management",
    "subject_place": "Zurich",
    "resource_data_class": "customer notes",
    "action_count": 1,
}
SAID = "The guarantee runs for two years."


@pytest.fixture
def past(transactional_db):
    """An MVP two years ago, whose system asked, was allowed, and answered customer 4; sealed that day."""
    with clock.simulated(clock.now() - LONG_AGO):
        cast = factories.make_cast()
        initiative = factories.make_mvp(cast)
        system = System(factories.make_key(cast, initiative, scopes=["interactions", "evaluate"])[1].text)
        for customer, answer in (("customer 4", SAID), ("customer 5", "Not today.")):
            asked = system.ask("summarise", **INSIDE)
            line = {
                "at": clock.now().isoformat(),
                "input": f"How long is it good for, asks {customer}?",
                "output": answer,
                "model": "m-1",
                "subject": customer,
                "sources": "terms-2024",
                "decision": asked["context"]["id"],
            }
            assert system.send("/access/v1/interactions", line).status_code == 200
        decision_log.decisions.bring_over()
        interactions.bring_over()
        loading.loader.bring_orphans(interactions._folder)
        day = clock.today()
    sealing.seal()
    return cast, initiative, day


@pytest.fixture
def cast(past):
    """The people of that organisation."""
    return past[0]


def test_what_it_told_this_customer_and_whether_it_was_allowed_to(watch, past, tmp_path):
    cast, initiative, day = past
    auditor = watch.sign_in(cast.auditor)
    page = auditor.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Initiatives").click()
    auditor.click(initiative.title)
    auditor.click("Contract and access")
    auditor.click("API access")
    auditor.click("Interaction log")
    form = page.locator("main").get_by_role("search")
    auditor.type("Person", "customer 4", form)
    auditor.type("From", day.isoformat(), form)
    form.get_by_label("To", exact=True).fill(day.isoformat())
    auditor.press("Search", form)
    rows = page.locator("main tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").first.click()

    # What it told them; whether it was allowed to, and by which clause; from which source.
    main = page.locator("main")
    expect(main).to_contain_text(SAID)
    expect(main).to_contain_text("terms-2024")
    facts = page.locator("dl.facts")
    expect(facts).to_contain_text("allow")
    expect(facts).to_contain_text("It may summarise")
    auditor.fits()
    with page.expect_download() as download:
        auditor.click("Download a file for verification")
    file = Path(tmp_path / "told.json")
    download.value.save_as(file)

    # By whom, and on which evidence it was trusted.
    auditor.click("The initiative at the end of that day")
    expect(page.get_by_role("region", name="Another day")).to_contain_text("You cannot change this page")
    expect(page.locator("main header").first).to_contain_text("MVP")
    auditor.tab("Requirements")
    expect(page.locator("main")).to_contain_text("Requirements")

    # That it was read is recorded; and whoever gets the file need not believe us.
    assert [
        entry.facts["facts"]["way"]
        for entry in Entry.objects.filter(kind="interaction opened").order_by("pk")
    ] == [
        "look",
        "download",
    ]
    bare = tmp_path / "bare"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(bare)
    assert verified(bare, file).returncode == 0
    file.write_text(file.read_text().replace("two years", "ten years"))
    assert verified(bare, file).returncode == 1


def verified(bare: Path, file: Path) -> subprocess.CompletedProcess:
    """What the verifier says of the file, run with a bare Python and an empty environment."""
    return subprocess.run(
        [bare / "bin" / "python", "-I", verify.__file__, file],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
    )
