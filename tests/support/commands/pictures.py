"""Make the pictures of README.md from the demo: `make pictures`. It needs Chromium and some minutes."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.support.paths import ROOT

PORT = "8199"
SIZE = {"width": 1280, "height": 800}
# What each picture shows: who looks, the initiative by its title (none: the inbox), and the links to press there.
PICTURES = {
    "inbox": ("seat-risk", None, ()),
    "overview": ("owner", "Call note search", ()),
    "statement": ("seat-risk", "Renewal letter drafts", ("Review", "Approve and sign")),
}


def wait_until_ready(process: subprocess.Popen) -> None:
    """Return once the server answers. Raises RuntimeError if it ends first or takes ten minutes."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://localhost:{PORT}/readyz", timeout=2):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(1)
    raise RuntimeError("The demo did not start.")


def take(page: Page, name: str, password: str) -> None:
    """Sign in, open the page, and write the picture into docs/img."""
    login, title, links = PICTURES[name]
    page.goto(f"http://localhost:{PORT}/sign-in/")
    page.fill("[name=username]", login)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state()
    if title:
        page.goto(f"http://localhost:{PORT}/search/?q={title.replace(' ', '+')}")
        page.get_by_role("link", name=title).first.click()
    for link in links:
        page.locator("main").get_by_role("link", name=link).first.click()
        page.wait_for_load_state()
    page.screenshot(path=ROOT / "docs" / "img" / f"{name}.png")


def main() -> None:
    """Start a demo in a folder of its own, take the pictures, and stop it."""
    with tempfile.TemporaryDirectory() as folder:
        variables = os.environ | {"PLUMBLINE_DATA": folder, "PLUMBLINE_PORT": PORT}
        process = subprocess.Popen([sys.executable, ROOT / "manage.py", "run"], env=variables, cwd=ROOT)
        try:
            wait_until_ready(process)
            password = (Path(folder) / "demo-password").read_text().strip()
            with sync_playwright() as engine:
                browser = engine.chromium.launch(executable_path=shutil.which("chromium-headless-shell"))
                for name in PICTURES:
                    context = browser.new_context(viewport=SIZE, color_scheme="light")
                    take(context.new_page(), name, password)
                    context.close()
                browser.close()
        finally:
            process.terminate()
            process.wait(60)


if __name__ == "__main__":
    main()
