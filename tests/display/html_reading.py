"""A strict reader of pages and cards, and names that try to break them."""

import re
import unicodedata
from html.parser import HTMLParser

from hypothesis import strategies as st

ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
LARGEST = 1_000_000  # bytes of a page
VOID = {"img", "link", "meta"}
ATTRIBUTES = {
    "html": {"lang"},
    "img": {"src", "alt"},
    "link": {"rel", "href"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "th": {"scope"},
    "div": {"tabindex"},
}
PLAIN_TAGS = (  # neither links nor scripts
    "b bdi body caption details figcaption figure h1 h2 head header li main p section span "
    "style summary table tbody td thead title tr ul"
)
ANYWHERE = {"class", "style", "role", "aria-label"}
PLACE = re.compile(r"left:[\d.]+%?(;width:[\d.]+%)?|width:[\d.]+%")

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title><svg onload=alert(1)>",
    "<!-- <![CDATA[ ]]> -->",
    "&amp;",
    "&#x3c;b&#x3e;",
    r"$\frac{",
    r"\$x$ and \input{secret}",
    "javascript:alert(1)",
    "two\nlines\r\nand\ttabs",
    "\u202eright to left\u2066",
    "lone \ud800 surrogate \udfff",
    "\x00\x1b[31m\x7f\x85\ufdd0\uffff\U0010ffff",
    "",
    "   ",
    "7",
    "名前 \N{GRINNING FACE}",
    "a\u200cb\u200dc",  # joiners, which some scripts need
    "x" * 100_000,
    "{0}%s$title${x}",
]
names = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(), max_size=30),
    st.lists(st.sampled_from(HOSTILE[:15]), min_size=2, max_size=3).map("".join),
)


def shown(text, longest=120):
    """What a page has to show of a text: one line, no control characters, both ends."""
    text = str(text)
    if len(text) > longest:
        text = f"{text[: longest // 2]}…{text[-(longest // 2) :]}"
    return "".join(ascii(c)[1:-1] if _is_unseen(c) else c for c in text)


def _is_unseen(character):
    code = ord(character)
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF")
        or unicodedata.bidirectional(character) in ("LRI", "RLI", "FSI", "PDI")
        or character in "\u061c\u200e\u200f"  # marks of direction
        or 0xFDD0 <= code <= 0xFDEF
        or code & 0xFFFE == 0xFFFE
    )


class Reader(HTMLParser):
    """Reads HTML, and refuses elements and attributes that no page or card has."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.texts, self.found = [], [""], []
        self.feed(page)
        self.close()
        assert self.open == []
        self.texts = [text for text in self.texts if text]

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        assert len(given) == len(attributes), "an attribute is given twice"
        assert tag in [*PLAIN_TAGS.split(), *ATTRIBUTES]
        assert set(given) <= ATTRIBUTES.get(tag, set()) | ANYWHERE, (tag, given)
        if "style" in given:
            assert PLACE.fullmatch(given["style"])
        for name in ("src", "href"):
            assert given.get(name, "data:").startswith("data:")
        self.found.append((tag, given))
        self.texts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.texts.append("")

    def handle_data(self, data):
        self.texts[-1] += data.replace("\N{NO-BREAK SPACE}", " ")

    def refuse(self, data):
        raise AssertionError(f"a comment, declaration or instruction: {data}")

    handle_comment = unknown_decl = handle_pi = refuse

    def tags(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def read_page(page):
    """Read a page that is valid and asks for nothing."""
    assert len(page.encode()) < LARGEST  # which fails for lone surrogates
    reader = Reader(page)
    assert page.startswith("<!DOCTYPE html>\n<html lang=")
    policy = [meta["content"] for meta in reader.tags("meta") if "http-equiv" in meta]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert "url(" not in page
    assert "@import" not in page
    for tag in ("title", "h1", "main"):
        assert len(reader.tags(tag)) == 1
    assert len(reader.tags("caption")) == len(reader.tags("table"))
    assert all(len(image["alt"]) > 20 for image in reader.tags("img"))
    return reader


def without_date(page):
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "", page)
