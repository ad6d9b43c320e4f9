"""How a therapist of the pretend practice handles a note: opens the link of the mail and takes it on."""

from urllib.parse import urljoin

from bs4 import BeautifulSoup

from bot.sandbox.judge import Opened
from bot.sandbox.mailbox import Mail
from bot.sandbox.sample import CLIENTS
from bot.sandbox.stage import Stage


def open_note(stage: Stage, mail: Mail, note: str) -> Opened:
    """Open the note in a browser's way, take it on with a few words, and look whether the page says so."""
    link = mail.note
    if not link:
        return Opened(mail.id, "", taken_on=False)
    page = BeautifulSoup(stage.get(link).text, "html.parser")
    shown = page.get_text(" ", strip=True)
    about = next((client.ref for client in CLIENTS if client.ref in shown), "")
    form = page.find("form")
    if form is None or not form.find("textarea"):
        return Opened(mail.id, about, taken_on=False)
    answer = stage.post(urljoin(link, str(form.get("action") or link)), {"note": note})
    return Opened(mail.id, about, taken_on=note in BeautifulSoup(answer.text, "html.parser").get_text(" "))
