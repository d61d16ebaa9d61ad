"""Figures that pages and docstrings quote are those of the benchmarks' results files."""

import json
import math
import re
from functools import cache
from pathlib import Path
from statistics import fmean

import pytest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
pytestmark = pytest.mark.skipif(
    not RESULTS.exists(), reason="these tests are not in the source tree"
)
NUMBER = r"(?<![\d.])([-+]?\d[\d,]*(?:\.\d+)?)"
HEAD = {
    *("script", "setup", "transcribed", "date", "commit", "load", "cores", "versions"),
    "figures",
}


@cache
def read_figures(file):
    """Tables of a results file."""
    return json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8"))["figures"]


def figure(path):
    """Value at "file/table/row/column"."""
    file, *keys = path.split("/")
    value = read_figures(file)
    for key in keys:
        value = value[key]
    return {"inf": math.inf, None: math.nan}.get(value, value)


@cache
def plain_text(path):
    """Text of a page without bold type and line breaks."""
    text = (ROOT / path).read_text(encoding="utf-8").replace("**", "")
    return re.sub(r"\s+", " ", text)


def check_quote(page, text, values):
    """The page says the text, with the values rounded to the digits that it gives."""
    pattern = re.escape(text).replace(r"\{\}", NUMBER)
    found = [match.groups() for match in re.finditer(f"(?={pattern})", page)]
    assert found, f"the page does not say: {text}"
    is_right = [all(map(is_rounded, numbers, values)) for numbers in found]
    assert any(is_right), f"the page says {found} where the results have {values}"


def is_rounded(text, value):
    """Whether a number of a page is the value, up to half a unit of its last digit."""
    number, digits = float(text.replace(",", "")), len(text.partition(".")[2])
    return abs(number - value) <= 0.5 * 10.0**-digits + 1e-9


# What a page says, with "{}" for each value, and where the values are. A page that is
# reworded needs a change here; a new figure of a page needs a line.

KNOWN = "known_smoothness/errors, {} samples/{}, {}/{}"
ALL_20, ALL_2 = (
    KNOWN.format(n, "all but hard", "mterm", "mean %") for n in ("20,000", "2,000")
)
SEEN, FRESH = (
    [KNOWN.format("20,000", group, index, "mean %") for index in
     ("mterm", "weak-lp", "elisha-dekel")]
    for group in ("chosen on", "fresh")
)  # fmt: skip
FRESH_2 = KNOWN.format("2,000", "fresh", "mterm", "mean %")
COVERAGE = "known_smoothness/coverage, 2,000 samples/all/"
SMOOTH_HELD = "known_smoothness/coverage, 2,000 samples/smooth, 2 to 4 variables/held %"
MANY = [
    KNOWN.format(n, "many classes, not looked at", "mterm", "mean %")
    for n in ("20,000", "2,000")
]
DRIFT = "known_smoothness/drift/all/"
COMPARED = "compare_representations/{}, {} samples/{}/{}"
AT_EQUAL_LEVEL = COMPARED.format("pooled", "400", "{}", "at equal level %")
POWER = COMPARED.format("pooled", "400", "{}", "power %")
SPEED = "grower/speed/{}/ratio"
LOST = "broken_blocks/{}/{}/marked, %"
FOREST = "wavelet_forests/verdicts/{}/all: {}"
BOOSTING = "boosting_terms/errors/{}/{}"
PRECISION = "find_mislabelled/average precision, {} trees/{}/{}"
SUSPECTS = "find_mislabelled/positive excess, 100 trees/{}/precision"
IMPORTANCE = "importances/{}/{}/{}"
LANDSCAPE = "landscapes/{}/{}/{}"
SCORED = "Pearson: held-out score"
SCORED_AGAINST_FORESTS = f"{SCORED} against random forest, out of bag"
RIVALS = ("held-out score", "explained", "roughness", "5-NN", "ROGI-XD", "ROGI")
AT_300 = [
    LANDSCAPE.format("300 molecules", name, "Spearman")
    for name in ("held-out score", "ROGI-XD")
]
AHEAD = "landscapes/tests, random folds/Pearson: {} against {}/{}"
SLOPES = "image_compression/images/{}/{}"
LEAD = "image_compression/lead/photographs, {}/{}"
TOOL = "authors_tool/alpha/{}/{}"
FORECAST = "forecasts/{}/{}/{}"
BY_SET = "samples: median |log error| by data set"
WITHIN = "curves: samples needed, within a factor of two"
ILL = "curves: ill-behaved, all learners"
NOISY = "noise: summary"
FUNCTIONS = "regression: median |log error| by noise"
DECIDED = "smoothness_or_accuracy/{} samples/{}/{} %"
BOTH_WAYS = ("smoothness", "accuracy")
COMPONENTS = "smoothness_or_accuracy/truth/digits: 10 components or 20 components/{}"
REGRET = "best_layer/ways/{}/mean regret, points"

QUOTES = {
    "doc/what_to_do.md": [
        (
            "smoothness finds {} % of the right answers and the corrected test of "
            "cross-validated accuracy {} %; with 400 samples, {} % and {} %",
            *(DECIDED.format(n, way, "right") for n in (100, 400) for way in BOTH_WAYS),
        ),
        (
            "the lead is smaller: {} % against {} % with 100 samples, {} % against {} % "
            "with 400",
            *(
                DECIDED.format(n, way, "right at equal level")
                for n in (100, 400)
                for way in BOTH_WAYS
            ),
        ),
        (
            "It takes {} s in place of {} s",
            *(
                f"smoothness_or_accuracy/seconds/400 samples/{way}, s" for way in BOTH_WAYS
            ),
        ),
        (
            "forests are more often right ({} % against {} %)",
            *(COMPONENTS.format(name) for name in ("second %", "first %")),
        ),
        (
            "their Brier score is {} against {}",
            *(COMPONENTS.format(name) for name in ("second, Brier", "first, Brier")),
        ),
        ("its {} % of wrong decisions", DECIDED.format(200, "smoothness", "wrong")),
        (
            "it is the right one in {} % of the draws of 400 samples, the higher score in "
            "{} %",
            *(DECIDED.format(400, way, "right sign") for way in reversed(BOTH_WAYS)),
        ),
        ("find {} % with 400 samples", DECIDED.format(400, "squared error", "right")),
        (
            "`best_layer_` loses {} points of accuracy against the best layer, a linear "
            "probe {}, and the last layer {}",
            *(REGRET.format(way) for way in ("best_layer_", "probe linear", "last layer")),
        ),
    ],
    "doc/more_samples.md": [
        (
            "on MNIST {} against {}. It is worse if there is one: on Fashion-MNIST {} "
            "against {}",
            *(
                FORECAST.format(BY_SET, number, name)
                for number in (554, 40996)
                for name in ("pow2", "ours")
            ),
        ),
        (
            "Intervals of 90 % hold {} % of these errors, and {} % with 512 samples and "
            "more",
            FORECAST.format("samples: intervals", "all", "intervals hold %"),
            FORECAST.format("samples: intervals", "all", "of 512 samples and more %"),
        ),
        (
            "on the curves above they hold {} %",
            FORECAST.format("curves: intervals", "report", "intervals hold %"),
        ),
        (
            "makes the plain power law worse, {} in place of {}",
            FORECAST.format(
                "samples: median |log error| by learner", "all", "pow2, exponent by alpha"
            ),
            FORECAST.format("samples: median |log error| by learner", "all", "pow2"),
        ),
        (
            "within a factor of two in {} % of cases where twice the samples reach it, "
            "{} % where four times, and {} % where eight times do",
            *(
                FORECAST.format(WITHIN, f"error at {times} N0", "ours %")
                for times in (2, 4, 8)
            ),
        ),
        (
            "{} against {} for pow2. Without noise it is {} against {}",
            FORECAST.format(FUNCTIONS, "all", "ours"),
            FORECAST.format(FUNCTIONS, "all", "pow2"),
            FORECAST.format(FUNCTIONS, "0.0", "ours"),
            FORECAST.format(FUNCTIONS, "0.0", "pow2"),
        ),
        (
            "That takes {} to",
            FORECAST.format("cost", "MNIST, 10,000 samples, default", "fits"),
        ),
        (
            "is within two points of the truth in {} % of 32 cases",
            FORECAST.format(NOISY, "wrong_labels", "within two points %"),
        ),
        (
            "is that near in {} %, and its interval holds the truth in {} %",
            FORECAST.format(NOISY, "floor", "within two points %"),
            FORECAST.format(NOISY, "interval of the floor", "holds %"),
        ),
        (
            "is mostly an upper bound, and that near in {} %",
            FORECAST.format(NOISY, "noise_ of the estimator", "within two points %"),
        ),
        (
            "one overtakes the other in {} % of cases. Where forecasts say so, they are "
            "right in {} %",
            FORECAST.format("crossings", "report", "overtaken %"),
            FORECAST.format("crossings", "report", "of those forecast, true %"),
        ),
        (
            "Of all curves of LCDB's twenty learners, {} % rise or bend the wrong way",
            FORECAST.format(ILL, "all", "ill-behaved %"),
        ),
        (
            "finds {} % of those, and warns at {} % of the others",
            FORECAST.format(ILL, "all", "of these, flagged %"),
            FORECAST.format(ILL, "all", "of the others, flagged %"),
        ),
    ],
    "README.md": [
        (
            "finds {} % of true differences, the corrected test of cross-validated "
            "accuracy {} % (each at 5 % false positives: {} and {} %)",
            *(
                path.format(test)
                for path in (POWER, AT_EQUAL_LEVEL)
                for test in ("levels", "cross-validation")
            ),
        ),
        ("20,000 samples give a mean relative error of {} %", ALL_20),
        ("2,000 samples {} %", ALL_2),
        ("not used to tune the method, {} and {} %", FRESH[0], FRESH_2),
        ("covers the true index in {} % of data sets", COVERAGE + "held %"),
        ("Trees grow {} times faster", SPEED.format("scikit-learn")),
        ("{} times faster than scikit-learn-intelex", SPEED.format("scikit-learn-intelex")),
    ],
    "doc/chemistry.md": [
        (
            "is {} for `oob_score_`, {} for `explained_`, {} for `roughness_`, {} for the "
            "error of 5 nearest neighbours, {} for ROGI-XD and {} for ROGI",
            *(LANDSCAPE.format("random folds", name, "Pearson") for name in RIVALS),
        ),
        (
            "which is easy to tell, it is {}, {}, {}, {}, {} and {}",
            *(
                LANDSCAPE.format("random folds", name, "Pearson, without random")
                for name in RIVALS
            ),
        ),
        (
            "these were {} of ten on average, and held the representation that is best for "
            "the best model on {} % of the targets; the highest score alone is right on "
            "{} %",
            *(
                LANDSCAPE.format("sets of the best", "by the best model", what)
                for what in ("mean size", "in the set, %", "first, %")
            ),
        ),
        (
            "`oob_score_` has a rank correlation of {} with the errors of models of all "
            "molecules, ROGI-XD one of {}",
            *AT_300,
        ),
        (
            "with a median correlation of {}, and 10,000 molecules of 2,048 bits take it "
            "{} s of processor time where one fit here takes {} s",
            LANDSCAPE.format("random folds", "random forest, out of bag", "Pearson"),
            LANDSCAPE.format("cost", "random forest, out of bag", "10,000: s"),
            LANDSCAPE.format("cost", "one fit of ours", "10,000: s"),
        ),
        (
            "the median average precision of `cliff` is {} where chance gives {}; of SALI "
            "{}, of the difference to the nearest neighbour {}, and of cleanlab's score "
            "for regression {}. `cliff` is ahead of SALI on {} of these targets",
            *(
                f"cliffs/all/{name}/median"
                for name in (
                    "cliff", "base rate", "SALI, largest", "nearest neighbour",
                    "cleanlab: outre",
                )
            ),
            "cliffs/all/SALI, largest/cliff is ahead",
        ),
        (
            "has {}, and is ahead on {} of them",
            "cliffs/all/Tanimoto cubed/median",
            "cliffs/all/Tanimoto cubed/cliff is behind",
        ),
    ],
    "doc/limits.md": [
        ("the mean error is {} % at 20,000 samples and {} % at 2,000", ALL_20, ALL_2),
        ("moves by {} % in the median", DRIFT + "median %"),
        ("more than 6 % for {} of {} functions", DRIFT + "above 6 %", DRIFT + "functions"),
        (
            "Of {} intervals at 2,000 samples {} % covered the true index",
            *(COVERAGE + name for name in ("intervals", "held %")),
        ),
        ("of those of smooth functions of two to four variables {} %", SMOOTH_HELD),
        ("they are {} % off at 20,000 samples and {} % at 2,000", *MANY),
        (
            "it found {} % of the differences of a benchmark with 400 samples, where "
            "`p_value`, which compares the held-out scores, found {} %",
            *(POWER.format(test) for test in ("rates", "levels")),
        ),
        (
            "by the latter in {} % of the draws with 400 samples",
            COMPARED.format("different", "400", "blur of 5 % or 3 %", "levels %"),
        ),
        (
            "the chosen M has an error rate of {}, a forest with larger leaves {}",
            "wavelet_forests/errors/jump, 40 %/wavelets, M chosen",
            "wavelet_forests/errors/jump, 40 %/forest, leaf size chosen",
        ),
        (
            "HistGradientBoosting ({} against {})",
            BOOSTING.format("digits, clean, HistGradientBoosting", "100 %"),
            BOOSTING.format("digits, clean, HistGradientBoosting", "own"),
        ),
        (
            "XGBoost ({} against {})",
            BOOSTING.format("digits, clean, XGBoost", "100 %"),
            BOOSTING.format("digits, clean, XGBoost", "own"),
        ),
        (
            "(average precision {}, with 100 trees {})",
            IMPORTANCE.format("all", "smoothness, 10 trees", "precision"),
            IMPORTANCE.format("all", "smoothness, 100 trees", "precision"),
        ),
        (
            "(accuracy on digits: {} with 100 such trees, {} with",
            "wavelet_features/features/wavelets of 100 trees, all features/digits",
            "wavelet_features/features/wavelets/digits",
        ),
        (
            "(bior4.4: slope {}, index {})",
            SLOPES.format("smooth", "bior4.4"),
            SLOPES.format("smooth", "index"),
        ),
        (
            "50,000 x 9,216 float32 values took {} bytes",
            "grower/memory/50,000 x 9,216/bytes an entry",
        ),
        ("of 20,000 x 2,304, {} bytes", "grower/memory/20,000 x 2,304/bytes an entry"),
    ],
    "doc/choosing_an_index.md": [
        ('"mterm"` {} % on the 37 functions', SEEN[0]),
        ("{} % on 11 others", FRESH[0]),
        ('"weak-lp"` {} and {} %', SEEN[1], FRESH[1]),
        ('half of `"elisha-dekel"` {} and {} %', SEEN[2], FRESH[2]),
        ("the tool: {} | 1.01", TOOL.format("digits", "tool")),
        ("on the tool's own rows the value is {}", TOOL.format("iris", "on its rows")),
    ],
    "doc/reading_the_index.md": [
        ("Over {} data sets of 2,000 samples", COVERAGE + "intervals"),
        ("{} % of the 95 % intervals cover the true index", COVERAGE + "held %"),
        ("their median length is {} % of the index", COVERAGE + "median length %"),
    ],
    "doc/comparison_with_other_tools.md": [
        (
            "{} on digits where it prints {}, {} on diabetes for {}",
            *(TOOL.format("digits", who) for who in ("sksmooth", "tool")),
            *(TOOL.format("diabetes", who) for who in ("sksmooth", "tool")),
        ),
        ("single values differ by up to {} %", TOOL.format("iris", "difference %")),
        (
            "(average precision {} and {} over 16 settings), gave {} % of the "
            "whole to noise where SHAP gave {} and impurity {} %",
            *(
                IMPORTANCE.format("all", name, "precision")
                for name in ("wavelet forest", "SHAP")
            ),
            *(
                IMPORTANCE.format("all", name, "share on noise %")
                for name in ("wavelet forest", "SHAP", "impurity")
            ),
        ),
        (
            "they won {}, tied {} and lost {} against a random forest",
            *(FOREST.format("random forest", how) for how in ("wins", "ties", "losses")),
        ),
        (
            "tied {} and lost {} against one whose leaf size was chosen",
            *(FOREST.format("forest, leaf size chosen", how) for how in ("ties", "losses")),
        ),
        (
            "sksmooth was {} times as fast as scikit-learn and {} times as fast as",
            *(SPEED.format(name) for name in ("scikit-learn", "scikit-learn-intelex")),
        ),
        (
            "its tree is {} dB ahead of Haar on photographs",
            LEAD.format("300 terms, haar", "median, dB"),
        ),
        (
            "it is {} to {} times as fast as scikit-learn's random forest",
            "grower/sampled/MNIST 3,000 x 784, regression/random forest, ratio",
            "grower/sampled/table 20,000 x 20, classes/random forest, ratio",
        ),
    ],
    "doc/where_is_it_rough.md": [
        ("labels that look alike ({} at 20 %)",
         PRECISION.format(100, "20 %, alike", "cleanlab: self_confidence")),
        *(
            (
                f"| {case} | {{}} | {{}} | {{}} | {{}} |",
                *(
                    PRECISION.format(100, case, name)
                    for name in ("excess", "roughness", "margin, out of bag",
                                 "cleanlab: normalized_margin")
                ),
            )
            for case in (
                f"{share} %, {kind}" for kind in ("any", "alike") for share in (5, 20, 40)
            )
        ),
    ],
    "doc/wavelets_at_work.md": [
        *(
            (
                f"| {title} | {{}} | {{}} % |",
                IMPORTANCE.format("all", name, "precision"),
                IMPORTANCE.format("all", name, "share on noise %"),
            )
            for title, name in {
                "`WaveletForest*`, 100 trees": "wavelet forest",
                "`BesovSmoothnessEstimator`, 100 trees": "smoothness, 100 trees",
                "`BesovSmoothnessEstimator`, 10 trees": "smoothness, 10 trees",
                "SHAP of a random forest": "SHAP",
                "permutation, on held-out rows": "permutation",
                "impurity of a random forest": "impurity",
            }.items()
        ),
        *(
            (
                f"| {title} | {{}} | {{}} | {{}} | {{}} | {{}} |",
                *(
                    f"wavelet_features/features/{name}/{data}"
                    for name in (
                        *("raw features", "wavelets", "wavelets and raw features"),
                        *("all leaves of that forest (columns)", "the forest itself"),
                    )
                ),
            )
            for title, data in {
                "digits": "digits",
                "breast cancer": "cancer",
                "Friedman's function (R²)": "friedman1",
                "MNIST, 10,000 images": "MNIST",
                "diabetes (R²)": "diabetes",
            }.items()
        ),
        *(
            (
                f"| {title} | {{}} % | {{}} % | {{}} % |",
                *(
                    f"active_learning/rules/{name}/{column}"
                    for column in ("labels %", "lost %", "at worst %")
                ),
            )
            for title, name in {
                "index of the reference": "index of the reference, labelled by the model",
                "index of the labelled samples": "index of the labelled samples",
                "out-of-bag accuracy": "out-of-bag accuracy",
                "predictions of the reference (kappa 0.99)":
                    "agreement of predictions, kappa 0.99",
                "half of the pool, whatever happens": "a half of the pool",
            }.items()
        ),
    ],
    "doc/images.md": [
        *(
            (
                f"| {title} | {{}} | {{}} | {{}} | {{}} | {{}} |",
                *(
                    f"image_compression/correlation/{group}, index/{curve}: {column}"
                    for group, columns in (
                        ("photographs", ("Pearson", "Spearman", "difference")),
                        ("all", ("Pearson", "Spearman")),
                    )
                    for column in columns
                ),
            )
            for title, curve in {
                "the tree's terms": "tree",
                "Haar": "haar",
                "bior4.4, the wavelet of JPEG 2000": "bior4.4",
            }.items()
        ),
        (
            "has {}, {} and {} in the place of the first column",
            *(
                f"image_compression/correlation/photographs, spectrum/{curve}: Pearson"
                for curve in ("tree", "haar", "bior4.4")
            ),
        ),
        (
            "a slope of {} where the index says {}",
            *(SLOPES.format("smooth", column) for column in ("bior4.4", "index")),
        ),
        (
            "under the microscope {} where it says {}",
            *(SLOPES.format("cell", column) for column in ("bior4.4", "index")),
        ),
        (
            "bior4.4 on {} of {} photographs at 300 terms, on {} at 3000",
            *(LEAD.format("300 terms, bior4.4", column) for column in ("ahead on", "of")),
            LEAD.format("3000 terms, bior4.4", "ahead on"),
        ),
        *(
            (
                f"| {n} | {{}} ({{}} of {{}}) | {{}} ({{}} of {{}}) |",
                *(
                    LEAD.format(f"{n} bytes, {wavelet}", column)
                    for wavelet in ("haar", "bior4.4")
                    for column in ("median, dB", "ahead on", "of")
                ),
            )
            for n in (500, 2000, 8000)
        ),
        (
            "({} and {} dB at 300 terms)",
            *(LEAD.format(f"300 terms, {w}", "median, dB") for w in ("haar", "bior4.4")),
        ),
    ],
    "doc/decisions.md": [
        (
            "agree within {} % (digits) and {} % (diabetes)",
            *(TOOL.format(d, "curves: difference %") for d in ("digits", "diabetes")),
        ),
        (
            "100 trees take {} s against {} s",
            *(
                f"grower/sampled/MNIST 10,000 x 784, classes/{side}, s"
                for side in ("sksmooth", "random forest")
            ),
        ),
        (
            "HistGradientBoosting: {} against {} with all",
            BOOSTING.format("friedman1, clean, HistGradientBoosting", "10 %"),
            BOOSTING.format("friedman1, clean, HistGradientBoosting", "100 %"),
        ),
        (
            "fewer stages ({} against {})",
            BOOSTING.format("friedman1, noisy, HistGradientBoosting", "chosen"),
            BOOSTING.format("friedman1, noisy, HistGradientBoosting", "stages"),
        ),
        (
            "they give {} % of the whole to columns of noise, of the leading ones {} %. By "
            "norms on samples that the trees have not seen it is {} %",
            *(
                f"importances/all/smoothness, 100 trees{norms}/share on noise %"
                for norms in (", fitted norms of all wavelets", ", fitted norms", "")
            ),
        ),
        (
            "R² is {} with the wavelets in the loop, {} by halves and {} cross-fitted; on "
            "digits accuracy falls from {} to {}",
            *(
                f"wavelet_features/penalty/diabetes (R²)/{way}"
                for way in ("outside", "halves", "cross-fitted")
            ),
            *(f"wavelet_features/penalty/digits/{way}" for way in ("outside", "halves")),
        ),
        (
            "a linear model {}, the first 10,000 give {}",
            *(f"wavelet_features/columns/MNIST/{k}" for k in (1000, 10_000)),
        ),
        (
            "after {} % of the labels and loses up to {} % of accuracy",
            *(
                f"active_learning/rules/index of the labelled samples/{column}"
                for column in ("labels %", "at worst %")
            ),
        ),
    ],
    "doc/held_out_score.md": [
        (
            "Choosing by `oob_score_` loses {} points, by the out-of-bag accuracy of a "
            "forest of 100 trees {}, and by that of as many trees as take the same time "
            "{}; by cross-validated accuracy of nearest neighbours {}, of a linear model "
            "{}, of a forest {}",
            *(
                f"rank_features/all/{score}/regret, mean"
                for score in (
                    *("oob_score_", "forest, out of bag", "forest, out of bag, equal time"),
                    *("5-NN, five folds", "linear, five folds", "forest, five folds"),
                )
            ),
        ),
    ],
    "doc/comparing.md": [
        (
            "it finds {} % of true differences, the corrected test of repeatedly "
            "cross-validated forests {} %, McNemar's {} %",
            *(POWER.format(test) for test in ("levels", "cross-validation", "McNemar")),
        ),
        (
            "of equal pairs it calls {} % different, a forest's out-of-bag test {} %",
            *(
                COMPARED.format("pooled", "400", test, "level %")
                for test in ("levels", "forest")
            ),
        ),
    ],
    "doc/lecture.md": [
        (
            "three seeds each), {} % of 21 and {} % of 27 lose to the same block",
            LOST.format("VGG", "loses_to_reference"),
            LOST.format("residual", "loses_to_reference"),
        ),
        (
            "the layer before, {} % and {} % lose, and {} % of the residual blocks gain",
            LOST.format("VGG", "loses_smoothness"),
            LOST.format("residual", "loses_smoothness"),
            LOST.format("residual", "gains_nothing"),
        ),
    ],
    "doc/benchmarks.md": [
        (
            "its level is {} % with 400 samples and {} % with 3,000",
            *(COMPARED.format("pooled", n, "levels", "new %") for n in ("400", "3,000")),
        ),
        (
            "projections of a ball they are {} % with 400 samples, for noise columns {} %",
            *(
                COMPARED.format("equal, chosen on", "400", case, "levels %")
                for case in ("projections of a ball", "noise columns")
            ),
        ),
        (
            "called different in {} % of the draws",
            COMPARED.format(
                "equal on average only", "3,000", "digits, projected twice", "levels %"
            ),
        ),
        ("at most {} in size", KNOWN.format("20,000", "noise", "mterm", "largest")),
        (
            "is off by {} %",
            "known_smoothness/functions, 20,000 samples/half-space in 3-d/error %",
        ),
        ("the index of {} of {} functions", DRIFT + "above 6 %", DRIFT + "functions"),
        ("pickle is {} times", "wavelet_forests/models/wavelets, M chosen/pickle"),
        (
            "takes {} s of processor time, the margin {} s and cleanlab's five "
            "forests {} s",
            *(
                f"find_mislabelled/s, 100 trees/mean/{name}"
                for name in (
                    "excess", "margin, out of bag", "cleanlab: normalized_margin"
                )
            ),
        ),
        ("takes {} bytes an entry", "grower/memory/20,000 x 2,304/bytes an entry"),
        ("of 50,000 x 9,216, {}", "grower/memory/50,000 x 9,216/bytes an entry"),
        (
            "weak column in regression is found in {} % of the draws with 400 samples",
            COMPARED.format("different", "400", "weak column lost, numbers", "levels %"),
        ),
        (
            "95 %, {} % hold the truth with 2,000 samples, and their median length is {} %",
            COVERAGE + "held %",
            COVERAGE + "median length %",
        ),
        (
            "Intervals of 90 % hold {} % of the errors that are forecast from samples, and "
            "{} % of those from measured curves",
            FORECAST.format("samples: intervals", "all", "intervals hold %"),
            FORECAST.format("curves: intervals", "report", "intervals hold %"),
        ),
        (
            "for functions without noise pow2 is nearer ({} against {})",
            FORECAST.format(FUNCTIONS, "0.0", "pow2"),
            FORECAST.format(FUNCTIONS, "0.0", "ours"),
        ),
        (
            "within a factor of two in only {} % of cases",
            FORECAST.format(
                "samples: intervals", "all", "samples within a factor of two %"
            ),
        ),
        (
            "(average precision {} with 100 trees, where SHAP has {} and gives {} % of the "
            "whole to columns of noise for {} %)",
            *(
                IMPORTANCE.format("all", name, "precision")
                for name in ("smoothness, 100 trees", "SHAP")
            ),
            *(
                IMPORTANCE.format("all", name, "share on noise %")
                for name in ("SHAP", "smoothness, 100 trees")
            ),
        ),
        (
            "of 48 settings they win {}, tie {} and lose {}, and they lose {} to a forest",
            *(FOREST.format("random forest", how) for how in ("wins", "ties", "losses")),
            FOREST.format("forest, leaf size chosen", "losses"),
        ),
    ],
    "benchmarks/README.md": [
        (
            "`oob_score_` is ahead of ROGI-XD on {} of {} targets, and of 5-NN on {} "
            "(paired Wilcoxon test over targets: p = {})",
            *(AHEAD.format("held-out score", "ROGI-XD", x) for x in ("ahead on", "of")),
            *(AHEAD.format("held-out score", "5-NN", x) for x in ("ahead on", "p")),
        ),
        (
            "is ahead of 5-NN on {}. On the 26 targets that were not looked at before, the "
            "median of `oob_score_` is {}",
            AHEAD.format("spread left", "5-NN", "ahead on"),
            LANDSCAPE.format("random folds, unseen targets", "held-out score", "Pearson"),
        ),
        (
            "it has a rank correlation of {} with the errors of models of all, ROGI-XD one "
            "of {}",
            *AT_300,
        ),
        (
            "{} of ten on average, hold that of the least error of a random forest on {} % "
            "of the targets, and that of the best model on {} %",
            LANDSCAPE.format("sets of the best", "by the best model", "mean size"),
            *(
                LANDSCAPE.format("sets of the best", f"by the {model}", "in the set, %")
                for model in ("random forest", "best model")
            ),
        ),
        (
            "still ahead of ROGI-XD ({} of 30) and of 5-NN ({} of 30)",
            *(
                LANDSCAPE.format("tests, scaffold folds", pair, "ahead on")
                for pair in (f"{SCORED} against ROGI-XD", f"{SCORED} against 5-NN")
            ),
        ),
        (
            "its correlation is {} where it is {} without",
            *(
                LANDSCAPE.format("scaffold folds", number, "Pearson")
                for number in ("held-out score, by scaffolds", "held-out score")
            ),
        ),
        (
            "of `oob_score_` is {}, and ahead of the forest's out-of-bag error on {} of {}",
            LANDSCAPE.format("NK landscapes", "held-out score", "Pearson"),
            *(
                LANDSCAPE.format("tests, NK landscapes", SCORED_AGAINST_FORESTS, what)
                for what in ("ahead on", "of")
            ),
        ),
        (
            "puts first its error is {} % larger",
            LANDSCAPE.format("random folds", "held-out score", "regret %"),
        ),
        (
            "not ahead of 1-NN (on {} of {} targets)",
            *(AHEAD.format("held-out score", "1-NN", x) for x in ("ahead on", "of")),
        ),
        (
            "the mean score is {}, against {} for codes, {} for one-hot columns and {} for "
            "`TargetEncoder`",
            *(
                f"categories/ways/{way}/mean score"
                for way in ("categories", "codes", "one-hot", "target encoder")
            ),
        ),
        (
            "which order the categories at every node ({} % of the variance)",
            "categories/sets/slopes/boosting %",
        ),
        (
            "latest would be worse ({} points) and the earliest not better ({})",
            "best_layer/ways/latest not told apart/mean regret, points",
            "best_layer/ways/earliest not told apart/mean regret, points",
        ),
        (
            "`p_value` was tested on {} and {} equal pairs, forests on {} and {}, rates "
            "and cross-validation on {}",
            *(
                COMPARED.format("pooled", n, test, "draws of equal pairs")
                for test in ("levels", "forest")
                for n in ("400", "3,000")
            ),
            COMPARED.format("pooled", "400", "rates", "draws of equal pairs"),
        ),
        (
            "{} % of {} equal pairs are rejected without `groups`, and {} % with them",
            *(
                f"compare_representations/80 patients, 5 rows each/one label a patient/{x}"
                for x in ("without, level %", "draws", "with groups, level %")
            ),
        ),
        (
            "costs {} fits of a table of 2,000 rows, {} of 5,000 images",
            *(
                f"compare_representations/cost/{data}/in fits"
                for data in ("table, 2,000 x 10", "MNIST, 5,000 x 784")
            ),
        ),
        (
            "called better than principal components in {} % of 20 draws; with "
            "`transformers`, in {} %",
            *(
                "compare_representations/learned from random labels/LDA/"
                f"better than PCA, {how} %"
                for how in ("learned on all rows", "cross-fitted")
            ),
        ),
        (
            "10 trees find less ({}) than SHAP ({})",
            *(
                IMPORTANCE.format("friedman1-noisy, 300", name, "precision")
                for name in ("smoothness, 10 trees", "SHAP")
            ),
        ),
    ],
}  # fmt: skip
CASES = [(page, *quote) for page, quotes in QUOTES.items() for quote in quotes]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[1][:50]}")
def test_pages_quote_the_results(case):
    page, text, *paths = case
    check_quote(plain_text(page), text, [figure(path) for path in paths])


def layer_rows():
    """The table of layers in the page on the lecture: what it says, and the values."""
    rows = read_rows("lecture_layers")
    for layer in ("2", "6", "8", "10"):
        ours, theirs = (
            [row for row in rows if (row["layer"], row["index"]) == (layer, index)]
            for index in ("mterm", "elisha-dekel")
        )
        text = f"{ours[0]['n_features']:,} | {{}}, {{}}, {{}} | {{}}"
        yield text, [row["alpha"] for row in ours] + [min(row["held_out"] for row in ours)]
        yield "| {}, {}, {} |", [row["alpha"] for row in theirs]


def classifier_rows():
    """The table of classifiers, at the end of training."""
    names = ("alpha mterm", "held out mterm", "SVM", "random forest", "gradient boosting")
    for row in read_rows("lecture_classifiers"):
        if row["epoch"] == 12:
            yield "{} | {} | {} | {} | {} |", [row[name] for name in names]


def mislabelled_rows():
    """Both conventions in the tables of wrong labels, stopped early: means over seeds."""
    for data in ("mnist", "cifar-10"):
        yield (
            "published convention, stopped" + 5 * " | {} ± {}",
            mislabelled(data, "elisha-dekel", with_half_width=True),
        )
        yield "default index, stopped" + 5 * " | {}", mislabelled(data, "mterm")


def mislabelled(data, index, *, with_half_width=False):
    """Indices of the labels trained on, by the share of wrong ones."""
    rows = [
        row
        for row in read_rows(f"lecture_mislabelled_{data}")
        if row["index"] == index and row["stopped"] == "best epoch"
    ]
    values = []
    for fraction in sorted({row["fraction"] for row in rows}):
        own = [row for row in rows if row["fraction"] == fraction]
        values.append(fmean(row["trained"] for row in own))
        if with_half_width:
            halves = [(row["trained_high"] - row["trained_low"]) / 2 for row in own]
            values.append(fmean(halves))
    return values


def read_rows(name):
    """Rows of a results file of the lecture's experiments."""
    return list(read_figures(name)["rows"].values())


@pytest.mark.parametrize("rows", [layer_rows, classifier_rows, mislabelled_rows])
def test_the_page_on_the_lecture_quotes_the_results(rows):
    page = plain_text("doc/lecture.md")
    for text, values in rows():
        check_quote(page, text, values)


@pytest.mark.parametrize(
    "page",
    ["benchmarks", "large_data", "more tables", "more_samples", "what_to_do"],
)
def test_tables_of_the_pages_are_made_of_the_results(page, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "doc")
    figures = __import__("make_figures")
    text = figures.PAGES[page].read_text(encoding="utf-8")
    assert figures.with_tables(text, page) == text, "run python doc/make_figures.py"


def test_the_page_of_benchmarks_has_at_most_ten_tables_each_with_what_falls_short():
    text = (ROOT / "doc" / "benchmarks.md").read_text(encoding="utf-8")
    sections = text.split("\n## ")[1:]
    assert len(re.findall(r"(?m)^\| ---", text)) <= 10
    assert all("<!-- table" in section for section in sections)
    assert all("**Falls short**" in section for section in sections)


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.stem) for path in sorted(RESULTS.glob("*.json"))]
)
def test_results_have_one_shape_and_say_where_they_come_from(path):
    results = json.loads(path.read_text(encoding="utf-8"))
    assert results.keys() - {"older"} == HEAD
    assert results["setup"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", results["date"])
    script, _, removed = results["script"].partition(", removed after ")
    assert (ROOT / script).exists() != bool(removed)
    assert {"python", "numpy", "scikit-learn", "sksmooth"} <= results["versions"].keys()
    for rows in results["figures"].values():
        for row in rows.values():
            assert row
            assert all(
                isinstance(value, (int, float, str, type(None))) for value in row.values()
            )


def test_every_benchmark_is_in_the_table_of_its_page():
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    scripts = {path.name for path in (ROOT / "benchmarks").glob("[!_]*.py")}
    assert {name for name in scripts if f"`{name}`" not in page} == set()
