"""Many representations of the same samples in one table."""

import copy
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sksmooth import (
    BesovSmoothnessEstimator,
    RepresentationComparison,
    SmoothnessSearch,
    compare_representations,
    smoothness_difference,
)
from sksmooth.estimators.representations.columns import column_help, known_columns
from sksmooth.exceptions import SmoothnessWarning, TargetTypeWarning
from sksmooth.index import level_difference

SMALL = BesovSmoothnessEstimator(4, max_depth=5, random_state=0)
COLUMNS = [
    *("representation", "n_features", "explained", "explained_low", "explained_high"),
    *("alpha", "alpha_low", "alpha_high", "roughness", "roughness_low", "roughness_high"),
    *("held_out", "held_out_low", "held_out_high"),
    *("difference_to_best", "difference_to_best_low", "difference_to_best_high"),
    *("p_value", "tied_with_best", "seconds", "cautions"),
]
BASELINE = [
    *("difference_to_baseline", "difference_to_baseline_low"),
    *("difference_to_baseline_high", "baseline_p_value"),
]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X = X + 0.1 * np.random.RandomState(0).normal(size=X.shape)  # no constant pixels
    return X[:300], y[:300]


@pytest.fixture(scope="module")
def views(digits):
    X, _ = digits
    images = X.reshape(-1, 8, 8)
    rng = np.random.RandomState(0)
    return {
        "pixels": X,
        "rows": images.mean(axis=2),
        "columns": images.mean(axis=1),
        "noise": rng.normal(size=(300, 5)),
    }


@pytest.fixture(scope="module")
def learned(digits):
    return compare(LEARNED, *digits)


LEARNED = {"raw": None, "two": PCA(2), "nine": PCA(9), "supervised": SelectKBest(k=20)}


class Lengths(TransformerMixin, BaseEstimator):
    """Lengths of texts; looks at the first one, as libraries for molecules do."""

    def fit(self, X, y):
        assert isinstance(X[0], str)
        return self

    def transform(self, X):
        assert isinstance(X[0], str)
        return np.array([[len(text)] for text in X])


def compare(representations, X=None, y=None, **options):
    options = {"estimator": SMALL, "random_state": 0, **options}
    return compare_representations(representations, X, y, **options)


def assert_short(result):
    lines = str(result).splitlines()
    assert len(lines) <= 9
    assert max(map(len, lines)) <= 80


def numbers_of(table):
    """All columns but the time, a row a name."""
    keys = [key for key in ("target", "representation") if key in table.columns]
    return table.frame.drop(columns="seconds").set_index(keys)


# --- what it must equal --------------------------------------------------------------


def test_of_two_arrays_it_is_smoothness_difference(digits, views):
    _, y = digits
    pair = smoothness_difference(views["rows"], views["pixels"], y, estimator=SMALL)
    two = {"rows": views["rows"], "pixels": views["pixels"]}
    table = compare(two, y=y, baseline="rows")
    row = table.loc[1]
    ends = (row["difference_to_baseline_low"], row["difference_to_baseline_high"])
    assert row["difference_to_baseline"] == pair.difference
    assert ends == pair.interval
    assert row["baseline_p_value"] == pair.p_value
    assert table["held_out"].tolist() == [pair.score_a, pair.score_b]
    assert table["alpha"].tolist() == [pair.alpha_a, pair.alpha_b]
    fitted = pair.estimators[1]
    assert (row["alpha_low"], row["alpha_high"]) == fitted.alpha_interval_
    assert row["explained"] == fitted.explained_
    assert (row["explained_low"], row["explained_high"]) == fitted.explained_interval_
    assert table.loc[0, "difference_to_best"] == -pair.difference
    assert table.loc[0, "p_value"] == pytest.approx(pair.p_value / 2, abs=2e-4)


def test_of_a_single_array_it_is_a_fit(digits):
    X, y = digits
    table = compare({"pixels": X}, y=y)
    fitted = BesovSmoothnessEstimator(4, max_depth=5, random_state=0).fit(X, y)
    (row,) = table.to_dict("records")
    assert row["alpha"] == fitted.alpha_
    assert row["explained"] == fitted.explained_
    assert row["held_out"] == fitted.shares_.level.score
    assert row["held_out_low"] < row["held_out"] < row["held_out_high"]
    assert (row["p_value"], row["tied_with_best"], row["difference_to_best"]) == (
        1,
        True,
        0,
    )
    assert (table.best_, table.tied_) == ("pixels", [])


def test_of_transformers_it_is_a_search(digits):
    X, y = digits
    table = compare({str(n): PCA(n) for n in (2, 9)}, X, y, cv=3)
    search = SmoothnessSearch(
        PCA(), {"n_components": [2, 9]}, smoothness=SMALL, cv=3, random_state=0
    )
    found = search.fit(X, y).to_frame().sort_index()
    assert table["held_out"].tolist() == found["score"].tolist()
    for name in ("difference_to_best", "p_value", "tied_with_best", "n_features"):
        assert table[name].tolist() == found[name].tolist()


def test_cross_fitted_explained_is_one_less_the_error(learned):
    """It has the same error as the level, on the scale of shares."""
    frame = learned.frame
    order = np.argsort(frame["held_out"])
    assert frame["explained"][order].is_monotonic_increasing
    assert (frame["explained_low"] < frame["explained"]).all()
    assert (frame["explained"] < frame["explained_high"]).all()
    pixels = BesovSmoothnessEstimator(random_state=0)
    X, y = load_digits(return_X_y=True)
    whole = compare_representations({"raw": None}, X, y, cv=5, random_state=0)
    assert whole["explained"][0] == pytest.approx(pixels.fit(X, y).explained_, abs=0.02)


def test_features_that_are_given_have_the_index_of_all_samples(digits):
    X, y = digits
    fitted = BesovSmoothnessEstimator(4, max_depth=5, random_state=0).fit(X, y)
    for options in ({}, {"cv": 3}):
        row = compare({"raw": None}, X, y, **options).loc[0]
        for name in ("alpha", "roughness"):
            assert row[name] == getattr(fitted, f"{name}_")
            interval = row[f"{name}_low"], row[f"{name}_high"]
            assert interval == getattr(fitted, f"{name}_interval_")


def test_where_some_are_learned_all_have_the_mean_index_of_two_halves(digits):
    X, y = digits
    first, second = np.arange(0, 300, 2), np.arange(1, 300, 2)
    folds = [(second, first), (first, second)]
    table = compare({"pca": PCA(5), "raw": None}, X, y, cv=folds)
    for k, steps in enumerate((PCA(5, random_state=0), FunctionTransformer())):
        fits = []
        for train, test in folds:
            features = steps.fit(X[train], y[train]).transform(X[test])
            fits.append(BesovSmoothnessEstimator(4, max_depth=5, random_state=0))
            fits[-1].fit(features, y[test])
        for name in ("alpha", "roughness"):
            values = [getattr(fit, f"{name}_") for fit in fits]
            ends = [getattr(fit, f"{name}_interval_")[1] for fit in fits]
            assert table.loc[k, name] == np.mean(values)
            assert table.loc[k, f"{name}_high"] == np.mean(ends)


# --- what it must not do -------------------------------------------------------------


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(50), 4)])
def test_labels_of_noise_do_not_leak(groups):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, 150))
    y = rng.randint(2, size=200) if groups is None else rng.randint(2, size=50)[groups]
    supervised = {"lda": LinearDiscriminantAnalysis(), "best": SelectKBest(k=5)}
    table = compare({**supervised, "raw": "passthrough"}, X, y, groups=groups)
    assert (table["explained_low"] == 0).all()
    assert (table["explained"] < 0.03).all()
    assert (table["alpha"] < 0.05).all()
    assert (table["roughness"] > 0.95).all()
    assert (table["held_out"] < 0.01).all()
    assert "No representation is shown to explain anything." in str(table)
    lda = LinearDiscriminantAnalysis().fit_transform(X, y)  # has seen all labels
    assert compare({"leaks": lda}, y=y)["explained"][0] > 0.5


def test_transformers_see_no_test_sample_and_no_sample_without_weight(digits):
    X, y = digits
    seen = []

    class Recorder(TransformerMixin, BaseEstimator):
        def fit(self, X, y):
            seen.append(set(X[:, 0]))
            return self

        def transform(self, X):
            assert seen[-1] == set(X[:, 0]) or seen[-1].isdisjoint(X[:, 0])
            return X[:, 1:]

    numbered = np.column_stack([np.arange(300.0), X])
    weight = np.ones(300)
    weight[:30] = 0
    compare({"r": Recorder()}, numbered, y, cv=3, sample_weight=weight)
    assert len(seen) == 3 + 2
    assert all(rows.isdisjoint(range(30)) for rows in seen)
    assert [len(rows) for rows in seen] == [180, 180, 180, 180, 90]


def test_order_of_the_mapping_does_not_matter(digits, views, learned):
    X, y = digits
    for there, back in (
        (
            compare(views, y=y, baseline="rows"),
            compare(_reversed(views), y=y, baseline="rows"),
        ),
        (learned, compare(_reversed(LEARNED), X, y)),
    ):
        names = there["representation"].tolist()
        assert back["representation"].tolist() == names[::-1]
        assert_frame_equal(numbers_of(there), numbers_of(back).loc[names])


def _reversed(mapping):
    return dict(reversed(mapping.items()))


def test_number_of_jobs_does_not_matter(digits, views, learned):
    X, y = digits
    assert_frame_equal(numbers_of(learned), numbers_of(compare(LEARNED, X, y, n_jobs=2)))
    alone = compare(views, y=y)
    for n_jobs in (2, 8):  # shared by representations, and by trees
        again = compare(views, y=y, n_jobs=n_jobs)
        assert_frame_equal(numbers_of(alone), numbers_of(again))
    with joblib.parallel_config("loky", n_jobs=2):
        again = compare(views, y=y)
    assert_frame_equal(numbers_of(alone), numbers_of(again))


def test_containers_and_indices_do_not_matter(digits, views):
    X, y = digits
    X, rows = X.clip(0), views["rows"].clip(0)
    frame = pd.DataFrame(X, index=np.random.RandomState(0).permutation(300))
    plain = compare({"x": X, "rows": rows}, y=y)
    others = compare({"x": sparse.coo_matrix(X), "rows": rows.tolist()}, y=pd.Series(y))
    assert_frame_equal(numbers_of(plain), numbers_of(others))
    plain = compare({"x": None, "rows": rows}, X, y, cv=3)
    for given in (frame, sparse.coo_array(X), X.tolist()):
        other = compare({"x": None, "rows": rows}, given, pd.Series(y), cv=3)
        assert_frame_equal(numbers_of(plain), numbers_of(other))


def test_transformers_may_be_given_texts_and_give_sparse_matrices(digits):
    _, y = digits
    texts = ["aeiou"[label % 5] * (1 + label // 5) for label in y]
    counts = CountVectorizer(analyzer="char")
    table = compare({"counts": counts, "noise": np.ones((300, 1))}, texts, y)
    assert table["explained"][0] > 0.85
    assert (table["n_features"].tolist(), table.best_) == ([5, 1], "counts")
    series = pd.Series(texts, index=range(300, 0, -1))
    for given in (series, texts):
        other = compare({"counts": counts, "lengths": Lengths()}, given, y)
        assert other["held_out"][0] == table["held_out"][0]
        assert other["explained"][1] > 0.1


def test_missing_features_are_no_gaps(digits):
    X, y = digits
    gaps = np.where(np.random.RandomState(0).uniform(size=X.shape) < 0.1, np.nan, X)
    table = compare({"whole": X, "gaps": gaps}, y=y)
    assert table["explained"][1] > 0.5


# --- groups, weights, folds -----------------------------------------------------------


def test_groups_are_drawn_together_and_vary_on_their_own():
    rng = np.random.RandomState(0)
    groups = np.repeat(np.arange(40), 6)
    y = rng.randint(2, size=40)[groups]
    who = rng.normal(size=(40, 2))[groups] + 0.01 * rng.normal(size=(240, 2))
    what = y[:, None] + rng.normal(size=(240, 1))
    both = {"who": who, "what": what}
    naive = compare(both, y=y).set_index("representation")
    assert naive["explained"]["who"] > 0.4
    for cv in (None, 4, GroupKFold(4)):
        table = compare(both, y=y, groups=groups, cv=cv).set_index("representation")
        assert table["explained"]["who"] < 0.1
        assert table["explained"]["what"] > 0.1
    pair = smoothness_difference(what, who, y, estimator=SMALL, groups=groups)
    table = compare(both, y=y, groups=groups, baseline="what")
    assert table.loc[0, "difference_to_baseline"] == pair.difference
    assert table.loc[0, "baseline_p_value"] == pair.p_value


def test_samples_of_no_weight_do_not_count(digits, views):
    X, y = digits
    kept = np.sort(np.random.RandomState(0).permutation(300)[:200])
    weight = np.zeros(300)
    weight[kept] = 1.0
    some = {name: features[kept] for name, features in views.items()}
    folds = list(KFold(4, shuffle=True, random_state=1).split(X))
    place = np.full(300, -1)
    place[kept] = np.arange(200)
    of_some = [tuple(place[part][place[part] >= 0] for part in fold) for fold in folds]
    for cv, own in ((None, None), (3, 3), (folds, of_some)):
        whole = compare(views, y=y, sample_weight=weight, cv=cv)
        alone = compare(some, y=y[kept], cv=own)
        assert_frame_equal(numbers_of(whole), numbers_of(alone))


def test_weights_are_those_of_smoothness_difference(digits, views):
    _, y = digits
    weight = np.random.RandomState(0).randint(1, 4, size=300)
    pair = smoothness_difference(
        views["rows"], views["pixels"], y, estimator=SMALL, sample_weight=weight
    )
    two = {name: views[name] for name in ("rows", "pixels")}
    table = compare(two, y=y, sample_weight=weight)
    assert table["held_out"].tolist() == [pair.score_a, pair.score_b]


def test_folds_may_be_given_in_any_way(digits, views):
    X, y = digits
    splitter = KFold(4, shuffle=True, random_state=0)
    folds = list(splitter.split(X))
    number = np.zeros(300, dtype=int)
    for k, (_, test) in enumerate(folds):
        number[test] = k
    masks = [(number != k, number == k) for k in range(4)]
    first = numbers_of(compare(views, y=y, cv=splitter))
    for cv in (folds, iter(folds), masks, PredefinedSplit(number)):
        assert_frame_equal(first, numbers_of(compare(views, y=y, cv=cv)))


# --- several targets and data sets ----------------------------------------------------


def targets_with_gaps(y):
    rng = np.random.RandomState(0)
    names = np.array(["even", "odd"], dtype=object)[y % 2]
    numbers = y + rng.normal(size=300)
    names[rng.permutation(300)[:100]] = None
    numbers[rng.permutation(300)[:50]] = np.nan
    return pd.DataFrame({"digit": y, "parity": names, "number": numbers})


@pytest.mark.parametrize("cv", [None, 3, "folds"])
def test_a_profile_is_every_target_alone(digits, views, cv):
    _, y = digits
    targets = targets_with_gaps(y)
    folds = [
        (np.flatnonzero(y >= 0)[k::2], np.flatnonzero(y >= 0)[1 - k :: 2]) for k in (0, 1)
    ]
    cv = folds if cv == "folds" else cv
    table = compare(views, y=targets, cv=cv, baseline="pixels")
    assert list(table.columns[:2]) == ["target", "representation"]
    assert table["target"].tolist() == [name for name in targets for _ in views]
    for name in targets:
        known = np.flatnonzero(targets[name].notna())
        own = cv
        if cv is folds:
            place = np.full(300, -1)
            place[known] = np.arange(len(known))
            own = [tuple(place[part][place[part] >= 0] for part in fold) for fold in folds]
        some = {key: features[known] for key, features in views.items()}
        alone = compare(some, y=targets[name].iloc[known], cv=own, baseline="pixels")
        assert_frame_equal(numbers_of(table.of(name)), numbers_of(alone))
        assert table.of(name).best_ == alone.best_
    same = compare(views, y=dict(targets.items()), cv=cv, baseline="pixels")
    assert_frame_equal(numbers_of(table), numbers_of(same))


def test_profiles_and_summaries(digits, views):
    _, y = digits
    targets = {"digit": y, "three": y == 3, "noise": np.random.RandomState(0).rand(300)}
    table = compare(views, y=targets)
    profile = table.profile()
    assert list(profile.index) == list(targets)
    assert list(profile.columns) == list(views)
    assert profile.loc["three", "rows"] == table.of("three")["held_out"][1]
    assert table.profile("tied_with_best").loc["digit"].tolist() == [True, *3 * [False]]
    summary = table.summary()
    ranks = profile.rank(axis=1, ascending=False).mean()
    assert_allclose(summary["mean_rank"], ranks[summary.index])
    assert summary["mean_rank"].is_monotonic_increasing
    assert summary["n_best"].sum() == 3
    tied = table.frame.groupby("representation")["tied_with_best"].sum()
    assert summary["n_tied_with_best"].to_dict() == tied.to_dict()
    assert "digit: 'pixels' is the smoothest" in str(table)
    assert "noise: No representation is shown to explain anything." in str(table)
    assert "Over 3 targets: " in str(table)
    for name in ("best_", "tied_"):
        with pytest.raises(AttributeError, match=rf"table\.of\('digit'\)\.{name}"):
            getattr(table, name)
    with pytest.raises(ValueError, match="no target 'four'; it has \\['digit'"):
        table.of("four")
    with pytest.raises(ValueError, match="no column 'score'"):
        table.profile("score")
    for method in (table.of("digit").profile, table.of("digit").summary):
        with pytest.raises(ValueError, match="of several targets"):
            method()


def test_many_targets_are_summed_up(digits, views):
    _, y = digits
    table = compare({"pixels": views["pixels"]}, y={f"is {k}": y == k for k in range(7)})
    assert str(table).startswith("Over 7 targets: 'pixels' has the best")
    assert "is 3: " not in str(table)
    assert_short(table)


def test_one_column_is_one_target_and_an_array_one_function(digits, views):
    _, y = digits
    alone = compare(views, y=y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        column = compare(views, y=pd.DataFrame({"digit": y}))
    assert_frame_equal(numbers_of(alone), numbers_of(column))
    outputs = np.column_stack([np.sin(y), np.cos(y)])
    assert "target" not in compare(views, y=outputs)


def test_data_sets_are_each_on_their_own(digits):
    X, y = digits
    parts = {"first": slice(0, 140), "second": slice(140, 300)}
    Xs, ys = ({name: data[part] for name, part in parts.items()} for data in (X, y))
    groups = {name: np.arange(len(ys[name])) // 2 for name in parts}
    arrays = {name: features[:, :20] for name, features in Xs.items()}
    representations = {"raw": None, "pca": PCA(5), "left": arrays}
    table = compare(representations, Xs, ys, groups=groups, cv=3)
    assert list(table["target"].unique()) == list(parts)
    for name in parts:
        own = {**representations, "left": arrays[name]}
        alone = compare(own, Xs[name], ys[name], groups=groups[name], cv=3)
        assert_frame_equal(numbers_of(table.of(name)), numbers_of(alone))
    only_arrays = compare({"left": arrays}, y=ys)
    assert (
        only_arrays.of("second")["alpha"][0]
        == compare({"left": arrays["second"]}, y=ys["second"])["alpha"][0]
    )


def test_data_sets_may_come_with_their_targets(digits):
    X, y = digits
    halves = {"first": slice(0, 150), "second": slice(150, 300)}
    pairs = {name: (X[half], y[half]) for name, half in halves.items()}
    apart = [{name: data[half] for name, half in halves.items()} for data in (X, y)]
    assert_frame_equal(
        numbers_of(compare({"raw": None}, pairs)),
        numbers_of(compare({"raw": None}, *apart)),
    )


# --- the table -------------------------------------------------------------------------


def test_columns(digits, views):
    _, y = digits
    table = compare(views, y=y)
    assert list(table.columns) == COLUMNS
    assert (table.frame.dtypes[["explained", "alpha", "p_value"]] == np.float64).all()
    assert table["tied_with_best"].dtype == bool
    assert table["n_features"].tolist() == [64, 8, 8, 5]
    with_baseline = compare(views, y=y, baseline="noise")
    place = COLUMNS.index("tied_with_best") + 1
    assert list(with_baseline.columns) == [*COLUMNS[:place], *BASELINE, *COLUMNS[place:]]
    assert len(column_help(with_baseline)) == len(with_baseline.columns)
    text = " ".join(compare_representations.__doc__.split())
    for name, column in known_columns().items():
        if name != "target":
            assert f"- ``{name}``: {' '.join(column.help.split())}." in text


def test_the_baseline_is_compared_with_all_others(digits, views):
    _, y = digits
    table = compare(views, y=y, baseline="rows")
    frame = table.frame.set_index("representation")
    assert_allclose(
        frame["difference_to_baseline"], frame["held_out"] - frame["held_out"]["rows"]
    )
    assert frame.loc["rows", BASELINE[:3]].tolist() == [0, 0, 0]
    assert np.isnan(frame.loc["rows", "baseline_p_value"])
    single = [
        compare({"rows": views["rows"], name: views[name]}, y=y, baseline="rows")
        for name in ("pixels", "columns", "noise")
    ]
    assert all((each["baseline_p_value"].dropna() < 0.01).all() for each in single)
    assert frame["baseline_p_value"].dropna().max() < 0.01
    low, high = frame["difference_to_baseline_low"], frame["difference_to_baseline_high"]
    assert (low[["columns", "noise"]] < 0).all()
    assert high["noise"] < 0 < low["pixels"]


def test_p_values_against_the_baseline_are_corrected_for_their_number(digits):
    _, y = digits
    rng = np.random.RandomState(0)
    noises = {str(k): rng.normal(size=(300, 3)) for k in range(4)}
    table = compare(noises, y=y, baseline="0")
    single = np.array(
        [level_difference(table.levels_[0], level).p_value for level in table.levels_[1:]]
    )
    order = np.argsort(single)
    corrected = np.maximum.accumulate(single[order] * [3, 2, 1]).clip(max=1)
    found = table["baseline_p_value"].to_numpy()
    assert np.isnan(found[0])
    assert_allclose(found[1:][order], corrected)


def test_it_is_a_table_like_that_of_layers(digits, views):
    _, y = digits
    table = compare(views, y=y, baseline="rows")
    assert len(table) == 4
    assert list(table) == list(table.columns)
    assert "alpha" in table
    assert table.query("tied_with_best")["representation"].tolist() == ["pixels"]
    assert repr(table) == repr(table.frame)
    assert table.to_frame() is not table.frame
    for wrong in (np.asarray, bool):
        with pytest.raises((TypeError, ValueError), match=r"table\.frame|ambiguous"):
            wrong(table)
    with pytest.raises(TypeError, match="Expected a DataFrame"):
        RepresentationComparison({"alpha": [0.1]})
    for copied in (copy.deepcopy(table), pickle.loads(pickle.dumps(table))):
        assert_frame_equal(copied.frame, table.frame)
        assert copied.best_ == "pixels"
        assert len(copied.levels_) == 4
    bare = RepresentationComparison(table.frame.drop(columns="held_out"))
    with pytest.raises(AttributeError, match="best_ needs the columns"):
        _ = bare.best_


def test_the_best_is_first_in_a_ranked_table(digits, views):
    _, y = digits
    table = compare(_reversed(views), y={"digit": y, "even": y % 2 == 0})
    ranked = table.ranked()
    assert ranked["target"].tolist() == table["target"].tolist()
    for name in ("digit", "even"):
        assert ranked.of(name)["held_out"].is_monotonic_decreasing
        assert ranked.of(name)["representation"][0] == table.of(name).best_
    scores = [level.score for level in ranked.levels_]
    assert ranked["held_out"].tolist() == scores


def test_words_and_marks(digits, views):
    _, y = digits
    table = compare({**views, "copy": 2 * views["pixels"]}, y=y)
    assert_short(table)
    printed, words = str(table).splitlines(), " ".join(str(table).split())
    assert printed[0].split()[:4] == ["representation", "alpha", "explained", "held_out"]
    assert printed[4] == "... and 2 more representations; all are in its frame"
    assert "'pixels' is the smoothest on held-out samples (" in words
    assert (
        "; 'copy' cannot be told apart from it; 'rows', 'columns' and 'noise' are " in words
    )
    assert "rougher, by " in words
    assert " or more (p < 0.001)." in words
    assert (table.best_, table.tied_) == ("pixels", ["copy"])
    page = table._repr_html_()
    assert page.count("tied with the best</span>") == 2
    assert 'sksmooth-loss"' not in page
    assert page.count('role="img"') == 5
    assert "&#x27;pixels&#x27; is the smoothest on held-out" in page
    assert "<b>" not in compare({"<b>": views["rows"]}, y=y)._repr_html_()


def test_cautions_are_a_column_and_no_warnings(digits):
    _, y = digits
    with warnings.catch_warnings():
        warnings.simplefilter("error", SmoothnessWarning)
        table = compare(
            {"constant": np.ones((300, 1)), "number": np.arange(300.0)[:, None]}, y=y
        )
        folds = compare({"constant": np.ones((300, 1))}, y=y, cv=3)
    assert "ConstantFeaturesWarning" in table["cautions"][0]
    assert "ConstantFeaturesWarning" in folds["cautions"][0]
    assert table["explained"].tolist()[0] == 0


def test_progress(digits, views, capsys):
    _, y = digits
    compare(views, y=y, verbose=1)
    assert "representations: " in capsys.readouterr().err


# --- errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("representations", "error", "message"),
    [
        ([np.ones((300, 2))], TypeError, "mapping of names .* got a list"),
        (np.ones((300, 2)), TypeError, "mapping of names .* got a ndarray"),
        ({}, ValueError, "representations is empty"),
        ({1: np.ones((300, 2))}, TypeError, "must be text, got 1"),
        ({"a": np.ones((299, 2))}, ValueError, "'a' has 299 rows, but y has 300"),
        ({"a": np.ones(300)}, ValueError, "Representation 'a': Expected 2D array"),
        ({"a": np.full((300, 1), np.inf)}, ValueError, "Representation 'a': .*infinity"),
        ({"a": [["x"]] * 300}, ValueError, "Representation 'a': X holds text"),
        ({"a": PCA}, TypeError, r"'a' is the class PCA; .* PCA\(\)"),
        ({"a": "pca"}, TypeError, "'a' must be features .* got 'pca'"),
        ({"a": 3.0}, TypeError, "'a' must be features"),
        ({"a": np.fliplr}, TypeError, "'a' must be .*FunctionTransformer"),
        ({"a": LogisticRegression()}, TypeError, "LogisticRegression, which has no transf"),
        ({"a": TSNE()}, TypeError, "TSNE, which has no transform"),
        ({"a": make_pipeline(PCA(), SMALL)}, TypeError, "estimator=pipeline"),
        (
            {"a": make_pipeline(PCA(2), LogisticRegression())},
            TypeError,
            r"ends in a LogisticRegression, which has no transform; .* pipeline\[:-1\]",
        ),
        ({"a": PCA(), "b": None}, ValueError, "X is required for the .* 'a', 'b'"),
    ],
)
def test_representations_that_are_refused(digits, representations, error, message):
    with pytest.raises(error, match=message):
        compare(representations, y=digits[1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(y=None), ValueError, "y is required"),
        (dict(X=np.ones((299, 2))), ValueError, "X has 299 rows, but y has 300"),
        (dict(baseline="b"), ValueError, "baseline='b' is not one of .* 'a'"),
        (dict(groups=np.arange(299)), ValueError, "groups must have shape"),
        (dict(groups=np.arange(300) % 3), ValueError, "at least 5"),
        (
            dict(groups=np.arange(300) // 2, cv=KFold(3, shuffle=True)),
            ValueError,
            "splits .* of the groups",
        ),
        (dict(sample_weight=np.ones(299)), ValueError, "sample_weight"),
        (dict(cv=ShuffleSplit(3, random_state=0)), ValueError, "one test fold"),
        (dict(cv=[(np.arange(300), np.arange(300))]), ValueError, "among its training"),
        (dict(cv=[(np.arange(150), np.arange(150, 299))]), ValueError, "one test fold"),
        (dict(cv=[(np.arange(150), np.arange(150, 301))]), ValueError, "300 rows"),
        (dict(cv=[(np.arange(150), [])]), ValueError, "none empty"),
        (dict(cv=[np.arange(300)]), ValueError, "pairs"),
        (dict(cv=[]), ValueError, "no folds"),
        (dict(cv={"a": 3}), ValueError, "cv is a mapping"),
        (dict(estimator=PCA()), ValueError, "'estimator' parameter"),
        (
            dict(estimator=BesovSmoothnessEstimator(index="elisha-dekel")),
            ValueError,
            "no variance",
        ),
        (
            dict(estimator=BesovSmoothnessEstimator(forest=RandomForestClassifier()), cv=3),
            ValueError,
            "forest=None",
        ),
        (
            dict(estimator=BesovSmoothnessEstimator(2, max_samples=200), cv=3),
            ValueError,
            "max_samples=200 .* 200 training samples",
        ),
        (dict(estimator=BesovSmoothnessEstimator(p=0.5)), ValueError, "'p' parameter"),
        (dict(y={}), ValueError, "y is an empty mapping"),
        (dict(y={"a": [1, 2], "b": [1]}), ValueError, "same length; got {'a': 2, 'b': 1}"),
        (
            dict(X={"one": np.ones((5, 2))}),
            ValueError,
            "y must be a mapping with the same names",
        ),
    ],
)
def test_arguments_that_are_refused(digits, options, error, message):
    X, y = digits
    with pytest.raises(error, match=message):
        compare({"a": X}, **{"y": y, **options})


def test_targets_and_data_sets_that_are_refused(digits):
    X, y = digits
    with pytest.raises(ValueError, match=r"different names; got \['1', '1'\]"):
        compare({"a": X}, y={1: y, "1": y})
    with pytest.raises(ValueError, match="different names"):
        compare({"a": X}, y=pd.DataFrame(np.column_stack([y, y]), columns=["t", "t"]))
    rare = np.where(np.arange(300) < 4, 1.0, np.nan)
    with pytest.raises(ValueError, match="Target 'rare' has 4 values"):
        compare({"a": X}, y={"all": y, "rare": rare})
    with pytest.raises(ValueError, match="Target 'same': y holds one class only"):
        compare({"a": X}, y={"all": y, "same": np.ones(300, dtype=int)})
    with pytest.raises(ValueError, match="sample_weight must have shape"):
        compare({"a": X}, y={"t": np.where(y == 0, np.nan, y)}, sample_weight=np.ones(9))
    with pytest.raises(ValueError, match=r"data sets \['one'\], but X has \['two'\]"):
        compare({"a": None}, {"two": X}, {"one": y})
    with pytest.raises(ValueError, match="representation 'b' must be a mapping"):
        compare({"a": None, "b": X}, {"one": X}, {"one": y})
    with pytest.raises(ValueError, match="Data set 'one': X has 299 rows"):
        compare({"a": None}, {"one": X[1:]}, {"one": y})
    with pytest.raises(ValueError, match="groups must be a mapping"):
        compare({"a": None}, {"one": X}, {"one": y}, groups=y)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_an_error_names_the_representation_and_the_target(digits, n_jobs):
    X, y = digits
    wide = {"fine": None, "too wide": PCA(65)}
    with pytest.raises(ValueError, match="Target 't': Representation 'too wide': n_comp"):
        compare(wide, X, {"t": y}, n_jobs=n_jobs)


def test_transformers_that_leave_samples_out_are_refused(digits):
    X, y = digits
    some = FunctionTransformer(lambda X: X[X[:, 20] > 5])
    with pytest.raises(
        ValueError, match=r"'some': FunctionTransformer returned \d+ rows for"
    ):
        compare({"some": some}, X, y)


def test_a_half_may_lack_a_class(digits):
    X, y = digits
    rare = (y == 3).astype(int)
    rare[np.flatnonzero(rare)[3:]] = 0
    table = compare({"pca": PCA(3)}, X, rare, cv=StratifiedKFold(2))
    assert np.isfinite(table["alpha"][0])
    sorted_by_class = np.sort(y % 2)
    halves = [(np.arange(1, 300, 2), np.arange(0, 300, 2))]
    halves += [part[::-1] for part in halves]
    assert np.isfinite(compare({"p": PCA(3)}, X, sorted_by_class, cv=halves)["alpha"][0])


def test_few_samples():
    rng = np.random.RandomState(0)
    X, y = rng.rand(12, 3), np.repeat([0, 1], 6)
    scaled = make_pipeline(StandardScaler(), PCA(2))
    table = compare({"raw": None, "scaled": scaled}, X, y, cv=3)
    assert np.isfinite(table[["held_out", "alpha"]].to_numpy()).all()


def test_all_targets_are_checked_before_the_first_is_measured(digits):
    """A table of many targets is not lost to the last of them."""
    X, y = digits
    seen = []
    counted = FunctionTransformer(lambda X: seen.append(len(X)) or X)
    gaps = np.where(y < 3, y, np.nan)
    folds = [(np.flatnonzero(y != k), np.flatnonzero(y == k)) for k in range(10)]
    for targets, cv in (
        ({"fine": y, "same": np.ones(300)}, None),
        ({"fine": y, "many": [f"m{k}" for k in range(300)]}, None),
        ({"fine": X[:, 20], "few": gaps}, folds),
    ):
        with pytest.raises(ValueError, match=f"Target '{list(targets)[1]}'"):
            compare({"counted": counted}, X, targets, cv=cv)
    assert seen == []


def test_a_caution_says_of_which_targets_it_is(digits):
    X, y = digits
    few = (y % 3).astype(float)
    targets = {"few": few, "more": X[:, 20], "few again": few[::-1].copy()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compare({"x": X, "some": X[:, :20]}, y=targets)
    (caution,) = caught
    assert issubclass(caution.category, TargetTypeWarning)
    assert str(caution.message).startswith(
        "Targets 'few', 'few again': y has a floating-point dtype"
    )
    assert caution.filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TargetTypeWarning, match="'few again'"):
            compare({"x": X}, y=targets)


@pytest.mark.parametrize("kind", ["y", "a target", "two representations", "data sets"])
def test_rows_that_have_the_same_names_in_another_order_are_refused(digits, kind):
    X, y = digits
    names = [f"mol{k}" for k in range(300)]
    order = np.random.RandomState(0).permutation(300)
    frame, labels = pd.DataFrame(X, names), pd.Series(y, names)
    other, shuffled = frame.iloc[order], labels.iloc[order]
    one = {"x": frame}
    options = {
        "y": (one, None, shuffled),
        "a target": (one, None, {"fine": labels, "shuffled": shuffled}),
        "two representations": ({**one, "other": other}, None, y),
        "data sets": ({"x": PCA(2)}, {"one": frame}, {"one": shuffled}),
    }
    with pytest.raises(ValueError, match=r"in another order.*sort them alike"):
        compare(*options[kind])
    aligned = compare({**one, "other": other.loc[names]}, y=shuffled.loc[names])
    assert_frame_equal(numbers_of(aligned), numbers_of(compare({"x": X, "other": X}, y=y)))


@pytest.mark.parametrize("seed", [None, 3, np.random.RandomState(3), "deprecated"])
def test_random_states_of_transformers_may_be_any_that_they_know(digits, seed):
    class Seeded(PCA):
        def fit_transform(self, X, y=None):
            assert self.random_state == seed or isinstance(self.random_state, int)
            return PCA(self.n_components).fit_transform(X)

        def transform(self, X):
            return PCA(self.n_components).fit_transform(X)

    assert len(compare({"a": Seeded(2, random_state=seed)}, *digits)) == 1


def test_molecules_that_a_transformer_cannot_read_are_told_what_to_do(digits):
    _, y = digits
    smiles = ["CCO", "c1ccccc1", "CC(=O)Nc1ccc(O)cc1"] * 100
    for X in (smiles, np.array(smiles), pd.DataFrame({"smiles": smiles})):
        with pytest.raises(ValueError, match=r"(?s)'pca': X holds mol.*ECFPFingerprint"):
            compare({"pca": make_pipeline(StandardScaler(), PCA(2))}, X, y)


def test_labels_that_are_given_as_X_are_told_of(digits):
    X, y = digits
    with pytest.raises(ValueError, match="if it holds the labels, pass y="):
        compare({"a": X}, y)


def test_words_agree_with_the_held_out_score():
    """What explains on samples that are left out is not said to explain nothing."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(200, 2))
    y = X[:, 0] ** 2 + X[:, 1] ** 4  # whose spread few samples tell
    table = compare({"both": X, "first": X[:, :1]}, y=y, estimator=None)
    table = type(table)(table.frame.assign(explained_low=0.0))
    assert (table["held_out_low"] > 0).any()
    assert "'both' is the smoothest" in str(table)
    nothing = type(table)(table.frame.assign(held_out_low=0.0))
    assert "No representation is shown to explain anything" in str(nothing)


def test_tables_of_one_target(digits, views):
    _, y = digits
    table = compare({"rows": views["rows"]}, y=y)
    for call in (table.profile, table.summary, lambda: table.of("t")):
        with pytest.raises(ValueError, match="one has one target"):
            call()
    only = compare({"rows": views["rows"]}, y={"t": y})
    assert [*map(str, only.of("t")["representation"])] == ["rows"]
    assert "Over 1" not in str(only)


def test_groups_may_be_of_any_type_and_are_never_missing(digits):
    X, y = digits
    number = np.arange(300) // 5
    expected = numbers_of(compare({"x": X}, y=y, groups=number))
    names = np.array([f"s{k:02}" for k in number], dtype=object)
    days = pd.Timestamp("2020") + pd.to_timedelta(number, "D")
    mixed = np.where(number < 30, number, names)
    for groups in (names, pd.Series(names, dtype="string"), list(names), days, mixed):
        found = numbers_of(compare({"x": X}, y=y, groups=groups))
        assert_frame_equal(found, expected)
    gap = np.arange(300) == 7
    for groups in (pd.Series(names, dtype="string"), pd.Series(number), pd.Series(mixed)):
        for missing in (groups.mask(gap), groups.astype(object).mask(gap, None)):
            with pytest.raises(ValueError, match="groups has missing values"):
                compare({"x": X}, y=y, groups=missing)


def test_folds_without_a_training_sample_are_refused(digits):
    X, y = digits
    even = np.arange(300) % 2 == 0
    folds = [(np.flatnonzero(even), np.flatnonzero(~even))]
    folds += [fold[::-1] for fold in folds]
    targets = {"all": X[:, 20], "even": np.where(even, X[:, 20], np.nan)}
    with pytest.raises(ValueError, match="Target 'even': cv has a fold without training"):
        compare({"x": None}, X, targets, cv=folds)
    with pytest.raises(ValueError, match="cv has a fold without training"):
        compare({"x": None}, X, y, cv=folds, sample_weight=even.astype(float))
