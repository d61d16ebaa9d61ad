"""Arguments for test_promises.py: whole numbers in any form, hostile ones, and nonsense."""

import datetime
import decimal
import importlib.util
import tempfile

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

HAS_POLARS = importlib.util.find_spec("polars") is not None
HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None

# --------------------------------------------------------------- one matrix in many forms


def _negative_strides(X):
    return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]


def _with_gaps(X):
    room = np.full((2 * X.shape[0], 3 * X.shape[1]), 7.0)
    room[::2, ::3] = X
    return room[::2, ::3]


def _unaligned(X):
    room = np.zeros(X.nbytes + 1, dtype=np.uint8)[1:].view(X.dtype).reshape(X.shape)
    room[:] = X
    return room


def read_only(X):
    """A copy that cannot be written to."""
    X = X.copy()
    X.setflags(write=False)
    return X


def memory_map(X):
    """The same on disk, opened for reading; the file is gone when the map is."""
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        np.memmap(file.name, dtype=X.dtype, mode="w+", shape=X.shape)[:] = X
        return np.memmap(file.name, dtype=X.dtype, mode="r", shape=X.shape)


def _frame(X, **options):
    return pd.DataFrame(X, **options)


def _odd_index(X):
    return _frame(X, index=np.arange(len(X))[::-1] % 3)


def _mixed_columns(X):
    dtypes = ("float32", "Int64", "uint8", "Float64", "int16", "object")
    return _frame(
        {f"c{k}": pd.Series(X[:, k]).astype(dtypes[k % 6]) for k in range(X.shape[1])}
    )


def _multi_index(X):
    columns = pd.MultiIndex.from_tuples([("a", k) for k in range(X.shape[1])])
    return _frame(X, columns=columns)


# Of whole numbers from 0 to 9, which all of these dtypes hold.
DTYPES = (
    *("float16", "float32", "longdouble", "int8", "int16", "int32", "int64", "uint8"),
    *("uint16", "uint32", "uint64", "object", ">f8", ">f4", ">i4", ">u2"),
)
FORMS = {
    "Fortran": np.asfortranarray,
    "negative strides": _negative_strides,
    "gaps": _with_gaps,
    "unaligned": _unaligned,
    "read-only": read_only,
    "memory map": memory_map,
    **{dtype: lambda X, dtype=dtype: X.astype(dtype) for dtype in DTYPES},
    "unaligned float32": lambda X: _unaligned(X.astype(np.float32)),
    "lists": lambda X: X.tolist(),
    "tuples": lambda X: tuple(map(tuple, X.tolist())),
    "strings": lambda X: X.astype(int).astype(str),
    "masked, without a mask": np.ma.masked_array,
    "frame": _frame,
    "frame with names": lambda X: _frame(X).add_prefix("c"),
    "frame with an odd index": _odd_index,
    "frame with a MultiIndex": _multi_index,
    "frame of numbers for names": lambda X: _frame(X, columns=np.arange(X.shape[1]) + 0.5),
    "frame of several dtypes": _mixed_columns,
    "nullable integers": lambda X: _frame(X).astype("Int64"),
    "nullable floats": lambda X: _frame(X).astype("Float32"),
    "categories": lambda X: _frame(X).astype("category"),
    "sparse columns": lambda X: _frame(X).astype(pd.SparseDtype("float64", 0.0)),
}
if HAS_PYARROW:
    FORMS["Arrow columns"] = lambda X: _frame(X).astype("int64[pyarrow]")
    FORMS["Arrow table"] = lambda X: _arrow_table(X)
if HAS_POLARS:
    FORMS["polars"] = lambda X: _polars_frame(X)


def _arrow_table(X):
    import pyarrow

    return pyarrow.table({f"c{k}": X[:, k] for k in range(X.shape[1])})


def _polars_frame(X):
    import polars

    return polars.DataFrame({f"c{k}": X[:, k] for k in range(X.shape[1])})


def _explicit_zeros(X):
    rows = sparse.csr_matrix(X + 1)
    rows.data -= 1
    return rows


def _halves(X):
    rows = sparse.csr_matrix(X)
    halves = np.repeat(rows.data / 2, 2), np.repeat(rows.indices, 2), 2 * rows.indptr
    return sparse.csr_matrix(halves, X.shape)


def _unsorted(X):
    rows = sparse.csr_matrix(X)
    for start, stop in zip(rows.indptr[:-1], rows.indptr[1:], strict=True):
        rows.indices[start:stop] = rows.indices[start:stop][::-1]
        rows.data[start:stop] = rows.data[start:stop][::-1]
    rows.has_sorted_indices = False
    return rows


def _wide_indices(X):
    rows = sparse.csr_matrix(X)
    rows.indices, rows.indptr = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
    return rows


def _read_only_parts(X):
    rows = sparse.csr_matrix(X)
    for part in (rows.data, rows.indices, rows.indptr):
        part.setflags(write=False)
    return rows


SPARSE_FORMS = {
    **{
        f"{kind}_{of}": getattr(sparse, f"{kind}_{of}")
        for kind in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
        for of in ("matrix", "array")
    },
    "explicit zeros": _explicit_zeros,
    "entries given twice": _halves,
    "unsorted": _unsorted,
    "64-bit indices": _wide_indices,
    "read-only parts": _read_only_parts,
    "float32": lambda X: sparse.csr_matrix(X.astype(np.float32)),
    "int8": lambda X: sparse.csc_array(X.astype(np.int8)),
}


@st.composite
def whole_numbers(draw, min_rows=6, max_rows=40, max_columns=4):
    """A plain matrix of whole numbers from 0 to 9, in which many rows may be equal."""
    shape = draw(st.tuples(st.integers(min_rows, max_rows), st.integers(1, max_columns)))
    most = draw(st.sampled_from([1, 3, 9]))
    rng = np.random.RandomState(draw(st.integers(0, 2**32 - 1)))
    return rng.randint(0, most + 1, size=shape).astype(float)


def targets_of(n_rows):
    """Labels or numbers that are well-formed, though maybe of one class."""
    labels = st.integers(1, 3).flatmap(
        lambda most: hnp.arrays(np.int64, n_rows, elements=st.integers(0, most))
    )
    numbers = hnp.arrays(
        np.float64, n_rows, elements=st.integers(-50, 50).map(lambda number: number / 7)
    )
    columns = hnp.arrays(np.float64, (n_rows, 2), elements=st.integers(-9, 9).map(float))
    strings = labels.map(lambda codes: np.array(["no", "yes", "maybe", "ß"])[codes])
    return st.one_of(labels, numbers, columns, strings)


# --------------------------------------------------------------------------- hostile ones

EXTREMES = (
    *(0.0, -0.0, 1.0, -1.0, 0.1, 1 + 2.0**-52, 1 - 2.0**-53, 3.0, 2.0**53, 2.0**63),
    *(5e-324, -5e-324, 2.3e-308, 1e-300, 1e-160, 1e-45, 1e30, 3.4e38, 3.5e38),
    *(1e150, 1e160, 1e300, 1.7e308, -1.7e308, np.nan, np.inf, -np.inf),
)
FINITE = tuple(value for value in EXTREMES if np.isfinite(value))
LARGE = tuple(value for value in EXTREMES if not np.isinf(value))


def _of_a_few(values, shape):
    """Arrays of one to five values out of many, so that some of them are equal."""
    alphabet = st.lists(st.sampled_from(values), min_size=1, max_size=5)
    return alphabet.flatmap(
        lambda few: hnp.arrays(np.float64, shape, elements=st.sampled_from(few))
    )


@st.composite
def hostile_samples(draw, n_rows=None):
    """A matrix of extreme values; few or no rows or columns, equal ones, sparse ones."""
    n_rows = draw(st.integers(0, 30)) if n_rows is None else n_rows
    n_columns = draw(st.sampled_from([0, 1, 1, 2, 2, 3, 40]))
    values = draw(st.sampled_from([FINITE, FINITE, LARGE, LARGE, EXTREMES]))
    X = draw(_of_a_few(values, (n_rows, n_columns)))
    if n_rows and draw(st.booleans()):  # equal rows
        X = X[draw(hnp.arrays(np.int64, n_rows, elements=st.integers(0, n_rows - 1)))]
    convert = draw(
        st.sampled_from(
            [read_only, read_only, np.float32, sparse.csr_matrix, np.asfortranarray]
        )
    )
    with np.errstate(over="ignore"):
        return convert(X)


def hostile_targets(n_rows):
    """Targets of any kind and length."""
    numbers = _of_a_few(EXTREMES, n_rows)
    whole = st.lists(
        st.sampled_from([0, 1, 2, -1, 255, 2**31, 2**63 - 1]), min_size=1, max_size=4
    ).flatmap(lambda few: hnp.arrays(np.int64, n_rows, elements=st.sampled_from(few)))
    single = st.just(np.arange(n_rows))
    return st.one_of(
        whole,
        whole,
        numbers,
        _of_a_few(FINITE, n_rows),
        _of_a_few(EXTREMES, (n_rows, 2)),
        whole.map(lambda y: y.astype(str)),
        whole.map(lambda y: y.astype(object)),
        whole.map(lambda y: pd.Series(y, index=np.arange(len(y))[::-1], dtype="Int64")),
        whole.map(lambda y: pd.Series(y % 3).astype("Int64").where(y < 255)),
        whole.map(lambda y: pd.Categorical(y.astype(str))),
        whole.map(lambda y: y.astype("datetime64[s]")),
        whole.map(lambda y: y.astype(bool)),
        numbers.map(lambda y: y.astype(np.longdouble)),
        numbers.map(lambda y: y.astype(object)),
        whole.map(lambda y: y[:-1]),
        whole.map(lambda y: y[:, None]),
        single,
        single.map(lambda y: y // 2),
    )


def hostile_weights(n_rows):
    """No weights, or any."""
    fair = (0.0, 1.0, 2.0, 3.0, 0.1, 1e-300, 5e-324, 1e20, 1e300)
    return st.one_of(
        st.none(),
        _of_a_few(fair, n_rows),
        _of_a_few(fair, n_rows),
        _of_a_few((*fair, -1.0, np.nan, np.inf), n_rows),
        st.just(np.ones(n_rows + 1)),
        st.just(2.0),
    )


# ------------------------------------------------------------------------------- nonsense


class Unreadable:
    """What has no form that could be read."""

    def __repr__(self):
        return "Unreadable()"


OBJECTS = [
    *(None, True, 0, -1, 3.5, 10**400, 1 + 2j, "", "a", b"b", [], [[]], {}, {"a": [1]}),
    *({1, 2}, range(9), int, len, Unreadable(), decimal.Decimal("NaN"), pd.NA, pd.NaT),
    *(np.array(1), np.array("a"), np.datetime64("NaT"), datetime.date(2020, 1, 1)),
    *(np.zeros((9, 2), "V4"), np.zeros(9, [("a", float)]), np.ones((9, 2)) * 1j),
    *([[1, 2], [3]], [["a", "b"]] * 9, [[1, None]] * 9, [[10**400]] * 9),
    *(np.ones((3, 3, 3)), np.full((9, 1), None), np.full((9, 2), np.longdouble("inf"))),
    *(np.ma.masked_array(np.eye(9), mask=True), np.array([["NaT"]] * 9, "M8[s]")),
    *(pd.Series(["a", None] * 5), pd.DataFrame({"a": ["x", "y"] * 5}), pd.DataFrame()),
    *(pd.DataFrame(np.eye(9, 2), columns=["a", 1]), pd.DataFrame({"day": [pd.NaT] * 9})),
    *(sparse.csr_matrix((0, 3)), sparse.csr_matrix((9, 0)), sparse.coo_array([1.0, 2.0])),
    *(sparse.csr_matrix(np.full((9, 2), np.inf)), sparse.csr_matrix(np.eye(9) * 1j)),
]
ANYTHING = st.sampled_from(OBJECTS)
VALUES = [
    *(None, True, False, 0, 1, -1, 2, 3, 7, 40, 10**6, 10**12, 10**30, -(10**30)),
    *(0.0, -0.0, 5e-324, 1e-300, 0.5, 0.999999999, 1.0, 1.0000001, 1e308),
    *(float("nan"), float("inf"), -float("inf"), 1 + 1j, "", "a", "sqrt", "log2", "oob"),
    *("cv", "mterm", "weak-lp", "elisha-dekel", "sparsity-probe", "volume", "samples"),
    *(b"x", [], [1], (1, 2), {}, {1: 2}, np.int8(1), np.int64(3), np.uint64(2**63)),
    *(np.float16(0.5), np.float32("nan"), np.longdouble(0.5), np.array(1), np.array([1])),
    *(np.str_("mterm"), np.bool_(True), decimal.Decimal("0.5"), int, len, Unreadable()),
    *(np.random.RandomState(0), np.random.default_rng(0), pd.NA, pd.Series([1]), range(3)),
]
ODD_VALUES = st.sampled_from(VALUES)
