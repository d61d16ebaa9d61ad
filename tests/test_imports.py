"""What importing the package brings along: itself at first, never an optional library."""

import ast
import contextlib
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sksmooth

HEAVY = {"joblib", "numba", "numpy", "pandas", "scipy", "sklearn"}
OPTIONAL = {
    "accelerate",
    "cleanlab",
    "datasets",
    "dask",
    "distributed",
    "imblearn",
    "lightgbm",
    "lightning",
    "matplotlib",
    "optuna",
    "polars",
    "pywt",
    "ray",
    "shap",
    "skdim",
    "skimage",
    "skops",
    "skorch",
    "sklearnex",
    "timm",
    "torch",
    "torchmetrics",
    "transformers",
    "treelite",
    "xarray",
    "xgboost",
    "zarr",
}  # not pyarrow, which pandas imports where it is installed


def printed_by(code, **environment):
    """What a fresh process prints, on standard output and on standard error."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout, run.stderr


def test_the_package_alone_imports_none_of_its_dependencies():
    unwanted = HEAVY | OPTIONAL | {"pyarrow"}
    code = f"import sys, sksmooth; print(sorted({unwanted} & set(sys.modules)))"
    assert printed_by(code)[0] == "[]\n"


def test_no_public_name_imports_an_optional_library():
    code = f"""
import sys, sksmooth
for name in sksmooth.__all__:
    getattr(sksmooth, name)
    print(name, sorted({OPTIONAL} & set(sys.modules)))
"""
    lines = printed_by(code)[0].splitlines()
    assert lines == [f"{name} []" for name in sksmooth.__all__]


def test_public_names_are_attributes_and_are_listed():
    assert set(sksmooth.__all__) <= set(dir(sksmooth))
    starred = {}
    exec("from sksmooth import *", starred)
    assert set(sksmooth.__all__) <= set(starred)
    for name in sksmooth.__all__:
        assert getattr(sksmooth, name) is starred[name]


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="'sksmooth' has no attribute 'alpha'"):
        _ = sksmooth.alpha
    with pytest.raises(ImportError, match="alpha"):
        from sksmooth import alpha  # noqa: F401


def test_the_stub_is_the_list_of_public_names():
    """Type checkers read it; each name is written as public, and is there."""
    stub = ast.parse(Path(sksmooth.__file__).with_suffix(".pyi").read_text("utf-8"))
    names = []
    for node in stub.body[1:]:
        assert isinstance(node, ast.ImportFrom)
        home = ".".join(filter(None, ["sksmooth", node.module]))
        for alias in node.names:
            assert alias.asname == alias.name  # else it is private to the stub
            found = getattr(importlib.import_module(home), alias.name)
            assert getattr(sksmooth, alias.name) is found
            names.append(alias.name)
    assert len(set(names)) == len(names)
    assert sorted(names) == sorted([*sksmooth.__all__, "__version__"])


def test_the_estimator_is_imported_without_numba():
    """Its import takes a third of a second; the first fit imports it."""
    code = """
import sys
from sksmooth import *
from sksmooth import BesovSmoothnessEstimator
print("numba" in sys.modules, "llvmlite" in sys.modules)
BesovSmoothnessEstimator(2).fit([[each] for each in range(8)], [0, 1] * 4)
print("numba" in sys.modules)
"""
    assert printed_by(code)[0] == "False False\nTrue\n"


@pytest.fixture(scope="module")
def first_use(tmp_path_factory):
    """What a process prints that compiles all loops, and then one that loads them."""
    code = """
import sys
from sksmooth import BesovSmoothnessEstimator
from sklearn.datasets import load_iris

X, y = load_iris(return_X_y=True)
BesovSmoothnessEstimator(3, max_samples=0.5, random_state=0, verbose=1).fit(X, y)
BesovSmoothnessEstimator(3, measure="volume", random_state=0).fit(X, y)
"""
    folder = str(tmp_path_factory.mktemp("cache"))
    return [printed_by(code, NUMBA_CACHE_DIR=folder) for _ in range(2)]


def test_compilation_is_announced_once_on_a_line_of_its_own(first_use):
    (_, first), (_, second) = first_use
    # Progress bars begin again on the line below.
    lines = [line for line in first.splitlines() if "compiles" in line]
    assert lines == [
        "sksmooth compiles its loops for this machine, which takes a few seconds "
        "and is done once."
    ]
    assert "compiles" not in second


PROGRESS = """
from sksmooth._lib.messages import tell
from sksmooth._lib.progress import progress_bar

for _ in progress_bar([1, 2], 2, "trees"):
    tell("A notice.")
tell("The end.")
"""


def test_progress_without_a_terminal_is_one_line():
    lines = printed_by(PROGRESS)[1].splitlines()
    assert lines[:2] == ["A notice."] * 2
    assert re.fullmatch(r"trees: 2/2 in \d+\.\d s", lines[2])
    assert lines[3:] == ["The end."]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_gets_a_bar_that_makes_room_for_notices():
    shown = shown_in_a_terminal(PROGRESS)
    assert "100%" in shown
    assert "2/2" in shown
    # What a carriage return precedes is overwritten.
    lines = [line.rpartition("\r")[2] for line in shown.replace("\r\n", "\n").split("\n")]
    assert lines.count("A notice.") == 2
    assert lines[-2:] == ["The end.", ""]


def shown_in_a_terminal(code):
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    subprocess.run([sys.executable, "-c", code], stderr=theirs, check=True)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # nobody writes to it any more
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    return shown.decode()


def test_another_dtype_or_layout_compiles_nothing():
    """One form of every loop serves whatever form X has."""
    code = """
import sys
import numpy as np
from numba.core import event
from scipy import sparse
from sklearn.datasets import load_digits
from sksmooth import BesovSmoothnessEstimator

X, y = load_digits(return_X_y=True)
X, y = X[:300], y[:300]
X[0, 0] = 0.1  # so that it is float64


def compiled_by(*matrices):
    with event.install_recorder("numba:compile") as recorder:
        for X in matrices:
            estimator = BesovSmoothnessEstimator(2, random_state=0).fit(X, y)
            estimator.score(X, y)
            estimator.transform(X)
    return [each.data["dispatcher"] for _, each in recorder.buffer if each.is_start]


def read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


compiled_by(X, X.astype(np.float32), sparse.csr_matrix(X))
other = [
    X.astype(int), np.asfortranarray(X), np.asfortranarray(X, np.float32), read_only(X),
    np.repeat(X, 2, axis=1)[:, ::2], X.tolist(), X > 8, X.astype(np.uint8),
    sparse.csr_matrix(X.astype(np.float32)), sparse.csc_array(X),
]
print(compiled_by(*other))
"""
    assert printed_by(code)[0] == "[]\n"


def test_loops_are_compiled_where_no_folder_can_be_written():
    code = """
from numba.core import caching
from sksmooth._lib.compilation import compiled

def nowhere(self, *arguments):
    raise RuntimeError("cannot cache function: no locator available")

caching.CacheImpl.__init__ = nowhere

def loop(number):
    return number + 1

loop.__module__ = "sksmooth.loops"
print(compiled(loop)(1))
"""
    result, notice = printed_by(code)
    assert result == "2\n"
    assert "in every process" in notice
    assert "NUMBA_CACHE_DIR" in notice
