"""A few rows of a real public inventory: reported stages of others, next to the initiatives that are
documented here.
"""

import csv
import io
from datetime import timedelta
from pathlib import Path

from adoption.demo.people import Company
from governance import clock
from initiatives.portfolio.imports.inventories.actions import confirm_batch, upload_batch

EXTRACT = Path(__file__).with_name("inventory_extract.csv")
SOURCE = "us-2025"
WAITING = 4  # rows of a second file, which an admin has uploaded and nobody confirmed


def bring_in(company: Company) -> None:
    """Upload and confirm the extract as admin; its last rows come as a second file that waits to be confirmed."""
    admin = company["admin"]
    header, *rows = csv.reader(io.StringIO(EXTRACT.read_text(encoding="utf-8-sig"), newline=""))
    with clock.simulated(clock.now() - timedelta(days=9)):
        batch = upload_batch(
            content=_file(header, rows[:-WAITING]), file_name="inventory.csv", source=SOURCE, by=admin
        )
        confirm_batch(batch=batch, by=admin)
    with clock.simulated(clock.now() - timedelta(days=1)):
        upload_batch(
            content=_file(header, rows[-WAITING:]), file_name="inventory-rest.csv", source=SOURCE, by=admin
        )


def _file(header: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()
