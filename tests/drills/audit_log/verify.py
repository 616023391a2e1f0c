"""How fast the audit log verifies and is exported, in how much memory.

python -m tests.drills.audit_log.verify [ENTRIES ...]

A change in governance/offline or governance/transparency_log asks for it.
"""

import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from io import StringIO
from pathlib import Path

from tests.drills.company import place


def main(sizes: list[int]) -> None:
    """One database a size; a line of figures each."""
    with place.database():
        from governance.transparency_log import sealing, verification

        done = 0
        for size in sizes:
            made = place.fill(size - done, after=done)
            done = size
            began = time.monotonic()
            sealing.seal()
            sealed = time.monotonic() - began
            began = time.monotonic()
            report = verification.verify()
            took = time.monotonic() - began
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{report.leaves:>9} entries: written {made:6.1f} s, sealed {sealed:6.1f} s "
                f"({report.leaves / sealed:7.0f}/s), verified {took:6.2f} s "
                f"({report.leaves / took:7.0f}/s), {len(report.findings)} findings, {peak} MB at most"
            )
            for found in report.findings[:3]:
                print(f"  {found}")
            export()


def export() -> None:
    """Everything exported, and checked by a Python that has no libraries."""
    from django.core.management import call_command

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "all.zip")
        began = time.monotonic()
        call_command("export_audit_log", "--all", "--to", str(file), stdout=StringIO())
        wrote = time.monotonic() - began
        with zipfile.ZipFile(file) as archive:
            archive.extractall(folder)
        began = time.monotonic()
        command = [sys._base_executable, "-I", "-S", "verify.py", "."]
        ran = subprocess.run(command, cwd=Path(folder, "all"), capture_output=True, text=True)
        took = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"          exported {wrote:6.1f} s, {file.stat().st_size >> 20} MB, {peak} MB at most in memory"
        )
        print(f"          verify.py {took:5.1f} s: {ran.stdout.splitlines()[0]}")


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [100_000])
