"""``<!-- rendered: table -->`` shows what a notebook displays at the end of a cell.

The marker stands in a Markdown page below the code that makes the object, and is invisible
on a git host. The build runs the doctests of the page up to the marker, and puts what the
expression's ``_repr_html_()`` returns in the marker's place.
"""

import contextlib
import doctest
import io
import re
import warnings

from sphinx.errors import ExtensionError

MARKER = re.compile(r"^<!-- rendered: (?P<expression>.+) -->$", re.MULTILINE)
FENCE = re.compile(r"^```.*$", re.MULTILINE)  # ends the output of a doctest


def run(code, names, page):
    """Run the doctests of a piece of a page, whose outputs other tests compare."""
    for example in doctest.DocTestParser().get_examples(code, page):
        line = compile(example.source, f"<{page}>", "exec")
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(line, names)


def rendered(expression, names):
    """Make the block of raw HTML for an expression."""
    page = eval(expression, names)._repr_html_()
    if page is None:
        raise ExtensionError(f"{expression} has no HTML: is a display option turned off?")
    return f'````{{raw}} html\n<div class="rendered">\n{page}\n</div>\n````'


def show(app, docname, source):
    """Replace the markers of a page."""
    text, names, done = source[0], {"__name__": "__main__"}, 0
    pieces = []
    for marker in MARKER.finditer(text):
        before = text[done : marker.start()]
        try:
            run(FENCE.sub("", before), names, docname)
            block = rendered(marker["expression"], names)
        except ExtensionError:
            raise
        except Exception as error:
            message = f"{docname}, {marker[0]}: {type(error).__name__}: {error}"
            raise ExtensionError(message) from error
        pieces += [before, block]
        done = marker.end()
    source[0] = "".join([*pieces, text[done:]])


def setup(app):
    """Connect the hook, after those that change the text of pages."""
    app.connect("source-read", show, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
