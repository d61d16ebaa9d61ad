"""sksmooth.plotting: what the displays draw, asserted on artists and not on pixels."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from html_reading import shown
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    BesovSmoothnessEstimator,
    LayerComparison,
    SmoothnessMonitor,
    compare_layers,
)
from sksmooth.datasets import make_known_smoothness
from sksmooth.exceptions import SmoothnessWarning, UnresolvedIndexWarning
from sksmooth.index import Level, rise
from sksmooth.plotting import (
    ErrorDecayDisplay,
    LayerSmoothnessDisplay,
    SmoothnessHistoryDisplay,
)


@pytest.fixture(autouse=True)
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.fixture
def no_matplotlib(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)


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


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


# --- the decay of the error ----------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize(
    ("index", "xlabel", "ylabel"),
    [
        ("mterm", "of a tree", "Error"),
        ("elisha-dekel", "of the forest", "squared error"),
        ("weak-lp", "Rank", "Norm"),
        ("sparsity-probe", "Rank", "Norm"),
    ],
)
def test_the_curve_and_line_that_the_index_was_read_from(index, xlabel, ylabel):
    X, y = load_digits(return_X_y=True)
    estimator = BesovSmoothnessEstimator(index=index, random_state=0).fit(X, y)
    display = ErrorDecayDisplay.from_estimator(estimator)

    fit, ax = estimator.decay_, display.ax_
    x, errors = display.curve_.get_data()
    assert_allclose(errors, fit.errors[np.searchsorted(fit.n_terms, x)])
    x, fitted = display.line_.get_data()
    assert (x[0], x[-1]) == fit.fit_range
    assert_allclose(fitted, fit.line(x))
    assert_allclose(slope_of(display.line_), fit.line.slope)
    assert f"{estimator.alpha_:.2f}" in ax.get_title()
    assert xlabel in ax.get_xlabel()
    assert ylabel in ax.get_ylabel()
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_mterm_line_has_the_slope_minus_alpha():
    X = np.random.RandomState(0).rand(2000, 2)
    estimator = BesovSmoothnessEstimator(random_state=0).fit(X, X.sum(axis=1))
    assert estimator.decay_.share_of_whole_way == 0
    display = ErrorDecayDisplay.from_estimator(estimator)
    assert_allclose(slope_of(display.line_), -estimator.alpha_)


def test_a_display_of_plain_data(pyplot):
    display = make_display(x_label="Rank", y_label="Size")
    assert not hasattr(display, "ax_")
    assert not pyplot.get_fignums()
    ax = display.plot().ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Rank", "Size")
    assert ax.get_title() == r"$\alpha$ = 0.50 [0.45, 0.55]"
    assert ax.get_legend() is None


def test_window_is_shaded_in_the_colour_of_the_curve():
    display = make_display().plot(curve_kwargs={"color": "red"})
    ends = display.ax_.transData.inverted().transform(display.window_.get_extents())[:, 0]
    assert_allclose(ends, (10, 50))
    assert display.window_.get_facecolor()[:3] == (1.0, 0.0, 0.0)
    without = make_display().plot(show_window=False)
    assert without.window_ is None
    assert not without.ax_.patches


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


@pytest.mark.parametrize("name", [r"$\frac{", "$a$ and $b$", "two\nlines", "a\u202eb\0"])
def test_names_are_drawn_as_they_are(name):
    make_display(estimator_name="half \ud800").plot().figure_.canvas.draw()
    display = make_display(estimator_name=name).plot()
    display.figure_.canvas.draw()
    text = shown(name).replace("$", r"\$")
    assert display.ax_.get_title().startswith(text)
    layers = pd.DataFrame({"layer": pd.Series([name, "b"], dtype=object), "step": 0})
    layers = layers.assign(alpha=[0.1, 0.2], alpha_low=0.0, alpha_high=0.3)
    for draw, axis in (
        (LayerSmoothnessDisplay.from_frame, "xaxis"),
        (SmoothnessHistoryDisplay.from_monitor, "yaxis"),
    ):
        display = draw(layers)
        display.figure_.canvas.draw()
        assert tick_labels(getattr(display.ax_, axis)) == [text, "b"]
    display = LayerSmoothnessDisplay.from_frame({name: layers.drop(columns="step")})
    display.figure_.canvas.draw()
    assert legend_texts(display.ax_) == [text]


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


def test_a_lower_bound_has_its_sign_and_no_line():
    X, y, _ = make_known_smoothness("boxes", 2000, n_relevant=1, random_state=0)
    with pytest.warns(UnresolvedIndexWarning):
        estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    display = ErrorDecayDisplay.from_estimator(estimator, name="boxes")
    low = estimator.alpha_interval_[0]
    expected = rf"boxes: $\alpha$ $\geq$ {estimator.alpha_:.2f} [{low:.2f}, ∞]"
    assert display.ax_.get_title() == expected
    assert display.line_ is display.window_ is display.floor_ is None
    assert len(display.curve_.get_xdata()) > 0
    display.figure_.canvas.draw()


def noisy_line():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(2000, 3))
    return X, 3 + 2 * X[:, 0] + 0.5 * rng.normal(size=2000)


def test_the_noise_is_a_horizontal_line_where_it_was_found(digits):
    """Its height is the deviation of the noise, which is 0.5."""
    estimator = BesovSmoothnessEstimator(random_state=0).fit(*noisy_line())
    display = ErrorDecayDisplay.from_estimator(estimator)
    assert not estimator.noise_is_bound_
    heights = display.floor_.get_ydata()
    assert heights[0] == heights[1] == pytest.approx(0.5, rel=0.05)
    assert display.floor_.get_color() == display.curve_.get_color()
    assert display.curve_.get_ydata().min() == pytest.approx(heights[0], rel=0.05)
    assert display.line_ is display.window_ is None  # the window lies on the floor
    assert display.frame()["fitted"].isna().all()
    assert digits.noise_is_bound_
    assert ErrorDecayDisplay.from_estimator(digits).floor_ is None


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize("index", ["weak-lp", "elisha-dekel", "sparsity-probe"])
def test_curves_in_other_units_have_no_noise(index):
    """The estimator has found it all the same."""
    estimator = BesovSmoothnessEstimator(5, index=index, random_state=0)
    estimator.fit(*noisy_line())
    assert not estimator.noise_is_bound_
    assert ErrorDecayDisplay.from_estimator(estimator).floor_ is None


def test_an_unknown_interval_is_no_bound():
    display = make_display(alpha_interval=(-np.inf, np.inf)).plot()
    assert display.ax_.get_title() == "$\\alpha$ = 0.50 [\N{MINUS SIGN}∞, ∞]"
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
    window = (137, 44_444)
    display = make_display(n_terms=n_terms, errors=n_terms**-0.5, fit_range=window).plot()
    x = display.curve_.get_xdata()
    assert 500 < len(x) <= 1002
    assert (x[0], x[-1]) == (1, 100_000)
    assert np.diff(np.log(x[x > 1000])).max() < 0.02
    assert tuple(display.line_.get_xdata()[[0, -1]]) == window
    assert_allclose(slope_of(display.line_), -0.5)


def test_frame_holds_the_plotted_points(digits):
    display = ErrorDecayDisplay.from_estimator(digits)
    frame = display.frame()
    assert list(frame.columns) == ["n_terms", "error", "fitted"]
    assert_allclose(frame["n_terms"], display.curve_.get_xdata())
    assert_allclose(frame["error"], display.curve_.get_ydata())
    inside = frame["n_terms"].between(*digits.decay_.fit_range)
    assert (frame["fitted"].notna() == inside).all()


def test_what_cannot_be_drawn_is_refused_with_advice():
    with pytest.raises(NotFittedError):
        ErrorDecayDisplay.from_estimator(BesovSmoothnessEstimator())
    pipeline = make_pipeline(StandardScaler(), BesovSmoothnessEstimator(random_state=0))
    with pytest.warns(SmoothnessWarning):
        pipeline.fit(*load_iris(return_X_y=True))
    with pytest.raises(TypeError, match=r"pipeline\[-1\]"):
        ErrorDecayDisplay.from_estimator(pipeline)
    assert ErrorDecayDisplay.from_estimator(pipeline[-1]).curve_ is not None


def test_missing_matplotlib_names_the_extra(no_matplotlib):
    display = make_display()
    assert len(display.frame()) == 100  # the data need no matplotlib
    for draw in (
        display.plot,
        lambda: LayerSmoothnessDisplay.from_frame(layer_frame()),
        lambda: SmoothnessHistoryDisplay.from_monitor(history_frame()),
    ):
        with pytest.raises(ImportError, match="pip install matplotlib"):
            draw()


def test_import_does_not_load_matplotlib():
    code = (
        "import sys, sksmooth, sksmooth.plotting; "
        "sys.exit(any(name.startswith('matplotlib') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- layers of networks --------------------------------------------------------------


def layer_frame(alpha=(0.1, 0.3, 0.2), names=("input", "conv", "fc"), **columns):
    alpha = np.array(alpha)
    data = dict(
        layer=list(names),
        alpha=alpha,
        alpha_low=alpha - 0.05,
        alpha_high=alpha + 0.02,
        loses_smoothness=np.r_[False, np.diff(alpha) < 0],
    )
    return pd.DataFrame(data | columns)


def points_of(curve):
    return np.array(curve.lines[0].get_data(), dtype=float)  # they are objects


@pytest.mark.parametrize("kind", [pd.DataFrame, LayerComparison])
def test_layers_are_drawn_with_their_intervals(kind):
    frame = layer_frame()
    display = LayerSmoothnessDisplay.from_frame(kind(frame))
    (curve,) = display.curves_
    assert_allclose(points_of(curve), [[0, 1, 2], frame["alpha"]])
    (bars,) = curve.lines[2]
    ends = [segment[:, 1] for segment in bars.get_segments()]
    assert_allclose(ends, frame[["alpha_low", "alpha_high"]])
    assert tick_labels(display.ax_.xaxis) == ["input", "conv", "fc"]
    assert r"\alpha" in display.ax_.get_ylabel()
    assert display.ax_.get_xlabel() == "Layer"
    assert display.unbounded_ == []


def test_layers_that_lose_smoothness_are_marked():
    display = LayerSmoothnessDisplay.from_frame(layer_frame())
    assert_allclose(display.marks_["loses_smoothness"].get_offsets(), [[2, 0.2]])
    assert legend_texts(display.ax_) == ["loses smoothness"]
    display.plot(mark_losses=False)
    assert display.marks_ == {}
    assert display.ax_.get_legend() is None
    rising = layer_frame((0.1, 0.2, 0.3))
    for frame in (rising, rising.drop(columns="loses_smoothness")):
        assert LayerSmoothnessDisplay.from_frame(frame).marks_ == {}


def test_every_mark_has_its_circle():
    frame = layer_frame(gains_nothing=[True, False, True], loses_to_reference=False)
    display = LayerSmoothnessDisplay.from_frame(frame)
    assert list(display.marks_) == ["loses_smoothness", "gains_nothing"]
    assert_allclose(display.marks_["gains_nothing"].get_offsets(), [[0, 0.1], [2, 0.2]])
    assert legend_texts(display.ax_) == ["loses smoothness", "gains nothing"]
    points = display.frame()
    assert list(points["gains_nothing"]) == [True, False, True]
    assert not points["loses_to_reference"].any()


def test_networks_stand_side_by_side():
    residual = LayerComparison(layer_frame((0.2, 0.4, 0.5)))
    frames = dict(plain=layer_frame(), residual=residual)
    display = LayerSmoothnessDisplay.from_frame(frames)
    plain, residual = map(points_of, display.curves_)
    assert (plain[0] < residual[0]).all()
    assert_allclose(plain[0] + residual[0], [0, 2, 4])
    colors = {curve.lines[0].get_color() for curve in display.curves_}
    assert len(colors) == 2
    assert legend_texts(display.ax_) == ["plain", "residual", "loses smoothness"]
    # Of many networks, those of one layer stay apart from those of the next.
    many = LayerSmoothnessDisplay.from_frame({str(k): layer_frame() for k in range(12)})
    places = np.array([points_of(curve)[0] for curve in many.curves_])
    assert np.ptp(places[:, 0]) < 0.51


def test_layers_of_other_names_are_numbered():
    other = layer_frame((0.1, 0.2), ("input", "block"))
    display = LayerSmoothnessDisplay.from_frame(dict(a=layer_frame(), b=other))
    assert tick_labels(display.ax_.xaxis) == ["0", "1", "2"]
    assert display.ax_.get_xlabel() == "Depth of the layer"


def test_intervals_without_an_upper_end_reach_the_edge():
    frames = {
        "a": layer_frame((0.1, 0.5, 0.3), alpha_high=[0.12, np.inf, 0.32]),
        "b": layer_frame((0.1, 0.2, 0.6), alpha_high=[0.12, 0.22, np.inf]),
    }
    display = LayerSmoothnessDisplay.from_frame(frames)
    first, second = display.unbounded_
    assert first.get_marker() == "^"
    assert first.get_transform() == display.ax_.get_xaxis_transform()
    assert_allclose(second.get_xdata(), 2, atol=0.1)
    assert second.get_color() == display.curves_[1].lines[0].get_color()
    assert_allclose(points_of(display.curves_[0])[1], [0.1, 0.5, 0.3])
    (bars,) = display.curves_[0].lines[2]
    ends = [segment[:, 1] for segment in bars.get_segments()]
    assert_allclose(ends, [[0.05, 0.12], [0.45, 0.5], [0.25, 0.32]])
    texts = legend_texts(display.ax_)
    assert texts == ["a", "b", "no upper end", "loses smoothness"]
    top = display.ax_.transData.transform((2, 0.6))
    assert display.ax_.transAxes.inverted().transform(top)[1] < 0.93  # below its arrow
    # The line from the point to the arrow moves with the edge.
    display.ax_.set_ylim(0, 3)
    display.figure_.canvas.draw()
    lines = [text.arrow_patch.get_path().vertices for text in display.ax_.texts]
    heights = [display.ax_.transData.inverted().transform(line)[:, 1] for line in lines]
    for (start, *_, end), alpha in zip(heights, (0.5, 0.6), strict=True):
        assert start == pytest.approx(alpha, abs=0.1)
        assert 2.7 < end < 3


@pytest.mark.parametrize("low", [0.0, -np.inf])
def test_intervals_without_bounds(low):
    frame = layer_frame((0.1, 0.2), "ab", alpha_low=low, alpha_high=np.inf)
    display = LayerSmoothnessDisplay.from_frame(frame)
    display.figure_.canvas.draw()
    assert_allclose(points_of(display.curves_[0])[1], [0.1, 0.2])
    assert len(display.unbounded_[0].get_xdata()) == 2
    assert display.ax_.get_ylim()[1] < 1


def test_long_names_and_many_layers_stay_inside_the_figure():
    names = ["input", *(f"features.stage{k // 4}.block{k % 4}.relu" for k in range(19))]
    frame = layer_frame(np.linspace(0.1, 1, 20), names)
    display = LayerSmoothnessDisplay.from_frame(frame)
    labels = tick_labels(display.ax_.xaxis)
    assert labels[0] == "input"
    assert labels[-1] == "\N{HORIZONTAL ELLIPSIS}stage4.block2.relu"
    assert len(set(labels)) == 20
    display.figure_.canvas.draw()
    inside = display.figure_.bbox
    for label in display.ax_.get_xticklabels():
        assert label.get_window_extent().y0 >= inside.y0
        assert label.get_window_extent().x0 >= inside.x0 - 1
    one = LayerSmoothnessDisplay.from_frame(layer_frame((0.1,), ("x" * 40,)))
    assert len(tick_labels(one.ax_.xaxis)[0]) == 24


def test_steps_of_a_training_are_networks():
    frame = pd.concat([layer_frame().assign(step=step) for step in (0, 10)])
    display = LayerSmoothnessDisplay.from_frame(frame)
    assert legend_texts(display.ax_)[:2] == ["step 0", "step 10"]
    display = LayerSmoothnessDisplay.from_frame(dict(big=frame, small=layer_frame()))
    assert legend_texts(display.ax_)[:3] == ["big, step 0", "big, step 10", "small"]


def test_layer_options_axes_and_frame(pyplot):
    frame = layer_frame()
    assert not hasattr(LayerSmoothnessDisplay(frames={"a": frame}), "ax_")
    figure, (_, right) = pyplot.subplots(ncols=2)
    display = LayerSmoothnessDisplay.from_frame(
        frame, ax=right, curve_kwargs={"color": "green", "marker": "s"}
    )
    assert display.ax_ is right
    assert display.figure_ is figure
    assert pyplot.get_fignums() == [figure.number]
    line = display.curves_[0].lines[0]
    assert (line.get_color(), line.get_marker()) == ("green", "s")
    plotted = display.frame()
    of_marks = ["gains_nothing", "loses_to_reference"]
    assert list(plotted.columns) == ["network", "depth", *frame.columns, *of_marks]
    assert_frame_equal(plotted[frame.columns], frame)


@pytest.mark.parametrize(
    "draw", [LayerSmoothnessDisplay.from_frame, SmoothnessHistoryDisplay.from_monitor]
)
def test_tables_that_cannot_be_drawn(draw):
    with pytest.raises(ValueError, match=r"lacks the columns.*'alpha'"):
        draw(pd.DataFrame({"layer": ["a"], "step": [0]}))
    with pytest.raises(ValueError, match="no rows"):
        draw(layer_frame().assign(step=0)[:0])
    with pytest.raises(TypeError, match="DataFrame"):
        draw([1, 2])
    with pytest.raises(ValueError, match="no table"):
        LayerSmoothnessDisplay.from_frame({})


def history_frame():
    parts = [(0, (0.1, 0.0)), (1, (0.1, 0.3)), (5, (0.1, 0.4))]
    names = ("input", "fc")
    return pd.concat([layer_frame(a, names).assign(step=step) for step, a in parts])


def test_history_is_a_map_of_layers_and_steps():
    display = SmoothnessHistoryDisplay.from_monitor(history_frame())
    assert_allclose(display.image_.get_array(), [[0.1, 0.1, 0.1], [0.0, 0.3, 0.4]])
    assert tick_labels(display.ax_.yaxis) == ["input", "fc"]
    assert display.ax_.get_ylim()[0] < display.ax_.get_ylim()[1]  # depth goes upwards
    assert tick_labels(display.ax_.xaxis) == ["0", "1", "5"]
    assert display.image_.get_clim() == (0.0, 0.4)
    assert r"\alpha" in display.colorbar_.ax.get_ylabel()
    display.figure_.canvas.draw()


def test_history_of_missing_values_and_of_zeros_only():
    frame = history_frame()
    late = frame[(frame["step"] > 0) | (frame["layer"] == "input")]
    display = SmoothnessHistoryDisplay.from_monitor(late)
    assert np.isnan(display.alpha.loc["fc", 0])
    assert display.image_.get_clim() == (0.0, 0.4)
    zeros = SmoothnessHistoryDisplay.from_monitor(frame.assign(alpha=0.0))
    assert zeros.image_.get_clim() == (0.0, 1.0)
    zeros.figure_.canvas.draw()


def test_history_of_many_steps_names_some():
    frame = pd.concat([layer_frame().assign(step=step) for step in range(100)])
    display = SmoothnessHistoryDisplay.from_monitor(frame)
    assert 8 <= len(display.ax_.get_xticks()) <= 15
    assert display.image_.get_array().shape == (3, 100)


def test_history_options_and_frame(pyplot):
    _, ax = pyplot.subplots()
    frame = history_frame()
    display = SmoothnessHistoryDisplay.from_monitor(frame, ax=ax, cmap="gray", vmax=1)
    assert display.ax_ is ax
    assert display.image_.get_cmap().name == "gray"
    assert display.image_.get_clim()[1] == 1
    expected = frame[["step", "layer", "alpha"]].reset_index(drop=True)
    assert_frame_equal(display.frame(), expected, check_dtype=False)


def test_layers_of_a_module_and_of_a_monitor():
    torch = pytest.importorskip("torch")
    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(64, 8), torch.nn.ReLU())
    options = dict(estimator=BesovSmoothnessEstimator(2, random_state=0), random_state=0)
    display = LayerSmoothnessDisplay.from_module(module, X, y, **options)
    expected = compare_layers(module, X, y, **options)
    assert_frame_equal(display.frame()[["layer", "alpha"]], expected[["layer", "alpha"]])
    monitor = SmoothnessMonitor(module, X, y, **options)
    with pytest.raises(NotFittedError):
        SmoothnessHistoryDisplay.from_monitor(monitor)
    monitor.record()
    history = SmoothnessHistoryDisplay.from_monitor(monitor)
    assert_allclose(history.alpha[0], expected["alpha"])


# --- tests of a rise -------------------------------------------------------------------


def levels_at(scores):
    influence = 0.001 * np.random.RandomState(0).standard_normal((len(scores), 100))
    return tuple(
        Level(score, of_units, np.empty(0))
        for score, of_units in zip(scores, influence, strict=True)
    )


def test_a_test_of_the_layers_is_the_title():
    frame = layer_frame()
    table = LayerComparison(frame, levels_at(0.1 * np.arange(len(frame))))
    title = "Smoothness rises over the layers (p < 0.001)."
    assert LayerSmoothnessDisplay.from_frame(table).ax_.get_title() == title
    assert LayerSmoothnessDisplay.from_frame(frame).ax_.get_title() == ""
    two = LayerSmoothnessDisplay.from_frame(dict(a=table, b=table))
    assert two.ax_.get_title() == ""


def test_layers_that_rise_or_fall_over_the_training_have_arrows():
    frame = history_frame()
    alpha = frame.pivot(index="layer", columns="step", values="alpha")
    scores = ((0.1, 0.2), (0.2, 0.1), (0.1, 0.1))
    rises = {
        layer: rise(levels_at(score), over="training")
        for layer, score in zip(alpha.index, scores, strict=False)
    }
    display = SmoothnessHistoryDisplay(alpha=alpha, rises=rises).plot()
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert names[0] == f"{alpha.index[0]} \N{NORTH EAST ARROW}"
    assert names[1] == f"{alpha.index[1]} \N{SOUTH EAST ARROW}"
    assert "rises during training" in display.ax_.get_title()
    assert SmoothnessHistoryDisplay.from_monitor(frame).ax_.get_title() == ""
