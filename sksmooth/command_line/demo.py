"""The demo: smoothness of features of handwritten digits, and of layers of a network."""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import Binarizer, FunctionTransformer
from sklearn.random_projection import GaussianRandomProjection

from .._lib.messages import tell
from .._lib.parallel import run_parallel
from .._lib.text import paragraphs, told_p_value
from ..display.plots.axes import new_figure, require_matplotlib
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.comparison import smoothness_difference
from ..estimators.verdict import percent
from ..exceptions import SmoothnessWarning
from ..networks.transformer import LayerFeatureTransformer
from .demo_network import IMAGE_SHAPE, LAYERS, make_network, train
from .output import write
from .pictures import check_picture_path, save_picture

__all__ = ["run_demo"]

_FEATURES = "features"
_UNTRAINED, _TRAINED = "network, untrained", "network, trained"
_RAW, _NOISY = "raw pixels", "pixels + strong noise"
_LDA, _SHUFFLED = "LDA, 9 components", "shuffled labels"
_LAST_LAYER = list(LAYERS)[-1]
_DRAWN = (_RAW, _NOISY, _LDA, _SHUFFLED)
_LEVEL = 0.05


@dataclass(frozen=True)
class DemoRow:
    """A choice of features, and what was measured of it.

    ``values`` are the features of the images that were held out.
    """

    group: str
    name: str
    estimator: BesovSmoothnessEstimator
    held_out: float
    values: np.ndarray


def run_demo(options: argparse.Namespace) -> None:
    """Print the table and draw the picture."""
    check_picture_path(options.output)
    start = time.perf_counter()
    seed = options.random_state
    X, y = load_digits(return_X_y=True)
    X /= 16  # the darkest pixel
    halves = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    transformers = _make_transformers(seed) | _make_layers(halves, seed)
    tasks = (delayed(_measure)(*item, halves, seed) for item in transformers.items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)  # the table marks them
        n_jobs, label = options.n_jobs, "feature sets"
        rows = run_parallel(tasks, len(transformers), n_jobs=n_jobs, label=label, verbose=1)
        conclusions = _conclusions(rows, halves[3], seed)
    write(f"How smooth are the {len(np.unique(y))} classes of scikit-learn's digits?")
    write("Fitted on half of the images; held-out is the score on the other half.\n")
    write(_table(rows))
    write("\nExplained: share of the variance of the labels. Alpha: 0 for noise, larger is")
    write("smoother. Held-out: a rate, like alpha, on new images; choose features by it.\n")
    write(paragraphs(conclusions))
    require_matplotlib("The picture of the demo")
    save_picture(_figure(rows), options.output)
    write(f"\n{time.perf_counter() - start:.0f} s; picture: {options.output}")


def _make_transformers(seed: int) -> dict[tuple[str, str], Any]:
    # A generator, so that both halves do not get the same noise.
    noise = {"rng": np.random.RandomState(seed)}
    transformers = {
        _RAW: FunctionTransformer(),
        _NOISY: FunctionTransformer(_add_noise, kw_args=noise),
        "pixels, binarised": Binarizer(threshold=0.5),
        "PCA, 10 components": PCA(10, random_state=seed),
        "PCA, 30 components": PCA(30, random_state=seed),
        # LDA knows the labels of its training half, which flatters alpha there; the
        # held-out score does not reward that.
        _LDA: LinearDiscriminantAnalysis(n_components=9),
        "random projection": GaussianRandomProjection(30, random_state=seed),
        _SHUFFLED: FunctionTransformer(),
    }
    return {(_FEATURES, name): each for name, each in transformers.items()}


def _add_noise(X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    return X + rng.normal(scale=0.5, size=X.shape)


def _make_layers(halves: list[np.ndarray], seed: int) -> dict[tuple[str, str], Any]:
    """Take layers of a network as it is initialised, and trained on the first half."""
    if find_spec("torch") is None:
        tell("sksmooth: torch is not installed, so the demo leaves out the network.")
        return {}
    untrained, trained = make_network(seed), make_network(seed)
    X_train, _, y_train, _ = halves
    train(trained, X_train, y_train, seed)
    return {
        (group, name): LayerFeatureTransformer(network, layer, input_shape=IMAGE_SHAPE)
        for group, network in ((_UNTRAINED, untrained), (_TRAINED, trained))
        for name, layer in LAYERS.items()
    }


def _measure(
    key: tuple[str, str], transformer: Any, halves: list[np.ndarray], seed: int
) -> DemoRow:
    X_train, X_test, y_train, y_test = halves
    if key[1] == _SHUFFLED:
        rng = np.random.RandomState(seed)
        y_train, y_test = rng.permutation(y_train), rng.permutation(y_test)
    transformer.fit(X_train, y_train)
    estimator = BesovSmoothnessEstimator(random_state=seed)
    estimator.fit(transformer.transform(X_train), y_train)
    values = transformer.transform(X_test)
    return DemoRow(*key, estimator, estimator.score(values, y_test), values)


# ---------------------------------------------------------------------- the table


def _table(rows: list[DemoRow]) -> str:
    """Format the rows as a table, by groups."""
    heads = f"{'':<22} {'samples':>7} {'features':>8} {'explained':>9} {'alpha':>6}"
    lines = [f"{heads} {'95 % interval':>14} {'held-out':>8}"]
    is_marked = False
    for place, row in enumerate(rows):
        if place and row.group != rows[place - 1].group:
            lines.append(row.group)
        estimator, indent = row.estimator, "  " * (row.group != _FEATURES)
        low, high = estimator.alpha_interval_
        mark = "*" if estimator.decay_.cautions else " "
        is_marked |= mark == "*"
        lines.append(
            f"{indent + row.name:<22} {estimator.n_samples_:>7} "
            f"{estimator.n_features_in_:>8} {percent(estimator.explained_):>9} "
            f"{estimator.alpha_:>6.2f}{mark}{f'{low:.2f} to {high:.2f}':>14} "
            f"{row.held_out:>8.2f}"
        )
    if is_marked:
        lines.append("* uncertain, with so few samples: compare explained and held-out.")
    return "\n".join(lines)


def _conclusions(rows: list[DemoRow], y: np.ndarray, seed: int) -> list[str]:
    """Say what follows, by paired tests on the images that were held out."""
    known = {(row.group, row.name): row for row in rows}
    sentences = []
    if (_TRAINED, _LAST_LAYER) in known:
        what = "The network's last layer"
        before, after = known[_UNTRAINED, _LAST_LAYER], known[_TRAINED, _LAST_LAYER]
        sentences.append(_compared(what, "before training", before, after, y, seed))
    raw, lda = known[_FEATURES, _RAW], known[_FEATURES, _LDA]
    return [*sentences, _compared("LDA", "raw pixels", raw, lda, y, seed)]


def _compared(
    what: str, other: str, a: DemoRow, b: DemoRow, y: np.ndarray, seed: int
) -> str:
    result = smoothness_difference(a.values, b.values, y, random_state=seed)
    p = told_p_value(result.p_value)
    scores = f"held-out {b.held_out:.2f} against {a.held_out:.2f}, {p}"
    if result.p_value >= _LEVEL:
        return f"{what} cannot be told apart from {other} with so few samples ({scores})."
    smoother = "smoother" if result.difference > 0 else "rougher"
    return f"{what} is {smoother} than {other} ({scores})."


# ---------------------------------------------------------------------- the picture


def _figure(rows: list[DemoRow]) -> Any:
    """Draw the layers, or where there are none the error curves; and the features."""
    figure = new_figure(11, 4.5)
    left, right = figure.subplots(1, 2)
    features = [row for row in rows if row.group == _FEATURES]
    _draw_features(right, features)
    if len(features) < len(rows):
        _draw_layers(left, rows)
    else:
        _draw_decays(left, features)
    return figure


def _draw_layers(axes: Any, rows: list[DemoRow]) -> None:
    from ..display.plots import LayerSmoothnessDisplay

    frames = {}
    for group in (_UNTRAINED, _TRAINED):
        layers = [row for row in rows if row.group == group]
        lows, highs = zip(*(row.estimator.alpha_interval_ for row in layers), strict=True)
        frames[group.partition(", ")[2]] = pd.DataFrame(
            {
                "layer": [row.name for row in layers],
                "alpha": [row.estimator.alpha_ for row in layers],
                "alpha_low": lows,
                "alpha_high": highs,
            }
        )
    LayerSmoothnessDisplay.from_frame(frames, ax=axes)
    axes.set_title("Training unfolds the classes, layer by layer")


def _draw_decays(axes: Any, rows: list[DemoRow]) -> None:
    from ..display.plots import ErrorDecayDisplay

    for row in rows:
        if row.name in _DRAWN:
            draw = ErrorDecayDisplay.from_estimator
            draw(row.estimator, ax=axes, name=row.name, show_window=False)
    axes.set_title("The error falls faster where labels are smoother")
    axes.legend(loc="lower left", fontsize="small")


def _draw_features(axes: Any, rows: list[DemoRow]) -> None:
    names = [row.name for row in rows]
    alphas = np.array([row.estimator.alpha_ for row in rows])
    intervals = np.transpose([row.estimator.alpha_interval_ for row in rows])
    margins = np.abs(intervals - alphas)
    margins[np.isinf(margins)] = np.nan  # of a lower bound: no upper end
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
