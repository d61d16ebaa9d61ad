"""Compare the layers of a network by the smoothness of the labels on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone

from .._lib.progress import progress_bar
from .._lib.scikit_learn import validate_params
from ..estimators.besov import BesovSmoothnessEstimator, fit_samples, read_for
from ..estimators.comparison import (
    integer_seed,
    measured,
    paired_difference,
    ready_estimator,
)
from ..index import IndexFit
from .extraction import CONSTRAINTS, LayerFeatures, extract_layers
from .probes import check_probes, measure_probes, probe_rows
from .table import LayerComparison

__all__ = ["COLUMNS", "compare_layers"]

COLUMNS = (
    *("layer", "type", "n_features", "alpha", "alpha_low", "alpha_high", "r_squared"),
    *("held_out", "difference", "difference_low", "difference_high", "p_value"),
    *("loses_smoothness", "seconds", "cautions"),
)


@validate_params(
    {
        "module": "no_validation",
        "X": "no_validation",
        "y": "no_validation",
        "layers": ["array-like", str, Integral, None],
        "estimator": [BesovSmoothnessEstimator, None],
        "probes": [list, tuple, set, str],
        "X_test": "no_validation",
        "y_test": "no_validation",
        "sample_weight": ["array-like", None],
        "n_jobs": [Integral, None],
        **CONSTRAINTS,
    },
    prefer_skip_nested_validation=True,
)
def compare_layers(
    module: Any,
    X: Any,
    y: ArrayLike | None = None,
    layers: ArrayLike | str | int | None = None,
    estimator: BesovSmoothnessEstimator | None = None,
    probes: str | Iterable[str] = (),
    *,
    X_test: Any = None,
    y_test: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    batch_size: int = 256,
    device: Any = None,
    input_shape: Sequence[int] | None = None,
    output: int | str | Callable | None = None,
    pooling: str = "flatten",
    max_features: int | None = None,
    memmap: bool | str = "auto",
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> LayerComparison:
    """Measure how smooth the labels are on the layers of a network.

    The features of all layers come from one forward pass over ``X``. Every layer is then
    measured once, all on the same subsamples with the same seeds, so that the change from
    a layer to the next is that of paired replicates, as in
    :func:`smoothness_difference`. A good layer makes the labels smoother; one that loses
    smoothness against the layer before it works against the network.

    Parameters
    ----------
    module : torch.nn.Module or fitted skorch net
        The network. It is only read.
    X : array-like, tensor, dict of arrays, Dataset or DataLoader
        Samples, as :class:`LayerFeatureTransformer` takes them.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Class labels, or numbers in a floating-point dtype. None where ``X`` is a Dataset
        or DataLoader that gives them.
    layers : array-like of str or int, default=None
        The layers, as :func:`list_layers` names them, in the order of comparison. None
        takes the input, and every layer with weights, together with the normalisation,
        activation and pooling that follow it.
    estimator : BesovSmoothnessEstimator, default=None
        An unfitted estimator, which is cloned for every layer. None means one with default
        parameters.
    probes : iterable of str or "all", default=()
        What to measure beside the index, with class labels only, each in a column:

        - ``"knn"``, ``"linear"``: accuracy of 5 nearest neighbours, and of a logistic
          regression, on the test samples, or on a quarter held out;
        - ``"silhouette"`` of the classes;
        - ``"kmeans_ari"``: adjusted Rand index of as many clusters as classes, as in [1]_;
        - ``"nc1"``: the variability within classes relative to that between them, the
          first measure of neural collapse [2]_; NaN if all class means agree;
        - ``"ncc_mismatch"``: share of samples whose nearest class mean is not their
          own [3]_;
        - ``"intrinsic_dimension"``: by scikit-dimension's TwoNN, ``sksmooth[probes]``; NaN
          if hardly any rows are distinct.

        The classifiers see at most 4000 samples, ``"nc1"`` and ``"ncc_mismatch"`` all and
        the others 2000, the same in every layer. None uses ``sample_weight``.
    X_test, y_test : as ``X`` and ``y``, default=None
        Test samples, for the held-out score and for probes. They take a forward pass more.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.
    batch_size, device, input_shape, output, pooling, max_features, memmap : optional
        As in :class:`LayerFeatureTransformer`. Layers that do not fit into memory are
        kept in temporary files.
    n_jobs : int, default=None
        Number of joblib workers, in place of the estimator's if it is given. Layers are
        measured one after the other, with all workers on the trees of one: so only one
        layer is read at a time, and a wide one does not keep a single worker busy while
        the others wait. Results do not depend on it. Probes use one thread.
    random_state : int, RandomState instance or None, default=None
        Seed of the estimator if it has none, of probes and of projections.
    verbose : int, default=0
        1 shows progress on standard error.

    Returns
    -------
    frame : LayerComparison
        A DataFrame that notebooks show with bars for the intervals and marks at layers
        that lose smoothness, and whose ``to_html()`` is a report in one file. One row a
        layer, and the columns

        - ``layer``, ``type``, ``n_features``;
        - ``alpha``, ``alpha_low``, ``alpha_high``: the index and its interval;
        - ``r_squared``;
        - ``held_out``: the estimator's ``score`` on the test samples, or without them its
          ``oob_score_``;
        - ``difference``, ``difference_low``, ``difference_high``, ``p_value``: against
          the row before, with a paired interval, which has no bounds where one of the two
          is infinite; NaN in the first row, and for the indices of published tools, which
          have no variance to compare by;
        - ``loses_smoothness``: whether that interval lies below zero, or an infinite index
          is followed by a finite one;
        - ``seconds``: time to measure the layer, without forward pass and probes;
        - ``cautions``: kinds of the warnings of the fit, which are not given as warnings;
        - ``projection_error`` if ``max_features`` is given, and one column a probe.

    Raises
    ------
    ValueError
        If a layer is not known or never reached, features are not finite, lengths differ,
        a probe is not known or has no class labels; or as
        :meth:`BesovSmoothnessEstimator.fit` raises, with the name of the layer.
    ImportError
        If torch is not installed, or scikit-dimension if it is asked for.

    See Also
    --------
    sksmooth.plotting.LayerSmoothnessDisplay : Draws the frame.
    SmoothnessMonitor : The same during training.
    LayerFeatureTransformer : Features of a layer, for a Pipeline.

    Notes
    -----
    Subsamples are drawn by the *input* of the network, so that a layer's index does not
    depend on which other layers are compared (of a Dataset or DataLoader whose input is not
    among them, by the first one, so that it does). Samples with the same input are drawn
    together; those that only some layer maps to the same point (dead units, saturated
    outputs) are not, since they are independent draws of the data. An estimator that is
    fitted to the features of such a layer alone cannot know, and draws equal rows with
    equal labels together; for all other layers it gives the same index, up to the noise
    of other subsamples.

    References
    ----------
    .. [1] I. Ben-Shaul and S. Dekel, *Sparsity-Probe: analysis tool for deep learning
       models*, arXiv 2105.06849.
    .. [2] V. Papyan, X. Y. Han and D. Donoho, *Prevalence of neural collapse during the
       terminal phase of deep learning training*, PNAS 117 (2020).
    .. [3] I. Ben-Shaul and S. Dekel, *Nearest class-center simplification through
       intermediate layers*, arXiv 2201.08924.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import compare_layers
    >>> X, y = load_digits(return_X_y=True)
    >>> _ = torch.manual_seed(0)
    >>> module = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
    ... )
    >>> frame = compare_layers(module, X, y, random_state=0)
    >>> frame[["layer", "type", "n_features", "loses_smoothness"]]
       layer           type  n_features  loses_smoothness
    0  input          input          64             False
    1      1  Linear + ReLU          32              True
    2      2         Linear          10              True

    Layers with random weights forget; training turns that round.
    """
    asked = check_probes(probes)
    if X_test is None and y_test is not None:
        raise ValueError("y_test is given without X_test.")
    seed = integer_seed(random_state)
    template = ready_estimator(estimator, seed, n_jobs)
    options = dict(
        batch_size=batch_size,
        device=device,
        input_shape=input_shape,
        output=output,
        pooling=pooling,
        max_features=max_features,
        memmap=memmap,
        random_state=seed,
        verbose=verbose,
    )
    is_weighted = sample_weight is not None  # weights are of rows in their order
    features = extract_layers(
        module, X, layers, y=_in_memory(y), keep_order=is_weighted, **options
    )
    test = None
    if X_test is not None:
        names, y_test = features.names, _in_memory(y_test)
        options |= dict(earlier=features)  # as wide, and projected alike
        test = extract_layers(module, X_test, names, y=y_test, **options)
        if test.y is None:
            raise ValueError("X_test is no data set that gives targets; pass y_test.")
    in_turn = _LayersInTurn(
        template,
        _rows_of_input(X, features),
        features.y,
        sample_weight,
        y_test=None if test is None else test.y,
        probes=asked,
        seed=seed,
    )
    frame = pd.DataFrame(list(_rows(in_turn, features, test, verbose)))
    extra = asked if max_features is None else ["projection_error", *asked]
    return LayerComparison(frame[[*COLUMNS, *extra]])


def _rows_of_input(X: Any, features: LayerFeatures) -> np.ndarray:
    """What tells samples apart, by which they are drawn: the input of the network.

    It is at hand unless X is a data set whose input is not among the layers.
    """
    if isinstance(X, Mapping):
        parts = [_plain_rows(part) for part in X.values() if part is not None]
        return np.hstack(parts)
    if hasattr(X, "shape") or isinstance(X, list | tuple):
        return _plain_rows(X)
    names = features.names
    return features.arrays[names.index("input") if "input" in names else 0]


def _plain_rows(data: Any) -> np.ndarray:
    rows = np.asarray(_in_memory(data))
    return rows.reshape(len(rows), -1)


def _in_memory(data: Any) -> Any:
    """An array in place of a tensor, wherever that is; anything else as it is."""
    if not hasattr(data, "detach"):
        return data
    data = data.detach().cpu()
    is_rare = data.is_floating_point() and data.element_size() < 4  # such as bfloat16
    return (data.float() if is_rare else data).numpy()


def _rows(
    in_turn: _LayersInTurn,
    features: LayerFeatures,
    test: LayerFeatures | None,
    verbose: int,
) -> Iterator[dict[str, Any]]:
    """Rows of the table. Arrays are let go when they are measured, and so are files."""
    kinds = zip(features.names, features.types, features.projection_errors, strict=True)
    if verbose:
        kinds = progress_bar(kinds, len(features.names), "index")
    for name, kind, error in kinds:
        X = features.arrays.pop(0)
        X_test = None if test is None else test.arrays.pop(0)
        with _naming(name):
            columns = in_turn.measure(X, X_test)
        yield {"layer": name, "type": kind, "projection_error": error} | columns


def _one_column(y: Any) -> np.ndarray | None:
    """Labels as probes take them."""
    y = None if y is None else np.asarray(y)
    return y.ravel() if y is not None and y.shape[1:] == (1,) else y


class _LayersInTurn:
    """Measures layers one by one on the same subsamples.

    Of each it keeps what the next one is compared with, not its forest.
    """

    def __init__(
        self,
        template: BesovSmoothnessEstimator,
        source: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        y_test: Any = None,
        probes: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        if y is None:
            raise ValueError("y is None, and X is no data set that gives it; pass y.")
        self._template, self._y, self._sample_weight = template, y, sample_weight
        self._y_test: Any = None if y_test is None else np.asarray(y_test)
        estimator = clone(template)
        samples = read_for(estimator, source, y, sample_weight)
        self._units = samples.units
        self._before: IndexFit | None = None
        self._probes, self._seed = probes, seed
        if probes and samples.classes is None:
            raise ValueError(f"The probes {probes} need class labels; y holds numbers.")
        if probes:
            self._y, self._y_test = _one_column(y), _one_column(self._y_test)
            self._seen = probe_rows(self._y, self._y_test, random_state=seed)

    def measure(self, X: np.ndarray, X_test: np.ndarray | None = None) -> dict[str, Any]:
        """Columns of the next layer."""
        start = time.perf_counter()
        test = None if X_test is None else (X_test, self._y_test)
        estimator, columns = measured(lambda: self._fitted(X), test)
        columns |= {"n_features": X.shape[1], "seconds": time.perf_counter() - start}
        columns |= self._change_to(estimator.decay_)
        del estimator
        if self._probes:
            columns |= measure_probes(
                self._probes, X, self._y, self._seen, test=test, random_state=self._seed
            )
        return columns

    def _fitted(self, X: np.ndarray) -> BesovSmoothnessEstimator:
        estimator = clone(self._template)
        samples = read_for(estimator, X, self._y, self._sample_weight)
        return fit_samples(estimator, samples.drawn_by(self._units))

    def _change_to(self, fit: IndexFit) -> dict[str, Any]:
        """Columns that say how the index changes from the layer before."""
        difference, (low, high), p_value = np.nan, (np.nan, np.nan), np.nan
        if self._before is not None and fit.convention.has_variance:
            difference, (low, high), p_value = paired_difference(self._before, fit)
        self._before = fit
        return {
            "difference": difference,
            "difference_low": low,
            "difference_high": high,
            "p_value": p_value,
            "loses_smoothness": bool(high < 0 or difference == -np.inf),
        }


@contextmanager
def _naming(layer: str) -> Iterator[None]:
    """Say in an error which layer it is about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"Layer {layer!r}: {error}") from error
    except Exception as error:
        error.add_note(f"This happened while layer {layer!r} was measured.")
        raise
