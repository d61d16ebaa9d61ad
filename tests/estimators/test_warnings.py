"""One fit gives one warning, and a line of the user says each kind once."""

import pickle
import subprocess
import sys
import warnings
from collections import Counter

import numpy as np
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.ensemble import GradientBoostingClassifier

from sksmooth import BesovSmoothnessEstimator
from sksmooth._lib.warn import warn_caller
from sksmooth.exceptions import (
    BentDecayWarning,
    FewTermsWarning,
    IdentifierWarning,
    InSampleOnlyWarning,
    SmoothnessWarning,
)

CALLS = {
    "grid": "GridSearchCV(estimator, {'max_depth': [*range(2, 12)]}, cv=folds%s).fit(X, y)",
    "folds": "cross_val_score(estimator, X, y, cv=folds%s)",
    "loop": "for depth in range(2, 11): estimator.set_params(max_depth=depth%s).fit(X, y)",
}


def kinds_on_stderr(code, *options):
    """Count the kinds of warnings that a script prints."""
    run = subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    lines = (line.split(": ") for line in run.stderr.splitlines() if "Warning: " in line)
    return Counter(kind for line in lines for kind in line if kind.endswith("Warning"))


SETTING = """
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from joblib import parallel_config
from sksmooth import BesovSmoothnessEstimator
X, y = load_iris(return_X_y=True)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
estimator = BesovSmoothnessEstimator(2, random_state=0)
"""


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_line_says_each_kind_once(call):
    assert kinds_on_stderr(SETTING + call % "") == {"FewTermsWarning": 1}


def test_a_second_line_says_it_again():
    code = SETTING + "estimator.fit(X, y)\nestimator.fit(X, y)\n"
    assert kinds_on_stderr(code) == {"FewTermsWarning": 2}


def test_code_that_is_run_again_says_it_again():
    """As a cell of a notebook, which is compiled whenever it is run."""
    cell = "exec(compile('estimator.fit(X, y)', 'cell', 'exec'))\n"
    assert kinds_on_stderr(SETTING + 2 * cell) == {"FewTermsWarning": 2}


@pytest.mark.slow
def test_workers_say_it_once_each():
    """And the process that fits the best one says it for its line."""
    call = CALLS["grid"] % ", n_jobs=2"
    for backend, most in (("threading", 2), ("loky", 3)):
        code = f"{SETTING}\nwith parallel_config({backend!r}):\n    {call}\n"
        counts = kinds_on_stderr(code)
        assert list(counts) == ["FewTermsWarning"]
        assert counts["FewTermsWarning"] <= most


def test_filters_are_obeyed():
    loop = SETTING + CALLS["loop"] % ""
    assert kinds_on_stderr(loop, "-W", "always::UserWarning") == {"FewTermsWarning": 9}
    assert kinds_on_stderr(loop, "-W", "ignore::UserWarning") == {}


def identifier_in_sample():
    X, y = load_wine(return_X_y=True)
    return np.column_stack([np.arange(len(y)), X]), y


def test_one_fit_gives_one_warning_of_all_kinds():
    X, y = identifier_in_sample()
    estimator = BesovSmoothnessEstimator(2, max_samples=1.0, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(X, y)
    (warning,) = caught
    kinds = (IdentifierWarning, InSampleOnlyWarning)
    assert issubclass(warning.category, kinds[0])
    assert issubclass(warning.category, kinds[1])
    cautions = estimator.decay_.cautions
    assert warning.category.__name__ == ", ".join(type(c).__name__ for c in cautions)
    assert str(warning.message) == " ".join(map(str, cautions))
    for kind in kinds:
        with warnings.catch_warnings():
            warnings.simplefilter("error", kind)
            with pytest.raises(kind):
                estimator.fit(X, y)


def test_a_warning_of_several_kinds_can_be_sent_from_a_worker():
    """Where warnings are errors, its text would be lost behind one of pickling."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_caller(FewTermsWarning("few"), BentDecayWarning("bent"))
    sent = pickle.loads(pickle.dumps(caught[0].message))
    assert type(sent) is caught[0].category
    assert str(sent) == "few bent"


def test_a_kind_that_is_ignored_hides_no_other():
    X, y = identifier_in_sample()
    estimator = BesovSmoothnessEstimator(2, max_samples=1.0, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for kind in (IdentifierWarning, FewTermsWarning):
            warnings.simplefilter("ignore", kind)
        estimator.fit(X, y)
    assert [w.category for w in caught] == [InSampleOnlyWarning]


def test_kinds_are_said_once_whatever_comes_between():
    """Figures in the text differ, and libraries change the filters for a moment."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        for number in range(5):
            cautions = [FewTermsWarning(f"few {number}"), BentDecayWarning(f"b {number}")]
            warn_caller(*cautions[: 1 + number % 2])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                warnings.warn("another", stacklevel=1)
    assert [str(w.message) for w in caught] == ["few 0", "b 1"]
    assert {w.filename for w in caught} == {__file__}


def test_warnings_of_text_and_place_can_be_filtered():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message="few")
        warnings.filterwarnings("ignore", module="nowhere")
        warn_caller(FewTermsWarning("few terms"))
        warn_caller(FewTermsWarning("less"))
        warnings.filterwarnings("ignore", module=__name__)
        warn_caller(FewTermsWarning("none"))
    assert [str(w.message) for w in caught] == ["less"]


def test_boosting_says_in_one_warning_that_it_is_in_sample():
    X, y = load_iris(return_X_y=True)
    forest = GradientBoostingClassifier(n_estimators=3, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        BesovSmoothnessEstimator(forest=forest).fit(X, y)
    assert len([w for w in caught if issubclass(w.category, SmoothnessWarning)]) == 1
