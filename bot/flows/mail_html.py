"""A mail's HTML from its template, each style where it is used: many readers of mail drop style sheets."""

from functools import cache

import css_inline
import jinja2


def render(template: str, **values: object) -> str:
    """The filled-in page. What only dark and narrow screens change stays in a sheet."""
    return _inliner().inline(_templates().get_template(template).render(**values))


@cache
def _templates() -> jinja2.Environment:
    loader = jinja2.PackageLoader("bot.flows")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)


@cache
def _inliner() -> css_inline.CSSInliner:
    # it would read file:// and http:// stylesheets without asking
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
