"""Summaries of results, and the cards that notebooks show of them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import sklearn
from html_reading import ALPHA, Reader, names, shown
from hypothesis import given
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import (
    BesovSmoothnessEstimator,
    permutation_baseline,
    smoothness_difference,
)
from sksmooth.estimators.summary import card_of, estimator_summary, history_card
from sksmooth.exceptions import (
    SmoothnessWarning,
    TargetTypeWarning,
    UnresolvedIndexWarning,
)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def fitted(iris):
    return BesovSmoothnessEstimator(4, random_state=0).fit(*iris)


def test_the_summary_is_plain_data(fitted):
    summary = estimator_summary(fitted)
    assert summary.value == fitted.alpha_
    assert summary.interval == fitted.alpha_interval_
    assert summary.headline.startswith(f"{ALPHA} = {fitted.alpha_:.3f} [")
    assert summary.headline.endswith("], 95 %")
    assert f"The smoothness index is {fitted.alpha_:.3f}, with 95 %" in summary.certainty
    assert summary.facts["Samples"] == "150"
    assert summary.facts["Features"] == "4"
    assert summary.facts["Classes"] == "3"
    assert summary.facts["Out-of-bag score"] == f"{fitted.oob_score_:.3f}"
    assert summary.cautions == tuple(map(str, fitted.decay_.cautions)) != ()


def test_the_summary_tells_how_it_was_measured_whatever_is_set_later(iris):
    fitted = BesovSmoothnessEstimator(3, random_state=0).fit(*iris)
    before = estimator_summary(fitted)
    fitted.set_params(confidence_level=0.5, index="elisha-dekel", p=1)
    assert estimator_summary(fitted) == before


def test_the_facts_are_the_numbers_of_the_estimator(fitted):
    facts = estimator_summary(fitted).facts
    low, high = (f"{100 * end:.1f}" for end in fitted.explained_interval_)
    assert facts["Explained"] == f"{100 * fitted.explained_:.1f} % [{low}, {high}]"
    assert facts["Noise"] == f"at most {100 * fitted.noise_interval_[1]:.1f} %"
    assert facts["Wrong labels"] == (
        f"at most {100 * fitted.wrong_labels_interval_[1]:.1f} %"
    )
    assert facts[f"Signal {ALPHA}"].startswith(f"{fitted.signal_alpha_:.3f} [")
    assert facts["Terms for 90 %"] == f"{fitted.n_terms_for(0.9)}"
    assert facts["Relevant features"] == f"{fitted.n_relevant_:.1f}"
    assert fitted.decay_.share_of_whole_way == 1
    assert "not used" in facts["Fit window"]


def test_noise_that_is_found_has_its_interval():
    """Facts of noisy numbers, without labels that could be wrong."""
    X = np.random.RandomState(0).normal(size=(2000, 3))
    y = 2 * X[:, 0] + 0.5 * np.random.RandomState(1).normal(size=2000)
    fitted = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    assert not fitted.noise_is_bound_
    summary = estimator_summary(fitted)
    low, high = (f"{100 * end:.1f}" for end in fitted.noise_interval_)
    assert summary.facts["Noise"] == f"{100 * fitted.noise_:.1f} % [{low}, {high}]"
    assert "Wrong labels" not in summary.facts
    assert " of it is noise" in summary.verdict


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
@pytest.mark.parametrize("index", ["mterm", "sparsity-probe"])
def test_the_window_of_an_index_that_is_read_from_it(index):
    X = np.random.RandomState(0).rand(1500, 2)
    fitted = BesovSmoothnessEstimator(5, index=index, random_state=0).fit(X, X[:, 0])
    assert fitted.decay_.share_of_whole_way == 0
    first, last = fitted.decay_.fit_range
    assert estimator_summary(fitted).facts["Fit window"] == (
        f"{first:,} to {last:,} terms, R² = {fitted.r_squared_:.3f}"
    )


def test_what_is_unknown_in_sample_is_a_dash(iris):
    with pytest.warns(SmoothnessWarning):
        fitted = BesovSmoothnessEstimator(3, max_samples=1.0).fit(*iris)
    facts = estimator_summary(fitted).facts
    dash = "\N{EN DASH}"
    assert facts["Explained"] == facts["Noise"] == facts["Out-of-bag score"] == dash
    assert "Wrong labels" not in facts
    assert "nan" not in " ".join(Reader(card_of(estimator_summary(fitted))).texts)


def test_an_estimator_shows_the_diagram_of_scikit_learn_and_its_card(fitted):
    unfitted = BesovSmoothnessEstimator(4, random_state=0)
    assert "sksmooth-card" not in unfitted._repr_html_()
    card = card_of(estimator_summary(fitted))
    page, bundle = fitted._repr_html_(), fitted._repr_mimebundle_()
    assert "sk-container" in page
    assert page.endswith(card)
    assert bundle["text/html"].endswith(card)
    assert bundle["text/plain"] == repr(fitted)
    texts = Reader(card).texts
    summary = estimator_summary(fitted)
    assert {summary.headline, summary.verdict, *summary.facts.values()} <= {*texts}
    assert set(summary.cautions) <= {*texts}
    with sklearn.config_context(display="text"):
        assert not hasattr(fitted, "_repr_html_")
        assert set(fitted._repr_mimebundle_()) == {"text/plain"}


def test_pipelines_show_their_diagram(iris):
    pipeline = make_pipeline(StandardScaler(), BesovSmoothnessEstimator(2, random_state=0))
    for _ in range(2):
        assert "BesovSmoothnessEstimator" in pipeline._repr_html_()
        pipeline.fit(*iris)


def test_warnings_of_the_kind_of_targets_are_kept_until_the_next_fit(iris):
    X, y = iris
    with pytest.warns(TargetTypeWarning):
        fitted = BesovSmoothnessEstimator(2, random_state=0).fit(X, y.astype(float))
    assert "pass y.astype(int)" in fitted._repr_html_()
    assert "pass y.astype(int)" not in fitted.fit(X, y)._repr_html_()


def test_a_lower_bound_has_a_card():
    X = np.linspace(0, 1, 600)[:, None]
    with pytest.warns(UnresolvedIndexWarning):
        fitted = BesovSmoothnessEstimator(3, random_state=0).fit(X, X[:, 0] > 0.5)
    assert fitted.alpha_interval_[1] == np.inf
    summary = estimator_summary(fitted)
    assert np.isfinite(summary.ends).all()
    assert f"at least {fitted.alpha_:.3f}" in summary.certainty
    assert summary.lead == f"{ALPHA} ≥ {fitted.alpha_:.3f}"
    texts = Reader(card_of(summary)).texts
    low = fitted.alpha_interval_[0]
    assert f"{ALPHA} ≥ {fitted.alpha_:.3f} [{low:.3f}, ∞], 95 %" in texts
    assert f"∞ [{low:.3f}, ∞]" in texts  # of the signal


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")
def test_an_index_without_interval_has_a_card(iris):
    fitted = BesovSmoothnessEstimator(1, index="elisha-dekel").fit(*iris)
    assert not np.isfinite(fitted.alpha_interval_).all()
    summary = estimator_summary(fitted)
    assert "uncertainty is not known" in summary.certainty
    assert np.isfinite(summary.ends).all()
    (bar,) = [span for span in Reader(card_of(summary)).tags("span") if "role" in span]
    assert "interval 0.000 to ∞" in bar["aria-label"]


def test_differences_and_baselines_have_cards(iris):
    X, y = iris
    estimator = BesovSmoothnessEstimator(3, random_state=0)
    difference = smoothness_difference(X, X.iloc[:, :2], y, estimator=estimator)
    reader = Reader(difference._repr_html_())
    ends = (difference.difference, *difference.interval)
    value, low, high = (f"{end:+.3f}".replace("-", "\N{MINUS SIGN}") for end in ends)
    assert f"Difference of scores = {value} [{low}, {high}], 95 %" in reader.texts
    assert f"{difference.alpha_a:.3f}" in reader.texts
    baseline = permutation_baseline(estimator, X, y, n_permutations=2, random_state=0)
    texts = Reader(baseline._repr_html_()).texts
    assert {f"{baseline.alpha:.3f}", f"{ALPHA} of 2 permutations"} <= {*texts}


def assert_short(result):
    lines = str(result).splitlines()
    assert len(lines) <= 8
    assert max(map(len, lines)) <= 80
    assert str(result).isascii()


def test_differences_say_in_words_which_is_smoother(iris):
    X, y = iris
    estimator = BesovSmoothnessEstimator(3, random_state=0)
    petals, sepals = X.iloc[:, 2:], X.iloc[:, :2]
    for first, second, higher in ((sepals, petals, "second"), (petals, sepals, "first")):
        result = smoothness_difference(first, second, y, estimator=estimator)
        assert_short(result)
        scores = sorted((result.score_a, result.score_b))
        found = f"The {higher} representation is smoother on held-out samples: score "
        found += f"{scores[1]:.2f}, against {scores[0]:.2f} of the "
        assert found in " ".join(str(result).split())
        texts = Reader(result._repr_html_()).texts
        assert any(text.startswith(found) for text in texts)
        assert {"\N{GREEK SMALL LETTER ALPHA}", "explained", "held-out score"} <= {*texts}
        assert {f"{each.explained_:.3f}" for each in result.estimators} <= {*texts}
        assert "< 0.0001" in texts
        assert "SmoothnessDifference(difference=" in repr(result)
    same = smoothness_difference(petals, petals, y, estimator=estimator)
    assert "cannot be told apart on held-out samples" in " ".join(str(same).split())
    noise = np.random.RandomState(0).normal(size=(150, 2))
    nothing = smoothness_difference(noise, noise[::-1], y, estimator=estimator)
    if max(nothing.score_a, nothing.score_b) <= 0:
        assert str(nothing).startswith("Neither representation explains anything")
    lower = dataclasses.replace(nothing, score_a=-0.01, score_b=-0.02)
    assert str(lower).startswith("Neither representation explains anything")


def test_baselines_say_whether_there_is_a_relation(iris):
    X, y = iris
    estimator = BesovSmoothnessEstimator(3, random_state=0)
    found = permutation_baseline(estimator, X, y, random_state=0)
    assert_short(found)
    assert str(found).startswith("Features and targets are related: alpha is")
    nothing = dataclasses.replace(found, alpha=0.0, p_value=0.9)
    assert str(nothing).startswith("No relation between features and targets is shown")


def test_the_card_of_an_estimator_begins_with_what_decides(fitted):
    page = card_of(estimator_summary(fitted))
    seen, folded = page.split("<details>")
    places = [seen.index(text) for text in ("Explained", "Out-of-bag score", "Noise")]
    assert places == sorted(places)
    assert places[-1] < seen.index("Caution: ")
    assert "Fit window" in folded
    assert "Samples" in folded
    assert_short(fitted)


@given(names)
def test_hostile_names_in_the_history_of_layers(name):
    layers = pd.Series([name, "last"] * 30, dtype=object)  # others take no surrogates
    frame = pd.DataFrame({"layer": layers, "step": np.repeat(range(30), 2)})
    texts = Reader(history_card(frame.assign(alpha=0.25))).texts
    assert {shown(name), "last", "0.250"} <= {"", *texts}


def test_a_long_history_is_cut_and_says_so():
    steps = [pd.DataFrame({"layer": range(70), "step": step}) for step in range(30)]
    texts = Reader(history_card(pd.concat(steps).assign(alpha=np.nan))).texts
    assert f"{ALPHA} of 70 layers at 30 steps; 50 and 10 of them are shown" in texts
    assert {"0", "29", "\N{EN DASH}"} <= {*texts}
