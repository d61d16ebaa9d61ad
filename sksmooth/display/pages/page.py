"""The frame of a page: one file that loads no other and may run no script."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version
from typing import Any

from ... import exceptions
from ..._lib.html import STYLE, Html, element, facts_table, joined
from ..._version import __version__

__all__ = ["explained", "listed", "make_page", "section"]

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "numba", "pandas", "joblib", "matplotlib")
# Were a name to get past the escaping, the browser would still run and load nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1c2024; --quiet: #57606a; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --ink: #e6e8ea; --quiet: #a4acb4; } }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 58rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 0.3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0.5rem; padding-bottom: 0.2rem;
  border-bottom: 1px solid rgba(128, 128, 128, 0.35); }
p { margin: 0.5rem 0; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.alpha { font-size: 2rem; font-weight: 650; margin: 1.2rem 0 0; }
figure { margin: 0.8rem 0; }
figure img { display: block; width: 100%; height: auto; background: #ffffff;
  border-radius: 0.3rem; }
.sksmooth-wide img { min-width: 36rem; }
ul { padding-left: 1.3rem; }
li { margin: 0.3rem 0; overflow-wrap: anywhere; }
table { font-size: 0.9rem; }
.sksmooth-scroll:focus-visible { outline: 2px solid var(--sksmooth-blue); }
.lead .sksmooth-bar { width: 60%; }
@media (max-width: 40rem) { td .sksmooth-bar { width: 7em; } main { padding-top: 1rem; } }
@media print { body { font-size: 11pt; } main { max-width: none; padding: 0; }
  .sksmooth-scroll { overflow: visible; } h2, caption { break-after: avoid; }
  tr, figure, li { break-inside: avoid; } .sksmooth-bar > * { print-color-adjust: exact; } }
"""


def make_page(title: str, subtitle: str, sections: Iterable[Html]) -> str:
    """Put sections under a title, with the styles and versions that a page needs."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=Html(_POLICY)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="generator", content=f"sksmooth {__version__}"),
        element("title", title),
        element("link", rel="icon", href="data:,"),  # else some browsers ask for one
        element("style", Html(STYLE + _STYLE)),
    )
    heading = element(
        "header",
        element("h1", element("bdi", title)),
        element("p", subtitle, class_="quiet"),
    )
    main = element("main", heading, *sections, _versions(), class_="sksmooth")
    page = element("html", head, element("body", main), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def explained(cautions: Iterable[str]) -> Html:
    """Explain the names of warnings in the cells of a table, separated by commas."""
    names = dict.fromkeys(name for each in cautions for name in str(each).split(", "))
    known = [name for name in names if name in exceptions.__all__]
    return listed({name: getattr(exceptions, name).__doc__ for name in known})


def listed(texts: dict[str, str]) -> Html:
    """List texts after their names; nothing if there are none."""
    items = [element("li", element("b", f"{name}: "), text) for name, text in texts.items()]
    return element("ul", *items) if items else Html("")


def section(heading: str, *content: Any) -> Html:
    """Make a section of the page under its heading."""
    return element("section", element("h2", heading), *content)


def _versions() -> Html:
    now = datetime.now().astimezone()
    facts = {"Date": f"{now:%Y-%m-%d %H:%M} (UTC{now:%z})", "sksmooth": __version__}
    facts |= {"Python": platform.python_version()}
    facts |= {name: version(name) for name in _LIBRARIES}
    return section("Made with", joined([facts_table(facts, "Versions and date")]))
