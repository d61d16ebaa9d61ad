"""What goes wrong and what must not come of it: promises, each of which is tried."""

import copy
import errno
import gc
import io
import itertools
import os
import pickle
import stat
import subprocess
import sys
import tracemalloc
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from joblib.parallel import LokyBackend, ThreadingBackend
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

import sksmooth
from sksmooth import (
    BesovSmoothnessEstimator,
    LayerFeatureTransformer,
    SimplexEncoder,
    SmoothnessMonitor,
    WaveletForestClassifier,
    WaveletForestRegressor,
    __version__,
    compare_layers,
    forecast_error,
    permutation_baseline,
    smoothness_difference,
)
from sksmooth._lib.files import atomic_write
from sksmooth.command_line import main
from sksmooth.exceptions import IncompatibleVersionError
from sksmooth.images import image_wavelets

PACKAGE = Path(sksmooth.__file__).parent
CASES = 10 if os.environ.get("SKSMOOTH_FUZZ") == "long" else 1  # of those by default

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

# ------------------------------------------------------- files are written whole or not


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_at_once(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    path.chmod(0o640)
    with atomic_write(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == path.suffix
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names_in(tmp_path) == ["table.csv"]


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("old", [None, "old"])
def test_a_failure_leaves_the_file_as_it_was(tmp_path, error, old):
    path = tmp_path / "table.csv"
    if old is not None:
        path.write_text(old)
    with pytest.raises(type(error)), atomic_write(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise error
    assert names_in(tmp_path) == ([] if old is None else ["table.csv"])
    assert old is None or path.read_text() == old


def test_a_full_disk_is_told_and_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OSError, match=r"No space left on device: .*table.csv"),
        atomic_write(path) as temporary,
    ):
        temporary.write_text("new")
    assert names_in(tmp_path) == ["table.csv"]
    assert path.read_text() == "old"


def test_a_device_that_is_full(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    full = tmp_path / "full"

    def write(path):
        path.unlink()
        path.symlink_to("/dev/full")
        path.write_bytes(b"x" * 10**5)

    with (
        pytest.raises(OSError, match="No space left") as caught,
        atomic_write(full) as temporary,
    ):
        write(temporary)
    assert caught.value.filename == str(full)
    assert names_in(tmp_path) == []


def test_paths_that_cannot_be_written_are_refused_before_the_work(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in [
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "table.csv", "there is no folder .*no; create it"),
        (tmp_path / "pipe", "is a device or a pipe"),
    ]:
        with pytest.raises(OSError, match=message) as caught, atomic_write(path):
            raise AssertionError("the block is not entered")
        assert caught.value.filename == str(path)
    assert names_in(tmp_path) == ["pipe"]


@pytest.mark.parametrize("what", ["folder", "file"])
def test_no_permission_is_told(tmp_path, monkeypatch, what):
    path = tmp_path / "table.csv"
    path.write_text("old")
    refused = tmp_path if what == "folder" else path
    # Modes do not hold the superuser back, who may run the tests.
    monkeypatch.setattr(os, "access", lambda path, _: path != refused)
    with pytest.raises(PermissionError, match="not writable"), atomic_write(path):
        raise AssertionError("the block is not entered")
    assert path.read_text() == "old"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "folder" / "table.csv")
    with atomic_write(tmp_path / "link.csv") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "folder" / "table.csv").read_text() == "new"


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("n" * 251 + ".csv")
    with atomic_write(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


def test_an_error_about_another_file_is_not_changed(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "table.csv"):
        (tmp_path / "missing").read_text()
    assert str(caught.value.filename) == str(tmp_path / "missing")


# ------------------------------------------------------- a fit is done whole or not at all


ESTIMATORS = {
    "besov": lambda: BesovSmoothnessEstimator(3, random_state=0),
    "classifier": lambda: WaveletForestClassifier(3, random_state=0),
    "regressor": lambda: WaveletForestRegressor(3, random_state=0),
    "encoder": lambda: SimplexEncoder(),
}
IRIS = load_iris(return_X_y=True)
OTHER = IRIS[0][::2, :2], IRIS[1][::2] > 0  # other columns and other classes


def fitted(name, data=IRIS):
    return fit(ESTIMATORS[name](), data)


def fit(estimator, data):
    X, y = data
    return estimator.fit(*([y] if isinstance(estimator, SimplexEncoder) else [X, y]))


def fingerprint(thing):
    """A hash of all that it holds, in whatever order."""
    # Where Dask is in use, warnings have an empty __dict__ once they were pickled.
    pickle.dumps(thing)
    return joblib.hash(thing)


def same(one, other):
    return fingerprint(one) == fingerprint(other)


class Interrupting:
    """Raises an error at the n-th line of the package that runs in this thread."""

    def __init__(self, n_lines, error=KeyboardInterrupt):
        self.n_left, self.error = n_lines, error

    def __enter__(self):
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def _trace(self, frame, event, _):
        if Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
            if event == "line":
                self.n_left -= 1
                if self.n_left == 0:
                    raise self.error
            return self._trace
        return None


def n_lines_of_a_fit(name):
    with Interrupting(10**9) as counter:
        fitted(name, OTHER)
    return 10**9 - counter.n_left


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_fit_that_is_interrupted_anywhere_leaves_the_earlier_one(name):
    n_lines, n_raised = n_lines_of_a_fit(name), 0
    whole = fingerprint(fitted(name, OTHER))
    lines = np.unique(np.linspace(1, n_lines, 25 * CASES).astype(int))
    for n, error in zip(lines, itertools.cycle([KeyboardInterrupt, MemoryError])):
        for estimator in (ESTIMATORS[name](), fitted(name)):
            earlier = fingerprint(estimator)
            try:
                with Interrupting(n, error):
                    fit(estimator, OTHER)
            except error:
                n_raised += 1
                assert fingerprint(estimator) in (earlier, whole)
            else:
                assert fingerprint(estimator) == whole
            assert fingerprint(fit(estimator, OTHER)) == whole
    assert n_raised > 15


BAD = {
    "lengths": (IRIS[0][:, :2], IRIS[1][:10]),
    "one class": (IRIS[0][:, :2], ["a"] * 150),
    "infinite": (np.full((150, 2), np.inf), np.full(150, np.inf)),
    "text": ([["a"]] * 150, [None] * 150),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_fit_to_bad_data_leaves_the_earlier_one(name, bad):
    estimator, first = fitted(name), ESTIMATORS[name]()
    data = BAD[bad]
    if name == "encoder" and bad == "lengths":
        data = (None, [])
    for each in (estimator, first):
        with pytest.raises(ValueError, match=r"."):
            fit(each, data)
    assert same(estimator, fitted(name))
    assert same(first, ESTIMATORS[name]())
    with pytest.raises(NotFittedError):
        check_is_fitted(first)


class FailingTasks:
    """A backend of joblib whose workers have no memory for a task."""

    def submit(self, task, callback=None):
        return super().submit(fail, callback)

    def apply_async(self, task, callback=None):  # its name in older versions of joblib
        return super().apply_async(fail, callback)


def fail():
    raise MemoryError("no room for a tree")


@pytest.mark.parametrize("backend", [ThreadingBackend, LokyBackend])
def test_an_error_in_a_worker_leaves_the_earlier_fit(backend):
    estimator = fitted("besov")
    expected = fingerprint(estimator)
    failing = type("Failing", (FailingTasks, backend), {})()
    with parallel_config(backend=failing, n_jobs=2), pytest.raises(MemoryError):
        fit(estimator, OTHER)
    assert fingerprint(estimator) == expected


@pytest.fixture
def network():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(), torch.nn.ReLU()
    )
    module[0].weight.requires_grad_(False)
    module[2].eval()
    return module


def state_of(module):
    """All that a pass could leave behind in a network, and in torch."""
    import torch

    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules()]
    return (
        [m.training for m in module.modules()],
        hooks,
        [(p.requires_grad, p.device, p.tolist()) for p in module.parameters()],
        [b.tolist() for b in module.buffers()],
        [sorted(vars(m)) for m in module.modules()],
        torch.random.get_rng_state().tolist(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )


class InterruptedAt:
    """A forward pass that is interrupted in the given call of it."""

    def __init__(self, module, call, error):
        self.forward, self.n_left, self.error = module.forward, call, error

    def __call__(self, X):
        self.n_left -= 1
        if self.n_left == 0:
            raise self.error
        return self.forward(X)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError(), RuntimeError("bad")])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_an_interrupted_pass_leaves_the_network_as_it_was(network, call, error):
    X, y = IRIS[0].astype(np.float32), IRIS[1]
    layer = LayerFeatureTransformer(network, "3", batch_size=60).fit(X)
    before, keys = state_of(network), sorted(vars(layer))
    monitor = SmoothnessMonitor(network, X, y, layers=["0"], batch_size=60)
    monitor.record()
    frame = monitor.to_frame()
    original = network[0].forward
    network[0].forward = InterruptedAt(network[0], call, error)
    try:
        with pytest.raises(type(error)):
            layer.fit_transform(X)
        network[0].forward.n_left = call
        with pytest.raises(type(error)):
            compare_layers(network, X, y, layers=["0", "3"], batch_size=60)
        network[0].forward.n_left = call
        with pytest.raises(type(error)):
            monitor.record(step=7)
    finally:
        network[0].forward = original
        del network[0].forward
    assert state_of(network) == before
    assert sorted(vars(layer)) == keys
    assert layer.transform(X).shape == (150, 8)
    assert monitor.to_frame().equals(frame)


# ----------------------------------------------------------- what is kept knows its version


def kept_things():
    X, y = IRIS
    image = np.random.RandomState(0).uniform(size=(8, 8))
    besov = fitted("besov")
    return {
        **{name: fitted(name) for name in ESTIMATORS},
        "compressed": fitted("classifier").compress(),
        "pipeline": make_pipeline(StandardScaler(), ESTIMATORS["besov"]()).fit(X, y),
        "wavelets": besov.wavelets_,
        "decay": besov.decay_,
        "image": image_wavelets(image, random_state=0),
        "difference": smoothness_difference(
            X, X[:, :2], y, estimator=ESTIMATORS["besov"]()
        ),
        "forecast": forecast_error(X, y, random_state=0),
        "baseline": permutation_baseline(
            ESTIMATORS["besov"](), X, y, n_permutations=2, random_state=0
        ),
    }


@pytest.fixture(scope="module")
def kept():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kept_things()


NAMES = [*ESTIMATORS, "compressed", "pipeline", "wavelets", "decay", "image", "difference"]
NAMES += ["baseline"]
OTHER_VERSIONS = ["9.9.9", "0.0.1"]
PATCH_RELEASE = ".".join([*__version__.split(".")[:2], "7"])


def written_by(version, thing):
    """The pickle of another version, whose name is as long."""
    assert len(version) == len(__version__)
    return pickle.dumps(thing).replace(__version__.encode(), version.encode())


def assert_refused(load, saved, version):
    with pytest.raises(IncompatibleVersionError) as caught:
        load(saved)
    assert isinstance(caught.value, RuntimeError)
    for part in (f"sksmooth {version}", f"sksmooth {__version__}", "again", "install"):
        assert part in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_pickles_of_other_versions_are_refused_but_for_patch_releases(kept, name):
    for version in OTHER_VERSIONS:
        assert_refused(pickle.loads, written_by(version, kept[name]), version)
    read = pickle.loads(written_by(PATCH_RELEASE, kept[name]))
    for one, other in zip(outputs(read), outputs(kept[name]), strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_pickles_without_a_version_are_refused(name):
    state = dict(vars(fitted(name)))
    with pytest.raises(IncompatibleVersionError, match="an unknown version"):
        ESTIMATORS[name]().__setstate__(state)


def outputs(thing):
    """What an object says of iris, as arrays."""
    X, y = IRIS
    if isinstance(thing, SimplexEncoder):
        return [thing.transform(y)]
    if hasattr(thing, "predict"):
        return [thing.predict(X), thing.apply(X)]
    if hasattr(thing, "transform"):
        features = thing.transform(X)
        return [getattr(features, "toarray", lambda: features)(), thing.score(X, y)]
    return [value for value in vars(thing).values() if isinstance(value, np.ndarray)]


def by_joblib(thing, folder, **options):
    joblib.dump(thing, folder / "kept.joblib")
    return joblib.load(folder / "kept.joblib", **options)


def by_cloudpickle(thing):
    return pytest.importorskip("cloudpickle").dumps(thing)


COPIES = {
    "pickle": lambda thing, _: pickle.loads(pickle.dumps(thing)),
    "oldest protocol": lambda thing, _: pickle.loads(pickle.dumps(thing, protocol=2)),
    "copy": lambda thing, _: copy.copy(thing),
    "deepcopy": lambda thing, _: copy.deepcopy(thing),
    "joblib": lambda thing, folder: by_joblib(thing, folder),
    "memory map": lambda thing, folder: by_joblib(thing, folder, mmap_mode="r"),
    "cloudpickle": lambda thing, _: pickle.loads(by_cloudpickle(thing)),
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", NAMES)
def test_copies_are_the_same(kept, name, how, tmp_path):
    copied = COPIES[how](kept[name], tmp_path)
    for one, other in zip(outputs(copied), outputs(kept[name]), strict=True):
        assert_array_equal(one, other)
    assert vars(copied).keys() == vars(kept[name]).keys()
    if how in ("pickle", "deepcopy") and hasattr(copied, "psi"):
        assert not copied.psi.flags.writeable


def test_the_version_costs_next_to_nothing():
    estimator = BesovSmoothnessEstimator(50, random_state=0).fit(*IRIS)
    assert pickle.dumps(estimator).count(__version__.encode()) == 1  # referred to then


def test_a_monitor_and_a_transformer_are_kept_with_their_version(network):
    X, y = IRIS[0].astype(np.float32), IRIS[1]
    layer = LayerFeatureTransformer(network, "3").fit(X)
    monitor = SmoothnessMonitor(network, X, y, layers=["0"])
    monitor.record()
    assert_array_equal(pickle.loads(pickle.dumps(layer)).transform(X), layer.transform(X))
    assert pickle.loads(pickle.dumps(monitor)).to_frame().equals(monitor.to_frame())
    for thing in (layer, monitor):
        assert_refused(
            pickle.loads, written_by(OTHER_VERSIONS[0], thing), OTHER_VERSIONS[0]
        )


# ------------------------------------------------------------------------------------ skops


@pytest.mark.parametrize("name", [*ESTIMATORS, "compressed", "pipeline"])
def test_skops_keeps_estimators(kept, name):
    """Of types that need trust, there are those of this package only."""
    skops = pytest.importorskip("skops.io")
    data = skops.dumps(kept[name])
    types = skops.get_untrusted_types(data=data)
    assert all(each.startswith("sksmooth.") for each in types)
    loaded = skops.loads(data, trusted=types)
    for one, other in zip(outputs(loaded), outputs(kept[name]), strict=True):
        assert_array_equal(one, other)
    older, version = io.BytesIO(), OTHER_VERSIONS[0]
    with zipfile.ZipFile(io.BytesIO(data)) as whole, zipfile.ZipFile(older, "w") as archive:
        for part in whole.namelist():
            content = whole.read(part).replace(__version__.encode(), version.encode())
            archive.writestr(part, content)
    assert_refused(lambda data: skops.loads(data, trusted=types), older.getvalue(), version)


# ------------------------------------------------------------------ files that are read


def npz_of(path, shape, entries=b""):
    """An archive whose X says it has that shape, and y ten labels."""
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117)
    content = io.BytesIO()
    np.save(content, np.arange(10) % 2)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "X.npy", b"\x93NUMPY\x01\x00\x76\x00" + head.encode() + b"\n" + entries
        )
        archive.writestr("y.npy", content.getvalue())


TABLE = "a,b,y\n" + "".join(f"{i % 7}.5,{i % 5}.5,{i % 2}\n" for i in range(30))
BAD_TEXT = {
    "empty": (b"", "cannot read"),
    "garbage": (bytes(range(255, 0, -1)) * 9, "cannot read"),
    "NUL": (TABLE.replace(".", "\0").encode(), "holds NUL characters"),
    "formula": (
        (TABLE + "=cmd|' /C calc'!A0,1,1\n").encode(),
        "text, not numbers, in column 'a'",
    ),
    "short rows": ((TABLE + "1\n").encode(), "missing"),
    "long rows": ((TABLE + "1,2,1,4,5\n").encode(), "Expected 3 fields"),
    "half of UTF-16": (TABLE.encode("utf-16")[:-1], "cannot read"),
    "Shift-JIS": (TABLE.replace("a", "\u56f3").encode("shift_jis"), "--encoding"),
    "constant": (b"a,y\n" + b"1,1\n2,1\n" * 9, "one class only"),
    "no target": (TABLE.replace("y", "z").encode(), "no column 'y'"),
    "missing target": ((TABLE + "1,2,\n").encode(), "is missing"),
    "infinite": ((TABLE + "inf,2,1\n").encode(), "infinity"),
}


def refused(capsys, *arguments):
    """The one line of an error of the command line, which wrote nothing else."""
    assert main(["measure", *map(str, arguments), "--quiet"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("sksmooth: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("kind", BAD_TEXT)
def test_bad_tables_are_refused_in_one_line(kind, tmp_path, capsys):
    content, message = BAD_TEXT[kind]
    path, picture = tmp_path / "table.csv", tmp_path / "out.png"
    path.write_bytes(content)
    assert message in refused(capsys, path, "--target", "y", "--plot", picture)
    assert names_in(tmp_path) == ["table.csv"]


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbf" + TABLE.encode(), TABLE.encode("utf-16"), None, "quoted"]
)
def test_odd_tables_are_read(content, tmp_path, capsys):
    path = tmp_path / "-rf; $(x)\n.csv"
    if content == "quoted":
        content = TABLE.replace("a,b", '"a\nb",b').encode()
    path.write_bytes(content or TABLE.replace("\n", "\r\n").encode())
    assert main(["measure", str(path), "--target", "y", "--quiet"]) == 0


@pytest.mark.parametrize(
    "shape", ["(10, 3)", "(10, 10**12)", "(10, 1000000000000)", "(-1, 3)"]
)
def test_archives_that_claim_what_they_do_not_hold(shape, tmp_path, capsys):
    npz_of(tmp_path / "X.npz", shape, b"\0" * 100)
    assert "cannot read" in refused(capsys, tmp_path / "X.npz")


def test_of_a_bomb_only_what_is_claimed_is_unpacked(tmp_path):
    npz_of(tmp_path / "X.npz", "(10, 3)", b"\0" * 10**8)
    tracemalloc.start()
    main(["measure", str(tmp_path / "X.npz"), "--quiet"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**7


def test_pickles_in_archives_are_not_run(tmp_path, capsys):
    X = np.array([RunsWhenLoaded(str(tmp_path / "run"))] * 10, dtype=object)
    np.savez(tmp_path / "X.npz", X=X, y=np.arange(10) % 2)
    assert "pickled Python objects" in refused(capsys, tmp_path / "X.npz")
    assert names_in(tmp_path) == ["X.npz"]


class RunsWhenLoaded:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".npz", ".parquet", ".xlsx"])
def test_pipes_and_folders_are_refused_without_waiting(suffix, tmp_path, capsys):
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    target = [] if suffix == ".npz" else ["--target", "y"]
    assert "a pipe" in refused(capsys, tmp_path / f"pipe{suffix}", *target)
    assert "is a folder" in refused(capsys, tmp_path / f"folder{suffix}", *target)
    assert "No such file" in refused(capsys, tmp_path / f"none{suffix}", *target)


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_truncated_files_are_refused(suffix, tmp_path, capsys):
    path = tmp_path / f"whole{suffix}"
    if suffix == ".npz":
        np.savez(path, X=np.ones((50, 3)), y=np.arange(50) % 2)
    else:
        pytest.importorskip("pyarrow")
        pd.DataFrame({"a": range(50), "y": [0, 1] * 25}).to_parquet(path)
    whole, target = path.read_bytes(), [] if suffix == ".npz" else ["--target", "y"]
    for share in (0, 0.1, 0.5, 0.9, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        assert "cannot read" in refused(capsys, path, *target)


# --------------------------------------------------------------- nobody reads messages

UNREAD = """
import os, sys, warnings
import numpy as np
from sksmooth import BesovSmoothnessEstimator, class_smoothness

X, y = np.arange(60.0)[:, None], np.arange(60) // 30  # whose index is a lower bound
warnings.simplefilter("always")

def measured():
    BesovSmoothnessEstimator(2, random_state=0, n_jobs=2).fit(X, y)
    table = class_smoothness(X, y, random_state=0, verbose=1)
    estimator = BesovSmoothnessEstimator(2, random_state=0, verbose=1)
    return estimator.fit(X, y).alpha_, list(table["alpha"])

kept, expected = sys.stderr, measured()
closed = open(os.devnull, "w")
closed.close()
for stream in (None, closed, open("/dev/full", "w")):
    sys.stderr = stream
    again = measured()
    sys.stderr = kept
    assert again == expected, stream
print("measured")
"""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")
def test_no_fit_stops_because_messages_cannot_be_written():
    run = subprocess.run(
        [sys.executable, "-c", UNREAD], capture_output=True, text=True, check=False
    )
    assert run.stdout == "measured\n", run.stderr
    assert "classes: 2/2 in " in run.stderr
    assert "UnresolvedIndexWarning" in run.stderr


# ------------------------------------------------------------------- threads and memory


def test_concurrent_fits_give_the_bits_of_lonely_ones():
    names = [name for name in ESTIMATORS if name != "encoder"] * 4
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fitted, names))
        scores = list(pool.map(lambda _: together[0].score(*IRIS), range(8)))
    for name, estimator in zip(names, together, strict=True):
        assert same(estimator, fitted(name))
    assert set(scores) == {fitted("besov").score(*IRIS)}


def test_concurrent_comparisons_of_one_network(network):
    before = state_of(network)
    X, y = IRIS[0].astype(np.float32), IRIS[1]

    def compare(_):
        return compare_layers(network, X, y, layers=["0", "3"], random_state=0)["alpha"]

    with ThreadPoolExecutor(4) as pool:
        together = [list(alphas) for alphas in pool.map(compare, range(6))]
    assert together == [list(compare(0))] * 6
    assert state_of(network) == before


@pytest.mark.slow
def test_memory_does_not_grow_with_fits():
    estimator = fitted("besov")
    growth, n_open = [], len(os.listdir("/proc/self/fd")) if os.path.exists("/proc") else 0
    tracemalloc.start()
    for _ in range(5):
        for _ in range(20 * CASES):
            fit(estimator, IRIS).transform(IRIS[0])
        gc.collect()
        growth.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    # Caches fill now and then. A fit leaves 30 kB in every round if its arrays stay.
    assert np.diff(growth).min() < 20 * CASES * 1000
    assert not n_open or len(os.listdir("/proc/self/fd")) <= n_open + 1


def test_memory_of_many_classes_does_not_grow_with_the_nodes():
    rng = np.random.RandomState(0)
    X, y = rng.uniform(size=(1500, 3)), rng.randint(0, 300, size=1500)
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    tracemalloc.start()
    estimator.fit(X, y).score(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The means of the nodes of fifty trees are 60 times as much.
    assert peak < 20 * 8 * X.shape[0] * 300


class Cached(WaveletForestClassifier):
    """A user's class that keeps something out of its pickles."""

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "cache"}


def test_classes_with_a_state_of_their_own_are_copied():
    estimator = fit(Cached(2, random_state=0), IRIS)
    estimator.cache = object()
    copied = copy.deepcopy(estimator)
    assert not hasattr(copied, "cache")
    assert vars(copied).keys() == vars(estimator).keys() - {"cache"}
    X, _ = IRIS
    assert (copied.predict(X) == estimator.compress().predict(X)).all()
