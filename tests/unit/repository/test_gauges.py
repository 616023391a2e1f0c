"""The gauges count what they name."""

import ast
from collections import Counter

from tests.support.commands import gauges

PLANTED = """
seen = ContextVar("seen")
urlpatterns = [path("a/", view), re_path("b", view)]
lines = [InboxTask("see"), about(row), told(person)]

class Signed(SigningForm, forms.Form): pass

def view(request, pk):
    if form.is_valid():
        return act()

def shown(request, pk):
    return render(request)

def helper(request, form, back):
    return render(request, form)

def other(request):
    return helper(request, Form(), "/")
"""


def test_each_way_is_counted_where_it_is_planted():
    assert Counter(gauges._ways(ast.parse(PLANTED), {"helper"})) == {
        "addresses": 2,
        "context_variables": 1,
        "form_views": 2,
        "helpers_of_forms": 1,
        "inbox_tasks_by_hand": 1,
        "messages_by_hand": 2,
        "protected_forms": 1,
    }
