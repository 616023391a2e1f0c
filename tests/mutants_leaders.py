"""What keeps the leaders' figures true, and what a pulse becomes: taken away one by one (see mutants.py)."""

FIGURES = "tests/adoption/test_leaders.py::test_every_figure_is_what_the_rows_say"
PAGE = "tests/adoption/test_leaders.py"
TRUST = "tests/adoption/test_leaders_trust.py"
READINGS = "tests/adoption/test_pulse_readings.py"
LEADING = "adoption/leading.py"

LEADERS = [
    (
        "a pilot for ever is not called scalable",
        LEADING,
        "filter(_ALL_PASS).exclude(pk__in=_keys(pilots(cases, wanted)))",
        "filter(_ALL_PASS)",
        FIGURES,
    ),
    (
        "an MVP is deployed only when its scope in force is rolled out",
        LEADING,
        "        rollout=True,\n",
        "",
        FIGURES,
    ),
    (
        "a claim by import was not oversold by anybody here",
        LEADING,
        'larger = Q(stage=MVP, supported__in=[PROPOSED, PROTOTYPE]) & ~Q(basis="import")',
        "larger = Q(stage=MVP, supported__in=[PROPOSED, PROTOTYPE])",
        FIGURES,
    ),
    (
        "money that was taken back is not counted",
        LEADING,
        "FundingDecision.objects.standing().filter(\n        ~Q(label",
        "FundingDecision.objects.filter(\n        ~Q(label",
        FIGURES,
    ),
    (
        "what left production counts as early only after it went in",
        LEADING,
        '        pk__gt=OuterRef("pk"),\n',
        "",
        f"{PAGE} -k before_it_went_in",
    ),
    (
        "trust is lost by the newest result, not by any",
        LEADING,
        '        evidence=Subquery(newest.values("evidence")[:1]),\n',
        "",
        FIGURES,
    ),
    (
        "trust that was never there was not lost",
        LEADING,
        "Exists(fallen.filter(Exists(passed)))",
        "Exists(fallen)",
        FIGURES,
    ),
    (
        "a signal that is over takes no trust away",
        "adoption/models/signals.py",
        "return self.standing().filter(kind__in=DISTRUST)",
        "return self.filter(kind__in=DISTRUST)",
        TRUST,
    ),
    (
        "an incident that nobody felt takes no trust away",
        "adoption/models/incidents.py",
        "return self.unfinished().filter(severity__in=FELT)",
        "return self.unfinished()",
        TRUST,
    ),
    (
        "the period narrows signals",
        LEADING,
        'Signal.objects.distrust().filter(wanted.days("observed_on"), ',
        "Signal.objects.distrust().filter(",
        TRUST,
    ),
    (
        "a day's last moment lies in the period",
        LEADING,
        "clock.midnight_after(self.until)",
        "clock.midnight_before(self.until)",
        TRUST,
    ),
    (
        "the reasons are of the period too",
        "adoption/reasons.py",
        'Signal.objects.distrust().filter(wanted.days("observed_on"), ',
        "Signal.objects.distrust().filter(",
        TRUST,
    ),
    (
        "the words of a signal stay on its page",
        "adoption/saying.py",
        "{row.get_kind_display()}: {row.group}, {much}",
        "{row.get_kind_display()}: {row.group}, {row.words}, {much}",
        TRUST,
    ),
    (
        "the pack says each risk once",
        "adoption/packs.py",
        " and one.words not in weighing",
        "",
        TRUST,
    ),
    (
        "the page counts cases that its reader may see",
        "adoption/views/leaders.py",
        "permissions.visible_to(request.user), self.wanted",
        "Initiative.objects.all(), self.wanted",
        f"{PAGE} -k strangers",
    ),
    (
        "a set that fewer than five answered is no reading",
        "adoption/pulse_totals.py",
        "    if not figures or any(figure is None for figure, _ in figures):\n        return None\n",
        "    figures = [(figure, against) for figure, against in figures if figure]\n"
        "    if not figures:\n        return None\n",
        READINGS,
    ),
    (
        "only a pulse reads the measure that pulses read",
        "adoption/actions/readings.py",
        "        if measure.by_pulse and came != PULSE:\n",
        "        if False:\n",
        READINGS,
    ),
    (
        "a pulse that was closed late is no newer reading",
        "adoption/actions/pulses.py",
        "ends_on = min(pulse.closes, clock.today())",
        "ends_on = clock.today()",
        READINGS,
    ),
]
