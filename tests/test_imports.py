"""What importing the package brings along: itself at first, never an optional library."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import sksmooth

HEAVY = {"joblib", "numba", "numpy", "pandas", "scipy", "sklearn"}
OPTIONAL = {
    "cleanlab",
    "dask",
    "distributed",
    "imblearn",
    "lightgbm",
    "lightning",
    "matplotlib",
    "polars",
    "pywt",
    "ray",
    "shap",
    "skdim",
    "skimage",
    "skops",
    "skorch",
    "sklearnex",
    "torch",
    "transformers",
    "treelite",
    "xarray",
    "xgboost",
    "zarr",
}  # not pyarrow, which pandas imports where it is installed


def printed_by(code):
    """What a fresh process prints, on standard output and on standard error."""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
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


def test_compilation_is_announced_whichever_module_comes_first():
    code = """
from numba import njit
from sksmooth.wavelets.decomposition import wavelet_decomposition

def loop():
    return 1

loop.__module__ = "sksmooth.loops"  # as one of the package's own
njit(loop)()
"""
    notice = printed_by(code)[1]
    assert notice.count("sksmooth compiles its loops") == 1
    assert notice.endswith("is done once.\n")


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
