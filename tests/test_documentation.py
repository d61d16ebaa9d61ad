"""What the documentation promises: an entry for every public name, and sound docstrings."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "doc" / "api" / "index.rst"
pytestmark = pytest.mark.skipif(
    not REFERENCE.exists(), reason="these tests are not in the source tree"
)
MODULES = ["", ".images", ".integrations", ".plotting", ".datasets", ".exceptions"]

# Checks of numpydoc that are left out, and why.
EVERYWHERE = {
    "ES01": "a summary that says it all needs no more",
    "RT02": "results have names, as in scikit-learn",
}
OF_METHODS = {
    "EX01": "the example of the class shows its methods",
    "SA01": "the class says what else there is",
    "RT01": "a property is a noun, and a generator has Yields",
}
OF_RESULTS = {"PR01": "the fields of results are their attributes"}
OF_WARNINGS = {
    "EX01": "a warning is not called",
    "SA01": "they stand together in the reference",
}
RESULTS = {
    "sksmooth.ErrorForecast",
    "sksmooth.PermutationBaseline",
    "sksmooth.SmoothnessDifference",
    "sksmooth.WaveletDecomposition",
    "sksmooth.images.ImageWavelets",
}


def public_names():
    for part in MODULES:
        module = importlib.import_module(f"sksmooth{part}")
        for name in module.__all__:
            if not inspect.ismodule(getattr(module, name)):
                yield f"{module.__name__}.{name}"


def looked_up(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def own_methods(cls):
    for name in dir(cls):
        owner = next(base for base in cls.__mro__ if name in vars(base))
        is_ours = owner.__module__.startswith("sksmooth") and not name.startswith("_")
        member = vars(owner)[name]
        is_method = callable(member) or isinstance(member, (property, classmethod))
        if is_ours and is_method and not name.endswith("_request"):
            yield name


def documented():
    """Public names and those of their methods, with the checks that do not apply."""
    for name in public_names():
        ignored = set(EVERYWHERE)
        if name in RESULTS:
            ignored |= set(OF_RESULTS)
        if "exceptions" in name:
            ignored |= set(OF_WARNINGS)
        yield name, ignored
        thing = looked_up(name)
        if inspect.isclass(thing) and not issubclass(thing, BaseException):
            for method in own_methods(thing):
                yield f"{name}.{method}", set(EVERYWHERE) | set(OF_METHODS)


def listed_names():
    lists = re.findall(
        r"\.\. autosummary::\n   :toctree: generated\n(?:   :.+\n)?\n((?:   \S+\n)+)",
        REFERENCE.read_text(encoding="utf-8"),
    )
    return [f"sksmooth.{name}" for names in lists for name in names.split()]


def test_every_public_name_is_in_the_reference_once():
    assert sorted(listed_names()) == sorted(public_names())


@pytest.mark.parametrize(
    ("name", "ignored"), list(documented()), ids=lambda value: value if value else ""
)
def test_docstrings_are_valid(name, ignored):
    validate = pytest.importorskip("numpydoc.validate").validate
    errors = [
        f"{code}: {text}" for code, text in validate(name)["errors"] if code not in ignored
    ]
    assert not errors


def test_no_check_of_docstrings_is_left_out_in_vain():
    validate = pytest.importorskip("numpydoc.validate").validate
    found = {code for name, _ in documented() for code, _ in validate(name)["errors"]}
    assert set(EVERYWHERE) | set(OF_METHODS) | set(OF_RESULTS) | set(OF_WARNINGS) <= found


def test_pages_of_the_site_are_in_a_table_of_contents():
    pages = {path.stem for path in (ROOT / "doc").glob("*.md")} - {"index"}
    listed = set()
    for path in (ROOT / "doc").glob("*.md"):
        for block in re.findall(r"```\{toctree\}\n(.*?)```", path.read_text("utf-8"), re.S):
            listed |= set(block.split())
    assert pages <= listed
