"""Layers of networks as features: names, shapes, forms of input, scikit-learn."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer, list_layers
from sksmooth.networks import default_layers, extract_layers

torch = pytest.importorskip("torch")
nn = torch.nn
TensorDataset = torch.utils.data.TensorDataset
DataLoader = torch.utils.data.DataLoader


class Digits(nn.Module):
    """Convolutions, then two full layers, by their names."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.5)
        self.head = nn.ModuleDict({"fc1": nn.Linear(36, 12), "fc2": nn.Linear(12, 10)})

    def forward(self, x):
        x = self.drop(self.pool(self.relu(self.norm(self.conv(x)))))
        return self.head["fc2"](torch.tanh(self.head["fc1"](x.flatten(1))))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Digits()


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300] / 16, y[:300]


@pytest.fixture(scope="module")
def images(digits):
    return digits[0].reshape(-1, 1, 8, 8)


def layer_of(network, layer, **options):
    return LayerFeatureTransformer(network, layer, input_shape=(1, 8, 8), **options)


def expected(network, X, *names):
    """The values of layers, by calling the modules one after the other."""
    was_training = network.training
    network.eval()
    with torch.no_grad():
        x = torch.as_tensor(np.asarray(X), dtype=torch.float32).reshape(-1, 1, 8, 8)
        values = {"input": x, "conv": network.conv(x)}
        values["norm"] = network.norm(values["conv"])
        values["relu"] = torch.relu(values["norm"])
        values["pool"] = values["drop"] = network.pool(values["relu"])
        values["head.fc1"] = network.head["fc1"](values["pool"].flatten(1))
        values["head.fc2"] = network.head["fc2"](torch.tanh(values["head.fc1"]))
        values["output"] = values["head.fc2"]
    network.train(was_training)
    return np.hstack([values[name].flatten(1).numpy() for name in names])


# Names


NAMES = ["conv", "norm", "relu", "pool", "drop", "head.fc1", "head.fc2"]


@pytest.mark.parametrize("name", [*NAMES, "input", "output"])
def test_every_layer_by_its_name(network, digits, name):
    X, _ = digits
    features = layer_of(network, name, batch_size=77).fit_transform(X)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected(network, X, name), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("index", [*range(7), -1, -7])
def test_numbers_count_the_leaf_modules(network, digits, index):
    layer = layer_of(network, index).fit(digits[0])
    assert layer.layer_names_ == [NAMES[index]]


def test_layers_of_a_list_are_side_by_side(network, digits):
    X, _ = digits
    names = ["head.fc1", "input", "conv"]
    layer = layer_of(network, names).fit(X)
    np.testing.assert_allclose(
        layer.transform(X), expected(network, X, *names), rtol=1e-5, atol=1e-6
    )
    assert layer.layer_types_ == ["Linear", "input", "Conv2d"]
    assert layer.layer_shapes_ == [(12,), (1, 8, 8), (4, 6, 6)]
    assert layer.n_features_out_ == 12 + 64 + 144
    names_out = layer.get_feature_names_out()
    assert len(names_out) == len(set(names_out)) == 220
    assert list(names_out[[0, 12, -1]]) == ["head.fc1_0", "input_0", "conv_143"]


def test_several_layers_take_one_pass(network, images):
    passes = []
    network.register_forward_pre_hook(lambda module, _: passes.append(module))
    features = extract_layers(network, images, NAMES, batch_size=100)
    assert len(passes) == 3
    for name, array in zip(features.names, features.arrays, strict=True):
        np.testing.assert_allclose(
            array, expected(network, images, name), rtol=1e-5, atol=1e-6
        )


class Shared(nn.Module):
    """One activation for two places, under two names."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 5), nn.Linear(5, 4)
        self.act = nn.ReLU(inplace=True)
        self.alias = self.act

    def forward(self, x):
        return self.alias(self.second(self.act(self.first(x))))


def test_calls_of_a_shared_module_have_numbers():
    network, X = Shared(), np.random.RandomState(0).randn(20, 6)
    features = extract_layers(network, X, ["act:1", "act:0", "alias:1", "output"]).arrays
    assert [array.shape[1] for array in features] == [4, 5, 4, 4]
    np.testing.assert_array_equal(features[0], features[3])
    np.testing.assert_array_equal(features[0], features[2])
    for name in ("act", "alias"):
        with pytest.raises(ValueError, match=f"called 2 times.*'{name}:0' to '{name}:1'"):
            extract_layers(network, X, name)
    with pytest.raises(ValueError, match="'act:2' is called 2 times"):
        extract_layers(network, X, "act:2")
    listed = list_layers(network, X)
    assert list(listed.layer) == ["input", "first", "act:0", "second", "act:1", "output"]
    assert list(listed.n_calls) == [1, 1, 2, 1, 2, 1]
    assert default_layers(network, X) == ["input", "act:0", "act:1"]


def test_submodules_called_output_and_input():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.input, self.output = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.output(self.input(x)).exp()

    network, X = Odd(), np.random.RandomState(0).rand(10, 3)
    inner, outer, first, whole = extract_layers(
        network, X, ["output", "", "input:0", "input"]
    ).arrays
    np.testing.assert_allclose(np.exp(inner), outer, rtol=1e-6)
    assert first.shape == (10, 4)
    np.testing.assert_allclose(whole, X, rtol=1e-6)
    assert list(list_layers(network).layer)[:3] == ["input", "input:0", "output"]


def test_weight_parametrizations_are_no_layers():
    network = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)), nn.ReLU()
    )
    X = np.random.RandomState(0).rand(9, 3)
    assert list(list_layers(network).layer) == ["input", "0", "1", "output"]
    assert list(list_layers(network, X).n_calls) == [1, 1, 1, 1]
    assert default_layers(network, X) == ["input", "1"]
    assert extract_layers(network, X, 0).names == ["0"]


def test_listed_layers(network, images):
    listed = list_layers(network)
    assert list(listed.layer) == ["input", *NAMES[:5], "head", *NAMES[5:], "output"]
    assert list(listed.is_leaf) == [False] + [True] * 5 + [False] + [True] * 2 + [False]
    assert listed.n_parameters.iloc[-1] == sum(p.numel() for p in network.parameters())
    traced = list_layers(network, images)
    assert list(traced.layer) == ["input", *NAMES, "output", "head"]  # a mere container
    assert list(traced.n_calls) == [1] * 9 + [0]
    assert list(traced["shape"][:2]) == [(1, 8, 8), (4, 6, 6)]
    for name in traced.layer[traced.n_calls == 1]:
        extract_layers(network, images, name)


def test_default_layers_hand_on_their_values(network, images):
    features = extract_layers(network, images)
    assert features.names == default_layers(network, images)
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
    features = extract_layers(network, np.ones((5, 4)))
    assert features.types == ["input", "NormedLinear + RMSNorm2d + ReLU"]


def test_layers_of_the_network_of_the_lecture():
    stages = [(1, 64), (64, 64)]
    maps = [
        part
        for width, height in stages
        for part in (nn.Conv2d(width, height, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
    ]
    full = [nn.Linear(2304, 384), nn.ReLU(), nn.Linear(384, 192), nn.ReLU()]
    network = nn.Sequential(*maps, nn.Flatten(), *full, nn.Linear(192, 10))
    features = extract_layers(network, np.zeros((3, 1, 24, 24)))
    widths = [array.shape[1] for array in features.arrays]
    assert widths == [576, 9216, 2304, 384, 192, 10]
    assert features.types[1] == "Conv2d + ReLU + MaxPool2d"


# Forms of X


def forms(images, labels):
    tensor = torch.tensor(images, dtype=torch.float32)
    yield "float32", images.astype(np.float32)
    yield "fortran", np.asfortranarray(images)
    yield "big-endian", images.astype(">f8")
    yield "tensor", tensor
    yield "gradient", tensor.clone().requires_grad_()
    yield "dict", {"x": images}
    yield "dict of tensors", {"x": tensor}
    yield "Dataset of x", TensorDataset(tensor)
    yield "Dataset", TensorDataset(tensor, torch.tensor(labels))
    yield "DataLoader", DataLoader(TensorDataset(tensor, torch.tensor(labels)), 64)
    yield "workers", DataLoader(TensorDataset(tensor), 99, num_workers=1)


def test_all_forms_of_input_give_the_same(network, images, digits):
    layer = LayerFeatureTransformer(network, "head.fc1", batch_size=128)
    reference = layer.fit_transform(images)
    for form, X in forms(images, digits[1]):
        fitted = clone(layer).fit(X)
        for features in (fitted.transform(X), fitted.fit_transform(X)):
            np.testing.assert_allclose(features, reference, atol=1e-6, err_msg=form)


def test_flat_and_shaped_samples_give_the_same(network, images, digits):
    X, _ = digits
    layer = layer_of(network, "conv").fit(X)
    assert layer.n_features_in_ == 64
    reference = layer.transform(X)
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    np.testing.assert_array_equal(layer_of(network, "conv").fit_transform(frame), reference)
    np.testing.assert_array_equal(layer.fit(images).transform(images), reference)
    assert not hasattr(layer, "n_features_in_")


def test_pixels_of_eight_bits_and_booleans_are_numbers(network, images):
    pixels = (16 * images).astype(np.uint8)
    layer = LayerFeatureTransformer(network, "output")
    reference = layer.fit_transform(pixels.astype(float))
    for X in (pixels, torch.tensor(pixels), pixels.astype(np.int16)):
        np.testing.assert_array_equal(layer.fit_transform(X), reference)
    np.testing.assert_array_equal(
        layer.fit_transform(pixels > 3), layer.fit_transform((pixels > 3).astype(float))
    )


def test_integers_are_tokens(network, images):
    embedding = nn.Embedding(7, 3)
    X = np.random.RandomState(0).randint(7, size=(20, 4))
    for tokens in (X, X.astype(np.int32), X.astype(np.uint32), torch.tensor(X)):
        features = LayerFeatureTransformer(embedding).fit_transform(tokens)
        np.testing.assert_array_equal(
            features, embedding(torch.tensor(X)).detach().flatten(1).numpy()
        )
    assert default_layers(embedding, X) == ["output"]
    with pytest.raises(RuntimeError) as caught:
        LayerFeatureTransformer(network).fit((16 * images).astype(int))
    assert "X.astype(np.float32)" in caught.value.__notes__[0]


def test_features_do_not_depend_on_the_batch_size(network, images):
    X = images[:50]
    reference = extract_layers(network, X, "output", batch_size=50).arrays[0]
    for size in (1, 7, 49, 5000):
        again = extract_layers(network, X, "output", batch_size=size).arrays[0]
        np.testing.assert_allclose(again, reference, rtol=1e-4, atol=1e-6)


class Stream(torch.utils.data.IterableDataset):
    """Pairs that can be read once and are not counted before."""

    def __init__(self, X, y):
        self.pairs = iter(zip(X, y, strict=True))

    def __iter__(self):
        return self.pairs


@pytest.mark.parametrize("memmap", ["auto", True, False])
def test_a_stream_is_read_once(network, images, digits, memmap):
    labels = digits[1]
    stream = Stream(images.astype(np.float32), labels)
    features = extract_layers(network, stream, batch_size=64, memmap=memmap)
    np.testing.assert_array_equal(features.y, labels)
    reference = extract_layers(network, images, batch_size=64)
    for array, other in zip(features.arrays, reference.arrays, strict=True):
        np.testing.assert_array_equal(array, other)
    assert isinstance(features.arrays[0], np.memmap) == bool(memmap)
    stream = Stream(images.astype(np.float32), labels)
    rows = LayerFeatureTransformer(network, "conv", batch_size=64).fit_transform(stream)
    assert rows.shape == (300, 144)


def test_a_shuffling_loader_yields_rows_and_targets_of_one_pass(network, images, digits):
    data = TensorDataset(torch.tensor(images).float(), torch.tensor(digits[1]))
    loader = DataLoader(data, 32, shuffle=True)
    features = extract_layers(network, loader, ["input", "output"])
    pairs = zip(features.arrays[0], features.y, strict=True)
    rows = {row.tobytes(): label for row, label in pairs}
    for image, label in zip(images.astype(np.float32), digits[1], strict=True):
        assert rows[image.tobytes()] == label
    layer = LayerFeatureTransformer(network, random_state=0).fit(loader)
    ordered = layer.score(images, digits[1])
    assert layer.score(loader) == pytest.approx(ordered, rel=1e-6)
    for call in (
        lambda: layer.transform(loader),
        lambda: layer.fit_transform(loader),
        lambda: layer.score(loader, digits[1]),
        lambda: extract_layers(network, loader, "output", y=digits[1]),
    ):
        with pytest.raises(ValueError, match="shuffle=False"):
            call()


def test_targets_come_in_any_type(network, images):
    labels = [f"digit {i % 3}" for i in range(len(images))]
    pairs = list(zip(images.astype(np.float32), labels, strict=True))
    loader = DataLoader(pairs, 50)
    assert list(extract_layers(network, loader, "output").y) == labels
    numbers = TensorDataset(torch.tensor(images).float(), torch.linspace(0, 1, len(images)))
    assert extract_layers(network, numbers, "output").y.dtype.kind == "f"
    given = extract_layers(network, loader, "output", y=pd.Series(labels)).y
    assert list(given) == labels


# What is taken of a layer


def test_output_selects_of_a_recurrent_layer():
    X = np.random.RandomState(0).rand(11, 5, 3).astype(np.float32)
    x = torch.tensor(X)

    class TimeFirst(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(3, 4, num_layers=2)

        def forward(self, x):
            return self.lstm(x.transpose(0, 1))[1][0][-1]

    network = TimeFirst()
    samples_first = nn.LSTM(3, 4, num_layers=2, batch_first=True)
    samples_first.load_state_dict(network.lstm.state_dict())
    with torch.no_grad():
        sequence, (h, _) = samples_first(x)
    for lstm, name in ((network, "lstm"), (samples_first, "output")):
        first = extract_layers(lstm, X, name).arrays[0]
        np.testing.assert_allclose(first, sequence.flatten(1), atol=1e-6)
        state = extract_layers(lstm, X, name, output=1).arrays[0]
        np.testing.assert_allclose(state, h.transpose(0, 1).flatten(1), atol=1e-6)
        last = extract_layers(lstm, X, name, pooling="last").arrays[0]
        np.testing.assert_allclose(last, h[-1], atol=1e-6)


@pytest.mark.parametrize("batch_first", [True, False])
def test_attention_gives_a_tuple(batch_first):
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 2, batch_first=batch_first)

        def forward(self, x):
            x = x if batch_first else x.transpose(0, 1)
            return self.attention(x, x, x)[0].sum()

    torch.manual_seed(0)
    network, X = Attention(), np.random.RandomState(0).rand(6, 5, 4)
    features = extract_layers(network, X, "attention", pooling="mean", batch_size=4)
    assert features.shapes == [(5, 4)]
    weights = extract_layers(network, X, "attention", output=1)
    assert weights.shapes == [(5, 5)]
    np.testing.assert_allclose(weights.arrays[0].reshape(6, 5, 5).sum(2), 1, rtol=1e-5)
    assert default_layers(network, X) == ["input", "attention"]


class Outputs(nn.Module):
    """Gives what a function of its linear layer makes."""

    def __init__(self, make):
        super().__init__()
        self.linear, self.make = nn.Linear(3, 4), make

    def forward(self, x):
        return self.make(self.linear(x))


SELECTED = {
    "tuple": (lambda t: (t, 2 * t), None, 1),
    "index": (lambda t: (t, 2 * t), 1, 2),
    "list": (lambda t: [t, 2 * t], -1, 2),
    "nested": (lambda t: ((2 * t, t), None), None, 2),
    "last_hidden_state": (lambda t: {"a": t, "last_hidden_state": 3 * t}, None, 3),
    "logits": (lambda t: {"loss": t.sum(), "logits": 3 * t}, None, 3),
    "only": (lambda t: {"a": None, "b": 3 * t, "c": "text"}, None, 3),
    "key": (lambda t: {"a": t, "b": 3 * t}, "b", 3),
    "place": (lambda t: {"a": t, "b": 3 * t}, 1, 3),
    "function": (lambda t: {"a": t, "b": t}, lambda out: out["a"] + out["b"], 2),
    "tensor": (lambda t: t, 0, 1),
    "one number": (lambda t: t.sum(1), None, None),
    "bfloat16": (lambda t: t.bfloat16(), None, None),
}


@pytest.mark.parametrize("case", SELECTED)
def test_output_selects(case):
    make, output, factor = SELECTED[case]
    torch.manual_seed(0)
    network, X = Outputs(make), np.random.RandomState(0).rand(6, 3)
    layer = LayerFeatureTransformer(network, output=output)
    features = layer.fit_transform(X)
    with torch.no_grad():
        linear = network.linear(torch.tensor(X).float())
    if case == "one number":
        np.testing.assert_allclose(features, linear.sum(1, keepdim=True), rtol=1e-6)
    elif case == "bfloat16":
        assert features.dtype == np.float32
        np.testing.assert_array_equal(features, linear.bfloat16().float())
    else:
        np.testing.assert_allclose(features, factor * linear, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_networks_of_other_precision(network, images, dtype):
    reference = extract_layers(network, images, "output", batch_size=50).arrays[0]
    network.to(getattr(torch, dtype))
    array = extract_layers(network, images, "output", batch_size=50).arrays[0]
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, reference, atol=0.02)
    double = extract_layers(network, images, "output", batch_size=50, dtype="float64")
    assert double.arrays[0].dtype == np.float64


class Tokens(nn.Module):
    """Tokens, each of which sees those of its own text that are not padded."""

    def __init__(self, time_axis=1):
        super().__init__()
        self.embedding = nn.Embedding(50, 6)
        self.mix = nn.Linear(6, 5)

    def forward(self, input_ids, attention_mask=None):
        return torch.tanh(self.mix(self.embedding(input_ids)))


def padded(texts, length, side):
    ids, mask = np.zeros((len(texts), length), int), np.zeros((len(texts), length), int)
    for i, text in enumerate(texts):
        place = slice(length - len(text), None) if side == "left" else slice(len(text))
        ids[i, place], mask[i, place] = text, 1
    return {"input_ids": ids, "attention_mask": mask}


@pytest.mark.parametrize("pooling", ["mean", "max", "cls", "last"])
@pytest.mark.parametrize("layer", ["output", "mix", "embedding"])
def test_padding_changes_nothing(pooling, layer):
    rng = np.random.RandomState(0)
    network = Tokens()
    texts = [rng.randint(1, 50, size=rng.randint(1, 9)) for _ in range(13)]

    def features(length, side, **options):
        X = padded(texts, length, side)
        return extract_layers(network, X, layer, pooling=pooling, **options).arrays[0]

    with torch.no_grad():
        alone = [extract_layers(network, text[None], layer).arrays[0] for text in texts]
    width = 6 if layer == "embedding" else 5
    pool = {
        "mean": lambda t: t.mean(0),
        "max": lambda t: t.max(0),
        "cls": lambda t: t[0],
        "last": lambda t: t[-1],
    }[pooling]
    reference = np.stack([pool(row.reshape(-1, width)) for row in alone])
    for length, side, size in ((9, "right", 256), (9, "left", 4), (15, "right", 1)):
        np.testing.assert_allclose(
            features(length, side, batch_size=size), reference, rtol=1e-5, atol=1e-6
        )


@pytest.mark.skipif(not hasattr(torch.backends, "mha"), reason="older torch")
def test_a_transformer_of_torch_without_its_fast_path():
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)
            self.embedding, self.encoder = (
                nn.Embedding(50, 6),
                nn.TransformerEncoder(layer, 2),
            )

        def forward(self, input_ids, attention_mask):
            x = self.embedding(input_ids)
            return self.encoder(x, src_key_padding_mask=attention_mask == 0)

    rng = np.random.RandomState(0)
    texts = [rng.randint(1, 50, size=rng.randint(1, 9)) for _ in range(13)]
    layers = ["encoder.layers.0.linear1", "encoder.layers.0", "output"]
    torch.manual_seed(0)
    network = Encoder()
    reference = extract_layers(network, padded(texts, 8, "right"), layers, pooling="mean")
    assert reference.shapes == [(8, 8), (8, 6), (8, 6)]
    X = padded(texts, 11, "right")
    wider = extract_layers(network, X, layers, pooling="mean", batch_size=4)
    for array, other in zip(wider.arrays, reference.arrays, strict=True):
        np.testing.assert_allclose(array, other, atol=1e-5)
    assert torch.backends.mha.get_fastpath_enabled()


def test_pooling_knows_maps_from_tokens(images):
    torch.manual_seed(0)
    series = np.random.RandomState(0).rand(8, 2, 9)
    network = nn.Sequential(nn.Conv1d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(24, 2))
    for name in ("0", "1"):
        full = extract_layers(network, series, name).arrays[0].reshape(8, 3, 8)
        mean = extract_layers(network, series, name, pooling="mean").arrays[0]
        np.testing.assert_allclose(mean, full.mean(2), rtol=1e-5)
    network = nn.Sequential(nn.Linear(9, 3), nn.ReLU())
    for name in ("0", "1"):
        full = extract_layers(network, series, name).arrays[0].reshape(8, 2, 3)
        largest = extract_layers(network, series, name, pooling="max").arrays[0]
        np.testing.assert_array_equal(largest, full.max(1))
    network = Digits()
    for name in ("conv", "relu", "drop"):
        shape = extract_layers(network, images, name).shapes[0]
        full = extract_layers(network, images, name).arrays[0].reshape(-1, *shape)
        mean = extract_layers(network, images, name, pooling="mean").arrays[0]
        np.testing.assert_allclose(mean, full.mean((2, 3)), rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="for tokens"):
        extract_layers(network, images, "conv", pooling="cls")


def test_pooling_refuses_what_it_cannot_tell():
    network = nn.Sequential(nn.Conv2d(1, 3, 2), nn.LayerNorm(7), nn.GELU())
    X = np.random.RandomState(0).rand(4, 1, 8, 8)
    assert extract_layers(network, X, "0", pooling="mean").arrays[0].shape == (4, 3)
    with pytest.raises(ValueError, match="whether the channels come first cannot"):
        extract_layers(network, X, "2", pooling="mean")
    chosen = extract_layers(network, X, "2", output=lambda t: t.mean((2, 3)))
    assert chosen.arrays[0].shape == (4, 3)


def test_patches_are_tokens():
    class Patches(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut = nn.Conv2d(1, 6, 2, stride=2)
            self.norm, self.act = nn.LayerNorm(6), nn.GELU()

        def forward(self, x):
            return self.act(self.norm(self.cut(x).flatten(2).transpose(1, 2)))

    X = np.random.RandomState(0).rand(4, 1, 8, 8)
    for name in ("norm", "act", "output"):
        features = extract_layers(Patches(), X, name, pooling="mean")
        assert features.shapes == [(16, 6)]
        assert features.arrays[0].shape == (4, 6)


def test_projection_of_wide_layers(network, digits):
    X, _ = digits
    layer = layer_of(network, ["conv", "output"], max_features=60, random_state=3).fit(X)
    assert layer.n_features_out_ == len(layer.get_feature_names_out()) == 70
    assert layer.get_feature_names_out()[60] == "output_0"
    assert 0.0 < layer.projection_error_ < 0.3
    features = layer.transform(X)
    np.testing.assert_array_equal(features, clone(layer).fit_transform(X))
    np.testing.assert_allclose(features[:9], layer.transform(X[:9]), rtol=1e-4, atol=1e-5)
    unseeded = layer_of(network, "conv", max_features=60).fit(X)
    np.testing.assert_array_equal(unseeded.transform(X), unseeded.transform(X))
    assert layer_of(network, "conv").fit(X).projection_error_ is None


# Memory


def test_large_layers_go_to_files_that_do_not_stay(network, images, tmp_path):
    features = extract_layers(network, images, ["conv", "output"], memmap=tmp_path / "new")
    reference = extract_layers(network, images, ["conv", "output"], memmap=False)
    assert len(list((tmp_path / "new").iterdir())) == 2
    for array, other in zip(features.arrays, reference.arrays, strict=True):
        assert isinstance(array, np.memmap)
        np.testing.assert_array_equal(array, other)
    view = features.arrays[0][5:, 3]
    value = view[0]
    del features, array
    gc.collect()
    assert len(list((tmp_path / "new").iterdir())) == 1
    assert view[0] == value
    del view
    gc.collect()
    assert list((tmp_path / "new").iterdir()) == []


def test_files_are_read_by_worker_processes(network, images, digits):
    features = extract_layers(network, images, "conv", memmap=True).arrays[0]
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    reference = estimator.fit(np.array(features), digits[1]).alpha_
    with parallel_config("loky", n_jobs=2):
        assert estimator.fit(features, digits[1]).alpha_ == reference


def test_memory_is_chosen_by_size(network, images, monkeypatch):
    from sksmooth.networks import storage

    small = extract_layers(network, images, ["conv", "output"])
    assert not any(isinstance(array, np.memmap) for array in small.arrays)
    # Room for one of the layers, but not for both.
    monkeypatch.setattr(storage, "_LARGEST_IN_MEMORY", 300 * 144 * 4)
    assert not isinstance(extract_layers(network, images, "conv").arrays[0], np.memmap)
    large = extract_layers(network, images, ["conv", "output"])
    assert [isinstance(array, np.memmap) for array in large.arrays] == [True, True]


def test_files_are_removed_when_a_pass_fails(images, tmp_path):
    class Fails(nn.Module):
        def forward(self, x):
            if len(x) < 100:
                raise RuntimeError("the last batch")
            return x

    with pytest.raises(RuntimeError, match="the last batch"):
        extract_layers(Fails(), images[:250], "output", batch_size=100, memmap=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error(network, images, tmp_path, monkeypatch):
    import errno

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match=r"No room for the .* GiB features") as caught:
        extract_layers(network, images, ["conv", "output"], memmap=tmp_path)
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_disk_that_fills_is_an_error(network, images, tmp_path, monkeypatch):
    from sksmooth.networks import storage

    made = storage.tempfile.NamedTemporaryFile

    def on_full_disk(**options):
        file = made(**options)
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        return file

    monkeypatch.setattr(storage.tempfile, "NamedTemporaryFile", on_full_disk)
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with pytest.raises(OSError, match="No room"):
        extract_layers(network, images, "conv", memmap=tmp_path)


# scikit-learn


@parametrize_with_checks([LayerFeatureTransformer(nn.Flatten())])
def test_estimator_checks(estimator, check):
    check(estimator)


def test_a_pipeline_measures_a_layer(network, digits):
    X, y = digits
    pipeline = make_pipeline(
        layer_of(network, "pool"), BesovSmoothnessEstimator(random_state=0)
    )
    alpha = pipeline.fit(X, y)[-1].alpha_
    layer = layer_of(network, "pool", random_state=0).fit(X)
    assert layer.score(X, y) == alpha
    estimator = BesovSmoothnessEstimator(3, random_state=0)
    assert layer.set_params(estimator=estimator).score(X, y) != alpha
    assert not hasattr(estimator, "alpha_")


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_grid_search_over_layers(network, digits, backend):
    X, y = digits[0][:100], digits[1][:100]
    estimator = BesovSmoothnessEstimator(2, random_state=0)
    layers = ["input", -1]
    search = GridSearchCV(
        layer_of(network, "input", estimator=estimator), {"layer": layers}, cv=2
    )
    reference = clone(search).fit(X, y).cv_results_["mean_test_score"]
    with parallel_config(backend, n_jobs=2):
        search.fit(X, y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], reference)
    assert np.isfinite(reference).all()
    assert search.best_estimator_.module is network
    assert all(not module._forward_hooks for module in network.modules())


def test_passes_in_several_threads_do_not_mix(network, images):
    network.train()
    reference = {name: extract_layers(network, images, name).arrays[0] for name in NAMES}
    results = {}

    def run(name):
        results[name] = [
            extract_layers(network, images, name, batch_size=256).arrays[0]
            for _ in range(3)
        ]

    threads = [threading.Thread(target=run, args=[name]) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in NAMES:
        for array in results[name]:
            np.testing.assert_array_equal(array, reference[name])
    assert all(module.training for module in network.modules())


def test_clones_share_the_module(network, digits):
    layer = layer_of(network, "conv", estimator=BesovSmoothnessEstimator(3))
    layer.set_output(transform="pandas").fit(digits[0])
    again = clone(layer)
    assert again.module is network
    assert again.estimator is not layer.estimator
    assert not hasattr(again, "layer_names_")
    assert isinstance(again.fit_transform(digits[0]), pd.DataFrame)
    assert layer.module is network


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda fitted: pickle.loads(pickle.dumps(fitted))]
)
def test_copies_have_their_own_module(network, digits, copied):
    layer = layer_of(network, ["conv", "output"], max_features=9, random_state=0)
    features = layer.fit_transform(digits[0])
    again = copied(layer)
    assert again.module is not network
    np.testing.assert_array_equal(again.transform(digits[0]), features)


def test_pandas_output_has_the_names(network, digits):
    X, _ = digits
    index = [f"row {i}" for i in range(len(X))]
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)], index=index)
    layer = layer_of(network, "head.fc1").set_output(transform="pandas").fit(frame)
    features = layer.transform(frame)
    assert list(features.columns) == list(layer.get_feature_names_out())
    assert list(features.index) == index
    with pytest.raises(ValueError, match="input_features"):
        layer.get_feature_names_out(["other"] * 64)


def test_the_transformer_must_be_fitted(network, digits):
    layer = layer_of(network, "conv")
    for call in (
        layer.get_feature_names_out,
        lambda: layer.transform(digits[0]),
        lambda: layer.score(*digits),
    ):
        with pytest.raises(NotFittedError):
            call()


def test_a_progress_bar_is_shown(network, images, capsys):
    extract_layers(network, images, "output", batch_size=100, verbose=1)
    assert "layers [##############################] 3/3" in capsys.readouterr().err
    extract_layers(network, images, "output")
    assert capsys.readouterr().err == ""


def test_the_package_imports_no_torch():
    code = (
        "import sys, sksmooth; assert 'torch' not in sys.modules; "
        "sksmooth.LayerFeatureTransformer(None); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torch_the_extra_is_named():
    code = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'")

sys.meta_path.insert(0, NoTorch())
import numpy as np
from sksmooth import BesovSmoothnessEstimator, LayerFeatureTransformer, list_layers
X = np.random.RandomState(0).rand(50, 2)
BesovSmoothnessEstimator(2).fit(X, X[:, 0] > 0.5)
for call in (LayerFeatureTransformer(None).fit, lambda X: list_layers(None)):
    try:
        call(X)
    except ImportError as error:
        assert 'pip install "sksmooth[torch]"' in str(error)
    else:
        raise AssertionError("no error")
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.parametrize("n_rows", [1, 5, 7, 30])
def test_default_layers_do_not_depend_on_the_number_of_samples(n_rows):
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.token, self.place = nn.Embedding(9, 4), nn.Embedding(7, 4)
            self.head = nn.Linear(4, 3)

        def forward(self, tokens):
            places = self.place(torch.arange(7)[None])
            turned = self.token(tokens.T).transpose(0, 1)
            return self.head((turned + places).mean(1))

    tokens = np.random.RandomState(0).randint(9, size=(n_rows, 7))
    assert default_layers(Tokens(), tokens) == ["head"]


def test_no_distances_have_no_error(network, images):
    options = dict(max_features=5, random_state=0, first_batch_only=True)
    one = extract_layers(network, images, "conv", batch_size=1, **options)
    assert np.isnan(one.projection_errors[0])
    many = extract_layers(network, images, "conv", batch_size=100, **options)
    assert many.projection_errors[0] > 0


def test_images_may_be_nested_lists(network, images):
    layer = LayerFeatureTransformer(nn.Flatten())
    nested = images[:6, 0].tolist()
    np.testing.assert_allclose(layer.fit_transform(nested), images[:6, 0].reshape(6, -1))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ma.masked_greater(np.ones((9, 4)), 0.5), "masked"),
        ([[10**400] * 4] * 9, "X holds numbers that are too large"),
    ],
)
def test_samples_that_are_no_float64_numbers(X, message):
    with pytest.raises(ValueError, match=message):
        LayerFeatureTransformer(nn.Linear(4, 2)).fit(X)
