"""Layers of networks as features: which layers there are, and forms of input."""

import errno
import gc
import os
import tempfile

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer, list_layers
from sksmooth.networks import ReaderOptions, extract

torch = pytest.importorskip("torch")

from layer_reading import (  # noqa: E402
    NAMES,
    Digits,
    Network,
    expected_of_digits,
    read,
    rows_of,
    some_digits,
)

nn = torch.nn
TensorDataset = torch.utils.data.TensorDataset
DataLoader = torch.utils.data.DataLoader


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Digits()


@pytest.fixture(scope="module")
def labels():
    return some_digits(300)[1]


@pytest.fixture(scope="module")
def images():
    return some_digits(300)[0].reshape(-1, 1, 8, 8)


# --- which layers there are ---------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, "input", "output"])
def test_every_layer_by_its_name(network, images, name):
    features = rows_of(network, images, name, batch_size=77)
    assert features.dtype == np.float32
    expected = expected_of_digits(network, images, name)
    assert_allclose(features, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("index", [*range(7), -1, -7])
def test_numbers_count_the_leaf_modules(network, images, index):
    assert read(network, images, index).names == [NAMES[index]]


def test_several_layers_take_one_pass(network, images):
    passes = []
    network.register_forward_pre_hook(lambda module, _: passes.append(module))
    features = read(network, images, NAMES, batch_size=100)
    assert len(passes) == 3
    for name, array in zip(features.names, features.arrays, strict=True):
        expected = expected_of_digits(network, images, name)
        assert_allclose(array, expected, rtol=1e-5, atol=1e-6)


def test_calls_of_a_shared_module_have_numbers():
    act = nn.ReLU(inplace=True)
    network = Network(  # one activation for two places, under two names
        lambda self, x: self.alias(self.second(self.act(self.first(x)))),
        **dict(first=nn.Linear(6, 5), second=nn.Linear(5, 4), act=act, alias=act),
    )
    X = np.random.RandomState(0).randn(20, 6)
    features = read(network, X, ["act:1", "act:0", "alias:1", "output"]).arrays
    assert [array.shape[1] for array in features] == [4, 5, 4, 4]
    assert_array_equal(features[0], features[3])
    assert_array_equal(features[0], features[2])
    for name in ("act", "alias"):
        with pytest.raises(ValueError, match=f"called 2 times.*'{name}:0' to '{name}:1'"):
            read(network, X, name)
    with pytest.raises(ValueError, match="'act:2' is called 2 times"):
        read(network, X, "act:2")
    listed = list_layers(network, X)
    assert list(listed.layer) == ["input", "first", "act:0", "second", "act:1", "output"]
    assert list(listed.n_calls) == [1, 1, 2, 1, 2, 1]
    assert read(network, X).names == ["input", "act:0", "act:1"]


def test_submodules_called_output_and_input():
    network = Network(
        lambda self, x: self.output(self.input(x)).exp(),
        **dict(input=nn.Linear(3, 4), output=nn.Linear(4, 2)),
    )
    X = np.random.RandomState(0).rand(10, 3)
    inner, outer, first, whole = read(network, X, ["output", "", "input:0", "input"]).arrays
    assert_allclose(np.exp(inner), outer, rtol=1e-6)
    assert first.shape == (10, 4)
    assert_allclose(whole, X, rtol=1e-6)
    assert list(list_layers(network).layer)[:3] == ["input", "input:0", "output"]


def test_weight_parametrizations_are_no_layers():
    network = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)), nn.ReLU()
    )
    X = np.random.RandomState(0).rand(9, 3)
    assert list(list_layers(network).layer) == ["input", "0", "1", "output"]
    assert list(list_layers(network, X).n_calls) == [1, 1, 1, 1]
    assert read(network, X).names == ["input", "1"]
    assert read(network, X, 0).names == ["0"]


def test_listed_layers(network, images):
    listed = list_layers(network)
    assert list(listed.layer) == ["input", *NAMES[:5], "head", *NAMES[5:], "output"]
    assert list(listed.is_leaf) == [False] + [True] * 5 + [False] + [True] * 2 + [False]
    assert listed.n_parameters.iloc[-1] == sum(p.numel() for p in network.parameters())
    flat = images.reshape(300, 64)
    traced = list_layers(network, flat, input_shape=(1, 8, 8))
    assert list(traced.layer) == ["input", *NAMES, "output", "head"]  # a mere container
    assert list(traced.n_calls) == [1] * 9 + [0]
    assert list(traced["shape"][:2]) == [(1, 8, 8), (4, 6, 6)]
    for name in traced.layer[traced.n_calls == 1]:
        read(network, images, name)


def test_layers_left_open_are_those_with_weights_and_what_follows(network, images):
    features = read(network, images)
    assert features.names == ["input", "drop", "head.fc1", "head.fc2"]
    assert features.types == [
        "input",
        "Conv2d + BatchNorm2d + ReLU + MaxPool2d + Dropout",
        "Linear",
        "Linear",
    ]


def test_a_normalisation_belongs_to_the_layer_before():
    class NormedLinear(nn.Linear):  # a layer, in spite of its name
        pass

    class RMSNorm2d(nn.LayerNorm):
        pass

    network = nn.Sequential(nn.BatchNorm1d(4), NormedLinear(4, 3), RMSNorm2d(3), nn.ReLU())
    features = read(network, np.ones((5, 4)))
    assert features.types == ["input", "NormedLinear + RMSNorm2d + ReLU"]


@pytest.mark.parametrize("n_rows", [1, 5, 7, 30])
def test_layers_left_open_do_not_depend_on_the_number_of_samples(n_rows):
    def run(self, tokens):
        places = self.place(torch.arange(7)[None])
        turned = self.token(tokens.T).transpose(0, 1)
        return self.head((turned + places).mean(1))

    token, place, head = nn.Embedding(9, 4), nn.Embedding(7, 4), nn.Linear(4, 3)
    network = Network(run, token=token, place=place, head=head)
    tokens = np.random.RandomState(0).randint(9, size=(n_rows, 7))
    assert read(network, tokens).names == ["head"]


# --- forms of X ---------------------------------------------------------------------


def forms(images, labels):
    tensor = torch.tensor(images, dtype=torch.float32)
    yield "float64", images.astype(float)
    yield "fortran", np.asfortranarray(images)
    yield "big-endian", images.astype(">f8")
    yield "nested lists", images.tolist()
    yield "tensor", tensor
    yield "gradient", tensor.clone().requires_grad_()
    yield "dict", {"x": images}
    yield "dict of tensors", {"x": tensor}
    yield "Dataset of x", TensorDataset(tensor)
    yield "Dataset", TensorDataset(tensor, torch.tensor(labels))
    yield "DataLoader", DataLoader(TensorDataset(tensor, torch.tensor(labels)), 64)
    yield "workers", DataLoader(TensorDataset(tensor), 99, num_workers=1)


def test_all_forms_of_input_give_the_same(network, images, labels):
    layer = LayerFeatureTransformer(network, "head.fc1", batch_size=128)
    reference = layer.fit_transform(images)
    for form, X in forms(images, labels):
        fitted = clone(layer).fit(X)
        for features in (fitted.transform(X), fitted.fit_transform(X)):
            assert_allclose(features, reference, atol=1e-6, err_msg=form)


def test_flat_and_shaped_samples_give_the_same(network, images):
    flat = images.reshape(300, 64)
    layer = LayerFeatureTransformer(network, "conv", input_shape=(1, 8, 8)).fit(flat)
    assert layer.n_features_in_ == 64
    reference = layer.transform(flat)
    frame = pd.DataFrame(flat, columns=[f"pixel{i}" for i in range(64)])
    assert_array_equal(clone(layer).fit_transform(frame), reference)
    assert_array_equal(layer.fit(images).transform(images), reference)
    assert not hasattr(layer, "n_features_in_")


def test_pixels_of_eight_bits_and_booleans_are_numbers(network, images):
    pixels = (16 * images).astype(np.uint8)
    reference = rows_of(network, pixels.astype(float))
    for X in (pixels, torch.tensor(pixels), pixels.astype(np.int16)):
        assert_array_equal(rows_of(network, X), reference)
    bright = pixels > 3
    assert_array_equal(rows_of(network, bright), rows_of(network, bright.astype(float)))


def test_integers_are_tokens(network, images):
    embedding = nn.Embedding(7, 3)
    X = np.random.RandomState(0).randint(7, size=(20, 4))
    reference = embedding(torch.tensor(X)).detach().flatten(1).numpy()
    for tokens in (X, X.astype(np.int32), X.astype(np.uint32), torch.tensor(X)):
        assert_array_equal(rows_of(embedding, tokens), reference)
    assert read(embedding, X).names == ["output"]
    with pytest.raises(RuntimeError) as caught:
        LayerFeatureTransformer(network).fit((16 * images).astype(int))
    assert "X.astype(np.float32)" in caught.value.__notes__[0]


def test_features_do_not_depend_on_the_batch_size(network, images):
    reference = rows_of(network, images[:50], batch_size=50)
    for size in (1, 7, 49, 5000):
        again = rows_of(network, images[:50], batch_size=size)
        assert_allclose(again, reference, rtol=1e-4, atol=1e-6)


class Stream(torch.utils.data.IterableDataset):
    """Pairs that can be read once and are not counted before."""

    def __init__(self, X, y):
        self.pairs = iter(zip(X, y, strict=True))

    def __iter__(self):
        return self.pairs


@pytest.mark.parametrize("memmap", ["auto", True, False])
def test_a_stream_is_read_once(network, images, labels, memmap):
    features = read(network, Stream(images, labels), batch_size=64, memmap=memmap)
    assert_array_equal(features.y, labels)
    reference = read(network, images, batch_size=64)
    for array, other in zip(features.arrays, reference.arrays, strict=True):
        assert_array_equal(array, other)
    assert isinstance(features.arrays[0], np.memmap) == bool(memmap)
    layer = LayerFeatureTransformer(network, "conv", batch_size=64)
    assert layer.fit_transform(Stream(images, labels)).shape == (300, 144)


def test_a_shuffling_loader_yields_rows_and_targets_of_one_pass(network, images, labels):
    data = TensorDataset(torch.tensor(images), torch.tensor(labels))
    loader = DataLoader(data, 32, shuffle=True)
    features = read(network, loader, ["input", "output"])
    pairs = zip(features.arrays[0], features.y, strict=True)
    found = {row.tobytes(): label for row, label in pairs}
    for image, label in zip(images, labels, strict=True):
        assert found[image.tobytes()] == label
    layer = LayerFeatureTransformer(network, random_state=0).fit(loader)
    assert layer.score(loader) == pytest.approx(layer.score(images, labels), rel=1e-6)
    for call in (
        lambda: layer.transform(loader),
        lambda: layer.fit_transform(loader),
        lambda: layer.score(loader, labels),
        lambda: read(network, loader, "output", y=labels),
    ):
        with pytest.raises(ValueError, match="shuffle=False"):
            call()


def test_targets_come_in_any_type(network, images):
    texts = [f"digit {i % 3}" for i in range(len(images))]
    loader = DataLoader(list(zip(images, texts, strict=True)), 50)
    assert list(read(network, loader, "output").y) == texts
    numbers = TensorDataset(torch.tensor(images), torch.linspace(0, 1, len(images)))
    assert read(network, numbers, "output").y.dtype.kind == "f"
    assert list(read(network, loader, "output", y=pd.Series(texts)).y) == texts


# --- width, precision and memory -----------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_networks_of_other_precision(network, images, dtype):
    reference = rows_of(network, images, batch_size=50)
    network.to(getattr(torch, dtype))
    array = rows_of(network, images, batch_size=50)
    assert array.dtype == np.float32
    assert_allclose(array, reference, atol=0.02)
    assert rows_of(network, images, dtype="float64").dtype == np.float64


def test_projection_of_wide_layers(network, images):
    layers, options = ["conv", "output"], dict(n_components=60, random_state=3)
    layer = LayerFeatureTransformer(network, layers, **options).fit(images)
    assert layer.n_features_out_ == len(layer.get_feature_names_out()) == 70
    assert layer.get_feature_names_out()[60] == "output_0"
    assert 0.0 < layer.projection_error_ < 0.3
    features = layer.transform(images)
    assert_array_equal(features, clone(layer).fit_transform(images))
    assert_allclose(features[:9], layer.transform(images[:9]), rtol=1e-4, atol=1e-5)
    unseeded = LayerFeatureTransformer(network, "conv", n_components=60).fit(images)
    assert_array_equal(unseeded.transform(images), unseeded.transform(images))
    assert LayerFeatureTransformer(network).fit(images).projection_error_ is None


def test_no_distances_have_no_error(network, images):
    options = ReaderOptions(n_components=5, random_state=0)
    one = extract(network, images[:1], "conv", options)
    assert np.isnan(one.projection_errors[0])
    assert extract(network, images, "conv", options).projection_errors[0] > 0


def test_large_layers_go_to_files_that_do_not_stay(network, images, tmp_path):
    folder = tmp_path / "new"
    features = read(network, images, ["conv", "output"], memmap=folder)
    reference = read(network, images, ["conv", "output"], memmap=False)
    assert len(list(folder.iterdir())) == 2
    for array, other in zip(features.arrays, reference.arrays, strict=True):
        assert isinstance(array, np.memmap)
        assert_array_equal(array, other)
    view = features.arrays[0][5:, 3]
    value = view[0]
    del features, array
    gc.collect()
    assert len(list(folder.iterdir())) == 1
    assert view[0] == value
    del view
    gc.collect()
    assert list(folder.iterdir()) == []


def test_files_are_read_by_worker_processes(network, images, labels):
    features = rows_of(network, images, "conv", memmap=True)
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    reference = estimator.fit(np.array(features), labels).alpha_
    with parallel_config("loky", n_jobs=2):
        assert estimator.fit(features, labels).alpha_ == reference


class Claims(torch.utils.data.Sampler):
    """Says that there are many rows, and gives a few."""

    def __init__(self, n_rows):
        self.n_rows = n_rows

    def __len__(self):
        return self.n_rows

    def __iter__(self):
        return iter(range(10))


def test_layers_that_are_large_together_go_to_files(monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate", raising=False)  # which would fill the disk
    network, data = nn.Sequential(nn.Linear(2, 30), nn.ReLU()), torch.ones(10, 2)
    # Of 5 million rows each layer takes 0.6 GiB: one fits into 1 GiB, two do not.
    for n_rows, layers, is_file in (
        (5_000_000, ["0"], False),
        (5_000_000, ["0", "1"], True),
        (10_000_000, ["1"], True),
    ):
        loader = DataLoader(data, 5, sampler=Claims(n_rows))
        arrays = read(network, loader, layers).arrays
        assert [isinstance(array, np.memmap) for array in arrays] == [is_file] * len(layers)
        assert all(array.shape == (10, 30) for array in arrays)


def test_files_are_removed_when_a_pass_fails(images, tmp_path):
    def run(self, x):
        if len(x) < 100:
            raise RuntimeError("the last batch")
        return x

    with pytest.raises(RuntimeError, match="the last batch"):
        read(Network(run), images[:250], "output", batch_size=100, memmap=tmp_path)
    assert list(tmp_path.iterdir()) == []


def full_before_writing(monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)


def full_while_writing(monkeypatch):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    made = tempfile.NamedTemporaryFile

    def on_full_disk(**options):
        file = made(**options)
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        return file

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", on_full_disk)
    monkeypatch.delattr(os, "posix_fallocate", raising=False)


@pytest.mark.parametrize("fill", [full_before_writing, full_while_writing])
def test_a_full_disk_is_an_error(network, images, tmp_path, monkeypatch, fill):
    fill(monkeypatch)
    match = r"No space for the .* GiB features .* n_components= or pooling="
    with pytest.raises(OSError, match=match) as caught:
        read(network, images, ["conv", "output"], memmap=tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
