import argparse
import gzip
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris

import sksmooth
from sksmooth import BesovSmoothnessEstimator
from sksmooth.command_line import data_files, demo, main
from sksmooth.datasets import make_known_smoothness

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def call(capsys):
    """Run the command line in this process: exit code, standard output and error."""

    def run(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def call_json(call):
    """Run ``measure --json`` and read its output as strict JSON."""

    def run(*arguments):
        code, out, err = call("measure", *arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out, parse_constant=_reject)

    return run


@pytest.fixture
def call_wrongly(call):
    """Run a command that must fail, and give its one line of error."""

    def run(*arguments):
        code, out, err = call(*arguments)
        assert code == 2
        assert out == ""
        assert err.startswith("sksmooth: error: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        return err

    return run


def _reject(token):
    raise AssertionError(f"{token} is not strict JSON")


@pytest.fixture
def iris():
    data = load_iris(as_frame=True)
    return data.data.assign(species=data.target_names[data.target])


@pytest.fixture
def iris_csv(iris, tmp_path):
    path = tmp_path / "iris.csv"
    iris.to_csv(path, index=False)
    return path


@pytest.fixture
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600], y[:600]


def _alpha(X, y, **parameters):
    estimator = BesovSmoothnessEstimator(random_state=0, **parameters)
    return estimator.fit(X, y).alpha_


# Formats


_WRITERS = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    ".tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    ".txt": lambda frame, path: frame.to_csv(path, index=False, sep=" "),
    "_semicolons.csv": lambda frame, path: frame.to_csv(path, index=False, sep=";"),
    "_marked.csv": lambda f, path: f.to_csv(path, index=False, encoding="utf-8-sig"),
    ".parquet": lambda frame, path: frame.to_parquet(path),
}


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.FewTermsWarning")
@pytest.mark.parametrize("ending", _WRITERS)
def test_tables_give_the_index_of_the_python_api(ending, iris, tmp_path, call_json):
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"iris{ending}"
    _WRITERS[ending](iris, path)

    report = call_json(path, "--target", "species")

    X, y = iris.drop(columns="species").to_numpy(), iris["species"].to_numpy()
    assert report["alpha"] == pytest.approx(_alpha(X, y), rel=1e-9)
    assert report["n_classes"] == 3
    names = {feature["name"] for feature in report["feature_importances"]}
    assert "petal length (cm)" in names


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.FewTermsWarning")
def test_regression_table_gives_the_index_of_the_python_api(tmp_path, call_json):
    frame = load_diabetes(as_frame=True).frame
    path = tmp_path / "diabetes.csv"
    frame.to_csv(path, index=False)

    report = call_json(path, "--target", "target", "--trees", 3)

    X, y = frame.drop(columns="target").to_numpy(), frame["target"].to_numpy()
    assert report["alpha"] == pytest.approx(_alpha(X, y, n_estimators=3), rel=1e-9)
    assert (report["task"], report["n_classes"]) == ("regression", None)


def test_npz_gives_the_index_of_the_python_api(digits, tmp_path, call_json):
    X, y = digits
    path = tmp_path / "digits.npz"
    np.savez(path, X=X, y=y)
    assert call_json(path)["alpha"] == _alpha(X, y)


def test_npz_arrays_are_named_and_images_flattened(digits, tmp_path, call_json):
    X, y = digits
    path = tmp_path / "digits.npz"
    images = X.reshape(-1, 8, 8).astype(np.uint8)
    np.savez_compressed(path, images=images, labels=y[:, None])
    report = call_json(path, "--features", "images", "--target", "labels")
    assert report["alpha"] == _alpha(images.reshape(-1, 64), y)
    assert report["n_features"] == 64
    assert report["feature_importances"][0]["name"].startswith("images[")


def test_npz_of_whole_number_floats_follows_the_estimator(digits, tmp_path, call_json):
    X, y = digits
    path = tmp_path / "digits.npz"
    np.savez(path, X=X, y=y.astype(float))
    report = call_json(path, "--trees", 2)
    assert report["task"] == "regression"
    (warning,) = report["warnings"]
    assert warning["category"] == "TargetTypeWarning"
    assert "--task classification" in warning["message"]

    report = call_json(path, "--trees", 2, "--task", "classification")
    assert report["task"] == "classification"
    assert report["alpha"] == _alpha(X, y, n_estimators=2)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.FewTermsWarning")
def test_labels_of_all_kinds_are_classes(iris, tmp_path, call_json):
    codes = load_iris().target
    labels = {
        "text": iris["species"],
        "numbers": codes,
        "flags": codes == 1,
        "category": pd.Categorical(iris["species"]),
        "nullable": pd.array(codes, dtype="Int64"),
    }
    pytest.importorskip("pyarrow")
    alphas = {}
    for name, column in labels.items():
        path = tmp_path / f"{name}.parquet"
        iris.assign(species=column).to_parquet(path)
        report = call_json(path, "--target", "species")
        assert report["task"] == "classification"
        alphas[name] = report["alpha"]
    for name in ("numbers", "category", "nullable"):
        assert alphas[name] == pytest.approx(alphas["text"])


def test_integer_targets_can_be_taken_as_numbers(iris_csv, call_json):
    frame = pd.read_csv(iris_csv)
    frame["species"] = np.arange(len(frame))
    frame.to_csv(iris_csv, index=False)
    report = call_json(iris_csv, "--target", "species", "--task", "regression")
    assert report["task"] == "regression"
    assert "TargetTypeWarning" not in [note["category"] for note in report["warnings"]]


def test_row_numbers_written_by_pandas_are_left_out(iris, tmp_path, call_json):
    path = tmp_path / "iris.csv"
    iris.to_csv(path)  # rows are sorted by class, so the index would tell everything
    report = call_json(path, "--target", "species")
    assert report["n_features"] == 4
    assert "row numbers" in report["warnings"][0]["message"]


def test_features_and_drop_choose_columns(iris_csv, call_json):
    petals = ["petal length (cm)", "petal width (cm)"]
    sepals = ["sepal length (cm)", "sepal width (cm)"]
    chosen = call_json(iris_csv, "--target", "species", "--features", *petals)
    dropped = call_json(iris_csv, "--target", "species", "--drop", *sepals)
    assert chosen == dropped
    assert chosen["n_features"] == 2


# The two-file form


@pytest.fixture
def two_files(digits, tmp_path):
    """Write features and labels as the authors' tool reads them; give their arguments."""

    def write(labels, **label_format):
        data, target = tmp_path / "trainingData.csv", tmp_path / "trainingLabel.csv"
        np.savetxt(data, digits[0], delimiter=",")
        np.savetxt(target, labels, delimiter=",", **label_format)
        return ["--data", data, "--labels", target]

    return write


def test_one_hot_labels_have_the_index_of_classes(digits, two_files, call_json):
    X, y = digits
    of_classes = call_json(*two_files(y, fmt="%d"))
    assert of_classes["alpha"] == pytest.approx(_alpha(X, y), rel=1e-9)
    assert of_classes["task"] == "classification"
    assert of_classes["labels_file"].endswith("trainingLabel.csv")

    one_hot = call_json(*two_files(np.eye(10)[y]))
    assert one_hot["alpha"] == pytest.approx(of_classes["alpha"], rel=0.15)
    assert one_hot["task"] == "regression"

    as_classes = call_json(*two_files(np.eye(10)[y]), "--task", "classification")
    assert as_classes["alpha"] == of_classes["alpha"]


def test_two_files_may_have_a_line_of_names(digits, two_files, call_json):
    X, y = digits
    arguments = two_files(y, fmt="%d")
    without = call_json(*arguments, "--trees", 2)
    assert without["feature_importances"][0]["name"].startswith("x")
    pd.DataFrame(X).add_prefix("pixel").to_csv(arguments[1], index=False)
    pd.DataFrame({"digit": y}).to_csv(arguments[3], index=False)
    with_names = call_json(*arguments, "--trees", 2)
    assert with_names["alpha"] == without["alpha"]
    assert with_names["feature_importances"][0]["name"].startswith("pixel")


def test_two_files_of_different_lengths(digits, two_files, call_wrongly):
    error = call_wrongly("measure", *two_files(digits[1][:-1], fmt="%d"))
    assert "600 rows" in error
    assert "599" in error
    assert "line of names" in error


# Options and reports


def test_options_reach_the_estimator(digits, tmp_path, call_json):
    X, y = digits
    path = tmp_path / "digits.npz"
    np.savez(path, X=X, y=y)
    options = "--index weak-lp --measure volume --p 1.5 --trees 4 --max-depth 7 "
    options += "--max-features sqrt --max-samples 300 --random-state 3 --jobs 2 "
    options += "--confidence 0.9"
    report = call_json(path, *options.split())
    expected = BesovSmoothnessEstimator(
        n_estimators=4,
        index="weak-lp",
        measure="volume",
        p=1.5,
        max_depth=7,
        max_features="sqrt",
        max_samples=300,
        random_state=3,
        confidence_level=0.9,
    ).fit(X, y)
    assert report["alpha"] == expected.alpha_
    assert (report["alpha_low"], report["alpha_high"]) == expected.alpha_interval_
    assert report["r_squared"] == expected.r_squared_
    assert report["fit_range"] == list(expected.fit_range_)
    assert report["n_terms"] == expected.wavelets_.n_terms
    assert report["confidence_level"] == 0.9
    assert report["version"] == sksmooth.__version__
    best = report["feature_importances"][0]
    assert best["name"] == f"X[{expected.feature_importances_.argmax()}]"
    assert best["importance"] == expected.feature_importances_.max()


@pytest.mark.parametrize("index", ["mterm", "weak-lp", "elisha-dekel", "sparsity-probe"])
def test_every_index_can_be_read(index, iris_csv, call, call_json):
    arguments = [iris_csv, "--target", "species", "--index", index, "--trees", 2]
    assert call_json(*arguments)["index"] == index
    code, out, _ = call("measure", *arguments)
    assert code == 0
    assert index in out


def test_infinity_is_a_string_in_json(tmp_path, call, call_json):
    X, y, alpha = make_known_smoothness("boxes", 2000, random_state=0)
    assert np.isinf(alpha)
    path = tmp_path / "boxes.npz"
    np.savez(path, X=X, y=y)
    report = call_json(path)
    assert report["alpha"] == report["alpha_high"] == "Infinity"
    assert [note["category"] for note in report["warnings"]] == ["UnresolvedIndexWarning"]
    assert "Unresolved" in call("measure", path)[1]


def test_table_for_people_and_progress(digits, tmp_path, call):
    X, y = digits
    path = tmp_path / "digits.npz"
    np.savez(path, X=X, y=y)
    code, out, err = call("measure", path, "--held-out", 0.3, "--trees", 3)
    assert code == 0
    rows = dict(line.split(maxsplit=1) for line in out.splitlines() if line)
    assert rows["samples"] == "600"
    assert rows["task"] == "classification, 10 classes"
    assert float(rows["alpha"]) > 0.1
    assert "(180 samples)" in rows["held-out"]
    assert "Each doubling of the wavelets cuts the error by" in out
    assert "[####" in err
    assert call("measure", path, "--quiet", "--trees", 3)[2] == ""


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.FewTermsWarning")
def test_held_out_score_is_that_of_the_python_api(digits, tmp_path, call_json):
    from sklearn.model_selection import train_test_split

    X, y = digits
    path = tmp_path / "digits.npz"
    np.savez(path, X=X, y=y)
    report = call_json(path, "--held-out", 0.25)
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=0
    )
    estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    assert report["alpha"] == estimator.alpha_
    assert report["held_out_score"] == estimator.score(X_test, y_test)
    assert (report["n_samples"], report["n_samples_held_out"]) == (600, 150)


def test_held_out_with_a_class_of_one_sample(iris_csv, call_json):
    frame = pd.read_csv(iris_csv)
    frame.loc[0, "species"] = "a new one"
    frame.to_csv(iris_csv, index=False)
    report = call_json(iris_csv, "--target", "species", "--held-out", 0.3)
    assert np.isfinite(report["held_out_score"])


def test_noise_is_called_noise(tmp_path, call):
    X, y, _ = make_known_smoothness("noise-labels", 1000, random_state=0)
    path = tmp_path / "noise.npz"
    np.savez(path, X=X, y=y)
    assert "as for noise" in call("measure", path)[1]


# Pictures


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_plot_is_written(ending, iris_csv, tmp_path, call_json):
    pytest.importorskip("matplotlib")
    picture = tmp_path / f"out.{ending}"
    report = call_json(iris_csv, "--target", "species", "--plot", picture)
    magic = {"png": PNG_MAGIC, "pdf": b"%PDF", "svg": b"<?xml"}[ending]
    assert picture.read_bytes().startswith(magic)
    assert report["plot"] == str(picture)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["iris.csv", picture.name]


def test_odd_file_names_can_be_drawn(iris_csv, tmp_path, call_json):
    pytest.importorskip("matplotlib")
    odd = iris_csv.rename(tmp_path / "price $ of $x_ {.csv")
    call_json(odd, "--target", "species", "--plot", tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(PNG_MAGIC)


def test_failed_picture_leaves_nothing_behind(
    iris_csv, tmp_path, call_wrongly, monkeypatch
):
    figure = pytest.importorskip("matplotlib.figure")
    picture = tmp_path / "out.png"
    picture.write_bytes(b"the picture of yesterday")

    def fill_the_disk(self, path, **options):
        path.write_bytes(PNG_MAGIC)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure.Figure, "savefig", fill_the_disk)
    arguments = ["measure", iris_csv, "--target", "species", "--quiet", "--plot", picture]
    assert "No space left" in call_wrongly(*arguments)
    assert picture.read_bytes() == b"the picture of yesterday"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["iris.csv", "out.png"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing/out.png", "there is no folder"),
        ("folder.png", "is a folder"),
        ("out.xyz", "must end in one of .png"),
        ("out", "must end in one of .png"),
    ],
)
@pytest.mark.parametrize("command", ["demo", "measure"])
def test_picture_that_cannot_be_written(
    command, name, problem, iris_csv, tmp_path, call_wrongly
):
    (tmp_path / "folder.png").mkdir()
    options = {
        "demo": ["--output"],
        "measure": [iris_csv, "--target", "species", "--plot"],
    }
    assert problem in call_wrongly(command, *options[command], tmp_path / name)


def test_picture_in_a_folder_that_is_not_writable(
    iris_csv, tmp_path, call_wrongly, monkeypatch
):
    # Permissions do not stop the super-user, who may run the tests.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    arguments = [iris_csv, "--target", "species", "--plot", tmp_path / "out.png"]
    assert "not writable" in call_wrongly("measure", *arguments)


# The demo


def test_demo_writes_a_table_and_a_picture(tmp_path, call):
    pytest.importorskip("matplotlib")
    pytest.importorskip("torch")
    picture = tmp_path / "demo.png"
    code, out, err = call("demo", "--output", picture, "--jobs", 2)
    assert code == 0
    assert picture.read_bytes().startswith(PNG_MAGIC)
    assert f"Picture written to {picture}" in out
    assert "16/16" in err
    assert "training" in err
    alphas = _demo_alphas(out)
    assert len(alphas) == 16
    assert alphas["LDA, 9 components"] > alphas["raw pixels"] > 0.15
    assert alphas["pixels + strong noise"] < 0.1
    assert abs(alphas["raw pixels, shuffled labels"]) < 0.05
    assert "#####" in out
    # Random layers lose smoothness from one to the next, trained ones gain it.
    layers = ["convolution 1", "convolution 2", "dense"]
    untrained = [alphas[f"untrained net, {layer}"] for layer in layers]
    trained = [alphas[f"trained net, {layer}"] for layer in layers]
    assert untrained == sorted(untrained, reverse=True)
    assert trained == sorted(trained)
    assert alphas["trained net, logits"] > 2 * alphas["raw pixels"]


def _demo_alphas(out):
    """Index of each row: the name ends where the numbers start."""
    start = out.splitlines().index(next(x for x in out.splitlines() if "---" in x))
    rows = out.splitlines()[start + 1 :][:16]
    return {row[:32].split(" [")[0].strip(): float(row[32:].split()[1]) for row in rows}


def test_demo_does_not_depend_on_the_number_of_jobs(tmp_path, call):
    pytest.importorskip("matplotlib")
    pytest.importorskip("torch")
    one = call("demo", "--output", tmp_path / "demo.png")[1]
    two = call("demo", "--output", tmp_path / "demo.png", "--jobs", 2)[1]
    assert _demo_alphas(one) == _demo_alphas(two)


def test_demo_shows_warnings_as_footnotes(tmp_path, call, monkeypatch):
    pytest.importorskip("matplotlib")
    pytest.importorskip("torch")
    few = load_digits()
    monkeypatch.setattr(
        "sksmooth.command_line.demo.load_digits",
        lambda return_X_y: (few.data[:300], few.target[:300]),
    )
    code, out, _ = call("demo", "--output", tmp_path / "demo.png")
    assert code == 0
    assert "raw pixels [1]" in out
    assert "\n[1] The fit window" in out


def test_demo_without_torch_names_the_extra(tmp_path, call_wrongly, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    error = call_wrongly("demo", "--output", tmp_path / "demo.png")
    assert 'pip install "sksmooth[torch]"' in error


def test_demo_without_matplotlib_prints_the_table(tmp_path, call, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = call("demo", "--output", tmp_path / "demo.png")
    assert code == 2
    assert "raw pixels" in out
    assert 'pip install "sksmooth[plot]"' in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_demo_draws_an_unresolved_index(tmp_path):
    pytest.importorskip("matplotlib")
    X, y, _ = make_known_smoothness("boxes", 2000, random_state=0)
    with pytest.warns(sksmooth.exceptions.UnresolvedIndexWarning):
        estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    rows = [demo.DemoRow("raw pixels", estimator, 0.5)]
    assert "inf" in demo._table(rows)
    demo._figure(rows).savefig(tmp_path / "demo.png")


# Errors


def test_missing_file_and_folder(tmp_path, call_wrongly):
    error = call_wrongly("measure", tmp_path / "no.csv", "--target", "y")
    assert "No such file" in error
    assert "no.csv" in error
    assert "is a folder" in call_wrongly("measure", tmp_path, "--target", "y")


@pytest.mark.parametrize("name", ["data.xlsx", "data", "data.npz.gz"])
def test_unknown_kind_of_file(name, tmp_path, call_wrongly):
    (tmp_path / name).write_text("a,b\n1,2\n")
    error = call_wrongly("measure", tmp_path / name, "--target", "b")
    assert "unknown kind of file" in error
    assert ".parquet" in error


def _npz_bytes(tmp_path):
    noise = np.random.default_rng(0).uniform(size=(500, 20))
    np.savez_compressed(tmp_path / "whole.npz", X=noise, y=np.arange(500))
    return (tmp_path / "whole.npz").read_bytes()


def _damaged(content):
    """The same with bytes in the middle overwritten."""
    middle = len(content) // 2
    return content[:middle] + b"\0" * 200 + content[middle + 200 :]


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", _damaged])
def test_damaged_npz(damage, tmp_path, call_wrongly):
    (tmp_path / "data.npz").write_bytes(damage(_npz_bytes(tmp_path)))
    assert "cannot read" in call_wrongly("measure", tmp_path / "data.npz")


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", _damaged])
def test_damaged_parquet(damage, iris, tmp_path, call_wrongly):
    pytest.importorskip("pyarrow")
    path = tmp_path / "data.parquet"
    iris.sample(2000, replace=True, random_state=0).to_parquet(path)
    path.write_bytes(damage(path.read_bytes()))
    error = call_wrongly("measure", path, "--target", "species")
    assert "cannot read" in error


@pytest.mark.parametrize("notes", [b"{}", b"{", b"[]", b"\xff", b'{"index_columns": [1]}'])
def test_parquet_whose_notes_of_pandas_are_damaged(notes, tmp_path, call_wrongly):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"x": np.arange(9.0)}).replace_schema_metadata({"pandas": notes})
    parquet.write_table(table, tmp_path / "data.parquet")
    error = call_wrongly("measure", tmp_path / "data.parquet", "--target", "y")
    assert "cannot read" in error or "no column 'y'" in error


def test_large_integers_stay_the_classes_they_are(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,18446744073709551615\n2,0\n", encoding="utf-8")
    options = argparse.Namespace(
        file=path, target="y", features=None, drop=None, data=None, labels=None, task="auto"
    )
    assert data_files.read_dataset(options).y.tolist() == [2**64 - 1, 0]


@pytest.mark.parametrize("dtype", [[("a", float)], "V4"])
def test_npz_of_fields_or_raw_bytes(dtype, tmp_path, call_wrongly):
    np.savez(tmp_path / "data.npz", X=np.zeros((9, 2), dtype=dtype), y=np.arange(9) % 2)
    assert "which is no number" in call_wrongly("measure", tmp_path / "data.npz")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.csv", b"", "No columns"),
        ("blank.csv", b"\n\n", "No columns"),
        ("names_only.csv", b"a,b\n", "no rows"),
        ("long_row.csv", b"a,b\n1,2\n1,2,3\n", "Expected 2 fields in line 3"),
        ("long_rows.csv", b"a,b\n1,2,3\n1,2,3\n", "more cells than the first line"),
        ("latin1.csv", "a,b\nä,2\n".encode("latin-1"), "utf-8"),
        ("binary.csv", bytes(range(256)), "cannot read"),
        ("not_gzip.csv.gz", b"a,b\n1,2\n", "gzip"),
        ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000)[:-20], "ended before"),
    ],
)
def test_malformed_text(name, content, problem, tmp_path, call_wrongly):
    (tmp_path / name).write_bytes(content)
    assert problem in call_wrongly("measure", tmp_path / name, "--target", "b")


def test_npz_without_arrays(tmp_path, call_wrongly):
    np.savez(tmp_path / "data.npz")
    assert "holds no array" in call_wrongly("measure", tmp_path / "data.npz")


def test_npz_with_pickled_objects(tmp_path, call_wrongly):
    labels = np.array(["a", 1, None] * 5, dtype=object)
    np.savez(tmp_path / "data.npz", X=np.zeros((15, 2)), y=labels)
    error = call_wrongly("measure", tmp_path / "data.npz")
    assert "'y' holds pickled Python objects" in error
    assert "astype(str)" in error


@pytest.mark.parametrize(
    ("X", "y", "problem"),
    [
        (np.zeros((9, 2)), np.zeros(8), "has 9 rows but 'y' has 8"),
        (np.float64(1), np.zeros(8), "one row a sample"),
        (np.zeros((0, 2)), np.zeros(0), "one row a sample"),
        (np.full((9, 2), "a"), np.arange(9), "not numbers"),
        (np.array([[0, 1], [np.nan, 1], [0, np.inf]]), np.arange(3), "in 1 of 3 rows"),
        (np.eye(9), np.where(np.eye(9)[0], np.nan, 1.0), "1 of 9 rows, column 'y'"),
        (np.eye(9), np.full((9, 2), np.nan), "in 9 of 9 rows, column 'y'"),
    ],
)
def test_npz_arrays_that_do_not_fit(X, y, problem, tmp_path, call_wrongly):
    np.savez(tmp_path / "data.npz", X=X, y=y)
    assert problem in call_wrongly("measure", tmp_path / "data.npz")


def test_wrong_column(iris_csv, call_wrongly):
    error = call_wrongly("measure", iris_csv, "--target", "Specis")
    assert "did you mean 'species'?" in error
    assert "'sepal length (cm)'" in error
    for option in ("--features", "--drop"):
        arguments = ["measure", iris_csv, "--target", "species", option, "petal"]
        assert "no column 'petal'" in call_wrongly(*arguments)


def test_forgotten_line_of_names(tmp_path, call_wrongly):
    np.savetxt(tmp_path / "data.csv", np.eye(9) + 0.5, delimiter=",")
    error = call_wrongly("measure", tmp_path / "data.csv", "--target", "label")
    assert "is the line of names missing?" in error


def test_wrong_array(tmp_path, call_wrongly):
    np.savez(tmp_path / "data.npz", data=np.zeros((9, 2)), y=np.arange(9))
    error = call_wrongly("measure", tmp_path / "data.npz")
    assert "no array 'X'" in error
    assert "'data'" in error
    assert "--features" in error


def test_forgotten_target(iris_csv, call_wrongly):
    error = call_wrongly("measure", iris_csv)
    assert "--target" in error
    assert "'species'" in error


def test_no_feature_left(iris_csv, call_wrongly):
    arguments = ["measure", iris_csv, "--target", "species", "--features", "species"]
    assert "no feature column is left" in call_wrongly(*arguments)


def test_text_where_numbers_are_needed(iris, tmp_path, call_wrongly):
    path = tmp_path / "iris.csv"
    iris.assign(place="meadow", height=["?"] + ["1"] * 149).to_csv(path, index=False)
    error = call_wrongly("measure", path, "--target", "species")
    assert "columns 'place', 'height' (such as 'meadow')" in error
    error = call_wrongly("measure", path, "--target", "species", "--drop", "place")
    assert "column 'height' (such as '?')" in error
    arguments = ["--target", "place", "--task", "regression", "--drop", "height", "species"]
    assert "holds text" in call_wrongly("measure", path, *arguments)


def test_missing_values(iris, tmp_path, call, call_wrongly):
    path = tmp_path / "iris.csv"
    iris.iloc[3:5, 0] = np.nan
    iris.to_csv(path, index=False)
    code, out, _ = call("measure", path, "--target", "species")
    assert code == 0
    assert "150" in out
    iris.iloc[4, 1] = np.inf
    iris.to_csv(path, index=False)
    error = call_wrongly("measure", path, "--target", "species")
    assert "infinity in 1 of 150 rows, column 'sepal width (cm)'" in error
    drop = ["--drop", "sepal width (cm)"]
    iris.loc[:6, "species"] = None
    iris.to_csv(path, index=False)
    error = call_wrongly("measure", path, "--target", "species", *drop)
    assert "target 'species' is missing (empty or NaN) in 7 of 150 rows" in error


def test_infinite_target(iris, tmp_path, call_wrongly):
    path = tmp_path / "iris.csv"
    iris.assign(species=[np.inf] + [0.5] * 149).to_csv(path, index=False)
    assert "'species'" in call_wrongly("measure", path, "--target", "species")


@pytest.mark.parametrize(
    ("target", "n_rows", "problem"),
    [
        ("one", 150, "one class only"),
        (0.5, 150, "constant"),
        (None, 4, "a minimum of 5 is required"),
    ],
)
def test_nothing_to_measure(target, n_rows, problem, iris, tmp_path, call_wrongly):
    path = tmp_path / "iris.csv"
    frame = iris if target is None else iris.assign(species=target)
    frame[:n_rows].to_csv(path, index=False)
    error = call_wrongly("measure", path, "--target", "species")
    assert problem in error
    assert "iris.csv" in error


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--p", 0], "'p' parameter"),
        (["--trees", 0], "'n_estimators' parameter"),
        (["--trees", "many"], "--trees"),
        (["--confidence", 2], "'confidence_level' parameter"),
        (["--max-features", 1.5], "'max_features' parameter"),
        (["--max-features", "most"], "--max-features"),
        (["--index", "besov"], "--index"),
        (["--jobs", 0], "--jobs"),
        (["--random-state", -1], "--random-state"),
        (["--held-out", 1], "--held-out"),
        (["--held-out", 0.999], "train set will be empty"),
        (["--data", "other.csv"], "--data and --labels together"),
        (["--colour"], "--colour"),
    ],
)
def test_wrong_options(options, problem, iris_csv, call_wrongly):
    assert problem in call_wrongly("measure", iris_csv, "--target", "species", *options)


def test_wrong_commands(tmp_path, call_wrongly):
    assert "invalid choice" in call_wrongly("mesure")
    assert "no data" in call_wrongly("measure")
    files = ["--data", tmp_path / "a.csv", "--labels", tmp_path / "b.csv"]
    assert "leave them out" in call_wrongly("measure", *files, "--target", "y")
    assert "No such file" in call_wrongly("measure", *files)
    npz = [tmp_path / "a.npz", "--features", "a", "b"]
    assert "names one array" in call_wrongly("measure", *npz)


def test_several_columns_that_are_no_classes(two_files, call_wrongly):
    arguments = two_files(np.random.default_rng(0).uniform(size=(600, 2)))
    error = call_wrongly("measure", *arguments, "--task", "classification")
    assert "one column of labels" in error


@pytest.mark.parametrize(
    ("module", "extra"), [("matplotlib", "plot"), ("pyarrow", "parquet")]
)
def test_missing_extras_are_named(
    module, extra, iris_csv, tmp_path, call_wrongly, monkeypatch
):
    monkeypatch.setitem(sys.modules, module, None)
    path = iris_csv
    if module == "pyarrow":
        path = tmp_path / "iris.parquet"
        path.write_bytes(b"never read")
    options = ["--target", "species", "--plot", tmp_path / "out.png"]
    options = options if module == "matplotlib" else options[:2]
    error = call_wrongly("measure", path, *options)
    assert f"needs {module}" in error
    assert f'pip install "sksmooth[{extra}]"' in error


def test_interruption(iris_csv, call, monkeypatch):
    def interrupt(self, X, y):
        raise KeyboardInterrupt

    monkeypatch.setattr(BesovSmoothnessEstimator, "fit", interrupt)
    code, out, err = call("measure", iris_csv, "--target", "species")
    assert (code, out) == (130, "")
    assert "interrupted" in err


def test_bugs_keep_their_traceback(iris_csv, call, monkeypatch):
    def fail(self, X, y):
        raise RuntimeError("a bug")

    monkeypatch.setattr(BesovSmoothnessEstimator, "fit", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        call("measure", iris_csv, "--target", "species")


# As a program


def test_help_and_version(call, capsys):
    code, out, _ = call()
    assert code == 0
    assert "demo" in out
    assert "measure" in out
    for option in ("--version", "--help"):
        with pytest.raises(SystemExit) as stop:
            main([option])
        assert stop.value.code == 0
    assert sksmooth.__version__ in capsys.readouterr().out


def test_as_a_program(iris_csv):
    program = [sys.executable, "-m", "sksmooth", "measure", str(iris_csv)]
    good = subprocess.run(
        [*program, "--target", "species", "--json"], capture_output=True, text=True
    )
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout, parse_constant=_reject)["n_samples"] == 150

    bad = subprocess.run([*program, "--target", "no"], capture_output=True, text=True)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert len(bad.stderr.splitlines()) == 1
    assert bad.stderr.startswith("sksmooth: error: ")


def test_a_closed_pipe_is_not_an_error(iris_csv):
    program = subprocess.Popen(
        [sys.executable, "-m", "sksmooth", "measure", iris_csv, "--target", "species"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    program.stdout.close()  # as `head` does
    errors = program.stderr.read()
    program.wait()
    assert program.returncode == 141
    assert "Traceback" not in errors
