"""python -m sksmooth compare: the values of the Python call, and one line for mistakes."""

import sys

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sksmooth import BesovSmoothnessEstimator, compare_representations

LENGTHS = ["petal length (cm)", "sepal length (cm)"]


@pytest.fixture
def samples(iris):
    """Flowers with names and meadows, in a mixed order."""
    frame = iris.sample(frac=1, random_state=0).reset_index(drop=True)
    frame["flower"] = [f"f{k:03}" for k in range(len(frame))]
    frame["meadow"] = np.arange(len(frame)) % 12
    return frame


@pytest.fixture
def folder(samples, tmp_path):
    """Write the sepals, with their labels, and the petals, without."""
    is_petal = samples.columns.str.startswith("petal")
    samples.loc[:, ~is_petal].to_csv(tmp_path / "sepals.csv", index=False)
    petals = samples.loc[:, is_petal | (samples.columns == "flower")]
    petals.to_csv(tmp_path / "petals.csv", index=False)
    return tmp_path


@pytest.fixture
def call_json(call, strict_json):
    def run(*arguments):
        code, out, err = call("compare", *arguments, "--json")
        assert (code, err) == (0, "")
        return strict_json(out)

    return run


def parts_of(samples):
    names = {part: samples.columns.str.startswith(part) for part in ("sepal", "petal")}
    return {f"{part}s": samples.loc[:, mask].to_numpy() for part, mask in names.items()}


def assert_same(results, table):
    """Compare with the table of the Python call, apart from times."""
    found = pd.DataFrame(results["representations"]).drop(columns="seconds")
    found = found.replace("Infinity", np.inf)
    expected = table.ranked().frame.drop(columns="seconds")
    assert_frame_equal(found, expected, check_dtype=False, rtol=1e-9, atol=1e-9)


# --- files ---------------------------------------------------------------------------


def test_files_have_the_values_of_the_python_call(samples, folder, call_json):
    files = [folder / "sepals.csv", folder / "petals.csv"]
    drop = ["--drop", "flower", "meadow"]
    results = call_json(*files, "--target", "species", *drop)
    y = samples["species"].to_numpy()
    table = compare_representations(parts_of(samples), y=y, random_state=0)
    assert_same(results, table)
    assert results["best"] == table.best_ == "petals"
    assert results["targets"] == {"species": "classification"}
    assert results["files"] == {"sepals": str(files[0]), "petals": str(files[1])}
    assert results["in_words"][0].startswith("'petals' is the smoothest")


def test_a_copy_of_the_labels_among_the_features_is_pointed_out(samples, tmp_path, call):
    y = samples["species"].astype("category").cat.codes.to_numpy()
    np.save(tmp_path / "y.npy", y)
    numbers = samples.select_dtypes("number").drop(columns="meadow")
    numbers.to_csv(tmp_path / "sound.csv", index=False)
    numbers.assign(kind=y).to_csv(tmp_path / "copied.csv", index=False)
    files = [tmp_path / "sound.csv", tmp_path / "copied.csv"]
    code, out, _ = call("compare", *files, "--labels", tmp_path / "y.npy")
    assert code == 0
    assert out.count("equals the labels") == 1
    assert "copied.csv: column 'kind' equals the labels and is a feature; leave" in out
    assert "--drop kind" in out


@pytest.mark.parametrize(
    "drop", [["flower", "meadow"], ["flower,meadow"], ["fl*", "meadow"], ["meadow,fl*"]]
)
def test_columns_are_dropped_by_the_names_that_choose_them(folder, call_json, drop):
    files = [folder / "sepals.csv", folder / "petals.csv"]
    results = call_json(*files, "--target", "species", "--drop", *drop)
    assert [each["n_features"] for each in results["representations"]] == [2, 2]


def test_labels_that_differ_after_joining_are_not_to_be_joined(
    samples, folder, call_wrongly
):
    path = folder / "others.csv"
    samples[["flower", "petal length (cm)"]].assign(meadow=7).to_csv(path, index=False)
    options = [folder / "sepals.csv", path, "--target", "species", "--groups", "meadow"]
    error = call_wrongly("compare", *options, "--drop", "flower")
    assert "differ in column 'meadow'" in error
    assert "--id NAME" in error
    error = call_wrongly("compare", *options, "--id", "flower")
    assert "differ in column 'meadow'" in error
    assert "--id" not in error


def test_options_reach_the_python_call(samples, folder, call_json):
    files = [f"small={folder / 'sepals.csv'}", f"large={folder / 'petals.csv'}"]
    options = ["--cv", 3, "--groups", "meadow", "--baseline", "small", "--trees", 3]
    options += ["--max-depth", 5, "--confidence", 0.9, "--random-state", 7]
    options += ["--index", "weak-lp", "--jobs", 2, "--drop", "flower"]
    results = call_json(*files, "--target", "species", *options)
    estimator = BesovSmoothnessEstimator(
        3, max_depth=5, confidence_level=0.9, index="weak-lp"
    )
    sepals, petals = parts_of(samples).values()
    table = compare_representations(
        {"small": sepals, "large": petals},
        y=samples["species"].to_numpy(),
        estimator=estimator,
        cv=3,
        groups=samples["meadow"],
        baseline="small",
        random_state=7,
    )
    assert_same(results, table)


def test_rows_are_joined_by_an_identifier(samples, folder, call_json, call_wrongly):
    petals = pd.read_csv(folder / "petals.csv")
    petals.sample(frac=1, random_state=1).to_csv(folder / "petals.csv", index=False)
    files = [folder / "sepals.csv", folder / "petals.csv", "--target", "species"]
    drop = ["--drop", "meadow"]
    error = call_wrongly("compare", *files, *drop)
    assert "hold the same 'flower' in different orders" in error
    assert "--id flower" in error
    table = compare_representations(
        parts_of(samples), y=samples["species"].to_numpy(), random_state=0
    )
    assert_same(call_json(*files, *drop, "--id", "flower"), table)


@pytest.mark.parametrize("kind", ["number", "text and number"])
def test_identifiers_may_be_numbers(kind, samples, tmp_path, call_json):
    samples["flower"] = np.random.default_rng(0).permutation(len(samples))
    sepals, petals = samples.iloc[:, [0, 1, 4, 5]], samples.iloc[:, [2, 3, 5]]
    sepals.to_csv(tmp_path / "sepals.csv", index=False)
    petals = petals.sample(frac=1, random_state=1)
    if kind != "number":
        pytest.importorskip("pyarrow")
        petals = petals.astype({"flower": str})
    path = tmp_path / ("petals.csv" if kind == "number" else "petals.parquet")
    petals.to_csv(path, index=False) if kind == "number" else petals.to_parquet(path)
    results = call_json(
        tmp_path / "sepals.csv", path, "--target", "species", "--id", "flower"
    )
    table = compare_representations(
        parts_of(samples), y=samples["species"].to_numpy(), random_state=0
    )
    assert_same(results, table)


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (lambda f: f[3:], ["petals.csv lacks 3 of the rows of", "'f000', 'f001', 'f002'"]),
        (
            lambda f: pd.concat([f, f[:1].assign(flower="new")]),
            ["sepals.csv lacks 1 of the rows of", "'new'"],
        ),
        (lambda f: pd.concat([f, f[:1]]), ["'flower' is not unique: 'f000'"]),
        (lambda f: f.assign(flower=[None, *f["flower"][1:]]), ["is empty in 1 of 150"]),
        (lambda f: f.drop(columns="flower"), ["petals.csv: --id: no column 'flower'"]),
    ],
)
def test_rows_that_cannot_be_joined(change, problems, folder, call_wrongly):
    change(pd.read_csv(folder / "petals.csv")).to_csv(folder / "petals.csv", index=False)
    files = [folder / "sepals.csv", folder / "petals.csv"]
    error = call_wrongly("compare", *files, "--target", "species", "--id", "flower")
    assert all(problem in error for problem in problems)


def test_labels_in_several_files_must_agree(samples, folder, call_json, call_wrongly):
    files = [folder / "sepals.csv", folder / "petals.csv"]
    arguments = [*files, "--target", "species", "--drop", "flower", "meadow"]
    petals = pd.read_csv(folder / "petals.csv").assign(species=samples["species"])
    petals.to_csv(files[1], index=False)
    assert {row["n_features"] for row in call_json(*arguments)["representations"]} == {2}
    petals["species"] = petals["species"].to_list()[::-1]
    petals.to_csv(files[1], index=False)
    error = call_wrongly("compare", *arguments)
    assert "sepals.csv and " in error
    assert "differ in column 'species'" in error


@pytest.mark.parametrize("has_names", [True, False])
def test_labels_in_a_file_of_their_own(has_names, samples, tmp_path, call_json):
    parts = parts_of(samples)
    how = dict(index=False, header=has_names)
    for name, X in parts.items():
        pd.DataFrame(X, columns=["p", "q"]).to_csv(tmp_path / f"{name}.csv", **how)
    codes = pd.factorize(samples["species"])[0]
    pd.DataFrame({"kind": codes}).to_csv(tmp_path / "labels.csv", **how)
    files = [tmp_path / f"{name}.csv" for name in parts]
    results = call_json(*files, "--labels", tmp_path / "labels.csv")
    assert_same(results, compare_representations(parts, y=codes, random_state=0))
    assert results["targets"] == {"kind" if has_names else "y0": "classification"}
    assert results["labels_file"] == str(tmp_path / "labels.csv")


def test_archives_hold_features_and_labels(samples, tmp_path, call_json, call_wrongly):
    parts, y = parts_of(samples), pd.factorize(samples["species"])[0]
    np.savez(tmp_path / "sepals.npz", X=parts["sepals"], y=y)
    np.savez(tmp_path / "petals.npz", X=parts["petals"].reshape(-1, 2, 1))
    files = [tmp_path / "sepals.npz", tmp_path / "petals.npz"]
    table = compare_representations(parts, y=y, random_state=0)
    assert_same(call_json(*files), table)
    np.savez(files[1], Z=parts["petals"])
    assert "no array 'X' of features" in call_wrongly("compare", *files)
    np.savez(files[1], X=parts["petals"][1:])
    assert "has 150 rows but" in call_wrongly("compare", *files)
    np.savez(files[1], X=parts["petals"], y=parts["petals"])
    assert "not one value per sample" in call_wrongly("compare", *files)


def test_compressed_files_are_called_by_their_stem(folder, call_json):
    for name in ("sepals", "petals"):
        frame = pd.read_csv(folder / f"{name}.csv").drop(columns="flower")
        frame.to_csv(folder / f"{name}.v2.csv.gz", index=False)
    files = [folder / "sepals.v2.csv.gz", folder / "petals.v2.csv.gz"]
    assert list(call_json(*files, "--target", "species")["files"]) == [
        "sepals.v2",
        "petals.v2",
    ]


# --- sets of columns -----------------------------------------------------------------


def test_sets_of_columns_and_the_whole(iris, tmp_path, call_json):
    iris.to_csv(tmp_path / "iris.csv", index=False)
    sets = ["--set", "petals=petal*", "--set", f"lengths={','.join(LENGTHS)}"]
    results = call_json(tmp_path / "iris.csv", "--target", "species", *sets)
    X = iris.drop(columns="species")
    parts = {"all": X, "petals": X.iloc[:, 2:], "lengths": X[LENGTHS]}
    parts = {name: part.to_numpy() for name, part in parts.items()}
    table = compare_representations(parts, y=iris["species"].to_numpy(), random_state=0)
    assert_same(results, table)


def test_sets_may_hold_categories(iris, tmp_path, call_json):
    iris["place"] = np.where(iris["species"] == "setosa", "hill", "meadow")
    iris.to_csv(tmp_path / "iris.csv", index=False)
    sets = ["--set", "width=sepal width (cm)", "--set", "place=place"]
    results = call_json(tmp_path / "iris.csv", "--target", "species", *sets)
    n_features = {r["representation"]: r["n_features"] for r in results["representations"]}
    assert n_features == {"all": 5, "width": 1, "place": 1}
    assert any("taken as categories" in note["message"] for note in results["warnings"])


def test_a_column_whose_name_has_commas_or_wildcards_is_one(iris, tmp_path, call_json):
    iris.columns = ["a,b", "a", "b*", "bc", "species"]
    iris.to_csv(tmp_path / "iris.csv", index=False)
    sets = ["--set", "comma=a,b", "--set", "star=b*", "--set", "both=b?,a"]
    results = call_json(tmp_path / "iris.csv", "--target", "species", *sets)
    n_features = {r["representation"]: r["n_features"] for r in results["representations"]}
    assert n_features == {"all": 4, "comma": 1, "star": 1, "both": 3}


# --- several targets -----------------------------------------------------------------


@pytest.mark.parametrize(
    "targets", [["--target", "kind", "--target", "size"], ["--target", "kind,size"]]
)
def test_several_targets_are_a_profile(targets, samples, folder, call_json):
    sepals = pd.read_csv(folder / "sepals.csv").drop(
        columns=["flower", "meadow", "species"]
    )
    kind = pd.Series(pd.factorize(samples["species"])[0], dtype=object)
    kind[:9] = None  # a gap, so that whole numbers are read as 1.0
    size = samples["sepal length (cm)"] + samples["petal length (cm)"]
    sepals.assign(kind=kind, size=size).to_csv(folder / "sepals.csv", index=False)
    files = [folder / "sepals.csv", folder / "petals.csv", "--drop", "flower"]
    results = call_json(*files, *targets)
    y = {"kind": kind.to_numpy(), "size": size.to_numpy()}
    table = compare_representations(parts_of(samples), y=y, random_state=0)
    assert_same(results, table)
    assert results["targets"] == {"kind": "classification", "size": "regression"}
    assert results["best"] is None
    assert [row["representation"] for row in results["summary"]] == ["petals", "sepals"]
    numbers = call_json(*files, *targets, "--task", "regression")
    assert numbers["targets"] == {"kind": "regression", "size": "regression"}


# --- for people ----------------------------------------------------------------------


def test_the_table_is_narrow_and_the_best_come_first(samples, folder, call):
    long = "a representation with a name that is longer than the table has room for"
    files = [f"{long}={folder / 'petals.csv'}", f"worst={folder / 'sepals.csv'}"]
    options = ["--target", "species", "--drop", "flower", "meadow", "--quiet"]
    code, out, err = call("compare", *files, f"again={folder / 'petals.csv'}", *options)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    head, name, best, tied, worst = lines[:5]
    columns = (
        "representation features explained alpha roughness held-out [interval] to best"
    )
    assert head.split() == columns.split()
    assert name == long
    assert best.split()[0] == "2"
    assert best.endswith("best")
    assert tied.startswith("again")
    assert tied.endswith("0.000 =")
    assert worst.startswith("worst")
    assert not worst.endswith("=")
    assert "= tied with the best" in lines
    assert f"'{long}' is the smoothest" in " ".join(line.strip() for line in lines)
    assert out.isascii()


def test_the_table_of_several_targets(samples, folder, call):
    files = [folder / "sepals.csv", folder / "petals.csv", "--drop", "flower"]
    code, out, _ = call(
        "compare", *files, "--target", "species,meadow", "--baseline", "sepals"
    )
    assert code == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.startswith("target ")] == [
        "target species",
        "target meadow",
    ]
    assert sum(line.startswith("to the baseline") for line in lines) == 2
    (summary,) = (k for k, line in enumerate(lines) if line.startswith("over all targets"))
    assert {line.split()[0] for line in lines[summary + 1 : summary + 3]} == {
        "sepals",
        "petals",
    }


@pytest.mark.parametrize("target", ["species", "species,meadow"])
def test_picture_and_report(target, folder, call_json):
    pytest.importorskip("matplotlib")
    files = [folder / "sepals.csv", folder / "petals.csv", "--drop", "flower"]
    paths = {"plot": folder / "out.png", "report": folder / "out.html"}
    options = [text for name, path in paths.items() for text in (f"--{name}", path)]
    results = call_json(*files, "--target", target, *options)
    assert paths["plot"].read_bytes().startswith(b"\x89PNG")
    page = paths["report"].read_text(encoding="utf-8")
    assert "sepals" in page
    assert len(page) < 1_000_000
    assert (results["plot"], results["report"]) == tuple(map(str, paths.values()))


# --- mistakes ------------------------------------------------------------------------

TWO = ["sepals.csv", "petals.csv"]


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        ([], ["no data", "--set NAME=COLUMNS"]),
        (["sepals.csv"], ["alone is only one representation", "--set"]),
        ([*TWO, "--set", "a=b"], ["--set takes columns of one FILE"]),
        (TWO, ["--target COLUMN", "'species'"]),
        ([*TWO, "--target", "specis"], ["no column 'specis'", "did you mean 'species'?"]),
        (["sepals.csv", "sepals.csv"], ["called 'sepals'", "NAME=FILE"]),
        (["sepals.csv", "=petals.csv"], ["pass NAME=FILE"]),
        (["sepals.csv", "missing.csv", "--target", "species"], ["No such file"]),
        ([*TWO, "--target", "species"], ["text, not numbers", "'flower'", "--drop flower"]),
        ([*TWO, "--target", "species", "--drop", "colour"], ["no column 'colour'"]),
        ([*TWO, "--target", "species", "--groups", "field"], ["no column 'field'"]),
        ([*TWO, "--target", "species", "--baseline", "raw"], ["baseline='raw'"]),
        (
            [*TWO, "--target", "species", "--index", "sparsity-probe"],
            ["index='sparsity-probe'", "species"],
        ),
        ([*TWO, "--target", "species", "--cv", "1"], ["--cv"]),
        ([*TWO, "--target", "species", "--cv", "200"], ["each of 200 folds"]),
        ([*TWO, "--target", "species", "--trees", "0"], ["n_estimators"]),
        ([*TWO, "--target", "species", "--task", "regression"], ["holds text"]),
        ([*TWO, "--target", "species", "--plot", "out.bmp"], [".png"]),
        ([*TWO, "--target", "species", "--report", "out.txt"], [".html"]),
        (["sepals.csv", "--target", "species", "--set", "a"], ["pass NAME=COLUMNS"]),
        (["sepals.csv", "--target", "species", "--set", "all=meadow"], ["the whole file"]),
        (["sepals.csv", "--target", "species", "--set", "a=x*"], ["no column 'x*'"]),
        (
            ["sepals.csv", "--target", "species", "--set", "a=species"],
            ["no column 'species'"],
        ),
    ],
)
def test_mistakes_take_one_line(arguments, problems, folder, call_wrongly, monkeypatch):
    monkeypatch.chdir(folder)
    drops_text = {"species", "--drop"} & set(arguments) == {"species"}
    if drops_text and "text, not numbers" not in problems:
        arguments = [*arguments, "--drop", "flower"]
    error = call_wrongly("compare", *arguments)
    assert all(problem in error for problem in problems)


def test_files_of_different_length(folder, call_wrongly):
    petals = pd.read_csv(folder / "petals.csv")[1:]
    petals.to_csv(folder / "petals.csv", index=False)
    files = [folder / "sepals.csv", folder / "petals.csv"]
    error = call_wrongly("compare", *files, "--target", "species")
    assert "has 150 rows but" in error
    assert "--id flower" in error


def test_labels_and_groups_with_gaps(samples, folder, call_wrongly):
    files = [folder / "sepals.csv", folder / "petals.csv", "--drop", "flower"]
    sepals = pd.read_csv(folder / "sepals.csv")
    sepals.loc[:1, "species"] = None
    sepals.to_csv(files[0], index=False)
    error = call_wrongly("compare", *files, "--target", "species")
    assert "'species' is missing (empty or NaN) in 2 of 150" in error
    sepals["species"] = samples["species"]
    sepals["meadow"] = sepals["meadow"].where(sepals["meadow"] > 0)
    sepals.to_csv(files[0], index=False)
    error = call_wrongly("compare", *files, "--target", "species", "--groups", "meadow")
    assert "the group 'meadow' is missing" in error


def test_molecules_as_text_are_refused_with_what_to_do(samples, folder, call_wrongly):
    chains = ["C" * (k + 1) + "(=O)O" for k in range(len(samples))]
    pd.DataFrame({"smiles": chains}).to_csv(folder / "raw.csv", index=False)
    files = [folder / "sepals.csv", folder / "raw.csv", "--drop", "flower"]
    error = call_wrongly("compare", *files, "--target", "species")
    assert "raw.csv: text, not numbers, in column 'smiles'" in error
    assert "fingerprints" in error
    assert "--drop smiles" in error


def test_missing_extras_are_named(folder, call_wrongly, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for option, name in (("--plot", "out.png"), ("--report", "out.html")):
        error = call_wrongly("compare", "never_read.csv", option, folder / name)
        assert f"{option} needs matplotlib" in error
        assert "pip install matplotlib" in error
