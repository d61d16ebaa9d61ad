"""Use of the public names that mypy reads, and nothing runs: none of their types is Any."""

from __future__ import annotations

from typing import assert_type

import numpy as np
import pandas as pd
from scipy import sparse

import sksmooth
from sksmooth.datasets import corrupt_labels, make_known_smoothness
from sksmooth.images import ImageWavelets, image_wavelets, psnr
from sksmooth.plotting import (
    LayerSmoothnessDisplay,
    RepresentationSmoothnessDisplay,
    SmoothnessHistoryDisplay,
)


def indices(X: np.ndarray, y: np.ndarray) -> None:
    estimator = sksmooth.BesovSmoothnessEstimator(n_estimators=50, random_state=0)
    assert_type(estimator, sksmooth.BesovSmoothnessEstimator)
    fitted = estimator.fit(X, y, sample_weight=np.ones(len(y)))
    assert_type(fitted, sksmooth.BesovSmoothnessEstimator)
    assert_type(fitted.alpha_, float)
    assert_type(fitted.alpha_interval_, tuple[float, float])
    assert_type(fitted.oob_score_, float)
    assert_type(fitted.explained_, float)
    assert_type(fitted.explained_interval_, tuple[float, float])
    assert_type(fitted.noise_, float)
    assert_type(fitted.noise_interval_, tuple[float, float])
    assert_type(fitted.noise_is_bound_, bool)
    assert_type(fitted.wrong_labels_, float)
    assert_type(fitted.wrong_labels_interval_, tuple[float, float])
    assert_type(fitted.signal_alpha_, float)
    assert_type(fitted.signal_alpha_interval_, tuple[float, float])
    assert_type(fitted.roughness_, float)
    assert_type(fitted.roughness_interval_, tuple[float, float])
    assert_type(fitted.n_relevant_, float)
    assert_type(fitted.n_terms_for(0.9), int)
    assert_type(fitted.errors_, np.ndarray)
    assert_type(fitted.fit_range_, tuple[int, int])
    assert_type(fitted.r_squared_, float)
    assert_type(fitted.decay_.errors, np.ndarray)
    assert_type(fitted.n_samples_, int)
    assert_type(fitted.feature_importances_, np.ndarray)
    assert_type(fitted.wavelets_, sksmooth.WaveletDecomposition)
    assert_type(fitted.score(X, y), float)
    assert_type(fitted.transform(X), sparse.csr_matrix | np.ndarray)
    change = sksmooth.smoothness_difference(X, X, y, n_jobs=1)
    assert_type(change, sksmooth.SmoothnessDifference)
    assert_type(sksmooth.permutation_baseline(fitted, X, y), sksmooth.PermutationBaseline)
    forecast = sksmooth.forecast_error(X, y, n_jobs=1)
    assert_type(forecast, sksmooth.ErrorForecast)
    assert_type(forecast.samples_for(0.1), float)
    assert_type(forecast.floor_interval, tuple[float, float])
    assert_type(forecast.to_frame(), pd.DataFrame)
    assert_type(sksmooth.class_smoothness(X, y), pd.DataFrame)
    assert_type(sksmooth.sample_roughness(X, y), pd.DataFrame)


def forests(X: np.ndarray, y: np.ndarray) -> None:
    classifier = sksmooth.WaveletForestClassifier(n_terms="oob").fit(X, y)
    assert_type(classifier.predict_proba(X), np.ndarray)
    assert_type(classifier.predict(X), np.ndarray)
    regressor = sksmooth.WaveletForestRegressor(random_state=0).fit(X, y)
    assert_type(regressor.predict(X), np.ndarray)
    assert_type(regressor.n_terms_, int)


def representations(X: np.ndarray, y: np.ndarray) -> None:
    table = sksmooth.compare_representations({"raw": X, "first": X[:, :1]}, y=y)
    assert_type(table, sksmooth.RepresentationComparison)
    assert_type(table.ranked(), sksmooth.RepresentationComparison)
    assert_type(table.frame, pd.DataFrame)
    assert_type(table.best_, str)
    assert_type(table.profile("alpha"), pd.DataFrame)
    assert_type(sksmooth.report(table), str)
    display = RepresentationSmoothnessDisplay.from_comparison(table)
    assert_type(display, RepresentationSmoothnessDisplay)
    assert_type(display.frame(), pd.DataFrame)


def layers(network: object, X: np.ndarray, y: np.ndarray) -> None:
    table = sksmooth.compare_layers(network, X, y)
    assert_type(table, sksmooth.LayerComparison)
    assert_type(table.frame, pd.DataFrame)
    assert_type(sksmooth.report(table), str)
    assert_type(sksmooth.list_layers(network, X), pd.DataFrame)
    features = sksmooth.LayerFeatureTransformer(network, layer="0")
    assert_type(features.fit(X), sksmooth.LayerFeatureTransformer)
    assert_type(features.fit_transform(X), np.ndarray)
    monitor = sksmooth.SmoothnessMonitor(network, X, y)
    assert_type(monitor.record(), None)
    assert_type(monitor.to_frame(), pd.DataFrame)
    assert_type(LayerSmoothnessDisplay.from_frame(table), LayerSmoothnessDisplay)
    assert_type(SmoothnessHistoryDisplay.from_monitor(monitor), SmoothnessHistoryDisplay)


def data() -> None:
    assert_type(sksmooth.__version__, str)
    assert_type(make_known_smoothness(), tuple[np.ndarray, np.ndarray, float])
    labels = corrupt_labels([0, 0, 1, 1], 0.5, random_state=0)
    assert_type(labels, np.ndarray | tuple[np.ndarray, np.ndarray])
    encoder = sksmooth.SimplexEncoder().fit(["a", "b"])
    assert_type(encoder, sksmooth.SimplexEncoder)
    assert_type(encoder.transform(["a"]), np.ndarray)


def images(image: np.ndarray) -> None:
    wavelets = image_wavelets(image)
    assert_type(wavelets, ImageWavelets)
    assert_type(wavelets.approximate(10), np.ndarray)
    assert_type(psnr(image, wavelets.approximate(10)), float)
