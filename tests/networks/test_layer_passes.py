"""A pass through a network leaves nothing behind, and says what it cannot read."""

import threading

import numpy as np
import pytest

from sksmooth import LayerFeatureTransformer, list_layers

torch = pytest.importorskip("torch")

from layer_reading import Network, hooks_of, read, rows_of  # noqa: E402

nn = torch.nn

X = np.random.RandomState(0).rand(40, 6)


def make_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 5),
        nn.BatchNorm1d(5),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Sequential(nn.Linear(5, 4), nn.Tanh()),
        nn.Linear(4, 3),
    )


def calling(function=lambda x: x, width=5):
    """A network that calls a function between two linear layers."""
    return Network(
        lambda self, x: self.second(function(self.first(x))),
        **dict(first=nn.Linear(6, 5), second=nn.Linear(width, 4)),
    )


def state_of(network):
    """All that a pass must not change."""
    return (
        [module.training for module in network.modules()],
        hooks_of(network),
        [value.clone() for value in network.state_dict().values()],
        [None if p.grad is None else p.grad.clone() for p in network.parameters()],
        [p.requires_grad for p in network.parameters()],
        [sorted(module.__dict__) for module in network.modules()],
        torch.get_rng_state(),
        torch.is_grad_enabled(),
    )


def assert_same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        if isinstance(one, torch.Tensor):
            assert torch.equal(one, other)
        elif isinstance(one, list):
            assert_same(one, other)
        else:
            assert one == other


WAYS = {
    "several layers": lambda network: read(network, X, [0, 3, "output"]),
    "early": lambda network: read(network, X, 0, batch_size=7),
    "batches": lambda network: read(network, X, -1, batch_size=7),
    "layers left open": lambda network: read(network, X),
    "list_layers": lambda network: list_layers(network, X),
    "fit": lambda network: LayerFeatureTransformer(network).fit(X),
    "transform": lambda network: LayerFeatureTransformer(network).fit(X).transform(X),
    "shuffled": lambda network: read(
        network,
        torch.utils.data.DataLoader(torch.tensor(X).float(), 8, shuffle=True),
        "output",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_pass_changes_nothing(way):
    network = make_network()
    network[4].eval()
    network[0].weight.requires_grad_(False)
    network(torch.rand(8, 6)).sum().backward()
    before = state_of(network)
    WAYS[way](network)
    assert_same(state_of(network), before)
    network(torch.rand(8, 6)).sum().backward()  # can be trained on


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
@pytest.mark.parametrize(
    ("way", "at"),
    [
        ("several layers", 1),
        ("batches", 1),
        ("batches", 4),
        ("layers left open", 1),
        ("layers left open", 2),
        ("list_layers", 1),
        ("transform", 2),
    ],
)
def test_a_pass_that_ends_early_changes_nothing(error, way, at):
    network = make_network()
    calls = []

    def interrupt(*_):
        calls.append(1)
        if len(calls) == at:
            raise error("stop")

    handle = network[4][0].register_forward_pre_hook(interrupt)
    before = state_of(network)
    with pytest.raises(error, match="stop"):
        WAYS[way](network)
    assert_same(state_of(network), before)
    handle.remove()
    read(network, X)


def test_ctrl_c_between_batches_changes_nothing(tmp_path):
    def batches():
        yield torch.rand(5, 6)
        yield torch.rand(5, 6)
        raise KeyboardInterrupt

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return batches()

    network = make_network()
    before = state_of(network)
    loader = torch.utils.data.DataLoader(Stream(), batch_size=None)
    with pytest.raises(KeyboardInterrupt):
        read(network, loader, 0, memmap=tmp_path)
    assert_same(state_of(network), before)
    assert list(tmp_path.iterdir()) == []


def test_generators_of_a_loader_are_as_before():
    generator = torch.Generator().manual_seed(3)
    data = torch.tensor(X).float()
    loader = torch.utils.data.DataLoader(data, 8, shuffle=True, generator=generator)
    state = generator.get_state()
    first = rows_of(make_network(), loader, "input")
    assert torch.equal(generator.get_state(), state)
    np.testing.assert_array_equal(np.concatenate([b.numpy() for b in loader]), first)


def test_the_pass_is_in_evaluation_mode_without_gradients():
    seen = []

    def look(x):
        seen.append((torch.is_inference_mode_enabled(), network.training, x.requires_grad))
        return x

    network = calling(look)
    read(network, X, "output")
    assert seen == [(True, False, False)]


def test_training_flags_are_set_without_calling_train():
    class Merging(nn.Linear):
        def train(self, mode=True):
            raise AssertionError("does more than to set a flag")

    network = nn.Sequential(Merging(6, 2), nn.Dropout())
    features = rows_of(network, X, "1")
    np.testing.assert_array_equal(features, rows_of(network, X, "0"))


def test_the_pass_stops_after_the_last_layer():
    calls = []
    network = calling(lambda x: calls.append(1) or x)
    read(network, X, "first", batch_size=10)
    assert len(calls) == 1  # the first batch counts the calls of the modules
    layer = LayerFeatureTransformer(network, "first", batch_size=10).fit(X)
    calls.clear()
    layer.transform(X)
    assert calls == []


def test_what_fails_after_the_last_layer_is_of_no_concern():
    network = calling(width=7)  # does not fit
    assert rows_of(network, X, "first").shape == (40, 5)
    with pytest.raises(RuntimeError) as caught:
        read(network, X, "second")
    assert "batch of (40, 6) torch.float32; see input_shape" in caught.value.__notes__[0]


def test_a_module_cannot_catch_the_end_of_a_pass():
    def run(self, x):
        try:
            return self.first(x)
        except Exception:
            return self.first(2 * x)

    network = Network(run, first=nn.Linear(6, 5))
    features = rows_of(network, X, "first", batch_size=10)
    with torch.no_grad():
        np.testing.assert_allclose(features, network.first(torch.tensor(X).float()))
    with pytest.raises(TypeError, match="not a tensor"):
        read(network, X, "first", output=lambda _: "text")


@pytest.mark.parametrize("order", [(0, 2), (2, 0)])
def test_values_are_copied_before_they_are_changed_in_place(order):
    network = nn.Sequential(nn.Identity(), nn.Flatten(), nn.ReLU(inplace=True))
    Z = np.random.RandomState(0).randn(40, 6).astype(np.float32)
    for data in (Z.copy(), torch.tensor(Z)):
        features = read(network, data, ["input", *order, 1])
        by_name = dict(zip(features.names, features.arrays, strict=True))
        for name in ("input", "0", "1"):
            np.testing.assert_array_equal(by_name[name], Z)
        np.testing.assert_array_equal(by_name["2"], np.maximum(Z, 0))
        np.testing.assert_array_equal(data, Z)  # that of the user
    read_only = Z.copy()
    read_only.flags.writeable = False
    read(network, read_only, 1)


def test_hooks_of_the_user_stay_and_count():
    network = make_network()
    plain = rows_of(network, X, "5")
    calls = []
    network[0].register_forward_hook(lambda *_: calls.append(1))
    network[5].register_forward_hook(lambda module, args, out: out + 1)
    np.testing.assert_allclose(rows_of(network, X, "5"), plain + 1, rtol=1e-5)
    assert calls
    assert sum(hooks_of(network)) == 2


def test_control_flow_that_depends_on_the_data():
    network = Network(
        lambda self, x: self.low(x) if x.mean() < 0.5 else self.high(x),
        **dict(low=nn.Linear(6, 3), high=nn.Linear(6, 3)),
    )
    rows = X[np.argsort(X.mean(1))]
    assert rows_of(network, rows, "output", batch_size=20).shape == (40, 3)
    assert rows_of(network, rows[:20], "low").shape == (20, 3)
    with pytest.raises(ValueError, match="'low' is not reached"):
        read(network, rows, "low", batch_size=20)
    with pytest.raises(ValueError, match="'high' is not reached"):
        read(network, rows, "high", batch_size=20)


def test_the_user_may_be_in_autocast_or_inference_mode():
    network = make_network()
    reference = rows_of(network, X, "output")
    with torch.inference_mode():
        np.testing.assert_array_equal(rows_of(network, X, "output"), reference)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        array = rows_of(network, X, "output")
    assert array.dtype == np.float32
    np.testing.assert_allclose(array, reference, atol=0.05)


def test_a_data_set_that_keeps_its_tensors_can_be_trained_on():
    class Keeping(torch.utils.data.Dataset):
        kept = {}

        def __len__(self):
            return 40

        def __getitem__(self, i):
            return self.kept.setdefault(i, torch.tensor(X[i]).float() + 0)

    network, data = make_network(), Keeping()
    read(network, data, "output")
    network(torch.stack([data[i] for i in range(8)])).sum().backward()
    assert not any(tensor.is_inference() for tensor in data.kept.values())


def test_what_a_module_writes_to_itself_is_put_back():
    def run(self, x):
        self.n += 1
        self.state, self.cache = self.linear(x), torch.rand(5)
        self.kept["parts"] = [self.state, (self.state, "text")]
        self.late = self.state
        return self.state

    network = Network(run, linear=nn.Linear(6, 5), state=torch.zeros(3, 5), kept={})
    network.register_buffer("n", torch.zeros(1))
    network.register_buffer("cache", None)
    state, counter = network.state, network.n
    list_layers(network, X)
    read(network, X)
    read(network, X, "output", batch_size=4)
    assert network.n is counter
    assert network.n.item() == 0
    assert network.state is state
    assert network.cache is None
    assert not hasattr(network, "late")
    # What it keeps in containers of its own stays, but can be trained with.
    (kept, (same, text)) = network.kept["parts"]
    assert not kept.is_inference()
    assert not same.is_inference()
    assert text == "text"
    (network(torch.rand(4, 6)) * kept[:4]).sum().backward()
    assert network.linear.weight.grad is not None


def test_sparse_buffers_and_containers_that_hold_themselves():
    network = Network(
        lambda self, x: torch.sparse.mm(self.adjacency, self.linear(x).T).T,
        **dict(linear=nn.Linear(6, 6), loop=[]),
    )
    network.loop.append(network.loop)
    network.register_buffer("adjacency", torch.eye(6).to_sparse())
    assert rows_of(network, X, "output").shape == (len(X), 6)
    assert all(module.training for module in network.modules())


def test_the_device_without_numbers_is_refused():
    network = make_network()
    with pytest.raises(ValueError, match="meta"):
        read(network, X, "output", device="meta")
    assert {p.device.type for p in network.parameters()} == {"cpu"}


def test_compiled_networks_are_read_as_they_were():
    network = make_network()
    reference = read(network, X, ["4", "output"]).arrays
    compiled = torch.compile(network, backend="eager")
    for array, other in zip(
        read(compiled, X, ["4", "output"]).arrays, reference, strict=True
    ):
        np.testing.assert_allclose(array, other, atol=1e-6)


def test_nothing_waits_after_an_error():
    with pytest.raises(ValueError, match="no layer"):
        read(make_network(), X, "none")
    done = threading.Thread(target=read, args=(make_network(), X, 0))
    done.start()
    done.join(timeout=60)
    assert not done.is_alive()


# Errors


def refuses(error, match, network, data=X, layer="output", **options):
    before = hooks_of(network) if isinstance(network, nn.Module) else None
    with pytest.raises(error, match=match):
        read(network, data, layer, **options)
    with pytest.raises(error, match=match):
        LayerFeatureTransformer(network, layer, **options).fit(data).transform(data)
    if before is not None:
        assert hooks_of(network) == before


@pytest.mark.parametrize(
    ("layer", "error", "match"),
    [
        ("fist", ValueError, r"no layer 'fist'; did you mean 'first'\?.*list_layers"),
        ("block.second", ValueError, "did you mean 'second'"),
        ("zzz", ValueError, "did you mean 'input', 'output', 'first'"),
        ("first:x", ValueError, "no layer 'first:x'"),
        (2, ValueError, "no layer 2: the network has 2 leaf modules"),
        (-3, ValueError, "no layer -3"),
        (["first", 0], ValueError, "'first' is named more than once"),
        ([], ValueError, "layers is empty"),
        ([None], TypeError, "must be a str or an int"),
        (1.5, TypeError, "a list of these|layer"),
        ("unused", ValueError, "'unused' is not reached"),
    ],
)
def test_layers_that_are_not_there(layer, error, match):
    network = calling()
    if layer == "unused":
        network.unused = nn.Linear(1, 1)
    with pytest.raises(error, match=match):
        read(network, X, layer)


@pytest.mark.parametrize(
    ("function", "error", "match"),
    [
        (lambda x: x[:-1], ValueError, "gives 39 rows for 40 samples"),
        (lambda x: torch.cat([x, x]), ValueError, "gives 80 rows for 40 samples"),
        (lambda x: x.sum(), ValueError, "one number for all 40 samples"),
        (lambda x: "text", TypeError, "returns str, not a tensor"),
        (lambda x: None, TypeError, "returns NoneType, not a tensor"),
        (lambda x: {"a": x, "b": x}, ValueError, r"2 tensors; .*\['a', 'b'\]"),
        (lambda x: x.to_sparse(), TypeError, "of a kind that cannot be read"),
        (lambda x: torch.complex(x, x), TypeError, "of a kind that cannot be read"),
        (lambda x: x / 0, ValueError, r"NaN or infinity for 40 of 40 .*rows 0, 1, 2, 3, 4"),
        (lambda x: (), TypeError, "returns tuple"),
    ],
)
def test_outputs_that_are_no_rows(function, error, match):
    part = Network(lambda self, x: function(x))
    network = Network(lambda self, x: (self.part(x), x)[1], part=part)
    refuses(error, match, network, layer="part")


def test_output_that_is_not_there():
    network = nn.LSTM(6, 2, batch_first=True)
    sequences = np.random.RandomState(0).rand(8, 3, 6)
    refuses(ValueError, "output=5 is not in", network, sequences, output=5)
    refuses(ValueError, "tuple of Tensor, tuple", network, sequences, output="state")


def test_rows_with_nan_are_named():
    network = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    data = torch.tensor(X).float()
    data[[13, 27], 2] = torch.nan
    with pytest.raises(ValueError, match=r"'1' gives NaN or infinity .* rows 13 of X"):
        read(network, data, "1", batch_size=20)
    with pytest.raises(ValueError, match=r"'input' .* for 2 of 40 .* rows 13, 27 of X"):
        read(network, data, ["input", "1"])
    with pytest.raises(ValueError, match="contains NaN"):
        read(network, data.numpy(), "1")


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (np.empty((0, 6)), "0 sample"),
        (torch.empty(0, 6), "no samples"),
        ({"x": np.empty((0, 6))}, "no samples"),
        (torch.utils.data.TensorDataset(torch.empty(0, 6)), "no samples"),
        (torch.utils.data.DataLoader(torch.rand(5, 6), 8, drop_last=True), "no samples"),
        (torch.utils.data.DataLoader(torch.rand(2, 0, 6), None), "no samples"),
        ({"x": np.ones((3, 6)), "y": np.ones((2, 6))}, "differ in their numbers of rows"),
        ({"x": [[1, 2], [1]]}, "inhomogeneous|pad sequences"),
        (np.ones(6), "1D array"),
        (torch.ones(6), "rows must be the samples"),
        (torch.utils.data.TensorDataset(*[torch.rand(5, 6)] * 3), "batch has 3 parts"),
        (np.array([["a"] * 6] * 3), "could not convert|dtype"),
    ],
)
def test_samples_that_are_none(data, match):
    with pytest.raises(ValueError, match=match):
        read(make_network(), data, "output")


def test_shapes_that_do_not_fit():
    network = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Flatten())
    too_small = dict(input_shape=(1, 2, 2))
    refuses(ValueError, r"=\(1, 2, 2\) has 4 .* has 6", network, **too_small)
    layer = LayerFeatureTransformer(network, input_shape=(1, 2, 3)).fit(X)
    with pytest.raises(ValueError, match="5 features"):
        layer.transform(X[:, :5])
    layer = LayerFeatureTransformer(network).fit(np.ones((4, 1, 3, 3)))
    with pytest.raises(ValueError, match="gives 18 features, but 8 for earlier samples"):
        layer.transform(np.ones((4, 1, 4, 4)))
    with pytest.raises(ValueError, match="input_shape applies to one array"):
        read(network, {"input": X}, input_shape=(1, 2, 3))


def test_a_network_of_several_inputs_has_no_one_input():
    network = Network(lambda self, left, right: left + right)
    both = {"left": X, "right": X}
    np.testing.assert_allclose(rows_of(network, both, "output"), 2 * X)
    with pytest.raises(ValueError, match=r"several inputs, \['left', 'right'\]"):
        read(network, both, "input")
    with pytest.raises(ValueError, match="no module with weights"):
        read(network, both)


def test_masks_that_do_not_fit():
    network = Network(lambda self, x, attention_mask: x)
    data = {"x": np.ones((3, 4, 2)), "attention_mask": np.ones((3, 5), int)}
    refuses(ValueError, r"shape \(3, 5\).*4 tokens", network, data, pooling="mean")
    data["attention_mask"] = np.eye(3, 4, -1)
    refuses(ValueError, "leaves no token", network, data, pooling="last")
    data["attention_mask"] = -np.ones((3, 4))
    refuses(ValueError, "1 for tokens and 0 for padding", network, data, pooling="mean")


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: nn.DataParallel(nn.Linear(6, 2)), ValueError, "pass .*module.module"),
        (lambda: nn.Linear(6, 2, device="meta"), ValueError, "'weight' .* meta tensor"),
        (lambda: nn.LazyLinear(2), ValueError, "not initialised"),
        (lambda: nn.LSTM(6, 2), ValueError, "batch_first=True"),
        (lambda: nn.TransformerEncoderLayer(6, 2), ValueError, "batch_first=True"),
        (lambda: torch.jit.script(nn.Linear(6, 2)), ValueError, "torch.jit"),
        (lambda: "network", TypeError, "torch.nn.Module or a fitted skorch net, got str"),
        (lambda: nn.Linear, TypeError, "got type"),
    ],
)
def test_modules_that_cannot_be_read(make, error, match):
    refuses(error, match, make())
    with pytest.raises(error, match=match):
        list_layers(make())


@pytest.mark.skipif(not torch.distributed.is_available(), reason="no torch.distributed")
def test_distributed_copies_cannot_be_read():
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        copies = nn.parallel.DistributedDataParallel(nn.Linear(6, 2))
        refuses(ValueError, "DistributedDataParallel .*module.module", copies)
        assert rows_of(copies.module, X, "output").shape == (40, 2)
    finally:
        torch.distributed.destroy_process_group()


@pytest.mark.skipif(torch.cuda.is_available(), reason="has CUDA")
def test_devices_that_are_not_there():
    network = make_network()
    for device in ("cuda", "cuda:3", "gpu", torch.device("cuda")):
        before = state_of(network)
        with pytest.raises(ValueError, match=r"device=.* cannot be used"):
            read(network, X, "output", device=device)
        assert_same(state_of(network), before)
    assert rows_of(network, X, "output", device="cpu").shape == (40, 3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("fails", [False, True])
def test_a_network_is_moved_and_moved_back(fails):
    network = make_network()
    reference = rows_of(network, X, "output")
    before, cuda_state = state_of(network), torch.cuda.get_rng_state()
    if fails:
        network[5].forward = lambda x: 1 / 0
        with pytest.raises(ZeroDivisionError):
            read(network, X, "output", device="cuda")
        del network[5].forward
    else:
        array = rows_of(network, X, "output", device="cuda")
        np.testing.assert_allclose(array, reference, atol=1e-5)
        network.cuda()
        np.testing.assert_allclose(
            rows_of(network, torch.tensor(X).float().cuda(), "output"),
            reference,
            atol=1e-5,
        )
        network.cpu()
    assert_same(state_of(network), before)
    assert torch.equal(torch.cuda.get_rng_state(), cuda_state)
