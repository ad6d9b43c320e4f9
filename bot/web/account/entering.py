"""What every way in ends with: the browser gets its secret, and goes where it wanted to."""

import re
from urllib.parse import urlsplit

from flask import redirect, request, session
from werkzeug.wrappers import Response

from bot.web.guard import SECRET

BACK = "back"
_BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
_NAMES = {"Edg": "Edge", "OPR": "Opera"}
_SYSTEMS = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS X": "Mac"}
_SYSTEMS |= {"CrOS": "Chromebook", "Linux": "Linux"}


def enter(secret: str) -> Response:
    """The browser is signed in from here on, and goes on to where it wanted to."""
    carry(secret)
    return redirect(wanted(), code=303)


def carry(secret: str) -> None:
    """The browser gets its secret. Whatever else it carried is dropped, so that nobody who put something there keeps
    a foot in the door; only where it wanted to is kept, since a second step may come first."""
    back = wanted()
    session.clear()
    session[SECRET] = secret
    session[BACK] = back


def remember(back: str) -> None:
    """Keep where somebody wanted to before they had to sign in."""
    path = own_path(back)
    if path and not path.startswith(("/sign-", "/account/second-factor")):
        session[BACK] = path


def wanted() -> str:
    """Where they wanted to; the front door, if nowhere."""
    return own_path(str(session.get(BACK, ""))) or "/"


def own_path(path: str) -> str:
    """A path on this very site, or the empty text: what came with a link must not lead elsewhere."""
    if not path.startswith("/") or not path.isprintable() or "\\" in path or len(path) > 500:
        return ""
    try:
        parts = urlsplit(path)
    except ValueError:
        return ""
    return "" if parts.scheme or parts.netloc or path.startswith("//") else path


def browser() -> str:
    """As people would name it: "Firefox on Windows"."""
    told = request.headers.get("User-Agent", "")
    name = next((name for name in _BROWSERS if re.search(rf"{name}\w*/", told)), "")
    system = next((said for part, said in _SYSTEMS.items() if part in told), "")
    known = _NAMES.get(name, name) or "A browser"
    return f"{known} on {system}" if system else known
