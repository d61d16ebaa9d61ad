"""Bins, ranks, exact sums, scores and random numbers: what the searches are made of."""

import math
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
import reference
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sksmooth.samples.targets import Targets, encode_targets
from sksmooth.trees.bins import MISSING_CODE, MOST_BINS, bin_features
from sksmooth.trees.exact_sums import growth_samples
from sksmooth.trees.kernels import largest_class_score, mixed
from sksmooth.trees.ranks import MISSING_RANK, rank_features

# ---------------------------------------------------------------- bins


def plain_bins(column, weights, max_bins):
    """Codes of the bins of equal weight, by the middle of every value's weight."""
    values = sorted({float(value) for value in column if not math.isnan(value)})
    held = [weights[column == value].sum() for value in values]
    total = sum(held)
    places, before = [], 0.0
    for number, weight in enumerate(held):
        middle = (before + 0.5 * weight) / total
        places.append(int(middle * max_bins) if len(values) > max_bins else number)
        before += weight
    numbers = {place: number for number, place in enumerate(sorted(set(places)))}
    code_of = {value: numbers[place] for value, place in zip(values, places, strict=True)}
    return [code_of.get(float(value), MISSING_CODE) for value in column]


def dense_codes(binned):
    """Codes of all samples, one row a feature."""
    return binned.take(
        np.arange(binned.codes.shape[0 if sparse.issparse(binned.codes) else 1])
    )


finite = st.floats(-1e300, 1e300)
few_values = st.sampled_from([-3.0, -1.0, 0.0, 0.5, 2.0, np.nan])
columns = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, (n, 2), elements=st.one_of(finite, few_values, few_values)),
        hnp.arrays(np.float64, n, elements=st.integers(1, 5).map(float)),
    )
)
any_max_bins = st.sampled_from([2, 3, 4, 7, 255])


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@given(columns, any_max_bins)
@example((np.array([[-1.0, 1.0], [2.0, np.nan]]), np.ones(2)), 2)
@settings(max_examples=150)
def test_bins_are_those_of_equal_weight(convert, samples, max_bins):
    X, weights = samples
    binned = bin_features(convert(X), weights, max_bins)
    codes = dense_codes(binned)
    assert codes.dtype == np.uint8
    assert_array_equal(codes, [plain_bins(column, weights, max_bins) for column in X.T])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@given(columns, any_max_bins)
def test_codes_keep_the_order_and_bins_know_their_ends(convert, dtype, samples, max_bins):
    X, weights = samples
    with np.errstate(over="ignore"):
        X = np.clip(X.astype(dtype), np.finfo(dtype).min, np.finfo(dtype).max)
    binned = bin_features(convert(X), weights, max_bins)
    assert binned.lowest.shape == binned.highest.shape == (2, MOST_BINS)
    assert binned.lowest.dtype == binned.highest.dtype == dtype
    for k, codes in enumerate(dense_codes(binned)):
        missing = np.isnan(X[:, k])
        assert_array_equal(codes == MISSING_CODE, missing)
        by_value = np.argsort(X[:, k])
        assert (np.diff(codes[by_value].astype(int)) >= 0).all()
        n_bins = len(np.unique(codes[~missing]))
        for code in range(n_bins):
            own = X[codes == code, k]
            assert binned.lowest[k, code] == own.min()
            assert binned.highest[k, code] == own.max()
        assert n_bins <= max_bins
        assert np.isinf(binned.lowest[k, n_bins:]).all()
        assert np.isinf(binned.highest[k, n_bins:]).all()


@given(columns, any_max_bins)
def test_bins_of_weights_are_those_of_repeats(samples, max_bins):
    X, weights = samples
    repeats = weights.astype(int)
    again = np.repeat(X, repeats, axis=0)
    weighted = bin_features(X, weights, max_bins)
    repeated = bin_features(again, np.ones(len(again)), max_bins)
    assert_array_equal(np.repeat(weighted.codes, repeats, axis=1), repeated.codes)
    assert_array_equal(weighted.lowest, repeated.lowest)
    assert_array_equal(weighted.highest, repeated.highest)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_bins_hold_equal_weights_up_to_heavy_values(convert):
    X, weights = np.arange(6.0)[:, None], np.array([1.0, 1.0, 1.0, 7.0, 1.0, 1.0])
    # Of the weight 12, a bin holds 3; the middles lie at 0.5, 1.5, 2.5, 6.5, 10.5, 11.5.
    codes = dense_codes(bin_features(convert(X), weights, 4))
    assert_array_equal(codes, [[0, 0, 0, 1, 2, 2]])
    X = np.random.RandomState(0).standard_normal((1000, 2))
    for max_bins in (2, 10, 255):
        for row in dense_codes(bin_features(convert(X), np.ones(1000), max_bins)):
            counts = np.bincount(row)
            assert len(counts) == max_bins
            assert np.abs(counts - 1000 / max_bins).max() <= 1


@pytest.mark.parametrize("n_values", [254, 255, 256, 257])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("shift", [0, 1000])
def test_bins_are_exact_up_to_as_many_values(n_values, convert, shift):
    # With a shift, there are no zeros.
    values = np.random.RandomState(0).permutation(np.repeat(np.arange(n_values), 3)) + shift
    (codes,) = dense_codes(
        bin_features(convert(values[:, None] * 0.5), np.ones(len(values)))
    )
    assert len(np.unique(codes)) == min(n_values, 255)
    if n_values <= 255:
        assert_array_equal(codes, values - shift)


def test_missing_values_do_not_count_as_a_bin():
    values = np.append(np.arange(255.0), [np.nan, np.nan])[:, None]
    for X in (values, sparse.csr_matrix(values), values.astype(np.float32)):
        codes = dense_codes(bin_features(X, np.ones(257)))
        assert_array_equal(codes[0, :255], np.arange(255))
        assert_array_equal(codes[0, 255:], MISSING_CODE)
    nothing = np.full((5, 1), np.nan)
    for X in (nothing, sparse.csr_matrix(nothing)):
        assert_array_equal(dense_codes(bin_features(X, np.ones(5))), MISSING_CODE)


def assert_same_bins(first, second):
    assert_array_equal(dense_codes(first), dense_codes(second))
    assert_array_equal(first.lowest, second.lowest)
    assert_array_equal(first.highest, second.highest)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bins_do_not_depend_on_blocks_layout_or_workers(dtype, tmp_path):
    # A megabyte is read at a time: several columns, or one if workers share it.
    rng = np.random.RandomState(0)
    n = 40_000
    X = rng.standard_normal((n, 7)).astype(dtype)
    X[rng.uniform(size=X.shape) < 0.1] = np.nan
    mapped = np.memmap(tmp_path / "X", dtype=dtype, mode="w+", shape=X.shape)
    mapped[:] = X
    for weights in (np.ones(n), rng.randint(1, 5, size=n) * 1.0):
        whole = bin_features(X, weights, 50)
        assert whole.codes.min() == 0
        for k in range(7):
            alone = bin_features(X[:, [k]], weights, 50)
            assert_array_equal(alone.codes[0], whole.codes[k])
        for n_jobs in (1, 2):
            assert_same_bins(whole, bin_features(X, weights, 50, n_jobs))
        for layout in (np.asfortranarray(X), mapped, X[:, ::-1][:, ::-1]):
            assert_same_bins(whole, bin_features(layout, weights, 50))
        shuffle = rng.permutation(n)
        shuffled = bin_features(X[shuffle], weights[shuffle], 50)
        assert_array_equal(whole.codes[:, shuffle], shuffled.codes)


@given(
    st.lists(st.sampled_from([1.0, 1.1, 1.3, 2.7, 10.0 / 3]), min_size=4, max_size=30),
    st.sampled_from([2, 3, 4]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=300)
@example([1.0] * 10, 2, None)
def test_bins_do_not_depend_on_the_order_of_the_rows(weights, max_bins, random):
    # Four samples of every value: their weights are summed in some order.
    weights = np.array(weights)
    X = (np.arange(len(weights)) // 4 * 1.0)[:, None]
    shuffle = list(range(len(weights)))
    if random is not None:
        random.shuffle(shuffle)
    for convert in (np.asarray, sparse.csr_matrix):
        codes = dense_codes(bin_features(convert(X), weights, max_bins))
        shuffled = bin_features(convert(X[shuffle]), weights[shuffle], max_bins)
        assert_array_equal(codes[:, shuffle], dense_codes(shuffled))


@given(columns, any_max_bins, st.integers(0, 1000))
def test_sparse_bins_are_those_of_dense_columns(samples, max_bins, seed):
    X, weights = samples
    dense = bin_features(X, weights, max_bins)
    stored = sparse.csr_matrix(X)
    assert_same_bins(dense, bin_features(stored, weights, max_bins))
    # Some zeros are stored.
    explicit = sparse.csr_matrix(np.ones(X.shape))
    explicit.data = X.ravel().copy()
    kept = (X.ravel() != 0) | (np.random.RandomState(seed).uniform(size=X.size) < 0.5)
    indptr = np.concatenate([[0], np.cumsum(kept.reshape(X.shape).sum(axis=1))])
    parts = explicit.data[kept], explicit.indices[kept], indptr
    partly = bin_features(sparse.csr_matrix(parts, X.shape), weights, max_bins)
    assert_same_bins(dense, partly)
    rows = np.arange(0, len(X), 2)
    assert_array_equal(partly.take(rows), dense.take(rows))


@given(
    hnp.arrays(np.int64, (15, 2), elements=st.integers(0, 7)),
    st.lists(finite, min_size=8, max_size=8, unique=True).map(sorted),
    st.sampled_from([3, 255]),
)
def test_codes_are_invariant_to_monotone_transforms(positions, values, max_bins):
    X = np.array(values)[positions]
    codes = bin_features(X, np.ones(15), max_bins).codes
    expected = bin_features(positions.astype(float), np.ones(15), max_bins).codes
    assert_array_equal(codes, expected)


# ---------------------------------------------------------------- ranks


@given(columns)
def test_ranks_are_those_among_distinct_values(samples):
    for X in (samples[0], np.asfortranarray(samples[0])):
        ranks = rank_features(X)
        assert ranks.dtype == np.uint16
        for column, own in zip(X.T, ranks.T, strict=True):
            missing = np.isnan(column)
            assert (own[missing] == MISSING_RANK).all()
            expected = np.unique(column[~missing], return_inverse=True)[1].ravel()
            assert_array_equal(own[~missing], expected)


def test_ranks_do_not_depend_on_blocks_or_workers():
    X = np.random.RandomState(0).randint(0, 500, size=(40_000, 9)) * 0.5
    whole = rank_features(X.astype(np.float32))
    assert_array_equal(whole, 2 * X)
    for n_jobs in (1, 2):
        assert_array_equal(rank_features(X, n_jobs), whole)


def test_two_bytes_do_not_rank_more_values():
    X = np.arange(MISSING_RANK + 1.0)[:, None]
    X[-1] = np.nan
    assert_array_equal(rank_features(X)[:, 0], np.arange(MISSING_RANK + 1))
    X[-1] = -1.0
    assert rank_features(X) is None


# ---------------------------------------------------------------- sums and scores


counts_of_classes = st.lists(st.integers(0, 4), min_size=2, max_size=7)


@given(counts_of_classes)
def test_no_split_scores_more_than_the_separation_of_classes(counts):
    total = np.array(counts, dtype=np.float64)
    bound = largest_class_score(total)
    n_present = np.sum(total > 0)
    if not 2 <= n_present <= 5:
        assert bound == np.inf
        return
    best = Fraction(0)
    for left in product(*(range(count + 1) for count in counts)):
        weight = sum(left)
        if 0 < weight < sum(counts):
            right = [count - part for count, part in zip(counts, left, strict=True)]
            score = Fraction(sum(part**2 for part in left), weight)
            score += Fraction(sum(part**2 for part in right), sum(right))
            best = max(best, score)
    assert_allclose(bound, float(best), rtol=1e-15)


heavy_tails = st.floats(-30, 30).map(math.exp)
any_weights = st.lists(
    st.one_of(heavy_tails, st.sampled_from([0.1, 0.2, 0.3, 0.4, 1 / 3, 1.0, 1e9])),
    min_size=2,
    max_size=40,
).map(np.array)


def targets_of_classes(n):
    return Targets(np.zeros((n, 2)), np.zeros(n), np.arange(n) % 3)


def assert_sums_are_exact(numbers, rng):
    exact = sum(Fraction(number) for number in numbers.tolist())
    for _ in range(5):
        order = rng.permutation(len(numbers))
        assert Fraction(float(np.cumsum(numbers[order])[-1])) == exact
        parts = (
            numbers[order][: len(numbers) // 2].sum(),
            numbers[order][len(numbers) // 2 :].sum(),
        )
        assert Fraction(float(parts[0] + parts[1])) == exact


@example(np.array([1.0, 1e9]), 0)  # whole, but their squares need more than 53 bits
@given(any_weights, st.integers(0, 1000))
def test_sums_of_weights_are_exact(weights, seed):
    rng = np.random.RandomState(seed)
    samples = growth_samples(targets_of_classes(len(weights)), weights)
    assert samples.n_classes == 3
    assert samples.values.shape == (len(weights), 0)
    assert (samples.weights > 0).all()
    assert_allclose(samples.weights, weights, rtol=0, atol=2.0**-25 * weights.sum())
    assert_sums_are_exact(samples.weights, rng)
    square = Fraction(float(samples.weights.sum())) ** 2
    assert Fraction(float(square)) == square


@given(any_weights, st.integers(0, 1000))
def test_sums_of_values_are_exact(weights, seed):
    rng = np.random.RandomState(seed)
    y = np.column_stack([rng.standard_cauchy(len(weights)), np.arange(len(weights)) / 3])
    samples = growth_samples(encode_targets(y)[0], weights)
    assert samples.n_classes == 0
    for column in samples.values.T:
        assert_sums_are_exact(column, rng)
    # Weighted targets, once the middle is taken off, in units of a power of two.
    centred = y - (y.min(axis=0) + y.max(axis=0)) / 2
    expected = (
        samples.weights[:, None] * centred / 2.0 ** np.ceil(np.log2(np.abs(centred).max()))
    )
    largest_sum = np.maximum(np.abs(expected).sum(axis=0).max(), weights.sum())
    assert_allclose(samples.values, expected, rtol=0, atol=2.0**-50 * largest_sum)


@given(any_weights, st.integers(0, 1000))
def test_prepared_samples_do_not_depend_on_their_order(weights, seed):
    rng = np.random.RandomState(seed)
    n = len(weights)
    y = rng.randint(-10, 11, size=(n, 2)) / 10
    y[:2] = [[0.0, 0.0], [1.0, 1.0]]
    assert_prepared_alike(y, weights, rng.permutation(n))


@pytest.mark.parametrize("shuffle", list(permutations(range(4))))
def test_sums_near_powers_of_two_do_not_depend_on_the_order(shuffle):
    # By their order, these sum to 1 or to a number next to it.
    tenths = np.array([0.1, 0.2, 0.3, 0.4])
    ones = np.ones(4)
    assert_prepared_alike(ones[:, None] * [[1], [2], [3], [4]], tenths, list(shuffle))
    assert_prepared_alike(
        np.append(tenths, -tenths)[:, None], np.ones(8), [*shuffle, 7, 6, 5, 4]
    )


def assert_prepared_alike(y, weights, shuffle):
    floor = np.zeros(len(y))
    first = growth_samples(Targets(y, floor, None), weights)
    second = growth_samples(Targets(y[shuffle], floor, None), weights[shuffle])
    for a, b in zip(first[:3], second[:3], strict=True):
        assert_array_equal(a[shuffle], b)


def test_whole_weights_and_few_values_are_taken_as_they_are():
    weights = np.random.RandomState(0).randint(1, 100, size=50) * 1.0
    values = np.arange(50.0)[:, None] % 5
    targets = Targets(values, np.zeros(50), None)
    samples = growth_samples(targets, weights)
    assert_array_equal(samples.weights, weights)
    assert_array_equal(samples.values[:, 0], weights * (np.arange(50) % 5 - 2) / 2)
    assert_array_equal(samples.labels, np.arange(50) % 5)
    rows = np.array([3, 1, 7])
    part = samples.take(rows)
    assert_array_equal(part.weights, weights[rows])
    assert_array_equal(part.labels, rows % 5)
    assert part.n_classes == 0


def test_draws_are_those_of_splitmix64():
    # The published outputs of the generator with these seeds.
    assert [mixed(np.uint64(0), k) for k in range(3)] == [
        0xE220A8397B1DCDAF,
        0x6E789E6AA1B965F4,
        0x06C45D188009454F,
    ]
    assert [mixed(np.uint64(1234567), k) for k in range(3)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]
    largest = 2**64 - 1
    for seed, number in product((0, 5, 2**63, largest), (0, 1, 7)):
        assert mixed(np.uint64(seed), number) == reference.mixed(seed, number)
