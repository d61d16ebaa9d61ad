"""Pictures and pages of compared representations show what the table holds."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from html_reading import HOSTILE, read_page, shown
from numpy.testing import assert_allclose
from sklearn.datasets import load_iris

from sksmooth import RepresentationComparison, compare_representations, report
from sksmooth.plotting import RepresentationSmoothnessDisplay

NAMES = ("bits", "counts", "random", "keys")
DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
SCORES = (0.31, 0.42, -0.03, 0.40)


@pytest.fixture(autouse=True)
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


def make_frame(names=NAMES, scores=SCORES, **changes):
    held_out = np.array(scores, dtype=float)
    best = np.nanmax(held_out)
    columns = {
        "representation": pd.Series(names, dtype=object),
        "n_features": np.arange(10, 10 + len(names)),
    }
    for place, name in enumerate(("explained", "alpha", "roughness", "held_out")):
        value = held_out + place / 10
        if name == "held_out":
            value = held_out
        ends = {f"{name}_low": value - 0.04, f"{name}_high": value + 0.05}
        columns |= {name: value, **ends}
    columns["difference_to_best"] = held_out - best
    columns["difference_to_best_low"] = held_out - best - 0.03
    columns["difference_to_best_high"] = np.minimum(held_out - best + 0.03, 0)
    columns["p_value"] = np.where(held_out > best - 0.05, 0.4, 0.0001)
    columns["tied_with_best"] = held_out > best - 0.05
    columns |= {"seconds": 0.5, "cautions": ""}
    return pd.DataFrame(columns | changes)


def make_profile(targets=("a", "b", "c"), names=NAMES, **changes):
    rng = np.random.default_rng(0)
    scores = [0.1 * rng.normal(size=len(names)) + 0.3 for _ in targets]
    frames = [make_frame(names, each, **changes) for each in scores]
    frame = pd.concat(frames, ignore_index=True)
    target = np.repeat(np.array(targets, dtype=object), len(names))
    frame.insert(0, "target", pd.Series(target, dtype=object))
    return frame


def with_baseline(frame, place):
    change = frame["held_out"] - frame["held_out"][place]
    p_value = np.where(np.arange(len(frame)) == place, np.nan, 0.2)
    return frame.assign(difference_to_baseline=change, baseline_p_value=p_value)


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


draw = RepresentationSmoothnessDisplay.from_comparison


# --- one target ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pd.DataFrame, RepresentationComparison])
@pytest.mark.parametrize("value", ["held_out", "explained", "alpha", "roughness"])
def test_representations_are_points_with_the_best_at_the_top(kind, value):
    frame = make_frame()
    display = draw(kind(frame), value=value)
    order = [1, 3, 0, 2]
    assert tick_labels(display.ax_.yaxis) == [NAMES[k] for k in order]
    bottom, top = display.ax_.get_ylim()
    assert top < 0 < bottom  # the first row is above the others
    found, ends = {}, {}
    for points in display.points_.values():
        x, y = points.lines[0].get_data()
        found |= dict(zip(y, x, strict=True))
        (bars,) = points.lines[2]
        segments = bars.get_segments()
        ends |= {segment[0, 1]: segment[:, 0] for segment in segments}
    assert_allclose([found[k] for k in range(4)], frame[value][order])
    expected = frame[[f"{value}_low", f"{value}_high"]].to_numpy()[order]
    assert_allclose([ends[k] for k in range(4)], expected)
    assert_allclose(
        display.band_.get_extents().transformed(_back(display)).intervalx, expected[0]
    )


def _back(display):
    return display.ax_.transData.inverted()


def test_the_picture_of_a_measured_table():
    X, y = load_iris(return_X_y=True)
    parts = {"sepals": X[:, :2], "petals": X[:, 2:], "all": X}
    table = compare_representations(parts, y=y, baseline="all", random_state=0)
    display = draw(table)
    ranked = table.ranked().frame
    assert_allclose(display.frame()["held_out"], ranked["held_out"])
    assert list(display.frame()["is_baseline"]) == [False, True, False]
    (place,) = np.unique(display.baseline_.get_xdata())
    assert place == ranked["held_out"][1]
    assert len(display.points_[True].lines[0].get_xdata()) == ranked["tied_with_best"].sum()


def test_those_not_told_apart_are_filled_and_the_others_hollow():
    display = draw(make_frame())
    tied, others = display.points_[True], display.points_[False]
    assert list(tied.lines[0].get_ydata()) == [0, 1]
    assert list(others.lines[0].get_ydata()) == [2, 3]
    assert tied.lines[0].get_markerfacecolor() != others.lines[0].get_markerfacecolor()
    assert others.lines[0].get_markerfacecolor() == "white"
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["tied with the best", "worse"]
    assert list(draw(make_frame(("a",), (0.2,))).points_) == [True]


def test_the_baseline_is_a_line():
    display = draw(with_baseline(make_frame(), 0))
    assert set(display.baseline_.get_xdata()) == {0.31}
    assert display.frame()["is_baseline"].tolist() == [False, False, True, False]
    display = draw(with_baseline(make_frame(), 0), value="alpha")
    assert_allclose(display.baseline_.get_xdata(), 0.41)
    assert draw(make_frame()).baseline_ is None


def test_columns_without_intervals_are_points_alone():
    display = draw(make_frame(), value="n_features")
    assert display.band_ is None
    found = np.array(display.points_[True].lines[0].get_xdata(), dtype=float)
    assert_allclose(found, [11, 13])  # they are objects
    assert list(display.frame()) == [
        "representation",
        "n_features",
        "held_out",
        "tied_with_best",
    ]


def test_intervals_without_an_end_and_values_that_are_not_known():
    nan, inf = np.nan, np.inf
    frame = make_frame(
        alpha=[0.3, 0.5, nan, inf],
        alpha_low=[-inf, 0.4, nan, 0.2],
        alpha_high=[0.4, inf, nan, inf],
    )
    display = draw(frame, value="alpha")
    display.figure_.canvas.draw()
    right, left = display.unbounded_
    assert list(right.get_ydata()) == [0, 1]
    assert list(left.get_ydata()) == [2]
    assert right.get_marker() == ">"
    assert left.get_marker() == "<"
    assert display.band_ is None  # that of the best has no end
    assert len(tick_labels(display.ax_.yaxis)) == 4
    low, high = display.ax_.get_xlim()
    assert np.isfinite([low, high]).all()
    unknown = make_frame(scores=[0.2, nan, 0.1, nan])
    display = draw(unknown)
    assert tick_labels(display.ax_.yaxis)[:2] == ["bits", "random"]
    display.figure_.canvas.draw()


# --- several targets -----------------------------------------------------------------


@pytest.mark.parametrize("value", ["held_out", "roughness"])
def test_several_targets_are_a_map_with_numbers(value):
    frame = make_profile()
    table = RepresentationComparison(frame)
    display = draw(table, value=value)
    names = list(table.summary().index)
    assert tick_labels(display.ax_.xaxis) == names
    assert tick_labels(display.ax_.yaxis) == ["a", "b", "c"]
    profile = table.profile(value)[names]
    best = table.profile("held_out").to_numpy().max(axis=1)
    at_best = frame.set_index("target")[value][
        frame.set_index("target")["held_out"].isin(best)
    ]
    closeness = -np.abs(profile.sub(at_best, axis=0))
    assert_allclose(display.image_.get_array(), closeness)
    for row in frame.to_dict("records"):
        text = display.texts_[row["target"], row["representation"]]
        assert text.get_text() == f"{row[value]:.2f}"
        assert (text.get_weight() == "bold") == row["tied_with_best"]
    drawn = display.frame()
    assert drawn["target"].tolist() == [t for t in "abc" for _ in names]
    assert drawn["representation"].tolist() == names * 3
    assert_allclose(drawn[value].to_numpy().reshape(3, 4), profile)


def test_a_map_with_gaps_and_negative_numbers():
    frame = make_profile()
    frame.loc[0, ["held_out", "alpha"]] = np.nan
    frame.loc[1, ["held_out", "alpha"]] = [-0.25, np.inf]
    display = draw(frame[frame.index != 6])
    display.figure_.canvas.draw()
    assert display.texts_["a", "bits"].get_text() == DASH
    assert display.texts_["a", "counts"].get_text() == f"{MINUS}0.25"
    assert display.texts_["b", "random"].get_text() == DASH
    display = draw(frame, value="alpha")
    assert display.texts_["a", "counts"].get_text() == "∞"


def test_figures_grow_with_their_rows_and_names():
    small, large = draw(make_frame()), draw(make_frame(range(40), np.linspace(0, 1, 40)))
    assert large.figure_.get_size_inches()[1] > 2 * small.figure_.get_size_inches()[1]
    few = draw(make_profile())
    many = draw(
        make_profile([f"target {k}" for k in range(30)], [f"r{k}" for k in range(10)])
    )
    assert (many.figure_.get_size_inches() > few.figure_.get_size_inches()).all()


# --- both ----------------------------------------------------------------------------


@pytest.mark.parametrize("make", [make_frame, make_profile])
def test_axes_and_options_can_be_given(make, pyplot):
    _, ax = pyplot.subplots()
    options = {"alpha": 0.5}
    display = draw(make(), ax=ax, **options)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    if make is make_profile:
        assert display.image_.get_alpha() == 0.5
    else:
        assert display.points_[True].lines[0].get_alpha() == 0.5
    again = display.plot()
    assert again is display
    assert again.ax_ is not ax


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("make", [make_frame, make_profile])
@pytest.mark.parametrize("name", [r"$\frac{", "two\nlines", "a\u202eb\0", "x" * 500, ""])
def test_names_are_drawn_as_they_are(make, name):
    options = {} if make is make_frame else {"targets": (name, "b")}
    display = draw(make(names=(name, "p", "q", "r"), **options))
    display.figure_.canvas.draw()
    labels = [*tick_labels(display.ax_.xaxis), *tick_labels(display.ax_.yaxis)]
    assert shown(name, 32).replace("$", r"\$") in labels


@pytest.mark.parametrize(
    ("frame", "value", "problem"),
    [
        (make_frame().drop(columns="tied_with_best"), "held_out", "tied_with_best"),
        (make_frame(), "beta", "'roughness'"),
        (make_frame(), "cautions", "not a numeric column"),
        (make_frame(), "tied_with_best", "not a numeric column"),
        (make_frame()[:0], "held_out", "no rows"),
    ],
)
def test_tables_that_cannot_be_drawn(frame, value, problem):
    with pytest.raises(ValueError, match=problem):
        draw(frame, value=value)


def test_what_is_no_table():
    with pytest.raises(TypeError, match="Expected a DataFrame, got dict"):
        draw({"a": 1})


def test_missing_matplotlib_names_the_extra(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    for frame in (make_frame(), make_profile()):
        display = RepresentationSmoothnessDisplay(table=frame)
        assert len(display.frame()) == len(frame)  # the data need no matplotlib
        with pytest.raises(ImportError, match="pip install matplotlib"):
            display.plot()


def test_import_does_not_load_matplotlib():
    code = (
        "import sys; from sksmooth.plotting import RepresentationSmoothnessDisplay; "
        "sys.exit(any(name.startswith('matplotlib') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- pages ---------------------------------------------------------------------------


def page_of(frame, *args, **options):
    return read_page(report(RepresentationComparison(frame), *args, **options))


def test_the_page_of_one_target(tmp_path):
    frame = make_frame(cautions=["", "FewTermsWarning, BentDecayWarning", "", ""])
    page = report(RepresentationComparison(frame), tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    reader = read_page(page)
    texts = reader.texts
    assert "Smoothness of representations" in texts
    assert "4 representations" in texts
    (words,) = (text for text in texts if text.startswith("'counts' is the smoothest"))
    assert "'keys' cannot be told apart from it" in words
    assert "'bits' and 'random' are rougher, by " in words
    places = [texts.index(name) for name in ("counts", "keys", "bits", "random")]
    assert places == sorted(places)  # the best first
    assert "0.420 [0.380, 0.470]" in texts
    assert "-0.110 [-0.140, -0.080]".replace("-", MINUS) in texts
    assert sum("tied with the best" in text for text in texts) >= 2
    assert len(reader.tags("img")) == 1
    assert "BentDecayWarning: " in texts
    assert "held_out: " in texts
    assert "Mine" in page_of(frame, title="Mine").texts


def test_the_page_of_several_targets():
    frame = make_profile()
    table = RepresentationComparison(frame)
    texts = page_of(frame).texts
    assert "4 representations, 3 targets" in texts
    assert {f"Target “{name}”" for name in "abc"} <= {*texts}
    assert any(text.startswith("Over 3 targets: ") for text in texts)
    start = texts.index("Ranks of 4 representations")
    summary = table.summary()
    rows = [
        [name, f"{row['mean_rank']:.2f}", f"{row['n_best']:.0f}"]
        for name, row in summary.iterrows()
    ]
    body = texts[start + 5 :]
    assert [body[4 * k : 4 * k + 3] for k in range(4)] == rows
    start = texts.index("Held-out score by target and representation")
    cells = texts[start + 1 : start + 21]
    assert cells[:5] == ["target", *summary.index]
    profile = table.profile("held_out")[summary.index]
    expected = [
        [name, *(f"{value:.3f}".replace("-", MINUS) for value in row)]
        for name, row in zip(profile.index, profile.to_numpy(), strict=True)
    ]
    assert [cells[5 * k : 5 * k + 5] for k in range(1, 4)] == expected


def test_the_page_of_a_measured_profile():
    X, y = load_iris(return_X_y=True)
    parts = {"sepals": X[:, :2], "petals": X[:, 2:]}
    targets = {"kind": y, "length": X[:, 0] + X[:, 2]}
    table = compare_representations(parts, y=targets, baseline="sepals", random_state=0)
    texts = read_page(report(table)).texts
    assert "baseline_p_value" in texts
    assert {"Target “kind”", "Target “length”"} <= {*texts}


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_names_in_pages():
    names = [name for name in HOSTILE if "\ud800" not in name]  # as pyarrow takes none
    page = page_of(make_frame(names, np.linspace(0, 1, len(names)), cautions=names))
    assert {shown(name) for name in names} <= {"", *page.texts}
    names = [name for name in names if "\0" not in name]  # where old pandas stops
    page = page_of(make_profile(names[:7], names[7:]))
    assert {shown(name, 60) for name in names[7:]} <= {"", *page.texts}
    assert {f"Target “{shown(name, 60)}”" for name in names[:7]} <= {*page.texts}


@pytest.mark.filterwarnings("ignore:Glyph")
def test_pages_of_many_rows_stay_small_and_say_so():
    names = [f"<&{'x' * 300}{k}" for k in range(40)]
    long = make_profile([f"'{'y' * 300}{k}" for k in range(90)], names, cautions="<" * 999)
    texts = " ".join(page_of(long).texts)  # which is at most 1 MB
    assert "Of 90 targets the first 30 are drawn, of 40 representations the 12" in texts
    assert "more targets are left out here." in texts
    assert ", of the first 60 targets" in texts
    one = long[long["target"] == long["target"][0]].drop(columns="target")
    many = pd.concat([one] * 10, ignore_index=True)
    many["representation"] = [f"r{k}" for k in range(400)]
    texts = " ".join(page_of(many).texts)
    assert "The 50 best of 400 are drawn." in texts
    assert "200 in the middle are left out here" in texts


def test_pages_that_cannot_be_made():
    table = RepresentationComparison(make_frame())
    with pytest.raises(TypeError, match="representations takes no X, y"):
        report(table, X=[[1]], y=[1])
    with pytest.raises(ValueError, match=r"lacks the columns \['tied_with_best'\]"):
        page_of(make_frame().drop(columns="tied_with_best"))
    with pytest.raises(TypeError, match=r"or forecast_error\."):
        report(make_frame())
    for nothing in (table.frame.iloc[:0], table.frame.iloc[:0].assign(target="t")):
        with pytest.raises(ValueError, match="no rows"):
            report(RepresentationComparison(nothing))


def test_unknown_scores_are_dashes():
    scores = [0.2, np.nan, 0.1, np.nan]
    assert DASH in page_of(make_frame(scores=scores)).texts
