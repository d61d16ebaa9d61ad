"""sksmooth.report: what pages say, one file each, and names that mean harm."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import sklearn
from html_reading import (
    ALPHA,
    HOSTILE,
    LARGEST,
    Reader,
    names,
    read_page,
    shown,
    without_date,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sksmooth import (
    BesovSmoothnessEstimator,
    LayerComparison,
    class_smoothness,
    report,
    sample_roughness,
)
from sksmooth.command_line import main
from sksmooth.estimators.details import measure_details
from sksmooth.estimators.summary import estimator_summary
from sksmooth.estimators.verdict import verdict
from sksmooth.exceptions import UnresolvedIndexWarning

matplotlib = pytest.importorskip("matplotlib")
draws = settings(max_examples=8)  # every example draws a picture


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def fitted(iris):
    return BesovSmoothnessEstimator(4, random_state=0).fit(*iris)


def make_layers(layers=("input", "1", "2"), **changes):
    n = len(layers)
    alpha = np.linspace(0.1, 0.4, n)
    columns = {
        "layer": pd.Series(layers, dtype=object),  # pyarrow takes no lone surrogates
        "type": "Linear + ReLU",
        "n_features": 64,
        "alpha": alpha,
        "alpha_low": alpha - 0.05,
        "alpha_high": alpha + 0.05,
        "held_out": alpha / 2,
        "difference": np.nan,
        "difference_low": -0.2,
        "difference_high": -0.1,
        "loses_smoothness": np.arange(n) == 1,
        "gains": False,
        "gains_nothing": False,
        "cautions": "",
    }
    return LayerComparison(pd.DataFrame(columns | changes))


# --- an estimator --------------------------------------------------------------------


def test_the_report_of_an_estimator(iris, fitted, tmp_path):
    X, y = iris
    path = tmp_path / "iris.html"
    page = report(fitted, path, X=X, y=y, X_test=X, y_test=y, title="Three <species>")
    assert path.read_text(encoding="utf-8") == page
    reader = read_page(page)
    texts = " ".join(reader.texts)
    assert texts.count("Three <species>") == 2  # title and heading
    assert "150 samples, 4 features, 3 classes" in texts
    assert f"The smoothness index is {fitted.alpha_:.3f}" in texts
    assert verdict(fitted) in reader.texts
    assert f"Of one tree {fitted.decay_.rate_of_whole_way:.3f}" in texts
    assert f"Out-of-bag {fitted.oob_score_:.3f}" in texts
    for fact in estimator_summary(fitted).facts.values():
        assert fact in reader.texts
    assert str(fitted.decay_.cautions[0]) in texts
    assert f"On 150 samples held out {fitted.score(X, y):.3f}" in texts
    assert "Index of each of 3 classes" in texts
    for name in X.columns[fitted.feature_importances_ > 0]:
        assert name in reader.texts
    samples = sample_roughness(X, y, random_state=0)
    worst = samples["excess"].idxmax()
    place = reader.texts.index("Excess, up to 2") + 1
    suspect = reader.texts[place : place + 3]
    assert suspect == [f"{worst}", f"{y[worst]}", f"{samples.suggested[worst]}"]
    assert f"scikit-learn {sklearn.__version__}" in texts
    decay, ahead = reader.tags("img")
    assert "on logarithmic axes" in decay["alt"]
    assert "expected with 9,600" in ahead["alt"]


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_the_picture_says_how_the_index_was_read(iris, fitted):
    """From the window, from the whole way, and with the noise."""
    X = np.random.RandomState(0).normal(size=(2000, 3))
    noise = np.random.RandomState(1).normal(size=2000)
    smooth = BesovSmoothnessEstimator(3, random_state=0).fit(X, X[:, 0])
    noisy = BesovSmoothnessEstimator(random_state=0).fit(X, 2 * X[:, 0] + 0.5 * noise)
    published = BesovSmoothnessEstimator(3, index="elisha-dekel", random_state=0)
    words = {"dashed line": [], "no rate can be read": [], "levels off at the noise": []}
    for estimator in (smooth, fitted, noisy, published.fit(*iris)):
        reader = read_page(report(estimator))
        used = estimator.decay_.share_of_whole_way < 1
        assert ("read between" in reader.tags("img")[0]["alt"]) == used
        for each, found in words.items():
            found.append(each in " ".join(reader.texts))
    assert [*words.values()] == [
        [True, False, False, True],
        [False, True, True, False],
        [False, False, True, False],
    ]


def test_the_report_of_a_lower_bound():
    X = np.linspace(0, 1, 600)[:, None]
    with pytest.warns(UnresolvedIndexWarning):
        fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, X[:, 0] > 0.5)
    texts = read_page(report(fitted)).texts
    assert f"{ALPHA} ≥ {fitted.alpha_:.3f}" in texts
    assert f"{ALPHA} = {fitted.alpha_:.3f}" not in " ".join(texts)


def test_names_that_are_given_reach_the_verdict():
    X = np.random.RandomState(0).rand(1500, 2)
    fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, X[:, 0])
    texts = " ".join(read_page(report(fitted, feature_names=["width", "b"])).texts)
    assert "One feature (width) explains nearly all of it" in texts


def test_a_report_of_the_fit_alone(fitted):
    texts = read_page(report(fitted)).texts
    assert "How the error falls" in texts
    assert "Which samples to check" not in texts


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize(
    ("index", "axes"),
    [
        ("elisha-dekel", "Mean squared error with M terms by number of terms"),
        ("weak-lp", "Norm of the wavelet by rank of the wavelet"),
        ("sparsity-probe", "Norm of the wavelet by rank of the wavelet"),
    ],
)
def test_a_report_of_every_index_says_what_its_curve_is(index, axes, iris):
    fitted = BesovSmoothnessEstimator(2, index=index, random_state=0).fit(*iris)
    reader = read_page(report(fitted))
    assert index in reader.texts
    assert reader.tags("img")[0]["alt"].startswith(axes)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_a_report_of_regression():
    X, y = load_diabetes(return_X_y=True)
    y = np.column_stack([y, -y])
    fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, y)
    texts = " ".join(read_page(report(fitted, X=X, y=y)).texts)
    assert "442 samples, 10 features, 2 target columns" in texts
    assert "The 20 roughest of 442 samples" in texts
    worst = sample_roughness(X, y, random_state=0)["roughness"].idxmax()
    assert f"{worst} {y[worst, 0]:.6g}, {y[worst, 1]:.6g}" in texts


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_a_report_of_numbers_shows_what_they_jump_from():
    """Rows are counted from 0, whatever they are called in the frame."""
    X, y = load_diabetes(return_X_y=True)
    X = pd.DataFrame(X, [f"patient {k}" for k in range(len(X))])
    fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, y)
    texts = " ".join(read_page(report(fitted, X=X, y=y)).texts)
    frame = sample_roughness(X, y, random_state=0).reset_index()
    row = frame.loc[frame.roughness.idxmax()]
    neighbour = int(row.neighbour.removeprefix("patient "))
    start = f"{row.name} {y[row.name]:.6g} {row.roughness:.4g}"
    assert f"{start} {neighbour} {y[neighbour]:.6g}" in texts


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_of_many_classes_the_roughest_are_measured():
    rng = np.random.RandomState(0)
    y = np.repeat(np.arange(30), 12)
    X = y[:, None] + rng.normal(scale=np.where(y < 15, 0.01, 3.0)[:, None], size=(360, 2))
    fitted = BesovSmoothnessEstimator(2, max_samples=40, random_state=0).fit(X, y)
    assert len(fitted.classes_) < 30  # of few rows
    texts = read_page(report(fitted, X=X, y=y)).texts
    assert "Index of 20 of 30 classes: the roughest" in texts


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_of_two_classes_only_the_samples_are_measured(iris):
    X, y = iris
    y = np.where(y == 0, "setosa", "another")
    fitted = BesovSmoothnessEstimator(2, random_state=0).fit(X, y)
    texts = read_page(report(fitted, X=X, y=y)).texts
    assert "Which classes are rough" not in texts
    assert "No sample has a label that another one would fit better." in texts


def test_a_report_leaves_random_numbers_alone(iris):
    rng = np.random.RandomState(0)
    fitted = BesovSmoothnessEstimator(3, random_state=rng).fit(*iris)
    before = rng.get_state(legacy=False)["state"]["pos"]
    report(fitted, X=iris[0], y=iris[1])
    assert rng.get_state(legacy=False)["state"]["pos"] == before


def test_details_are_plain_data(iris, fitted):
    X, y = iris
    details = measure_details(fitted, X, y, X_test=X[::3], y_test=y[::3])
    assert (details.held_out_score, details.n_held_out) == (
        fitted.score(X[::3], y[::3]),
        50,
    )
    expected = class_smoothness(X, y, estimator=fitted)
    assert_frame_equal(details.classes, expected, check_dtype=False)
    samples = sample_roughness(X, y, random_state=0)
    assert_frame_equal(details.samples[list(samples)], samples, check_dtype=False)
    nothing = measure_details(fitted)
    assert nothing.held_out_score is nothing.samples is nothing.classes is None


def test_progress_is_shown_if_asked(iris, capsys):
    options = dict(estimator=BesovSmoothnessEstimator(2, random_state=0))
    for measure, done in (
        (class_smoothness, "classes: 3/3 in "),
        (sample_roughness, "trees: "),
    ):
        expected = measure(*iris, **options)
        assert capsys.readouterr().err == ""
        assert_frame_equal(measure(*iris, **options, verbose=1), expected)
        assert capsys.readouterr().err.splitlines()[-1].startswith(done)


# --- layers --------------------------------------------------------------------------


def test_the_report_of_layers(tmp_path):
    table = make_layers(cautions="FewTermsWarning, BentDecayWarning")
    page = report(table, tmp_path / "layers.html")
    assert (tmp_path / "layers.html").read_text(encoding="utf-8") == page
    texts = " ".join(read_page(page).texts)
    assert "Smoothness of layers" in texts
    assert "Layer 2 has the highest alpha (" in texts
    assert "1 of 3 loses smoothness: layer 1." in texts
    assert "BentDecayWarning: " in texts
    assert "My <layers>" in read_page(report(table, title="My <layers>")).texts


def test_all_marked_layers_are_named():
    marks = dict(gains_nothing=[True, False, True], loses_to_reference=[True, False, False])
    texts = " ".join(read_page(report(make_layers(**marks))).texts)
    assert "2 of 3 gain nothing, between others that gain: layers input and 2." in texts
    assert "1 of 3 loses to the reference: layer input." in texts


def test_layers_without_losses_or_indices():
    texts = " ".join(read_page(report(make_layers(loses_smoothness=False))).texts)
    assert "No layer is shown to lose smoothness." in texts
    unknown = make_layers(alpha=np.nan, alpha_low=np.nan, alpha_high=np.nan)
    assert "No layer has an index." in " ".join(read_page(report(unknown)).texts)
    infinite = [0.2, np.inf, np.nan]
    unresolved = make_layers(alpha=infinite, alpha_low=0.0, alpha_high=infinite)
    assert {"∞ [0.000, ∞]", "\N{EN DASH}"} <= {*read_page(report(unresolved)).texts}


def test_wide_intervals_do_not_hide_the_values():
    table = make_layers(alpha_low=-9.0, alpha_high=9.0)
    texts = " ".join(read_page(report(table)).texts)
    assert "Bars of alpha go from \N{MINUS SIGN}0.20 to 0.60" in texts


# --- pages as files ------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Glyph")
def test_pages_are_valid_html(iris, fitted):
    html5lib = pytest.importorskip("html5lib")
    pages = [report(fitted, X=iris[0], y=iris[1]), report(make_layers(HOSTILE))]
    four = HOSTILE[:4]
    pages += [report(fitted, title=title, feature_names=four) for title in HOSTILE[:5]]
    parser = html5lib.HTMLParser(strict=True)
    for page in pages:
        parser.parse(page)
    with pytest.raises(html5lib.html5parser.ParseError):
        parser.parse(pages[0].replace("</main>", ""))


@draws
@given(st.lists(names, min_size=4, max_size=4), names)
def test_hostile_features_in_a_report(fitted, names, title):
    page = report(fitted, feature_names=names, title=title, cautions=names)
    texts = read_page(page).texts
    for place in np.flatnonzero(fitted.feature_importances_ > 0):
        assert shown(names[place]) in ["", *texts]
    assert {shown(text, 500) for text in [title, *names]} <= {"", *texts}


@draws
@pytest.mark.filterwarnings("ignore:Glyph")
@given(st.lists(names, min_size=3, max_size=6))
def test_hostile_layers_in_a_report(names):
    texts = pd.Series(names, dtype=object)
    table = make_layers(names, type=texts, cautions=texts)
    table.frame[shown(names[0]) + " beside"] = 1.0
    table.frame["text#"] = "beside"
    for texts in (read_page(report(table)).texts, Reader(table._repr_html_()).texts):
        assert {shown(name) for name in names} | {"text#"} <= {"", *texts}


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_names_all_the_way(tmp_path):
    X, y = load_iris(return_X_y=True)
    labels = np.array([HOSTILE[place] for place in (1, 5, 12)])[y]
    X = pd.DataFrame(X, columns=[HOSTILE[place] for place in (7, 8, 0, 1)])  # petals last
    fitted = BesovSmoothnessEstimator(2, random_state=0).fit(X, labels)
    page = report(fitted, tmp_path / "page.html", X=X, y=labels, title=HOSTILE[1])
    assert {shown(HOSTILE[place]) for place in (0, 1, 5, 12)} <= {*read_page(page).texts}
    assert "<script>alert(1)" not in fitted._repr_html_()
    layers = [*HOSTILE[:19], "x" * 10_000]
    texts = read_page(report(make_layers(layers), tmp_path / "page.html")).texts
    assert {shown(layer) for layer in layers} <= {"", *texts}


def test_settings_of_matplotlib_do_not_reach_the_picture():
    table = make_layers([r"\input{secret}", "$x$", "c"])
    expected = report(table)
    with matplotlib.rc_context({"text.usetex": True, "figure.facecolor": "red"}):
        assert without_date(report(table)) == without_date(expected)


def test_reports_of_very_many_are_small():
    X = np.random.RandomState(0).rand(600, 500)
    many = BesovSmoothnessEstimator(max_features=9, random_state=0).fit(X, X.sum(axis=1))
    texts = read_page(report(many, feature_names=["<" * 10_000] * 500)).texts
    assert "The 20 most important of 500 features" in texts
    long = "<&" * 5000
    table = make_layers([long] * 500, cautions=long, type=long)
    texts = " ".join(read_page(report(table)).texts)
    assert "300 in the middle are left out here" in texts
    assert "The first 200 of 500 layers are drawn." in texts
    assert len(table._repr_html_()) < LARGEST


@pytest.mark.parametrize(
    "result", [BesovSmoothnessEstimator(), make_pipeline(BesovSmoothnessEstimator()), 7]
)
def test_what_has_no_report(result):
    with pytest.raises((NotFittedError, TypeError), match=r"not fitted|no report for a"):
        report(result)


def test_mistakes_are_told(fitted, iris, tmp_path):
    for pair in ("X", "y"), ("X_test", "y_test"):
        with pytest.raises(ValueError, match=f"Pass both {pair[0]} and {pair[1]}"):
            report(fitted, **{pair[0]: iris[0]})
    with pytest.raises(TypeError, match="layers takes no X, y"):
        report(make_layers(), X=iris[0], y=iris[1])
    with pytest.raises(OSError, match="there is no folder"):
        report(fitted, tmp_path / "nowhere" / "report.html")


def test_a_report_that_fails_leaves_the_old_one(fitted, iris, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("an old report")
    with pytest.raises(ValueError, match="samples"):
        report(fitted, path, X=iris[0], y=iris[1][:7])
    assert path.read_text() == "an old report"
    assert [found.name for found in tmp_path.iterdir()] == ["report.html"]


def test_a_kept_estimator_has_the_same_report(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert without_date(report(again)) == without_date(report(fitted))


def test_without_matplotlib_cards_work_and_reports_name_the_extra():
    code = """
import sys
sys.modules["matplotlib"] = None
from sklearn.datasets import load_iris
from sksmooth import BesovSmoothnessEstimator, report
fitted = BesovSmoothnessEstimator(2, random_state=0).fit(*load_iris(return_X_y=True))
print("sksmooth-card" in fitted._repr_html_())
try:
    report(fitted, "report.html")
except ImportError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    first, second = run.stdout.splitlines()
    assert first == "True"
    assert "pip install matplotlib" in second


# --- the command ---------------------------------------------------------------------


def test_the_command_writes_the_report(tmp_path, capsys):
    X, y = load_iris(return_X_y=True)
    features = HOSTILE[:3] + [r"$\frac{"]
    source, output = tmp_path / "iris.csv", tmp_path / "out.html"
    pd.DataFrame(X, columns=features).assign(target=y).to_csv(source, index=False)
    output.write_text("an old report")
    arguments = ["report", str(source), "--target", "target", "--trees", "3"]
    arguments += ["--output", str(output)]
    assert main([*arguments, "--held-out", "0.2"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"Report written to {output}\n"
    assert "trees: " in captured.err
    assert "classes: 3/3 in " in captured.err
    reader = read_page(output.read_text(encoding="utf-8"))
    assert "Smoothness of iris.csv" in reader.texts
    assert "120 samples, 4 features, 3 classes" in reader.texts
    assert len([text for text in reader.texts if "holds few terms" in text]) == 1
    assert "On 30 samples held out" in reader.texts
    assert len({*features} & {*reader.texts}) >= 2  # those that matter
    assert main([*arguments, "--quiet", "--brief", "--title", "A <b>"]) == 0
    assert capsys.readouterr().err == ""
    texts = read_page(output.read_text(encoding="utf-8")).texts
    assert "A <b>" in texts
    assert "Which samples to check" not in texts


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        ("report.pdf", "must end in one of .html, .htm"),
        ("nowhere/report.html", "there is no folder"),
        (".", "must end in"),
    ],
)
def test_the_command_checks_the_output_first(output, problem, tmp_path, capsys):
    code = main(["report", "no_such_file.csv", "--output", str(tmp_path / output)])
    assert code == 2
    assert problem in capsys.readouterr().err
