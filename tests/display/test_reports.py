"""Reports and cards: what they say, one file each, and names that mean harm."""

import pickle
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sksmooth
from sksmooth import (
    BesovSmoothnessEstimator,
    LayerComparison,
    SmoothnessMonitor,
    permutation_baseline,
    smoothness_difference,
)
from sksmooth._lib.html import (
    ALPHA,
    Html,
    element,
    ends_of_bars,
    interval_bar,
    number,
    visible,
)
from sksmooth.command_line import main
from sksmooth.display.pages import estimator as estimator_pages
from sksmooth.display.pages import estimator_report, layers_report
from sksmooth.display.pages import layers as layer_pages
from sksmooth.exceptions import SmoothnessWarning, TargetTypeWarning

LARGEST = 1_000_000  # bytes
VOID = {"img", "link", "meta"}
ATTRIBUTES = {
    "a": set(),  # there are no links
    "bdi": set(),
    "body": set(),
    "head": set(),
    "html": {"lang"},
    "img": {"src", "alt"},
    "link": {"rel", "href"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "th": {"scope"},
    "div": {"tabindex"},
    **{tag: set() for tag in ["caption", "table", "tbody", "td", "thead", "tr"]},
    **{tag: set() for tag in ["b", "figcaption", "figure", "h1", "h2", "header", "li"]},
    **{tag: set() for tag in ["main", "p", "section", "span", "style", "title", "ul"]},
}
ANYWHERE = {"class", "style", "role", "aria-label"}
PLACE = re.compile(r"left:[\d.]+%?(;width:[\d.]+%)?|width:[\d.]+%")

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title><svg onload=alert(1)>",
    "<!-- <![CDATA[ ]]> -->",
    "&amp;",
    "&#x3c;b&#x3e;",
    r"$\frac{",
    r"\$x$ and \input{secret}",
    "javascript:alert(1)",
    "two\nlines\r\nand\ttabs",
    "\u202eright to left\u2066",
    "lone \ud800 surrogate \udfff",
    "\x00\x1b[31m\x7f\x85\ufdd0\uffff\U0010ffff",
    "",
    "   ",
    "7",
    "名前 \N{GRINNING FACE}",
    "x" * 100_000,
    "{0}%s$title${x}",
]
names = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(), max_size=30),
    st.lists(st.sampled_from(HOSTILE[:15]), min_size=2, max_size=3).map("".join),
)


class Reader(HTMLParser):
    """Reads a page, and refuses elements and attributes that no report has."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.texts, self.found = [], [""], []
        self.feed(page)
        self.close()
        assert self.open == []
        self.texts = [text for text in self.texts if text]

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        assert len(given) == len(attributes), "an attribute is given twice"
        assert set(given) <= ATTRIBUTES[tag] | ANYWHERE, (tag, given)
        if "style" in given:
            assert PLACE.fullmatch(given["style"])
        for name in ("src", "href"):
            assert given.get(name, "data:").startswith("data:")
        self.found.append((tag, given))
        self.texts.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.texts.append("")

    def handle_data(self, data):
        self.texts[-1] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")

    def handle_pi(self, data):
        raise AssertionError(f"an instruction: {data}")

    def tags(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def read_strictly(page):
    """The texts of a page that is valid and asks for nothing."""
    page.encode()  # without lone surrogates
    assert len(page.encode()) < LARGEST
    reader = Reader(page)
    assert page.startswith("<!DOCTYPE html>\n<html lang=")
    policy = [meta["content"] for meta in reader.tags("meta") if "http-equiv" in meta]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert "url(" not in page
    assert "@import" not in page
    for tag in ("title", "h1", "main"):
        assert len(reader.tags(tag)) == 1
    assert len(reader.tags("caption")) == len(reader.tags("table"))
    assert all(len(image["alt"]) > 20 for image in reader.tags("img"))
    return reader


@pytest.fixture
def needs_matplotlib():
    pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return X, y


@pytest.fixture(scope="module")
def fitted(iris):
    return BesovSmoothnessEstimator(4, random_state=0).fit(*iris)


@pytest.fixture
def without_pictures(monkeypatch):
    """Pages without their pictures, which take most of the time."""
    for pages in (estimator_pages, layer_pages):
        monkeypatch.setattr(pages, "picture", lambda *args, **options: Html(""))


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
        "r_squared": 0.99,
        "held_out": alpha / 2,
        "difference": np.nan,
        "difference_low": -0.2,
        "difference_high": -0.1,
        "p_value": 0.01,
        "loses_smoothness": np.arange(n) == 1,
        "seconds": 0.1,
        "cautions": "",
    }
    return LayerComparison(columns | changes)


# Pieces of HTML


@given(names, names)
def test_elements_escape_their_content_and_attributes(text, value):
    reader = Reader(element("p", text, element("b", text), aria_label=value))
    assert reader.texts == [visible(text)] * 2 * bool(text)
    assert reader.tags("p") == [{"aria-label": visible(value)}]


@given(st.text(st.characters(), max_size=100))
def test_visible_texts_are_of_one_line_and_can_be_written(text):
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
    if text.isprintable() and text.isascii():
        assert shown == text


def test_long_texts_keep_both_ends():
    assert visible("a" * 1000 + "b" * 1000, 10) == "aaaaa…bbbbb"


def test_joiners_that_scripts_need_stay():
    assert visible("a\u200cb\u200dc") == "a\u200cb\u200dc"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (-0.0001, "0.000"), (-0.5, "\N{MINUS SIGN}0.500")]
    + [(np.inf, "∞"), (-np.inf, "\N{MINUS SIGN}∞"), (np.nan, "\N{EN DASH}")],
)
def test_numbers_for_people(value, text):
    assert number(value) == text


def test_bars_stay_within_their_ends():
    bar = interval_bar(0.5, -np.inf, np.inf, (0.0, 1.0))
    places = [span["style"] for span in Reader(bar).tags("span")[1:]]
    assert places == ["left:0.0%;width:100%", "left:50.0%"]
    assert interval_bar(np.nan, np.nan, np.nan, (0.0, 1.0)) == ""
    assert "interval \N{MINUS SIGN}∞ to ∞" in bar


def test_wide_intervals_do_not_hide_the_values():
    assert ends_of_bars([0.2, 0.4], [0.1, -9], [0.3, 9]) == pytest.approx((-0.2, 0.6))
    assert ends_of_bars([np.inf], [0], [np.inf]) == (0.0, 1.0)
    assert ends_of_bars([0.0], [0.0], [0.0]) == (0.0, 1.0)


# Cards in notebooks


def test_an_estimator_shows_the_diagram_of_scikit_learn_and_its_index(fitted):
    unfitted = BesovSmoothnessEstimator(4, random_state=0)
    assert unfitted._repr_html_().count("sksmooth-card") == 0
    page = fitted._repr_html_()
    assert "sk-container" in page
    assert f"{fitted.alpha_:.3f}" in fitted._card()
    bundle = fitted._repr_mimebundle_()
    assert bundle["text/plain"] == repr(fitted)
    assert bundle["text/html"].endswith(fitted._card())
    assert page.endswith(fitted._card())


def test_the_card_holds_the_facts_and_the_warnings_of_the_fit(fitted):
    texts = Reader(fitted._card()).texts
    assert any(text.startswith(f"{ALPHA} = ") for text in texts)
    assert {"150", "4", "3"} <= set(texts)
    (caution,) = fitted.decay_.cautions  # of few terms
    assert f"{caution}" in texts


def test_text_is_shown_if_the_settings_ask_for_it(fitted):
    with sklearn.config_context(display="text"):
        assert not hasattr(fitted, "_repr_html_")
        assert set(fitted._repr_mimebundle_()) == {"text/plain"}


def test_pipelines_show_their_diagram(iris):
    pipeline = make_pipeline(StandardScaler(), BesovSmoothnessEstimator(2, random_state=0))
    for _ in range(2):
        assert "BesovSmoothnessEstimator" in pipeline._repr_html_()
        pipeline.fit(*iris)


def test_warnings_of_the_kind_of_targets_are_kept(iris):
    X, y = iris
    with pytest.warns(TargetTypeWarning):
        fitted = BesovSmoothnessEstimator(2, random_state=0).fit(X, y.astype(float))
    assert "pass y.astype(int)" in fitted._card()
    assert "pass y.astype(int)" not in fitted.fit(X, y)._card()


def test_an_infinite_index_has_a_card():
    X = np.linspace(0, 1, 600)[:, None]
    y = (X[:, 0] > 0.5).astype(int)
    with pytest.warns(SmoothnessWarning):
        fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, y)
    assert "∞" in fitted._card()
    Reader(fitted._card())


def test_differences_baselines_and_monitors_have_cards(iris):
    X, y = iris
    estimator = BesovSmoothnessEstimator(3, random_state=0)
    difference = smoothness_difference(X, X.iloc[:, :2], y, estimator=estimator)
    texts = Reader(difference._repr_html_()).texts
    assert {number(difference.alpha_a), number(difference.alpha_b)} <= set(texts)
    baseline = permutation_baseline(estimator, X, y, n_permutations=2, random_state=0)
    assert number(baseline.alpha) in Reader(baseline._repr_html_()).texts
    monitor = SmoothnessMonitor(None, X, y)
    assert monitor._repr_html_() is None
    for step in range(30):
        monitor._frames[step] = make_layers(HOSTILE).assign(step=step)
    texts = Reader(monitor._repr_html_()).texts
    assert {visible(name, 120) for name in HOSTILE} - {""} <= set(texts)
    assert f"{ALPHA} of 20 layers at 30 steps; 20 and 10 of them are shown" in texts


# The table of layers


def test_the_table_is_a_data_frame(tmp_path):
    table = make_layers()
    plain = pd.DataFrame(table)
    assert isinstance(table, pd.DataFrame)
    assert_frame_equal(table, plain, check_frame_type=False)
    assert table.equals(plain)
    again = pickle.loads(pickle.dumps(table))
    assert type(again) is LayerComparison
    assert_frame_equal(again, table)
    table.to_csv(tmp_path / "table.csv", index=False)
    assert list(pd.read_csv(tmp_path / "table.csv")["layer"]) == ["input", "1", "2"]
    table.to_json(tmp_path / "table.json")
    table.insert(0, "step", 1)
    assert list(table.columns[:2]) == ["step", "layer"]


def test_parts_and_copies_are_ordinary():
    table = make_layers()
    parts = [table.copy(), table[["layer"]], table.head(1), table.round(2), table.T]
    parts += [pd.concat([table, table]), pd.concat([table]), table.assign(step=1)]
    parts += [table[table["alpha"] > 0], table.merge(table, on="layer")]
    parts += [part for _, part in table.groupby("layer")]
    assert {type(part) for part in parts} == {pd.DataFrame}
    assert type(table["alpha"]) is pd.Series


def test_parquet_keeps_the_table(tmp_path):
    pytest.importorskip("pyarrow")
    table = make_layers()
    table.to_parquet(tmp_path / "table.parquet")
    read = pd.read_parquet(tmp_path / "table.parquet")
    assert_frame_equal(read, pd.DataFrame(table), check_dtype=False)


def test_compare_layers_gives_the_table():
    torch = pytest.importorskip("torch")
    X, y = load_iris(return_X_y=True)
    module = torch.nn.Sequential(torch.nn.Linear(4, 3))
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    table = sksmooth.compare_layers(module, X, y, estimator=estimator)
    assert type(table) is LayerComparison
    assert f"{table['alpha'][0]:.3f}" in table._repr_html_()


def test_the_table_shows_bars_and_marks_what_loses():
    reader = Reader(make_layers()._repr_html_())
    assert reader.texts.count(" ▼ loses smoothness") == 1
    bars = [span for span in reader.tags("span") if span.get("role") == "img"]
    assert len(bars) == 3
    assert [bar["class"] for bar in bars] == [
        "sksmooth-bar",
        "sksmooth-bar sksmooth-loss",
        "sksmooth-bar",
    ]
    assert "0.100 [0.050, 0.150]" in reader.texts


def test_the_settings_of_pandas_hold():
    table = make_layers([f"layer {k}" for k in range(30)])
    with pd.option_context("display.max_rows", 5):
        texts = Reader(table._repr_html_()).texts
    shown = [text for text in texts if text.startswith("layer ")]
    assert shown == ["layer 0", "layer 1", "layer 2", "layer 28", "layer 29"]
    assert "Smoothness of 30 layers; 25 in the middle are left out here" in texts
    with pd.option_context("display.notebook_repr_html", False):
        assert table._repr_html_() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.pop("alpha_low"),
        lambda table: table.insert(0, "alpha", 1, allow_duplicates=True),
        lambda table: table.isetitem(3, ["a", "b", "c"]),
        lambda table: setattr(table, "columns", range(len(table.columns))),
    ],
)
def test_a_table_that_is_another_one_now_is_shown_as_such(change):
    table = make_layers()
    change(table)
    plain = pd.DataFrame(table)
    assert table._repr_html_() == plain._repr_html_()
    assert table.to_html() == plain.to_html()


def test_options_ask_for_the_table_of_pandas(tmp_path):
    table = make_layers()
    plain = pd.DataFrame(table)
    assert table.to_html(border=0) == plain.to_html(border=0)
    table.to_html(tmp_path / "table.html", index=False)
    assert (tmp_path / "table.html").read_text() == plain.to_html(index=False)


def test_unresolved_layers_are_shown():
    table = make_layers(alpha=[0.1, np.inf, np.nan], alpha_high=[0.2, np.inf, np.nan])
    texts = Reader(table._repr_html_()).texts
    assert "∞ [0.200, ∞]" in texts
    assert "\N{EN DASH}" in texts


# Reports


def test_the_report_of_an_estimator(needs_matplotlib, iris, fitted, tmp_path):
    X, y = iris
    path = tmp_path / "iris.html"
    page = fitted.to_html(path, X=X, y=y, X_test=X, y_test=y, title="Three <species>")
    assert path.read_text(encoding="utf-8") == page
    reader = read_strictly(page)
    texts = " ".join(reader.texts)
    assert texts.count("Three <species>") == 2  # title and heading
    assert "150 samples, 4 features, 3 classes" in texts
    assert f"The smoothness index is {fitted.alpha_:.3f}" in texts
    assert str(fitted.decay_.cautions[0]) in texts
    assert f"On 150 samples held out {fitted.score(X, y):.3f}" in texts
    assert "Index of each of 3 classes" in texts
    for name in X.columns[fitted.feature_importances_ > 0]:
        assert name in reader.texts
    samples = sksmooth.sample_roughness(X, y, random_state=0)
    worst = samples["excess"].idxmax()
    place = reader.texts.index("Excess, up to 2") + 1
    suspect = reader.texts[place : place + 3]
    assert suspect == [f"{worst}", f"{y[worst]}", f"{samples.suggested[worst]}"]
    assert f"scikit-learn {sklearn.__version__}" in texts
    assert len(reader.tags("img")) == 1


def test_a_report_of_the_fit_alone(needs_matplotlib, fitted):
    texts = read_strictly(fitted.to_html()).texts
    assert "How the error falls" in texts
    assert "Which samples to check" not in texts


def test_a_report_of_numbers(needs_matplotlib):
    X, y = load_diabetes(return_X_y=True)
    y = np.column_stack([y, -y])
    fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, y)
    page = fitted.to_html(X=X, y=y)
    texts = " ".join(read_strictly(page).texts)
    assert "442 samples, 10 features, 2 columns of numbers" in texts
    assert "The 20 roughest of 442 samples" in texts
    worst = sksmooth.sample_roughness(X, y, random_state=0)["roughness"].idxmax()
    assert f"{worst} {y[worst, 0]:.6g}, {y[worst, 1]:.6g}" in texts


def test_of_many_classes_the_roughest_are_measured(without_pictures):
    rng = np.random.RandomState(0)
    y = np.repeat(np.arange(30), 12)
    X = y[:, None] + rng.normal(scale=np.where(y < 15, 0.01, 3.0)[:, None], size=(360, 2))
    fitted = BesovSmoothnessEstimator(2, max_samples=40, random_state=0).fit(X, y)
    assert len(fitted.classes_) < 30  # of few rows
    texts = read_strictly(fitted.to_html(X=X, y=y)).texts
    assert "Index of 20 of 30 classes: the roughest" in texts


def test_parts_of_the_classes_are_measured_as_all_are(iris):
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    options = dict(estimator=estimator)
    every = sksmooth.class_smoothness(*iris, **options)
    some = sksmooth.class_smoothness(*iris, classes=[2, 0], **options)
    assert_frame_equal(some, every.loc[[2, 0]].reset_index(drop=True))
    with pytest.raises(ValueError, match="no class 7"):
        sksmooth.class_smoothness(*iris, classes=[0, 7], **options)
    with pytest.raises(ValueError, match="classes is empty"):
        sksmooth.class_smoothness(*iris, classes=[], **options)


def test_progress_is_shown_if_asked(iris, capsys):
    options = dict(estimator=BesovSmoothnessEstimator(2, random_state=0))
    for measure, bar in (
        (sksmooth.class_smoothness, "classes ["),
        (sksmooth.sample_roughness, "trees ["),
    ):
        expected = measure(*iris, **options)
        assert capsys.readouterr().err == ""
        assert_frame_equal(measure(*iris, **options, verbose=1), expected)
        assert capsys.readouterr().err.splitlines()[-1].startswith(bar)


def test_the_report_of_layers(needs_matplotlib, tmp_path):
    table = make_layers(cautions="FewTermsWarning, BentDecayWarning")
    page = table.to_html()
    texts = " ".join(read_strictly(page).texts)
    assert "The labels are smoothest on layer “2”." in texts
    assert "1 of 3 loses smoothness: “1”." in texts
    assert "BentDecayWarning: " in texts
    assert table.to_html(tmp_path / "layers.html") is None
    assert_same_but_date((tmp_path / "layers.html").read_text(encoding="utf-8"), page)
    with (tmp_path / "again.html").open("w", encoding="utf-8") as file:
        table.to_html(file)
    assert_same_but_date((tmp_path / "again.html").read_text(encoding="utf-8"), page)


@pytest.mark.filterwarnings("ignore:Glyph")
def test_pages_are_valid_html(needs_matplotlib, iris, fitted):
    html5lib = pytest.importorskip("html5lib")
    names = HOSTILE[:4]
    pages = [fitted.to_html(X=iris[0], y=iris[1]), make_layers(HOSTILE).to_html()]
    pages += [estimator_report(fitted, title=t, feature_names=names) for t in HOSTILE]
    parser = html5lib.HTMLParser(strict=True)
    for page in pages:
        parser.parse(page)
    with pytest.raises(html5lib.html5parser.ParseError):
        parser.parse(pages[0].replace("</main>", ""))


def assert_same_but_date(page, other):
    date = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
    assert date.sub("", page) == date.sub("", other)


@given(st.lists(names, min_size=4, max_size=4), names)
def test_hostile_features_in_a_report(fitted, names, title):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimator_pages, "picture", lambda *args: Html(""))
        page = estimator_report(fitted, feature_names=names, title=title, notes=names)
    texts = read_strictly(page).texts
    for place in np.flatnonzero(fitted.feature_importances_ > 0):
        assert visible(names[place], 120) in ["", *texts]
    assert visible(title) in ["", *texts]


@given(st.lists(names, min_size=3, max_size=6))
def test_hostile_layers_in_a_report(names):
    texts = pd.Series(names, dtype=object)
    table = make_layers(names, type=texts, cautions=texts)
    table[visible(names[0]) + " beside"] = 1.0
    table["text#"] = "beside"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer_pages, "picture", lambda *args, **options: Html(""))
        page = layers_report(table)
    for texts in (read_strictly(page).texts, Reader(table._repr_html_()).texts):
        assert {visible(name, 120) for name in names} | {"text#"} <= {"", *texts}


def test_hostile_names_all_the_way(needs_matplotlib, tmp_path):
    X, y = load_iris(return_X_y=True)
    labels = np.array([HOSTILE[place] for place in (1, 5, 12)])[y]
    X = pd.DataFrame(X, columns=[HOSTILE[place] for place in (7, 8, 0, 1)])  # petals last
    fitted = BesovSmoothnessEstimator(2, random_state=0).fit(X, labels)
    page = fitted.to_html(tmp_path / "hostile.html", X=X, y=labels, title=HOSTILE[1])
    texts = read_strictly(page).texts
    assert {visible(HOSTILE[place]) for place in (0, 1, 5, 12)} <= {*texts}
    assert "<script>alert(1)" not in fitted._repr_html_()
    table = make_layers([*HOSTILE[:17], "x" * 10_000])
    table.to_html(tmp_path / "layers.html")
    page = (tmp_path / "layers.html").read_text(encoding="utf-8")
    read_strictly(page)


def test_settings_of_matplotlib_do_not_reach_the_picture(needs_matplotlib):
    import matplotlib

    table = make_layers([r"\input{secret}", "$x$", "c"])
    expected = table.to_html()
    with matplotlib.rc_context({"text.usetex": True, "figure.facecolor": "red"}):
        assert_same_but_date(table.to_html(), expected)


def test_reports_of_very_many_are_small(needs_matplotlib, fitted):
    many = pickle.loads(pickle.dumps(fitted))
    many.feature_importances_ = np.full(100_000, 1e-5)
    many.n_features_in_ = 100_000
    page = estimator_report(many, feature_names=["<" * 10_000] * 100_000)
    assert "The 20 most important of 100,000 features" in read_strictly(page).texts
    n = 500
    table = make_layers(["<&" * 5000] * n, cautions="<&" * 5000, type="<&" * 5000)
    page = table.to_html()
    assert "300 in the middle are left out here" in page
    assert "The first 200 of 500 layers are drawn." in page
    read_strictly(page)
    assert len(make_layers(["<&" * 5000] * n)._repr_html_()) < LARGEST


def test_large_pictures_become_pixels(needs_matplotlib):
    from sksmooth.display.pages.pictures import picture

    rng = np.random.RandomState(0)
    image = picture(
        lambda axes: axes.scatter(*rng.rand(2, 5_000)), (6, 4), "noise", "noise"
    )
    assert 'src="data:image/png;base64,' in image
    assert len(image) < 300_000


def test_mistakes_are_told(fitted, iris, tmp_path, needs_matplotlib):
    with pytest.raises(NotFittedError):
        BesovSmoothnessEstimator().to_html()
    for pair in ("X", "y"), ("X_test", "y_test"):
        with pytest.raises(ValueError, match=f"Pass {pair[0]} and {pair[1]} together"):
            fitted.to_html(**{pair[0]: iris[0]})
    with pytest.raises(OSError, match="there is no folder"):
        fitted.to_html(tmp_path / "nowhere" / "report.html")


def test_without_matplotlib_cards_work_and_reports_name_the_extra():
    code = """
import sys
sys.modules["matplotlib"] = None
from sklearn.datasets import load_iris
from sksmooth import BesovSmoothnessEstimator
fitted = BesovSmoothnessEstimator(2, random_state=0).fit(*load_iris(return_X_y=True))
print("sksmooth-card" in fitted._repr_html_())
try:
    fitted.to_html("report.html")
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
    assert 'pip install "sksmooth[plot]"' in second


# The command


@pytest.fixture
def iris_csv(tmp_path):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "iris.csv"
    pd.DataFrame(X, columns=HOSTILE[:3] + [r"$\frac{"]).assign(target=y).to_csv(
        path, index=False
    )
    return path


def test_the_command_writes_the_report(needs_matplotlib, iris_csv, tmp_path, capsys):
    output = tmp_path / "out.html"
    output.write_text("an old report")
    arguments = ["report", str(iris_csv), "--target", "target", "--trees", "3"]
    assert main([*arguments, "--output", str(output), "--held-out", "0.2"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"Report written to {output}\n"
    assert "trees [" in captured.err
    assert "classes [" in captured.err
    page = output.read_text(encoding="utf-8")
    reader = read_strictly(page)
    assert "Smoothness of iris.csv" in reader.texts
    assert "120 samples, 4 features, 3 classes" in reader.texts
    assert len([text for text in reader.texts if "holds few terms" in text]) == 1
    assert "On 30 samples held out" in reader.texts
    assert len({*HOSTILE[:3], r"$\frac{"} & {*reader.texts}) >= 2  # those that matter
    arguments += ["--output", str(output), "--quiet", "--brief", "--title", "A <b>"]
    assert main(arguments) == 0
    assert capsys.readouterr().err == ""
    texts = read_strictly(output.read_text(encoding="utf-8")).texts
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


def test_a_report_tells_how_it_was_measured():
    X, y = load_iris(return_X_y=True)
    fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, y)
    card, page = fitted._card(), fitted.to_html()
    fitted.set_params(confidence_level=0.5, index="elisha-dekel", p=1)
    assert fitted._card() == card
    assert "95 % confidence" in page
    assert "95 % confidence" in fitted.to_html()


def test_a_report_leaves_random_numbers_alone():
    X, y = load_iris(return_X_y=True)
    rng = np.random.RandomState(0)
    fitted = BesovSmoothnessEstimator(3, random_state=rng).fit(X, y)
    before = rng.get_state(legacy=False)["state"]["pos"]
    fitted.to_html(X=X, y=y)
    assert rng.get_state(legacy=False)["state"]["pos"] == before
