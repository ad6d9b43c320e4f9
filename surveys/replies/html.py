"""The visible text of an HTML mail, with quotations marked as such.

BeautifulSoup reads the tags; before that, comments, styles and whatever is not a well-formed tag are taken out,
because the parser beneath it takes time that grows with the square of unclosed ones (20 kB of "<a <a": 2 s).
"""

import re
from collections.abc import Sequence

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

_LONGEST = 24_000
_TAGS = 1_200
_SURROGATES = re.compile("[\ud800-\udfff]")  # half characters, which BeautifulSoup cannot take
_HIDDEN = {"script": "</script", "style": "</style", "head": "</head", "title": "</title"}
_DECLARATION = re.compile(r"<[!?][a-zA-Z\[][^<>]{0,500}>")  # <!DOCTYPE html>, <![endif]>, <?xml ...?>
_TAG = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9:]{0,20})((?:\s[^<>]{0,2000})?)/?>")
_ATTRIBUTE = re.compile(
    r"""\b(class|id|style|hidden|type)\b(?:\s?=\s?(?:"([^"<>]{0,300})"|'([^'<>]{0,300})'|([^\s"'<>]{1,100})))?"""
)
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "li",
        "tr",
        "table",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "section",
        "article",
        "header",
        "footer",
        "address",
        "pre",
        "blockquote",
        "body",
        "html",
    ]
)
_INVISIBLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt)?\s*(?:;|$)", re.IGNORECASE
)
_INDENTED = re.compile(r"^(?=.*border:\s?none).*margin:[^;]{0,20}\b40px")
_FOLLOWS = ("divrplyfwdmsg", "appendonsend")  # the original begins here and lasts to the end
ORIGINAL = "\n-----Original Message-----\n"
QUOTE = "\n>\n"


def html_to_text(source: str, quote_classes: Sequence[str]) -> str:
    """Text as a reader sees it, a line a block; quotations become a `>` line, an original its usual rule."""
    soup = BeautifulSoup(_well_formed(source), "html.parser")
    parts: list[str] = []
    _read(soup, parts, tuple(quote_classes))
    return re.sub(r"[^\S\n]+", " ", "".join(parts)).strip()


def _well_formed(source: str) -> str:
    source = _DECLARATION.sub("", _without(_SURROGATES.sub("\ufffd", source), "<!--", "-->"))
    for name, end in _HIDDEN.items():
        source = _without(source, f"<{name}", end)
    pieces: list[str] = []
    at = 0
    for count, tag in enumerate(_TAG.finditer(source)):
        pieces += [source[at : tag.start()].replace("<", "&lt;"), _plain_tag(tag)]
        at = tag.end()
        if count > _TAGS or at > _LONGEST:
            break
    pieces.append(source[at : at + _LONGEST].replace("<", "&lt;"))
    return "".join(pieces)


def _without(source: str, start: str, end: str) -> str:
    """`source` without what stands between the marks; an unclosed start hides nothing."""
    lower = source.lower()
    if len(lower) != len(source) or start not in lower:
        return source
    pieces, at = [], 0
    while (begin := lower.find(start, at)) >= 0 and (stop := lower.find(end, begin)) >= 0:
        pieces.append(source[at:begin])
        close = source.find(">", stop)
        at = len(source) if close < 0 else close + 1
    return "".join(pieces) + source[at:]


def _plain_tag(tag: re.Match[str]) -> str:
    """The tag with the few attributes that say whether it is seen or quoted."""
    kept = "".join(f' {name}="{a or b or c or "1"}"'.replace("&", "") for name, a, b, c in _ATTRIBUTE.findall(tag[2]))
    return f"<{tag[1].lower()}{'' if tag[1].startswith('/') else kept}>"


def _read(soup: Tag, parts: list[str], quote_classes: tuple[str, ...]) -> None:
    """Walk the tree without recursion: mail nests deeply."""
    stack: list[object] = [soup]
    while stack:
        node = stack.pop()
        if isinstance(node, str) and not isinstance(node, NavigableString):
            parts.append(node)
        elif isinstance(node, NavigableString):
            if type(node) is NavigableString:
                parts.append(re.sub(r"\s+", " ", str(node).replace("\xa0", "\u2007")))
        elif isinstance(node, Tag):
            before, children, after = _open(node, quote_classes)
            parts.append(before)
            stack += [after, *reversed(children)] if children else [after]


def _is_indented(tag: Tag) -> bool:
    """What Gmail makes of its button for indenting: no quotation, though it is written as one."""
    return tag.name == "blockquote" and not tag.get("class") and bool(_INDENTED.search(str(tag.get("style", ""))))


def _holds_quotations(tag: Tag) -> bool:
    """Whether this is Gmail's frame around the line above a quotation and the quotation itself. Whoever answers inside
    it writes between the two, or parts the quotation."""
    if tag.name != "div" or "gmail_quote" not in str(tag.get("class", "")).lower():
        return False
    inside = [child for child in tag.children if isinstance(child, Tag) and child.name != "br"]
    above = str(inside[0].get("class", "")).lower() if len(inside) > 1 else ""
    return "gmail_attr" in above and inside[1].name == "blockquote"


def _open(tag: Tag, quote_classes: tuple[str, ...]) -> tuple[str, Sequence[object], str]:
    """What stands before a tag's children, the children to read, and what stands after them."""
    marks = " ".join((str(tag.get("class", "")), str(tag.get("id", "")))).lower()
    if tag.has_attr("hidden") or _INVISIBLE.search(str(tag.get("style", ""))):
        return "", (), ""
    if any(name in marks for name in _FOLLOWS):
        return ORIGINAL, (), ""
    if _is_indented(tag):
        return "\n", tag.contents, "\n"
    if tag.name == "blockquote" or (marks.strip() and any(name in marks for name in quote_classes)):
        return (QUOTE, (), "") if not _holds_quotations(tag) else ("\n", tag.contents, "\n")
    if tag.name == "br" or tag.name == "hr":
        return "\n", tag.contents, ""
    if tag.name in ("td", "th"):
        return " ", tag.contents, " "
    if tag.name == "p":
        return "\n", tag.contents, "\n"
    if tag.name in _BLOCKS:
        return "\n", tag.contents, "\n"
    return "", tag.contents, ""
