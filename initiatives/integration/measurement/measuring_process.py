"""Measuring in a process of its own: limits on memory, time and files, no secrets in its environment, nothing left."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from initiatives.integration.measurement.sample_reader import Trouble

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 540  # by the wall and of the processor; it steps back for whatever else the machine does
MEMORY = 1200 << 20  # bytes of address space, of which about a quarter is ever used
ANSWER = 32 << 20  # bytes of what the process may say
TOO_LONG = "Measuring took longer than a sample may. Send fewer rows or columns."
BROKE = "The file broke the measuring off. Save it again as CSV or Parquet, or send fewer rows or columns."


def run(
    path: Path | str,
    *,
    folder: Path | str,
    encoding: str = "",
    period_column: str = "",
    taken_on: date | None = None,
    most: int = 0,
    seconds: int = SECONDS,
    memory: int = MEMORY,
) -> dict:
    """Measure a sample in a child process; the same answer as `measuring.measure`.

    `folder`: where its working copies lie; they are gone afterwards, however it ended. Raises Trouble.
    """
    with tempfile.TemporaryDirectory(prefix="measuring-", dir=folder) as work:
        asked = {
            "encoding": encoding,
            "period_column": period_column,
            "taken_on": taken_on.isoformat() if taken_on else "",
            "most": most,
            "folder": work,
            "seconds": seconds,
            "memory": memory,
        }
        said = _said(
            [sys.executable, "-m", "initiatives.integration.measurement", str(path), json.dumps(asked)],
            work,
            seconds,
        )
    if "trouble" in said:
        raise Trouble(said["trouble"], said.get("ask"))
    return said


def _said(command: list[str], work: str, seconds: int) -> dict:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "TMPDIR": work,
        "HOME": work,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with open(Path(work) / "said.json", "w+b") as answer:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            close_fds=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Trouble(TOO_LONG) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            raise Trouble(TOO_LONG)
        if code or answer.seek(0, os.SEEK_END) > ANSWER:
            raise Trouble(BROKE)
        answer.seek(0)
        try:
            return json.load(answer)
        except ValueError:
            raise Trouble(BROKE) from None


def enough_room(folder: Path | str, size: int) -> bool:
    """Whether the disk holds working copies of a sample of so many bytes, and something for everybody else."""
    return shutil.disk_usage(folder).free > 4 * size + (1 << 30)
