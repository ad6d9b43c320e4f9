"""Who may open what. Every route says it, by `allow` or `open_to_all`; one that says nothing opens to nobody."""

from collections.abc import Callable
from typing import TypeVar, cast

from flask import abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from bot.flows import access
from bot.flows.access import ROLES, Me
from bot.web.here import ctx, now

View = TypeVar("View", bound=Callable[..., object])
ANYONE: frozenset[str] = frozenset({"anyone"})
SECRET = "sign_in"  # noqa: S105 - the name under which the browser's cookie carries it
OWN_ACCOUNT = frozenset({"account"})
FIRST_STEP = frozenset({"first step"})


def allow(*roles: str) -> Callable[[View], View]:
    """Mark a view: whoever holds one of these roles may open it; who sees ratings needs a second factor first."""
    if unknown := set(roles) - ROLES:
        raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
    return _mark(frozenset(roles))


def open_to_all(view: View) -> View:
    """Mark a view that needs no sign-in, since a token, a signature or nothing at all is enough."""
    return _mark(ANYONE)(view)


def own_account(view: View) -> View:
    """Mark a view about the signed-in person's own account: any role, also before the second factor is set up."""
    return _mark(OWN_ACCOUNT)(view)


def first_step(view: View) -> View:
    """Mark a view that serves whoever has signed in but not yet taken their second step: taking it, signing out."""
    return _mark(FIRST_STEP)(view)


def allowed_to(view: Callable[..., object]) -> frozenset[str]:
    """Who may open a view: role names, ANYONE, OWN_ACCOUNT, or nobody."""
    return cast(frozenset[str], getattr(view, "allowed_to", frozenset()))


def me() -> Me:
    """The signed-in person of this request. 403 where there is none."""
    found = current()
    if found is None:
        abort(403)
    return found


def current() -> Me | None:
    """The signed-in person of this request, where there is one."""
    return cast(Me | None, g.get("me"))


def check() -> Response | None:
    """Before every request: find out who asks, and turn away whoever may not."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None:
        g.me = _who()  # no such route: answered as missing, with a way back for our own people
        return None
    wanted = ANYONE if request.endpoint == "static" else allowed_to(view)
    g.me = None if wanted == ANYONE else _who()
    if wanted == ANYONE:
        return None
    if g.me is None:
        return _to_sign_in()
    if wanted == FIRST_STEP:
        return None
    if g.me.half_way:
        return _go(url_for("second_factor.show"))
    if wanted == OWN_ACCOUNT:
        return None
    if not wanted & g.me.roles:
        abort(404)
    return _go(url_for("second_factor.show")) if g.me.waits else None


def signed_in() -> Me | None:
    """Who is signed in, on a page that is open to all."""
    return _who()


def _mark(roles: frozenset[str]) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.allowed_to = roles  # type: ignore[attr-defined]
        return view

    return mark


def _who() -> Me | None:
    secret = session.get(SECRET)
    return access.signed_in(ctx(), secret, now()) if isinstance(secret, str) else None


def _to_sign_in() -> Response:
    """To the sign-in page, and back afterwards where it was a page that was asked for."""
    back = request.full_path.rstrip("?") if request.method == "GET" and not _partial() else None
    return _go(url_for("sign_in.show", back=back))


def _go(path: str) -> Response:
    """There, by the whole window also where only a part of the page was asked for."""
    return Response(status=204, headers={"HX-Redirect": path}) if _partial() else redirect(path, code=303)


def _partial() -> bool:
    return request.headers.get("HX-Request") == "true"
