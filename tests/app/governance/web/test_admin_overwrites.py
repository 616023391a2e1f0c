"""Two pages of the admin at once: the second one does not put old values back."""

import pytest
from django.urls import reverse

from governance.database.shown_state import STOOD
from governance.models import User
from tests.support.web.pressed_buttons import Page

pytestmark = pytest.mark.django_db


def test_the_second_page_of_an_account_takes_no_right_back(cast, as_):
    url, client = reverse("admin:governance_user_change", args=[cast.lead.pk]), as_(cast.admin)
    page = Page(client.get(url), url)
    shown = next(button for button in page.buttons if button.tag.get("name") == "_save").fields(fill=False)
    assert STOOD in shown
    first = shown | {"is_auditor": ["on"], "reason": ["Audits now."]}
    assert client.post(url, first).status_code == 302
    answer = client.post(url, shown | {"full_name": ["Ravi M. Menon"], "reason": ["A new name."]})
    assert answer.status_code == 409
    person = User.objects.get(pk=cast.lead.pk)
    assert (person.is_auditor, person.full_name) == (True, cast.lead.full_name)
    again = Page(answer, url).main.select_one('input[name="full_name"]')
    assert again["value"] == "Ravi M. Menon"
    assert Page(answer, url).main.select_one('input[name="is_auditor"]').has_attr("checked")
