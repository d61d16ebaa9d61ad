"""Networks that are compiled in parts or in place are read as if they were not."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")

from layer_reading import Network, hooks_of, padded, read, rows_of, some_texts  # noqa: E402

from sksmooth import (  # noqa: E402
    LayerFeatureTransformer,
    SmoothnessMonitor,
    compare_layers,
    list_layers,
)

if not hasattr(torch.compiler, "set_stance"):
    pytest.skip("older torch", allow_module_level=True)

nn = torch.nn
X = np.random.RandomState(0).rand(40, 6).astype(np.float32)
Y = np.arange(40) % 2


class Blocks(nn.Module):
    """A block of two layers, another one, and a head."""

    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Linear(6, 5), nn.ReLU())
        self.blocks = nn.ModuleList(
            [nn.Sequential(nn.Linear(5, 5), nn.BatchNorm1d(5)) for _ in range(2)]
        )
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        x = self.block(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


def compiled(module):
    return torch.compile(module, backend="eager")


def compile_block(network):
    network.block = compiled(network.block)


def compile_all_parts(network):
    network.block[0] = compiled(network.block[0])
    network.block = compiled(network.block)
    for i, block in enumerate(network.blocks):
        network.blocks[i] = compiled(block)
    network.head = compiled(network.head)


def compile_in_place(network):
    network.blocks[0].compile(backend="eager")
    network.compile(backend="eager")


def compile_forward(network):
    network.forward = torch.compile(network.forward, backend="eager")


WAYS = [compile_block, compile_all_parts, compile_in_place, compile_forward]


@pytest.fixture(params=WAYS)
def pair(request):
    torch.manual_seed(0)
    network = Blocks()
    other = copy.deepcopy(network)
    request.param(other)
    return network, other


def test_layers_and_values_are_those_of_the_network_before(pair):
    network, other = pair
    for samples in ((), (X,)):
        expected, found = list_layers(network, *samples), list_layers(other, *samples)
        assert found.equals(expected)
    expected, found = read(network, X), read(other, X)
    assert (
        found.names
        == expected.names
        == ["input", "block.1", "blocks.0.1", *found.names[3:]]
    )
    assert found.types == expected.types
    for array, reference in zip(found.arrays, expected.arrays, strict=True):
        assert_allclose(array, reference, atol=1e-6)
    tables = [compare_layers(each, X, Y, random_state=0) for each in pair]
    columns = ["layer", "type", "n_features", "alpha"]
    assert tables[0][columns].equals(tables[1][columns])


def test_the_network_is_left_as_it_was(pair):
    _, other = pair
    other.train()
    parts = dict(other.named_modules())
    held = {name: set(vars(part)) for name, part in parts.items()}
    hooks = hooks_of(other)
    before = other(torch.tensor(X)).detach()
    layer = LayerFeatureTransformer(other, "block", random_state=0)
    assert layer.fit_transform(X).shape == (40, 5)
    SmoothnessMonitor(other, X, Y).record()
    with pytest.raises(ValueError, match="no layer"):
        read(other, X, "block.9")
    assert dict(other.named_modules()) == parts
    assert {name: set(vars(part)) for name, part in parts.items()} == held
    assert hooks_of(other) == hooks
    assert all(part.training for part in other.modules())
    assert_allclose(other(torch.tensor(X)).detach(), before, atol=1e-6)


def test_it_is_compiled_again_after_a_pass():
    compilations = []

    def backend(graph, _):
        compilations.append(graph)
        return graph.forward

    network = Blocks().eval()
    network.block = torch.compile(network.block, backend=backend)
    read(network, X)
    assert not compilations
    network(torch.tensor(X))
    assert len(compilations) == 1


def test_names_that_torch_gives_are_understood():
    network = Blocks()
    reference = rows_of(network, X, "block.0")
    compile_all_parts(network)
    assert "block._orig_mod.0._orig_mod" in dict(network.named_modules())
    for name in ("block.0", "block._orig_mod.0._orig_mod"):
        features = read(network, X, name)
        assert features.names == ["block.0"]
        assert_allclose(features.arrays[0], reference, atol=1e-6)
    whole = compiled(network)
    assert read(whole, X).names == read(network, X).names
    assert not any("_orig_mod" in name for name in list_layers(whole)["layer"])


def test_a_compiled_part_that_is_no_submodule():
    torch.manual_seed(0)
    inner = nn.Linear(6, 4)
    parts = [compiled(inner)]
    network = Network(lambda self, x: self.head(parts[0](x)), head=nn.Linear(4, 2))
    plain = Network(lambda self, x: self.head(inner(x)), head=network.head)
    assert_allclose(rows_of(network, X, "head"), rows_of(plain, X, "head"), atol=1e-6)


def test_compiled_encoders_and_decoders():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = dict(vocab_size=50, d_model=16, d_kv=8, d_ff=20, num_layers=1, num_heads=2)
    network = transformers.T5Model(
        transformers.T5Config(**sizes, pad_token_id=0, decoder_start_token_id=0)
    )
    X = padded(some_texts(8), 9)
    X["decoder_input_ids"] = padded(some_texts(9)[1:], 9)["input_ids"] + 1
    X["decoder_attention_mask"] = (X["decoder_input_ids"] > 1).astype(int)
    layers = ["encoder", "decoder", "output"]
    expected = read(network, X, layers, pooling="mean").arrays
    network.encoder, network.decoder = compiled(network.encoder), compiled(network.decoder)
    found = read(network, X, layers, pooling="mean").arrays
    for array, reference in zip(found, expected, strict=True):
        assert_allclose(array, reference, atol=1e-5)
