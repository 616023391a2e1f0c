"""An auditor's walk, two years later: from a decision to the initiative on that day, a sample, an export, and its
evidence.
"""

import os
import re
import subprocess
import venv
import zipfile
from datetime import timedelta

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from governance import clock
from governance.audit import audit_samples
from governance.models import Sample
from governance.transparency_log import sealing
from tests.support import factories

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(days=730)
SIZE = 25


@pytest.fixture
def past(transactional_db):
    """An organisation and its prototype, two years ago; sealed."""
    with clock.simulated(clock.now() - LONG_AGO):
        cast = factories.make_cast()
        initiative, day = factories.make_prototype(cast), clock.today()
    sealing.seal()
    return cast, initiative, day


@pytest.fixture
def cast(past):
    """The people of that organisation."""
    return past[0]


def test_two_years_later(watch, past, tmp_path):
    """Whoever asks finds the decision, sees the initiative that day, draws, exports, and need not believe us."""
    cast, initiative, day = past
    auditor = watch.sign_in(cast.auditor)
    page = auditor.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit").click()
    form = page.locator("main").get_by_role("search")
    auditor.choose("What", "sign-offs and decisions", form)
    auditor.type("From", (day - timedelta(days=3)).isoformat(), form)
    form.get_by_label("To", exact=True).fill((day + timedelta(days=3)).isoformat())
    auditor.type("Initiative", initiative.ref, form)
    auditor.press("Search", form)
    decision = page.locator("main ol.line > li").filter(has_text=re.compile("approved", re.I)).first
    expect(decision).to_contain_text(cast.chair.full_name)
    auditor.click("Entry", decision)
    expect(page.locator("main")).to_contain_text("The digest of this entry matches the bytes below.")
    auditor.fits()

    # The initiative at the end of that day, and the day before: it was an idea.
    auditor.click("The initiative at the end of that day")
    bar = page.get_by_role("region", name="Another day")
    expect(bar).to_contain_text("You cannot change this page")
    expect(page.locator("main header").first).to_contain_text("Prototype, decided")
    assert page.locator("main form[method=post]").count() == 0
    auditor.fits()

    auditor.click("Back to today")
    expect(bar).to_have_count(0)

    # A sample of what people did, concluded and exported.
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Audit").click()
    page.get_by_role("navigation", name="Audit").get_by_role("link", name="Sampling").click()
    auditor.click("Draw a sample")
    auditor.type("Name", "Sample of the year")
    auditor.type("Purpose", "Whether evidence stood behind what was answered.")
    auditor.type("Number of entries", str(SIZE))
    auditor.type("Seed", "20261120")
    page.get_by_label("What", exact=True).select_option(label="acts")
    auditor.press("Draw sample")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Sample of the year")
    assert page.locator("ul.todo > li").count() == SIZE
    auditor.click("Look at place 1")
    page.get_by_label("Exception").check()
    auditor.type("Why", "The plan was dated after the trial.")
    auditor.press("Save and open next entry")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Place 2 of {SIZE}")
    sample = Sample.objects.get()
    for drawn in sample.drawn.filter(place__gt=1):
        audit_samples.conclude(drawn=drawn, conclusion="satisfied", by=cast.auditor)
    page.goto(sample.get_absolute_url())
    auditor.press("Finish the sample")
    with page.expect_download() as download:
        auditor.click("Export CSV")
    rows = download.value.path().read_text().strip().splitlines()
    assert len(rows) == SIZE + 1

    # The whole audit log, verified by a Python that has nothing of ours, in a place that has nothing else.
    archive = tmp_path / "record.zip"
    call_command("export_audit_log", "--all", "--out", str(archive), verbosity=0)
    place = tmp_path / "elsewhere"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(place)
    (place,) = place.iterdir()
    bare = tmp_path / "bare"
    venv.EnvBuilder(with_pip=False, symlinks=True).create(bare)
    assert verified(bare, place).returncode == 0
    entries = place / "entries.jsonl"
    entries.write_bytes(entries.read_bytes().replace(b"prototype", b"prototypf", 1))
    found = verified(bare, place)
    assert found.returncode == 1
    assert "entries.jsonl" in found.stdout + found.stderr


def verified(bare, place) -> subprocess.CompletedProcess:
    """What the script in the export says, run with a bare Python and an empty environment."""
    return subprocess.run(
        [bare / "bin" / "python", "-I", "verify.py", "."],
        cwd=place,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
    )
