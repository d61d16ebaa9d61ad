"""The table of layers: it reads like a data frame, and one list makes its columns."""

import copy
import dataclasses
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sksmooth import BesovSmoothnessEstimator, LayerComparison, compare_layers
from sksmooth.estimators.probes import PROBES, TargetKind, probe
from sksmooth.networks.columns import COLUMNS, REFERENCE, Column, column_help, columns_of
from sksmooth.networks.table import layers_html
from sksmooth.networks.words import in_words


def make_frame(n=3, **changes):
    alpha = np.linspace(0.1, 0.4, n)
    columns = {column.name: 0.01 for column in COLUMNS} | {
        "layer": [f"layer {k}" for k in range(n)],
        "type": "Linear + ReLU",
        "n_features": 64,
        "alpha": alpha,
        "alpha_low": alpha - 0.05,
        "alpha_high": alpha + 0.05,
        "difference": np.nan,
        "difference_low": -0.2,
        "difference_high": -0.1,
        "loses_smoothness": np.arange(n) == 1,
        "gains": False,
        "gains_nothing": False,
        "noise": 0.2,
        "noise_high": 0.3,
        "noise_is_bound": np.arange(n) == 2,
        "seconds": 0.123,
        "cautions": "",
    }
    return pd.DataFrame(columns | changes)


# --- it reads like a data frame ------------------------------------------------------


def test_what_a_data_frame_answers_is_answered_by_the_table():
    frame = make_frame()
    table = LayerComparison(frame)
    assert table.frame is frame
    assert len(table) == 3
    assert list(table) == list(table.columns) == list(frame)
    assert "alpha" in table
    assert "step" not in table
    assert repr(table) == repr(frame)
    assert table.loc[1, "alpha"] == table["alpha"][1] == frame["alpha"][1]
    assert_frame_equal(table[["layer", "alpha"]], frame[["layer", "alpha"]])
    assert_frame_equal(table.query("loses_smoothness"), frame[frame["loses_smoothness"]])
    assert table.to_html() == frame.to_html()
    for wrong in (np.asarray, pd.DataFrame, bool):  # would lose names, or be ambiguous
        with pytest.raises((TypeError, ValueError), match=r"table\.frame|ambiguous"):
            wrong(table)
    with pytest.raises(TypeError, match="Expected a DataFrame"):
        LayerComparison({"alpha": [0.1]})
    assert {"loc", "query", "to_frame"} < set(dir(table))


def test_to_frame_is_a_copy():
    table = LayerComparison(make_frame())
    changed = table.to_frame()
    changed["alpha"] = 0.0
    assert (table["alpha"] > 0).all()


def test_the_table_is_frozen():
    table = LayerComparison(make_frame())
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.frame = make_frame()
    with pytest.raises(TypeError):
        table["alpha"] = 0.0


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda table: pickle.loads(pickle.dumps(table))]
)
def test_tables_are_copied_and_pickled(copied):
    table = LayerComparison(make_frame())
    again = copied(table)
    assert type(again) is LayerComparison
    assert_frame_equal(again.frame, table.frame)


def test_unknown_and_private_names_are_no_attributes():
    table = LayerComparison(make_frame())
    for name in ("no_such_name", "_mgr", "__dataframe__"):
        with pytest.raises(AttributeError, match=name):
            getattr(table, name)


# --- how it is shown -----------------------------------------------------------------


def spaced(page):
    """A page with common spaces for those at which no line ends."""
    return page.replace("\N{NO-BREAK SPACE}", " ")


def test_notebooks_show_bars_and_marks():
    page = spaced(LayerComparison(make_frame())._repr_html_())
    assert page.count('role="img"') == 3
    assert page.count("sksmooth-bar sksmooth-loss") == 1
    assert page.count("▼ loses smoothness") == 1
    assert "0.100 [0.050, 0.150]" in page
    for within in ("alpha_low", "explained_high", "noise_is_bound"):
        assert f">{within}<" not in page  # shown within other cells
    assert page.count(">0.200 [0.010, 0.300]<") == 2
    assert page.count(">\N{LESS-THAN OR EQUAL TO} 0.200 [0.010, 0.300]<") == 1
    assert ">0.1</td>" in page  # seconds


def test_all_marks_of_a_layer_are_shown():
    marks = dict(gains_nothing=np.arange(3) < 2, loses_to_reference=np.arange(3) == 1)
    page = LayerComparison(make_frame(**marks))._repr_html_()
    assert page.count("sksmooth-bar sksmooth-loss") == 2
    assert page.count("▼ gains nothing") == 2
    assert page.count("▼ loses smoothness") == page.count("▼ loses to reference") == 1
    assert ">gains_nothing<" not in page
    assert "▼ gains nothing" not in LayerComparison(make_frame())._repr_html_()


def test_numbers_are_shown_with_their_signs_and_gaps():
    frame = make_frame(
        difference=[np.nan, 0.1, -0.1],
        difference_low=[np.nan, -0.2, -np.inf],
        alpha=[np.nan, 0.5, 1],
        alpha_high=[np.nan, np.inf, 1.2],
        signal_alpha=[0.3, np.inf, 1],
        noise=np.nan,
        p_value=0.01234,
        n_relevant=2.345,
    )
    page = spaced(layers_html(frame, 10))
    assert "+0.100 [\N{MINUS SIGN}0.200, \N{MINUS SIGN}0.100]" in page
    assert "\N{MINUS SIGN}0.100 [\N{MINUS SIGN}∞, \N{MINUS SIGN}0.100]" in page
    assert "0.500 [0.200, ∞]" in page
    assert ">∞ [" in page
    assert "\N{EN DASH}</td>" in page
    assert "\N{LESS-THAN OR EQUAL TO}" not in page  # than what is not known
    assert ">0.0123</td>" in page
    assert ">2.3</td>" in page


def test_a_column_without_those_of_its_interval_is_shown_alone():
    frame = make_frame(explained=0.75).drop(columns=["explained_low", "noise_is_bound"])
    page = LayerComparison(frame)._repr_html_()
    assert page.count('role="img"') == 3
    assert page.count(">0.750</td>") == 3
    assert page.count(">0.200</td>") == 3


def test_names_are_escaped():
    page = layers_html(make_frame(layer=["<b>", "a\u202eb", "&"]), 10)
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "\u202e" not in page


def test_the_settings_of_pandas_hold():
    table = LayerComparison(make_frame(30))
    with pd.option_context("display.max_rows", 5):
        page = table._repr_html_()
    shown = [k for k in range(30) if f">layer {k}<" in page]
    assert shown == [0, 1, 2, 28, 29]
    assert "Smoothness of 30 layers; 25 in the middle are left out here" in page
    with pd.option_context("display.notebook_repr_html", False):
        assert table._repr_html_() is None


@pytest.mark.parametrize(
    "frame",
    [
        make_frame().drop(columns="alpha_low"),
        make_frame(alpha=["a", "b", "c"]),
        make_frame(difference=pd.array([1, 2, None], dtype="Int64")),
        make_frame(loses_smoothness=[0.0, 1.0, np.nan]),
        make_frame(gains_nothing="no"),
        make_frame(noise_is_bound="no"),
        make_frame().set_axis(range(len(COLUMNS)), axis=1),
        make_frame().iloc[:0],
        pd.concat([make_frame(), make_frame()], axis=1),
    ],
)
def test_a_frame_that_is_no_table_of_layers_is_shown_by_pandas(frame):
    assert LayerComparison(frame)._repr_html_() == frame._repr_html_()


def heads_of(page):
    return re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', page)


def test_cards_show_first_what_decides_and_fold_the_rest_away():
    page = LayerComparison(make_frame().assign(labels="digit", mine=1))._repr_html_()
    seen, folded = page.split("<details>")
    names = ["labels", "layer", "alpha", "interval", "explained", "held_out", "difference"]
    assert heads_of(seen) == [*names, "p_value_corrected", "cautions"]
    rest = heads_of(folded)
    assert rest[:5] == ["labels", "layer", "type", "n_features", "r_squared"]
    assert {"noise", "seconds", "mine"} < set(rest)
    assert not set(rest) & set(names[2:])
    together = heads_of(layers_html(make_frame(), 10))
    assert together[:3] == ["layer", "alpha", "interval"]
    assert "r_squared" in together


def test_the_reference_comes_before_the_layer_before():
    reference = {column.name: 0.01 for column in REFERENCE} | {"loses_to_reference": False}
    frame = make_frame(**reference, p_value_corrected=1e-9)
    page = spaced(LayerComparison(frame)._repr_html_())
    first = heads_of(page.split("<details>")[0])
    place = first.index("held_out") + 1
    assert first[place : place + 3] == [
        "reference_difference",
        "reference_p_value",
        "difference",
    ]
    assert page.count("&lt; 0.0001") == 3
    assert "Layer layer 0 is smoother than that of the reference, by 0.010" in page
    same = in_words(make_frame(**reference | {"reference_low": -0.01}))
    assert same[1] == (
        "Layer layer 0 cannot be told apart from that of the reference (p = 0.010)."
    )


def test_words_say_which_layer_is_the_smoothest():
    frame = make_frame(
        5,
        layer=["input", "1", "3", "4", "5"],
        held_out=[0.1, 0.2, 0.29, 0.31, 0.3],
        explained=0.8,
        tied_with_best=[False, False, True, True, True],
        loses_smoothness=False,
    )
    words = in_words(frame)
    assert words == [
        "Layer 4 is the smoothest on held-out samples (0.31, 80 % explained); layers 3 and "
        "5 cannot be told apart from it; layers input and 1 are rougher, by 0.11 or more.",
        "No layer is shown to lose smoothness.",
    ]
    seen, folded = LayerComparison(frame)._repr_html_().split("<details>")
    assert all(f"<p>{text}</p>" in seen for text in words)
    assert "smoothest" not in folded
    alone = in_words(frame.iloc[:1].assign(tied_with_best=True))
    assert alone[0] == "Layer input has the held-out score 0.10, 80 % explained."
    many = in_words(make_frame(5, loses_smoothness=[True] * 4 + [False]))
    assert many[-1] == (
        "4 of 5 lose smoothness: layers layer 0, layer 1, layer 2 and 1 other."
    )
    nothing = in_words(frame.assign(explained_low=0.0))
    assert nothing[0] == "No layer is shown to explain anything."
    unknown = in_words(frame.assign(held_out=np.nan))
    assert unknown[0] == "No layer has a held-out score."
    assert "4" in in_words(frame.assign(labels="odd", explained=np.nan))[0]
    assert in_words(frame.assign(labels="odd"))[0].startswith("odd: Layer 4 is")


def test_test_samples_that_rank_layers_otherwise_have_a_word():
    frame = make_frame(held_out=[0.5, 0.2, 0.3], tied_with_best=[False, True, True])
    assert in_words(frame.assign(explained=0.9))[0] == (
        "Layer layer 2 separates the given samples best (90 % explained); on the test "
        "samples layer layer 0 has the highest score (0.50, against 0.30)."
    )
    memorised = frame.assign(held_out=[0.0, 0.001, 0.002])
    text = in_words(memorised)[0]
    assert text.endswith(", but no layer explains anything of the test samples.")
    assert "smoothest" not in text


def test_rows_without_those_that_are_tied_have_words_too():
    reference = {column.name: 0.01 for column in REFERENCE} | {"loses_to_reference": False}
    frame = make_frame(held_out=[0.0, 0.001, 0.002], tied_with_best=False, **reference)
    separates, of_reference = in_words(frame)[:2]
    assert separates.startswith("Layer layer 2 separates the given samples best")
    assert of_reference.startswith("Layer layer 2 is smoother than that of the reference")


def test_print_is_a_short_summary():
    n = 50
    table = LayerComparison(
        make_frame(
            n,
            layer=[f"block.{k}" + "x" * (k % 2) * 20 for k in range(n)],
            held_out=np.linspace(0.1, 0.6, n),
            tied_with_best=np.arange(n) >= 40,
            loses_smoothness=np.arange(n) < 10,
            cautions=["FewTermsWarning, BentDecayWarning", *(n - 1) * ["FewTermsWarning"]],
        )
    )
    lines = str(table).splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 12  # of which four are due to the long names
    assert lines[0].split() == ["layer", "alpha", "explained", "held_out"]
    assert lines[2].startswith("block.48  ")
    assert "0.39 [0.34, 0.44]" in lines[2]
    assert lines[4] == "... and 47 more layers; all are in its frame"
    assert "BentDecayWarning (1), FewTermsWarning (50)." in " ".join(lines)
    assert "10 of 50 lose smoothness: layers block.0, " in " ".join(lines)
    short = str(LayerComparison(make_frame(4, tied_with_best=True))).splitlines()
    assert [line.split("  ")[0] for line in short[1:5]] == [f"layer {k}" for k in range(4)]
    assert len(short) <= 8
    no_table = make_frame().drop(columns="alpha_low")
    assert str(LayerComparison(no_table)) == str(no_table)


# --- its columns -----------------------------------------------------------------------


def test_the_documentation_lists_the_columns_and_probes():
    text = " ".join(compare_layers.__doc__.split())
    entries = column_help() | column_help([column.name for column in REFERENCE])
    entries |= {name: probe.description for name, probe in PROBES.items()}
    for name, meaning in entries.items():
        assert f"- ``{name}``: {' '.join(meaning.split())}." in text
    assert "{" not in text.replace("{}", "")


def test_columns_of_a_comparison():
    probes = [PROBES["nc1"], PROBES["knn"]]
    always = [column.name for column in COLUMNS]
    columns = columns_of(probes, is_projected=True, has_reference=True)
    reference = [column.name for column in REFERENCE]
    names = [column.name for column in columns]
    assert names == [*always, *reference, "projection_error", "nc1", "knn"]
    assert list(column_help()) == always


def test_help_is_given_for_known_columns_in_their_order():
    frame = make_frame().assign(step=1, projection_error=0.1, nc1=0.1)
    names = [column.name for column in COLUMNS]
    assert list(column_help(frame)) == [*names, "projection_error", "nc1"]
    assert all(column_help(frame).values())
    assert column_help([1, "mine"]) == {}


def test_a_column_is_added_by_one_entry(monkeypatch):
    torch = pytest.importorskip("torch")
    added = Column("n_trees", "trees", lambda layer: layer.estimator.wavelets_.n_trees)
    monkeypatch.setattr("sksmooth.networks.columns.COLUMNS", (*COLUMNS, added))
    X = np.random.RandomState(0).rand(60, 4)
    estimator = BesovSmoothnessEstimator(3, random_state=0)
    table = compare_layers(torch.nn.Linear(4, 2), X, X[:, 0] > 0.5, "input", estimator)
    assert list(table["n_trees"]) == [3]
    assert column_help(table)["n_trees"] == "trees"
    assert ">n_trees</th>" in table._repr_html_()


def test_a_probe_is_added_by_one_entry(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setitem(PROBES, "largest", None)  # so that it is gone after the test

    @probe("largest", "largest feature", larger_is_better=True, targets=TargetKind)
    def largest(samples):
        return samples.X.max()

    X = np.random.RandomState(0).rand(60, 5)
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 2))
    for y in (X[:, 0] > 0.5, X[:, 0]):
        table = compare_layers(network, X, y, ["input"], estimator, ["largest"])
        assert table["largest"][0] == pytest.approx(X.max())
    assert column_help(table.columns)["largest"] == "largest feature"
