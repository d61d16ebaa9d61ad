"""Data files as R, spreadsheets and pandas write them, measured as if they were clean."""

import importlib.util
import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from sksmooth import BesovSmoothnessEstimator

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

FILES = ("file", "labels_file", "warnings")


@pytest.fixture
def iris(iris):
    return iris.set_axis(["length", "width", "Länge", "Breite", "species"], axis=1)


@pytest.fixture
def measure(call_json):
    """Measure files: all results but the names of files, and the notes on reading them."""

    def run(*arguments):
        results = call_json(*arguments, "--trees", 2)
        notes = [each for each in results["warnings"] if each["category"] == "Note"]
        kept = {key: value for key, value in results.items() if key not in FILES}
        return kept, " | ".join(each["message"] for each in notes)

    return run


@pytest.fixture
def clean(iris, tmp_path, measure):
    """Give the results of iris as it should be, of which there is nothing to note."""
    iris.to_csv(tmp_path / "clean.csv", index=False)
    results, notes = measure(tmp_path / "clean.csv", "--target", "species")
    assert notes == ""
    assert results["n_features"] == 4
    return results


def write_table(frame, path, sep=" ", end="\n"):
    """Write a table as R does: names of rows, but no name above them."""
    text = frame.to_csv(sep=sep, quoting=2, lineterminator=end)
    path.write_text(text.removeprefix('""' + sep), encoding="utf-8", newline="")


# --- labels of rows ------------------------------------------------------------------

N = 150
SHUFFLED = np.random.RandomState(0).permutation(N)
ROW_LABELS = {
    "R's row numbers": range(1, N + 1),
    "rows of a larger frame": np.arange(N) * 3 + 7,
    "a shuffled frame": SHUFFLED,
    "a filtered and shuffled frame": SHUFFLED * 1000,
    "floats": np.arange(N, dtype=float),
    "R's row names": [f"Mazda RX{place}" for place in range(N)],
    "days": pd.date_range("2020-01-01", periods=N).astype(str),
}
COUNTERS = [*ROW_LABELS][:3]


@pytest.mark.parametrize("labels", ROW_LABELS)
def test_unnamed_row_labels_are_left_out(labels, iris, clean, tmp_path, measure):
    path = tmp_path / "iris.csv"
    iris.set_axis(ROW_LABELS[labels], axis=0).to_csv(path)
    results, notes = measure(path, "--target", "species")
    assert results == clean
    assert f"{path}: left out column 'Unnamed: 0' (row numbers or names" in notes


@pytest.mark.parametrize("labels", ROW_LABELS)
@pytest.mark.parametrize(("ending", "sep"), [("txt", " "), ("tsv", "\t"), ("csv", ";")])
def test_row_labels_that_the_line_of_names_leaves_out(
    labels, ending, sep, iris, clean, tmp_path, measure
):
    path = tmp_path / f"iris.{ending}"
    write_table(iris.set_axis(ROW_LABELS[labels], axis=0), path, sep)
    results, notes = measure(path, "--target", "species")
    assert results == clean
    assert "left out column '' (row numbers or names" in notes


def test_an_index_that_is_written_again_and_again(iris, clean, tmp_path, measure):
    path = tmp_path / "iris.csv"
    iris.to_csv(path)
    for name in ("Unnamed: 0.1", "Unnamed: 0.2"):
        pd.read_csv(path).to_csv(path)
        results, notes = measure(path, "--target", "species")
        assert results == clean
        assert f"'{name}'" in notes


def test_the_index_of_a_parquet_file_is_no_feature(iris, clean, tmp_path, measure):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "iris.parquet"
    shuffled = iris.set_axis(SHUFFLED, axis=0)
    shuffled.to_parquet(path)
    assert measure(path, "--target", "species") == (clean, "")
    # As written by libraries that do not know what pandas notes.
    table = pyarrow.Table.from_pandas(shuffled).replace_schema_metadata(None)
    parquet.write_table(table, path)
    results, notes = measure(path, "--target", "species")
    assert results == clean
    assert "left out column '__index_level_0__'" in notes


@pytest.mark.parametrize(
    ("labels", "how"),
    [
        *((labels, "with names") for labels in ROW_LABELS),
        *((labels, "R's write.table") for labels in ROW_LABELS),
        # Text in the first line is a name, and a number may be a feature.
        *((labels, "without names") for labels in COUNTERS),
    ],
)
def test_row_labels_of_features_and_labels(labels, how, iris, clean, tmp_path, measure):
    iris = iris.set_axis(ROW_LABELS[labels], axis=0)
    parts = iris.drop(columns="species"), iris[["species"]]
    codes = parts[1].apply(lambda column: column.factorize()[0])
    paths = [tmp_path / f"{name}.csv" for name in ("X", "y")]
    for part, path in zip((parts[0], codes), paths, strict=True):
        if how == "R's write.table":
            write_table(part, path, ",")
        else:
            part.to_csv(path, header=how == "with names")
    results, notes = measure("--data", paths[0], "--labels", paths[1])
    changed = {"verdict", "feature_importances"}  # which hold names
    assert all(results[key] == clean[key] for key in set(clean) - changed)
    assert (results["n_features"], results["task"]) == (4, "classification")
    assert notes.count("left out column") == 2


def test_numbers_of_columns_are_no_sample(iris, clean, tmp_path, measure):
    X, y = tmp_path / "X.csv", tmp_path / "y.csv"
    pd.DataFrame(iris.iloc[:, :4].to_numpy()).to_csv(X, index=False)  # under 0,1,2,3
    iris[["species"]].to_csv(y, index=False)
    results, _ = measure("--data", X, "--labels", y)
    assert (results["n_samples"], results["alpha"]) == (N, clean["alpha"])


def test_row_labels_in_another_order_are_refused(iris, tmp_path, call_wrongly):
    iris.drop(columns="species").to_csv(tmp_path / "X.csv")
    iris[["species"]].iloc[::-1].to_csv(tmp_path / "y.csv")
    arguments = ["--data", tmp_path / "X.csv", "--labels", tmp_path / "y.csv"]
    assert "the same rows in different orders" in call_wrongly("measure", *arguments)


def test_a_column_without_a_name_is_kept_if_asked_for(iris, tmp_path, measure):
    iris.to_csv(tmp_path / "iris.csv")
    arguments = [tmp_path / "iris.csv", "--target", "species", "--features", "width"]
    results, notes = measure(*arguments, "Unnamed: 0")
    assert results["n_features"] == 2
    assert "'Unnamed: 0' looks like an identifier" in notes
    results, notes = measure(*arguments[:3], "--drop", "Unnamed: 0")
    assert (results["n_features"], notes) == (4, "")


def test_columns_without_a_name_that_label_no_rows(iris, clean, tmp_path, measure):
    path = tmp_path / "iris.csv"
    text = iris.to_csv(index=False).replace("\n", ",\n")
    path.write_text(text, encoding="utf-8")
    results, notes = measure(path, "--target", "species")
    assert results == clean
    assert "left out column 'Unnamed: 5' (empty" in notes
    pd.concat([iris[:75], iris[:75]]).to_csv(path)  # of which the index is there twice
    results, notes = measure(path, "--target", "species")
    assert results["n_features"] == 5
    assert "--drop 'Unnamed: 0'" in notes


IDENTIFIERS = {
    "rising": np.arange(N) + 1000,
    "falling, with gaps": -7 * np.arange(N),
    "floats": np.arange(N, dtype=float),
    "shuffled": SHUFFLED,
    "part of a shuffled file": np.random.RandomState(0).permutation(2 * N)[:N],
}
MEASURED = {
    "sorted continuous values": np.sort(np.random.RandomState(0).normal(size=N)),
    "sorted whole numbers": np.sort(np.random.RandomState(0).poisson(9, N)),
    "large whole numbers": np.random.RandomState(0).permutation(10**6)[:N],
    "days": pd.date_range("2020-01-01", periods=N).astype(str),
    "gaps": np.where(np.arange(N) == 3, np.nan, np.arange(N)),
}


@pytest.mark.parametrize("kind", [*IDENTIFIERS, *MEASURED])
def test_named_identifiers_are_pointed_out(kind, iris, clean, tmp_path, measure):
    path = tmp_path / "iris.csv"
    iris.assign(**{"the key": (IDENTIFIERS | MEASURED)[kind]}).to_csv(path, index=False)
    results, notes = measure(path, "--target", "species")
    assert results["n_features"] == 5
    assert ("'the key' looks like an identifier" in notes) == (kind in IDENTIFIERS)
    assert ("leave it out: --drop 'the key'" in notes) == (kind in IDENTIFIERS)
    assert measure(path, "--target", "species", "--drop", "the key") == (clean, "")


def test_an_identifier_beside_noise_is_pointed_out(tmp_path, call, measure):
    noise = np.random.RandomState(0).normal(size=(400, 3))
    frame = pd.DataFrame(noise).add_prefix("noise ").assign(id=range(400))
    frame.assign(label=np.arange(400) // 200).to_csv(tmp_path / "data.csv", index=False)
    arguments = [tmp_path / "data.csv", "--target", "label"]
    assert "'id' looks like an identifier" in measure(*arguments)[1]
    _, out, _ = call("measure", *arguments)  # and on screen
    assert "'id' looks like an identifier" in out
    without, notes = measure(*arguments, "--drop", "id")
    assert notes == ""
    assert without["alpha"] < 0.1


def test_identifiers_of_arrays_and_of_two_files(iris, clean, tmp_path, measure):
    X = iris.drop(columns="species")
    codes = iris["species"].factorize()[0]
    np.savez(tmp_path / "iris.npz", X=np.column_stack([np.arange(N), X]), y=codes)
    assert "--drop 'X[0]'" in measure(tmp_path / "iris.npz")[1]
    results, notes = measure(tmp_path / "iris.npz", "--drop", "X[0]")
    assert (results["alpha"], notes) == (clean["alpha"], "")
    X.assign(id=range(N)).to_csv(tmp_path / "X.csv", index=False)
    pd.DataFrame({"id": range(N), "label": codes}).to_csv(tmp_path / "y.csv", index=False)
    arguments = ["--data", tmp_path / "X.csv", "--labels", tmp_path / "y.csv"]
    assert measure(*arguments)[1].count("--drop id") == 2
    assert measure(*arguments, "--drop", "id") == (clean, "")


def test_names_that_differ_in_every_row_are_refused(iris, tmp_path, call_wrongly):
    path = tmp_path / "iris.csv"
    iris.assign(who=ROW_LABELS["R's row names"]).to_csv(path, index=False)
    error = call_wrongly("measure", path, "--target", "species")
    assert "in column 'who' (such as 'Mazda RX0')" in error
    assert "like an identifier" in error
    assert "--drop who" in error


# --- text ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "taken"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("latin-1", "cp1252"),
        ("cp1252", "cp1252"),
    ],
)
def test_encodings(encoding, taken, iris, clean, tmp_path, measure):
    path = tmp_path / "iris.csv"
    path.write_bytes(iris.to_csv(index=False).encode(encoding))
    results, notes = measure(path, "--target", "species")
    assert results == clean
    assert notes == (
        f"{path} is not in UTF-8: read as {taken} (override by --encoding)."
        if taken
        else ""
    )
    asked = measure(path, "--target", "species", "--encoding", encoding)
    assert asked == (clean, "")


def test_other_encodings_are_asked_for(iris, tmp_path, measure, call_wrongly):
    path = tmp_path / "iris.csv"
    iris.columns = ["図表", "width", "Leaf", "leaf", "species"]
    iris.to_csv(path, index=False, encoding="shift_jis")
    arguments = [path, "--target", "図表", "--drop", "species"]
    assert "name its encoding with --encoding" in call_wrongly("measure", *arguments)
    assert measure(*arguments, "--encoding", "shift_jis")[1] == ""
    for wrong in ("utf-8", "hex", "utf-23"):
        error = call_wrongly("measure", *arguments, "--encoding", wrong)
        assert wrong in error


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.bz2", "csv.xz", "csv.zip", "zip"])
@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_separators_and_compressions(ending, sep, iris, clean, tmp_path, measure):
    path = tmp_path / f"iris.{ending}"
    iris.to_csv(path, index=False, sep=sep)
    assert measure(path, "--target", "species") == (clean, "")


@pytest.mark.parametrize(("sep", "ending"), [(";", "csv"), ("\t", "tsv"), (" ", "txt")])
def test_decimal_commas(sep, ending, iris, clean, tmp_path, measure):
    path = tmp_path / f"iris.{ending}"
    iris.to_csv(path, index=False, sep=sep, decimal=",")
    arguments = [path, "--target", "species", "--decimal", ","]
    assert measure(*arguments) == (clean, "")
    X, y = tmp_path / f"X.{ending}", tmp_path / f"y.{ending}"
    how = dict(index=False, sep=sep, decimal=",", header=False)
    iris.drop(columns="species").to_csv(X, **how)
    iris["species"].astype("category").cat.codes.to_csv(y, **how)
    results, notes = measure("--data", X, "--labels", y, "--decimal", ",")
    assert (results["alpha"], results["n_samples"]) == (clean["alpha"], N)
    assert notes == ""


def test_decimal_commas_without_the_option(iris, tmp_path, call_wrongly):
    path = tmp_path / "iris.csv"
    iris.to_csv(path, index=False, sep=";", decimal=",")
    error = call_wrongly("measure", path, "--target", "species")
    assert "'length', 'width', 'Länge', 'Breite' (such as '5,1')" in error
    assert "pass --decimal ," in error
    error = call_wrongly(
        "measure",
        path,
        "--target",
        "length",
        "--drop",
        "species",
        "width",
        "Länge",
        "Breite",
    )
    assert "no feature column is left" in error
    iris[["length"]].assign(n=range(N)).to_csv(path, index=False, sep=";", decimal=",")
    error = call_wrongly("measure", path, "--target", "length")
    assert "target 'length' holds numbers with a decimal comma, such as '5,1'" in error
    text = path.read_text(encoding="utf-8").replace(",0;", ";")  # as Excel writes them
    path.write_text(text, encoding="utf-8")
    error = call_wrongly("measure", path, "--target", "length")
    assert "target 'length' holds numbers with a decimal comma, such as '5,1'" in error


def test_commas_after_thousands(tmp_path, call_wrongly):
    """Which would be decimal ones with ``--decimal``."""
    path = tmp_path / "prices.csv"
    prices = 900 + 1_000 * np.arange(50) ** 2
    frame = pd.DataFrame({"n": np.arange(50) % 7, "price": [f"{p:,}" for p in prices]})
    frame.to_csv(path, index=False)
    for target in ("price", "n"):
        error = call_wrongly("measure", path, "--target", target)
        assert "a thousands separator, " in error
        assert "'1,900'" in error
        assert "remove it; for a decimal comma pass --decimal ," in error


@pytest.mark.parametrize("remark", ["; of Fisher", "; of; Fisher", " | Fisher", "\tx"])
def test_texts_may_hold_separators(remark, iris, clean, tmp_path, measure):
    path = tmp_path / "iris.csv"
    text = iris.assign(species=iris["species"] + remark).to_csv(index=False)
    path.write_text(text, encoding="utf-8")
    results, notes = measure(path, "--target", "species")
    assert (results["alpha"], notes) == (clean["alpha"], "")


def test_archives_of_several_files(iris, clean, tmp_path, measure, call_wrongly):
    path = tmp_path / "iris.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("iris.csv", iris.to_csv(index=False))
        archive.writestr("__MACOSX/._iris.csv", "of a Mac")
    assert measure(path, "--target", "species") == (clean, "")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("README", "about the data")
    error = call_wrongly("measure", path, "--target", "species")
    assert "it holds 2 files ('iris.csv', 'README') instead of one" in error


@pytest.mark.parametrize("ending", ["bz2", "xz", "zip"])
def test_archives_that_are_damaged(ending, iris, tmp_path, call_wrongly):
    path = tmp_path / f"iris.csv.{ending}"
    iris.to_csv(path, index=False)
    for content in (path.read_bytes()[:-50], b"length,species\n1,a\n", b""):
        path.write_bytes(content)
        error = call_wrongly("measure", path, "--target", "species")
        assert f"cannot read {path}" in error


def test_options_of_text_are_refused_elsewhere(tmp_path, call_wrongly):
    for path in (tmp_path / "no.npz", tmp_path / "no.parquet"):
        for option in (["--decimal", ","], ["--encoding", "utf-8"]):
            error = call_wrongly("measure", path, "--target", "y", *option)
            assert "are for text files" in error


# --- cells ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "missing", ["?", "NA", "na", "N/A", "null", "NaN", "#DIV/0!", " ?"]
)
def test_marks_of_missing_values(missing, iris, tmp_path, measure):
    path = tmp_path / "iris.csv"
    iris.loc[[0, 7], "Länge"] = np.nan
    iris.to_csv(path, index=False)
    expected = measure(path, "--target", "species")
    iris.to_csv(path, index=False, na_rep=missing)
    assert measure(path, "--target", "species") == expected
    X, y = tmp_path / "X.csv", tmp_path / "y.csv"  # the first row is no line of names
    iris.drop(columns="species").to_csv(X, index=False, header=False, na_rep=missing)
    iris["species"].to_csv(y, index=False, header=True)
    results, _ = measure("--data", X, "--labels", y)
    assert results["n_samples"] == N
    assert results["alpha"] == expected[0]["alpha"]


def test_spaces_after_separators(iris, clean, tmp_path, measure):
    path = tmp_path / "iris.csv"
    path.write_text(iris.to_csv(index=False).replace(",", ", "), encoding="utf-8")
    assert measure(path, "--target", "species") == (clean, "")


@pytest.mark.parametrize(
    "words", [{1: "True", 0: "False"}, {1: "TRUE", 0: "FALSE"}, {1: "true", 0: "false"}]
)
def test_truth_values_with_gaps(words, iris, tmp_path, measure):
    path = tmp_path / "iris.csv"
    is_large = (iris["length"] > 5.5).astype(float).where(iris.index != 3)
    iris.assign(large=is_large).to_csv(path, index=False)
    expected = measure(path, "--target", "species")
    iris.assign(large=is_large.map(words)).to_csv(path, index=False)
    assert measure(path, "--target", "species") == expected


DAYS = pd.date_range("2020-01-31", periods=N, freq="41h")
DATES = {
    "ISO": "%Y-%m-%d",
    "with the hour": "%Y-%m-%d %H:%M",
    "in UTC": "%Y-%m-%dT%H:%M:%SZ",
    "American": "%m/%d/%Y",
    "British": "%d/%m/%Y",
    "German": "%d.%m.%Y",
    "two digits": "%m/%d/%y",
    "AM and PM": "%m/%d/%Y %I:%M %p",
    "Oracle's": "%d-%b-%y",
    "in words": "%B %d, %Y",
}


@pytest.mark.parametrize("kind", DATES)
def test_dates_are_days(kind, iris, tmp_path, measure):
    path = tmp_path / "iris.csv"
    texts = DAYS.strftime(DATES[kind])
    read = pd.to_datetime(texts.str.removesuffix("Z"), format=DATES[kind].removesuffix("Z"))
    days = pd.Series((read - pd.Timestamp(0)) / pd.Timedelta("1D")).where(iris.index != 5)
    iris.assign(day=days).to_csv(path, index=False)
    expected, _ = measure(path, "--target", "species")
    iris.assign(day=pd.Series(texts).where(iris.index != 5)).to_csv(path, index=False)
    results, notes = measure(path, "--target", "species")
    assert results == expected
    assert f"{path}: column 'day' holds dates, taken as days since 1970-01-01" in notes
    assert f"({texts[-1]} is " in notes
    assert "identifier" not in notes


def test_dates_of_parquet_files(iris, tmp_path, measure):
    pytest.importorskip("pyarrow")
    path = tmp_path / "iris.parquet"
    first = DAYS[0].normalize()
    days = pd.Series((DAYS - pd.Timestamp(0)) / pd.Timedelta("1D")).where(iris.index != 5)
    dates = pd.Series(DAYS).where(iris.index != 5)
    iris.assign(day=days).to_parquet(path)
    expected, _ = measure(path, "--target", "species")
    for column in (dates, dates.dt.tz_localize("UTC")):
        iris.assign(day=column).to_parquet(path)
        results, notes = measure(path, "--target", "species")
        assert results == expected
        assert "days since 1970-01-01" in notes
    iris.assign(day=dates.dt.date).to_parquet(path)
    results, notes = measure(path, "--target", "species")
    assert results["n_features"] == 5
    assert "(2020-10-11 is 18546)" in notes
    iris.assign(day=DAYS - first).to_parquet(path)
    assert "'day' holds durations, taken in days" in measure(path, "--target", "species")[1]


def test_a_target_of_dates_is_a_number(iris, tmp_path, measure, call_wrongly):
    path = tmp_path / "iris.csv"
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(iris["length"].round(), unit="D")
    frame = iris.drop(columns=["species", "length"])
    frame.assign(y=iris["length"].round() + 18262.0).to_csv(path, index=False)
    expected, _ = measure(path, "--target", "y", "--task", "regression")
    frame.assign(y=days.astype(str)).to_csv(path, index=False)
    results, notes = measure(path, "--target", "y")
    assert results == expected
    assert "'y' holds dates" in notes
    frame.assign(y=days.where(iris.index != 3)).to_csv(path, index=False)
    assert "'y' is missing" in call_wrongly("measure", path, "--target", "y")


@pytest.mark.parametrize("words", [("May", "now"), ("1.2.3", "1.10.0"), ("sat", "10 am")])
def test_words_are_categories_and_no_dates(words, iris, tmp_path, measure):
    path = tmp_path / "iris.csv"
    iris.assign(word=np.where(iris["Länge"] < 2, *words)).to_csv(path, index=False)
    results, notes = measure(path, "--target", "species")
    assert notes == f"{path}: column 'word' taken as categories."
    assert results["n_features"] == 5


def test_texts_of_few_values_are_categories(tmp_path, call, measure, call_wrongly):
    path, page = tmp_path / "rents.csv", tmp_path / "rents.html"
    rng = np.random.RandomState(0)
    town = rng.choice(["Ulm", "Bonn", "Kiel", "Hof", "Trier", "Jena"], 600).astype(object)
    size = rng.uniform(20, 200, 600)
    rent = size * np.where(np.isin(town, ["Bonn", "Jena"]), 15, 10) + 0.5
    town[3] = None
    frame = pd.DataFrame({"size": size, "town": town, "rent": rent})
    frame.to_csv(path, index=False)
    results, notes = measure(path, "--target", "rent", "--held-out", 0.3)
    assert notes == f"{path}: column 'town' taken as categories."
    assert results["explained"] > 0.95
    assert results["held_out_score"] > 0
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    X = frame[["size", "town"]].astype({"town": "category"})
    expected = estimator.fit(X, rent).alpha_
    assert measure(path, "--target", "rent")[0]["alpha"] == pytest.approx(expected)
    options = ["--target", "rent", "--trees", 2, "--quiet"]
    assert call("report", path, *options, "--brief", "--output", page)[0] == 0
    assert "taken as categories" in page.read_text("utf-8")
    if importlib.util.find_spec("pyarrow"):
        kept = path.with_suffix(".parquet")
        X.assign(rent=rent).to_parquet(kept)
        assert measure(kept, "--target", "rent")[0]["alpha"] == pytest.approx(expected)
    frame.assign(town=[f"town {place}" for place in range(600)]).to_csv(path, index=False)
    assert "in column 'town'" in call_wrongly("measure", path, "--target", "rent")
    frame[["town", "rent"]].to_csv(path, index=False)  # and nothing else
    assert measure(path, "--target", "rent")[0]["n_features"] == 1


def test_dates_of_arrays_are_days(iris, tmp_path, measure, call_wrongly):
    path = tmp_path / "iris.npz"
    days = DAYS.to_numpy().copy()
    number = (days - np.datetime64(0, "s")) / np.timedelta64(1, "D")
    X, y = iris[["length", "width"]].to_numpy(), iris["species"].factorize()[0]
    np.savez(path, X=number[:, None], y=y)
    expected, _ = measure(path)
    np.savez(path, X=days[:, None], y=y)
    results, notes = measure(path)
    assert results == expected
    assert "'X[0]' holds dates" in notes
    np.savez(path, X=X, y=number)
    expected, _ = measure(path)
    np.savez(path, X=X, y=days)
    results, notes = measure(path)
    assert results == expected
    assert "'y' holds dates" in notes
    days[3] = "NaT"
    np.savez(path, X=X, y=days)
    assert "'y' is missing" in call_wrongly("measure", path)


def test_decimals_of_parquet_files_are_numbers(iris, clean, tmp_path, measure):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "iris.parquet"
    table = pyarrow.Table.from_pandas(iris, preserve_index=False)
    exact = table["length"].cast(pyarrow.decimal128(6, 2), safe=False)
    parquet.write_table(table.set_column(0, "length", exact), path)
    assert measure(path, "--target", "species") == (clean, "")
    results, _ = measure(path, "--target", "length", "--drop", "species")
    assert results["task"] == "regression"


def test_a_table_that_names_a_column_twice(tmp_path, call_wrongly):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table([[1.0] * 9, [2.0] * 9, [0, 1, 2] * 3], names=["a", "a", "y"])
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    (tmp_path / "twice.parquet").write_bytes(sink.getvalue())
    error = call_wrongly("measure", tmp_path / "twice.parquet", "--target", "y")
    assert "column 'a' occurs more than once" in error or "cannot read" in error


# --- targets -------------------------------------------------------------------------


@pytest.fixture
def prices(tmp_path):
    """Write whole numbers of many values, which are no classes."""
    rng = np.random.RandomState(0)
    size, noise = rng.gamma(2, size=(2, 900))
    price = np.rint(1000 * size + 100 * noise).astype(int)
    frame = pd.DataFrame({"size": size, "noise": noise, "price": price})
    frame.to_csv(tmp_path / "prices.csv", index=False)
    frame.assign(price=price.astype(float)).to_csv(tmp_path / "floats.csv", index=False)
    return tmp_path / "prices.csv"


def test_prices_are_numbers(prices, call, call_json, measure):
    expected, _ = measure(prices.with_name("floats.csv"), "--target", "price")
    assert expected["task"] == "regression"
    options = [prices, "--target", "price"]
    results, notes = measure(*options)
    assert (results, notes) == (expected, "")
    (warning,) = call_json(*options, "--trees", 2)["warnings"]
    assert warning["category"] == "TargetTypeWarning"
    assert "--task classification" in warning["message"]
    # Before the fit, which may take long.
    code, out, err = call("measure", *options, "--trees", 2)
    assert code == 0
    assert err.startswith(f"sksmooth: {prices}, target 'price', taken as numbers")
    assert "--task" in err.splitlines()[0]
    assert "TargetTypeWarning: y holds" in out
    assert measure(*options, "--held-out", 0.3)[0]["task"] == "regression"


def test_what_the_user_tells_is_not_asked(prices, call, call_wrongly, measure):
    options = [prices, "--target", "price"]
    regression = ["--task", "regression"]
    expected, _ = measure(prices.with_name("floats.csv"), "--target", "price")
    assert measure(*options, *regression)[0] == expected
    _, out, err = call("measure", *options, *regression, "--trees", 2)
    assert "TargetTypeWarning" not in out
    assert "taken as" not in err
    error = call_wrongly("measure", *options, "--task", "classification")
    assert "prices.csv, target 'price': y holds" in error
    assert "--task regression" in error


def test_many_classes_are_refused_before_they_take_memory(
    prices, call_wrongly, monkeypatch
):
    monkeypatch.setenv("SKSMOOTH_MAX_GIGABYTES", "0.001")
    frame = pd.read_csv(prices).assign(price=np.arange(900) // 9 * 1009)
    frame.to_csv(prices, index=False)
    options = ["--target", "price", "--task", "classification"]
    error = call_wrongly("measure", prices, *options)
    assert "100 classes in 900 samples" in error
    assert "GB of memory" in error


def test_many_classes_that_the_user_tells(prices, measure):
    frame = pd.read_csv(prices).assign(price=np.arange(900) // 3 * 1009)
    frame.to_csv(prices, index=False)
    assert measure(prices, "--target", "price")[0]["task"] == "regression"
    results, _ = measure(prices, "--target", "price", "--task", "classification")
    assert (results["task"], results["n_classes"]) == ("classification", 300)


def test_refusals_name_the_file_and_the_target(iris, tmp_path, call_wrongly):
    path = tmp_path / "iris.csv"
    iris.assign(species="one").to_csv(path, index=False)
    error = call_wrongly("measure", path, "--target", "species")
    assert f"{path}, target 'species': y holds one class only" in error
    error = call_wrongly("measure", path, "--target", "species", "--task", "regression")
    assert f"{path}, target 'species': --task regression needs numbers" in error
    X, Y = tmp_path / "X.csv", tmp_path / "Y.csv"
    iris[["length", "width"]].to_csv(X, index=False)
    iris[["Länge", "Breite"]].to_csv(Y, index=False)
    options = ["--data", X, "--labels", Y, "--task", "classification"]
    error = call_wrongly("measure", *options)
    assert f"{X} + {Y}, target 'Länge', 'Breite': --task classification" in error
