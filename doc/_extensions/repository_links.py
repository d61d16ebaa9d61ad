"""Make links work in a clone, on a git host and on the built pages.

In the repository, the Markdown pages link to files by their relative paths, such as
``../benchmarks/README.md`` or ``../examples/index/plot_label_noise.py``. On the built pages

- a link to an example leads to its page of the gallery;
- a link to a Markdown file outside this folder leads to the page that stands in for it. The
  source of that page holds only a link to the file, and the page is built from the file;
- any other file can be downloaded, which MyST takes care of.
"""

import os
import re
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
# Page -> the file of the repository whose text it shows.
STAND_INS = {
    "benchmark_scripts": "benchmarks/README.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "index": "README.md",
}
LINK = re.compile(r"(?<=\]\()(?P<path>[^()\s:#]+)(?P<anchor>#[^()\s]*)?(?=\))")
EXAMPLE = re.compile(r"examples/(\w+/plot_\w+)\.py")


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
    return {"parallel_read_safe": True, "parallel_write_safe": True}
