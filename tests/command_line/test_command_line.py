"""The command line, by its main function and as a program."""

import gzip
import os
import re
import subprocess
import sys
from importlib import metadata

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.model_selection import train_test_split

import sksmooth
from sksmooth import BesovSmoothnessEstimator, forecast_error
from sksmooth.command_line import main
from sksmooth.datasets import make_known_smoothness
from sksmooth.estimators.verdict import verdict
from sksmooth.index import CONVENTIONS

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
MAGIC = {"png": PNG_MAGIC, "pdf": b"%PDF", "svg": b"<?xml"}
pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")


@pytest.fixture
def iris_csv(iris, tmp_path):
    return written(iris, tmp_path / "iris.csv")


@pytest.fixture
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600], y[:600]


@pytest.fixture
def digits_npz(digits, tmp_path):
    return saved(tmp_path, *digits)


def written(frame, path):
    frame.to_csv(path, index=False)
    return path


def saved(tmp_path, X, y):
    np.savez(tmp_path / "data.npz", X=X, y=y)
    return tmp_path / "data.npz"


def alpha_of(X, y, **parameters):
    estimator = BesovSmoothnessEstimator(random_state=0, **parameters)
    return estimator.fit(X, y).alpha_


# --- kinds of files ------------------------------------------------------------------

WRITERS = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    ".tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    ".txt": lambda frame, path: frame.to_csv(path, index=False, sep=" "),
    "_semicolons.csv": lambda frame, path: frame.to_csv(path, index=False, sep=";"),
    "_marked.csv": lambda f, path: f.to_csv(path, index=False, encoding="utf-8-sig"),
    ".parquet": lambda frame, path: frame.to_parquet(path),
    ".xlsx": lambda frame, path: frame.to_excel(path, index=False),
}
NEEDS = {".parquet": "pyarrow", ".xlsx": "openpyxl"}


@pytest.mark.parametrize("ending", WRITERS)
def test_tables_give_the_index_of_the_python_api(ending, iris, tmp_path, call_json):
    if ending in NEEDS:
        pytest.importorskip(NEEDS[ending])
    path = tmp_path / f"iris{ending}"
    WRITERS[ending](iris.rename(columns={"petal length (cm)": "length, long; (cm)"}), path)
    results = call_json(path, "--target", "species")
    X, y = iris.drop(columns="species").to_numpy(), iris["species"].to_numpy()
    assert results["alpha"] == pytest.approx(alpha_of(X, y), rel=1e-9)
    assert results["n_classes"] == 3
    names = {feature["name"] for feature in results["feature_importances"]}
    assert "length, long; (cm)" in names


def test_regression_gives_the_index_of_the_python_api(tmp_path, call_json):
    frame = load_diabetes(as_frame=True).frame
    path = written(frame, tmp_path / "diabetes.csv")
    results = call_json(path, "--target", "target", "--trees", 3)
    X, y = frame.drop(columns="target").to_numpy(), frame["target"].to_numpy()
    assert results["alpha"] == pytest.approx(alpha_of(X, y, n_estimators=3), rel=1e-9)
    assert (results["task"], results["n_classes"]) == ("regression", None)
    assert results["wrong_labels"] is None
    assert 0 < results["explained"] < 1


def test_npz_gives_the_index_of_the_python_api(digits, digits_npz, tmp_path, call_json):
    X, y = digits
    assert call_json(digits_npz)["alpha"] == alpha_of(X, y)
    images = X.reshape(-1, 8, 8).astype(np.uint8)
    np.savez_compressed(tmp_path / "images.npz", images=images, labels=y[:, None])
    named = ["--features", "images", "--target", "labels"]
    results = call_json(tmp_path / "images.npz", *named)
    assert results["alpha"] == alpha_of(images.reshape(-1, 64), y)
    assert results["n_features"] == 64
    assert results["feature_importances"][0]["name"].startswith("images[")


def test_whole_numbers_as_floats_are_regression_unless_told(digits, tmp_path, call_json):
    X, y = digits
    arguments = [saved(tmp_path, X, y.astype(float)), "--trees", 2]
    results = call_json(*arguments)
    assert results["task"] == "regression"
    (warning,) = results["warnings"]
    assert warning["category"] == "TargetTypeWarning"
    assert "--task classification" in warning["message"]
    results = call_json(*arguments, "--task", "classification")
    assert results["task"] == "classification"
    assert results["alpha"] == alpha_of(X, y, n_estimators=2)


def test_labels_of_all_kinds_are_classes(iris, tmp_path, call_json):
    pytest.importorskip("pyarrow")
    codes = load_iris().target
    labels = {
        "text": iris["species"],
        "numbers": codes,
        "flags": codes == 1,
        "category": pd.Categorical(iris["species"]),
        "nullable": pd.array(codes, dtype="Int64"),
    }
    alphas = {}
    for name, column in labels.items():
        path = tmp_path / f"{name}.parquet"
        iris.assign(species=column).to_parquet(path)
        results = call_json(path, "--target", "species")
        assert results["task"] == "classification"
        alphas[name] = results["alpha"]
    for name in ("numbers", "category", "nullable"):
        assert alphas[name] == pytest.approx(alphas["text"])


def test_large_integers_stay_the_classes_they_are(iris, tmp_path, call_json):
    labels = 2**64 - 1 - load_iris().target.astype(np.uint64)  # the same as floats
    path = written(iris.assign(species=labels), tmp_path / "iris.csv")
    assert call_json(path, "--target", "species")["n_classes"] == 3


def test_integer_targets_can_be_taken_as_numbers(iris, tmp_path, call_json):
    path = written(iris.assign(species=np.arange(150)), tmp_path / "iris.csv")
    results = call_json(path, "--target", "species", "--task", "regression")
    assert results["task"] == "regression"
    assert "TargetTypeWarning" not in [note["category"] for note in results["warnings"]]


def test_features_and_drop_choose_columns(iris_csv, call_json):
    petals = ["petal length (cm)", "petal width (cm)"]
    sepals = ["sepal length (cm)", "sepal width (cm)"]
    chosen = call_json(iris_csv, "--target", "species", "--features", *petals)
    assert chosen == call_json(iris_csv, "--target", "species", "--drop", *sepals)
    for names in (",".join(petals), "petal*"):
        assert chosen == call_json(iris_csv, "--target", "species", "--features", names)
    assert chosen["n_features"] == 2


# --- features and labels in two files ------------------------------------------------


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
    assert of_classes["alpha"] == pytest.approx(alpha_of(X, y), rel=1e-9)
    assert of_classes["task"] == "classification"
    assert of_classes["labels_file"].endswith("trainingLabel.csv")
    one_hot = call_json(*two_files(np.eye(10)[y]))
    assert one_hot["alpha"] == pytest.approx(of_classes["alpha"], rel=0.15)
    assert one_hot["task"] == "regression"
    as_classes = call_json(*two_files(np.eye(10)[y]), "--task", "classification")
    assert as_classes["alpha"] == of_classes["alpha"]


def test_two_files_may_have_a_line_of_names(digits, two_files, call_json):
    X, y = digits
    arguments = [*two_files(y, fmt="%d"), "--trees", 2]
    without = call_json(*arguments)
    assert without["feature_importances"][0]["name"].startswith("x")
    written(pd.DataFrame(X).add_prefix("pixel"), arguments[1])
    written(pd.DataFrame({"digit": y}), arguments[3])
    with_names = call_json(*arguments)
    assert with_names == call_json(*arguments[1:])  # FILE in place of --data FILE
    assert with_names["alpha"] == without["alpha"]
    assert with_names["feature_importances"][0]["name"].startswith("pixel")


def test_two_files_that_do_not_fit(digits, two_files, call_wrongly):
    error = call_wrongly("measure", *two_files(digits[1][:-1], fmt="%d"))
    assert "600 rows" in error
    assert "599" in error
    assert "line of names" in error
    columns = two_files(np.random.default_rng(0).uniform(size=(600, 2)))
    error = call_wrongly("measure", *columns, "--task", "classification")
    assert "one column of labels" in error


# --- options and results -------------------------------------------------------------


def test_options_reach_the_estimator(digits, digits_npz, call_json):
    options = "--index weak-lp --measure volume --p 1.5 --trees 4 --max-depth 7 "
    options += "--max-features sqrt --max-samples 300 --random-state 3 --jobs 2 "
    options += "--confidence 0.9"
    results = call_json(digits_npz, *options.split())
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
    ).fit(*digits)
    assert results["alpha"] == expected.alpha_
    assert (results["alpha_low"], results["alpha_high"]) == expected.alpha_interval_
    assert results["r_squared"] == expected.r_squared_
    assert results["fit_range"] == list(expected.decay_.fit_range)
    assert results["n_terms"] == expected.wavelets_.n_terms
    assert results["confidence_level"] == 0.9
    assert results["version"] == sksmooth.__version__
    best = results["feature_importances"][0]
    assert best["name"] == f"X[{expected.feature_importances_.argmax()}]"
    assert best["importance"] == expected.feature_importances_.max()


def test_a_precision_takes_few_trees(digits, digits_npz, call_json):
    results = call_json(digits_npz, "--precision", "0.5")
    expected = BesovSmoothnessEstimator(precision=0.5, random_state=0).fit(*digits)
    assert expected.wavelets_.n_trees == 4
    assert results["alpha"] == expected.alpha_


def test_pairs_of_classes_can_be_left_out(digits, digits_npz, call_json):
    results = call_json(digits_npz, "--no-class-pairs")
    expected = BesovSmoothnessEstimator(class_pairs=False, random_state=0).fit(*digits)
    assert results["alpha"] == expected.alpha_
    assert results["alpha"] < call_json(digits_npz)["alpha"]


def test_all_numbers_are_those_of_the_python_api(digits, digits_npz, call_json):
    results = call_json(digits_npz)
    expected = BesovSmoothnessEstimator(random_state=0).fit(*digits)
    for name in ("explained", "noise", "wrong_labels", "signal_alpha", "roughness"):
        assert results[name] == getattr(expected, f"{name}_")
        ends = (results[f"{name}_low"], results[f"{name}_high"])
        assert ends == getattr(expected, f"{name}_interval_")
    assert results["noise_is_bound"] == expected.noise_is_bound_
    assert results["alpha_is_bound"] is False
    assert results["n_relevant"] == expected.n_relevant_
    assert results["n_terms_for_90_percent"] == expected.n_terms_for(0.9)
    for name in ("rate_in_window", "rate_of_whole_way", "share_of_whole_way"):
        assert results[name] == getattr(expected.decay_, name)
    assert results["oob_score"] == expected.oob_score_
    assert results["verdict"] == verdict(expected)


def test_the_verdict_names_columns_and_knows_what_is_out_of_the_bags(
    iris, tmp_path, call, call_json
):
    frame = iris.assign(key=np.arange(150)).sort_values("key")
    path = written(frame.drop(columns="petal width (cm)"), tmp_path / "iris.csv")
    options = [path, "--target", "species"]
    out = call("measure", *options, "--features", "key", "sepal width (cm)")[1]
    assert "One feature (key) explains nearly all of it" in out
    results = call_json(*options, "--max-samples", "1.0")
    assert results["explained"] is results["noise"] is results["oob_score"] is None
    assert results["verdict"].startswith("Measured in-sample only")


@pytest.mark.parametrize("index", CONVENTIONS)
def test_every_index_can_be_read(index, iris_csv, call, call_json):
    arguments = [iris_csv, "--target", "species", "--index", index, "--trees", 2]
    assert call_json(*arguments)["index"] == index
    code, out, _ = call("measure", *arguments)
    assert code == 0
    assert index in out


def test_results_without_a_number(tmp_path, call, call_json):
    X, y, _ = make_known_smoothness("boxes", 2000, random_state=0)
    results = call_json(saved(tmp_path, X, y))
    assert results["alpha"] == alpha_of(X, y)
    assert results["alpha_is_bound"]
    assert results["alpha_high"] == results["signal_alpha"] == "Infinity"
    assert results["wrong_labels"] == 0
    assert [note["category"] for note in results["warnings"]] == ["UnresolvedIndexWarning"]
    out = call("measure", tmp_path / "data.npz")[1]
    assert re.search(rf"^alpha +>= {results['alpha']:.3f}$", out, re.MULTILINE)
    assert re.search(r"^signal alpha +inf \[", out, re.MULTILINE)
    assert out.isascii()
    X, y, _ = make_known_smoothness("noise-labels", 1000, random_state=0)
    assert "as for noise" in call("measure", saved(tmp_path, X, y))[1]


def test_table_for_people_and_progress(digits_npz, call):
    code, out, err = call("measure", digits_npz, "--held-out", 0.3, "--trees", 3)
    assert code == 0
    assert out.isascii()  # whatever the terminal shows
    rows = {line[:17].strip(): line[18:] for line in out.splitlines()}
    assert (rows["samples"], rows["features"], rows["classes"]) == ("420", "64", "10")
    assert float(rows["alpha"]) > 0.1
    assert "(180 samples)" in rows["held-out score"]
    assert "in 3 trees" in rows["wavelets"]
    assert re.fullmatch(r"\d\d\.\d % \[\d\d\.\d, \d\d\.\d\]", rows["explained"])
    assert rows["wrong labels"].startswith("at most ")
    assert "The features explain" in out
    assert "trees: 3/3 in " in err
    assert call("measure", digits_npz, "--quiet", "--trees", 3)[2] == ""


def test_held_out_score_is_that_of_the_python_api(digits, digits_npz, call_json):
    results = call_json(digits_npz, "--held-out", 0.25)
    X, y = digits
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=0
    )
    estimator = BesovSmoothnessEstimator(random_state=0).fit(X, y)
    assert results["alpha"] == estimator.alpha_
    assert results["held_out_score"] == estimator.score(X_test, y_test)
    assert (results["n_samples"], results["n_samples_held_out"]) == (600, 150)


def test_held_out_with_a_class_of_one_sample(iris, tmp_path, call_json):
    iris.loc[0, "species"] = "a new one"
    path = written(iris, tmp_path / "iris.csv")
    results = call_json(path, "--target", "species", "--held-out", 0.3)
    assert np.isfinite(results["held_out_score"])


# --- pictures ------------------------------------------------------------------------


@pytest.mark.parametrize("ending", MAGIC)
def test_plot_is_written(ending, iris_csv, tmp_path, call_json):
    pytest.importorskip("matplotlib")
    odd = iris_csv.rename(tmp_path / "price $ of $x_ {.csv")
    picture = tmp_path / f"out.{ending}"
    results = call_json(odd, "--target", "species", "--plot", picture)
    assert picture.read_bytes().startswith(MAGIC[ending])
    assert results["plot"] == str(picture)
    assert {path.name for path in tmp_path.iterdir()} == {odd.name, picture.name}


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
    assert {path.name for path in tmp_path.iterdir()} == {"iris.csv", "out.png"}


@pytest.mark.parametrize("command", ["demo", "measure"])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing/out.png", "there is no folder"),
        ("folder.png", "is a folder"),
        ("out.xyz", "must end in one of .png"),
        ("out", "must end in one of .png"),
    ],
)
def test_picture_that_cannot_be_written(command, name, problem, tmp_path, call_wrongly):
    (tmp_path / "folder.png").mkdir()
    options = {"demo": ["--output"], "measure": ["never_read.csv", "--plot"]}
    assert problem in call_wrongly(command, *options[command], tmp_path / name)


def test_picture_in_a_folder_that_is_not_writable(tmp_path, call_wrongly, monkeypatch):
    # Permissions do not stop the super-user, who may run the tests.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    arguments = ["measure", "never_read.csv", "--plot", tmp_path / "out.png"]
    assert "not writable" in call_wrongly(*arguments)


# --- spreadsheets and arrays ---------------------------------------------------------


def test_sheets_of_a_spreadsheet(iris, tmp_path, call_json, call_wrongly):
    pytest.importorskip("openpyxl")
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        iris.to_excel(book, sheet_name="flowers", index=False)
        iris.assign(species=1).to_excel(book, sheet_name="one class", index=False)
    options = [path, "--target", "species"]
    first = call_json(*options)
    (note,) = [each["message"] for each in first["warnings"] if each["category"] == "Note"]
    assert "read the first of 2 sheets, 'flowers' (--sheet takes another)" in note
    asked = call_json(*options, "--sheet", "flowers")
    assert not [each for each in asked["warnings"] if each["category"] == "Note"]
    assert asked["alpha"] == first["alpha"]
    error = call_wrongly("measure", *options, "--sheet", "trees")
    assert "no sheet 'trees'; sheets: 'flowers', 'one class'" in error
    error = call_wrongly("measure", "a.csv", "--target", "y", "--sheet", "trees")
    assert "--sheet is for .xlsx files" in error


@pytest.mark.parametrize("ending", [".npy", ".xlsx"])
def test_features_and_labels_in_files_without_names(ending, iris, tmp_path, call_json):
    X, y = iris.drop(columns="species"), iris["species"].to_numpy(str)
    path = tmp_path / f"X{ending}"
    np.save(tmp_path / "y.npy", y)
    if ending == ".npy":
        np.save(path, X.to_numpy().reshape(-1, 2, 2))  # images become rows of pixels
    else:
        pytest.importorskip("openpyxl")
        X.to_excel(path, header=False, index=False)
    results = call_json("--data", path, "--labels", tmp_path / "y.npy")
    assert results["alpha"] == pytest.approx(alpha_of(X.to_numpy(), y), rel=1e-9)
    assert results["n_features"] == 4
    importances = {each["name"] for each in results["feature_importances"]}
    assert importances <= {"x0", "x1", "x2", "x3"}


def test_a_first_row_of_numbers_is_no_heading_of_a_spreadsheet(iris, tmp_path, call_json):
    pytest.importorskip("openpyxl")
    X = iris.drop(columns="species")
    X.iloc[0] = [0, np.nan, 0, 1]  # of which pandas would make text
    X.to_excel(tmp_path / "X.xlsx", header=False, index=False)
    np.save(tmp_path / "y.npy", iris["species"].to_numpy(str))
    results = call_json("--data", tmp_path / "X.xlsx", "--labels", tmp_path / "y.npy")
    assert results["n_samples"] == len(iris)


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.array([{"a": 1}], dtype=object), "pickled Python objects"),
        (np.zeros(3, dtype=[("a", float)]), "which is not numeric"),
        (np.array(1.0), "it has shape ()"),
        (np.zeros((0, 3)), "it has shape (0, 3)"),
    ],
)
def test_arrays_that_are_no_tables(array, problem, tmp_path, call_wrongly):
    np.save(tmp_path / "X.npy", array)
    np.save(tmp_path / "y.npy", np.arange(3) % 2)
    options = ["--data", tmp_path / "X.npy", "--labels", tmp_path / "y.npy"]
    assert problem in call_wrongly("measure", *options)


# --- the demo ------------------------------------------------------------------------


DEMO_COLUMNS = ("samples", "features", "explained", "alpha", "held_out")


def demo_rows(out):
    """Columns of each row, by its name; rows of networks come after the names of these."""
    text, _, picture = out.rpartition("\n\n")
    assert max(map(len, text.splitlines())) <= 80  # of a terminal
    assert " s; picture: " in picture
    heads, *lines = out.split("\n\n")[1].splitlines()
    assert heads.split()[:4] == ["samples", "features", "explained", "alpha"]
    rows, group = {}, ""
    for line in lines:
        name, *cells = line[:22].strip(), *line[22:].split()
        if line.startswith("network"):
            group = f"{line}, "
        elif not line.startswith("*"):
            samples, features, explained, percent, alpha, low, to, high, held_out = cells
            assert (percent, to) == ("%", "to")
            assert float(low) <= float(alpha.rstrip("*")) <= float(high)
            numbers = (samples, features, explained, alpha.rstrip("*"), held_out)
            rows[group + name] = dict(zip(DEMO_COLUMNS, numbers, strict=True))
            rows[group + name]["is_marked"] = alpha.endswith("*")
    return rows


def column(rows, name):
    return {key: float(row[name]) for key, row in rows.items()}


def test_demo_writes_a_table_and_a_picture(tmp_path, call):
    pytest.importorskip("matplotlib")
    pytest.importorskip("torch")
    picture = tmp_path / "demo.png"
    code, out, err = call("demo", "--output", picture, "--jobs", 2)
    assert code == 0
    assert picture.read_bytes().startswith(PNG_MAGIC)
    assert f"picture: {picture}" in out
    assert "16/16" in err
    assert "training" in err
    rows = demo_rows(out)
    assert len(rows) == 16
    assert set(column(rows, "samples").values()) == {898}
    assert column(rows, "features")["network, trained, dense"] == 32
    alphas, explained = column(rows, "alpha"), column(rows, "explained")
    assert alphas["LDA, 9 components"] > alphas["raw pixels"] > 0.15
    assert alphas["pixels + strong noise"] < 0.1
    assert explained["shuffled labels"] == 0
    assert explained["pixels + strong noise"] < 25
    assert explained["LDA, 9 components"] > explained["raw pixels"] > 60
    assert abs(alphas["shuffled labels"]) < 0.05
    # Random layers lose smoothness from one to the next, trained ones gain it.
    layers = ["convolution 1", "convolution 2", "dense"]
    untrained = [alphas[f"network, untrained, {layer}"] for layer in layers]
    trained = [alphas[f"network, trained, {layer}"] for layer in layers]
    assert untrained == sorted(untrained, reverse=True)
    assert trained == sorted(trained)
    assert alphas["network, trained, logits"] > 2 * alphas["raw pixels"]
    held_out = column(rows, "held_out")
    assert held_out["network, trained, logits"] > 2 * held_out["network, untrained, logits"]
    assert "The network's last layer is smoother than before training" in out
    assert "\nLDA " in out
    assert demo_rows(call("demo", "--output", picture)[1]) == rows  # with one job


@pytest.mark.filterwarnings("ignore:Variables are collinear")
def test_demo_marks_what_is_uncertain(tmp_path, call, monkeypatch):
    pytest.importorskip("matplotlib")
    pytest.importorskip("torch")
    y = np.arange(300) % 10
    X = np.hstack([16 * np.eye(10)[y], np.random.RandomState(0).rand(300, 54)])
    # One pixel tells each class, so a few terms leave no error.
    monkeypatch.setattr(
        "sksmooth.command_line.demo.load_digits", lambda return_X_y: (X.copy(), y)
    )
    code, out, _ = call("demo", "--output", tmp_path / "demo.png")
    assert code == 0
    row = demo_rows(out)["raw pixels"]
    assert 0.3 < float(row["alpha"]) < 2
    assert row["explained"] == "100"
    assert row["is_marked"]
    assert "\n* uncertain" in out
    assert (tmp_path / "demo.png").read_bytes().startswith(PNG_MAGIC)


def test_demo_tells_no_difference_that_few_images_do_not_show(
    digits, tmp_path, call, monkeypatch
):
    pytest.importorskip("matplotlib")
    X, y = digits
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(
        "sksmooth.command_line.demo.load_digits",
        lambda return_X_y: (X[:100].copy(), y[:100]),
    )
    code, out, _ = call("demo", "--output", tmp_path / "demo.png")
    assert code == 0
    sentence = " ".join(out.split("\n\n")[-2].split())
    assert sentence.startswith(
        "LDA cannot be told apart from raw pixels with so few samples ("
    )


def test_demo_without_its_libraries(tmp_path, call, monkeypatch):
    picture = tmp_path / "demo.png"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        code, out, err = call("demo", "--output", picture)
        assert code == 0
        assert len(demo_rows(out)) == 8
        assert "torch is not installed" in err
        assert "\nLDA " in out
        picture.unlink()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = call("demo", "--output", picture)
    assert code == 2
    assert "\nraw pixels" in out  # the table needs no matplotlib
    assert "pip install matplotlib" in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


# --- files that are refused ----------------------------------------------------------


def damaged(content):
    """Overwrite bytes in the middle."""
    middle = len(content) // 2
    return content[:middle] + b"\0" * 200 + content[middle + 200 :]


@pytest.mark.parametrize("ending", ["npz", "parquet", "xlsx", "npy"])
@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", damaged])
def test_damaged_archives(damage, ending, iris, tmp_path, call_wrongly):
    path = tmp_path / f"data.{ending}"
    if ending == "npz":
        noise = np.random.default_rng(0).uniform(size=(500, 20))
        np.savez_compressed(path, X=noise, y=np.arange(500))
    elif ending == "npy":
        np.save(path, np.arange(500))
    else:
        pytest.importorskip(NEEDS[f".{ending}"])
        WRITERS[f".{ending}"](iris.sample(2000, replace=True, random_state=0), path)
    content = damage(path.read_bytes())
    # The middle of an array may hold anything.
    path.write_bytes(content[:150] if ending == "npy" else content)
    target = ["--target", "species"] * (ending != "npz")
    assert "cannot read" in call_wrongly("measure", path, *target)


@pytest.mark.parametrize("notes", [b"{}", b"{", b"[]", b"\xff", b'{"index_columns": [1]}'])
def test_parquet_whose_notes_of_pandas_are_damaged(notes, tmp_path, call_wrongly):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"x": np.arange(9.0)}).replace_schema_metadata({"pandas": notes})
    parquet.write_table(table, tmp_path / "data.parquet")
    error = call_wrongly("measure", tmp_path / "data.parquet", "--target", "y")
    assert "cannot read" in error or "no column 'y'" in error


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.csv", b"", "No columns"),
        ("blank.csv", b"\n\n", "No columns"),
        ("names_only.csv", b"a,b\n", "no rows"),
        ("numbers.csv", b"0.5,1\n1,2\n", "is the line of names missing?"),
        ("long_rows.csv", b"a,b\n1,2,3\n1,2,3\n", "more cells than the first line"),
        ("not_gzip.csv.gz", b"a,b\n1,2\n", "gzip"),
        ("cut.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:-20], "ended before"),
        ("data.ods", b"a,b\n1,2\n", "unknown kind of file '.ods'; known are .csv"),
        ("data", b"a,b\n1,2\n", "unknown kind of file"),
        ("data.npz.gz", b"a,b\n1,2\n", "unknown kind of file"),
    ],
)
def test_malformed_files(name, content, problem, tmp_path, call_wrongly):
    (tmp_path / name).write_bytes(content)
    error = call_wrongly("measure", tmp_path / name, "--target", "label")
    assert problem in error
    assert name in error


def test_missing_file_and_folder(tmp_path, call_wrongly):
    error = call_wrongly("measure", tmp_path / "no.csv", "--target", "y")
    assert "No such file" in error
    assert "no.csv" in error
    assert "is a folder" in call_wrongly("measure", tmp_path, "--target", "y")


PICKLED = np.array(["a", 1, None] * 3, dtype=object)


@pytest.mark.parametrize(
    ("X", "y", "problem"),
    [
        (np.zeros((9, 2)), np.zeros(8), "has 9 rows but 'y' has 8"),
        (np.float64(1), np.zeros(8), "one row per sample"),
        (np.zeros((0, 2)), np.zeros(0), "one row per sample"),
        (np.full((9, 2), "a"), np.arange(9), "not numbers"),
        (np.array([[0, 1], [np.nan, 1], [0, np.inf]]), np.arange(3), "in 1 of 3 rows"),
        (np.eye(9), np.where(np.eye(9)[0], np.nan, 1.0), "1 of 9 rows, column 'y'"),
        (np.eye(9), np.full((9, 2), np.nan), "in 9 of 9 rows, column 'y'"),
        (np.zeros((9, 2), dtype=[("a", float)]), np.arange(9), "which is not numeric"),
        (np.zeros((9, 2), dtype="V4"), np.arange(9), "which is not numeric"),
        (np.eye(9), PICKLED, "'y' holds pickled Python objects"),
        (np.eye(9), np.full((9, 2), "a"), "target 'y'"),
    ],
)
def test_npz_arrays_that_do_not_fit(X, y, problem, tmp_path, call_wrongly):
    assert problem in call_wrongly("measure", saved(tmp_path, X, y))


def test_wrong_arrays(tmp_path, call_wrongly):
    np.savez(tmp_path / "data.npz", data=np.zeros((9, 2)), y=np.arange(9))
    error = call_wrongly("measure", tmp_path / "data.npz")
    assert "no array 'X'" in error
    assert "'data'" in error
    assert "--features" in error
    np.savez(tmp_path / "data.npz")
    assert "holds no array" in call_wrongly("measure", tmp_path / "data.npz")


# --- columns and values that are refused ---------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        (["--target", "Specis"], ["did you mean 'species'?", "'sepal length (cm)'"]),
        (["--target", "species", "--features", "petal"], ["no column 'petal'"]),
        (["--target", "species", "--drop", "petal"], ["no column 'petal'"]),
        (["--target", "species", "--features", "species"], ["no feature column is left"]),
        (["--target", "species", "--task", "regression"], ["holds text"]),
        ([], ["--target", "'species'"]),
    ],
)
def test_wrong_columns(arguments, problems, iris_csv, call_wrongly):
    error = call_wrongly("measure", iris_csv, *arguments)
    assert all(problem in error for problem in problems)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            dict(place=[f"meadow {i}" for i in range(150)], height=["-"] + ["1"] * 149),
            "not numbers, in columns 'place', 'height' (such as 'meadow 0')",
        ),
        (dict(height=["-"] + ["1"] * 149), "in column 'height' (such as '-')"),
        (dict(height=[np.inf] * 2 + [1] * 148), "infinity in 2 of 150 rows, column"),
        (
            dict(species=["a"] * 143 + [None] * 7),
            "'species' is missing (empty or NaN) in 7",
        ),
        (dict(species=[np.inf] + [0.5] * 149), "'species'"),
        (dict(species="one"), "one class only"),
        (dict(species=0.5), "constant"),
    ],
)
def test_values_that_cannot_be_measured(change, problem, iris, tmp_path, call_wrongly):
    path = written(iris.assign(**change), tmp_path / "iris.csv")
    error = call_wrongly("measure", path, "--target", "species")
    assert problem in error
    assert "iris.csv" in error


def test_few_rows_and_missing_values(iris, tmp_path, call_json, call_wrongly):
    path = written(iris[:4], tmp_path / "iris.csv")
    error = call_wrongly("measure", path, "--target", "species")
    assert "a minimum of 5 is required" in error
    iris.iloc[3:5, 0] = np.nan  # of features, which are measured
    written(iris, path)
    assert call_json(path, "--target", "species")["n_samples"] == 150


# --- wrong options -------------------------------------------------------------------


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
        (["--data", "other.csv"], "FILE and --labels, or --data"),
        (["--colour"], "--colour"),
    ],
)
def test_wrong_options(options, problem, iris_csv, call_wrongly):
    assert problem in call_wrongly("measure", iris_csv, "--target", "species", *options)


TWO_FILES = ["--data", "a.csv", "--labels", "b.csv"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["mesure"], "invalid choice"),
        (["measure"], "no data"),
        (["measure", *TWO_FILES, "--target", "y"], "leave it out"),
        (["measure", *TWO_FILES], "No such file"),
        (["measure", "a.npz", "--features", "a", "b"], "names one array"),
    ],
)
def test_wrong_commands(arguments, problem, call_wrongly):
    assert problem in call_wrongly(*arguments)


@pytest.mark.parametrize(
    ("module", "extra", "arguments"),
    [
        ("matplotlib", "plot", ["measure", "never_read.csv", "--plot", "out.png"]),
        ("matplotlib", "plot", ["report", "never_read.csv"]),
        ("pyarrow", "parquet", ["measure", "here.parquet", "--target", "y"]),
        ("openpyxl", "excel", ["measure", "here.xlsx", "--target", "y"]),
    ],
)
def test_missing_extras_are_named(
    module, extra, arguments, tmp_path, call_wrongly, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.parquet").touch()
    (tmp_path / "here.xlsx").touch()
    monkeypatch.setitem(sys.modules, module, None)
    error = call_wrongly(*arguments)
    assert f"needs {module}" in error
    assert f'pip install {module} (part of the extra "{extra}" of sksmooth)' in error


def test_interruptions_and_bugs(iris_csv, call, monkeypatch):
    def fail(self, X, y):
        raise problem

    monkeypatch.setattr(BesovSmoothnessEstimator, "fit", fail)
    problem = KeyboardInterrupt()
    code, out, err = call("measure", iris_csv, "--target", "species")
    assert (code, out) == (130, "")
    assert "interrupted" in err
    problem = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):  # with its traceback
        call("measure", iris_csv, "--target", "species")


# --- as a program --------------------------------------------------------------------


def test_help_and_version(call, capsys):
    code, out, _ = call()
    assert code == 0
    assert "demo" in out
    assert "measure" in out
    for option in (["--version"], ["--help"], ["measure", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(option)
        assert stop.value.code == 0
    out = capsys.readouterr().out
    assert sksmooth.__version__ in out
    assert all(index in out for index in CONVENTIONS)


def test_standard_input(iris_csv, strict_json, call_json):
    program = [sys.executable, "-m", "sksmooth", "measure", "-", "--target", "species"]
    options = dict(capture_output=True, check=False, input=iris_csv.read_bytes())
    result = subprocess.run([*program, "--json"], **options)
    assert result.returncode == 0
    results = strict_json(result.stdout.decode())
    assert results.pop("file") == "<standard input>"
    from_file = call_json(iris_csv, "--target", "species")
    assert from_file.pop("file") == str(iris_csv)
    assert results == from_file
    nothing = subprocess.run(program, **options | {"input": b""})
    assert nothing.returncode == 2
    assert b"cannot read <standard input>" in nothing.stderr
    twice = [sys.executable, "-m", "sksmooth", "measure", "--data", "-", "--labels", "-"]
    again = subprocess.run(twice, **options)
    assert b"it has been read already" in again.stderr


def test_the_command_is_installed():
    (command,) = metadata.entry_points(group="console_scripts", name="sksmooth")
    assert command.load() is main


def test_as_a_program(iris_csv, strict_json):
    program = [sys.executable, "-m", "sksmooth", "measure", str(iris_csv)]
    options = dict(capture_output=True, text=True, check=False)
    good = subprocess.run([*program, "--target", "species", "--json"], **options)
    assert good.returncode == 0, good.stderr
    assert strict_json(good.stdout)["n_samples"] == 150
    bad = subprocess.run([*program, "--target", "no"], **options)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert len(bad.stderr.splitlines()) == 1
    assert bad.stderr.startswith("sksmooth: error: ")


# ------------------------------------------------------------------------------ forecasts


def test_measure_forecasts_the_error_with_more_samples(call, strict_json, tmp_path, iris):
    path = tmp_path / "iris.csv"
    iris.to_csv(path, index=False)
    code, out, _ = call("measure", path, "--target", "species", "--quiet", "--forecast")
    assert code == 0
    forecast = forecast_error(iris.drop(columns="species"), iris["species"], random_state=0)
    assert f"\nmore samples      {forecast!r}\n" in out
    assert out.isascii()
    code, out, _ = call("measure", path, "--target", "species", "--json", "--forecast")
    assert code == 0
    found = strict_json(out)["forecast"]
    low, high = forecast.interval(1500)
    assert (found["n_samples"], found["error"]) == (150, forecast.error)
    assert (found["n"], found["predicted"]) == (1500, forecast.predict(1500))
    assert (found["low"], found["high"]) == (low, high)
    assert found["floor_low"] <= found["floor"] <= found["floor_high"]
    assert found["curve"][-1]["n_samples"] == 9600
    assert found["sentence"] == forecast.sentence
    assert found["caution"] == forecast.caution


def test_measure_forecasts_from_the_rows_of_the_fit(digits, digits_npz, call_json):
    found = call_json(digits_npz, "--held-out", 0.25, "--forecast")["forecast"]
    X, _, y, _ = train_test_split(
        *digits, test_size=0.25, stratify=digits[1], random_state=0
    )
    assert found["n_samples"] == 450
    assert found["sentence"] == forecast_error(X, y, random_state=0).sentence


def test_measure_gives_the_caution_of_a_forecast(call, call_json, tmp_path, iris):
    path = written(iris.iloc[::2], tmp_path / "iris.csv")
    out = call("measure", path, "--target", "species", "--quiet", "--forecast")[1]
    found = call_json(path, "--target", "species", "--forecast")["forecast"]
    assert found["caution"].startswith("75 samples are few for a forecast")
    assert found["caution"] in out
    assert "forecast" not in call_json(path, "--target", "species")


def test_measure_refuses_to_forecast_from_a_handful_of_samples(
    call_wrongly, tmp_path, iris
):
    path = tmp_path / "few.csv"
    iris.iloc[::10].to_csv(path, index=False)
    error = call_wrongly("measure", path, "--target", "species", "--quiet", "--forecast")
    assert "15 samples are too few" in error
