import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import make_known_smoothness
from sksmooth.exceptions import SmoothnessWarning
from sksmooth.plotting import ErrorDecayDisplay

INDICES = ["mterm", "weak-lp", "elisha-dekel", "sparsity-probe"]


@pytest.fixture(autouse=True)
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return BesovSmoothnessEstimator(random_state=0).fit(X, y)


def make_display(**changes):
    data = dict(
        n_terms=np.arange(1, 101),
        errors=2.0 / np.sqrt(np.arange(1, 101)),
        slope=-0.5,
        intercept=np.log(2.0),
        fit_range=(10, 50),
        alpha=0.5,
        alpha_interval=(0.45, 0.55),
    )
    return ErrorDecayDisplay(**(data | changes))


def slope_of(line):
    x, y = np.log(line.get_data())
    return (y[-1] - y[0]) / (x[-1] - x[0])


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_init_stores_plain_data_and_does_not_draw(pyplot):
    display = make_display(estimator_name="a")
    assert display.estimator_name == "a"
    assert not hasattr(display, "ax_")
    assert not pyplot.get_fignums()


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize("index", INDICES)
def test_draws_curve_and_line_of_the_estimator(index):
    X, y = load_digits(return_X_y=True)
    estimator = BesovSmoothnessEstimator(index=index, random_state=0).fit(X, y)
    display = ErrorDecayDisplay.from_estimator(estimator)

    x, errors = display.curve_.get_data()
    assert_allclose(errors, estimator.errors_[np.searchsorted(estimator.n_terms_, x)])
    x, fitted = display.line_.get_data()
    assert (x[0], x[-1]) == estimator.fit_range_
    assert_allclose(fitted, estimator.decay_.line(x))
    assert_allclose(slope_of(display.line_), estimator.decay_.line.slope)
    assert f"{estimator.alpha_:.2f}" in display.ax_.get_title()


def test_mterm_line_has_the_slope_minus_alpha(digits):
    display = ErrorDecayDisplay.from_estimator(digits)
    assert_allclose(slope_of(display.line_), -digits.alpha_)


def test_title_holds_index_and_interval():
    display = make_display().plot()
    assert display.ax_.get_title() == r"$\alpha$ = 0.50 [0.45, 0.55]"
    assert display.ax_.get_legend() is None


@pytest.mark.parametrize(
    ("index", "xlabel", "ylabel"),
    [
        ("mterm", "of a tree", "Error"),
        ("elisha-dekel", "of the forest", "squared error"),
        ("weak-lp", "Rank", "Norm"),
        ("sparsity-probe", "Rank", "Norm"),
    ],
)
def test_axes_say_what_they_hold(index, xlabel, ylabel):
    ax = make_display(index=index).plot().ax_
    assert xlabel in ax.get_xlabel()
    assert ylabel in ax.get_ylabel()
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_window_is_shaded_in_the_colour_of_the_curve(pyplot):
    display = make_display().plot(curve_kwargs={"color": "red"})
    assert display.window_.get_extents().width > 0
    corners = display.window_.get_path().vertices[:, 0]
    corners = display.window_.get_patch_transform().transform(
        np.column_stack([corners, corners])
    )[:, 0]
    assert_allclose((corners.min(), corners.max()), (10, 50))
    assert display.window_.get_facecolor()[:3] == (1.0, 0.0, 0.0)


def test_window_can_be_left_out():
    display = make_display().plot(show_window=False)
    assert display.window_ is None
    assert not display.ax_.patches


def test_given_axes_are_used(digits, pyplot):
    figure, (left, right) = pyplot.subplots(ncols=2)
    display = ErrorDecayDisplay.from_estimator(digits, ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert pyplot.get_fignums() == [figure.number]
    assert not left.lines
    assert display.plot(left).ax_ is left


def test_names_and_options_reach_the_artists():
    display = make_display(estimator_name="raw")
    display.plot(curve_kwargs={"linewidth": 4}, line_kwargs={"color": "green"})
    assert display.ax_.get_title().startswith("raw: ")
    assert display.curve_.get_linewidth() == 4
    assert display.line_.get_color() == "green"
    assert make_display().plot(name="other").ax_.get_title().startswith("other: ")


def test_several_displays_share_axes_and_a_legend():
    first = make_display(estimator_name="raw").plot()
    second = make_display(estimator_name="LDA", alpha=0.25).plot(first.ax_)
    make_display(estimator_name="noise", alpha=0.0).plot(first.ax_)
    raw, lda, noise = legend_texts(second.ax_)
    assert raw.startswith("raw: ")
    assert "0.25" in lda
    assert "0.00" in noise
    assert second.ax_.get_title() == ""
    assert first.curve_.get_color() != second.curve_.get_color()


def test_a_title_of_the_user_is_kept():
    ax = make_display().plot().ax_
    ax.set_title("Mine")
    make_display().plot(ax)
    assert ax.get_title() == "Mine"


def test_infinite_index_is_unresolved_and_without_line():
    X, y, alpha = make_known_smoothness("boxes", 2000, n_relevant=1, random_state=0)
    with pytest.warns(SmoothnessWarning):
        estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    assert np.isinf(alpha)
    display = ErrorDecayDisplay.from_estimator(estimator, name="boxes")
    assert "unresolved" in display.ax_.get_title()
    assert display.line_ is None
    assert len(display.curve_.get_xdata()) > 0
    display.figure_.canvas.draw()


def test_zero_errors_are_left_out():
    errors = np.r_[np.geomspace(1, 0.1, 60), np.zeros(40)]
    display = make_display(errors=errors, fit_range=(10, 80)).plot()
    assert display.curve_.get_xdata().max() == 60
    assert display.line_.get_xdata().max() == 60
    assert (display.frame()["error"] > 0).all()


def test_flat_curve_of_one_point():
    with pytest.warns(SmoothnessWarning):
        estimator = BesovSmoothnessEstimator().fit(np.zeros((20, 2)), np.arange(20) % 2)
    display = ErrorDecayDisplay.from_estimator(estimator)
    assert display.curve_.get_marker() == "."  # a line of one point would be invisible
    display.figure_.canvas.draw()


def test_long_curves_are_thinned_but_keep_their_ends():
    n_terms = np.arange(1, 100_001)
    display = make_display(
        n_terms=n_terms, errors=n_terms**-0.5, fit_range=(137, 44_444)
    ).plot()
    x = display.curve_.get_xdata()
    assert 500 < len(x) <= 1002
    assert (x[0], x[-1]) == (1, 100_000)
    assert np.diff(np.log(x[x > 1000])).max() < 0.02
    assert tuple(display.line_.get_xdata()[[0, -1]]) == (137, 44_444)
    assert_allclose(slope_of(display.line_), -0.5)


def test_frame_holds_the_plotted_points(digits):
    display = ErrorDecayDisplay.from_estimator(digits)
    frame = display.frame()
    assert list(frame.columns) == ["n_terms", "error", "fitted"]
    assert_allclose(frame["n_terms"], display.curve_.get_xdata())
    assert_allclose(frame["error"], display.curve_.get_ydata())
    inside = frame["n_terms"].between(*digits.fit_range_)
    assert (frame["fitted"].notna() == inside).all()


def test_unfitted_estimator():
    with pytest.raises(NotFittedError):
        ErrorDecayDisplay.from_estimator(BesovSmoothnessEstimator())


def test_other_estimators_are_refused_with_advice():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), BesovSmoothnessEstimator(random_state=0))
    with pytest.warns(SmoothnessWarning):
        pipeline.fit(X, y)
    with pytest.raises(TypeError, match=r"pipeline\[-1\]"):
        ErrorDecayDisplay.from_estimator(pipeline)
    assert ErrorDecayDisplay.from_estimator(pipeline[-1]).curve_ is not None


def test_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    display = make_display()
    assert len(display.frame()) == 100  # the data need no matplotlib
    with pytest.raises(ImportError, match=r'pip install "sksmooth\[plot\]"'):
        display.plot()


def test_import_does_not_load_matplotlib():
    code = (
        "import sys, sksmooth, sksmooth.plotting; "
        "sys.exit(any(name.startswith('matplotlib') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
