"""Forecasts in pictures, on pages and in cards."""

import sys

import numpy as np
import pytest
from html_reading import HOSTILE, Reader, read_page, shown
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB

from sksmooth import BesovSmoothnessEstimator, forecast_error, report
from sksmooth.exceptions import LearningCurveWarning
from sksmooth.plotting import ErrorForecastDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def pyplot():
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def text_of(page):
    return " ".join(" ".join(read_page(page).texts).split())


def text_of_card(card):
    return " ".join(" ".join(Reader(card).texts).split())


@pytest.fixture(scope="module")
def forecast():
    X, y = load_digits(return_X_y=True)
    return forecast_error(X[:600], y[:600], estimator=GaussianNB(), random_state=0)


def test_the_picture_shows_points_forecast_intervals_and_floor(forecast):
    display = ErrorForecastDisplay.from_forecast(forecast)
    n, errors = display.line_.get_data()
    assert_allclose(n[[0, -1]], [600, 38_400])
    assert_allclose(errors[[0, -1]], forecast.predict([600, 38_400]))
    points = display.points_.lines[0].get_data()
    measured = forecast.to_frame().iloc[:4]
    assert_array_equal(points[0], measured["n_samples"])
    assert_allclose(points[1], measured["error"])
    assert_allclose(display.floor_.get_ydata(), forecast.floor)
    band = display.floor_band_
    ends = band.get_patch_transform().transform_path(band.get_path()).vertices[:, 1]
    assert_allclose([ends.min(), ends.max()], forecast.floor_interval)
    assert_array_equal(display.size_line_.get_xdata(), [600, 600])
    assert sorted(display.bands) == [0.5, 0.9]
    widest = display.bands_[0].get_paths()[0].vertices[:, 1]
    low, high = forecast.interval([600, 38_400])
    assert_allclose([widest.min(), widest.max()], [low.min(), high.max()], rtol=1e-6)
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_ylabel() == "Error rate"
    assert display.ax_.get_title() == "GaussianNB"


def test_the_points_of_the_picture_as_a_table(forecast):
    display = ErrorForecastDisplay.from_forecast(forecast)
    frame = display.frame()
    measured, line = (part for _, part in frame.groupby("is_forecast"))
    assert_frame_equal(measured, forecast.to_frame().iloc[:4], check_dtype=False)
    assert_array_equal(line["n_samples"], display.line_.get_xdata())
    assert_array_equal(line["error"], display.line_.get_ydata())
    assert_array_equal(line[["low", "high"]].T, forecast.interval(line["n_samples"]))


def test_several_forecasts_share_axes(forecast, pyplot):
    axes = pyplot.subplots()[1]
    first = ErrorForecastDisplay.from_forecast(forecast, ax=axes, name="cost in $")
    assert axes.get_title() == r"cost in \$"
    second = ErrorForecastDisplay.from_forecast(forecast, ax=axes, name="other")
    assert axes.get_title() == ""
    assert [t.get_text() for t in axes.get_legend().get_texts()] == [r"cost in \$", "other"]
    assert first.line_.get_color() != second.line_.get_color()
    assert second.plot(name="again", line_kwargs={"color": "red"}).ax_ is not axes
    assert second.line_.get_color() == "red"


def test_without_matplotlib_the_extra_is_named(forecast, monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        ErrorForecastDisplay.from_forecast(forecast)


def test_the_page_of_a_forecast_holds_its_numbers(forecast, tmp_path):
    path = tmp_path / "forecast.html"
    page = report(forecast, path, title="Digits")
    assert path.read_text(encoding="utf-8") == page
    assert len(page) < 1_000_000
    text = text_of(page)
    assert forecast.sentence in text
    assert "38,400" in text
    assert "Class by class" in text
    with pytest.raises(TypeError, match="forecast takes no X"):
        report(forecast, X=[[1.0]])


def test_the_page_of_regression_has_no_classes():
    X, y = load_diabetes(return_X_y=True)
    page = report(forecast_error(X, y, estimator=Ridge(), random_state=0))
    assert "Class by class" not in page
    assert "unexplained variance" in page


def test_names_of_classes_run_no_script():
    X, y = load_digits(return_X_y=True)
    names = np.array([f"{HOSTILE[label]} {label}" for label in y[:300]], dtype=object)
    forecast = forecast_error(X[:300], names, estimator=GaussianNB(), random_state=0)
    texts = read_page(report(forecast)).texts
    assert all(any(shown(name, 60) in text for text in texts) for name in set(names))


def test_names_of_estimators_run_no_script():
    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    name = "<script>'&lt;\n\u202e$\\frac{"
    estimator = type(name, (GaussianNB,), {})()
    forecast = forecast_error(X, y, estimator=estimator, random_state=0)
    assert f"of {shown(name)} is" in text_of(report(forecast))
    assert f"of {shown(name)} is" in text_of_card(forecast._repr_html_())


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.LearningCurveWarning")
def test_of_many_classes_the_first_fifty_are_listed():
    y = np.repeat(np.arange(60), 10)
    X = y[:, None] + np.random.RandomState(0).normal(size=(600, 3))
    forecast = forecast_error(X, y, estimator=GaussianNB(), random_state=0)
    assert "; the first 50 of 60" in text_of(report(forecast))


def test_pages_and_cards_give_the_caution():
    X, y = load_iris(return_X_y=True)
    with pytest.warns(LearningCurveWarning):
        forecast = forecast_error(X[::2], y[::2], random_state=0)
    assert f"Caution: {forecast.caution}" in text_of(report(forecast))
    assert f"Caution: {forecast.caution}" in text_of_card(forecast._repr_html_())


def test_a_report_of_samples_says_what_more_of_them_bring():
    X, y = load_digits(return_X_y=True)
    estimator = BesovSmoothnessEstimator(random_state=0).fit(X[:400], y[:400])
    page = report(estimator, X=X[:400], y=y[:400])
    sentence = forecast_error(X[:400], y[:400], random_state=0).sentence
    assert sentence in text_of(page)
    assert "What more samples would bring" not in report(estimator)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_a_report_of_few_samples_says_why_there_is_no_forecast():
    X, y = load_iris(return_X_y=True)
    X, y = X[::10], y[::10]
    estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    page = text_of(report(estimator, X=X, y=y))
    assert "No forecast: 15 samples are too few" in page


def test_the_card_shows_forecast_and_floor(forecast):
    card = forecast._repr_html_()
    assert "Error with more samples" in card
    assert "With 38,400" in card
    assert "Floor" in card
