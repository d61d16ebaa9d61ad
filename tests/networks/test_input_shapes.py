"""Samples of another shape than the network takes: refused, with the mend."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

torch = pytest.importorskip("torch")

from layer_reading import read, rows_of  # noqa: E402

from sksmooth import (  # noqa: E402
    LayerFeatureTransformer,
    SmoothnessMonitor,
    compare_layers,
    list_layers,
)

nn = torch.nn
SHAPE = dict(input_shape=(3, 8, 6))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 3))


@pytest.fixture(scope="module")
def images():
    return np.random.RandomState(0).rand(40, 3, 8, 6).astype(np.float32)


Y = np.arange(40) % 2
READERS = {
    "fit": lambda net, X: LayerFeatureTransformer(net, **SHAPE).fit(X),
    "fit_transform": lambda net, X: LayerFeatureTransformer(net, **SHAPE).fit_transform(X),
    "list_layers": lambda net, X: list_layers(net, X, **SHAPE),
    "compare_layers": lambda net, X: compare_layers(net, X, Y, **SHAPE),
    "X_test": lambda net, X: compare_layers(
        net, np.moveaxis(np.asarray(X), -1, 1), Y, X_test=X, y_test=Y, **SHAPE
    ),
    "monitor": lambda net, X: SmoothnessMonitor(net, X, Y, **SHAPE).record(),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("form", [np.asarray, torch.tensor, list])
def test_channels_that_come_last_are_not_reshaped(network, images, reader, form):
    last = np.moveaxis(images, 1, -1)
    with pytest.raises(ValueError, match=r"np\.moveaxis\(X, -1, 1\)") as caught:
        READERS[reader](network, form(last))
    assert "(8, 6, 3)" in str(caught.value)


def test_data_sets_with_channels_last_are_refused(network, images):
    data = torch.utils.data.TensorDataset(torch.tensor(images).movedim(1, -1))
    for X in (data, torch.utils.data.DataLoader(data, batch_size=5)):
        with pytest.raises(ValueError, match=r"X\.movedim\(-1, 1\)"):
            read(network, X, "output", **SHAPE)


def test_what_was_mended_is_read_right(network, images):
    last = np.moveaxis(images, 1, -1)
    expected = rows_of(network, images)
    assert_array_equal(rows_of(network, np.moveaxis(last, -1, 1), **SHAPE), expected)
    assert_array_equal(rows_of(network, images.reshape(40, -1), **SHAPE), expected)
    assert_array_equal(rows_of(network, images, **SHAPE), expected)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((8, 18), r"pass X\.reshape\(len\(X\), -1\)"),
        ((6, 8, 3), r"pass X\.reshape\(len\(X\), -1\)"),
        ((3, 9, 6), r"have shape \(3, 9, 6\); leave out input_shape"),
        ((1, 3, 8, 6, 2), "leave out input_shape"),
    ],
)
def test_other_shapes_are_refused_with_what_was_found(network, shape, message):
    with pytest.raises(ValueError, match=message):
        read(network, np.zeros((5, *shape)), "output", **SHAPE)


def test_a_network_of_channels_last_says_so():
    with pytest.raises(ValueError, match=r"np\.moveaxis\(X, 1, -1\)"):
        read(nn.Linear(3, 2), np.zeros((5, 3, 8, 6)), "output", input_shape=(8, 6, 3))


def test_an_axis_of_one_channel_may_be_missing_or_elsewhere(images):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
    grey = images[:, 0]
    expected = rows_of(network, grey[:, None])
    for X in (grey, grey[..., None], grey[:, None], torch.tensor(grey)):
        assert_array_equal(rows_of(network, X, input_shape=(1, 8, 6)), expected)


def test_the_error_of_the_network_says_where_channels_come(network, images):
    with pytest.raises(RuntimeError) as caught:
        read(network, np.moveaxis(images, 1, -1), "output")
    assert "np.moveaxis(X, -1, 1)" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError) as caught:
        read(network, images.reshape(40, -1), "output")
    assert "moveaxis" not in caught.value.__notes__[0]


def test_an_empty_list_of_samples_is_refused():
    network = nn.Sequential(nn.Flatten(), nn.Linear(2, 3))
    with pytest.raises(ValueError, match="X has 0 samples, but y has 9"):
        SmoothnessMonitor(network, [], np.arange(9) % 2)
