"""Going on to another page by a button or a link, and waiting for it: a page that is on its way out can't be looked at,
filled in or left."""

from playwright.sync_api import Locator, Page


def follow(control: Locator) -> None:
    """Press it and wait until the page it leads to is loaded."""
    with control.page.expect_navigation():
        control.click()


def press(page: Page, name: str) -> None:
    """Press the button of this name, which leads to another page or to this one anew."""
    follow(page.get_by_role("button", name=name))
