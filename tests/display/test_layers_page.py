"""The page of the layers of a network: what it says of explained shares and bounds."""

import numpy as np
import pandas as pd
import pytest
from html_reading import read_page

from sksmooth import LayerComparison, report


@pytest.fixture(autouse=True)
def needs_matplotlib():
    pytest.importorskip("matplotlib")


def texts_of(**changes):
    columns = {
        "layer": ["input", "conv", "fc"],
        "alpha": [0.1, 0.4, 0.3],
        "alpha_low": [0.05, 0.3, 0.2],
        "alpha_high": [0.2, 0.5, 0.4],
        "explained": [0.5, 0.876, 0.8],
        "loses_smoothness": False,
        "cautions": "",
    }
    return read_page(report(LayerComparison(pd.DataFrame(columns | changes)))).texts


def test_the_smoothest_layer_is_named_with_what_is_explained_there():
    expected = "Layer conv has the highest alpha (0.40); trees explain 88 % of the variance"
    assert expected in " ".join(texts_of())


@pytest.mark.parametrize("explained", [np.nan, [0.5, np.nan, 0.8]])
def test_what_is_not_known_is_not_explained(explained):
    text = " ".join(texts_of(explained=explained))
    assert "Layer conv has the highest alpha (0.40)." in text


def test_the_caption_says_what_an_interval_without_upper_end_means():
    assert "lower bound" not in texts_of()[texts_of().index("All numbers") - 1]
    texts = texts_of(alpha_high=[0.2, np.inf, 0.4])
    assert "lower bound" in texts[texts.index("All numbers") - 1]
    assert "0.400 [0.300, ∞]" in texts
