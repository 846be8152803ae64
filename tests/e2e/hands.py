"""Two ways to use a page: by pointing, and by keys alone."""

from __future__ import annotations

from typing import Protocol

from playwright.sync_api import Locator, Page, expect

MOST_TABS = 120  # more than any page has to offer
SEES_FOCUS = """element => {
    const style = getComputedStyle(element);
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    return element.matches(':focus-visible') && (outlined || style.boxShadow !== 'none');
}"""
IS_UNCOVERED = """element => {
    const box = element.getBoundingClientRect();
    const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return there !== null && (element.contains(there) || there.contains(element));
}"""
HAS_FOCUS = "element => element === document.activeElement"


class Hand(Protocol):
    def press(self, target: Locator) -> None:
        """A link or a button."""

    def tick(self, box: Locator) -> None: ...

    def write(self, field: Locator, text: str) -> None: ...


class Pointer:
    def press(self, target: Locator) -> None:
        target.click()

    def tick(self, box: Locator) -> None:
        box.check()

    def write(self, field: Locator, text: str) -> None:
        field.fill(text)


class Keys:
    """Goes forward with Tab until it is there, and there sees that it is."""

    def __init__(self, page: Page) -> None:
        self.keyboard = page.keyboard

    def press(self, target: Locator) -> None:
        self._go_to(target)
        self.keyboard.press("Enter")

    def tick(self, box: Locator) -> None:
        self._go_to(box)
        self.keyboard.press("Space")
        expect(box).to_be_checked()

    def write(self, field: Locator, text: str) -> None:
        self._go_to(field)
        self.keyboard.type(text)
        expect(field).to_have_value(text)

    def _go_to(self, target: Locator) -> None:
        expect(target).to_be_visible()
        for _ in range(MOST_TABS):
            if target.evaluate(HAS_FOCUS):
                assert target.evaluate(SEES_FOCUS), f"No mark of the focus at {target}"
                assert target.evaluate(IS_UNCOVERED), f"Something lies over {target}"
                return
            self.keyboard.press("Tab")
        raise AssertionError(f"Tab never comes to {target}")
