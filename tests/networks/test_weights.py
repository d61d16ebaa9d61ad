"""Layers whose weights are no parameters, and parameters that make no layer."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")
quantization = pytest.importorskip("torch.ao.quantization")

from layer_reading import Network, read, rows_of  # noqa: E402
from torch.nn.utils import prune  # noqa: E402

from sksmooth import compare_layers, list_layers  # noqa: E402

nn = torch.nn
X = np.random.RandomState(0).rand(40, 6).astype(np.float32)
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*(quant|deprecated)"),
    pytest.mark.filterwarnings("ignore:.*reduce_range"),
    pytest.mark.filterwarnings("ignore:.*observer"),
]


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))


def counts(module, *samples):
    listed = list_layers(module, *samples)
    return dict(zip(listed["layer"], listed["n_parameters"], strict=True))


# --- weights that are no parameters --------------------------------------------------


def test_dynamically_quantised_layers_are_listed_and_followed():
    quantised = quantization.quantize_dynamic(network(), {nn.Linear}, dtype=torch.qint8)
    for samples in ((), (X,)):
        listed = list_layers(quantised, *samples)
        assert list(listed["layer"]) == ["input", "0", "1", "2", "output"]
        assert list(listed["n_parameters"]) == [0, 35, 0, 18, 53]
        assert list(listed["is_leaf"]) == [False, True, True, True, False]
    features = read(quantised, X)
    assert features.types == ["input", "Linear + ReLU", "Linear"]
    with torch.no_grad():
        assert_allclose(features.arrays[2], quantised(torch.tensor(X)), rtol=1e-5)
    y = np.arange(40) % 2
    names = list(compare_layers(quantised, X, y, random_state=0)["layer"])
    assert names == list(compare_layers(network(), X, y, random_state=0)["layer"])
    assert read(quantised, X, 0).names == ["0"]  # and not what it is packed in


def test_a_network_quantised_in_part_keeps_its_layers():
    mixed = nn.Sequential(network(), nn.Linear(3, 4))
    mixed[0] = quantization.quantize_dynamic(mixed[0], {nn.Linear}, dtype=torch.qint8)
    assert read(mixed, X).names == ["input", "0.1", "0.2", "1"]
    assert counts(mixed)["output"] == 53 + 16


def test_statically_quantised_layers_are_read_as_numbers():
    module = nn.Sequential(quantization.QuantStub(), *network(), quantization.DeQuantStub())
    module.eval().qconfig = quantization.get_default_qconfig("x86")
    prepared = quantization.prepare(module)
    prepared(torch.tensor(X))
    quantised = quantization.convert(prepared)
    features = read(quantised, X)
    assert features.types == ["input", "Linear + ReLU", "Linear + DeQuantize"]
    assert_allclose(features.arrays[1], rows_of(network(), X, "1"), atol=0.05)
    assert counts(quantised)["output"] == 53


@pytest.mark.parametrize("batch_first", [True, False])
def test_quantised_recurrent_layers_have_the_samples_first(batch_first):
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 4, batch_first=batch_first)

    def run(self, x):
        values = self.lstm(x if batch_first else x.transpose(0, 1))[0]
        return values if batch_first else values.transpose(0, 1)

    plain = Network(run, lstm=lstm)
    quantised = quantization.quantize_dynamic(plain, {nn.LSTM}, dtype=torch.qint8)
    sequences = np.random.RandomState(0).rand(9, 5, 3)
    features = read(quantised, sequences)
    assert features.names == ["input", "lstm"]
    expected = rows_of(plain, sequences, "lstm")
    assert_allclose(features.arrays[1], expected, atol=0.02)
    assert counts(quantised)["lstm"] == 4 * 4 * (3 + 4) + 2 * 16


class Fixed(nn.Module):
    """A linear layer whose weights are kept in one of several ways."""

    def __init__(self, n_in, n_out, way):
        super().__init__()
        weight = torch.randn(n_out, n_in, generator=torch.Generator().manual_seed(n_in))
        self.way = way
        if way == "buffer":
            self.register_buffer("weight", weight)
        elif way == "buffer of any name":
            self.register_buffer("directions", weight.T.contiguous())
        elif way == "attribute":
            self.weight = weight
        elif way == "beside a parameter":
            self.register_buffer("weight", weight)
            self.bias = nn.Parameter(torch.zeros(n_out))
        elif way == "eight bits":  # as bitsandbytes keeps them
            self.weight = (30 * weight).to(torch.int8)
            self.scale = torch.tensor(1 / 30)

    def forward(self, x):
        if self.way == "buffer of any name":
            return x @ self.directions
        weight = self.weight.to(x.dtype)
        return x @ (weight * self.scale if self.way == "eight bits" else weight).T


@pytest.mark.parametrize(
    "way",
    ["buffer", "buffer of any name", "attribute", "beside a parameter", "eight bits"],
)
def test_fixed_weights_make_a_layer(way):
    module = nn.Sequential(Fixed(6, 5, way), nn.ReLU(), Fixed(5, 5, way), nn.Tanh())
    features = read(module, X)
    assert features.types == ["input", "Fixed + ReLU", "Fixed + Tanh"]
    if way == "buffer of any name":
        return
    bias = 5 if way == "beside a parameter" else 0
    assert counts(module, X)["0"] == counts(module)["0"] == 30 + bias


def test_a_linear_layer_with_frozen_weights_is_a_layer():
    module = network()
    for layer in (module[0], module[2]):
        for name, value in list(layer.named_parameters()):
            delattr(layer, name)
            layer.register_buffer(name, value.detach())
    assert read(module, X).types == ["input", "Linear + ReLU", "Linear"]
    assert counts(module)["0"] == 30


def test_weights_that_are_computed_of_others_count_once():
    parametrized = nn.utils.parametrizations.weight_norm(nn.Linear(6, 5))
    pruned = nn.Linear(5, 4)
    prune.l1_unstructured(pruned, "weight", 0.5)
    module = nn.Sequential(parametrized, pruned)
    assert counts(module)["0"] == 5 + 30 + 5
    assert counts(module)["1"] == 20 + 4
    assert read(module, X).names == ["input", "0", "1"]


class Positions(nn.Module):
    """Adds a fixed table, one row a place."""

    def __init__(self):
        super().__init__()
        self.register_buffer("table", torch.randn(50, 5))
        self.register_buffer("mask", torch.ones(50, 50))

    def forward(self, x):
        return x + self.table[: x.shape[1]]


class Standardised(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, 6))
        self.register_buffer("std", torch.ones(1, 6))

    def forward(self, x):
        return (x - self.mean) / self.std


def test_buffers_that_are_no_weights_make_no_layer():
    module = nn.Sequential(
        Standardised(), nn.Linear(6, 5), nn.BatchNorm1d(5, affine=False), nn.Linear(5, 2)
    )
    assert read(module, X).types == ["input", "Linear + BatchNorm1d", "Linear"]
    assert counts(module)["2"] == 0
    module = nn.Sequential(nn.Embedding(30, 5), Positions(), nn.Linear(5, 2))
    tokens = np.random.RandomState(0).randint(30, size=(20, 4))
    assert read(module, tokens).types == ["Embedding + Positions", "Linear"]
    assert counts(module)["1"] == 0


# --- parameters that make no layer ---------------------------------------------------


class MyPReLU(nn.PReLU):
    pass


class LearnedSlope(nn.ReLU):
    def __init__(self):
        super().__init__()
        self.slopes = nn.Parameter(torch.ones(3, 5))

    def forward(self, x):
        return super().forward(x) * self.slopes.sum(0)


class Snake(nn.Module):
    """An activation of a user, with a parameter for each feature."""

    def __init__(self, n_features=5):
        super().__init__()
        self.frequency = nn.Parameter(torch.ones(n_features))

    def forward(self, x):
        return x + torch.sin(self.frequency * x) ** 2


class LayerScale(nn.Module):
    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((5,), 0.1))

    def forward(self, x):
        return x * self.gamma


class Hinges(nn.Module):
    """An activation of a user, with a matrix of weights: some hinges for each feature."""

    def __init__(self):
        super().__init__()
        self.slopes, self.knots = (nn.Parameter(torch.randn(3, 5)) for _ in range(2))

    def forward(self, x, *, floor=0.0):
        hinges = (x[:, None] - self.knots).clamp(min=floor) * self.slopes
        return x.relu() + hinges.sum(1)


class Mixing(nn.Module):
    """A layer of a user, by two narrow matrices, which keeps the shape."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.down, self.up = nn.Parameter(torch.randn(5, 2)), nn.Parameter(torch.ones(2, 5))
        self.up.data *= scale

    def forward(self, x):
        return x + x @ self.down @ self.up


class GlobalResponse(nn.Module):  # a normalisation of another name
    def __init__(self):
        super().__init__()
        self.gamma, self.beta = (nn.Parameter(torch.ones(1, 5)) for _ in range(2))

    def forward(self, x):
        return self.gamma * x / x.norm(dim=1, keepdim=True) + self.beta


@pytest.mark.parametrize(
    "make",
    [
        *(nn.PReLU, lambda: nn.PReLU(5), nn.RReLU, MyPReLU, LearnedSlope, Snake),
        *(Hinges, LayerScale, GlobalResponse, lambda: nn.LayerNorm(5), nn.Identity),
    ],
)
def test_activations_with_weights_belong_to_the_layer_before(make):
    torch.manual_seed(0)
    part = make()
    module = nn.Sequential(nn.Linear(6, 5), part, nn.Dropout(), nn.Linear(5, 1), nn.PReLU())
    kind = type(part).__name__
    features = read(module, X)
    assert features.types == ["input", f"Linear + {kind} + Dropout", "Linear + PReLU"]
    assert features.names == ["input", "2", "4"]
    assert counts(module)["1"] == sum(p.numel() for p in part.parameters())


@pytest.mark.parametrize("scale", [1, 0])  # some adapters begin with weights of zero
def test_layers_that_keep_the_shape_are_layers(scale):
    module = nn.Sequential(nn.Linear(6, 5), Mixing(scale), nn.ReLU())
    assert read(module, X).types == ["input", "Linear", "Mixing + ReLU"]


def test_poolings_with_weights_belong_to_the_layer_before():
    class GeneralisedMeanPool(nn.Module):
        def __init__(self):
            super().__init__()
            self.power = nn.Parameter(torch.tensor([3.0]))

        def forward(self, x):
            return x.clamp(min=1e-6).pow(self.power).mean((2, 3)).pow(1 / self.power)

    module = nn.Sequential(nn.Conv2d(1, 4, 3), GeneralisedMeanPool(), nn.Linear(4, 2))
    features = read(module, np.ones((9, 1, 6, 6)))
    assert features.types == ["input", "Conv2d + GeneralisedMeanPool", "Linear"]


def test_layers_of_few_weights_are_layers():
    class Line(nn.Linear):
        pass

    class Weighted(nn.Module):  # a user's layer with one output
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(5))

        def forward(self, x):
            return (x * self.weight).sum(1, keepdim=True)

    module = nn.Sequential(Line(6, 5), Weighted(), nn.Linear(1, 1), nn.Linear(1, 4))
    assert read(module, X).types == ["input", "Line", "Weighted", "Linear", "Linear"]
    series = np.ones((9, 1, 8))
    module = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Conv1d(1, 1, 3), nn.PReLU())
    assert read(module, series).types == ["input", "Conv1d", "Conv1d + PReLU"]
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    module = Network(lambda self, x: self.attention(x, x, x)[0], attention=attention)
    assert read(module, np.ones((9, 3, 4))).names == ["input", "attention"]
