"""Measure layers one after the other, all on the same subsamples.

This is the interface of the table of layers to the estimators.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning

from ..estimators.besov import BesovSmoothnessEstimator, fit_samples, read_for
from ..estimators.comparison import measured
from ..estimators.levels import fitted_level, groups_of, level_alone
from ..estimators.probes import TargetKind, chosen_probes, measure_probes, probe_rows
from ..exceptions import SmoothnessWarning
from ..index import Level
from ..samples import Samples, as_array, group_units
from .columns import MeasuredLayer

__all__ = ["LayersInTurn"]


class LayersInTurn:
    """Measure layers in the order of comparison.

    It keeps the levels by which layers are compared, but not their forests.

    Parameters
    ----------
    template : BesovSmoothnessEstimator
        Estimator that is cloned for every layer; its random states are integers.
    source : array-like of shape (n_samples, n_features)
        Features that identify the samples, by which they are drawn in all layers.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    sample_weight : array-like of shape (n_samples,) or None
        Weights.
    groups : array-like of shape (n_samples,) or None
        Groups of samples that are drawn together.
    y_test : array-like or None
        Targets of the test samples, if there are any.
    probes : str or iterable of str
        Names of what to measure beside the index; ``"all"`` means all that fit the targets.
    seed : int
        Seed of the probes.

    Attributes
    ----------
    levels : list of Level
        Levels of the layers that have been measured.
    confidence_level : float
        Level of the intervals.
    measured_on : str
        Hash of what the levels depend on apart from the features.
    probes : list of Probe
        Probes measured beside the index.
    """

    def __init__(
        self,
        template: BesovSmoothnessEstimator,
        source: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        groups: Any = None,
        y_test: Any = None,
        probes: str | Iterable[str] = (),
        seed: int = 0,
    ) -> None:
        self._template, self._sample_weight = template, sample_weight
        self._y = y
        self._y_test = None if y_test is None else as_array(y_test)
        self._seed, self.confidence_level = seed, template.confidence_level
        self.levels: list[Level] = []
        samples = read_for(clone(template), source, y, sample_weight)
        self._units = samples.units
        if groups is not None:
            codes = groups_of(groups, samples, len(source))
            self._units = group_units(codes, samples.units)
        samples = samples.drawn_by(self._units)
        self.measured_on = _hash_of(template, samples)
        is_numbers = samples.classes is None
        targets = TargetKind.NUMBERS if is_numbers else TargetKind.CLASSES
        self.probes = chosen_probes(probes, targets)
        if self.probes:
            self._rows = probe_rows(
                y, self._y_test, targets=targets, groups=groups, random_state=seed
            )

    def measure(
        self,
        X: np.ndarray,
        X_test: np.ndarray | None = None,
        *,
        name: str = "",
        type: str = "",
        projection_error: float | None = None,
    ) -> MeasuredLayer:
        """Measure the next layer.

        Parameters
        ----------
        X, X_test : ndarray of shape (n_samples, n_features)
            Its features, and those of the test samples if there are any.
        name, type, projection_error
            As in :class:`~sksmooth.networks.columns.MeasuredLayer`.

        Returns
        -------
        layer : MeasuredLayer
            The layer, including a fitted estimator, which holds a forest.
        """
        test = None if X_test is None else (X_test, self._y_test)
        # Run probes before growing the forest, which takes memory.
        probes = self._measure_probes(X, test)
        start = time.perf_counter()
        estimator, held_out, cautions = measured(lambda: self._fitted(X), test)
        return MeasuredLayer(
            name=name,
            type=type,
            n_features=X.shape[1],
            projection_error=projection_error,
            estimator=estimator,
            held_out=max(0.0, self.levels[-1].score) if test is None else held_out,
            cautions=cautions,
            seconds=time.perf_counter() - start,
            probes=probes,
        )

    def _measure_probes(self, X: np.ndarray, test: Any) -> dict[str, float]:
        if not self.probes:
            return {}
        return measure_probes(
            self.probes, X, self._y, self._rows, test=test, random_state=self._seed
        )

    def level_alone(self, X: np.ndarray) -> Level:
        """Measure the level of a layer of the reference network."""
        estimator = clone(self._template)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SmoothnessWarning)
            warnings.simplefilter("ignore", DataConversionWarning)  # said once
            return level_alone(estimator, self._read(estimator, X), self._n_grown)

    def _fitted(self, X: np.ndarray) -> BesovSmoothnessEstimator:
        estimator = clone(self._template)
        samples = self._read(estimator, X)
        fit_samples(estimator, samples)
        self.levels.append(fitted_level(estimator, samples))
        self._n_grown = estimator._n_grown
        return estimator

    def _read(self, estimator: BesovSmoothnessEstimator, X: np.ndarray) -> Samples:
        samples = read_for(estimator, X, self._y, self._sample_weight)
        return samples.drawn_by(self._units)


def _hash_of(template: BesovSmoothnessEstimator, samples: Samples) -> str:
    parameters = template.get_params(deep=False)
    without_effect = ("confidence_level", "n_jobs", "verbose")
    kept = {name: parameters[name] for name in parameters if name not in without_effect}
    targets = samples.targets.points, samples.targets.place
    return joblib.hash((kept, samples.units.unit, targets, samples.weights))
