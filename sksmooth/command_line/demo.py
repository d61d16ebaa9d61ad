"""The demo: smoothness of features of handwritten digits, and of layers of a network."""

from __future__ import annotations

import argparse
import math
import time
import warnings
from dataclasses import dataclass
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

from .._lib.optional import require
from .._lib.parallel import run_parallel
from ..display.plots.axes import new_figure
from ..estimators.besov import BesovSmoothnessEstimator
from ..estimators.verdict import percent
from ..exceptions import SmoothnessWarning
from ..networks.transformer import LayerFeatureTransformer
from .demo_network import IMAGE_SHAPE, LAYERS, make_network, train
from .output import write
from .pictures import check_picture_path, save_picture

__all__ = ["run_demo"]

_BAR_WIDTH = 12
_SHUFFLED = "raw pixels, shuffled labels"
_NETWORK = " net, "  # between its name and that of a layer
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
    require("torch", purpose="The network of the demo", install="sksmooth[torch]")
    start = time.perf_counter()
    seed = options.random_state
    X, y = load_digits(return_X_y=True)
    X /= 16  # the darkest pixel
    halves = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
    transformers = _make_transformers(seed) | _make_layers(halves, seed)
    tasks = (delayed(_measure)(*item, halves, seed) for item in transformers.items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmoothnessWarning)  # the table has footnotes
        n_jobs, label = options.n_jobs, "feature sets"
        rows = run_parallel(tasks, len(transformers), n_jobs=n_jobs, label=label, verbose=1)
    write(f"Smoothness of scikit-learn's digits, {len(X)} images in 10 classes")
    write("(fitted on half of them, held-out score on the other half)\n")
    write(_table(rows))
    write("\nLarger alpha is smoother; 0 is noise. Explained and noise are shares of the")
    write("variance of the labels; < stands before the most that can be noise.")
    write(f"{time.perf_counter() - start:.1f} s")
    require("matplotlib", purpose="The picture of the demo", install="sksmooth[plot]")
    save_picture(_figure(rows), options.output)
    write(f"Picture written to {options.output}")


def _make_transformers(seed: int) -> dict[str, Any]:
    # A generator, so that both halves do not get the same noise.
    noise = {"rng": np.random.RandomState(seed)}
    return {
        "raw pixels": FunctionTransformer(),
        "pixels + strong noise": FunctionTransformer(_add_noise, kw_args=noise),
        "pixels, binarised": Binarizer(threshold=0.5),
        "PCA, 10 components": PCA(10, random_state=seed),
        "PCA, 30 components": PCA(30, random_state=seed),
        # LDA knows the labels of its training half, which flatters alpha there; the
        # held-out score does not reward that.
        "LDA, 9 components": LinearDiscriminantAnalysis(n_components=9),
        "random projection": GaussianRandomProjection(30, random_state=seed),
        _SHUFFLED: FunctionTransformer(),
    }


def _add_noise(X: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    return X + rng.normal(scale=0.5, size=X.shape)


def _make_layers(halves: list[np.ndarray], seed: int) -> dict[str, Any]:
    """Take layers of a network as it is initialised, and trained on the first half."""
    untrained, trained = make_network(seed), make_network(seed)
    X_train, _, y_train, _ = halves
    train(trained, X_train, y_train, seed)
    return {
        f"{kind}{_NETWORK}{name}": LayerFeatureTransformer(
            network, layer, input_shape=IMAGE_SHAPE
        )
        for kind, network in (("untrained", untrained), ("trained", trained))
        for name, layer in LAYERS.items()
    }


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
    """Format the rows as a table, with cautions as footnotes."""
    alphas = [row.estimator.alpha_ for row in rows]
    largest = max([*alphas, 1e-9])
    heads = f"{'features':<32} {'n':>4} {'alpha':>7} {'low':>7} {'high':>7} {'held-out':>8}"
    heads += f" {'explained':>9} {'noise':>6}"
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
            f"{high:>7.3f} {row.held_out:>8.3f} {percent(estimator.explained_):>9} "
            f"{_noise(estimator):>6}  {bar}".rstrip()
        )
    lines += [f"[{number}] {note}" for number, note in enumerate(footnotes, start=1)]
    return "\n".join(lines)


def _noise(estimator: BesovSmoothnessEstimator) -> str:
    if estimator.noise_is_bound_:
        return f"<{max(math.ceil(100 * estimator.noise_interval_[1]), 1)} %"
    return percent(estimator.noise_)


def _figure(rows: list[DemoRow]) -> Any:
    from ..display.plots import ErrorDecayDisplay, LayerSmoothnessDisplay

    figure = new_figure(19, 5)
    left, middle, right = figure.subplots(1, 3)
    for row in rows:
        if row.name in _DRAWN:
            draw = ErrorDecayDisplay.from_estimator
            draw(row.estimator, ax=left, name=row.name, show_window=False)
    left.set_title("The error falls faster where labels are smoother")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize="small")
    _draw_indices(middle, [row for row in rows if _NETWORK not in row.name])
    networks = _layer_frames(rows)
    if networks:
        LayerSmoothnessDisplay.from_frame(networks, ax=right)
        right.set_title("Layers of a network unfold the classes")
    return figure


def _layer_frames(rows: list[DemoRow]) -> dict[str, pd.DataFrame]:
    """Collect the rows of networks, as :func:`sksmooth.compare_layers` would."""
    frames: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        network, is_layer, layer = row.name.partition(_NETWORK)
        if is_layer:
            alpha, (low, high) = row.estimator.alpha_, row.estimator.alpha_interval_
            known = {"layer": layer, "alpha": alpha, "alpha_low": low, "alpha_high": high}
            frames.setdefault(network, []).append(known)
    return {network: pd.DataFrame(frame) for network, frame in frames.items()}


def _draw_indices(axes: Any, rows: list[DemoRow]) -> None:
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
