"""Level and power of ``smoothness_difference`` beside other tests of the same samples.

    python benchmarks/compare_representations.py [--parts 150 400 ...] [--times 3]

Pairs of representations (``_pairs.py``) are drawn again and again. If both are equally
good, a test at 5 % should reject in 5 % of the draws; if one is better, as often as
possible. Eight kinds of equal pairs, and seven of the different ones, were used to choose
the test (its trees, loss and variance), with other seeds: noise columns, equal blur, random
labels, rotations and projections of a ball, digits and clusters with equal noise, and
regression with noise columns. The others are new to it, and have separate tables.

Beside the test of the levels (``p_value``) and of the rates (``rate_p_value``) there are
those of ``_rival_tests.py``: of a random forest of scikit-learn, a paired z-test of its
out-of-bag squared error, the same with the variance over trees, and McNemar's test; the
corrected t-test of repeated cross-validation; and a bootstrap of one nearest neighbour.
Rates and cross-validation cost more, so they are tested in the first draws of 400 samples
only, and forests in fewer draws than levels. Powers are compared at the p-value that a test
falls below in 5 % of its own equal pairs.

The levels are computed without the rates, which gives the same p-values. ``--times`` draws
more often; ``--npz`` is a file of MNIST, to measure the cost on it, too.
"""

import argparse
import time
import warnings
from functools import partial

import _rival_tests as rivals
import numpy as np
from _data import load_images, quiet_fit, seconds_of
from _pairs import CHOSEN_ON, DIFFERENT, EQUAL_ON_AVERAGE, NEW, NOT_FOR_NEIGHBOURS
from _results import write_results
from joblib import Parallel, delayed
from sklearn.datasets import load_digits, make_classification
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest

from sksmooth import smoothness_difference
from sksmooth.estimators.base import growth_of
from sksmooth.estimators.besov import read_for
from sksmooth.estimators.comparison import ready_estimator
from sksmooth.index import level_difference, randomised_error
from sksmooth.samples import sampling_units
from sksmooth.trees import randomised

FIRST_SEED = 770_000
LEVEL = 0.05
# Draws of equal pairs, of different ones, with forests, and with all tests.
DRAWS = {150: (40, 0, 0, 0), 400: (65, 25, 20, 3), 3000: (20, 4, 4, 0)}
DRAWS_OF_GROUPS, DRAWS_OF_LEARNED = 40, 20
OURS, RATES = "levels", "rates"
TESTS = (
    *(OURS, RATES, "forest", "forest, with trees", "McNemar", "cross-validation"),
    "1-NN bootstrap",
)
VARIANCES = {
    "samples": lambda found: normal(found, 0.0),
    "samples, half of trees": lambda found: normal(found, 0.5),
    "samples, trees": lambda found: normal(found, 1.0),
    "samples, trees, Student's t": lambda found: found.p_value,
}
SUPERVISED = {"SelectKBest": SelectKBest(k=5), "LDA": LinearDiscriminantAnalysis()}
PATIENTS = {"one label a patient": True, "an effect of the patient": False}
EQUAL = CHOSEN_ON | NEW
CASES = EQUAL | EQUAL_ON_AVERAGE | DIFFERENT


def compare_levels(X_a, X_b, y, seed):
    """What ``smoothness_difference`` does, without the rates."""
    estimator = ready_estimator(None, seed)
    both = [read_for(estimator, X, y) for X in (X_a, X_b)]
    first = both[0]
    units = sampling_units([s.X for s in both], first.targets.tie_break, first.weights)
    growth = randomised(growth_of(estimator))
    errors = (randomised_error(s.drawn_by(units), growth, estimator.p) for s in both)
    return level_difference(*(error.level(units.unit, len(y)) for error in errors))


def normal(found, share_of_trees):
    return rivals.normal_p(
        found.difference, found.of_samples + share_of_trees * found.of_trees
    )


def draw(case, n_samples, seed):
    """One pair, with random numbers that no other case has."""
    seed = FIRST_SEED + 1000 * list(CASES).index(case) + seed
    return CASES[case](n_samples, np.random.RandomState(seed), seed)


def one_draw(case, n_samples, seed, has_forest, has_all):
    """P-values by test and by variance, and the seconds of the tests."""
    pair, p_values, seconds = draw(case, n_samples, seed), {}, {}

    def timed(name, test):
        seconds[name], found = seconds_of(partial(test, *pair, seed), time.process_time)
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = timed(OURS, compare_levels)
        p_values = {name: p_value(found) for name, p_value in VARIANCES.items()}
        p_values[OURS] = found.p_value
        if has_forest:
            p_values |= timed("forest", rivals.forest_tests)
            if case != NOT_FOR_NEIGHBOURS:
                p_values["1-NN bootstrap"] = timed(
                    "1-NN bootstrap", rivals.neighbour_bootstrap
                )
        if has_all:
            p_values[RATES] = timed(RATES, rate_p_value)
            p_values["cross-validation"] = timed("cross-validation", rivals.corrected_cv)
    return case, p_values, seconds


def rate_p_value(X_a, X_b, y, seed):
    return smoothness_difference(X_a, X_b, y, random_state=seed).rate_p_value


def all_draws(n_samples, args):
    """Results of all draws of one size."""
    equal, different, with_forest, with_all = (args.times * n for n in DRAWS[n_samples])
    tasks = [
        (case, n_samples, seed, seed < with_forest, seed < with_all)
        for seed in range(max(equal, different))
        for case in CASES
        if seed < (different if case in DIFFERENT else equal)
    ]
    results, start = [], time.perf_counter()
    running = Parallel(args.jobs, batch_size=4, return_as="generator_unordered")
    for result in running(delayed(one_draw)(*task) for task in tasks):
        results.append(result)
        if len(results) % 200 == 0:
            spent = time.perf_counter() - start
            print(f"{n_samples}: {len(results)} of {len(tasks)}, {spent:.0f} s", flush=True)
    return results


def p_values_of(results, cases, test):
    """All p-values of a test on some cases; those that do not exist are left out."""
    found = [p.get(test, np.nan) for case, p, _ in results if case in cases]
    found = np.array(found, dtype=float)
    return found[~np.isnan(found)]


def rejected(p_values, threshold=LEVEL):
    return 100 * np.mean(p_values < threshold) if len(p_values) else np.nan


def pooled(results, test):
    """Level over all equal pairs, its range over the cases, and power."""
    levels = [rejected(p_values_of(results, [case], test)) for case in EQUAL]
    null = p_values_of(results, EQUAL, test)
    row = {
        "draws of equal pairs": len(null),
        "level %": rejected(null),
        "least %": np.nanmin(levels),
        "most %": np.nanmax(levels),
        "chosen on %": rejected(p_values_of(results, CHOSEN_ON, test)),
        "new %": rejected(p_values_of(results, NEW, test)),
    }
    powers = mean_power(results, test, LEVEL)
    if np.isfinite(powers):
        corrected = np.quantile(null, LEVEL)
        row |= {"power %": powers, "at equal level %": mean_power(results, test, corrected)}
    return row


def mean_power(results, test, threshold):
    powers = [rejected(p_values_of(results, [case], test), threshold) for case in DIFFERENT]
    return np.nan if np.isnan(powers).all() else np.nanmean(powers)


def by_case(results, cases):
    return {
        case: {
            f"{test} %": rejected(p_values_of(results, [case], test))
            for test in TESTS
            if len(p_values_of(results, EQUAL, test))
        }
        for case in cases
        if len(p_values_of(results, [case], OURS))
    }


def median_seconds(results):
    spent = {}
    for _, _, seconds in results:
        for test, value in seconds.items():
            spent.setdefault(test, []).append(value)
    return {f"{test}, s": np.median(spent[test]) for test in spent}


def of_size(n_samples, args):
    """Tables of one number of samples."""
    return tables_of(n_samples, all_draws(n_samples, args))


def tables_of(n_samples, results):
    """Levels, powers and seconds, from all draws."""
    tested = [test for test in TESTS if len(p_values_of(results, EQUAL, test))]
    size = f"{n_samples:,} samples"
    tables = {
        f"pooled, {size}": {test: pooled(results, test) for test in tested},
        f"variances, {size}": {name: pooled(results, name) for name in VARIANCES},
        f"equal, chosen on, {size}": by_case(results, CHOSEN_ON),
        f"equal, new, {size}": by_case(results, NEW),
        f"equal on average only, {size}": by_case(results, EQUAL_ON_AVERAGE),
        f"different, {size}": by_case(results, DIFFERENT),
        f"cost, {size}": {"a test": median_seconds(results)},
    }
    return {name: rows for name, rows in tables.items() if rows}


def patients(n_patients, rng, is_shared):
    """Five rows of every patient, whose marks tell patients apart, unlike in both.

    Either all rows of a patient have one label, or an effect of the patient is in the
    labels of its rows.
    """
    patient = np.repeat(np.arange(n_patients), 5)
    state, effect = rng.standard_normal((2, n_patients))[:, patient]
    signal = state + 0.7 * rng.standard_normal(len(patient))
    of_row = 0.0 if is_shared else 0.5 * rng.standard_normal(len(patient))
    y = (state + effect + of_row > 0).astype(int)
    X_a, X_b = (
        np.column_stack([signal + 0.3 * rng.standard_normal(len(patient)), marks])
        for marks in (rng.standard_normal((n_patients, 3))[patient] for _ in "ab")
    )
    return X_a, X_b, y, patient


def groups_draw(is_shared, seed):
    rng = np.random.RandomState(FIRST_SEED + seed)
    X_a, X_b, y, patient = patients(80, rng, is_shared)
    compare = partial(smoothness_difference, X_a, X_b, y, random_state=seed)
    return compare(groups=patient).p_value, compare().p_value


def with_groups(args):
    return table_of_groups(
        {
            name: in_parallel(partial(groups_draw, is_shared), DRAWS_OF_GROUPS, args)
            for name, is_shared in PATIENTS.items()
        }
    )


def table_of_groups(drawn):
    return {
        "80 patients, 5 rows each": {
            name: {
                "draws": len(p_values),
                "with groups, level %": rejected(np.array(p_values)[:, 0]),
                "without, level %": rejected(np.array(p_values)[:, 1]),
            }
            for name, p_values in drawn.items()
        }
    }


def learned_draw(supervised, seed):
    """Fifty columns of noise and random labels: cross-fitted, and learned on all rows."""
    rng = np.random.RandomState(FIRST_SEED + seed)
    X, other = rng.standard_normal((2, 300, 50))
    y = rng.randint(2, size=300)
    found = []
    for first, X_a in ((PCA(5), X), (supervised, other)):
        pair = (first, supervised)
        result = smoothness_difference(X_a, X, y, transformers=pair, random_state=seed)
        found += [(result.p_value, result.difference)]
    naive = [PCA(5).fit_transform(X), supervised.fit_transform(X, y)]
    result = smoothness_difference(*naive, y, random_state=seed)
    return [*found, (result.p_value, result.difference)]


def learned(args):
    drawn = {
        name: in_parallel(partial(learned_draw, transformer), DRAWS_OF_LEARNED, args)
        for name, transformer in SUPERVISED.items()
    }
    return table_of_learned(drawn)


def table_of_learned(drawn):
    rows = {}
    for name, draws in drawn.items():
        p_values, differences = np.moveaxis(np.array(draws), 2, 0)
        better, worse = (
            100 * np.mean((p_values < LEVEL) & (sign * differences > 0), axis=0)
            for sign in (1, -1)
        )
        rows[name] = {
            "draws": len(draws),
            "both supervised, level %": better[1] + worse[1],
            "better than PCA, cross-fitted %": better[0],
            "worse than PCA, cross-fitted %": worse[0],
            "better than PCA, learned on all rows %": better[2],
        }
    return {"learned from random labels": rows}


def in_parallel(function, n_draws, args):
    return Parallel(args.jobs)(
        delayed(quiet)(function, seed) for seed in range(args.times * n_draws)
    )


def quiet(function, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(seed)


def cost(args):
    """Seconds of a comparison of two representations, in units of one fit."""
    data = {
        "digits, 1,797 x 64": load_digits(return_X_y=True),
        "table, 2,000 x 10": make_classification(2000, 10, n_informative=5, random_state=0),
        "table, 20,000 x 20": make_classification(
            20_000, 20, n_informative=8, random_state=0
        ),
    }
    if args.npz:
        data["MNIST, 5,000 x 784"] = load_images(args.npz, 5000)
    rows = {}
    for name, (X, y) in data.items():
        other = X + 0.1 * X.std() * np.random.RandomState(0).standard_normal(X.shape)
        fit, difference, forests = (
            least_seconds(action)
            for action in (
                partial(quiet_fit, X, y, random_state=0),
                partial(quiet_difference, X, other, y),
                partial(rivals.forest_tests, X, other, y, 0),
            )
        )
        rows[name] = {
            "fit, s": fit,
            "smoothness_difference, s": difference,
            "in fits": difference / fit,
            "two forests of scikit-learn, s": forests,
        }
    return {"cost": rows}


def quiet_difference(X_a, X_b, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return smoothness_difference(X_a, X_b, y, random_state=0)


def least_seconds(action):
    """The less of two measurements, in seconds of the processor."""
    return min(seconds_of(action, time.process_time)[0] for _ in range(2))


PARTS = {
    **{f"{n_samples}": partial(of_size, n_samples) for n_samples in DRAWS},
    "groups": with_groups,
    "learned": learned,
    "cost": cost,
}


def described_draws(times):
    drawn = [
        f"{n:,} samples: {times * equal} draws of each equal pair, {times * different} of "
        f"each different one, {times * forest} with forests, {times * rest} with all tests"
        for n, (equal, different, forest, rest) in DRAWS.items()
    ]
    drawn += [f"groups: {times * DRAWS_OF_GROUPS}", f"learned: {times * DRAWS_OF_LEARNED}"]
    return "; ".join(drawn)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--times", type=int, default=1, help="so many times the draws")
    parser.add_argument("--npz", help="MNIST, for its cost")
    args = parser.parse_args()
    setup = described_draws(args.times)
    for i, part in enumerate(args.parts):
        append = i > 0 or len(args.parts) < len(PARTS)
        figures = PARTS[part](args)
        write_results("compare_representations", figures, setup=setup, append=append)


if __name__ == "__main__":
    main()
