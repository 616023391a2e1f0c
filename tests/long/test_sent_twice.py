"""Every form of every page is sent twice at once: what the second writes is nothing. `-s` prints what the first wrote.

A change in governance/web or a new page with a form asks for it.
"""

from collections import Counter

import pytest
from django.db import transaction

from governance.web.sent_once import TOKEN
from tests.acceptance.pages.test_access import world  # noqa: F401 (a fixture)
from tests.acceptance.pages.test_what_was_shown import count_of_acts, kinds_since, pages_of

pytestmark = pytest.mark.django_db
# A new password begins a new session, and the browser sends the second form with the former one.
NEW_SESSION = {"account-password"}


def test_what_is_sent_twice_at_once_counts_once(cast, as_, world, unsealed):  # noqa: F811
    wrong, wrote = [], Counter()
    for name, client, buttons in pages_of(cast, as_, world):
        for button in buttons:
            token = button.form.select_one(f"[name={TOKEN}]")
            if token is None or name in NEW_SESSION:
                continue
            sent = button.fields(fill=True) | {TOKEN: token["value"]}
            with transaction.atomic():
                before = count_of_acts()
                first = client.post(button.action, sent)
                acts = kinds_since(before)
                for value in sent.values():
                    for one in value if isinstance(value, list) else [value]:
                        if hasattr(one, "seek"):
                            one.seek(0)
                # With what was confirmed, if the page asked.
                second = client.post(button.action, sent | dict(first.wsgi_request.POST.lists()))
                again = kinds_since(before + len(acts))
                transaction.set_rollback(True)
            if first.status_code != 302 or not acts:
                continue
            wrote[name] += 1
            if again or second.get("Location") != first["Location"]:
                wrong.append(f"{name}: {acts}, then {again}, {second.status_code}")
    print(sum(wrote.values()), "forms of", len(wrote), "pages:", *wrote)
    assert not wrong, "\n".join(wrong)
    assert len(wrote) > 40
