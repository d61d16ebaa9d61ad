"""Public names and their signatures are those of public_api.txt.

After a change that is meant, write the file anew:

    python tests/test_public_api.py
"""

import difflib
import functools
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

MODULES = [
    "sksmooth",
    "sksmooth.datasets",
    "sksmooth.exceptions",
    "sksmooth.images",
    "sksmooth.integrations",
    "sksmooth.plotting",
]
API_FILE = Path(__file__).with_name("public_api.txt")
LITERALS = {bool, bytes, complex, float, int, str, type(None)}
CHANGED = (
    "The public API is no longer that of tests/public_api.txt. If that is meant, say so in "
    "CHANGELOG.md and write the file anew by\n\n    python tests/test_public_api.py\n\n"
)


class Written(str):
    """A default that prints as it is written."""

    def __repr__(self):
        return str(self)


def described_default(value):
    """Literals as they are written; of others a name, since a repr may hold an address."""
    if type(value) in LITERALS:
        return Written(repr(value))
    if type(value) is tuple:
        return Written(f"({', '.join(map(described_default, value))})")
    return Written(f"<{getattr(value, '__qualname__', type(value).__qualname__)}>")


def described_parameter(parameter):
    parameter = parameter.replace(annotation=parameter.empty)
    if parameter.default is parameter.empty:
        return parameter
    return parameter.replace(default=described_default(parameter.default))


def described_signature(function, *, bound=False):
    """Names, kinds and defaults, without annotations; without self or cls if bound."""
    parameters = inspect.signature(function).parameters.values()
    return str(inspect.Signature(list(map(described_parameter, parameters))[bound:]))


def is_ours(thing):
    return (getattr(thing, "__module__", None) or "").partition(".")[0] == "sksmooth"


def own_members(cls):
    """What sksmooth defines in the class and its bases, the nearest definition first."""
    members = {}
    for base in filter(is_ours, cls.__mro__):
        for name, value in vars(base).items():
            members.setdefault(name, value)
    return members


def described_member(name, value):
    """One line; None for what scikit-learn puts into the class."""
    if isinstance(value, property | functools.cached_property):
        return f"{name} (property)"
    bound = not isinstance(value, staticmethod)
    function = getattr(value, "fn", getattr(value, "__func__", value))  # available_if
    if not inspect.isfunction(function) or not is_ours(inspect.unwrap(function)):
        return None
    of_class = " (of the class)" if isinstance(value, classmethod) else ""
    return f"{name}{described_signature(function, bound=bound)}{of_class}"


def described_class(name, cls) -> Iterator[str]:
    members = own_members(cls)
    constructed = "__init__" in members or "__new__" in members
    heading = f"class {name}{described_signature(cls) if constructed else ''}"
    if issubclass(cls, BaseException):
        heading += " of " + ", ".join(base.__name__ for base in cls.__bases__)
    yield heading
    public = sorted(member for member in members if not member.startswith("_"))
    lines = (described_member(member, members[member]) for member in public)
    yield from (f"    .{line}" for line in lines if line)


def described_name(module, name) -> Iterator[str]:
    value = getattr(module, name)
    if inspect.isclass(value):
        yield from described_class(name, value)
    elif callable(value):
        yield f"{name}{described_signature(value)}"
    else:
        yield f"{name} ({type(value).__name__})"


def described_api() -> Iterator[str]:
    for module_name in MODULES:
        module = import_module(module_name)
        yield f"# {module_name}"
        for name in sorted(module.__all__):
            yield from described_name(module, name)
        yield ""


def test_the_public_api_is_the_one_written_down():
    written = API_FILE.read_text(encoding="utf-8").splitlines()
    found = list(described_api())
    diff = difflib.unified_diff(written, found, "public_api.txt", "sksmooth", lineterm="")
    if written != found:  # pytest's own comparison of long lists would hide the diff
        pytest.fail(CHANGED + "\n".join(diff), pytrace=False)


if __name__ == "__main__":
    API_FILE.write_text("\n".join(described_api()) + "\n", encoding="utf-8")
