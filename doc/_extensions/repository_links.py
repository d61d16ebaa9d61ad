"""Make links work in a clone, on a git host and on the built pages.

In the repository, the Markdown pages link to files by their relative paths, such as
``../benchmarks/README.md`` or ``../examples/index/plot_label_noise.py``. On the built pages

- a link to an example leads to its page of the gallery;
- a link to a Markdown file outside this folder leads to the page that stands in for it. The
  source of that page holds only a link to the file, and the page is built from the file;
- any other file can be downloaded, which MyST takes care of.

Each page ends with a link to its source, and each entry of the reference links to its code.
The address of the repository is ``url`` in ``setup.cfg``, and stands nowhere else.
"""

import configparser
import inspect
import os
import re
from functools import cache
from importlib import import_module
from operator import attrgetter
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
BRANCH = "main"
# Page -> the file of the repository whose text it shows.
STAND_INS = {
    "benchmark_scripts": "benchmarks/README.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "index": "README.md",
}
LINK = re.compile(r"(?<=\]\()(?P<path>[^()\s:#]+)(?P<anchor>#[^()\s]*)?(?=\))")
EXAMPLE = re.compile(r"examples/(\w+/plot_\w+)\.py")


@cache
def address():
    """Return the address of the repository."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return settings["metadata"]["url"].rstrip("/")


def address_of(path, lines=None):
    """Return the address of a file of the repository, or of some of its lines."""
    anchor = "#L{}-L{}".format(*lines) if lines else ""
    return f"{address()}/blob/{BRANCH}/{path}{anchor}"


def address_of_code(domain, info):
    """Return the address of the code of a public name, for ``sphinx.ext.linkcode``."""
    thing = attrgetter(info["fullname"])(import_module(info["module"]))
    thing = getattr(thing, "fget", None) or getattr(thing, "func", None) or thing
    try:
        file = inspect.getsourcefile(inspect.unwrap(thing))
        code, first = inspect.getsourcelines(thing)
    except (TypeError, OSError):  # a value, such as an attribute
        return None
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return None
    return address_of(path.relative_to(ROOT).as_posix(), (first, first + len(code) - 1))


def source_of(docname, suffix):
    """Return the file of the repository of which a page is made, or None."""
    if docname in STAND_INS and docname != "index":
        return STAND_INS[docname]
    example = re.fullmatch(r"auto_examples/(\w+/plot_\w+)", docname)
    if example:
        return f"examples/{example[1]}.py"
    path = f"doc/{docname}{suffix}"
    is_made = docname.startswith(("api/generated/", "auto_examples/"))
    return path if (ROOT / path).is_file() and not is_made else None


def add_source(app, docname, template, context, doctree):
    """Give the address of its source to the template of a page."""
    path = source_of(docname, context.get("page_source_suffix") or "")
    context["source_address"] = address_of(path) if path else None


def page_of(path):
    """Return the path of the page for a file, both relative to the repository's root."""
    for page, file in STAND_INS.items():
        if path == file:
            return f"doc/{page}.md"
    if path == "examples/README.rst":
        return "doc/auto_examples/index.rst"
    return EXAMPLE.sub(r"doc/auto_examples/\1.rst", path)


def relinked(text, folder, docname):
    """Rewrite links relative to a folder of the repository for a page of the site."""

    def target(link):
        path = os.path.normpath(PurePosixPath(folder, link["path"]))
        page_folder = PurePosixPath("doc", docname).parent
        return os.path.relpath(page_of(path), page_folder) + (link["anchor"] or "")

    return LINK.sub(target, text)


def read_source(app, docname, source):
    """Replace the text of a stand-in page by that of its file, and rewrite the links."""
    if Path(app.env.doc2path(docname)).suffix != ".md":
        return
    folder = PurePosixPath("doc", docname).parent
    file = STAND_INS.get(docname)
    if file and docname != "index":
        app.env.note_dependency(str(ROOT / file))
        source[0] = (ROOT / file).read_text(encoding="utf-8")
        folder = PurePosixPath(file).parent
    source[0] = relinked(source[0], folder, docname)


def setup(app):
    """Connect the hook to the reading of sources."""
    app.connect("source-read", read_source)
    app.connect("html-page-context", add_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
