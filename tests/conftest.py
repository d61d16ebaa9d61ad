import sys

import pytest
from hypothesis import HealthCheck, settings
from sklearn.datasets import load_iris, make_classification

from sksmooth import BesovSmoothnessEstimator

# Compiled kernels make the first example of a test slow, so no deadline; fixed examples
# make a failure in one run a failure in every run.
settings.register_profile(
    "sksmooth",
    derandomize=True,
    deadline=None,
    max_examples=40,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("sksmooth")


@pytest.fixture(scope="session", autouse=True)
def _compiled_loops():
    """Give the notice of compilation before any test reads standard error."""
    BesovSmoothnessEstimator(2, random_state=0).fit(*load_iris(return_X_y=True))


@pytest.fixture(scope="module", autouse=True)
def _one_thread_of_torch():
    """Networks of the tests are so small that more threads would wait for each other."""
    torch = sys.modules.get("torch")  # which is there if a module of tests needs it
    if torch is None:
        yield
        return
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def data():
    return make_classification(
        150, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0
    )
