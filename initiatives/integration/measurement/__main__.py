"""Measure one sample and print what was found as JSON. Started by
`initiatives.integration.measurement.measuring_process`, with its limits.

python -m initiatives.integration.measurement <file> '{"period_column": "opened", "folder": "/where/copies/lie"}'
"""

import json
import os
import resource
import sys
from datetime import date


def main(path: str, asked: dict) -> dict:
    """Set the limits of this process, then measure; what goes wrong becomes words."""
    seconds, memory = asked.pop("seconds", 200), asked.pop("memory", 1 << 30)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 30, 8 << 30))
    os.nice(10)
    from initiatives.integration.measurement.column_profile import measure  # within the limits set above
    from initiatives.integration.measurement.sample_reader import Trouble  # likewise

    if asked.get("taken_on"):
        asked["taken_on"] = date.fromisoformat(asked["taken_on"])
    try:
        return measure(path, **asked)
    except Trouble as trouble:
        return {"trouble": str(trouble), "ask": trouble.ask}
    except MemoryError:
        return {
            "trouble": "Measuring took more memory than a sample may. Send fewer rows or columns.",
            "ask": [],
        }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})))
