"""What every page must be in a real browser: nothing that axe objects to, nothing cut off, nothing on top of another.

With PLUMBLINE_SHOTS=folder each page that is looked at is also saved as a picture: light and dark, wide and narrow.
"""

import gzip
import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

SHOTS = os.environ.get("PLUMBLINE_SHOTS")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SLIM = {"width": 320, "height": 640}  # what must fit: a small phone, or 1280 pixels at 400 % (WCAG 1.4.10)
TABLET, HALF = {"width": 768, "height": 1024}, {"width": 640, "height": 450}  # `HALF` is 1280 pixels at 200 %
ALL_SIZES = (WIDE, TABLET, HALF, NARROW, SLIM)
THEMES = ("light", "dark")
# Pixels at 1280: what a page may take, those that are read most less.
LONGEST_ELSE, LONGEST = 4000, {"review": 2000}
OVERVIEWS = (
    "initiative",
    "initiative-review",
    "initiative-overdue",
    "initiative-production",
    "initiative-stopped",
    "initiative-idea",
)
LONGEST |= dict.fromkeys(OVERVIEWS, 1400)
FIRST_WORDS = 180
HEAVIEST = 100_000  # bytes that a first page takes: itself, style sheets and scripts, as they are sent
HEAVIEST_OF_TABLES = 165_000  # likewise, of the framework's pages for tables, with its own scripts
# It is not to fetch style sheets by itself: the policy of the pages forbids that, and the browser has them.
EVERYTHING = {"resultTypes": ["violations"], "preload": False}
COLOURS = EVERYTHING | {"runOnly": {"type": "tag", "values": ["cat.color"]}}
# To tell what every letter stands on takes three quarters of the time of all rules together.
NO_CONTRAST = EVERYTHING | {"rules": {"color-contrast": {"enabled": False}}}
# What a reader could not see, as sentences. What scrolls inside its own box is reachable; one line of running words may
# touch the next by a little, because letters reach out of their line.
MEASURE = r"""() => {
  const found = [], root = document.documentElement, wide = root.clientWidth
  const named = element => {
    const name = element.tagName.toLowerCase() + (element.id ? '#' + element.id : '')
    const words = (element.innerText ?? element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40)
    return words ? `${name} "${words}"` : name
  }
  // What is there for screen readers alone is clipped to nothing; a skip link comes into sight when it has the focus.
  const spoken = element => {
    for (let near = element; near; near = near.parentElement) {
      if (getComputedStyle(near).clipPath === 'inset(50%)') return true
    }
    return element.closest('.skip, .visually-hidden, .skip-to-content-link')
  }
  const seen = element => element && !spoken(element) &&
    element.checkVisibility({opacityProperty: true, visibilityProperty: true})
  if (root.scrollWidth > wide) found.push(`${root.scrollWidth - wide} pixels too wide`)

  // What its surroundings leave of a box: null where it is scrolled out of sight, false where they cut it off for good.
  const remains = (element, box) => {
    let {left, top, right, bottom} = box
    for (let near = element; near && near !== document.body; near = near.parentElement) {
      const style = getComputedStyle(near), edge = near.getBoundingClientRect()
      if (style.position === 'fixed') break
      const over = near === element && style.display === 'inline' ? 'visible' : style.overflowX
      if (over === 'hidden' || over === 'clip') {
        if (left < edge.left - 1 || right > edge.right + 1 || bottom > edge.bottom + 3) return false
      } else if (over === 'auto' || over === 'scroll') {
        [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
        [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)]
        if (right - left < 1 || bottom - top < 1) return null
      }
    }
    if (left < -1 || right > wide + 1) return false
    return {left, top, right, bottom, width: right - left, height: bottom - top}
  }
  const lines = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const text = texts.currentNode, element = text.parentElement
    if (!text.data.trim() || !seen(element) || element.closest('option, script, noscript, .seen')) continue
    const range = document.createRange()
    range.selectNodeContents(text)
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue
      const rest = remains(element, box)
      if (rest === false) { found.push(`cut off: ${named(element)}`); break }
      if (rest) lines.push({box: rest, element})
    }
  }
  const controls = []
  for (const element of document.querySelectorAll('a[href], button, input, select, textarea, summary')) {
    if (element.type === 'hidden' || !seen(element)) continue
    for (const box of element.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue
      const rest = remains(element, box)
      if (rest === false) { found.push(`cut off: ${named(element)}`); break }
      if (rest) controls.push({box: rest, element})
    }
  }
  // What stays in place while the page scrolls under it is meant to lie on top.
  const floats = element => {
    for (let near = element; near; near = near.parentElement) {
      if (['fixed', 'sticky'].includes(getComputedStyle(near).position)) return near
    }
    return null
  }
  // A figure of a drawing leads somewhere as a whole: its link lies over its words.
  const drawn = (one, other) => one.matches('svg a') && one.closest('svg') === other.closest('svg')
  const figure = (one, other) => drawn(one, other) && !other.matches('svg a')
  const all = [...lines, ...controls].sort((one, other) => one.box.top - other.box.top)
  for (let first = 0; first < all.length; first++) {
    const {box, element} = all[first]
    for (let next = first + 1; next < all.length && all[next].box.top < box.bottom; next++) {
      const other = all[next]
      if (element === other.element || element.contains(other.element) || other.element.contains(element)) continue
      const width = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left)
      const height = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top)
      if (width <= 2 || height <= 2 || height < 0.35 * Math.min(box.height, other.box.height)) continue
      if (floats(element) !== floats(other.element)) continue
      if (figure(element, other.element) || figure(other.element, element)) continue
      found.push(`${named(element)} and ${named(other.element)} lie on each other`)
    }
  }
  return [...new Set(found)]
}"""


# What the keyboard cannot reach, or reaches unseen. A key was pressed before, so that focus is drawn as for a keyboard.
FOCUS = r"""() => {
  const found = []
  const named = element => (element.innerText || element.name || element.id || element.tagName).trim().slice(0, 40)
  const controls = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')
  for (const element of controls) {
    if (element.disabled || element.type === 'hidden' || element.tabIndex < 0) continue
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue
    if (element.tabIndex > 0) found.push(`out of turn: ${named(element)}`)
    element.focus()
    if (document.activeElement !== element) { found.push(`not to be reached: ${named(element)}`); continue }
    const style = getComputedStyle(element)
    const drawn = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none'
    if (!drawn) found.push(`focus unseen: ${named(element)}`)
  }
  document.activeElement?.blur()
  return [...new Set(found)]
}"""


def by_keyboard(page: Page, name: str) -> list[str]:
    """What of the open page somebody without a mouse cannot reach, or does not see that they reached it."""
    page.keyboard.press("Tab")
    return [f"{name}: {what}" for what in page.evaluate(FOCUS)]


def measured(page: Page, size: dict[str, int]) -> list[str]:
    """What does not fit the page at this size: scrolling sideways, words cut off, one thing on top of another."""
    page.set_viewport_size(size)
    page.wait_for_load_state()  # before its style sheet is there a page is as wide as its longest word
    return [f"at {size['width']} pixels: {what}" for what in page.evaluate(MEASURE)]


def objections(page: Page, scheme: str, asked: dict) -> list[str]:
    """What axe objects to in light or in dark. Half a megabyte of it is brought into each page once, not twice."""
    page.emulate_media(color_scheme=scheme)
    if page.evaluate("typeof axe") == "undefined":
        violations = Axe().run(page, options=asked).response["violations"]
    else:
        violations = page.evaluate("options => axe.run(document, options)", asked)["violations"]
    return [
        f"in {scheme}: {violation['help']} ({violation['id']}) at "
        + "; ".join(" ".join(node["target"]) for node in violation["nodes"][:3])
        for violation in violations
    ]


def trouble_in(
    page: Page,
    name: str,
    themes: tuple[str, ...] = THEMES,
    *,
    contrast: bool = True,
    sizes: tuple[dict[str, int], ...] = (WIDE, SLIM),
) -> list[str]:
    """Everything that is wrong with the open page, in these themes and at these widths; and its pictures.

    A theme changes colours and nothing else, so in the second axe is asked about those alone. Without `contrast` the
    contrast of colours is left to others of the same style sheet.
    """
    found = []
    for asked, scheme in zip((EVERYTHING if contrast else NO_CONTRAST, COLOURS), themes, strict=False):
        page.set_viewport_size(WIDE)
        found += objections(page, scheme, asked)
        picture(page, name, scheme)
    for size in sizes:
        found += measured(page, size)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)
    return [f"{name}: {what}" for what in found]


def too_long(page: Page, name: str) -> list[str]:
    """What of the open page is longer than a busy person reads: its height at 1280, its first words at 390 pixels."""
    found, most = [], LONGEST.get(name, LONGEST_ELSE)
    page.set_viewport_size(NARROW)
    if page.get_by_role("navigation", name="Initiative", exact=True).count():
        top = page.evaluate("document.querySelector('main h1').getBoundingClientRect().top + scrollY")
        if top >= FIRST_WORDS:
            found.append(f"{name}: its content begins {top:.0f} pixels down at {NARROW['width']}")
    page.set_viewport_size(WIDE)
    height = page.evaluate("document.documentElement.scrollHeight")
    if height > most:
        found.append(f"{name}: {height} pixels high, {most} is the most")
    return found


def too_heavy(name: str, answers: list[Response]) -> list[str]:
    """What of the open page is heavier than a slow line takes: everything that it loads, each sent once, compressed.

    Pages are compressed by the application that answers here; files beside them by the server, and here by hand.
    """
    weight = 0
    for answer in answers:
        if answer.request.resource_type in ("stylesheet", "script"):
            weight += _packed(answer)
        elif not answer.request.is_navigation_request() or answer.frame.parent_frame is None:
            weight += answer.request.sizes()["responseBodySize"]
    most = HEAVIEST_OF_TABLES if name.startswith("admin-") else HEAVIEST
    return [f"{name}: {weight} bytes, {most} is the most"] if weight > most else []


PACKED: dict[str, int] = {}  # bytes by address of what a browser may have kept from an earlier page


def _packed(answer: Response) -> int:
    if answer.ok:
        PACKED[answer.url] = len(gzip.compress(answer.body(), 9))
    return PACKED.get(answer.url, 0)


def picture(page: Page, name: str, scheme: str) -> None:
    """Pictures of the open page, wide and narrow, where they are asked for."""
    for size in (NARROW, WIDE) if SHOTS else ():
        page.set_viewport_size(size)
        page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}-{size['width']}.png", full_page=True)
