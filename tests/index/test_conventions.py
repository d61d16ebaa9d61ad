"""Conventions: curves of a known decay, published procedures, cautions, and a new one."""

import json

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from index_cases import (
    WINDOW,
    curves_of,
    equal_trees,
    fit,
    jittered_trees,
    kinds_of_cautions,
    power_law,
    read,
    width,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.tree import DecisionTreeRegressor

import sksmooth
from sksmooth import BesovSmoothnessEstimator
from sksmooth.datasets import make_known_smoothness
from sksmooth.exceptions import (
    BentDecayWarning,
    ConstantFeaturesWarning,
    FewTermsWarning,
    InSampleOnlyWarning,
    PoorFitWarning,
    UnresolvedIndexWarning,
)
from sksmooth.index import CONVENTIONS, Convention, IndexFit, variance_of_difference
from sksmooth.index.power_law import fit_power_law
from sksmooth.index.variance import Replicates
from sksmooth.samples import read_samples
from sksmooth.trees import Growth, grow
from sksmooth.wavelets import decompose, error_curves

EXPONENTS = pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
exponents = st.sampled_from([1.0, 2.0, 3.0])


def grown_curves(X, y, growth, sample_weight=None, **options):
    samples = read_samples(X, y, sample_weight)
    grown = grow(samples, growth)
    return error_curves(decompose(grown, samples, **options), grown, samples)


# ---------------------------------------------------------------- m-term


@EXPONENTS
@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0])
def test_m_term_index_recovers_an_exact_power_law(alpha, p):
    fitted = fit(curves_of(equal_trees(power_law(alpha, scale=7.0) ** p, 4), p))
    assert_allclose(fitted.alpha, alpha, atol=1e-10)
    # Samples and trees alike, and a straight line: no width but that of a usual window.
    assert fitted.replicates.variance < 1e-12
    assert 1 < fitted.interval[1] / alpha < 1.25
    assert_allclose(np.prod(fitted.interval), alpha**2, rtol=1e-8)
    assert_allclose(fitted.line.r_squared, 1, atol=1e-10)
    assert fitted.fit_range == fitted.window == WINDOW
    assert_array_equal(fitted.n_terms, np.arange(1, 1001))
    assert_allclose(fitted.errors, 7 * fitted.n_terms**-alpha, rtol=1e-10)
    assert_allclose(fitted.line(fitted.n_terms), fitted.errors, rtol=1e-8)
    assert_array_equal(fitted.m_term_errors, fitted.errors)
    assert fitted.cautions == ()
    assert fitted.convention is CONVENTIONS["mterm"]


def test_only_the_window_counts():
    errors = power_law(0.5)
    errors[: WINDOW[0]] *= 3
    errors[WINDOW[1] + 1 :] = 0
    fitted = read(curves_of(equal_trees(errors**2)))
    assert_allclose(fitted.alpha, 0.5, atol=1e-10)
    # It ends with the longest tree.
    fitted = read(curves_of(equal_trees(power_law(0.5, 100) ** 2)))
    assert fitted.fit_range == (14, 100)
    assert_allclose(fitted.alpha, 0.5, atol=1e-10)


def test_errors_are_averaged_over_trees_and_sides_before_the_root():
    powers = np.array([power_law(0.3) ** 2, 4 * power_law(0.8) ** 2])
    # Biases of (1 - 1/k) and (1 + 1/k) cancel, whatever their decay.
    bias = powers * np.linspace(0, 0.5, 1001)
    fitted = fit(curves_of(np.stack([powers - bias, powers + bias], axis=-1)))
    assert_allclose(fitted.errors, np.sqrt(powers.mean(axis=0))[1:], rtol=1e-12)
    assert 0.3 < fitted.alpha < 0.8


@pytest.mark.parametrize("n_unseen", [0, 1])
def test_trees_that_have_seen_all_samples_are_cautioned_against(n_unseen):
    # One is enough: averages over unequal trees would say nothing.
    powers = equal_trees(power_law(0.5) ** 2, 3)
    powers[n_unseen:, :, 1] = np.nan
    fitted = fit(curves_of(powers))
    assert_allclose(fitted.alpha, 0.5, atol=1e-10)
    assert_allclose(fitted.errors, np.sqrt(0.8) * power_law(0.5)[1:], rtol=1e-12)
    assert kinds_of_cautions(fitted) == [InSampleOnlyWarning]
    fitted = fit(curves_of(powers, n_samples=150))  # it keeps other cautions
    assert kinds_of_cautions(fitted) == [FewTermsWarning, InSampleOnlyWarning]


@EXPONENTS
def test_errors_of_rounding_size_are_none(p):
    errors = power_law(0.5)
    errors[101:] = 0.9e-6 * errors[0]
    fitted = read(curves_of(equal_trees(errors**p), p))
    assert_array_equal(fitted.errors[100:], 0)
    assert_allclose(fitted.alpha, 0.5, atol=1e-10)
    errors[101:] = 2.1e-6 * errors[0]
    fitted = read(curves_of(equal_trees(errors**p), p))
    assert (fitted.errors > 0).all()
    assert fitted.alpha > 1


@given(st.floats(1e-60, 1e60), exponents, st.integers(0, 100))
def test_indices_have_no_unit(factor, p, seed):
    powers = jittered_trees(0.5, 4, 0.1, p, seed)
    norms = np.stack([falling_norms(alpha, p) for alpha in (0.4, 0.5, 0.6, 0.7)])
    options = dict(n_apart=3.0, n_samples=10**6)  # no error is that of one sample
    for index in ("mterm", "weak-lp"):
        plain = fit(curves_of(powers, p, norms=norms, **options), index)
        scaled = curves_of(powers * factor**p, p, norms=norms * factor, **options)
        other = fit(scaled, index)
        assert_allclose(other.errors, plain.errors * factor, rtol=1e-9)
        assert_allclose(other.alpha, plain.alpha, atol=1e-9)
        assert_allclose(width(other), width(plain), atol=1e-8)
        assert width(plain) > 0.01


# ---------------------------------------------------------------- weak l_p


def falling_norms(alpha, p, n_terms=1000):
    return np.arange(1, n_terms + 1.0) ** -(alpha + 1 / p)


def weak_lp_powers(norms, p, confirmed=1.0):
    """Errors whose drops are the norms in the bag, and their share confirmed out of it."""
    drops = np.stack([norms**p, confirmed * norms**p], axis=1)
    residual = 1e-4 * drops[:1, :1].sum()  # else the function is one of few boxes
    errors = np.cumsum(drops[::-1], axis=0)[::-1]
    return residual + np.append(errors, np.zeros((1, 2)), axis=0)


def weak_lp_fit(norms, p, confirmed=1.0, *, fit_it=read, **options):
    """The fit of trees with these norms, shape (n_trees, n_terms)."""
    powers = np.stack([weak_lp_powers(own, p, confirmed) for own in norms])
    return fit_it(curves_of(powers, p, norms=norms, **options), index="weak-lp")


@EXPONENTS
@pytest.mark.parametrize("n_trees", [1, 3])
@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_weak_lp_index_recovers_the_decay_of_the_norms(alpha, n_trees, p):
    norms = falling_norms(alpha, p)
    fitted = weak_lp_fit(np.tile(norms, (n_trees, 1)), p)
    assert_allclose(fitted.alpha, alpha, atol=1e-9)
    assert_allclose(fitted.interval, alpha, atol=1e-7)
    assert fitted.fit_range == WINDOW
    assert_allclose(fitted.errors, norms, rtol=1e-9)
    assert_array_equal(fitted.n_terms, np.arange(1, 1001))
    assert_allclose(fitted.line.slope, -(alpha + 1 / p), atol=1e-9)
    assert fitted.cautions == ()
    short = weak_lp_fit(norms[None, :300], p)
    assert short.fit_range == (14, 300)
    assert_allclose(short.alpha, alpha, atol=1e-9)


@EXPONENTS
def test_norms_are_averaged_over_trees_rank_by_rank(p):
    norms = np.stack([falling_norms(0.3, p), 3 * falling_norms(0.8, p)])
    norms[1, 500:] = 0  # it has no more terms
    fitted = weak_lp_fit(norms, p)
    expected = ((norms[0] ** p + norms[1] ** p) / 2) ** (1 / p)
    assert_allclose(fitted.errors, expected, rtol=1e-9)


@EXPONENTS
@pytest.mark.parametrize(
    ("confirmed", "kept"), [(1.0, 1.0), (0.5, 0.75), (0.0, 0.5), (-0.5, 0.25), (3.0, 1.0)]
)
def test_norms_shrink_by_half_of_what_is_not_confirmed(confirmed, kept, p):
    norms = np.tile(falling_norms(0.5, p), (2, 1))
    fitted = weak_lp_fit(norms, p, confirmed)
    assert_allclose(fitted.errors**p, kept * norms[0] ** p, rtol=1e-9)
    assert_allclose(fitted.alpha, 0.5, atol=1e-9)


def test_norms_vanish_where_more_is_lost_than_gained():
    norms = np.tile(falling_norms(0.5, 2.0), (2, 1))
    noise = weak_lp_fit(norms, 2.0, -1.01)
    assert_array_equal(noise.errors, 0)
    assert kinds_of_cautions(noise) == [PoorFitWarning]
    beyond = np.where(np.arange(1000) < 200, 1.0, -1.5)
    fitted = weak_lp_fit(norms, 2.0, beyond)
    # But for the octave third with term 200 in it.
    assert_allclose(fitted.errors[:150], norms[0, :150], rtol=1e-9)
    assert_array_equal(fitted.errors[260:], 0)


@EXPONENTS
@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_norms_shrink_octave_third_by_octave_third(rate, p):
    # What is left decays by the rate more, and so does the index by 1 / p of it.
    kept = np.arange(1, 1001.0) ** -rate
    norms = falling_norms(0.5, p)
    fitted = weak_lp_fit(np.tile(norms, (2, 1)), p, 2 * kept - 1)
    assert_allclose(fitted.errors**p, kept * norms**p, rtol=0.35 * rate)
    assert_allclose(fitted.alpha, 0.5 + rate / p, rtol=0.02)


def test_share_that_is_confirmed_is_that_of_all_trees():
    # One tree gains as much as another loses.
    norms = falling_norms(0.5, 2.0)
    powers = np.stack([weak_lp_powers(norms, 2.0, share) for share in (2.0, -1.0)])
    fitted = read(curves_of(powers, norms=np.tile(norms, (2, 1))), index="weak-lp")
    assert_allclose(fitted.errors**2, 0.75 * norms**2, rtol=1e-9)


def test_norms_of_trees_that_have_seen_all_samples_are_taken_as_they_are():
    norms = np.stack([falling_norms(0.4, 2.0), falling_norms(0.6, 2.0)])
    powers = np.stack([weak_lp_powers(own, 2.0, 0.1) for own in norms])
    powers[1, :, 1] = np.nan
    fitted = read(curves_of(powers, norms=norms), index="weak-lp")
    assert_allclose(fitted.errors**2, (norms**2).mean(axis=0), rtol=1e-9)
    assert kinds_of_cautions(fitted) == [InSampleOnlyWarning]


def test_replicates_of_weak_lp_are_those_of_trees_and_window():
    norms = np.stack([falling_norms(alpha, 2.0) for alpha in (0.4, 0.5, 0.7)])
    shrunk = np.arange(1, 1001.0) ** -0.2
    fitted = weak_lp_fit(norms, 2.0, shrunk, n_apart=2.5)
    others = [weak_lp_fit(np.delete(norms, j, axis=0), 2.0, shrunk) for j in range(3)]
    assert_allclose(fitted.replicates.trees, [each.alpha for each in others], rtol=1e-9)
    assert len(fitted.replicates.groups) == 0
    assert len(fitted.replicates.blocks) == 4
    assert fitted.replicates.n_apart == 2.5
    low, high = fitted.interval
    assert low < fitted.alpha < high


# ---------------------------------------------------------------- sparsity probe


def probe(log_norms, n_trees=1, p=2.0, **options):
    """The fit of norms that are dealt to the trees in turn."""
    norms = np.exp(np.reshape(log_norms, (-1, n_trees)).T)
    powers = equal_trees(power_law(0.5, norms.shape[1]) ** p, n_trees)
    return fit(curves_of(powers, p, norms=norms, **options), "sparsity-probe")


@pytest.mark.parametrize("n_trees", [1, 4])
@pytest.mark.parametrize(("rate", "p"), [(0.7, 2.0), (1.0, 1.0), (1.5, 3.0), (3.0, 2.0)])
def test_sparsity_probe_is_the_mean_over_the_critical_taus_of_the_formula(rate, n_trees, p):
    norms = np.arange(1, 201) ** -rate
    fitted = probe(np.log(norms), n_trees, p, n_apart=4.0)
    # Points of a grid of 0.01.
    taus = np.array(reference.critical_taus(norms, n_trees))
    assert_allclose(fitted.alpha, np.mean(1 / taus - 1 / p), atol=1e-9)
    assert_allclose(fitted.errors, norms, rtol=1e-12)
    assert_allclose(fitted.line.slope, -(fitted.alpha + 1 / p))
    # Its slope is not fitted, so the plain formula falls below zero.
    assert 0 <= fitted.line.r_squared <= 1
    if n_trees == 1:
        assert len(fitted.replicates.trees) == 0
    else:
        others = norms[np.arange(200) % 4 != 2]
        taus = np.array(reference.critical_taus(others, 3))
        assert_allclose(fitted.replicates.trees[2], np.mean(1 / taus - 1 / p), atol=1e-9)
        assert len(fitted.replicates.trees) == 4
        assert fitted.replicates.n_apart == 4.0
        assert width(fitted) > 0


def test_trees_that_all_agree_tell_nothing():
    fitted = probe(np.repeat(-np.log(np.arange(1, 101)), 4), 4)
    assert fitted.interval == (0.0, np.inf)


def test_sparsity_probe_does_not_overflow():
    # Powers between 0.1 and 9 of such sums leave the range of float64 both ways.
    assert np.isfinite(probe(np.linspace(300, -700, 2000)).alpha)


def test_one_term_leaves_the_sparsity_probe_unresolved():
    # D(tau) = -1 / tau is -10 at most, 5.7 degrees from the vertical, so the index of the
    # smallest tau of the grid, 0.1, is a lower bound.
    fitted = probe([0.0])
    assert_allclose(fitted.alpha, 1 / 0.1 - 1 / 2)
    assert fitted.is_bound
    assert fitted.interval[1] == np.inf
    assert UnresolvedIndexWarning in kinds_of_cautions(fitted)


# ---------------------------------------------------------------- Elisha and Dekel


def published_numbers_of_terms(n_nodes, n_trees):
    """1, 1 + 2J, 1 + 4J, ... below 1000, with 2J nodes left beyond."""
    terms = [1]
    while terms[-1] + 2 * n_trees < min(1000, n_nodes - 2 * n_trees + 1):
        terms.append(terms[-1] + 2 * n_trees)
    return terms


def elisha_dekel_data(n_classes, n_samples=60):
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(n_samples, 2)), rng.randint(0, n_classes or 2, size=n_samples)
    weights = rng.randint(1, 4, size=n_samples).astype(float)
    if n_classes:
        return X, y, weights, np.eye(n_classes)[y]
    y = np.sin(5 * X[:, 0]) + 3 + X[:, 1]
    return X, y, weights, y[:, None]


@pytest.mark.parametrize("n_classes", [3, None])
def test_elisha_dekel_is_the_slope_of_the_squared_error_with_ranked_roots(n_classes):
    # Of classes, of one-hot vectors; it is not halved.
    X, y, weights, values = elisha_dekel_data(n_classes)
    growth = Growth(3, max_depth=4, max_samples=0.8, random_state=0)
    curves = grown_curves(X, y, growth, weights, measure="volume")
    trees, bags = curves.grown.forest.trees, curves.grown.bags
    nodes = reference.decompose(trees, X, values, bags, measure="volume")

    def expected(chosen):
        own = [nodes[j] for j in chosen]
        terms = published_numbers_of_terms(sum(map(len, own)), len(own))
        errors = reference.elisha_dekel_curve(
            [trees[j] for j in chosen], own, X, values, weights, terms
        )
        return terms, errors, -np.polyfit(np.log(terms), np.log(errors), 1)[0]

    fitted = fit(curves, "elisha-dekel")
    terms, errors, alpha = expected([0, 1, 2])
    assert len(terms) > 6
    assert_array_equal(fitted.n_terms, terms)
    assert_allclose(fitted.errors, errors, rtol=1e-10)
    assert_allclose(fitted.alpha, alpha, rtol=1e-10)
    assert fitted.fit_range == (1, terms[-1])
    others = [expected(kept)[2] for kept in ([1, 2], [0, 2], [0, 1])]
    assert_allclose(fitted.replicates.trees, others, rtol=1e-9)
    assert fitted.replicates.freedom == 2
    assert len(fitted.replicates.groups) == len(fitted.replicates.blocks) == 0


@pytest.mark.parametrize("n_trees", [1, 5, 30])
@pytest.mark.parametrize("n_leaves", [2, 5, 6, 23, 300])
def test_numbers_of_terms_are_the_published_ones(n_leaves, n_trees):
    X, y = np.random.RandomState(0).uniform(size=(2, 400, 1))
    forest = DecisionTreeRegressor(max_leaf_nodes=n_leaves, random_state=0).fit(X, y)
    curves = grown_curves(X, y.ravel(), Growth(forest=forest), measure="volume")
    assert len(curves.by_tree) == 1
    trees = Growth(n_trees, max_depth=max(n_leaves.bit_length() - 1, 1), random_state=0)
    for each in (curves, grown_curves(X, y.ravel(), trees, measure="volume")):
        expected = published_numbers_of_terms(
            len(each.decomposition.norm), each.decomposition.n_trees
        )
        assert_array_equal(fit(each, "elisha-dekel").n_terms, expected)


@pytest.mark.parametrize(("n_leaves", "few"), [(5, True), (6, False)])
def test_few_points_of_the_published_procedure_are_cautioned_against(n_leaves, few):
    # M = 1, 3, 5, 7 with nine nodes, and 9 with eleven.
    X, y = np.random.RandomState(0).uniform(size=(2, 100, 1))
    forest = DecisionTreeRegressor(max_leaf_nodes=n_leaves, random_state=0)
    fitted = fit(grown_curves(X, y.ravel(), Growth(forest=forest)), "elisha-dekel")
    assert len(fitted.n_terms) == (4 if few else 5)
    assert (FewTermsWarning in kinds_of_cautions(fitted)) == few


# ---------------------------------------------------------------- cautions


@pytest.mark.parametrize(("n_samples", "few"), [(199, True), (200, False)])
@pytest.mark.parametrize("index", ["mterm", "weak-lp"])
def test_few_terms_are_cautioned_against(index, n_samples, few):
    norms = np.tile(falling_norms(0.5, 2.0), (2, 1))
    powers = np.stack([weak_lp_powers(own, 2.0) for own in norms])
    fitted = fit(curves_of(powers, norms=norms, n_samples=n_samples), index)
    assert fitted.window[1] == (39 if few else 40)
    assert kinds_of_cautions(fitted) == ([FewTermsWarning] if few else [])


def test_curves_that_are_no_power_law_are_cautioned_against():
    # Slowly falling, but for a dip in the middle of the window.
    errors = power_law(0.05)
    errors[60:120] *= 0.5
    fitted = fit(curves_of(equal_trees(errors**2)))
    assert fitted.line.r_squared < 0.8
    assert kinds_of_cautions(fitted) == [PoorFitWarning]
    assert str(fitted.fit_range) in str(fitted.cautions[0])


def test_flat_curves_of_noise_are_no_poor_fit():
    # R^2 is low, but there is no decay to be fitted.
    noise = 1 + 1e-3 * np.random.RandomState(0).standard_normal(1001)
    fitted = fit(curves_of(equal_trees(noise)))
    assert fitted.line.r_squared < 0.8
    assert abs(fitted.alpha) < 1e-3
    assert fitted.cautions == ()


def bent_curve(early, late, window=WINDOW, scale=1.0):
    """Errors whose rate changes in the middle of the window."""
    middle = int(np.sqrt(window[0] * window[1]))
    terms = np.arange(1, 1001) / middle
    errors = np.where(terms < 1, terms**-early, terms**-late)
    return scale * np.append(2 * errors[0], errors)


def cautions_of_bent(*rates, **options):
    return fit(curves_of(equal_trees(bent_curve(*rates) ** 2), **options)).cautions


@pytest.mark.parametrize(
    ("early", "late", "message"),
    [
        (0.3, 0.7, "with more of them it would be larger"),
        (-0.3, -0.7, "with more of them, or less noise, it would change"),
    ],
)
def test_bent_curves_are_cautioned_against(early, late, message):
    (caution,) = cautions_of_bent(early, late)
    assert type(caution) is BentDecayWarning
    assert f"{early:.2f} in the first half and {late:.2f} in the second" in str(caution)
    assert str(WINDOW) in str(caution)
    assert message in str(caution)


def test_curves_that_bend_to_a_floor_are_read_from_no_terms_on():
    fitted = fit(curves_of(equal_trees(bent_curve(0.7, 0.3) ** 2)))
    assert fitted.share_of_whole_way > 0.9
    assert 0.65 < fitted.alpha < 0.75  # the rate in the window is 0.5
    assert fitted.cautions == ()  # the line is not what is read


@pytest.mark.parametrize(
    ("bend", "expected"), [(0.46, []), (-0.46, []), (0.54, [BentDecayWarning])]
)
@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_rates_of_halves_may_differ_by_half_of_the_index(alpha, bend, expected):
    cautions = cautions_of_bent(alpha * (1 - bend / 2), alpha * (1 + bend / 2))
    assert [type(caution) for caution in cautions] == expected


@given(st.floats(-1, 1.5), st.floats(1e-6, 1e6))
def test_straight_curves_are_not_bent(alpha, scale):
    powers = equal_trees(bent_curve(alpha, alpha, scale=scale) ** 2)
    assert fit(curves_of(powers)).cautions == ()


def test_bend_does_not_count_where_other_things_do():
    # The error vanishes in the first half, and the index is that of what is before.
    errors = power_law(0.5)
    errors[61:] = 2e-6 * errors[0]  # more than rounding, so that there is a function
    errors[[*range(61, 401)]] = 0
    fitted = fit(curves_of(equal_trees(errors**2)))
    assert_allclose(fitted.alpha, 0.5, atol=1e-10)
    assert fitted.cautions == ()
    # Flat curves may bend.
    for rates in ((0.002, 0.02), (-0.02, 0.02), (0.02, -0.01)):
        assert cautions_of_bent(*rates) == ()
    # Halves of another window are alike, or there are few terms in it.
    assert cautions_of_bent(0.3, 0.7, n_samples=350) == ()
    (caution,) = cautions_of_bent(0.1, 1.9, (10, 39), n_samples=195)
    assert type(caution) is FewTermsWarning
    # In-sample curves always bend in the end; the caution that they have says why.
    powers = equal_trees(bent_curve(0.3, 0.7) ** 2)
    powers[:, :, 1] = np.nan
    assert kinds_of_cautions(fit(curves_of(powers))) == [InSampleOnlyWarning]


@pytest.mark.parametrize(("early", "late"), [(0.2, 0.6), (0.6, 0.2)])
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_bent_norms_are_cautioned_against_in_units_of_the_index(early, late, p):
    norms = bent_curve(early + 1 / p, late + 1 / p)[None, 1:]
    fitted = weak_lp_fit(norms, p, fit_it=fit)
    assert fitted.fit_range == WINDOW
    (caution,) = fitted.cautions
    assert type(caution) is BentDecayWarning
    assert f"{early:.2f} in the first half and {late:.2f} in the second" in str(caution)


@pytest.mark.parametrize("index", CONVENTIONS)
def test_trees_without_a_split_have_index_zero(index):
    # The mean is (9/4, 10/4); the variances are 27/16 and 9/4.
    y = np.array([[0.0, 1.0], [3.0, 1.0], [3.0, 4.0]])
    growth, weights = Growth(2, random_state=0), np.array([1.0, 1.0, 2.0])
    flat = fit(grown_curves(np.zeros((3, 1)), y, growth, weights), index)
    error = np.sqrt(27 / 16 + 9 / 4)
    read_error = error**2 if index == "elisha-dekel" else error
    assert_allclose(flat.errors, [read_error], rtol=1e-12)
    assert_allclose(flat.m_term_errors, [error], rtol=1e-12)
    assert_allclose(flat.line(flat.n_terms), flat.errors, rtol=1e-12)
    assert (flat.alpha, flat.interval) == (0.0, (0.0, 0.0))
    assert kinds_of_cautions(flat) == [ConstantFeaturesWarning]
    # It is known to be zero, so a difference is as uncertain as the other index.
    other = fit(curves_of(jittered_trees(0.5, 5, 0.05))).replicates
    for pair in ((other, flat.replicates), (flat.replicates, other)):
        variance, freedom = variance_of_difference(*pair)
        assert_allclose(variance, other.variance, rtol=1e-12)
        assert freedom == other.freedom


# ---------------------------------------------------------------- finitely many boxes

BOXES = np.repeat([10_000, 6_000, 4_000, 2_500], 2)
# Number of cells of n samples or more for a jump across a surface in d dimensions, the
# k-th largest of which holds N k^(-d / (d - 1)); greedy trees show N k^(-1 / 0.3).
CURVE = 10_000 * np.arange(1, 101.0) ** -2
SURFACE = 10_000 * np.arange(1, 401.0) ** -1.5
GREEDY = 10_000 * np.arange(1, 21.0) ** (-1 / 0.3)


def curves_with_ends(in_bag, out_of_bag, cells, n_samples, p=2.0, start=3.0):
    """Curves of trees whose final errors are these on the average."""
    ends = np.array([in_bag, out_of_bag])
    one = np.stack([[1.0, 1.0], [0.5, 0.5], 0.5 * ends]) * start
    other = np.stack([[1.0, 1.0], [0.2, 0.6], 1.5 * ends]) * start
    powers = np.stack([one, other])
    powers[:, :, np.isnan(ends)] = np.nan  # of no sample
    return curves_of(powers, p, cells=cells, n_samples=n_samples)


@pytest.mark.parametrize("start", [1e-20, 1.0, 1e20])
@pytest.mark.parametrize(
    ("cells", "in_bag", "out_of_bag", "n_samples", "expected"),
    [
        (BOXES, 0.0, 1e-3, 10_000, True),
        (BOXES, 0.0, 0.049, 10_000, True),
        (np.tile(BOXES, 5), 1e-9, 1e-3, 10_000, True),
        (np.append(BOXES, [700, 700]), 0.0, 1e-3, 10_000, True),
        (BOXES, 1e-3, 1e-3, 10_000, False),  # stopped, not resolved
        (BOXES, 0.0, 0.051, 10_000, False),  # boxes that others are not constant on
        (BOXES, 0.0, 1.3, 10_000, False),
        (BOXES, 0.0, np.nan, 10_000, False),  # no sample to tell by
        (BOXES / 100, 0.0, 1e-3, 100, False),  # too few samples to tell
        (BOXES / 100, 0.0, 0.0, 100, True),  # but no error at all is enough
        (BOXES / 100, 1e-9, 1e-13, 100, True),
        (BOXES / 100, 1e-3, 0.0, 100, False),
        (BOXES / 20.01, 0.0, 1e-3, 499, False),
        (BOXES / 20, 0.0, 1e-3, 500, True),
        (CURVE, 0.0, 1e-3, 10_000, False),
        (SURFACE, 0.0, 1e-3, 10_000, False),
        (GREEDY, 0.0, 1e-3, 10_000, False),
        (CURVE, 0.0, 0.0, 10_000, True),
    ],
)
def test_trees_of_finite_boxes_stop_growing(
    cells, in_bag, out_of_bag, n_samples, expected, start
):
    fitted = fit(curves_with_ends(in_bag, out_of_bag, cells, n_samples, start=start))
    assert (UnresolvedIndexWarning in kinds_of_cautions(fitted)) == expected
    assert fitted.is_bound == expected
    assert (fitted.interval[1] == np.inf) == expected
    assert 0 < fitted.alpha < np.inf


@EXPONENTS
def test_boxes_without_an_error_are_known_up_to_rounding_of_the_error(p):
    # Of the error, not of its power, of which rounding leaves more or less with p.
    for error, expected in ((0.9e-6, True), (1.1e-6, False)):
        fitted = fit(curves_with_ends(0.0, error**p, BOXES / 100, 100, p))
        assert fitted.is_bound == expected


@pytest.mark.parametrize("index", CONVENTIONS)
def test_a_function_of_few_boxes_is_unresolved_by_every_convention(index):
    X, y, _ = make_known_smoothness("boxes", 1000, n_relevant=2, random_state=0)
    curves = grown_curves(X, y, Growth(5, max_samples=0.8, random_state=0))
    fitted, convention = fit(curves, index), CONVENTIONS[index]
    caution = fitted.cautions[-1]
    assert type(caution) is UnresolvedIndexWarning
    raw = convention.read(curves, fitted.window)
    assert_array_equal(fitted.errors, raw.errors)
    assert fitted.is_bound == convention.has_variance
    if convention.has_variance:
        assert fitted.alpha == fitted.rate_of_whole_way > 0
        assert fitted.interval[0] < fitted.alpha
        assert fitted.interval[1] == np.inf
        assert f"alpha_ = {fitted.alpha:.2f} is a lower bound" in str(caution)
    else:
        assert fitted.alpha == raw.alpha
        assert "the value of the procedure" in str(caution)


# ---------------------------------------------------------------- a new convention


class RateOfTheMedian(Convention):
    """The rate of the median tree, twice, as CONTRIBUTING says how to add one."""

    name = "median-tree"
    summary = "twice the rate of the median tree"
    x_label = "Terms of the median tree"
    y_label = "Error of the median tree"

    def lp_rate(self, alpha):
        return alpha / 2

    def read(self, curves, window):
        errors = np.sqrt(np.median(curves.averages, axis=0))[1:]
        n_terms = np.arange(window[0], window[1] + 1)
        line = fit_power_law(n_terms, errors[n_terms - 1])
        nothing = np.empty(0)
        return IndexFit(
            alpha=-2 * line.slope,
            n_terms=np.arange(1, len(errors) + 1),
            errors=errors,
            fit_range=window,
            line=line,
            replicates=Replicates(nothing, nothing, nothing, curves.grown.n_apart),
        )


@pytest.fixture
def median_tree(monkeypatch):
    monkeypatch.setitem(CONVENTIONS, RateOfTheMedian.name, RateOfTheMedian())
    X, y, _ = make_known_smoothness("smooth", 500, n_relevant=2, random_state=0)
    estimator = BesovSmoothnessEstimator(5, index="median-tree", random_state=0)
    return estimator.fit(X, y), X, y


def test_a_new_convention_is_fitted_and_scored(median_tree):
    estimator, X, y = median_tree
    default = BesovSmoothnessEstimator(5, random_state=0).fit(X, y)
    assert estimator.alpha_ == pytest.approx(2 * default.alpha_, rel=0.2)
    assert estimator.decay_.convention is CONVENTIONS["median-tree"]
    assert estimator.alpha_interval_ == (0.0, np.inf)
    # Held-out rates are in units of the L_p rate, whatever the index.
    assert estimator.score(X, y) == default.score(X, y)
    assert estimator.oob_score_ == default.oob_score_
    # As is the M-term error curve.
    assert_array_equal(estimator.errors_, default.errors_)
    assert estimator.fit_range_ == default.fit_range_


def test_a_new_convention_is_drawn(median_tree):
    pytest.importorskip("matplotlib")
    from sksmooth.plotting import ErrorDecayDisplay

    estimator, _, _ = median_tree
    display = ErrorDecayDisplay.from_estimator(estimator)
    assert display.ax_.get_xlabel() == RateOfTheMedian.x_label
    assert display.ax_.get_ylabel() == RateOfTheMedian.y_label
    assert_array_equal(display.errors, estimator.decay_.errors)


def test_a_new_convention_is_reported(median_tree, tmp_path):
    pytest.importorskip("matplotlib")
    estimator, X, y = median_tree
    page = sksmooth.report(estimator, tmp_path / "page.html", X=X, y=y)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert RateOfTheMedian.name in page
    assert f"{estimator.alpha_:.2f}" in page


def test_a_new_convention_is_measured_on_the_command_line(median_tree, tmp_path, capsys):
    from sksmooth.command_line import main

    estimator, X, y = median_tree
    path = tmp_path / "data.npz"
    np.savez(path, X=X, y=y)
    command = ["measure", str(path), "--index", "median-tree", "--json"]
    assert main([*command, "--trees", "5", "--quiet"]) in (0, None)
    report = json.loads(capsys.readouterr().out)
    assert report["index"] == "median-tree"
    assert report["alpha"] == pytest.approx(estimator.alpha_)
