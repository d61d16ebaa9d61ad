"""Tables of molecules and activities, as databases give them."""

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.SmoothnessWarning")

N = 40


@pytest.fixture
def table():
    bits = np.random.RandomState(0).uniform(size=(N, 8)) < 0.4
    frame = pd.DataFrame(bits.astype(int)).add_prefix("bit")
    return frame.assign(activity=bits[:, :3].sum(axis=1) + np.arange(N) / 100)


@pytest.fixture
def measure_wrongly(tmp_path, call_wrongly):
    def run(frame):
        frame.to_csv(tmp_path / "assay.csv", index=False)
        return call_wrongly("measure", tmp_path / "assay.csv", "--target", "activity")

    return run


def test_molecules_are_told_how_they_become_features(table, measure_wrongly):
    table["smiles"] = ["C" * (k + 1) + "O" for k in range(N)]
    error = measure_wrongly(table)
    assert "column 'smiles' holds molecules (SMILES)" in error
    assert "ECFPFingerprint().transform(smiles)" in error
    assert "--drop smiles" in error


def test_other_text_is_none(table, measure_wrongly):
    table["name"] = [f"compound {k}" for k in range(N)]
    assert "molecules" not in measure_wrongly(table)


def test_censored_activities_are_counted(table, measure_wrongly):
    table["activity"] = table.activity.astype(str)
    table.loc[[5, 9], "activity"] = [">10", "<1"]
    error = measure_wrongly(table)
    assert "'activity': y holds censored values" in error
    assert "(2 of 40, the first '>10' in row 5)" in error
    assert "Remove those rows from the file" in error
    assert "pd." not in error


def test_activities_with_units_are_no_classes(table, measure_wrongly):
    table["activity"] = table.activity.map("{:.2f} nM".format)
    assert "y holds numbers with units" in measure_wrongly(table)


def test_missing_activities_are_counted(table, measure_wrongly):
    table.loc[3, "activity"] = np.nan
    assert "missing (empty or NaN) in 1 of 40 rows" in measure_wrongly(table)


def test_infinite_descriptors_are_named(table, measure_wrongly):
    table["logP"] = np.where(np.arange(N) == 7, np.inf, 1.0)
    assert "infinity in 1 of 40 rows, column 'logP'" in measure_wrongly(table)


def test_three_values_say_what_they_are_taken_for(table, tmp_path, call_json):
    table["activity"] = np.digitize(table.activity, [1, 2]) + 4.0
    table.to_csv(tmp_path / "assay.csv", index=False)
    results = call_json(tmp_path / "assay.csv", "--target", "activity")
    assert results["task"] == "regression"
    messages = [each["message"] for each in results["warnings"]]
    assert any("taken as regression targets" in message for message in messages)
