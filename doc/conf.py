"""How Sphinx builds the documentation.

``python -m sphinx -W --keep-going -b html doc doc/_build/html`` builds it, and
``python doc/check_pages.py`` checks it in a browser.

Links to the documentation of other libraries need their inventories from the web. Without a
connection, the build says so and omits these links. ``SKSMOOTH_INVENTORIES=folder`` reads
them from ``folder/numpy.inv`` and so on instead.
"""

import inspect
import os
import socket
import sys
import warnings
from pathlib import Path
from pydoc import locate

import matplotlib
from sphinx.util import logging
from sphinx_gallery.sorting import ExplicitOrder

import sksmooth
from sksmooth._lib import numba_loops as _numba_loops

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))
import repository_links

matplotlib.use("Agg")
logger = logging.getLogger(__name__)

project = "sksmooth"
author = "sksmooth developers"
copyright = author
version = release = sksmooth.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.linkcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    # of this folder
    "command_help",
    "mathml",
    "rendered",
    "repository_links",
    "side_bars",
]
exclude_patterns = [
    "_build",
    "_templates",
    "auto_examples/**/*.ipynb",
    "auto_examples/*.py",
]
templates_path = ["_templates"]
default_role = "literal"
language = "en"
smartquotes = False  # types such as {"samples", "volume"} are code
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
# Functions in the settings cannot be cached between builds, which only costs seconds.
suppress_warnings = ["config.cache"]

# -- Markdown ----------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- Reference ---------------------------------------------------------------------------

autosummary_generate = True
autodoc_typehints = "none"  # docstrings describe the types
autodoc_member_order = "groupwise"
numpydoc_show_class_members = False  # the class template lists them in full


def is_of_scikit_learn(name, member):
    """Tell whether a method is scikit-learn's, whose docstring links to its own guide."""
    is_request = name.startswith("set_") and name.endswith("_request")
    return is_request or str(getattr(member, "__module__", "")).startswith("sklearn.")


def skip_methods_of_scikit_learn(app, what, name, obj, skip, options):
    """Leave the methods that all estimators share to scikit-learn's documentation."""
    return True if is_of_scikit_learn(name, obj) else None


def methods_of_scikit_learn(module, name):
    """List the names of these methods, for the page of a class."""
    members = inspect.getmembers(getattr(sys.modules[module], name), callable)
    return [n for n, member in members if n[0] != "_" and is_of_scikit_learn(n, member)]


autosummary_context = {"methods_of_scikit_learn": methods_of_scikit_learn}


# -- Other libraries ---------------------------------------------------------------------

LIBRARIES = {
    "python": "https://docs.python.org/3",
    "numpy": "https://numpy.org/doc/stable",
    "scipy": "https://docs.scipy.org/doc/scipy",
    "sklearn": "https://scikit-learn.org/stable",
    "pandas": "https://pandas.pydata.org/docs",
    "joblib": "https://joblib.readthedocs.io/en/stable",
    "matplotlib": "https://matplotlib.org/stable",
    "torch": "https://docs.pytorch.org/docs/stable",
}


def web_is_reachable(host="docs.python.org", seconds=5):
    """Tell whether a connection to the host can be opened."""
    try:
        socket.create_connection((host, 443), timeout=seconds).close()
    except OSError as error:
        logger.info("cannot reach %s (%s): no links to other libraries", host, error)
        return False
    return True


def inventories():
    """Return the addresses and inventories of the other libraries."""
    folder = os.environ.get("SKSMOOTH_INVENTORIES")
    if folder:
        paths = {name: Path(folder, f"{name}.inv") for name in LIBRARIES}
        return {n: (LIBRARIES[n], str(p)) for n, p in paths.items() if p.exists()}
    if web_is_reachable():
        return {name: (address, None) for name, address in LIBRARIES.items()}
    return {}


intersphinx_mapping = inventories()
intersphinx_timeout = 20
nitpicky = True  # a broken reference is an error


def is_of_another_library(app, domain, node):
    """Tell whether a name of a library without an inventory can be imported."""
    name = node.get("reftarget", "")
    library = name.partition(".")[0]
    if library in sys.stdlib_module_names:
        library = "python"
    if library in LIBRARIES and library not in intersphinx_mapping:
        return locate(name) is not None or None
    return None


# -- Gallery -----------------------------------------------------------------------------


def first_of_a_kind():
    """Make a format of warnings that shows the first of each kind, without a path."""
    shown = set()

    def form(message, category, filename, lineno, line=None):
        is_new = category not in shown
        shown.add(category)
        return f"{category.__name__}: {message}\n" if is_new else ""

    return form


USUAL_WARNINGS = warnings.filters[:], warnings.formatwarning


def set_warnings(gallery_conf, path, when):
    """Let an example fail on a FutureWarning and show others briefly; reset afterwards."""
    warnings.filters[:], warnings.formatwarning = USUAL_WARNINGS
    if when == "before":
        warnings.simplefilter("error", FutureWarning)
        warnings.formatwarning = first_of_a_kind()


# Suppress the notice that loops are being compiled, which belongs to no example.
_numba_loops._NOTICE.is_given = True

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "subsection_order": ExplicitOrder(
        [
            f"../examples/{section}"
            for section in ("index", "features", "networks", "labels", "wavelets", "images")
        ]
    ),
    "filename_pattern": r"plot_",
    "abort_on_example_error": True,
    "ignore_repr_types": r"Display'>",  # the picture is shown, not its object
    "reset_modules": ("matplotlib", set_warnings),
    "reset_modules_order": "both",
    "backreferences_dir": "api/backreferences",
    "doc_module": ("sksmooth",),
    "reference_url": {"sksmooth": None},
    "inspect_global_variables": True,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": True,
    "matplotlib_animations": False,
    "within_subsection_order": "FileNameSortKey",
    "write_computation_times": False,
}

# -- Pages -------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "sksmooth"
html_static_path = ["_static"]
html_css_files = ["sksmooth.css"]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_theme_options = {
    "icon_links": [
        {
            "name": "Repository",
            "url": repository_links.address(),
            "icon": "fa-solid fa-code",
        }
    ],
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
    "article_footer_items": ["view-source"],
    "footer_start": ["project-version", "copyright"],
    "footer_end": ["theme-version"],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_sidebars = {"index": []}

linkcode_resolve = repository_links.address_of_code

# -- Links -------------------------------------------------------------------------------

# ``-b linkcheck`` checks the links to other sites; check_pages.py those within the site.
linkcheck_timeout = 20
linkcheck_retries = 2


def end_doctests(app, docname, source):
    """Remove the empty line that ends the output of a doctest in Markdown."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def setup(app):
    """Register the hooks of this file."""
    app.connect("source-read", end_doctests)
    app.connect("warn-missing-reference", is_of_another_library)
    app.connect("autodoc-skip-member", skip_methods_of_scikit_learn)
