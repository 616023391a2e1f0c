"""Alerts of an initiative's monitoring: as a sender writes them, and as they were taken in."""

from datetime import datetime

from adoption.models import Alert, AlertMapping
from adoption.monitoring import actions
from adoption.monitoring.alert_senders import Sent
from governance import clock
from tests.support import factories

URL = "/adoption/v1/alerts"


def plain(name: str = "disk-7", **fields) -> dict:
    """One alert as a sender that has nothing else writes it; firing since now unless the fields say otherwise."""
    return {
        "id": name,
        "rule": "DiskFull",
        "severity": "critical",
        "state": "firing",
        "started": fields.get("started") or clock.now().isoformat(),
        "summary": f"{name} is full",
    } | fields


def sent(name: str = "disk-7", *, started: datetime | None = None, **fields) -> Sent:
    """The same as it was read."""
    known = {
        "sender": "other",
        "fingerprint": name,
        "rule": "DiskFull",
        "severity": "critical",
        "started": started or clock.now(),
        "ended": None,
        "summary": f"{name} is full",
        "link": "",
        "body": "{}",
    }
    return Sent(**known | fields)


def drafted(cast, initiative) -> tuple[AlertMapping, Alert]:
    """A mapping of the initiative by which an alert that came became a draft; and the alert."""
    mapping = actions.map_alerts(
        initiative=initiative, rule="", severity="critical", becomes="draft", by=cast.owner
    )
    key = factories.make_key(cast, initiative, scopes=["alerts"], system="Monitoring")[0]
    actions.take(initiative=initiative, key=key, sent=(sent(),))
    return mapping, Alert.objects.get(initiative=initiative)
