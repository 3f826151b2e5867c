"""Values and gradients of layers against PyTorch's, where it is installed."""

from itertools import product

import numpy as np
import pytest

import tinygrad_dnn as tg
from tinygrad_dnn import nn

torch = pytest.importorskip("torch")
F = torch.nn.functional
rng = np.random.default_rng(0)


def agree(ours, theirs, *arrays, like_theirs=lambda i, a: a):
    """Compare value, first and second derivatives; ``like_theirs`` is our layout in theirs."""
    xs = [tg.Tensor(a) for a in arrays]
    zs = [torch.tensor(like_theirs(i, a), requires_grad=True) for i, a in enumerate(arrays)]
    out, other = ours(*xs), theirs(*zs)
    np.testing.assert_allclose(out.data, other.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = rng.normal(size=out.shape)
    first = tg.grad(out, xs, gradient=g, create_graph=True)
    wanted = torch.autograd.grad(other, zs, torch.tensor(g), create_graph=True)
    for i, (d, w) in enumerate(zip(first, wanted, strict=True)):
        np.testing.assert_allclose(
            like_theirs(i, d.data), w.detach().numpy(), rtol=1e-9, atol=1e-11
        )
    ts = [rng.normal(size=a.shape) for a in arrays]
    along = sum(np.sum(d * t) for d, t in zip(first, ts, strict=True))
    other = sum(
        (w * torch.tensor(like_theirs(i, t))).sum()
        for i, (w, t) in enumerate(zip(wanted, ts, strict=True))
    )
    if not other.requires_grad:
        return
    second = tg.grad(along, xs) if along.node.fn else [np.zeros(x.shape) for x in xs]
    wanted = torch.autograd.grad(other, zs, allow_unused=True)
    for i, (d, w) in enumerate(zip(second, wanted, strict=True)):
        w = np.zeros(d.shape) if w is None else w.numpy()
        np.testing.assert_allclose(like_theirs(i, d), w.reshape(like_theirs(i, d).shape),
                                   rtol=1e-8, atol=1e-9)  # fmt: skip


def normal(*shape):
    return rng.normal(size=shape)


def flat_bias(i, a):
    """Our W and x are torch's; b (n, 1, 1) is (n,) there."""
    return a.ravel() if i == 2 else a


# ---- convolution -----------------------------------------------------------------------------
OPTIONS = [
    {},
    {"stride": 2},
    {"padding": 2},
    {"dilation": 2},
    {"groups": 2},
    {"padding": "same", "dilation": (1, 2)},
    {"padding": "valid", "stride": 2},
    {"stride": (1, 3), "padding": (2, 1), "dilation": (2, 1), "groups": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kernel", [(3, 3), (2, 4), (1, 1)])
@pytest.mark.filterwarnings("ignore:Using padding='same'")  # of an even kernel: PyTorch copies x
def test_conv2d(options, kernel):
    W = normal(6, 4 // options.get("groups", 1), *kernel)
    agree(
        lambda x, W, b: nn.conv2d(x, W, b, **options),
        lambda x, W, b: F.conv2d(x, W, b, **options),
        normal(2, 4, 7, 8), W, normal(6, 1, 1),
        like_theirs=flat_bias,
    )  # fmt: skip


@pytest.mark.parametrize("options", [*OPTIONS[:5], {"stride": 3, "padding": 1, "dilation": 2}])
def test_conv1d(options):
    agree(
        lambda x, W, b: nn.conv1d(x, W, b, **options),
        lambda x, W, b: F.conv1d(x, W, b, **options),
        normal(2, 4, 9), normal(6, 4 // options.get("groups", 1), 3), normal(6, 1),
        like_theirs=flat_bias,
    )  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        *OPTIONS[:5],
        {"stride": 3, "output_padding": (1, 2)},
        {"stride": 2, "groups": 2, "padding": 1},
    ],
    ids=str,
)
def test_conv_transpose2d(options):
    groups = options.get("groups", 1)
    agree(
        lambda x, W, b: nn.conv_transpose2d(x, W, b, **options),
        lambda x, W, b: F.conv_transpose2d(x, W, b, **options),
        normal(2, 4, 4, 5), normal(4, 6 // groups, 3, 2), normal(6, 1, 1),
        like_theirs=flat_bias,
    )  # fmt: skip


SPACE = [{}, {"stride": (1, 2, 1), "padding": (1, 0, 1)}, {"groups": 2}, {"dilation": (2, 1, 1)}]


@pytest.mark.parametrize("options", SPACE, ids=str)
def test_conv3d(options):
    agree(
        lambda x, W, b: nn.conv3d(x, W, b, **options),
        lambda x, W, b: F.conv3d(x, W, b, **options),
        normal(2, 4, 4, 5, 3), normal(6, 4 // options.get("groups", 1), 2, 3, 2),
        normal(6, 1, 1, 1),
        like_theirs=flat_bias,
    )  # fmt: skip


@pytest.mark.parametrize("options", [*SPACE, {"stride": (1, 3, 2), "output_padding": (0, 2, 1)}])
def test_conv_transpose3d(options):
    agree(
        lambda x, W, b: nn.conv_transpose3d(x, W, b, **options),
        lambda x, W, b: F.conv_transpose3d(x, W, b, **options),
        normal(2, 4, 2, 3, 3), normal(4, 6 // options.get("groups", 1), 2, 3, 3),
        normal(6, 1, 1, 1),
        like_theirs=flat_bias,
    )  # fmt: skip


@pytest.mark.parametrize("options", [*OPTIONS[:5], {"stride": 3, "output_padding": 2}])
def test_conv_transpose1d(options):
    agree(
        lambda x, W, b: nn.conv_transpose1d(x, W, b, **options),
        lambda x, W, b: F.conv_transpose1d(x, W, b, **options),
        normal(2, 4, 5), normal(4, 6 // options.get("groups", 1), 3), normal(6, 1),
        like_theirs=flat_bias,
    )  # fmt: skip


WINDOWS = [{}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": 3, "padding": 2}]


@pytest.mark.parametrize("options", WINDOWS, ids=str)
def test_unfold_and_fold(options):
    agree(
        lambda x: nn.unfold(x, (3, 2), **options),
        lambda x: F.unfold(x, (3, 2), **options),
        normal(2, 3, 6, 7),
    )
    columns = nn.unfold(normal(2, 3, 6, 7), (3, 2), **options)
    agree(
        lambda x: nn.fold(x, (6, 7), (3, 2), **options),
        lambda x: F.fold(x, (6, 7), (3, 2), **options),
        columns,
    )


# ---- pooling ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    ("kernel", "options"),
    [(2, {}), ((2, 3), {}), (3, {"stride": 2}), (3, {"stride": 1, "padding": 1}),
     ((2, 3), {"stride": (3, 1), "padding": (1, 0)})],
)  # fmt: skip
def test_pooling(name, kernel, options):
    agree(
        lambda x: getattr(nn, name)(x, kernel, **options),
        lambda x: getattr(F, name)(x, kernel, **options),
        normal(2, 3, 6, 7),
    )


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", [{"dilation": 2}, {"dilation": 3, "padding": 1, "stride": 2}])
def test_pooling_of_dilated_windows(axes, options):
    name, shape = f"max_pool{axes}d", (2, 3, *(8, 5, 6)[:axes])
    agree(
        lambda x: getattr(nn, name)(x, 2, **options),
        lambda x: getattr(F, name)(x, 2, **options),
        normal(*shape),
    )
    x = normal(*shape)
    _, places = getattr(nn, name)(x, 2, **options, return_indices=True)
    _, theirs = getattr(F, name)(torch.tensor(x), 2, **options, return_indices=True)
    np.testing.assert_array_equal(places, theirs)


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize("options", [{}, {"stride": 1, "padding": 1}], ids=str)
def test_pooling_of_sequences_and_volumes(kind, options):
    for axes, shape in ((1, (2, 3, 7)), (3, (2, 3, 4, 5, 6))):
        name = f"{kind}_pool{axes}d"
        agree(
            lambda x, name=name: getattr(nn, name)(x, 3, **options),
            lambda x, name=name: getattr(F, name)(x, 3, **options),
            normal(*shape),
        )


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", [{}, {"stride": 3, "padding": 1}], ids=str)
def test_unpooling(axes, options):
    pool, unpool = f"max_pool{axes}d", f"max_unpool{axes}d"
    x = normal(2, 3, *(8, 5, 6)[:axes])
    y, places = getattr(nn, pool)(x, 2, **options, return_indices=True)
    wanted, theirs = getattr(F, pool)(torch.tensor(x), 2, **options, return_indices=True)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(places, theirs)
    size = x.shape[2:]
    agree(
        lambda y: getattr(nn, unpool)(y, places, 2, **options, output_size=size),
        lambda y: getattr(F, unpool)(y, theirs, 2, **options, output_size=size),
        y,
    )


def test_unpooling_to_the_least_size():
    y, places = normal(2, 3, 2, 2), np.array([0, 3, 9, 14]).reshape(2, 2)
    places = np.broadcast_to(places, y.shape)
    agree(
        lambda y: nn.max_unpool2d(y, places, 2),
        lambda y: F.max_unpool2d(y, torch.tensor(places.copy()), 2),
        y,
    )


def test_global_average():
    agree(
        nn.global_avg_pool2d,
        lambda x: F.adaptive_avg_pool2d(x, 1)[:, :, 0, 0].T,
        normal(3, 2, 4, 5),
    )


# ---- linear systems --------------------------------------------------------------------------
@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("unitriangular", [True, False])
def test_triangular_systems(upper, unitriangular):
    for a, b in (((3, 3), (3, 2)), ((2, 3, 3), (2, 3, 1)), ((2, 1, 3, 3), (3, 3, 2))):
        agree(
            lambda a, b: tg.linalg.solve_triangular(
                a, b, lower=not upper, unit_diagonal=unitriangular
            ),
            lambda a, b: torch.linalg.solve_triangular(
                a, b, upper=upper, unitriangular=unitriangular
            ),
            normal(*a) + 3 * np.eye(3), normal(*b),
        )  # fmt: skip


# ---- normalisation ---------------------------------------------------------------------------
def rows(i, a):
    """Torch has examples as rows, gamma and beta flat."""
    return a.ravel() if i else a.T


@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_batch_norm_of_columns(eps):
    agree(
        lambda x, gamma, beta: nn.batch_norm(x, gamma, beta, eps=eps),
        lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, True, eps=eps).T,
        normal(3, 6), normal(3, 1), normal(3, 1),
        like_theirs=rows,
    )  # fmt: skip


def channels(i, a):
    return a.ravel() if i else a


@pytest.mark.parametrize("size", [(5,), (2, 2), (2, 3, 2)])
def test_norms_of_channels(size):
    x, ones = normal(4, 6, *size), (1,) * len(size)
    gamma, beta = normal(6, *ones), normal(6, *ones)
    agree(
        nn.batch_norm,
        lambda x, gamma, beta: F.batch_norm(x, None, None, gamma, beta, True),
        x, gamma, beta,
        like_theirs=channels,
    )  # fmt: skip
    agree(
        lambda x, gamma, beta: nn.group_norm(x, 3, gamma, beta),
        lambda x, gamma, beta: F.group_norm(x, 3, gamma, beta),
        x, gamma, beta,
        like_theirs=channels,
    )  # fmt: skip
    for n in (1, 3, 4):
        agree(
            lambda x, n=n: nn.local_response_norm(x, n, alpha=0.7, beta=0.6, k=1.5),
            lambda x, n=n: F.local_response_norm(x, n, alpha=0.7, beta=0.6, k=1.5),
            x,
        )


@pytest.mark.parametrize("images", [False, True])
def test_batch_norm_remembers_and_uses_what_torch_does(images):
    n = 3
    ours = nn.BatchNorm2d(n) if images else nn.BatchNorm1d(n)
    theirs = torch.nn.BatchNorm2d(n).double() if images else torch.nn.BatchNorm1d(n).double()
    ours.gamma.data = normal(*ours.gamma.shape)
    with torch.no_grad():
        theirs.weight[:] = torch.tensor(ours.gamma.data.ravel())
    for _ in range(3):
        x = normal(5, n, 4, 2) if images else normal(n, 5)
        z = torch.tensor(x if images else x.T)
        out, other = ours(x).data, theirs(z).detach().numpy()
        np.testing.assert_allclose(out, other if images else other.T, rtol=1e-12)
    np.testing.assert_allclose(ours.mean.data.ravel(), theirs.running_mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.variance.data.ravel(), theirs.running_var.numpy(), rtol=1e-12)
    ours.training = False
    theirs.eval()
    before = ours.mean.data.copy()
    other = theirs(z).detach().numpy()
    np.testing.assert_allclose(ours(x).data, other if images else other.T, rtol=1e-12)
    np.testing.assert_array_equal(ours.mean.data, before)


def test_layer_norm():
    agree(
        lambda x, gamma, beta: nn.layer_norm(x, gamma, beta, eps=0.3),
        lambda x, gamma, beta: F.layer_norm(x, (5,), gamma, beta, eps=0.3).T,
        normal(5, 3), normal(5, 1), normal(5, 1),
        like_theirs=rows,
    )  # fmt: skip


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_group_norm(groups):
    agree(
        lambda x, gamma, beta: nn.group_norm(x, groups, gamma, beta, eps=0.3),
        lambda x, gamma, beta: F.group_norm(x, groups, gamma, beta, eps=0.3),
        normal(2, 6, 3, 2), normal(6, 1, 1), normal(6, 1, 1),
        like_theirs=channels,
    )  # fmt: skip


def test_l2_normalize():
    agree(nn.l2_normalize, lambda x: F.normalize(x, dim=0), 10 * normal(4, 5))


# ---- the rest --------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(7,), (3, 4)])
def test_embedding(shape):
    labels = rng.integers(0, 5, shape)
    agree(
        lambda E: nn.embedding(labels, E),
        lambda E: F.embedding(torch.tensor(labels), E.T).transpose(-1, -2),
        normal(6, 5),
    )


def test_bilinear():
    layer = nn.Bilinear(3, 4, 2, rng=rng)

    def ours(x, y, W, b):
        layer.W, layer.b = W, b
        return layer(x, y)

    agree(
        ours,
        lambda x, y, W, b: F.bilinear(x.T, y.T, W, b[:, 0]).T,
        normal(3, 5), normal(4, 5), normal(2, 3, 4), normal(2, 1),
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "gates"), [("RNN", 1), ("LSTM", 4), ("GRU", 3)])
@pytest.mark.parametrize("every_step", [False, True])
def test_recurrent_layers(kind, gates, every_step):
    n_in, n, m, T = 3, 4, 2, 5
    layer = getattr(nn, kind)(n_in, n, rng=rng, return_sequences=every_step)
    cell = getattr(torch.nn, kind)(n_in, n).double()
    ours = [layer.W, layer.U, layer.b, *([layer.bU] if kind == "GRU" else [])]
    theirs = [cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0]
    for p in ours:
        p.data = normal(*p.shape)
    assert layer.W.shape == (gates * n, n_in)
    with torch.no_grad():
        cell.bias_hh_l0[:] = 0
        for p, q in zip(ours, theirs, strict=False):
            q[:] = torch.tensor(p.data.reshape(q.shape))
    x = normal(T, n_in, m)
    X, z = tg.Tensor(x), torch.tensor(x.swapaxes(1, 2), requires_grad=True)
    out, other = layer(X), cell(z)[0].transpose(1, 2)
    other = other if every_step else other[-1]
    np.testing.assert_allclose(out.data, other.detach().numpy(), rtol=1e-11)
    g = normal(*out.shape)
    found = tg.grad(out, [X, *ours], gradient=g)
    wanted = torch.autograd.grad(other, [z, *theirs[: len(ours)]], torch.tensor(g))
    np.testing.assert_allclose(found[0], wanted[0].numpy().swapaxes(1, 2), rtol=1e-9, atol=1e-12)
    for d, w in zip(found[1:], wanted[1:], strict=True):
        np.testing.assert_allclose(d, w.numpy().reshape(d.shape), rtol=1e-9, atol=1e-12)


def test_a_whole_network_of_convolutions():
    from_torch = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3, padding=1), torch.nn.BatchNorm2d(3), torch.nn.ReLU(),
        torch.nn.MaxPool2d(2), torch.nn.Conv2d(3, 4, 2), torch.nn.Flatten(), torch.nn.Linear(16, 5),
    ).double()  # fmt: skip
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, rng=rng), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 2, rng=rng), nn.Flatten(), nn.Linear(16, 5, rng=rng),
    )  # fmt: skip
    theirs = list(from_torch.parameters())
    for p, q in zip(net.parameters().values(), theirs, strict=True):
        p.data = q.detach().numpy().reshape(p.shape).copy()
    x, labels = normal(4, 1, 6, 6), rng.integers(0, 5, 4)
    J = nn.cross_entropy_with_logits(net(x), labels)
    J.backward()
    other = F.cross_entropy(from_torch(torch.tensor(x)), torch.tensor(labels))
    other.backward()
    np.testing.assert_allclose(float(J), other.item(), rtol=1e-12)
    for p, q in zip(net.parameters().values(), theirs, strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy().reshape(p.shape), rtol=1e-8, atol=1e-13)


def test_every_combination_of_sizes_is_torch_s_or_refused_by_both():
    for h, k, s, p, d in product((1, 4, 5), (1, 2, 3), (1, 2, 3), (0, 1), (1, 2)):
        x, W = normal(1, 1, h, h), normal(1, 1, k, k)
        options = {"stride": s, "padding": p, "dilation": d}
        try:
            wanted = F.conv2d(torch.tensor(x), torch.tensor(W), **options).numpy()
        except RuntimeError:
            with pytest.raises(ValueError, match="does not fit"):
                nn.conv2d(x, W, **options)
        else:
            np.testing.assert_allclose(nn.conv2d(x, W, **options), wanted, rtol=1e-12, atol=1e-13)


# ---- activations -----------------------------------------------------------------------------
ACTIVATIONS = {
    "ELU": [(), (0.5,)],
    "SELU": [()],
    "GELU": [()],
    "Softplus": [()],
    "Softsign": [()],
    "Mish": [()],
    "Swish": [()],
    "LeakyReLU": [(), (0.3,)],
}


@pytest.mark.parametrize(
    ("name", "options"), [(n, o) for n, several in ACTIVATIONS.items() for o in several]
)
def test_activation_layers(name, options):
    if name == "GELU":
        theirs = torch.nn.GELU(approximate="tanh")
    else:
        theirs = getattr(torch.nn, {"Swish": "SiLU"}.get(name, name))(*options)
    agree(getattr(nn, name)(*options), theirs, normal(4, 5))


# ---- activations with something of their own -------------------------------------------------
@pytest.mark.parametrize("n", [None, 3])
def test_a_learned_slope(n):
    layer = nn.PReLU(n)

    def ours(x, slope):
        return nn.functional_call(layer, {"slope": slope}, x)

    agree(
        ours,
        lambda x, slope: F.prelu(x.T, slope.reshape(-1)).T,
        normal(3, 4), normal(*layer.slope.shape),
    )  # fmt: skip
