"""Each error of each form links to a control of the page. `-s` prints how many links were followed.

A change in governance/templatetags, in templates/_components or a new form asks for it.
"""

from collections import Counter

import pytest
from bs4 import BeautifulSoup
from django.db import transaction

from governance.web.sent_once import TOKEN
from tests.acceptance.pages.test_access import world  # noqa: F401 (a fixture)
from tests.acceptance.pages.test_what_was_shown import pages_of

pytestmark = pytest.mark.django_db


def test_an_error_links_to_its_control(cast, as_, world, unsealed):  # noqa: F811
    wrong, links = [], Counter()
    for name, client, buttons in pages_of(cast, as_, world):
        for button in buttons:
            if button.form.select_one(f"[name={TOKEN}]") is None:
                continue
            filled = button.fields(fill=True)
            for sent in (dict.fromkeys(filled, ""), {}):
                with transaction.atomic():
                    answer = client.post(button.action, sent)
                    transaction.set_rollback(True)
                if "html" not in answer.get("Content-Type", ""):
                    continue
                page = BeautifulSoup(answer.content, "html.parser")
                for link in page.select("main [role=alert] a[href^='#']"):
                    links[name] += 1
                    target = page.find(id=link["href"][1:])
                    if target is None or target.name not in ("input", "select", "textarea", "button"):
                        wrong.append(f"{name}: {link['href']}, {link.get_text()}")
    print(sum(links.values()), "links of", len(links), "pages")
    assert not wrong, "\n".join(sorted(set(wrong)))
    assert len(links) > 40
