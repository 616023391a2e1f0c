"""An unclosed quotation mark, and rows that do not fit, at every page that takes a table."""

import pytest
from django.core.exceptions import ValidationError

from initiatives.models import ImportBatch
from initiatives.portfolio.imports.inventories.actions import upload_batch
from initiatives.portfolio.imports.portfolio.actions import upload_portfolio

pytestmark = pytest.mark.django_db
BODY = 'Title,Owner,Status,Note\nRoute planner,Ana Ruiz,Live,"three\nFault triage,Bo Lind,Pilot,x\n'


@pytest.mark.parametrize("own", [True, False])
def test_inventories_refuse_an_unclosed_mark_with_its_line(cast, own):
    with pytest.raises(ValidationError, match="line 2 cannot be read"):
        upload_batch(content=BODY.encode(), file_name="a.csv", source="fleet-2026", own=own, by=cast.admin)
    assert not ImportBatch.objects.exists()


def test_rows_that_do_not_fit_are_set_aside(cast):
    rows = (
        "Title,Owner,Status,Note",
        "Route,Ana,Live",
        "Fault triage,a,Bo,Live,x",
        "Stock,Bo,Live,y",
        "Total,,,3",
    )
    batch = upload_portfolio(content="\n".join(rows).encode(), file_name="a.csv", by=cast.admin)
    assert list(batch.rows.order_by("line").values_list("line", "decision")) == [
        (2, "triage"),
        (3, "triage"),
        (4, "import"),
    ]
    assert any("5." in remark for remark in batch.reading["remarks"])
