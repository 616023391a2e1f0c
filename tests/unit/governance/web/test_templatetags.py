"""Words, days and drawings for templates."""

import re
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from django import forms
from django.template import Context, Template, TemplateSyntaxError
from django.template.loader import render_to_string

from governance import clock
from governance.templatetags import drawings, plumbline
from governance.web import markdown


@pytest.fixture(autouse=True)
def ninth_of_november():
    with clock.simulated(datetime(2026, 11, 9, 10, 50, tzinfo=UTC)):
        yield


def show(source, **context):
    return Template("{% load drawings plumbline %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (date(2026, 11, 21), "in 12 days (21 November)"),
        (date(2026, 11, 10), "in 1 day (10 November)"),
        (date(2026, 11, 9), "today (9 November)"),
        (date(2026, 11, 6), "3 days ago (6 November)"),
        (date(2027, 1, 31), "in 83 days (31 January 2027)"),
        (datetime(2026, 11, 9, 12, tzinfo=UTC), "today (9 November)"),
        (None, ""),
    ],
)
def test_in_days_says_the_distance_and_the_day(when, words):
    assert plumbline.in_days(when) == words


def test_day_drops_the_current_year_only():
    assert plumbline.day(date(2026, 12, 2)) == "2 December"
    assert plumbline.day(date(2027, 12, 2)) == "2 December 2027"
    assert plumbline.day(None) == ""


def test_moment_is_short():
    assert plumbline.moment(date(2026, 11, 9)) == "Today"
    assert plumbline.moment(date(2026, 11, 7)) == "7 Nov"
    assert plumbline.moment(date(2025, 11, 7)) == "7 Nov 2025"
    assert plumbline.moment(clock.now()).startswith("Today ")


def test_person_prefers_the_full_name():
    assert plumbline.person(SimpleNamespace(get_full_name=lambda: "Ines Okafor")) == "Ines Okafor"
    assert plumbline.person("Ines") == "Ines"
    assert plumbline.person(None) == "nobody"


def test_words_of_stages_seats_layers_and_numbers():
    assert [plumbline.stage_word(s) for s in ("proposed", "mvp", None)] == [
        "proposed idea",
        "MVP",
        "nothing yet",
    ]
    assert plumbline.seat_word("risk_compliance") == "Risk and compliance"
    assert plumbline.seat_word("works_council") == "Works council"
    assert plumbline.layer_word("policy") == "Policy"
    assert plumbline.layer_word(None) == "Everything else"
    assert [plumbline.count_words(n) for n in (0, 6, 11)] == ["no", "six", "11"]


def test_findings_stand_in_the_order_of_the_stack_with_strangers_last():
    findings = [{"layer": "policy", "n": 1}, {"layer": None, "n": 2}, {"layer": "model", "n": 3}]
    assert [words for words, _ in plumbline.grouped(findings)] == ["Model", "Policy", "Everything else"]


def test_findings_stand_by_the_five_judgements_in_the_order_of_the_source():
    findings = [{"judgement": "fitness"}, {"judgement": "reliability"}, {"judgement": "fitness"}]
    assert [(words, len(group)) for words, group in plumbline.grouped(findings, "judgement")] == [
        ("Reliability", 1),
        ("Fitness", 2),
    ]


def test_markdown_keeps_words_and_drops_what_could_act():
    html = markdown.markdown(
        "# Title\n\n**bold** <script>x</script> ![x](https://a/b.png) [l](javascript:alert(1))"
    )
    for kept in ("<strong>bold</strong>", "<strong>Title</strong>"):
        assert kept in html
    for dropped in ("<script", "<img", "<h1", 'href="javascript'):
        assert dropped not in html
    assert 'rel="noopener noreferrer"' in markdown.markdown("[l](https://example.org)")


def test_the_process_remembers_no_long_text():
    before = markdown._rendered.cache_info().misses
    assert markdown.markdown("x" * (markdown.LONGEST_REMEMBERED + 1)).startswith("<p>x")
    assert markdown._rendered.cache_info().misses == before


@pytest.mark.parametrize(
    ("approved_stage", "supported", "lean"),
    [
        ("mvp", "mvp", 0),
        ("mvp", "production", 0),
        ("mvp", "prototype", 1),
        ("production", "prototype", 2),
        ("production", None, 2),
        ("prototype", None, 1),
        ("proposed", None, "none"),
        ("retired", "production", "none"),
    ],
)
def test_lean_counts_the_stages_between_approved_and_supported(approved_stage, supported, lean):
    assert plumbline.lean(approved_stage, supported) == lean


def test_plumb_always_says_what_it_means():
    assert 'aria-label="not supported: one stage short"' in show("{% plumb 1 %}")
    assert 'aria-label="larger prototype"' in show("{% plumb 1 'larger prototype' %}")


@pytest.mark.parametrize(
    ("observed_on", "until", "tone", "words"),
    [
        (date(2026, 7, 14), date(2027, 7, 14), "", "current for 247 more days (14 July 2027)"),
        (date(2026, 7, 14), date(2026, 11, 20), "soon", "current for 11 more days (20 November)"),
        (date(2026, 7, 14), date(2026, 11, 9), "soon", "current until the end of today"),
        (date(2026, 2, 1), date(2026, 8, 30), "gone", "expired since 31 August"),
        (date(2026, 2, 1), None, "", "current until something that the evidence depends on changes"),
    ],
)
def test_age_bar_says_in_words_what_it_draws(observed_on, until, tone, words):
    drawn = drawings.age_bar(observed_on, until)
    assert (drawn["tone"], drawn["words"]) == (tone, words)


def test_charts_stand_before_a_table_with_the_same_numbers():
    html = show("{% chart_bars 'Ageing' rows 'Week' 'items' %}", rows=[("now", 12, True), ("Dec", 0)])
    assert 'class="late"' in html
    assert '<td class="num">12</td>' in html
    assert "style=" not in html
    html = show("{% chart_measurements 'Minutes' rows 9 5 'minutes' %}", rows=[("June", 9.1), ("July", 8.4)])
    for words in ("baseline 9", "target 5", '<td class="num">8.4</td>'):
        assert words in html
    assert "No figures yet" in show("{% chart_bars 'Ageing' rows %}", rows=[])
    assert "No measurement yet" in show("{% chart_measurements 'Minutes' rows %}", rows=[])


def test_scroll_names_its_room():
    html = show("{% scroll name %}<table></table>{% endscroll %}", name="Initiatives & more")
    assert 'aria-label="Initiatives &amp; more"' in html
    assert "<table></table>" in html


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("met", "met"),
        ("unmet", "not met"),
        ("waived", "waived"),
        ("advisory", "advice"),
        ("expired", "expired"),
    ],
)
def test_a_finding_always_has_its_word(state, word):
    finding = {"state": state, "text": "Owner named", "who": "Marta", "how": "accept", "link": "/x"}
    html = render_to_string("_components/gap.html", {"finding": finding})
    for words in (f">{word}</span>", "Marta: accept", 'href="/x"'):
        assert words in html


def test_a_piece_is_drawn_once_for_the_same_values_and_sees_nothing_else():
    drawn = "{% alike n=row.n %}{{ n }}{{ row.m }}{{ beside|default:'.' }}{% endalike %}"
    page = Template("{% load plumbline %}{% for row in rows %}" + drawn + "{% endfor %}")
    piece = next(node for node in page.nodelist.get_nodes_by_type(plumbline.Alike))
    rows = [{"n": 1, "m": "a"}, {"n": True, "m": "b"}, {"n": "<", "m": "c"}, {"n": 1, "m": "d"}]
    assert page.render(Context({"rows": rows, "beside": "x"})) == "1.True.&lt;.1."
    assert len(piece.drawn) == 3


def test_pieces_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(plumbline, "PIECES_KEPT", 3)
    page = Template("{% load plumbline %}{% for n in rows %}{% alike n=n %}{{ n }}{% endalike %}{% endfor %}")
    assert page.render(Context({"rows": range(10)})) == "0123456789"
    assert all(len(piece.drawn) <= 3 for piece in page.nodelist.get_nodes_by_type(plumbline.Alike))


def test_a_piece_names_its_values():
    with pytest.raises(TemplateSyntaxError):
        Template("{% load plumbline %}{% alike row.n %}{% endalike %}")


def test_an_error_links_to_the_first_box_of_a_group():
    class Asked(forms.Form):
        title = forms.CharField()
        tier = forms.ChoiceField(choices=[("low", "Low"), ("high", "High")], widget=forms.RadioSelect)
        covers = forms.MultipleChoiceField(choices=[("a", "A")], widget=forms.CheckboxSelectMultiple)

    form = Asked({})
    said = render_to_string("_components/form_errors.html", {"form": form})
    linked = re.findall(r'href="#([^"]+)"', said)
    assert len(linked) == 3
    assert all(f'id="{one}"' in str(form) for one in linked), linked
