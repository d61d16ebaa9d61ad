"""Make the tables of ``doc/benchmarks.md`` and of other pages from the results.

    python doc/make_figures.py           # writes them
    python doc/make_figures.py --check   # fails if they are not those of the results

``doc/benchmarks.md`` has the tables that users decide by, ``benchmarks/README.md`` others.
The pages are prose with tables between ``<!-- table NAME -->`` and ``<!-- end -->``. What
they hold is listed here; the results are in ``benchmarks/results``.
"""

import argparse
import json
import math
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    name: ROOT / "doc" / f"{name}.md"
    for name in ("benchmarks", "large_data", "more_samples", "what_to_do")
} | {"more tables": ROOT / "benchmarks" / "README.md"}
RESULTS = ROOT / "benchmarks" / "results"
MARKED = re.compile(r"(<!-- table ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column of a table of the page, and where its values come from."""

    title: str
    table: str
    name: str
    form: str = "{:.3f}"
    best: str = ""  # "max" or "min": the value that is set in bold
    bound: str = ""  # column that says whether the value is an upper bound
    is_partial: bool = False  # some rows, or parts that were not run, have no such value

    def value(self, results, row):
        """Value of a cell; None where there is none."""
        if self.is_partial:
            return read_figures(results).get(self.table, {}).get(row, {}).get(self.name)
        return figure(results, self.table, row, self.name)

    def text(self, results, row):
        """Text of a cell."""
        value = self.value(results, row)
        if value is None:
            return "\N{EN DASH}"
        if value == "inf":
            return "∞"
        if isinstance(value, bool):
            return "yes" if value else "no"
        is_bound = self.bound and figure(results, self.table, row, self.bound)
        return ("at most " if is_bound else "") + self.form.format(value)


@dataclass(frozen=True)
class Table:
    """A table of the page: rows by their titles, columns, all from one results file."""

    results: str
    rows: dict[str, str]
    columns: list[Column]
    corner: str = ""
    best_of_row: str = ""
    page: str = "more tables"

    def cells(self):
        """Texts of all cells, row by row, the best values in bold."""
        figures = {
            title: [c.value(self.results, row) for c in self.columns]
            for title, row in self.rows.items()
        }
        for title, values in figures.items():
            texts = []
            for i, column in enumerate(self.columns):
                text = column.text(self.results, self.rows[title])
                best, rivals = column.best, [row[i] for row in figures.values()]
                if self.best_of_row:
                    best, rivals = self.best_of_row, values
                is_best = best and text == column.form.format(BEST[best](rivals))
                texts.append(f"**{text}**" if is_best else text)
            yield title, texts

    def to_markdown(self):
        """The table as a page holds it."""
        head = [self.corner, *(column.title for column in self.columns)]
        lines = [head, ["---"] * len(head), *([title, *c] for title, c in self.cells())]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("|  |", "| |")


@dataclass(frozen=True)
class Overview:
    """A table of texts with figures of several results files.

    A cell is a text with ``{}`` for each value, and where the values are, as
    "file/table/row/column".
    """

    head: list[str]
    rows: dict[str, list[tuple[str, ...]]]
    page: str

    def to_markdown(self):
        """The table as a page holds it."""
        lines = [self.head, ["---"] * len(self.head)]
        for title, cells in self.rows.items():
            texts = (text.format(*map(figure_at, paths)) for text, *paths in cells)
            lines.append([title, *texts])
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)


BEST = {"max": max, "min": min}


@cache
def read_figures(results):
    """Tables of one results file."""
    text = (RESULTS / f"{results}.json").read_text(encoding="utf-8")
    return json.loads(text)["figures"]


def figure(results, table, row, column):
    """One value; a KeyError names what is not there."""
    return read_figures(results)[table][row][column]


def figure_at(path):
    """One value at "file/table/row/column"."""
    value = figure(*path.split("/"))
    return {"inf": math.inf}.get(value, value)


def both_sizes():
    """Columns of the errors at two numbers of samples."""
    for n, form in (("20,000", "{:.1f} %"), ("2,000", "{:.1f} %")):
        for name in ("mean %", "worst %"):
            title = f"{n}: {name.removesuffix(' %')}"
            yield Column(title, f"errors, {n} samples", name, form)


def groups_by_index():
    """Rows of the groups of functions, for each index."""
    for group, title in (("chosen on", "chosen on (37)"), ("fresh", "fresh (11)")):
        yield f'{title}, `"mterm"` (default)', f"{group}, mterm"
        yield f'{title}, `"weak-lp"`', f"{group}, weak-lp"
        yield f'{title}, `"elisha-dekel"`, halved', f"{group}, elisha-dekel"
    yield 'hard (4), `"mterm"`', "hard, mterm"
    yield (
        'nine and more classes, not looked at (6), `"mterm"`',
        "many classes, not looked at, mterm",
    )


def comparison_columns():
    """Level of tests of equal representations, and how often they find differences."""
    for n in ("400", "3,000"):
        for title, name in {
            "equal": "level %",
            "different": "power %",
            "at equal level": "at equal level %",
        }.items():
            form = "{:.1f} %" if title == "equal" else "{:.0f} %"
            yield Column(
                f"{n}: {title}", f"pooled, {n} samples", name, form, is_partial=True
            )


SCORES = {
    **{f"`{name}`": name for name in ("oob_score_", "score", "alpha_")},
    "random forest of 100 trees, out of bag": "forest, out of bag",
    "random forest in the seconds of `oob_score_`": "forest, out of bag, equal time",
    "5-NN, five folds": "5-NN, five folds",
    "linear model, five folds": "linear, five folds",
    "random forest, five folds": "forest, five folds",
    "mean of the three": "mean of the three",
}


def choice_columns():
    """What the choice of a score loses, and how well the score follows the accuracies."""
    yield Column("Regret", "all", "regret, mean", "{:.2f}", best="min")
    yield Column("lead", "all", "lead", "{:.2f}", best="max")
    yield Column("its error", "all", "lead, error", "{:.2f}")
    yield Column("Regret of a forest", "all", "regret, forest", "{:.2f}", best="min")
    yield Column("Spearman", "all", "Spearman, mean", "{:.2f}", best="max")
    yield Column("Spearman, forest", "all", "Spearman, forest", "{:.2f}", best="max")
    yield Column("Seconds", "all", "seconds", "{:.2f}")


NUMBERS = {
    "1 - `explained_`, as a root": "spread left",
    "`oob_score_`": "held-out score",
    "`explained_`": "explained",
    "`roughness_`": "roughness",
    "`alpha_`": "alpha",
    "random forest, out of bag": "random forest, out of bag",
    "random forest, five folds": "random forest, five folds",
    "5-NN": "5-NN",
    "1-NN": "1-NN",
    "RMODI": "RMODI",
    "ROGI-XD": "ROGI-XD",
    "ROGI": "ROGI",
}


def landscape_columns():
    """How numbers go with the error of the best model."""
    yield Column("Pearson", "random folds", "Pearson", "{:.2f}")
    yield Column("lower quartile", "random folds", "Pearson, lower quartile", "{:.2f}")
    yield Column("mean of five models", "random folds", "Pearson, mean of five", "{:.2f}")
    yield Column(
        "without the random one", "random folds", "Pearson, without random", "{:.2f}"
    )
    yield Column("Spearman", "random folds", "Spearman", "{:.2f}")
    yield Column("300 molecules: Spearman", "300 molecules", "Spearman", "{:.2f}")
    yield Column("scaffolds: Pearson", "scaffold folds", "Pearson", "{:.2f}")
    yield Column("NK landscapes: Pearson", "NK landscapes", "Pearson", "{:.2f}")
    yield Column("Seconds", "seconds", "s", "{:.2f}", is_partial=True)


def landscape_costs():
    """Seconds and memory by number of molecules."""
    for n in ("1,000", "3,000", "10,000", "100,000"):
        yield Column(f"{n}: s", "cost", f"{n}: s", "{:,.1f}", is_partial=True)
    for n in ("10,000", "100,000"):
        yield Column(f"{n}: MB", "cost", f"{n}: MB", "{:,.0f}", is_partial=True)


def regret_columns():
    """Regret, set by set."""
    sets = ("mnist", "segment", "satimage", "ionosphere", "texture", "spambase", "phoneme")
    for name in (*sets, "breast cancer", "diamonds", "computers", "verbal aggression"):
        title = {"mnist": "MNIST"}.get(name, name)
        yield Column(title, name, "regret, mean", "{:.1f}", best="min")


def cluster_columns():
    """Seconds of fits by number of processes, and what they send."""
    for n in (1, 2, 4):
        table = f"20,000 x 200, {n} processes"
        yield Column(f"{n}: s", table, "s", "{:.1f}")
        if n > 1:
            yield Column(f"{n}: MB a fit", table, "MB a fit", "{:.0f}", is_partial=True)


def columns_of_forecasts(part, rivals):
    """Errors of forecasts, and of the curves of the literature."""
    table = f"{part}: median |log error| by learner"
    yield Column("cases", table, "cases", "{:,}")
    for name, title in ({"ours": "`forecast_error`"} | rivals).items():
        yield Column(title, table, name, "{:.2f}" if part == "samples" else "{:.3f}")


def map_columns():
    """What reading 200,000 rows of a map takes, all pages around them or their own."""
    yield Column("Data", "reading of maps", "GB", "{:.0f} GB")
    for way, title in (("NumPy", "`X[rows]`"), ("pages", "own pages")):
        yield Column(f"{title}: s", "reading of maps", f"{way}, s", "{:.1f}")
        yield Column(f"{title}: read", "reading of maps", f"{way}, GB", "{:.1f} GB")


def map_fit_columns():
    """What fits of a map take, and what they find."""
    yield Column("Fit, s", "fits of maps", "s", "{:.0f}")
    yield Column("Memory", "fits of maps", "peak, MB", "{:,.0f} MB")
    yield Column("Read", "fits of maps", "read, GB", "{:.1f} GB")
    yield Column("`alpha_`", "fits of maps", "index", "{:.2f}")
    yield Column("from", "fits of maps", "low", "{:.2f}")
    yield Column("to", "fits of maps", "high", "{:.2f}")
    yield Column("`explained_`", "fits of maps", "explained", "{:.3f}")


def block_columns():
    """Index and explained share over seeds, with their spreads."""
    yield Column("`alpha_`", "blocks", "index", "{:.2f}")
    yield Column("its spread", "blocks", "spread of the index", "{:.3f}")
    yield Column("`explained_`", "blocks", "explained", "{:.3f}")
    yield Column("its spread", "blocks", "spread of the explained", "{:.3f}")


def extrapolated_columns():
    """What a fit of so many rows would take."""
    yield Column("Data, GB", "extrapolated", "data, GB", "{:,.1f}")
    yield Column("Memory, MB", "extrapolated", "memory, MB", "{:,.0f}")
    yield Column("Fit, min", "extrapolated", "fit, min", "{:.1f}")
    yield Column("Reading a map, min", "extrapolated", "reading a map, min", "{:.1f}")
    chunks = "reading Dask chunks, min"
    yield Column("Reading Dask chunks, min", "extrapolated", chunks, "{:.1f}")


def slope_columns():
    """Both correlations with the slope of each error curve."""
    for curve, title in (("tree", "tree"), ("haar", "Haar"), ("bior4.4", "bior4.4")):
        for rank in ("Pearson", "Spearman"):
            yield Column(f"{title}: {rank}", "correlation", f"{curve}: {rank}", "{:.2f}")


def outcomes():
    """Wins, ties and losses over all settings, and over those without noise in y."""
    for level, title in (("all", ""), ("clean", "clean labels: ")):
        for outcome in ("wins", "ties", "losses"):
            name = f"{level}: {outcome}"
            yield Column(f"{title}{outcome}", "verdicts", name, "{:.0f}")


def rivals_of_roughness():
    """Average precision of each way to look for wrong labels."""
    titles = {
        "excess": "`excess`",
        "roughness": "`roughness`",
        "margin, out of bag": "margin of a forest, out of bag",
        "cleanlab: self_confidence": "cleanlab: `self_confidence`",
        "cleanlab: normalized_margin": "cleanlab: `normalized_margin`",
    }
    for name, title in titles.items():
        yield Column(title, "average precision, 100 trees", name)


RIVALS_OF_CLIFF = {
    "Tanimoto, cubed, times the difference": "Tanimoto cubed",
    "`cliff`": "cliff",
    "SALI, largest": "SALI, largest",
    "SALI, mean": "SALI, mean",
    "difference to the nearest neighbour": "nearest neighbour",
    "`roughness`": "roughness",
    "residual of a forest, out of bag": "residual, out of bag",
    "cleanlab: `outre`": "cleanlab: outre",
    "base rate": "base rate",
}


def columns_of_cliffs():
    """Median precision of each way to look for cliffs, in parts of the molecules."""
    for part, title in {
        "all": "All",
        "scaffold of others": "scaffold of others",
        "scaffold alone": "scaffold alone",
        "similarity 0.7 or more": "similar to another",
        "similarity below 0.7": "to none",
    }.items():
        yield Column(title, part, "median", "{:.2f}", best="max")
    for title, name in (
        ("`cliff` is ahead", "cliff is ahead"),
        ("behind", "cliff is behind"),
    ):
        yield Column(title, "all", name, "{:.0f}", is_partial=True)
    yield Column("Seconds", "all", "seconds", "{:.0f}", is_partial=True)


def wrong_labels():
    """Shares of wrong labels, and how they are chosen."""
    return [f"{share} %, {kind}" for kind in ("any", "alike") for share in (5, 20, 40)]


KNOWN_SETS = (
    *("blobs apart", "blobs, 1 % wrong", "blobs, 5 % wrong", "blobs, 40 % wrong"),
    *("moons", "moons, 10 % wrong", "checkerboard 4 x 4"),
    *("iris", "wine", "breast cancer", "digits", "digits, 20 % wrong"),
    *("linear, R2 0.94", "friedman1", "diabetes", "noise, 3 classes"),
)


LADDERS = (
    *("blobs", "moons", "quantiles", "digits", "MNIST, 2,000", "MNIST, 10,000"),
    *("sines", "bumps", "friedman1"),
)
SIGNALS = {
    **{
        f"{name}, {level} %": f"{name}, {level}%"
        for name in ("blobs", "moons", "two circles", "sines")
        for level in (5, 20)
    },
    **{f"smooth, d={d}": f"smooth, d={d}, known index" for d in (2, 3, 4)},
}


FEW_COLUMNS = (
    *("wine, 178 rows", "breast cancer, 569 rows", "digits, 1,797 rows"),
    *("friedman, 2,000 rows", "table, 2,000 rows", "table, 5,000 rows"),
)

COSTS = (
    *("numbers, 20,000 x 20", "two classes, 20,000 x 20", "two classes, 2,000 x 5"),
    *("ten rings, 20,000 x 2", "digits", "MNIST, 10,000"),
)


SIDES = {
    "sksmooth": "sksmooth",
    "sksmooth, whole fit": "sksmooth, whole fit",
    "scikit-learn": "scikit-learn",
    "scikit-learn-intelex": "scikit-learn-intelex",
}
PROBES = {
    "`oob_score_`": "oob_score_",
    "`score` on a fifth": "score",
    "`oob_score_`, 3 trees": "oob_score_, 3 trees",
    "`oob_score_`, `class_pairs=False`": "oob_score_, without pairs",
    "`oob_score_`, `max_samples=2_000`": "oob_score_, 2,000 rows a tree",
    "`oob_score_`, `max_samples=500`": "oob_score_, 500 rows a tree",
    "random forest, out of bag": "random forest, out of bag",
    "5-NN, five folds": "5-NN, five folds",
    "5-NN, a fifth": "5-NN, a fifth",
    "logistic regression, a fifth": "logistic regression, a fifth",
}


def columns_of_speed():
    """Seconds and ratios on convolution features and on pixels."""
    for title, table in (("convolutions", "speed"), ("pixels", "pixels")):
        for name, form in (("s", "{:.2f}"), ("ratio", "{:.1f}")):
            yield Column(f"{title}: {name}", table, name, form, is_partial=True)


def columns_of_updates():
    """Million entries a second, and the share of the least loop."""
    yield Column("search", "updates", "search, M/s", "{:,.0f}")
    yield Column("least loop", "updates", "least loop, M/s", "{:,.0f}")
    yield Column("share", "updates", "share %", "{:.0f} %")


def columns_of_cost():
    """Seconds of numbers about a representation."""
    for n in ("2,000", "10,000"):
        yield Column(f"{n}: s", f"cost, {n} rows", "s", "{:.2f}", is_partial=True)


def columns_of_ladders():
    """Whether numbers fall at every step, and how far the noise is off."""
    for name in ("alpha", "oob score", "score", "rate in window"):
        title = {"alpha": "`alpha_`", "oob score": "`oob_score_`", "score": "`score`"}
        yield Column(f"{title.get(name, name)} falls", "ladders", f"{name} falls")
    yield Column("Noise is told", "ladders", "noise told", "{}")
    yield Column("off by at most", "ladders", "error", "{:.1f}")
    yield Column("of", "ladders", "of", "{}")


def columns_of_coverage():
    """Shares of intervals that hold the truth, and their length, by number of samples."""
    for n in ("150", "500", "2,000", "20,000"):
        table = f"coverage, {n} samples"
        yield Column(f"{n}: held", table, "held %", "{:.0f} %")
        yield Column(f"{n}: length", table, "median length %", "{:.0f} %", is_partial=True)


def columns_of_sets():
    """What is read of data whose right answer is known."""
    yield Column("Forest", "sets", "random forest", "{:.2f}")
    yield Column("Explained", "sets", "explained %", "{:.0f} %")
    yield Column("Noise", "sets", "noise %", "{:.0f} %", bound="is bound")
    yield Column("`signal_alpha_`", "sets", "signal alpha", "{:.2f}")
    yield Column("`alpha_`", "sets", "alpha", "{:.2f}")
    yield Column("`oob_score_`", "sets", "oob score", "{:.2f}")
    yield Column("Terms for 90 %", "sets", "terms for 90 %", "{:.0f}")


def broken_columns():
    """Columns of the table of lost blocks, for both networks."""
    for network in ("residual", "VGG"):
        for title, name in {
            "at the block": "marked, %",
            "or the next": "that or the next, %",
            "sound layers": "sound layers marked, %",
        }.items():
            form = "{:.1f} %" if title == "sound layers" else "{:.0f} %"
            yield Column(f"{network}: {title}", network, name, form, is_partial=True)


LEARNERS = (
    "random forest",
    "extra trees",
    "gradient boosting",
    "nearest neighbours",
    "logistic regression",
    "all",
)
RIVALS_OF_FORECASTS = {
    "pow2": "pow2",
    "pow3": "pow3",
    "mean of pow2 and pow3": "their mean",
    "pow4": "pow4",
    "mmf4": "mmf4",
    "last value": "last value",
}
BY_ALPHA = {
    "pow2, exponent by alpha": "pow2, by alpha",
    "last value, falling by alpha": "last value, by alpha",
}
MAPS = ("100,000,000 x 75", "1,000,000,000 x 10")


TABLES = {
    "accuracy": Table(
        "known_smoothness",
        dict(groups_by_index()),
        list(both_sizes()),
        "Functions, index",
        page="benchmarks",
    ),
    "tool": Table(
        "authors_tool",
        {name: name for name in ("digits", "iris", "wine", "diabetes")},
        [
            Column("Tool", "alpha", "tool"),
            Column('`index="elisha-dekel"`', "alpha", "sksmooth"),
            Column("sd", "alpha", "sd"),
            Column("on the tool's own rows", "alpha", "on its rows"),
        ],
        "Data",
    ),
    "choices": Table(
        "rank_features", SCORES, list(choice_columns()), "Score", page="benchmarks"
    ),
    "regrets": Table("rank_features", SCORES, list(regret_columns()), "Score"),
    "landscapes": Table("landscapes", NUMBERS, list(landscape_columns()), "Number"),
    "landscape costs": Table(
        "landscapes",
        {
            "all of ours, one fit": "one fit of ours",
            "the same, sparse": "one fit of ours, sparse",
            "random forest, out of bag": "random forest, out of bag",
            "random forest, five folds": "random forest, five folds",
            "5-NN": "5-NN",
            "ROGI-XD": "ROGI-XD",
            "RMODI": "RMODI",
        },
        list(landscape_costs()),
        "Number",
    ),
    "categories": Table(
        "categories",
        {name: name for name in read_figures("categories")["sets"]},
        [
            Column("Rows", "sets", "rows", "{:,.0f}"),
            Column("Categories", "sets", "categories", "{:,.0f}"),
            *(
                Column(title, "sets", f"score, {way}", "{:.3f}")
                for title, way in {
                    "as they are": "categories",
                    "codes": "codes",
                    "one-hot": "one-hot",
                    "`TargetEncoder`": "target encoder",
                }.items()
            ),
            Column("Time over that of codes", "sets", "time, relative to codes", "{:.1f}"),
        ],
        "Data",
    ),
    "differences": Table(
        "compare_representations",
        {
            "`smoothness_difference`: `p_value`": "levels",
            "`smoothness_difference`: `rate_p_value`": "rates",
            "random forest, squared error out of bag": "forest",
            "the same, with the variance over trees": "forest, with trees",
            "random forest, McNemar's test": "McNemar",
            "random forest, corrected cross-validation": "cross-validation",
            "1-NN, bootstrap": "1-NN bootstrap",
        },
        list(comparison_columns()),
        "Test",
        page="benchmarks",
    ),
    "lost blocks": Table(
        "broken_blocks",
        {
            "`loses_to_reference`": "loses_to_reference",
            "linear probe, McNemar's test, against the intact": (
                "linear probe, drop from the intact"
            ),
            "5-NN, McNemar's test, against the intact": "5-NN, drop from the intact",
            "rates, against the intact": "difference of rates",
            "`loses_smoothness`": "loses_smoothness",
            "`loses_smoothness` or `gains_nothing`": "either of the two",
            "linear probe, against the layer before": "linear probe, drop",
            "5-NN, against the layer before": "5-NN, drop",
        },
        list(broken_columns()),
        "Mark",
    ),
    "best layers": Table(
        "best_layer",
        {
            "LogME": "probe logme",
            "`best_layer_`": "best_layer_",
            "linear probe": "probe linear",
            "5-NN": "probe knn",
            "highest `alpha`": "highest rate, alpha",
            "last but one": "last but one",
            "last layer": "last layer",
        },
        [
            Column("Mean regret, points", "ways", "mean regret, points", "{:.2f}"),
            Column("largest", "ways", "largest", "{:.1f}"),
            Column("within a point", "ways", "within a point, %", "{:.0f} %"),
        ],
        "Choice",
        page="benchmarks",
    ),
    "speed": Table(
        "grower",
        SIDES,
        list(columns_of_speed()),
        page="benchmarks",
    ),
    "updates": Table(
        "grower",
        {name: name for name in read_figures("grower")["updates"]},
        list(columns_of_updates()),
        "Node",
    ),
    "exponents": Table(
        "grower",
        {f"number of {name}": name for name in ("samples", "features", "classes", "trees")}
        | {"depth": "depth"},
        [Column("Exponent", "scaling", "exponent", "{:.2f}")],
        "Time against",
    ),
    "memory": Table(
        "grower",
        {name: name for name in read_figures("grower")["memory"]},
        [
            Column("Fit, s", "memory", "fit, s", "{:.0f}"),
            Column("Peak, MiB", "memory", "peak, MiB", "{:.0f}"),
            Column("Bytes an entry", "memory", "bytes an entry", "{:.2f}"),
        ],
        "Data",
    ),
    "cost and worth": Table("cost_and_worth", PROBES, list(columns_of_cost()), "Number"),
    "growth": Table(
        "grower",
        {
            f"{name} (`{tried}`)": name
            for name, tried in {
                "MNIST 10,000 x 784, classes": "sqrt",
                "MNIST 60,000 x 784, classes": "sqrt",
                "MNIST 3,000 x 784, regression": "0.33",
                "digits 1,797 x 64, classes": "sqrt",
                "table 20,000 x 20, classes": "sqrt",
                "table 20,000 x 20, regression": "0.33",
            }.items()
        },
        [
            Column(f"{side}, s", "sampled", f"{side}, s", "{:.2f}")
            for side in ("sksmooth", "random forest", "extra trees")
        ],
        "Data (`max_features`)",
        best_of_row="min",
    ),
    "forests": Table(
        "wavelet_forests",
        {
            "random forest": "random forest",
            "random forest, leaf size chosen": "forest, leaf size chosen",
            "random forest, pruning chosen": "forest, pruning chosen",
            "extra trees": "extra trees",
            "HistGradientBoosting": "hist boosting",
            "all wavelets of the same forest": "wavelets, all",
        },
        list(outcomes()),
        "Against",
    ),
    "importances": Table(
        "importances",
        {
            "wavelet forest, 100 trees": "wavelet forest",
            "`BesovSmoothnessEstimator`, 100 trees": "smoothness, 100 trees",
            "`BesovSmoothnessEstimator`, 10 trees": "smoothness, 10 trees",
            "SHAP of a random forest": "SHAP",
            "permutation, on a quarter held out": "permutation",
            "impurity of a random forest": "impurity",
        },
        [
            Column("Average precision", "all", "precision", best="max"),
            Column(
                "Share on irrelevant columns", "all", "share on noise %", "{:.1f} %", "min"
            ),
            Column("Time", "all", "time", "{:.2f}", "min"),
        ],
    ),
    "cliffs": Table("cliffs", RIVALS_OF_CLIFF, list(columns_of_cliffs()), "Order"),
    "wrong labels": Table(
        "find_mislabelled",
        {case: case for case in wrong_labels()},
        list(rivals_of_roughness()),
        "Wrong labels",
        best_of_row="max",
        page="benchmarks",
    ),
    "images": Table(
        "image_compression",
        {
            "all 26, index": "all, index",
            "all 26, power spectrum": "all, spectrum",
            "18 photographs, index": "photographs, index",
            "18 photographs, power spectrum": "photographs, spectrum",
        },
        list(slope_columns()),
        "Images, predictor",
        page="benchmarks",
    ),
    "ladders": Table(
        "three_numbers",
        {name: name for name in LADDERS},
        list(columns_of_ladders()),
        "Data",
        page="benchmarks",
    ),
    "signal": Table(
        "three_numbers",
        SIGNALS,
        [
            Column("held", "signal", "held %", "{:.0f} %"),
            Column("median width", "signal", "median width %", "{:.0f} %", is_partial=True),
        ],
        "Data, noise",
    ),
    "cost": Table(
        "three_numbers",
        {name: name for name in COSTS},
        [
            Column("growth, s", "cost", "growth s", "{:.2f}"),
            Column("fit / growth", "cost", "fit / growth", "{:.2f}"),
            Column(
                "`class_pairs=False` / growth",
                "cost",
                "without pairs / growth",
                "{:.2f}",
                is_partial=True,
            ),
        ],
        "Data",
    ),
    "few columns": Table(
        "few_columns",
        {name: name for name in FEW_COLUMNS},
        [
            Column("comparison, s", "cost", "compare s", "{:.2f}"),
            Column("5-NN, s", "cost", "5-NN s", "{:.2f}"),
            Column("in 5-NN", "cost", "compare / 5-NN", "{:.1f}"),
            Column("scaled 5-NN, s", "cost", "5-NN scaled s", "{:.2f}"),
            Column("in scaled 5-NN", "cost", "compare / 5-NN scaled", "{:.1f}"),
        ],
        "Data",
    ),
    "coverage": Table(
        "known_smoothness",
        {
            **{"all (48)": "all", "chosen on (37)": "chosen on", "fresh (11)": "fresh"},
            "smooth, 2 to 4 variables": "smooth, 2 to 4 variables",
            "the worst function": "worst function",
        },
        list(columns_of_coverage()),
        "Functions",
    ),
    "known sets": Table(
        "three_numbers",
        {name: name for name in KNOWN_SETS},
        list(columns_of_sets()),
        "Data",
        page="what_to_do",
    ),
    "forecast curves": Table(
        "forecasts",
        {name: name for name in LEARNERS},
        list(columns_of_forecasts("curves", RIVALS_OF_FORECASTS)),
        "Learner",
        page="more_samples",
    ),
    "forecast samples": Table(
        "forecasts",
        {name: name for name in LEARNERS},
        list(columns_of_forecasts("samples", RIVALS_OF_FORECASTS | BY_ALPHA)),
        "Learner",
        page="more_samples",
    ),
    "clusters": Table(
        "clusters",
        {name: name for name in ("1 thread", "2 threads", "Dask", "Ray")},
        list(cluster_columns()),
        "Processes:",
        page="large_data",
    ),
    "maps": Table(
        "scale_out",
        {name: name for name in MAPS},
        list(map_columns()),
        "Rows x columns",
        page="large_data",
    ),
    "fits of maps": Table(
        "scale_out",
        {
            f"{name}, {n} rows a tree": f"{name}, {n} rows a tree"
            for name in MAPS
            for n in ("2,000", "20,000", "50,000")
        },
        list(map_fit_columns()),
        "Rows x columns",
        page="large_data",
    ),
    "blocks": Table(
        "scale_out",
        {
            f"{order}, {way}": f"{order}, {way}"
            for order in ("random order", "sorted by a feature")
            for way in ("rows", "blocks")
        },
        list(block_columns()),
        "Order of the rows, what is drawn",
        page="large_data",
    ),
    "extrapolated": Table(
        "scale_out",
        {
            f"10^{rows} x 10^{columns}": f"10^{rows} x 10^{columns}"
            for rows in (6, 7, 8, 9)
            for columns in (2, 3, 4)
        },
        list(extrapolated_columns()),
        "Rows x columns",
        page="large_data",
    ),
}


FORECASTS = "forecasts/{}: median |log error| by {}/all/{}"
TABLES["forecasts"] = Overview(
    ["Forecast from", "Cases", *("`forecast_error`", *RIVALS_OF_FORECASTS.values())],
    {
        title: [
            ("{:,}", FORECASTS.format(part, by, "cases")),
            *(
                ("{:.2f}", FORECASTS.format(part, by, name))
                for name in ("ours", *RIVALS_OF_FORECASTS)
            ),
        ]
        for title, part, by in (
            ("measured learning curves", "curves", "learner"),
            ("samples of 24 data sets", "samples", "learner"),
            ("samples of known functions", "regression", "function"),
        )
    },
    "benchmarks",
)
NOT_MEASURED = ("\N{EN DASH}",)
PASSES = "compare_layers/forward pass/"
MAP_FIT = "scale_out/fits of maps/100,000,000 x 75, 20,000 rows a tree/"
TABLES["costs"] = Overview(
    ["What", "With sksmooth", "Otherwise"],
    {
        "Forward passes for 7 layers, 4,000 images": [
            ("{:.1f} s, all in one pass", PASSES + "all layers at once/s"),
            ("{:.1f} s, one for each", PASSES + "a pass for each layer/s"),
        ],
        "Features of a layer, 50,000 x 9,216 values, peak memory": [
            ("{:.2f} GB, as a memory map", "layer_memory/peak/memory map/GB"),
            (
                "{:.2f} GB as one array, {:.2f} GB as a list of batches",
                "layer_memory/peak/one array/GB",
                "layer_memory/peak/list, then concatenated/GB",
            ),
        ],
        "`SmoothnessMonitor`, part of an epoch": [
            ("{:.0f} % with 500 samples", "monitor_cost/cost/record/share of an epoch %"),
            (
                "{:.0f} % with 1,000 samples",
                "monitor_cost/cost/record of 1,000 samples/share of an epoch %",
            ),
        ],
        "Fit of 50,000 x 9,216 values, memory beyond X": [
            ("{:,.0f} MiB", "grower/memory/50,000 x 9,216/peak, MiB"),
            NOT_MEASURED,
        ],
        "Fit of 100,000,000 x 75 values on disk, 20,000 rows a tree": [
            ("{:.0f} s, {:.0f} MB", MAP_FIT + "s", MAP_FIT + "peak, MB"),
            NOT_MEASURED,
        ],
        "Reading 200,000 of these rows": [
            ("{:.1f} s", "scale_out/reading of maps/100,000,000 x 75/pages, s"),
            ("{:.1f} s, `X[rows]`", "scale_out/reading of maps/100,000,000 x 75/NumPy, s"),
        ],
    },
    "benchmarks",
)


def with_tables(text, page):
    """The page with its tables of the results, all of which it must hold once."""
    names = [found[1] for found in MARKED.findall(text)]
    tables = {name: table for name, table in TABLES.items() if table.page == page}
    if sorted(names) != sorted(tables):
        raise ValueError(f"{page} has the tables {names}, not {list(tables)}")
    made = {name: table.to_markdown() for name, table in tables.items()}
    return MARKED.sub(lambda found: found[1] + made[found[2]] + found[3], text)


def main():
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    for name, path in PAGES.items():
        text = path.read_text(encoding="utf-8")
        made = with_tables(text, name)
        if is_check and made != text:
            sys.exit(f"{path} is not made of the results: run python doc/make_figures.py")
        if not is_check:
            path.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
