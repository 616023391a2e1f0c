"""The rulebook of most tests: the shipped one, but nobody has to verify anything, and every tier is asked the same.

It asks no prototype for its personal data: tests that change to the shipped one need it to ask for more.
"""

import re
from functools import cache

from governance.rulebook import shipped_text

VERSION = "0.9"
# What a plain rulebook does without: whole lines of the shipped text.
LEFT_OUT = (
    "tested|each|left_out|level_at_mvp|of_register|fresh_days_minimal|details|registers"
    "|seats_minimal|drawn_at_minimal|declared_goals_minimal"
)
# Days for which evidence stays current, where the tests want fewer of them or a last day.
DAYS = {
    30: "prod.monitoring",
    90: "mvp.users prod.q02_support prod.q03_logged prod.q07_governance_evidence prod.q09_escalation "
    "prod.performance int.identity int.sources_condition",
    180: "mvp.workflow mvp.success mvp.override mvp.risk prod.q01_outcome_owner prod.q04_exceptions "
    "prod.q05_wrong_output prod.q06_human_review prod.q08_change_control prod.q10_outage prod.q11_expectations "
    "gov.record_owner gov.enforced int.inventory int.anchor int.definitions int.audit_trail int.fallback "
    "int.representative layer.runtime layer.observability production.business_depends",
    365: "gov.autonomy gov.human_approval gov.edge_policies",
}
DAYS_OF = {key: days for days, keys in DAYS.items() for key in keys.split()}
DAYS_HIGH = {"mvp.risk": 90, "prod.q10_outage": 90}
# What nothing but somebody's word answers, and what is not asked.
WORD_ONLY = {
    "proto.question",
    "proto.assumptions",
    "proto.to_advance",
    "int.systems_owned",
    "mvp.lessons_read",
}
UNASKED = "proto.personal_data"


@cache
def plain_text() -> str:
    """Return the text: each requirement asks for an artefact, or for somebody's word if no more is asked as shipped."""
    text = re.sub(rf"^(?:{LEFT_OUT}) = .*\n", "", shipped_text(), flags=re.MULTILINE)
    text = re.sub(r'^ways = (?!\["acceptance"\]).*\n', "", text, flags=re.MULTILINE)
    text = text.replace('version = "1.0"', f'version = "{VERSION}"').replace(
        "waivers_max = 3", "waivers_max = 30"
    )
    heading, *rows = re.split(r"(?=^\[\[)", text, flags=re.MULTILINE)
    rows = [_plain(row) for row in rows if f'key = "{UNASKED}"' not in row]
    return (heading + "".join(rows)).replace(f', "{UNASKED}"', "")


def _plain(row: str) -> str:
    key = re.search(r'^key = "(.*)"$', row, flags=re.MULTILINE)[1]
    if key in DAYS_OF:
        high = f"fresh_days_high_risk = {DAYS_HIGH[key]}\n" if key in DAYS_HIGH else ""
        row = re.sub(r"^fresh_days_high_risk = .*\n", "", row, flags=re.MULTILINE)
        row = re.sub(r"^fresh_days = .*\n", f"fresh_days = {DAYS_OF[key]}\n{high}", row, flags=re.MULTILINE)
    if key in WORD_ONLY:
        row = row.replace('evidence = ["attestation", "document"]', 'evidence = ["attestation"]')
    level = "stated" if key in WORD_ONLY or 'limited = "stated"' in row else "documented"
    tiers = ", ".join(f'{tier} = "{level}"' for tier in ("minimal", "limited", "high"))
    return re.sub(r"^level = .*$", f"level = {{ {tiers} }}", row, flags=re.MULTILINE)
