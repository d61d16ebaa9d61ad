"""Accuracy of forecasts of the error, beside the power laws of the literature.

    python benchmarks/forecasts.py --lcdb DIR --keel DIR --fashion DIR --mnist FILE
        [--parts curves crossings samples noise regression classes cost]

``_lcdb.py`` says where the folders come from.

*curves*: errors of five learners at up to N0 samples, means of 25 runs of LCDB, tell those
at 8 to 64 N0. The rivals are fitted as LCDB's authors do: least squares on all sizes from
16 on, Levenberg and Marquardt from random starts. Reported are the data sets that were not
used to choose the prior, and those whose X and y are had.

*crossings*: which learner overtakes which.

*samples*: N0 samples of data sets whose X and y are had, with ``forecast_error``; the truth
is LCDB's. The rivals are fitted to the same measured errors. Two of them use the smoothness
index alpha, measured on the same samples.

*noise*: labels changed at random, found again as the floor. *regression*: functions with
noise. *classes*: which classes gain. *cost*: in fits.
"""

import argparse
import time
import warnings
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from _lcdb import CIFAR, FASHION, MNIST, half_of, read_lcdb, read_sets
from _results import write_results
from joblib import Parallel, delayed
from scipy.optimize import least_squares
from sklearn.base import clone
from sklearn.datasets import load_digits, make_friedman1, make_friedman2, make_friedman3
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import check_random_state

from sksmooth import (
    BesovSmoothnessEstimator,
    WaveletForestClassifier,
    WaveletForestRegressor,
    forecast_error,
)
from sksmooth.datasets import make_known_smoothness
from sksmooth.index import fit_learning_curve

FIRST = (128, 256, 512, 1024)
TIMES = (8, 16, 32, 64)
STARTS, TRIES = 5, 40
LEARNERS = {
    "random forest": RandomForestClassifier(),
    "extra trees": ExtraTreesClassifier(),
    "gradient boosting": GradientBoostingClassifier(),
    "nearest neighbours": KNeighborsClassifier(),
    "logistic regression": LogisticRegression(max_iter=100),
}
MOST_CLASSES, MOST_FEATURES = 3, 300  # of gradient boosting, which takes minutes beyond
RIVALS = ("pow2", "pow3", "mean of pow2 and pow3", "pow4", "mmf4", "last value")
SD_OF_ALPHA = 0.15  # of the log exponent, as in the first look


# The curves of the literature


def pow2(p, n):
    return p[0] * n ** -p[1]


def pow3(p, n):
    return p[0] * n ** -p[1] + p[2]


def pow4(p, n):
    return p[0] * np.abs(n + p[3]) ** -p[1] + p[2]


def mmf4(p, n):
    return (p[0] * p[1] + p[2] * n ** p[3]) / (p[1] + n ** p[3])


FAMILIES = {"pow2": (pow2, 2), "pow3": (pow3, 3), "pow4": (pow4, 4), "mmf4": (mmf4, 4)}


def fitted(family, n_parameters, sizes, errors, rng):
    """Fit by least squares, the best of five fits from random starts."""
    best, n_fits = None, 0
    for _ in range(TRIES):
        start = np.abs(rng.standard_normal(n_parameters))
        try:
            fit = least_squares(
                lambda p: family(p, sizes) - errors, start, method="lm", max_nfev=400
            )
        except ValueError:  # not finite
            continue
        if np.isfinite(fit.cost):
            n_fits += 1
            best = fit if best is None or fit.cost < best.cost else best
        if n_fits == STARTS:
            break
    return np.full(n_parameters, np.nan) if best is None else best.x


def rivals(sizes, errors, n, rng):
    """Forecast by every curve of the literature; not a number where a fit fails."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = {
            name: family(fitted(family, k, sizes, errors, rng), n)
            for name, (family, k) in FAMILIES.items()
        }
    found["mean of pow2 and pow3"] = (found["pow2"] + found["pow3"]) / 2
    found["last value"] = np.full(len(n), errors[-1])
    return found


def log_errors(forecasts, truth):
    """Compute |log(forecast / truth)|; infinite where there is no positive forecast."""
    with np.errstate(all="ignore"):
        return {
            name: np.where(values > 0, np.abs(np.log(values / truth)), np.inf)
            for name, values in forecasts.items()
        }


# Curves that LCDB measured


def of_curve(key, curve, name, chance):
    """Forecast the errors of one learner on one data set from every N0."""
    rows, rng = [], check_random_state(abs(hash(key)) % 2**31)
    for first in FIRST:
        later = np.array([t for t in TIMES if first * t in curve.sizes], dtype=float)
        known = curve.sizes <= first
        if first not in curve.sizes or not len(later):
            continue
        truth = curve.errors[np.searchsorted(curve.sizes, first * later)]
        forecasts = rivals(curve.sizes[known], curve.errors[known], first * later, rng)
        near = known & (curve.sizes >= first / 8)
        counts = np.maximum(curve.errors[near] * curve.n_tested * 4, 1)
        variance = np.maximum(
            (curve.deviations[near] / curve.errors[near]) ** 2, 1 / counts
        )
        ours = fit_learning_curve(
            curve.sizes[near],
            curve.errors[near],
            np.diag(variance),
            error_of_constant=max(chance, curve.errors[near][-1]),
        )
        forecasts["ours"] = np.array([ours.error(n) for n in first * later])
        ends = np.array([ours.interval(n, 0.9) for n in first * later])
        off = log_errors(forecasts, truth)
        for k, times in enumerate(later):
            rows.append(
                {
                    "data set": key[0],
                    "name": name,
                    "learner": key[1],
                    "N0": first,
                    "times": int(times),
                    "is regular": ours.is_regular,
                    "holds": bool(ends[k, 0] <= truth[k] <= ends[k, 1]),
                    "width": float(np.log(ends[k, 1] / max(ends[k, 0], 1e-9))),
                    **{name: float(values[k]) for name, values in off.items()},
                }
            )
    return rows


def needed_samples(key, curve, chance):
    """Forecast how many samples the errors at 2, 4 and 8 N0 need, of those that fall."""
    rows = []
    for first in FIRST:
        near = (curve.sizes <= first) & (curve.sizes >= first / 8)
        if first not in curve.sizes or near.sum() < 4:
            continue
        sizes, errors = curve.sizes[near], curve.errors[near]
        variance = (curve.deviations[near] / errors) ** 2 + 1e-4
        ours = fit_learning_curve(
            sizes, errors, np.diag(variance), error_of_constant=max(chance, errors[-1])
        )
        slope, level = np.polyfit(np.log(sizes / first), np.log(errors), 1)
        grid = np.geomspace(first / 4, 64 * first, 200)
        forecasts = np.array([ours.error(n) for n in grid])
        for times in (2, 4, 8):
            if times * first not in curve.sizes:
                continue
            target = curve.errors[np.searchsorted(curve.sizes, times * first)]
            reached = np.flatnonzero(forecasts <= target)
            of_ours = grid[reached[0]] if len(reached) else np.inf
            with np.errstate(all="ignore"):
                of_pow2 = first * np.exp((np.log(target) - level) / slope)
            rows.append(
                {
                    "data set": key[0],
                    "times": times,
                    "falls by": 1 - target / errors[-1],
                    "n ours": of_ours / (times * first),
                    "n pow2": (of_pow2 if slope < 0 else np.inf) / (times * first),
                }
            )
    return rows


def is_ill_behaved(sizes, errors, deviations):
    """Tell whether errors rise, or fall the faster the more samples there are.

    By more than three standard deviations and three per cent. Yan and others, *LCDB 1.1*
    (arXiv 2505.15657) find that in 14 % of all curves, by tests of single runs.
    """
    for k in range(1, len(errors)):
        best = int(np.argmin(errors[:k]))
        margin = 3 * np.hypot(deviations[k], deviations[best]) + 0.03 * errors[best]
        if errors[k] > errors[best] + margin:
            return True
    for k in range(1, len(errors) - 1):
        share = (sizes[k] - sizes[k - 1]) / (sizes[k + 1] - sizes[k - 1])
        weights = np.array([share - 1, 1, -share])
        above = weights @ errors[k - 1 : k + 2]
        margin = 3 * np.linalg.norm(weights * deviations[k - 1 : k + 2])
        if above > margin + 0.03 * errors[k]:
            return True
    return False


def of_all_learners(key, curve, chance):
    """Tell which curves are ill-behaved, and which of them are flagged from N0 samples."""
    rows = []
    for first in (256, 1024):
        known = (curve.sizes >= first / 8) & (curve.sizes <= first)
        if first not in curve.sizes or curve.sizes[-1] < 4 * first:
            continue
        parts = [
            is_ill_behaved(curve.sizes[part], curve.errors[part], curve.deviations[part])
            for part in (curve.sizes >= first / 8, known)
        ]
        counts = np.maximum(curve.errors[known] * curve.n_tested * 4, 1)
        ours = fit_learning_curve(
            curve.sizes[known],
            curve.errors[known],
            np.diag(
                np.maximum((curve.deviations[known] / curve.errors[known]) ** 2, 1 / counts)
            ),
            error_of_constant=max(chance, curve.errors[known][-1]),
        )
        rows.append((*parts, not ours.is_regular))
    return rows


def ill_behaved(found):
    """Collect how many curves are ill-behaved, and how many of these are flagged."""
    ill, is_seen, flagged = np.array([row for rows in found for row in rows]).T

    def share(of, part=slice(None)):
        return 100 * float(of[part].mean())

    return {
        "curves": len(ill),
        "ill-behaved %": share(ill),
        "ill-behaved by N0 %": share(is_seen),
        "of these, flagged %": share(flagged, is_seen),
        "of all ill-behaved, flagged %": share(flagged, ill),
        "of the others, flagged %": share(flagged, ~ill),
    }


def curves_part(arguments):
    every, about = read_lcdb(arguments.lcdb)
    curves = {key: curve for key, curve in every.items() if key[1] in LEARNERS}
    shares = (about.MajorityClassSize / about.NumberOfInstances).to_dict()
    names = about.Name.to_dict()
    with_samples = set(read_sets(arguments.keel)) | {MNIST, FASHION, CIFAR}

    def chance(number):
        return 1 - shares[number] if np.isfinite(shares.get(number, np.nan)) else 1.0

    found = Parallel(n_jobs=arguments.n_jobs)(
        delayed(of_curve)(key, curve, str(names.get(key[0], key[0])), chance(key[0]))
        for key, curve in curves.items()
    )
    table = pd.DataFrame(row for rows in found for row in rows)
    is_report = table.name.map(half_of).eq(1) | table["data set"].isin(with_samples)
    report = table[is_report]
    columns = ["ours", *RIVALS]
    figures = {
        "curves: median |log error| by learner": by(report, "learner", columns),
        "curves: median |log error| by times": by(report, "times", columns),
        "curves: median |log error| by N0": by(report, "N0", columns),
        "curves: design and report": by(
            table.assign(half=np.where(is_report, "report", "design")), "half", columns
        ),
        "curves: intervals": {"report": beside(report)},
    }
    run = Parallel(n_jobs=arguments.n_jobs)
    needed = run(
        delayed(needed_samples)(key, curve, chance(key[0]))
        for key, curve in curves.items()
        if half_of(str(names.get(key[0], key[0]))) or key[0] in with_samples
    )
    needed = pd.DataFrame(row for rows in needed for row in rows)
    figures["curves: samples needed, within a factor of two"] = within_factor_of_two(needed)
    flags = run(
        delayed(of_all_learners)(key, curve, chance(key[0])) for key, curve in every.items()
    )
    figures["curves: ill-behaved, all learners"] = {"all": ill_behaved(flags)}
    mnist = table[(table["data set"] == MNIST) & (table.learner == "random forest")]
    figures["curves: random forest on MNIST"] = by(mnist, "N0", columns)
    return figures


def by(table, name, columns):
    """Take medians by the values of a column, and of all."""
    groups = {str(value): rows for value, rows in table.groupby(name)} | {"all": table}
    return {
        value: {"cases": len(rows)} | {c: float(rows[c].median()) for c in columns}
        for value, rows in groups.items()
    }


def beside(report):
    """Collect how often intervals hold, samples are right, and cautions are."""
    flagged = ~report["is regular"]
    found = {
        "intervals hold %": 100 * float(report.holds.mean()),
        "flagged %": 100 * float(flagged.mean()),
        "median |log error| flagged": float(report.ours[flagged].median()),
        "median |log error| not flagged": float(report.ours[~flagged].median()),
    }
    return found | {f"90 % at {t} N0, %": hold for t, hold in holding(report).items()}


def holding(table):
    """Compute how often intervals hold, by the distance."""
    return {int(t): 100 * float(rows.holds.mean()) for t, rows in table.groupby("times")}


def within_factor_of_two(table):
    """Compute how often the samples for an error that was reached are told."""
    rows = {}
    for times, part in table[table["falls by"] > 0.02].groupby("times"):
        rows[f"error at {times} N0"] = {
            "cases": len(part),
            **{
                f"{name} %": 100 * float((np.abs(np.log2(part[f"n {name}"])) <= 1).mean())
                for name in ("ours", "pow2")
            },
        }
    return rows


def crossings_part(arguments):
    """Tell how often the learner that is forecast to overtake another one does so."""
    every, about = read_lcdb(arguments.lcdb)
    names = about.Name.to_dict()
    shares = (about.MajorityClassSize / about.NumberOfInstances).fillna(0.0).to_dict()
    rows = []
    for number in {key[0] for key in every if half_of(str(names.get(key[0], key[0])))}:
        for first in FIRST:
            known = {
                learner: continued(
                    every[number, learner], first, 1 - shares.get(number, 0.0)
                )
                for learner in LEARNERS
                if (number, learner) in every
            }
            known = {learner: found for learner, found in known.items() if found}
            for one, other in combinations(known.values(), 2):
                if one[0] == other[0]:  # the same largest size
                    ahead, behind = sorted([one, other], key=lambda found: found[1])
                    rows.append((ahead[2] > behind[2], ahead[3] > behind[3]))
    is_forecast, is_true = np.array(rows).T
    return {
        "crossings": {
            "report": {
                "pairs": len(rows),
                "overtaken %": 100 * float(is_true.mean()),
                "forecast %": 100 * float(is_forecast.mean()),
                "of those forecast, true %": 100 * float(is_true[is_forecast].mean()),
            }
        }
    }


def continued(curve, first, chance):
    """Give the farthest size, the error now, its forecast there and the true one."""
    near = (curve.sizes <= first) & (curve.sizes >= first / 8)
    sizes = [t * first for t in TIMES if t * first in curve.sizes]
    if first not in curve.sizes or not sizes:
        return None
    errors = curve.errors[near]
    variance = (curve.deviations[near] / errors) ** 2 + 1e-4
    ours = fit_learning_curve(
        curve.sizes[near],
        errors,
        np.diag(variance),
        error_of_constant=max(chance, errors[-1]),
    )
    truth = curve.errors[np.searchsorted(curve.sizes, sizes[-1])]
    return sizes[-1], ours.error(first), ours.error(sizes[-1]), truth


# Samples


def of_samples(number, X, y, first, draw, truth):
    """Forecast from N0 samples for all learners, and by alpha."""
    rng = np.random.default_rng([number, first, draw])
    rows = rng.permutation(len(y))[:first]
    X, y, out = X[rows], y[rows], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = BesovSmoothnessEstimator(random_state=draw).fit(X, y)
    for learner, model in LEARNERS.items():
        wide = len(np.unique(y)) > MOST_CLASSES or X.shape[1] > MOST_FEATURES
        if learner not in truth or (learner == "gradient boosting" and wide):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                forecast = forecast_error(X, y, estimator=model, random_state=draw)
            except ValueError as error:  # a class of one sample, in no training part
                print(number, first, draw, learner, error, flush=True)
                continue
        out += of_forecast(forecast, truth[learner], estimator, first)
        for row in out:
            row.setdefault("learner", learner)
            row |= {"data set": number, "draw": draw}
    return out


def of_forecast(forecast, curve, estimator, first):
    times = [t for t in TIMES if first * t in curve.sizes]
    n = first * np.array(times, dtype=float)
    truth = curve.errors[np.searchsorted(curve.sizes, n)]
    places, errors, covariance = forecast.measured.errors()
    sizes = forecast.measured.sizes[places].astype(float)
    forecasts = rivals(sizes, errors, n, np.random.default_rng(0))
    rng_of = {
        "pow2, exponent by alpha": pow2_by_alpha(sizes, errors, covariance, estimator, n),
        "last value, falling by alpha": errors[-1]
        * (n / sizes[-1]) ** -exponent_by_alpha(estimator),
        "ours": np.array([forecast.predict(each) for each in n]),
    }
    off = log_errors(forecasts | rng_of, truth)
    low, high = forecast.interval(n)
    rows = []
    for k, t in enumerate(times):
        needed = forecast.samples_for(truth[k]) / n[k] if k == 0 else np.nan
        rows.append(
            {
                "N0": first,
                "times": t,
                "holds": bool(low[k] <= truth[k] <= high[k]),
                "width": float(np.log(high[k] / max(low[k], 1e-9))),
                "signed": float(np.log(rng_of["ours"][k] / truth[k])),
                "samples": needed,
                "reachable": bool(truth[k] < 0.98 * forecast.error),
                "flagged": bool(forecast.caution),
                **{name: float(values[k]) for name, values in off.items()},
            }
        )
    return rows


def exponent_by_alpha(estimator):
    alpha = float(np.clip(estimator.alpha_, 0.02, 2))
    return 2 * alpha / (2 * alpha + 1)


def pow2_by_alpha(sizes, errors, covariance, estimator, n):
    """Fit a power law whose exponent has a prior at 2 alpha / (2 alpha + 1)."""
    away = np.log(sizes / sizes[-1])
    precision = np.linalg.inv(covariance + np.diag(0.01**2 + (0.1 * away) ** 2))
    design = np.column_stack([np.ones(len(sizes)), -away])
    centre = exponent_by_alpha(estimator)
    of_prior = np.diag([0.0, 1 / (SD_OF_ALPHA * centre) ** 2])
    left = design.T @ precision @ design + of_prior
    right = design.T @ precision @ np.log(errors) + of_prior @ [0.0, centre]
    level, exponent = np.linalg.solve(left, right)
    return np.exp(level - exponent * np.log(n / sizes[-1]))


def samples_part(arguments):
    curves, _ = read_lcdb(arguments.lcdb)
    sets = read_sets(arguments.keel, arguments.fashion, arguments.mnist)
    tasks = []
    for number, (X, y) in sets.items():
        truth = {learner: curve for (n, learner), curve in curves.items() if n == number}
        for first in FIRST:
            if first <= len(y) / 8 and first in arguments.sizes:
                tasks += [
                    (number, X, y, first, draw, truth) for draw in range(arguments.draws)
                ]
    found = Parallel(n_jobs=arguments.n_jobs, verbose=5)(
        delayed(of_samples)(*task) for task in tasks
    )
    table = pd.DataFrame(row for rows in found for row in rows)
    columns = ["ours", *RIVALS, "pow2, exponent by alpha", "last value, falling by alpha"]
    reachable = table[table.samples.notna() & table.reachable]
    near = np.abs(np.log2(reachable.samples)) <= 1
    several = table[table.N0 >= 512]
    return {
        "samples: median |log error| by learner": by(table, "learner", columns),
        "samples: median |log error| by times": by(table, "times", columns),
        "samples: median |log error| by N0": by(table, "N0", columns),
        "samples: median |log error| by data set": by(table, "data set", columns),
        "samples: intervals": {
            "all": {
                "data sets": int(table["data set"].nunique()),
                "intervals hold %": 100 * float(table.holds.mean()),
                "of 512 samples and more %": 100 * float(several.holds.mean()),
                "median signed log error": float(table.signed.median()),
                "median log width": float(table.width.median()),
                "samples within a factor of two %": 100 * float(near.mean()),
                "reachable targets": len(reachable),
                "flagged %": 100 * float(table.flagged.mean()),
            }
        },
    }


# Noise


def flipped(y, share, rng):
    n_classes = len(np.unique(y))
    is_flipped = rng.random(len(y)) < share
    other = (y + rng.integers(1, n_classes, len(y))) % n_classes
    return np.where(is_flipped, other, y), float(is_flipped.mean())


def noise_part(arguments):
    """Change labels of data whose classes can be told apart, by 0 to 40 %."""
    sets = read_sets(arguments.keel, arguments.fashion, arguments.mnist)
    chosen = {"digits": load_digits(return_X_y=True), "MNIST": sets[MNIST]}
    chosen |= {"pendigits": sets[32], "optdigits": sets[28], "letter": sets[6]}
    chosen |= {"segment": sets[36], "kr-vs-kp": sets[3], "mushroom": sets[24]}
    rows = {}
    for name, (X, y) in chosen.items():
        for share in (0.0, 0.1, 0.2, 0.4):
            rng = np.random.default_rng([round(100 * share), len(name)])
            places = rng.permutation(len(y))[:2000]
            noisy, truth = flipped(y[places], share, rng)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = forecast_error(
                    X[places], noisy, estimator=RandomForestClassifier(), random_state=0
                )
                estimator = BesovSmoothnessEstimator(random_state=0).fit(X[places], noisy)
            low, high = found.floor_interval
            rows[f"{name}, {share:.0%}"] = {
                "changed": truth,
                "floor": found.floor,
                "low": low,
                "high": high,
                "wrong labels": found.wrong_labels,
                "wrong labels by noise_": float(estimator.shares_.wrong_labels),
                "error": found.error,
            }
            print(name, share, rows[f"{name}, {share:.0%}"], flush=True)
    table = pd.DataFrame(rows).T
    off = {
        title: np.abs(table[column] - table.changed)
        for title, column in {
            "floor": "floor",
            "wrong_labels": "wrong labels",
            "noise_ of the estimator": "wrong labels by noise_",
        }.items()
    }
    holds = (table.low <= table.changed + 0.005) & (table.changed <= table.high)
    return {
        "noise": rows,
        "noise: summary": {
            title: {
                "cases": len(table),
                "median distance": float(each.median()),
                "within two points %": 100 * float((each <= 0.02).mean()),
            }
            for title, each in off.items()
        }
        | {"interval of the floor": {"holds %": 100 * float(holds.mean())}},
    }


# Regression


def functions(n, seed):
    """Make samples of functions, as (X, y without noise)."""
    yield "friedman1", *make_friedman1(n, noise=0.0, random_state=seed)
    yield "friedman2", *make_friedman2(n, noise=0.0, random_state=seed)
    yield "friedman3", *make_friedman3(n, noise=0.0, random_state=seed)
    for kind in ("smooth", "jump"):
        X, y, _ = make_known_smoothness(kind, n, random_state=seed)
        yield kind, X, np.asarray(y, dtype=float)


def of_function(place, first, share, draw):
    """Forecast the error on a function with noise, of which the share is known."""
    name, X, y = list(functions(8192, 1000 * draw + 7))[place]
    rng = np.random.default_rng(draw)
    noise = rng.standard_normal(len(y)) * y.std() * np.sqrt(share / (1 - share))
    y = y + noise
    variance, rows = y[-4000:].var(), []
    X_test, y_test = X[-4000:], y[-4000:]
    for label, model in {
        "random forest": RandomForestRegressor(n_jobs=1),
        "wavelet forest": WaveletForestRegressor(n_terms=None, max_samples=0.8),
    }.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            forecast = forecast_error(
                X[:first], y[:first], estimator=model, random_state=draw
            )
        for times in (8, 16):
            n = first * times
            fit = clone(model).set_params(random_state=draw).fit(X[:n], y[:n])
            truth = float(np.mean((fit.predict(X_test) - y_test) ** 2) / variance)
            places, errors, _ = forecast.measured.errors()
            sizes = forecast.measured.sizes[places].astype(float)
            found = rivals(sizes, errors, np.array([float(n)]), np.random.default_rng(0))
            found["ours"] = np.array([forecast.predict(n)])
            low, high = forecast.interval(n)
            off = {k: float(v[0]) for k, v in log_errors(found, truth).items()}
            rows.append(
                {
                    "function": name,
                    "model": label,
                    "noise": share,
                    "times": times,
                    "holds": low <= truth <= high,
                    "floor": forecast.floor,
                    "floor holds": forecast.floor_interval[0] <= share + 0.005
                    and share <= forecast.floor_interval[1],
                    **off,
                }
            )
    return rows


def regression_part(arguments):
    tasks = [
        (place, first, share, draw)
        for place in range(5)
        for first in (256,)
        for share in (0.0, 0.1, 0.3)
        for draw in range(2)
    ]
    found = Parallel(n_jobs=arguments.n_jobs)(delayed(of_function)(*t) for t in tasks)
    table = pd.DataFrame(row for rows in found for row in rows)
    columns = ["ours", *RIVALS]
    return {
        "regression: median |log error| by function": by(table, "function", columns),
        "regression: median |log error| by noise": by(table, "noise", columns),
        "regression: intervals": {
            "all": {
                "intervals hold %": 100 * float(table.holds.mean()),
                "floors hold %": 100 * float(table["floor holds"].mean()),
                "median |floor - noise|": float((table.floor - table.noise).abs().median()),
            }
        },
    }


# Classes


def classes_part(arguments):
    """Rank the classes by their gain, and compare with what they did gain."""
    from scipy.stats import spearmanr

    sets = read_sets(arguments.keel, arguments.fashion, arguments.mnist)
    rows = {}
    for name, number in {
        "MNIST": MNIST,
        "Fashion-MNIST": FASHION,
        "letter": 6,
        "pendigits": 32,
    }.items():
        X, y = sets[number]
        found, of_now, holds = [], [], []
        for draw in range(3):
            order = np.random.default_rng(draw).permutation(len(y))
            train, test = order[:5000], order[5000:10000]
            few = train[:500]
            forecast = forecast_error(X[few], y[few], random_state=draw)
            model = WaveletForestClassifier(n_terms=None, max_features="sqrt")
            model.set_params(max_samples=0.8, random_state=draw)
            wrong = [
                model.fit(X[rows], y[rows]).predict(X[test]) != y[test]
                for rows in (few, train)
            ]
            gain = {
                c: float(np.sum(wrong[0][y[test] == c]) - np.sum(wrong[1][y[test] == c]))
                for c in np.unique(y)
            }
            table = forecast.per_class
            true = table["class"].map(gain)
            now = table.error * table.n_samples
            error = table["class"].map({c: wrong[1][y[test] == c].mean() for c in gain})
            # The test samples of a class are few, too.
            margin = 1.64 * np.sqrt(error * (1 - error) / (len(test) / len(gain)))
            holds.append((table.low - margin <= error) & (error <= table.high + margin))
            found.append(spearmanr(table.gain, true)[0])
            of_now.append(spearmanr(now, true)[0])
        rows[name] = {
            "by gain": np.mean(found),
            "by errors now": np.mean(of_now),
            "intervals hold %": 100 * float(np.mean(holds)),
        }
    return {"classes: Spearman correlation with the true gain": rows}


# Cost


def cost_part(arguments):
    """Time a forecast in fits of the same estimator to all samples."""
    sets = read_sets(arguments.keel, arguments.fashion, arguments.mnist)
    X, y = (part[:10_000] for part in sets[MNIST])
    X_few, y_few = sets[32]
    cases = {
        "MNIST, 10,000 samples, default": (X, y, None),
        "MNIST, 10,000 samples, random forest": (X, y, RandomForestClassifier()),
        "pendigits, 10,992 samples, default": (X_few, y_few, None),
        "pendigits, 10,992 samples, gradient boosting": (
            X_few,
            y_few,
            HistGradientBoostingClassifier(),
        ),
        "pendigits, 1,000 samples, default": (X_few[:1000], y_few[:1000], None),
    }
    rows = {}
    for name, (features, labels, model) in cases.items():
        default = WaveletForestClassifier(
            n_terms=None, max_features="sqrt", max_samples=0.8
        )
        fits, forecasts = [], []
        for seed in range(3):
            one = clone(default if model is None else model).set_params(random_state=seed)
            fits.append(seconds(partial(one.fit, features, labels)))
            call = partial(forecast_error, features, labels, estimator=model)
            forecasts.append(seconds(partial(call, random_state=seed)))
        rows[name] = {
            "fit": min(fits),
            "forecast": min(forecasts),
            "fits": min(forecasts) / min(fits),
        }
    return {"cost": rows}


def seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


PARTS = {
    "curves": curves_part,
    "crossings": crossings_part,
    "samples": samples_part,
    "noise": noise_part,
    "regression": regression_part,
    "classes": classes_part,
    "cost": cost_part,
}


def main():
    parser = argparse.ArgumentParser()
    for name in ("lcdb", "keel", "fashion", "mnist"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--sizes", nargs="+", type=int, default=FIRST, help="N0")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=2)
    arguments = parser.parse_args()
    for part in arguments.parts:
        write_results(
            "forecasts",
            PARTS[part](arguments),
            setup="medians over data sets, N0 of 128 to 1,024 and 8 to 64 N0",
            append=True,
        )


if __name__ == "__main__":
    main()
