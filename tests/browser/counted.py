"""People at a page, or at a frame in it, whose clicks and typed characters are counted."""

from typing import Any

FURTHEST = 150
"""Presses of Tab after which a place counts as out of reach."""
CHOSEN = "list => list.selectedOptions[0].label"
FOCUSED = "element => document.hasFocus() && document.activeElement === element"


class Counted:
    """Somebody with a mouse. `place` is where things are looked for: the page, or the frame of it."""

    def __init__(self, page: Any, place: Any = None) -> None:
        self.page = page
        self.place = place or page
        self.clicks = self.typed = 0

    def press(self, target: Any) -> None:
        """Use a button or a link."""
        target.click()
        self.clicks += 1

    def open_block(self, block: str) -> None:
        """Show the form of a block."""
        self.press(self.place.get_by_test_id(f"block-{block}").locator(".block-title"))
        self.place.locator("#inspector").wait_for()

    def choose(self, target: Any, option: str) -> None:
        """Take an option of a list: one click opens it, one takes."""
        target.select_option(label=option)
        self.clicks += 2

    def write(self, target: Any, text: str) -> None:
        """Put a text at the end of a field."""
        self.press(target)
        self.page.keyboard.press("Control+End")
        self.page.keyboard.insert_text(text)
        self.typed += len(text)


class ByKeys(Counted):
    """Somebody without a mouse: `clicks` are presses of Enter."""

    def press(self, target: Any) -> None:
        """Go there and press Enter."""
        self.reach(target)
        self.page.keyboard.press("Enter")
        self.clicks += 1

    def open_block(self, block: str) -> None:
        """Show the form of a block."""
        self.press(self.place.locator(f".react-flow__node[data-id={block}]"))
        self.place.locator("#inspector").wait_for()

    def choose(self, target: Any, option: str) -> None:
        """Go to a list and down to the option."""
        self.reach(target)
        for _ in range(target.locator("option").count()):
            if target.evaluate(CHOSEN) == option:
                return
            self.page.keyboard.press("ArrowDown")
        assert target.evaluate(CHOSEN) == option

    def reach(self, target: Any) -> None:
        """Press Tab until the target has the keyboard."""
        target.wait_for()
        for _ in range(FURTHEST):
            if target.evaluate(FOCUSED):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} is not reached by {FURTHEST} presses of Tab")
