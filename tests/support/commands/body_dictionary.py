"""Train the dictionary of bodies of interactions: `python -m tests.support.commands.body_dictionary NUMBER`.

Run once for each number. The samples are what the conventions have in common, with sentences of our own documentation.
"""

import json
import os
import random
import re
import sys
from pathlib import Path

import django
import zstandard

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from governance.audit_log import entries  # noqa: E402
from governance.interaction_log import bodies, otlp, shape  # noqa: E402
from governance.interaction_log.conventions import spans  # noqa: E402
from tests.support.paths import ROOT  # noqa: E402

SENT = ROOT / "tests/unit/governance/interaction_log/sent"
SIZE = 24 << 10


def samples() -> list[bytes]:
    """Interactions as they are kept, with drawn words, ids and figures. The same each time."""
    draw = random.Random(1)
    text = " ".join(path.read_text() for path in sorted(ROOT.glob("docs/**/*.md")))
    said = [one.strip() for one in re.split(r"(?<=[.?!])\s+", text) if 20 < len(one) < 300 and "|" not in one]
    shapes = []
    for path in sorted(SENT.glob("*.gz")):
        body = otlp.unpacked(path.read_bytes(), "gzip")
        read = otlp.read_traces if path.stem.endswith("traces") else otlp.read_logs
        shapes += [shape.plain(one) for one in spans.read(read(body, otlp.PROTOBUF))]
    found = []
    for _ in range(4_000):
        one = json.loads(json.dumps(draw.choice(shapes)))
        for message in (*one.get("input", ()), *one.get("output", ())):
            message["text"] = " ".join(draw.sample(said, draw.randint(1, 4)))
        one |= {"trace_id": f"{draw.getrandbits(128):032x}", "span_id": f"{draw.getrandbits(64):016x}"}
        one |= {"conversation": f"{draw.getrandbits(64):x}", "subject": f"customer {draw.randint(1, 99999)}"}
        found.append(entries.canonical(one))
    return found


if __name__ == "__main__":
    number = int(sys.argv[1])
    place = Path(bodies.__file__).with_name(f"body_dictionary_{number}.zdict")
    place.write_bytes(zstandard.train_dictionary(SIZE, samples()).as_bytes())
    print(place, place.stat().st_size)
