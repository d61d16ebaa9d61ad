import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare
from sklearn.model_selection import train_test_split

from sksmooth.datasets import (
    corrupt_labels,
    make_known_smoothness,
    make_mount_fuji,
    make_nk_landscape,
)

REGRESSION = ("smooth", "linear", "hoelder", "weierstrass", "fractional-brownian", "noise")
CLASSIFICATION = ("jump", "boxes", "noise-labels")
ONE_VARIABLE = ("hoelder", "weierstrass", "fractional-brownian")
KINDS = REGRESSION + CLASSIFICATION

# ---------------------------------------------------------------- known smoothness


@pytest.mark.parametrize("kind", KINDS)
def test_samples_have_the_promised_shape_and_type(kind):
    X, y, alpha = make_known_smoothness(kind, 300, n_irrelevant=3, random_state=0)
    assert X.shape == (300, 4 if kind in ONE_VARIABLE else 5)
    assert X.dtype == np.float64
    assert (X >= 0).all()
    assert (X <= 1).all()
    assert y.shape == (300,)
    assert y.dtype == (np.int64 if kind in CLASSIFICATION else np.float64)
    assert np.isfinite(y).all()
    assert len(np.unique(y)) > 1
    assert type(alpha) is float


@pytest.mark.parametrize(
    ("options", "index"),
    [
        ({"kind": "smooth"}, 1 / 2),
        ({"kind": "smooth", "n_relevant": 1}, 1.0),
        ({"kind": "linear", "n_relevant": 5}, 1 / 5),
        ({"kind": "jump"}, 1 / 2),
        ({"kind": "jump", "n_relevant": 4, "n_classes": 3}, 1 / 6),
        ({"kind": "jump", "n_relevant": 1}, np.inf),
        ({"kind": "hoelder"}, 0.5),
        ({"kind": "weierstrass", "exponent": 0.2}, 0.2),
        ({"kind": "fractional-brownian", "exponent": 0.9, "n_relevant": 1}, 0.9),
        ({"kind": "boxes"}, np.inf),
        ({"kind": "noise"}, 0.0),
        ({"kind": "noise-labels", "n_classes": 4}, 0.0),
    ],
)
def test_index_is_the_known_one(options, index):
    for more in ({}, {"n_irrelevant": 2}, {"noise": 0.1}):
        alpha = make_known_smoothness(**options, **more, random_state=0)[2]
        assert_allclose(alpha, index, rtol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_reproducible(kind):
    first = make_known_smoothness(kind, 50, noise=0.1, random_state=3)
    for state in (3, np.random.RandomState(3)):
        again = make_known_smoothness(kind, 50, noise=0.1, random_state=state)
        assert_array_equal(first[0], again[0])
        assert_array_equal(first[1], again[1])
    other = make_known_smoothness(kind, 50, noise=0.1, random_state=4)
    assert not np.array_equal(first[0], other[0])


def test_targets_differ_between_seeds():
    for kind in KINDS:
        first, second = (
            make_known_smoothness(kind, 500, random_state=seed)[1] for seed in (0, 1)
        )
        assert not np.array_equal(first, second)


# ---------------------------------------------------------------- the functions


def unexplained(y, features):
    """Largest residual of y as a linear combination of the features."""
    coefficients, *_ = np.linalg.lstsq(features, y, rcond=None)
    return np.abs(y - features @ coefficients).max()


@pytest.mark.parametrize("n_relevant", [1, 3])
def test_smooth_is_a_sum_of_sines_of_the_relevant_columns(n_relevant):
    X, y, _ = make_known_smoothness(
        "smooth", 300, n_relevant=n_relevant, n_irrelevant=2, random_state=0
    )
    x = np.pi * X[:, :n_relevant]
    assert unexplained(y, np.column_stack([np.sin(x), np.cos(x)])) < 1e-10
    # and not of fewer
    assert unexplained(y, np.column_stack([np.sin(x[:, 1:]), np.cos(x[:, 1:])])) > 0.1


def test_linear_is_the_sum_of_the_relevant_columns():
    X, y, _ = make_known_smoothness(
        "linear", 100, n_relevant=3, n_irrelevant=2, random_state=0
    )
    assert_allclose(y, X[:, :3].sum(axis=1), rtol=1e-14)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_jump_separates_classes_by_spheres_in_the_relevant_columns(n_classes):
    X, y, _ = make_known_smoothness(
        "jump", 1000, n_relevant=3, n_irrelevant=2, n_classes=n_classes, random_state=0
    )
    radius = np.sqrt(np.sum((X[:, :3] - 0.5) ** 2, axis=1))
    outer = [radius[y == label].max() for label in range(n_classes)]
    inner = [radius[y == label].min() for label in range(n_classes)]
    for label in range(n_classes - 1):
        edge = 0.45 * (label + 1) / (n_classes - 1)
        assert outer[label] <= edge <= inner[label + 1]


def test_boxes_are_intervals_of_the_first_column_shifted_by_half_cuts():
    X, y, _ = make_known_smoothness(
        "boxes", 1000, n_relevant=1, n_classes=4, random_state=0
    )
    assert_array_equal(np.sort(y), y[np.argsort(X[:, 0])])

    X, y, _ = make_known_smoothness(
        "boxes", 2000, n_relevant=2, n_irrelevant=2, n_classes=3, random_state=0
    )
    # Far from the cut of the second column (between 0.35 and 0.65), crossing it moves
    # every interval to the next class.
    below, above = X[:, 1] < 0.35, X[:, 1] > 0.65
    assert_array_equal(np.sort(y[below]), y[below][np.argsort(X[below, 0])])
    shifted = (y[above] - 1) % 3
    assert_array_equal(np.sort(shifted), shifted[np.argsort(X[above, 0])])


@pytest.mark.parametrize(
    ("kind", "wave"),
    [
        ("weierstrass", lambda x: [np.cos(2 * np.pi * x), np.sin(2 * np.pi * x)]),
        ("hoelder", lambda x: [np.abs(x - np.round(x))]),
    ],
)
def test_rough_series_are_functions_of_the_first_column(kind, wave):
    # Their terms double the frequency 24 times; their weights are 2^(-s k).
    X, y, _ = make_known_smoothness(kind, 300, n_irrelevant=2, random_state=0)
    features = np.column_stack([part for k in range(24) for part in wave(2.0**k * X[:, 0])])
    assert unexplained(y, features) < 1e-8  # 2^23 x keeps 1e-9 of a period
    weights = np.linalg.lstsq(features, y, rcond=None)[0].reshape(24, -1)
    sizes = np.sqrt(np.sum(weights**2, axis=1))
    assert_allclose(sizes, 2.0 ** (-0.5 * np.arange(24)), rtol=1e-4)


@pytest.mark.parametrize("exponent", [0.25, 0.5, 0.8])
@pytest.mark.parametrize("kind", ONE_VARIABLE)
def test_increments_of_rough_functions_scale_with_the_exponent(kind, exponent):
    slopes = []
    for seed in range(6):
        X, y, _ = make_known_smoothness(
            kind, 8000, n_irrelevant=1, exponent=exponent, random_state=seed
        )
        order = np.argsort(X[:, 0])
        grid = np.interp(np.linspace(0, 1, 1025), X[order, 0], y[order])
        lags = 2 ** np.arange(2, 7)
        squares = [np.mean((grid[lag:] - grid[:-lag]) ** 2) for lag in lags]
        slopes.append(np.polyfit(np.log(lags), 0.5 * np.log(squares), 1)[0])
    # Six paths give the exponent to about 0.02, and the variogram of the series is low at
    # finite lags, by up to 0.07 for exponents near one.
    assert_allclose(np.mean(slopes), exponent, atol=0.1)


@pytest.mark.parametrize("exponent", [0.3, 0.5, 0.8])
def test_fractional_brownian_motion_has_the_exact_variance(exponent):
    # E (B(x) - B(x'))^2 = |x - x'|^(2s)
    ends = []
    for seed in range(200):
        X, y, _ = make_known_smoothness(
            "fractional-brownian", 50, exponent=exponent, random_state=seed
        )
        first, last = X[:, 0].argmin(), X[:, 0].argmax()
        ends.append((y[last] - y[first]) / (X[last, 0] - X[first, 0]) ** exponent)
    # The standard deviation of a variance from 200 normal numbers is 0.1.
    assert_allclose(np.var(ends), 1.0, atol=0.35)


@pytest.mark.parametrize("kind", ["noise", "noise-labels"])
def test_noise_does_not_depend_on_the_samples(kind):
    X, y, _ = make_known_smoothness(kind, 4000, n_classes=2, random_state=0)
    # Correlations of independent columns have the standard deviation 1 / sqrt(n).
    for column in X.T:
        assert abs(np.corrcoef(column, y)[0, 1]) < 4 / np.sqrt(4000)


@pytest.mark.parametrize(
    ("kind", "n_relevant", "n_classes"),
    [
        ("jump", 2, 5),
        ("noise-labels", 2, 7),
        ("boxes", 2, 3),
        ("boxes", 3, 2),
        ("boxes", 1, 3),
        ("boxes", 2, 4),
    ],
)
def test_all_classes_occur(kind, n_relevant, n_classes):
    _, y, _ = make_known_smoothness(
        kind, 2000, n_relevant=n_relevant, n_classes=n_classes, random_state=0
    )
    assert_array_equal(np.unique(y), np.arange(n_classes))


# ---------------------------------------------------------------- noise


@pytest.mark.parametrize("kind", REGRESSION)
def test_noise_is_in_units_of_the_clean_targets(kind):
    clean, noisy = (
        make_known_smoothness(kind, 4000, noise=noise, random_state=0)
        for noise in (0.0, 0.3)
    )
    assert_array_equal(clean[0], noisy[0])
    # The standard deviation from n normal numbers is right to 1 / sqrt(2 n) = 1.1 %.
    ratio = np.std(noisy[1] - clean[1]) / np.std(clean[1])
    assert_allclose(ratio, 0.3, rtol=0.05)


@pytest.mark.parametrize("kind", CLASSIFICATION)
def test_noise_of_classes_is_the_fraction_of_wrong_labels(kind):
    clean, noisy = (
        make_known_smoothness(kind, 500, noise=noise, random_state=0)
        for noise in (0.0, 0.25)
    )
    assert_array_equal(clean[0], noisy[0])
    assert (clean[1] != noisy[1]).sum() == 125


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "spaghetti"},
        {"n_samples": 0},
        {"n_samples": 10.5},
        {"n_relevant": 0},
        {"n_irrelevant": -1},
        {"n_classes": 1},
        {"exponent": 0.0},
        {"exponent": 1.0},
        {"noise": -0.1},
        {"random_state": "seed"},
    ],
)
def test_options_are_checked(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        make_known_smoothness(**options)


@pytest.mark.parametrize("kind", ONE_VARIABLE)
def test_functions_of_one_variable_take_no_other_number(kind):
    with pytest.raises(ValueError, match=r"one variable.* n_irrelevant"):
        make_known_smoothness(kind, n_relevant=2)


# ---------------------------------------------------------------- landscapes

LANDSCAPES = (make_nk_landscape, make_mount_fuji)


def neighbours(X, y, distance=1):
    """Fitness of all pairs of distinct words that differ in so many letters."""
    words, first = np.unique(X, axis=0, return_index=True)
    fitness = y[first]
    n_different = (words[:, None] != words[None]).sum(axis=2)
    one, other = np.nonzero(n_different == distance)
    return fitness[one], fitness[other]


@pytest.mark.parametrize("make", LANDSCAPES)
@pytest.mark.parametrize(("n_letters", "n_columns"), [(2, 5), (3, 15)])
def test_words_are_one_hot_columns_of_two_values_or_letters(make, n_letters, n_columns):
    options = dict(n_letters=n_letters, random_state=0)
    X, y, correlation = make(400, 5, 1, **options)
    assert X.shape == (400, n_columns)
    assert X.dtype == y.dtype == np.float64
    assert y.shape == (400,)
    assert type(correlation) is float
    assert set(X.ravel()) == {0.0, 1.0}

    letters, same, _ = make(400, 5, 1, encoding="letters", **options)
    assert letters.dtype == np.int64
    assert letters.shape == (400, 5)
    assert_array_equal(np.unique(letters), np.arange(n_letters))
    assert_array_equal(same, y)
    if n_letters == 2:
        assert_array_equal(letters, X)
    else:
        assert_array_equal(np.eye(3)[letters].reshape(400, -1), X)


@pytest.mark.parametrize("make", LANDSCAPES)
@pytest.mark.parametrize("n_letters", [2, 4])
def test_letters_are_uniform_and_independent(make, n_letters):
    X, _, _ = make(4000, 6, 1, n_letters=n_letters, encoding="letters", random_state=0)
    for column in X.T:
        assert chisquare(np.bincount(column)).pvalue > 1e-4
    correlations = np.corrcoef(X.T)[np.triu_indices(6, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(4000)


@pytest.mark.parametrize("make", LANDSCAPES)
def test_landscapes_are_reproducible(make):
    first = make(200, 8, 2, random_state=3)
    for state in (3, np.random.RandomState(3)):
        again = make(200, 8, 2, random_state=state)
        assert_array_equal(first[0], again[0])
        assert_array_equal(first[1], again[1])
    other = make(200, 8, 2, random_state=4)
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(np.unique(first[1]), np.unique(other[1]))


@pytest.mark.parametrize("make", LANDSCAPES)
@pytest.mark.parametrize("n_letters", [2, 3])
def test_the_same_word_has_the_same_fitness(make, n_letters):
    X, y, _ = make(500, 4, 2, n_letters=n_letters, random_state=0)
    _, place = np.unique(X, axis=0, return_inverse=True)
    assert len(np.unique(y)) == len(np.unique(place)) == n_letters**4
    for word in range(n_letters**4):
        assert len(np.unique(y[place.ravel() == word])) == 1


@pytest.mark.parametrize("n_letters", [2, 3])
@pytest.mark.parametrize("make", LANDSCAPES)
def test_without_neighbours_or_ruggedness_letters_add_up(make, n_letters):
    X, y, _ = make(1000, 6, 0, n_letters=n_letters, random_state=0)
    assert unexplained(y, np.column_stack([X, np.ones(1000)])) < 1e-12
    for rough in (1, 3):
        X, y, _ = make(1000, 6, rough, n_letters=n_letters, random_state=0)
        assert unexplained(y, np.column_stack([X, np.ones(1000)])) > 0.01


def test_contributions_are_functions_of_a_site_and_of_those_after_it():
    """The fitness of five sites with K = 2, by all products of three bits in a row."""
    X, y, _ = make_nk_landscape(400, 5, 2, random_state=0)

    def products(n_sites):
        return np.column_stack(
            [
                np.prod([X[:, (site + k) % 5] == bits >> k & 1 for k in range(n_sites)], 0)
                for site in range(5)
                for bits in range(2**n_sites)
            ]
        )

    assert unexplained(y, products(3)) < 1e-12
    assert unexplained(y, products(2)) > 0.01


def test_fitness_is_a_mean_of_uniform_numbers():
    for k in (0, 3, 6):
        y = np.concatenate(
            [make_nk_landscape(50, 7, k, random_state=seed)[1] for seed in range(100)]
        )
        assert (y > 0).all()
        assert (y < 1).all()
        # Of 100 landscapes of at least 14 numbers, with standard deviation 1 / sqrt(12).
        assert_allclose(y.mean(), 0.5, atol=0.03)
        assert_allclose(y.var(), 1 / 12 / 7, rtol=0.15)


@pytest.mark.parametrize("n_letters", [2, 3])
@pytest.mark.parametrize("n_neighbors", [0, 1, 3, 5])
def test_autocorrelation_of_nk_landscapes_is_that_of_theory(n_letters, n_neighbors):
    """Over landscapes, of mean 1/2 and variance 1 / (12 N)."""
    products, told = [], []
    for seed in range(60):
        X, y, correlation = make_nk_landscape(
            300,
            6,
            n_neighbors,
            n_letters=n_letters,
            encoding="letters",
            random_state=seed,
        )
        one, other = neighbours(X, y)
        products.append(np.mean((one - 0.5) * (other - 0.5)) * 12 * 6)
        told.append(correlation)
    assert set(told) == {1 - (n_neighbors + 1) / 6}
    error = np.std(products) / np.sqrt(60)
    assert_allclose(np.mean(products), told[0], atol=max(4 * error, 0.01))


@pytest.mark.parametrize("n_letters", [2, 4])
@pytest.mark.parametrize("ruggedness", [0.0, 0.5, 2.0])
def test_autocorrelation_of_mount_fuji_is_that_of_theory(n_letters, ruggedness):
    found, told = [], []
    for seed in range(20):
        X, y, correlation = make_mount_fuji(
            4000, 5, ruggedness, n_letters=n_letters, encoding="letters", random_state=seed
        )
        one, other = neighbours(X, y)
        found.append(np.corrcoef(one, other)[0, 1])
        told.append(correlation)
    of_slope = 1 - n_letters / (5 * (n_letters - 1))
    assert_allclose(set(told).pop(), of_slope / (1 + ruggedness**2), rtol=1e-12)
    # Of 32 words, the mean of the random part correlates with itself.
    assert_allclose(np.mean(found), told[0], atol=0.03 + 1 / n_letters**5)


def test_parts_of_mount_fuji_have_the_promised_spread():
    for n_letters in (2, 5):
        options = dict(n_letters=n_letters, random_state=0)
        slope = make_mount_fuji(20_000, 12, 0.0, **options)[1]
        assert_allclose(slope.std(), 1, rtol=0.03)
        for ruggedness in (0.5, 3.0):
            rough = make_mount_fuji(20_000, 12, ruggedness, **options)[1] - slope
            assert_allclose(rough.std(), ruggedness, rtol=0.05)
    X, y, _ = make_mount_fuji(3000, 8, 0.0, random_state=0)
    peak = X[y.argmax()]  # from which fitness falls by equal steps
    steps = np.polyfit((peak != X).sum(axis=1), y, 1)
    assert_allclose(steps[0], -2 / np.sqrt(8))


def test_many_sites_and_neighbours_need_no_table_of_all_words():
    X, y, correlation = make_nk_landscape(300, 200, 150, random_state=0)
    assert X.shape == (300, 200)
    assert np.isfinite(y).all()
    assert correlation == 1 - 151 / 200
    assert np.isfinite(make_mount_fuji(300, 500, random_state=0)[1]).all()


def test_numbers_of_landscapes_may_be_narrow_integers():
    narrow = make_nk_landscape(
        np.uint8(200), np.int8(100), np.int8(99), n_letters=np.int8(120), random_state=0
    )
    wide = make_nk_landscape(200, 100, 99, n_letters=120, random_state=0)
    assert_array_equal(narrow[0], wide[0])
    assert_array_equal(narrow[1], wide[1])
    assert narrow[2] == wide[2]
    narrow = make_mount_fuji(
        np.uint8(200), np.int8(100), n_letters=np.int8(120), random_state=0
    )
    wide = make_mount_fuji(200, 100, n_letters=120, random_state=0)
    assert_array_equal(narrow[1], wide[1])
    assert narrow[2] == wide[2]


@pytest.mark.parametrize("make", LANDSCAPES)
@pytest.mark.parametrize(
    "options",
    [
        {"n_samples": 0},
        {"n_samples": 10.5},
        {"n_sites": 0},
        {"n_letters": 1},
        {"encoding": "binary"},
        {"random_state": "seed"},
    ],
)
def test_options_of_landscapes_are_checked(make, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        make(**options)


def test_ruggedness_and_neighbours_are_checked():
    with pytest.raises(ValueError, match="'n_neighbors' parameter"):
        make_nk_landscape(n_neighbors=-1)
    for ruggedness in (-0.1, np.inf, np.nan):
        with pytest.raises(ValueError, match="'ruggedness' parameter"):
            make_mount_fuji(ruggedness=ruggedness)
    with pytest.raises(ValueError, match=r"n_neighbors=4 must be less than n_sites=4"):
        make_nk_landscape(100, 4, 4)


# ---------------------------------------------------------------- label corruption


@given(st.integers(2, 80), st.floats(0, 1), st.integers(2, 6), st.integers(0, 99))
def test_the_exact_number_of_labels_changes(n, fraction, n_classes, seed):
    y = np.arange(n) % n_classes
    before = y.copy()
    corrupted, mask = corrupt_labels(y, fraction, random_state=seed, return_mask=True)
    assert mask.sum() == round(fraction * n)
    assert_array_equal(corrupted != y, mask)  # never the same label
    assert np.isin(corrupted, y).all()
    assert_array_equal(y, before)


@pytest.mark.parametrize(
    "y",
    [
        np.array(["cat", "dog", "emu", "cat", "dog"]),
        np.array(["cat", "dog", "emu", "cat", "dog"], dtype=object),
        np.array([2.5, -1.0, 2.5, 0.0, 0.0]),
        np.array([True, False, True, True, False]),
        np.array([1, 200, 1, 1, 200], dtype=np.uint8),
    ],
    ids=["str", "object", "float", "bool", "uint8"],
)
def test_labels_keep_their_type(y):
    corrupted = corrupt_labels(y, 0.6, random_state=0)
    assert corrupted.dtype == y.dtype
    assert (corrupted != y).sum() == 3
    assert_array_equal(corrupt_labels(y.tolist(), 0.6, random_state=0), corrupted)
    assert_array_equal(corrupt_labels(pd.Series(y), 0.6, random_state=0), corrupted)


def test_corruption_is_reproducible_and_spread_over_the_samples():
    y = np.repeat([0, 1, 2], 100)
    first, second = (corrupt_labels(y, 0.2, random_state=1) for _ in range(2))
    assert_array_equal(first, second)
    assert not np.array_equal(first, corrupt_labels(y, 0.2, random_state=2))
    masks = [corrupt_labels(y, 0.2, random_state=seed) != y for seed in range(100)]
    # Every sample is binomial(100, 0.2), 20 +- 4: none is beyond five of these.
    assert np.abs(np.sum(masks, axis=0) - 20).max() < 20


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_are_not_the_test_rows_of_a_split_with_the_same_seed(seed):
    y = np.arange(1000) % 2
    _, wrong = corrupt_labels(y, 0.25, random_state=seed, return_mask=True)
    _, wrong_test = train_test_split(wrong, random_state=seed)
    # Of 250 test rows 62.5 are expected, with a standard deviation of 6.
    assert 62.5 - 24 < wrong_test.sum() < 62.5 + 24


def test_symmetric_noise_takes_every_other_class_alike():
    y = np.repeat(np.arange(4), 1500)
    corrupted, mask = corrupt_labels(y, 0.8, random_state=0, return_mask=True)
    for label in range(4):
        new = np.bincount(corrupted[mask & (y == label)], minlength=4)
        assert new[label] == 0
        assert chisquare(np.delete(new, label)).pvalue > 1e-3
    # The classes lose the same share of their samples.
    assert chisquare(np.bincount(y[mask])).pvalue > 1e-3


def test_confusion_matrix_is_respected():
    y = np.repeat(["a", "b", "c"], 2000)
    # The diagonal is not used, rows need not sum to one, and c is never changed.
    confusion = [[99, 3, 1], [0, 5, 2], [0, 0, 1]]
    corrupted, mask = corrupt_labels(
        y, 0.5, random_state=0, confusion=confusion, return_mask=True
    )
    assert mask.sum() == 3000
    assert not mask[y == "c"].any()
    assert set(corrupted[mask & (y == "b")]) == {"c"}
    names, counts = np.unique(corrupted[mask & (y == "a")], return_counts=True)
    assert_array_equal(names, ["b", "c"])
    assert chisquare(counts, counts.sum() * np.array([0.75, 0.25])).pvalue > 1e-3


def test_confusion_matrix_is_not_modified():
    confusion = np.array([[9.0, 1.0], [1.0, 9.0]])
    corrupt_labels([0, 1, 0, 1], 0.5, random_state=0, confusion=confusion)
    assert_array_equal(confusion, [[9, 1], [1, 9]])


def test_fractions_at_the_ends():
    y = np.array([0, 1, 1, 0])
    assert_array_equal(corrupt_labels(y, 0.0, random_state=0), y)
    assert_array_equal(corrupt_labels(y, 1.0, random_state=0), 1 - y)
    nothing = corrupt_labels(y, 0.0, random_state=0, confusion=np.eye(2))
    assert_array_equal(nothing, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fraction": 1.1}, "'fraction' parameter"),
        ({"fraction": -0.1}, "'fraction' parameter"),
        ({"fraction": np.nan}, "'fraction' parameter"),
        ({"return_mask": "yes"}, "'return_mask' parameter"),
        ({"confusion": np.eye(3)}, r"shape \(3, 3\), but y holds 2 classes"),
        ({"confusion": [[0, -1], [1, 0]]}, "negative"),
        ({"confusion": [[0, np.nan], [1, 0]]}, "NaN"),
        ({"confusion": np.eye(2)}, "lets only 0 samples change"),
        ({"confusion": [[0, 1], [0, 0]], "fraction": 0.8}, "lets only 2 samples change"),
    ],
)
def test_options_of_corruption_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        corrupt_labels([0, 1, 1, 0], **{"fraction": 0.5, **options})


@pytest.mark.parametrize("missing", [np.nan, None])
def test_missing_labels_are_no_class(missing):
    with pytest.raises(ValueError, match="missing labels"):
        corrupt_labels(np.array([0, 1, missing], dtype=object))


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e308])
def test_scale_of_the_confusion_does_not_matter(scale):
    y = np.arange(90) % 3
    corrupted = corrupt_labels(y, 1.0, 0, confusion=np.full((3, 3), scale))
    assert_array_equal(corrupted, corrupt_labels(y, 1.0, 0, confusion=np.ones((3, 3))))


def test_numbers_of_samples_and_columns_may_be_narrow_integers():
    narrow = dict(n_relevant=np.int8(100), n_irrelevant=np.int8(100))
    X, y, alpha = make_known_smoothness("jump", np.uint8(200), **narrow, random_state=0)
    assert X.shape == (200, 200)
    assert len(y) == 200
    assert alpha == 1 / 198


def test_labels_to_corrupt_are_checked():
    with pytest.raises(ValueError, match="one class only"):
        corrupt_labels(["a", "a"], 0.5)
    with pytest.raises(ValueError, match="1d array"):
        corrupt_labels(np.eye(2), 0.5)


def test_more_wrong_labels_than_labels_are_refused():
    with pytest.raises(ValueError, match=r"noise=1.5 is the fraction .* at most 1"):
        make_known_smoothness("jump", 100, noise=1.5)


@pytest.mark.parametrize(
    "names",
    [
        [0.5, 1.5, 2.5],
        [("a", 1), ("a", 2), ("b", 1)],
        [2.5, 1, "a"],
        list(pd.interval_range(0, 3)),
    ],
    ids=["floats", "tuples", "mixed", "intervals"],
)
def test_labels_of_any_type_are_corrupted_as_numbers_are(names):
    codes = np.arange(60) % 3
    y = np.empty(60, dtype=object)
    y[:] = [names[code] for code in codes]
    expected, mask = corrupt_labels(codes, 0.3, random_state=0, return_mask=True)
    for labels in (y, y.tolist(), pd.Series(y), pd.Series(y).astype("category")):
        corrupted, changed = corrupt_labels(labels, 0.3, random_state=0, return_mask=True)
        assert corrupted.tolist() == [names[code] for code in expected]
        assert_array_equal(changed, mask)
