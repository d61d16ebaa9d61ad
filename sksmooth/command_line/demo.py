"""The demo: which features of handwritten digits are smooth."""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import Binarizer, FunctionTransformer
from sklearn.random_projection import GaussianRandomProjection

from .. import BesovSmoothnessEstimator
from .._progress import run_parallel
from ..exceptions import SmoothnessWarning
from .errors import require
from .pictures import check_picture_path, new_figure, save_picture

__all__ = ["run_demo"]

_BAR_WIDTH = 20
_SHUFFLED = "raw pixels, shuffled labels"
_DRAWN = ("raw pixels", "pixels + strong noise", "LDA, 9 components", _SHUFFLED)


@dataclass(frozen=True)
class DemoRow:
    """A choice of features, and what was measured of it."""

    name: str
    estimator: BesovSmoothnessEstimator
    held_out: float


def run_demo(options: argparse.Namespace) -> None:
    """Print the table and draw the picture."""
    check_picture_path(options.output)
    start = time.perf_counter()
    seed = options.random_state
    X, y = load_digits(return_X_y=True)
    halves = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    transformers = _make_transformers(seed)
    tasks = (delayed(_measure)(*item, halves, seed) for item in transformers.items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)  # the table has footnotes
        n_jobs, label = options.n_jobs, "feature sets"
        rows = run_parallel(tasks, len(transformers), n_jobs=n_jobs, label=label, verbose=1)
    print(f"Smoothness of scikit-learn's digits, {len(X)} images in 10 classes")
    print("(fitted on half of them, held-out score on the other half)\n")
    print(_table(rows))
    print(f"\nLarger is smoother; 0 is noise. {time.perf_counter() - start:.1f} s")
    require("matplotlib", extra="plot", purpose="the picture of the demo")
    save_picture(_figure(rows), options.output)
    print(f"Picture written to {options.output}")


def _make_transformers(seed: int) -> dict[str, Any]:
    # A generator, so that both halves do not get the same noise.
    noise = {"rng": np.random.RandomState(seed)}
    return {
        "raw pixels": FunctionTransformer(),
        "pixels + strong noise": FunctionTransformer(_add_noise, kw_args=noise),
        "pixels, binarised": Binarizer(threshold=7.5),
        "PCA, 10 components": PCA(10, random_state=seed),
        "PCA, 30 components": PCA(30, random_state=seed),
        # LDA knows the labels of its training half, which flatters alpha there; the
        # held-out score does not reward that.
        "LDA, 9 components": LinearDiscriminantAnalysis(n_components=9),
        "random projection": GaussianRandomProjection(30, random_state=seed),
        _SHUFFLED: FunctionTransformer(),
    }


def _add_noise(X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    return X + rng.normal(scale=8.0, size=X.shape)  # pixels go from 0 to 16


def _measure(name: str, transformer: Any, halves: list[np.ndarray], seed: int) -> DemoRow:
    X_train, X_test, y_train, y_test = halves
    if name == _SHUFFLED:
        rng = np.random.RandomState(seed)
        y_train, y_test = rng.permutation(y_train), rng.permutation(y_test)
    transformer.fit(X_train, y_train)
    estimator = BesovSmoothnessEstimator(random_state=seed)
    estimator.fit(transformer.transform(X_train), y_train)
    return DemoRow(name, estimator, estimator.score(transformer.transform(X_test), y_test))


def _table(rows: list[DemoRow]) -> str:
    """Text table of the rows, with footnotes for those to be read with care."""
    alphas = [row.estimator.alpha_ for row in rows]
    largest = max([alpha for alpha in alphas if np.isfinite(alpha)] + [1e-9])
    heads = f"{'features':<32} {'n':>4} {'alpha':>7} {'low':>7} {'high':>7} {'held-out':>8}"
    lines = [heads, "-" * (len(heads) + _BAR_WIDTH + 2)]
    footnotes: list[str] = []
    for row, alpha in zip(rows, alphas, strict=True):
        name, estimator = row.name, row.estimator
        for caution in map(str, estimator.decay_.cautions):
            if caution not in footnotes:
                footnotes.append(caution)
            name += f" [{footnotes.index(caution) + 1}]"
        low, high = estimator.alpha_interval_
        bar = "#" * round(_BAR_WIDTH * np.clip(alpha / largest, 0, 1))
        lines.append(
            f"{name:<32} {estimator.n_features_in_:>4} {alpha:>7.3f} {low:>7.3f} "
            f"{high:>7.3f} {row.held_out:>8.3f}  {bar}".rstrip()
        )
    lines += [f"[{number}] {note}" for number, note in enumerate(footnotes, start=1)]
    return "\n".join(lines)


def _figure(rows: list[DemoRow]) -> Any:
    from ..plotting import ErrorDecayDisplay

    figure = new_figure(13, 5)
    left, right = figure.subplots(1, 2)
    for row in rows:
        if row.name in _DRAWN:
            draw = ErrorDecayDisplay.from_estimator
            draw(row.estimator, ax=left, name=row.name, show_window=False)
    left.set_title("The error falls faster where labels are smoother")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize="small")
    _draw_indices(right, rows)
    return figure


def _draw_indices(axes: Any, rows: list[DemoRow]) -> None:
    names = [row.name for row in rows]
    alphas = np.array([row.estimator.alpha_ for row in rows])
    alphas[np.isinf(alphas)] = np.nan  # unresolved: no bar
    intervals = np.transpose([row.estimator.alpha_interval_ for row in rows])
    margins = np.abs(intervals - alphas)
    axes.barh(names, alphas, xerr=margins, capsize=3, label="alpha, with its interval")
    axes.plot(
        [row.held_out for row in rows],
        names,
        "D",
        color="tab:orange",
        label="held-out score",
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.invert_yaxis()  # the first row on top
    axes.set(xlabel="Smoothness index", title="Features of the digits")
    axes.legend(loc="lower right", fontsize="small")
