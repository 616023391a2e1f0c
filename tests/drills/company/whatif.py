"""What a rulebook would do to a company of any size.

    python -m tests.drills.company.whatif [CASES] [--changes 50] [--demo] [--text]

Random valid changes, each foretold, then published for real and taken back: each case, debt and sign-off is compared.
`--text` does the same with the shipped text, and tells which cases lose support and by which requirements.
`--demo` does it to the demo's cases. Seconds are those of working a forecast out and of publishing.
"""

import argparse
import statistics
import time
from collections import Counter
from datetime import timedelta

from tests.drills.company import place, thousands

LATER = 40  # days after everything was proved: proof has aged, and votes still count


def main() -> None:
    """Found the company, or tell the demo, and hold each change against its forecast."""
    asked = argparse.ArgumentParser()
    asked.add_argument("cases", type=int, nargs="?", default=10_000)
    asked.add_argument("--changes", type=int, default=50, help="how many random changes (default: 50)")
    asked.add_argument("--first", type=int, default=0, help="the turn to begin with (default: 0)")
    asked.add_argument("--later", type=int, default=LATER, help=f"days after the proof (default: {LATER})")
    asked.add_argument("--text", action="store_true", help="the shipped text, in place of random changes")
    asked.add_argument("--demo", action="store_true", help="the demo's cases in place of so many")
    asked.add_argument("--keep", action="store_true", help="keep the company for the next run")
    given = asked.parse_args()
    name = "whatif_demo" if given.demo else f"whatif_{given.cases}"
    with place.database(name if given.keep else None) as there:
        from governance import clock
        from initiatives.models import Initiative, Review, SignOff
        from initiatives.stages import periodic

        admin, chair = _demo(there) if given.demo else _company(given.cases, there)
        later = clock.now() + timedelta(days=0 if given.demo else given.later)
        with clock.simulated(later):
            began = time.monotonic()
            done = periodic.recompute()
            print(
                f"{len(done)} standings recomputed for the day: {time.monotonic() - began:.0f} s", flush=True
            )
            open_ = Review.objects.filter(outcome="open").count()
            print(
                f"{Initiative.objects.live().count()} cases, {open_} open reviews,"
                f" {SignOff.objects.latest().filter(review__outcome='open').count()} votes that stand",
                flush=True,
            )
            if given.text:
                wrong = _hold_text(admin, chair)
            else:
                wrong = _hold(range(given.first, given.first + given.changes), admin, chair)
    print("foretold is what came, each case and each sign-off" if not wrong else f"{wrong} DIFFERENCES")


def _demo(there: bool):
    """The demo as `manage.py demo` tells it."""
    from django.core.management import call_command

    from governance.models import Membership, User
    from governance.vocabulary import BoardRole

    if not there:
        call_command("demo")
    admin = User.objects.filter(is_admin=True, is_active=True).earliest("pk")
    return admin, Membership.objects.filter(seat=BoardRole.CHAIR).exclude(person=admin).earliest("pk").person


def _company(cases: int, there: bool):
    """Cases by the thousand, imported, and told ones beside them: some that owe, some before a gate with votes."""
    from adoption.demo import case_acts
    from initiatives.models import Initiative, Review
    from tests.drills.company import pages
    from tests.support import factories

    company = thousands.found(cases)
    print(f"{cases} cases, {company.evidence} items of evidence: {company.seconds:.0f} s", flush=True)
    cast = company.cast
    if not Review.objects.filter(outcome="open").exists():
        for number in range(3):
            factories.make_mvp(cast, title=f"Bounded {number}")
        for review in pages.before_the_gate(cast):
            case_acts.votes(review, cast.team)
        print(f"{Initiative.objects.count()} cases", flush=True)
    return cast.admin, cast.chair


def _hold(turns: range, admin, chair) -> int:
    """Each change foretold and published; returns how many differences there were."""
    from governance.models import Rulebook
    from tests.support.cases import rulebook_changes

    source, wrong, ahead, real = Rulebook.objects.current().source, 0, [], []
    for turn in turns:
        text, values = rulebook_changes.change(source, turn, f"try-{turn}", most=20)
        forecast, took, found = _compared(f"change {turn} ({len(values)} values)", text.source, admin, chair)
        ahead.append(forecast.seconds)
        real.append(took)
        wrong += len(found)
        if found:
            print(f"   {values}", flush=True)
        forecast.delete()
    print(
        f"{len(turns)} changes: foretold in {statistics.median(ahead):.1f} s each,"
        f" published, read, reviews moved and taken back in {statistics.median(real):.1f} s"
    )
    return wrong


def _compared(what: str, source: str, admin, chair) -> tuple:
    """One text foretold and published: its forecast, the seconds it took to publish, and where the two differ."""
    from tests.support.cases import rulebook_forecast

    forecast, told = rulebook_forecast.foretold(source, admin)
    began = time.monotonic()
    came = rulebook_forecast.happened(source, admin, chair)
    took = time.monotonic() - began
    found = rulebook_forecast.differences(told, came)
    said = {name: count for name, count in forecast.totals.items() if name != "asked" and count}
    print(
        f"{what}: foretold in {forecast.seconds:.1f} s, happened in {took:.1f} s, "
        f"{len(found)} differences; {said}",
        flush=True,
    )
    for line in found[:20]:
        print(f"   {line}", flush=True)
    return forecast, took, found


def _hold_text(admin, chair) -> int:
    """The shipped text foretold and published at once; returns how many differences there were."""
    from governance.rulebook import shipped_text

    forecast, _, found = _compared("shipped text", shipped_text(), admin, chair)
    fallen = list(forecast.rows.filter(what="case", falls__gt=0))
    print(f"{len(fallen)} cases lose support:")
    for (before, after), count in Counter((row.before, row.after) for row in fallen).most_common():
        print(f"{count:8} from {before} to {after}")
    reasons = Counter(key for row in fallen for key, _ in (*row.unmet, *row.because))
    print("by what they lack then (a case may lack several):")
    for key, count in reasons.most_common():
        print(f"{count:8} {key}")
    return len(found)


if __name__ == "__main__":
    main()
