"""The other ways to use a browser: without scripts, by keyboard alone, in a window of 320 pixels, at 200 %.

Each does what `Person` does, and complains of what would stop somebody who has no other way.
"""

from playwright.sync_api import Locator, expect

from tests.support.browser.page_checks import SLIM, measured
from tests.support.browser.people import Person

# of the Tab key, before something counts as out of its reach; a list of requirements with all open has 700
MOST_STOPS = 1000
SAME_STOPS = 8  # a date has four of its own; more at one place is a trap
AT_200_PERCENT = {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2}
# Where the focus is, seen from what it should reach (there, or before or after it in the page); how often it stayed
# where it is; and what keeps a reader from seeing it.
STOP = """target => {
  const here = document.activeElement
  if (!here || here === document.body) return {where: 'nowhere'}
  const group = target.type === 'radio' ? [...target.form.querySelectorAll(`[name="${target.name}"]`)] : [target]
  window.stayed = window.lastStop === here ? window.stayed + 1 : 0
  window.lastStop = here
  const behind = here.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_PRECEDING
  const where = group.includes(here) ? 'there' : behind ? 'behind' : 'ahead'
  const unseen = () => {
    const style = getComputedStyle(here)
    if (here.id === 'main') return ''
    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return 'its focus cannot be seen'
    const box = [...here.getClientRects()].find(box => box.width && box.height)
    if (!box) return 'it has no place on the page'
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight)
    if (bottom <= top || box.right <= 0 || box.left >= innerWidth) return 'it lies outside the window'
    const over = document.elementFromPoint(box.left + box.width / 2, (top + bottom) / 2)
    return !over || here.contains(over) || over.contains(here) ? '' : `${over.tagName} covers it`
  }
  const named = `${here.tagName} "${(here.innerText || here.name || '').trim().slice(0, 40)}"`
  return {where, stayed: window.stayed, unseen: unseen(), named}
}"""
PLACE = "option => [...option.closest('select').options].filter(one => !one.disabled).indexOf(option)"


class Unscripted(Person):
    """Somebody whose browser runs no script: every act is a page of its own."""

    options = {"java_script_enabled": False}
    scripted = False


class Keyboard(Person):
    """Somebody without a mouse: Tab, Enter, Space, arrows and letters; past the navigation by its skip link."""

    def __init__(self, person, page):
        super().__init__(person, page)
        # The tool catches dialogs of files while somebody listens; the first key may be faster than its first catch.
        page.on("filechooser", lambda chooser: None)

    def follow(self, link: Locator) -> None:
        """Enter opens a link; Space presses a button."""
        self.reach(link)
        button = link.evaluate("element => element.tagName") == "BUTTON"
        self.page.keyboard.press("Space" if button else "Enter")

    def fill(self, field: Locator, words: str) -> None:
        """Select what is there, and type over it."""
        backwards = self.reach(field)
        if field.get_attribute("type") == "date":
            for _ in range(3 if backwards else 0):
                self.page.keyboard.press("Shift+Tab")
                if field.evaluate("field => field !== document.activeElement"):
                    self.page.keyboard.press("Tab")
                    break
            year, month, day = words.split("-")
            self.page.keyboard.type(month + day + year)
        else:
            self.page.keyboard.press("Control+A")
            self.page.keyboard.type(words)
        expect(field).to_have_value(words)

    def select(self, field: Locator, option: Locator) -> None:
        """Down the list from its top; where one types into it, the whole of the choice."""
        if field.get_attribute("data-picks"):
            self.fill(field, option.get_attribute("value"))
            self.page.keyboard.press("Tab")
            return
        value, place = option.get_attribute("value"), option.evaluate(PLACE)
        self.reach(field)
        self.page.keyboard.press("Home")
        for _ in range(place):
            self.page.keyboard.press("ArrowDown")
        expect(field).to_have_value(value)

    def check(self, box: Locator) -> None:
        """Space ticks a box; arrows go from one answer to the next."""
        self.reach(box)
        focused = "box => box === document.activeElement"
        for _ in range(SAME_STOPS):
            if box.evaluate(focused):
                break
            self.page.keyboard.press("ArrowDown")
        if not box.is_checked():
            self.page.keyboard.press("Space")
        expect(box).to_be_checked()

    def hand_in(self, field: Locator, file: dict) -> None:
        """Enter opens the dialog in which a file is chosen."""
        self.reach(field)
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Enter")
        chooser.value.set_files(file)

    def reach(self, target: Locator) -> bool:
        """Tab until the focus is there, seen all the way; true when the last step went backwards."""
        target.wait_for()
        step = ""
        for _ in range(MOST_STOPS):
            stop = target.evaluate(STOP)
            if stop["where"] == "nowhere":
                self._begin(target)
                continue
            at = f"{self.page.url}: {stop['named']}"
            # Before the first key the page may still be moving: what it brought in place pushes other things down.
            assert not (step and stop["unseen"]), f"{at}: {stop['unseen']}"
            assert stop["stayed"] < SAME_STOPS, f"{at}: the Tab key does not leave it"
            if stop["where"] == "there":
                return step == "Shift+Tab"
            step = "Shift+Tab" if stop["where"] == "behind" else "Tab"
            self.page.keyboard.press(step)
        raise AssertionError(f"{self.page.url}: the Tab key does not reach {target}")

    def _begin(self, target: Locator) -> None:
        """From the top of a page: the first stop leads past the navigation."""
        self.page.keyboard.press("Tab")
        past = "it => document.activeElement.getAttribute('href') === '#main' && Boolean(it.closest('main'))"
        if target.evaluate(past):
            self.page.keyboard.press("Enter")
            expect(self.page.locator("main")).to_be_focused()


class Slim(Person):
    """Somebody with a window of 320 pixels, which is 1280 at 400 %; every page they act on is measured."""

    options = {"viewport": SLIM}

    def __init__(self, person, page):
        super().__init__(person, page)
        self.measured: set = set()

    def follow(self, link: Locator) -> None:
        """Before anybody leaves a page, it is measured as it stands then."""
        link.wait_for()
        state = self.page.url, self.page.evaluate("document.getElementsByTagName('*').length")
        if state not in self.measured:
            self.measured.add(state)
            self.fits()
        super().follow(link)

    def fits(self) -> None:
        """Nothing on the page that is open is too wide, cut off or covered."""
        found = measured(self.page, self.page.viewport_size)
        assert found == [], f"{self.page.url}: {found}"


class Zoomed(Slim):
    """Somebody who reads at 200 %: half as many pixels for the page, each twice as large."""

    options = AT_200_PERCENT


WAYS = {
    "mouse": Person,
    "unscripted": Unscripted,
    "keyboard": Keyboard,
    "slim": Slim,
    "zoomed": Zoomed,
}
