"""The command line: ``python -m sksmooth demo`` and ``python -m sksmooth measure``.

Results go to standard output; progress and errors go to standard error. Exit codes: 0 for
success, 2 for a mistake that the user can mend (one line says how), 130 for an
interruption. Anything else is a bug and shows its traceback.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import importlib
import json
import os
import re
import sys
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from joblib import delayed
from pandas.api import types
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import Binarizer, FunctionTransformer
from sklearn.random_projection import GaussianRandomProjection
from sklearn.utils import check_random_state

from . import BesovSmoothnessEstimator, __version__
from ._progress import run_parallel
from .exceptions import SmoothnessWarning, TargetTypeWarning

__all__ = ["main"]

_USER_ERROR, _INTERRUPTED = 2, 130  # 128 + SIGINT, as shells report it

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_PICTURE_SUFFIXES = (".png", ".pdf", ".svg")
_MOST_NAMES = 5  # in a message; more do not help
_MOST_FEATURES = 10  # in a report
_NOISE = 0.03  # an index below it is called noise


class CommandError(Exception):
    """A mistake of the user; its message names the problem and how to mend it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments without the program's name; None takes those of the process.

    Returns
    -------
    exit_code : int
        0, 2 or 130.
    """
    try:
        parser = _make_parser()
        options = parser.parse_args(argv)
        if options.run is None:
            parser.print_help()
        else:
            options.run(options)
    except CommandError as error:
        print(f"sksmooth: error: {_one_line(error)}", file=sys.stderr)
        return _USER_ERROR
    except KeyboardInterrupt:
        print("\nsksmooth: interrupted", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


@contextmanager
def _user_error(*kinds: type[BaseException], prefix: object) -> Iterator[None]:
    """Report these exceptions, which bad input causes, without a traceback."""
    try:
        yield
    except kinds as error:
        reason = str(error) or type(error).__name__
        if isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        raise CommandError(f"{prefix}: {reason}") from error


# ------------------------------------------------------------------------- arguments


class _Parser(argparse.ArgumentParser):
    """A parser whose errors take one line, like all others."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message} (see {self.prog} --help)")


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m sksmooth",
        description="Measure how smooth labels are as a function of their features.",
    )
    parser.add_argument("--version", action="version", version=f"sksmooth {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_demo_parser(commands)
    _add_measure_parser(commands)
    return parser


def _add_demo_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="compare features of handwritten digits",
        description="Compare features of scikit-learn's handwritten digits by their "
        "smoothness: a table on standard output, and a picture.",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("sksmooth_demo.png"),
        metavar="FILE",
        help="the picture: .png, .pdf or .svg (default: %(default)s)",
    )
    parser.add_argument(
        "--random-state", type=_seed, default=0, metavar="SEED", help="(default: 0)"
    )
    parser.add_argument(
        "--jobs", type=_n_jobs, dest="n_jobs", metavar="N", help="workers (default: 1)"
    )
    parser.set_defaults(run=_run_demo)


def _add_measure_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "measure",
        help="measure a data file",
        description="Measure the smoothness of a labelled data set.",
        epilog="--json writes one object; an infinite value, which means unresolved, is "
        'written as the string "Infinity" and an undefined one as null.',
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help=".csv, .tsv, .txt (also .gz) with a line of column names, .parquet or .npz",
    )
    parser.set_defaults(run=_run_measure)
    _add_data_options(parser.add_argument_group("data"))
    _add_estimator_options(parser.add_argument_group("estimator"))
    _add_report_options(parser.add_argument_group("report"))


def _add_data_options(group: Any) -> None:
    group.add_argument(
        "--target",
        metavar="NAME",
        help="column, or array of an npz file (default for npz: y), with the labels",
    )
    group.add_argument(
        "--features",
        nargs="+",
        metavar="NAME",
        help="columns to use (default: all others), or matrix of an npz file (default: X)",
    )
    group.add_argument("--drop", nargs="+", metavar="NAME", help="columns to leave out")
    group.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="instead of FILE: features alone, with or without a line of names",
    )
    group.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="with --data: one row a sample; several columns are used as they are",
    )
    group.add_argument(
        "--task",
        choices=("auto", "classification", "regression"),
        default="auto",
        help="auto: numbers with a decimal point, and several label columns, are "
        "regression; whole numbers and text are classes",
    )
    group.add_argument(
        "--held-out",
        type=_open_fraction,
        metavar="FRACTION",
        help="fit on the other rows and print the score on these, too",
    )


def _add_estimator_options(group: Any) -> None:
    # Only options that are given reach the estimator, whose own defaults hold otherwise.
    def add(name: str, **options: Any) -> None:
        group.add_argument(name, default=argparse.SUPPRESS, **options)

    indices = ("mterm", "weak-lp", "elisha-dekel", "sparsity-probe")
    add("--index", choices=indices, help="what alpha is (default: mterm)")
    add("--measure", choices=("samples", "volume"), help="of a node (default: samples)")
    add("--p", type=float, help="exponent of the norm (default: 2)")
    add("--trees", type=int, dest="n_estimators", metavar="N", help="(default: 10)")
    add("--max-depth", type=int, metavar="N", help="(default: no limit)")
    add(
        "--max-features",
        type=_count_fraction_or_name,
        metavar="N",
        help="features tried at a split: 5, 0.5, sqrt or log2 (default: all)",
    )
    add(
        "--max-samples",
        type=_count_or_fraction,
        metavar="N",
        help="rows of a tree: 500, or a fraction such as 0.5 (default: 0.8)",
    )
    add(
        "--confidence",
        type=float,
        dest="confidence_level",
        metavar="LEVEL",
        help="of the interval (default: 0.95)",
    )
    add("--jobs", type=_n_jobs, dest="n_jobs", metavar="N", help="workers (default: 1)")
    group.add_argument(
        "--random-state", type=_seed, default=0, metavar="SEED", help="(default: 0)"
    )


def _add_report_options(group: Any) -> None:
    group.add_argument("--json", action="store_true", help="one JSON object, no table")
    group.add_argument(
        "--plot", type=Path, metavar="FILE", help="picture: .png, .pdf or .svg"
    )
    group.add_argument("--quiet", action="store_true", help="no progress bar")


def _count_or_fraction(text: str) -> int | float:
    """Read ``1`` as one and ``1.0`` as all, as in scikit-learn."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _count_fraction_or_name(text: str) -> int | float | str:
    return text if text in ("sqrt", "log2") else _count_or_fraction(text)


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed < 2**32:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 2**32 - 1")
    return seed


def _n_jobs(text: str) -> int:
    n_jobs = int(text)
    if n_jobs == 0:
        raise argparse.ArgumentTypeError("0 workers do nothing; -1 takes all processors")
    return n_jobs


def _open_fraction(text: str) -> float:
    fraction = float(text)
    if not 0 < fraction < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return fraction


# ------------------------------------------------------------------------------ demo


@dataclass(frozen=True)
class DemoRow:
    """A choice of features for the demo.

    ``make_transformer`` takes a random state and gives an unfitted transformer.
    """

    name: str
    make_transformer: Callable[[np.random.RandomState], Any]
    shuffle_labels: bool = False
    in_decay_plot: bool = False


@dataclass(frozen=True)
class DemoResult:
    """A row of the demo's table."""

    row: DemoRow
    estimator: BesovSmoothnessEstimator
    held_out: float
    notes: list[str]


def _add_noise(X: np.ndarray, random_state: np.random.RandomState) -> np.ndarray:
    return X + random_state.normal(scale=8.0, size=X.shape)  # pixels go from 0 to 16


_DEMO_ROWS = [
    DemoRow("raw pixels", lambda rng: FunctionTransformer(), in_decay_plot=True),
    DemoRow(
        "pixels + strong noise",
        lambda rng: FunctionTransformer(_add_noise, kw_args={"random_state": rng}),
        in_decay_plot=True,
    ),
    DemoRow("pixels, binarised", lambda rng: Binarizer(threshold=7.5)),
    DemoRow("PCA, 10 components", lambda rng: PCA(10, random_state=rng)),
    DemoRow("PCA, 30 components", lambda rng: PCA(30, random_state=rng)),
    DemoRow(
        "LDA, 9 components",
        lambda rng: LinearDiscriminantAnalysis(n_components=9),
        in_decay_plot=True,
    ),
    DemoRow(
        "random projection",
        lambda rng: GaussianRandomProjection(30, random_state=rng),
    ),
    DemoRow(
        "raw pixels, shuffled labels",
        lambda rng: FunctionTransformer(),
        shuffle_labels=True,
        in_decay_plot=True,
    ),
]


def _run_demo(options: argparse.Namespace) -> None:
    _check_picture_path(options.output)
    start = time.perf_counter()
    X, y = load_digits(return_X_y=True)
    halves = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=options.random_state
    )
    # Rows come one by one and the trees of each in parallel: recording warnings is not
    # safe in threads.
    results = run_parallel(
        (
            delayed(_measure_demo_row)(row, halves, options.random_state, options.n_jobs)
            for row in _DEMO_ROWS
        ),
        len(_DEMO_ROWS),
        n_jobs=1,
        label="feature sets",
        verbose=1,
    )
    print(f"Smoothness of scikit-learn's digits, {len(X)} images in 10 classes")
    print(
        f"(fitted on half of them, held-out score on the other half)\n\n{_table(results)}"
    )
    print(f"\nLarger is smoother; 0 is noise. {time.perf_counter() - start:.1f} s")
    _require("matplotlib", extra="plot", purpose="the picture of the demo")
    _save_picture(_demo_figure(results), options.output)
    print(f"Picture written to {options.output}")


def _measure_demo_row(
    row: DemoRow, halves: list[np.ndarray], seed: int, n_jobs: int | None
) -> DemoResult:
    X_train, X_test, y_train, y_test = halves
    rng = check_random_state(seed)
    if row.shuffle_labels:
        y_train, y_test = rng.permutation(y_train), rng.permutation(y_test)
    # LDA knows the labels of its training half, which flatters alpha there; the
    # held-out score does not reward that.
    transformer = row.make_transformer(rng).fit(X_train, y_train)
    estimator = BesovSmoothnessEstimator(random_state=seed, n_jobs=n_jobs)
    with _recorded_warnings() as caught:
        estimator.fit(transformer.transform(X_train), y_train)
        held_out = estimator.score(transformer.transform(X_test), y_test)
    return DemoResult(row, estimator, held_out, [text for _, text in _notes(caught)])


def _table(results: list[DemoResult], width: int = 20) -> str:
    """Text table of the results, with footnotes for those to be read with care."""
    footnotes = list(dict.fromkeys(note for result in results for note in result.notes))
    largest = max([_drawable(r.estimator.alpha_) for r in results] + [1e-9])
    lines = [
        f"{'features':<32} {'n':>4} {'alpha':>7} {'low':>7} {'high':>7} {'held-out':>8}"
    ]
    lines.append("-" * (len(lines[0]) + width + 2))
    for result in results:
        marks = "".join(f" [{footnotes.index(note) + 1}]" for note in result.notes)
        estimator = result.estimator
        low, high = estimator.alpha_interval_
        share = np.clip(_drawable(estimator.alpha_, largest) / largest, 0, 1)
        bar = "#" * round(width * share)
        lines.append(
            f"{result.row.name + marks:<32} {estimator.n_features_in_:>4} "
            f"{estimator.alpha_:>7.3f} {low:>7.3f} {high:>7.3f} "
            f"{result.held_out:>8.3f}  {bar}".rstrip()
        )
    lines += [f"[{number}] {note}" for number, note in enumerate(footnotes, start=1)]
    return "\n".join(lines)


def _drawable(value: float, instead: float = 0.0) -> float:
    return value if np.isfinite(value) else instead


def _demo_figure(results: list[DemoResult]) -> Any:
    from matplotlib.figure import Figure  # needs no display, unlike pyplot

    figure = Figure(figsize=(13, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_decays(left, [result for result in results if result.row.in_decay_plot])
    _draw_indices(right, results[::-1])  # the first row on top
    return figure


def _draw_decays(axes: Any, results: list[DemoResult]) -> None:
    from .plotting import ErrorDecayDisplay

    for result in results:
        ErrorDecayDisplay.from_estimator(
            result.estimator, ax=axes, name=result.row.name, show_window=False
        )
    axes.set_title("The error falls faster where labels are smoother")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize="small")


def _draw_indices(axes: Any, results: list[DemoResult]) -> None:
    alphas = np.array([result.estimator.alpha_ for result in results])
    intervals = np.array([result.estimator.alpha_interval_ for result in results])
    finite = np.isfinite(alphas)
    longest = alphas[finite].max(initial=1.0 if not finite.any() else 0.0)
    lengths = np.where(finite, alphas, 1.1 * longest)
    margins = np.nan_to_num(np.abs(intervals - alphas[:, None]), posinf=0.0)
    axes.barh(
        [result.row.name for result in results],
        lengths,
        xerr=np.where(finite[:, None], margins, 0.0).T,
        color="tab:blue",
        ecolor="black",
        capsize=3,
        label="alpha, with its interval",
    )
    for position in np.flatnonzero(~finite):
        axes.text(longest, position, "unresolved", color="white", ha="right", va="center")
    held_out = [result.held_out for result in results]
    axes.plot(
        held_out, range(len(results)), "D", color="tab:orange", label="held-out score"
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlabel="Smoothness index", title="Features of the digits")
    axes.legend(loc="lower right", fontsize="small")


# --------------------------------------------------------------------------- measure


@dataclass(frozen=True)
class Dataset:
    """Samples as read from files."""

    source: str
    X: np.ndarray
    y: np.ndarray
    feature_names: list[str]
    notes: list[tuple[str, str]] = field(default_factory=list)  # (category, message)
    labels_source: str | None = None


def _run_measure(options: argparse.Namespace) -> None:
    if options.plot is not None:
        _check_picture_path(options.plot)
        _require("matplotlib", extra="plot", purpose="--plot")
    dataset = _read_dataset(options)
    y = _as_task(dataset.y, options.task)
    estimator = BesovSmoothnessEstimator()
    given = {key: vars(options)[key] for key in estimator.get_params() if key in options}
    silent = options.quiet or options.json
    estimator.set_params(**given, verbose=0 if silent else 1)
    with (
        _user_error(ValueError, TypeError, prefix=dataset.source),
        _recorded_warnings() as caught,
    ):
        held_out = _fit_and_score(estimator, dataset.X, y, options)
    report = _report(dataset, estimator, held_out, dataset.notes + _notes(caught))
    if options.plot is not None:
        _save_picture(_decay_figure(estimator, dataset.source), options.plot)
        report["plot"] = str(options.plot)
    if options.json:
        print(json.dumps(_strict(report), allow_nan=False, indent=2))
    else:
        print(_readable(report, estimator))


def _fit_and_score(
    estimator: BesovSmoothnessEstimator,
    X: np.ndarray,
    y: np.ndarray,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Fit, and give what is to report about the rows held out."""
    if options.held_out is None:
        estimator.fit(X, y)
        return {"n_samples_held_out": 0, "held_out_score": None}
    codes, counts = np.unique(y, return_inverse=True, return_counts=True)[1:]
    is_classification = y.ndim == 1 and y.dtype.kind != "f"
    # Classes of a single sample cannot be in both parts.
    strata = codes if is_classification and counts.min() > 1 else None
    X, X_held, y, y_held = train_test_split(
        X, y, test_size=options.held_out, stratify=strata, random_state=options.random_state
    )
    estimator.fit(X, y)
    return {
        "n_samples_held_out": len(X_held),
        "held_out_score": estimator.score(X_held, y_held),
    }


def _report(
    dataset: Dataset,
    estimator: BesovSmoothnessEstimator,
    held_out: dict[str, Any],
    notes: list[tuple[str, str]],
) -> dict[str, Any]:
    """All results, in plain Python types."""
    classes = getattr(estimator, "classes_", None)
    importances = estimator.feature_importances_
    ranking = np.argsort(-importances, kind="stable")[:_MOST_FEATURES]
    return {
        "file": dataset.source,
        "labels_file": dataset.labels_source,
        "n_samples": len(dataset.X),
        "n_features": dataset.X.shape[1],
        "task": "regression" if classes is None else "classification",
        "n_classes": None if classes is None else len(classes),
        "index": estimator.index,
        "alpha": float(estimator.alpha_),
        "alpha_low": float(estimator.alpha_interval_[0]),
        "alpha_high": float(estimator.alpha_interval_[1]),
        "confidence_level": estimator.confidence_level,
        **held_out,
        "r_squared": float(estimator.r_squared_),
        "fit_range": [int(end) for end in estimator.fit_range_],
        "n_terms": int(estimator.wavelets_.n_terms),
        "feature_importances": [
            {"name": dataset.feature_names[i], "importance": float(importances[i])}
            for i in ranking
            if importances[i] > 0
        ],
        "warnings": [{"category": name, "message": text} for name, text in notes],
        "plot": None,
        "version": __version__,
    }


def _strict(value: Any) -> Any:
    """The same for JSON, which has no infinity and no NaN."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    if isinstance(value, float) and np.isnan(value):
        return None
    if isinstance(value, float) and np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _readable(report: dict[str, Any], estimator: BesovSmoothnessEstimator) -> str:
    """The report as a table for people."""
    task = report["task"]
    if report["n_classes"] is not None:
        task += f", {report['n_classes']} classes"
    elif estimator.n_outputs_ > 1:
        task += f", {estimator.n_outputs_} columns"
    first, last = report["fit_range"]
    features = ", ".join(
        f"{feature['name']} ({feature['importance']:.2f})"
        for feature in report["feature_importances"][:_MOST_NAMES]
    )
    rows = {
        "file": " + ".join(filter(None, [report["file"], report["labels_file"]])),
        "samples": report["n_samples"],
        "features": report["n_features"],
        "task": task,
        "index": report["index"],
        "alpha": f"{report['alpha']:.3f}",
        f"{100 * report['confidence_level']:g} % interval": (
            f"{report['alpha_low']:.3f} to {report['alpha_high']:.3f}"
        ),
    }
    if report["n_samples_held_out"]:
        rows["held-out score"] = (
            f"{report['held_out_score']:.3f} ({report['n_samples_held_out']} samples)"
        )
    rows |= {
        "fit window": f"{first} to {last} terms, R^2 = {report['r_squared']:.3f}",
        "wavelets": f"{report['n_terms']} in {estimator.wavelets_.n_trees} trees",
        "main features": features or "none",
    }
    if report["plot"]:
        rows["picture"] = report["plot"]
    lines = [f"{name:<15} {value}" for name, value in rows.items()]
    lines += ["", _reading(estimator)]
    lines += [f"{note['category']}: {note['message']}" for note in report["warnings"]]
    return "\n".join(lines)


def _reading(estimator: BesovSmoothnessEstimator) -> str:
    """What the number says, in one plain line."""
    alpha, low = estimator.alpha_, estimator.alpha_interval_[0]
    if np.isinf(alpha):
        return "Unresolved: the labels look constant on a few boxes, smooth beyond number."
    if estimator.index == "sparsity-probe":
        return "Compare this index only with others of its kind and of as many samples."
    if alpha < _NOISE:
        return "No smoothness found: more wavelets hardly reduce the error, as for noise."
    if low <= 0:
        return "The interval reaches 0, so the labels cannot be told from noise."
    # The authors' index is that of the squared error, which falls twice as fast.
    rate = alpha / 2 if estimator.index == "elisha-dekel" else alpha
    fall = f"Each doubling of the wavelets cuts the error by {1 - 2.0**-rate:.0%}"
    if hasattr(estimator, "classes_"):
        # A jump across a smooth surface has the rate 1 / (p (d - 1)).
        p = 2 if estimator.index == "elisha-dekel" else estimator.p
        dimension = 1 + 1 / (p * rate)
        return f"{fall}, as for classes with smooth borders in {dimension:.1f} dimensions."
    return f"{fall}, as for a smooth function of {max(1 / rate, 1):.1f} features."


def _decay_figure(estimator: BesovSmoothnessEstimator, name: str) -> Any:
    from matplotlib.figure import Figure  # needs no display, unlike pyplot

    from .plotting import ErrorDecayDisplay

    axes = Figure(figsize=(6.4, 4.8), layout="constrained").subplots()
    # A dollar sign would start a formula.
    name = Path(name).name.replace("$", r"\$")
    return ErrorDecayDisplay.from_estimator(estimator, ax=axes, name=name).figure_


@contextmanager
def _recorded_warnings() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", category=SmoothnessWarning)
        yield caught


def _notes(caught: list[warnings.WarningMessage]) -> list[tuple[str, str]]:
    """Category and text of each warning, once."""
    notes = []
    for warning in caught:
        text = _one_line(warning.message)
        if issubclass(warning.category, TargetTypeWarning):
            text += " (Here: --task classification or --task regression.)"
        notes.append((warning.category.__name__, text))
    return list(dict.fromkeys(notes))


# ------------------------------------------------------------------------ data files


def _read_dataset(options: argparse.Namespace) -> Dataset:
    if options.data is not None or options.labels is not None:
        return _read_two_files(options)
    if options.file is None:
        raise CommandError("no data: give FILE --target COLUMN, or --data and --labels")
    if options.file.name.lower().endswith(".npz"):
        return _read_npz(options)
    return _read_one_table(options)


def _read_one_table(options: argparse.Namespace) -> Dataset:
    path = options.file
    frame, notes = _read_table(path, header=True)
    if options.target is None:
        raise CommandError(
            f"{path}: say which column holds the labels with --target COLUMN; "
            f"columns: {_listed(frame.columns)}"
        )
    columns = list(frame.columns)
    named = [options.target, *(options.features or []), *(options.drop or [])]
    for name in named:
        _check_name(name, columns, path, "column")
    left_out = {options.target, *(options.drop or [])}
    wanted = dict.fromkeys(options.features or columns)
    kept = [name for name in wanted if name not in left_out]
    if not kept:
        raise CommandError(f"{path}: no feature column is left beside {options.target!r}")
    X = _numeric_matrix(frame[kept], path)
    return Dataset(str(path), X, _target_column(frame, options.target, path), kept, notes)


def _read_two_files(options: argparse.Namespace) -> Dataset:
    """Features and labels in files of their own, the form of the authors' tool."""
    if options.file is not None or options.data is None or options.labels is None:
        raise CommandError("give --data and --labels together, and no other FILE")
    if options.target or options.features or options.drop:
        raise CommandError(
            "--target, --features and --drop name columns of one FILE; leave them out "
            "with --data and --labels"
        )
    frame, notes = _read_table(options.data, header=None)
    labels, label_notes = _read_table(options.labels, header=None)
    if len(frame) != len(labels):
        off_by_one = abs(len(frame) - len(labels)) == 1
        hint = "; has one of them a first line of names?" if off_by_one else ""
        raise CommandError(
            f"{options.data} has {len(frame)} rows but {options.labels} has "
            f"{len(labels)}; each sample needs one row in both{hint}"
        )
    X = _numeric_matrix(frame, options.data)
    if labels.shape[1] == 1:
        y = _target_column(labels, labels.columns[0], options.labels)
    else:
        y = _numeric_matrix(labels, options.labels)
    return Dataset(
        str(options.data),
        X,
        y,
        list(frame.columns),
        notes + label_notes,
        labels_source=str(options.labels),
    )


def _read_npz(options: argparse.Namespace) -> Dataset:
    path = options.file
    features = options.features or ["X"]
    if len(features) > 1 or options.drop:
        raise CommandError(
            f"{path}: of an npz file --features names one array, and --drop has no use"
        )
    _check_file(path)
    names = {"features": features[0], "target": options.target or "y"}
    arrays = {}
    # EOFError and zlib.error come from cut or damaged members.
    damaged = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError)
    with _user_error(*damaged, ValueError, prefix=f"cannot read {path}"):
        if not zipfile.is_zipfile(path):
            raise ValueError("it is not a whole npz file; write it by numpy.savez")
        with np.load(path, allow_pickle=False) as archive:
            for role, name in names.items():
                _check_name(name, archive.files, path, "array", option=f"--{role}")
                arrays[role] = _array_of(archive, name)
    return _dataset_of_arrays(path, names, arrays["features"], arrays["target"])


def _array_of(archive: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(archive[name])
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise ValueError(
            f"array {name!r} holds pickled Python objects, which may run code; save it "
            "as numbers or as text (astype(float) or astype(str))"
        ) from error


def _dataset_of_arrays(
    path: Path, names: dict[str, str], X: np.ndarray, y: np.ndarray
) -> Dataset:
    if X.ndim == 0 or y.ndim == 0 or 0 in X.shape or 0 in y.shape:
        raise CommandError(
            f"{path}: {names['features']!r} has shape {X.shape} and {names['target']!r} "
            f"{y.shape}, but one row a sample is needed"
        )
    if len(X) != len(y):
        raise CommandError(
            f"{path}: {names['features']!r} has {len(X)} rows but {names['target']!r} has "
            f"{len(y)}; each sample needs one row in both"
        )
    X = X.reshape(len(X), -1)  # images become rows of pixels
    y = y.ravel() if y.size == len(y) else y.reshape(len(y), -1)
    if X.dtype.kind not in "biuf":
        raise CommandError(
            f"{path}: array {names['features']!r} holds {X.dtype}, not numbers"
        )
    columns = [f"{names['features']}[{column}]" for column in range(X.shape[1])]
    _check_finite(X, columns, path)
    if y.dtype.kind == "f":
        _check_finite(y.reshape(len(y), -1), [names["target"]] * len(y), path)
    return Dataset(str(path), X, y, columns)


def _read_table(
    path: Path, *, header: bool | None
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """A table and notes on it.

    ``header=None`` finds out whether a text file has a line of names.
    """
    _check_file(path)
    if path.suffix.lower() == ".parquet":
        frame = _read_parquet(path)
    elif path.name.lower().removesuffix(".gz").endswith(_TEXT_SUFFIXES):
        frame = _read_text(path, header)
    else:
        raise CommandError(
            f"{path}: unknown kind of file {path.suffix!r}; known are .csv, .tsv and .txt "
            "(also with .gz), .parquet, and .npz as FILE"
        )
    frame.columns = [str(name) for name in frame.columns]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise CommandError(f"{path}: column names occur twice: {_listed(twice)}")
    if frame.empty:
        raise CommandError(f"{path}: the file holds no rows of data")
    return _without_row_numbers(frame, path)


def _read_text(path: Path, header: bool | None) -> pd.DataFrame:
    malformed = (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning)
    damaged = (OSError, EOFError, zlib.error, UnicodeError)
    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with (
        _user_error(*malformed, *damaged, prefix=f"cannot read {path}"),
        warnings.catch_warnings(),
        opener(path, "rt", encoding="utf-8-sig") as file,
    ):
        # Pandas only warns where it drops cells of rows that are too long.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        first = next((line for line in file if line.strip()), "")
        separator = _separator(first, path)
        if header is None:
            header = not all(map(_is_number, re.split(separator, first.strip())))
        file.seek(0)
        return pd.read_csv(
            file,
            sep=separator,
            header=0 if header else None,
            index_col=False,
            low_memory=False,  # else a column of mixed kinds depends on chunks
            float_precision="round_trip",
        )


def _separator(line: str, path: Path) -> str:
    """What separates the cells of a line."""
    unquoted = re.sub(r'"[^"]*"', "", line)
    candidate = max("\t;,", key=unquoted.count)
    if candidate in unquoted:
        return candidate
    is_plain_text = path.name.lower().removesuffix(".gz").endswith(".txt")
    return r"\s+" if is_plain_text else ","


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().strip('"'))
    except ValueError:
        return False
    return True


def _read_parquet(path: Path) -> pd.DataFrame:
    pyarrow = _require("pyarrow", extra="parquet", purpose="a Parquet file")
    with _user_error(OSError, pyarrow.ArrowException, prefix=f"cannot read {path}"):
        return pd.read_parquet(path, engine="pyarrow")


def _without_row_numbers(
    frame: pd.DataFrame, path: Path
) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Drop the index that ``DataFrame.to_csv`` writes.

    Taken for a feature it would tell the classes of sorted rows apart.
    """
    first = frame.columns[0]
    is_index = first == "Unnamed: 0" and frame.shape[1] > 1
    if not is_index or not np.array_equal(frame[first], np.arange(len(frame))):
        return frame, []
    note = f"The first column of {path} has no name and holds row numbers: left out."
    return frame.drop(columns=first), [("Note", note)]


def _numeric_matrix(frame: pd.DataFrame, path: Path) -> np.ndarray:
    """The columns as floating-point numbers, all finite."""
    text = [name for name in frame if not types.is_numeric_dtype(frame[name])]
    if text:
        present = frame[text[0]].dropna()
        wrong = present[pd.to_numeric(present.astype(str), errors="coerce").isna()]
        example = f" (such as {_one_line(wrong.iloc[0])!r})" if len(wrong) else ""
        raise CommandError(
            f"{path}: text where numbers are needed, in {_counted('column', text)}"
            f"{example}; encode them as numbers, or leave them out (--drop)"
        )
    narrow = all(_fits_float32(dtype) for dtype in frame.dtypes)
    matrix = frame.to_numpy(np.float32 if narrow else np.float64, na_value=np.nan)
    _check_finite(matrix, list(frame.columns), path)
    return matrix


def _fits_float32(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and np.can_cast(dtype, np.float32)


def _target_column(frame: pd.DataFrame, name: str, path: Path) -> np.ndarray:
    """Labels in the dtype from which the estimator reads what they are."""
    column = frame[name]
    missing = int(column.isna().sum())
    if missing:
        raise CommandError(
            f"{path}: the target {name!r} is missing (empty or NaN) in "
            f"{missing} of {len(frame)} rows; fill or drop those rows"
        )
    if types.is_float_dtype(column):
        y = column.to_numpy(np.float64)
        _check_finite(y[:, None], [name], path)
        return y
    if types.is_bool_dtype(column):
        return column.to_numpy(bool)
    if types.is_integer_dtype(column):
        return column.to_numpy(np.int64)
    return column.astype(str).to_numpy(object)


def _as_task(y: np.ndarray, task: str) -> np.ndarray:
    """Bring the labels into a form that the estimator takes for this task."""
    if task == "regression":
        if y.dtype.kind not in "biuf":
            raise CommandError("--task regression needs numbers, but the target holds text")
        return y.astype(np.float64)
    if task == "classification" and y.ndim == 2:
        is_one_hot = np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
        if not is_one_hot:
            raise CommandError(
                "--task classification needs one column of labels, or a 1 for the class "
                "and 0 elsewhere; use --task regression for other columns"
            )
        return y.argmax(axis=1)
    if task == "classification" and y.dtype.kind == "f":
        return np.unique(y, return_inverse=True)[1]
    return y


# ---------------------------------------------------------------------------- checks


def _check_file(path: Path) -> None:
    with _user_error(OSError, prefix=f"cannot read {path}"):
        if path.is_dir():
            raise CommandError(f"{path} is a folder; give a file in it")
        path.open("rb").close()


def _check_name(
    name: str,
    known: Sequence[str],
    path: Path,
    kind: str,
    option: str | None = None,
) -> None:
    if name in known:
        return
    lower = {other.lower(): other for other in known}
    close = [lower[match] for match in difflib.get_close_matches(name.lower(), lower)]
    hint = f"did you mean {_listed(close)}? " if close else ""
    naming = f"; name another by {option}" if option else ""
    raise CommandError(
        f"{path}: no {kind} {name!r}; {hint}{kind}s: {_listed(known)}{naming}"
    )


def _check_finite(matrix: np.ndarray, columns: Sequence[str], path: Path) -> None:
    if matrix.dtype.kind != "f":
        return
    bad = ~np.isfinite(matrix)
    if bad.any():
        names = [columns[i] for i in np.flatnonzero(bad.any(axis=0))]
        raise CommandError(
            f"{path}: NaN, infinity or an empty cell in {bad.any(axis=1).sum()} of "
            f"{len(matrix)} rows, {_counted('column', names)}; fill or drop them"
        )


def _counted(kind: str, names: Sequence[str]) -> str:
    return f"{kind}{'s' if len(names) > 1 else ''} {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    listed = ", ".join(repr(str(name)) for name in names[:_MOST_NAMES])
    further = len(names) - _MOST_NAMES
    return f"{listed} and {further} more" if further > 0 else listed


def _require(module: str, *, extra: str, purpose: str) -> Any:
    """An optional dependency, or an error that says how to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{purpose} needs {module}, which is not installed; "
            f'install it with: pip install "sksmooth[{extra}]"'
        ) from error


# -------------------------------------------------------------------------- pictures


def _check_picture_path(path: Path) -> None:
    """Fail before the work, not after it."""
    if path.suffix.lower() not in _PICTURE_SUFFIXES:
        kinds = ", ".join(_PICTURE_SUFFIXES)
        raise CommandError(f"{path}: the name of a picture must end in one of {kinds}")
    if path.is_dir():
        raise CommandError(f"{path} is a folder; give the name of a picture in it")
    if not path.parent.is_dir():
        raise CommandError(f"{path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise CommandError(f"{path}: the folder {path.parent} is not writable")


def _save_picture(figure: Any, path: Path) -> None:
    """Write a picture whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _user_error(OSError, prefix=f"cannot write {path}"):
            figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=150)
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
