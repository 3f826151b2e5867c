"""Files of networks: what is saved comes back, and what is no such file is refused unopened."""

import io
import json
import sys
import zipfile

import numpy as np
import pytest

from tinygrad_dnn import nn


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def every_layer(rng):
    return nn.Sequential(
        nn.Unflatten((2, 6, 6)),
        nn.Conv2d(2, 4, 3, padding=1, groups=2, rng=rng),
        nn.BatchNorm2d(4, momentum=0.3),
        nn.LeakyReLU(0.2),
        nn.GroupNorm(2, 4, eps=1e-3),
        nn.MaxPool2d(2),
        nn.ConvTranspose2d(4, 3, 2, stride=2, output_padding=1, dilation=(2, 1), rng=rng),
        nn.AvgPool2d((2, 1), stride=2, padding=(1, 0)),
        nn.Flatten(),
        nn.Linear(60, 8, rng=rng, dtype=np.float32),
        nn.BatchNorm1d(8),
        nn.Sigmoid(),
        nn.Dropout(0.5, rng=rng),
        nn.Linear(8, 8, rng=rng),
        nn.LayerNorm(8),
        nn.ReLU(),
        nn.Tanh(),
        nn.Softmax(),
    )


def of_sequences(rng):
    return nn.Sequential(
        nn.Embedding(11, 4, rng=rng),
        nn.RNN(4, 3, rng=rng, return_sequences=True),
        nn.GRU(3, 5, rng=rng, return_sequences=True),
        nn.LSTM(5, 2, rng=rng),
    )


def of_signals(rng):
    return nn.Sequential(
        nn.Conv1d(2, 3, 3, stride=2, dilation=2, padding=1, rng=rng),
        nn.Conv1d(3, 2, 2, padding="same", rng=rng),
        nn.MaxPool1d(2, dilation=2),
    )


def of_volumes(rng):
    return nn.Sequential(
        nn.ConvTranspose1d(2, 4, 2, stride=2, rng=rng),
        nn.BatchNorm1d(4),
        nn.LocalResponseNorm(3, alpha=0.1, k=2.0),
        nn.MaxPool1d(2),
        nn.AvgPool1d(2, stride=1),
        nn.Flatten(),
        nn.Unflatten((1, 2, 2, 3)),
        nn.Conv3d(1, 2, (1, 1, 2), rng=rng),
        nn.BatchNorm3d(2),
        nn.ConvTranspose3d(2, 1, 2, output_padding=1, stride=2, rng=rng),
        nn.MaxPool3d(2),
        nn.AvgPool3d(2, stride=1),
        nn.Flatten(),
    )


def of_gates(rng):
    return nn.Sequential(
        nn.Linear(3, 8, rng=rng), nn.PReLU(8), nn.GLU(), nn.Linear(4, 6, rng=rng), nn.PReLU(),
        nn.Maxout(3),
    )  # fmt: skip


def of_maps(rng):
    return nn.Sequential(nn.Conv2d(1, 3, (1, 2), rng=rng), nn.GlobalAvgPool2d())


def of_activations(rng):
    kinds = [nn.Softplus(), nn.Softsign(), nn.SELU(), nn.Mish(), nn.ELU(0.5), nn.Swish(2.0)]
    return nn.Sequential(nn.Linear(3, 4, rng=rng), *kinds, nn.GELU())


CASES = {
    "activations": (of_activations, lambda rng: rng.normal(size=(3, 5))),
    "every layer": (every_layer, lambda rng: rng.normal(size=(72, 5))),
    "sequences": (of_sequences, lambda rng: rng.integers(0, 11, (6, 4))),
    "volumes": (of_volumes, lambda rng: rng.normal(size=(3, 2, 4))),
    "gates": (of_gates, lambda rng: rng.normal(size=(3, 5))),
    "signals": (of_signals, lambda rng: rng.normal(size=(3, 2, 9))),
    "maps": (of_maps, lambda rng: rng.normal(size=(3, 1, 4, 4))),
}


@pytest.mark.parametrize("ending", ["npz", "safetensors", "net"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_saved_comes_back(rng, tmp_path, case, ending):
    if ending == "safetensors":
        pytest.importorskip("safetensors")
    make, data = CASES[case]
    net, X = make(rng), data(rng)
    net(X)  # fills running means
    for p in net.parameters().values():
        p.data = rng.normal(size=p.shape).astype(p.dtype)
    net.save(tmp_path / f"net.{ending}")
    again = nn.Sequential.load(tmp_path / f"net.{ending}", rng=rng)
    assert repr(again) == repr(net)
    np.testing.assert_array_equal(again.eval()(X).data, net.eval()(X).data)
    for ours, theirs in ((net.parameters(), again.parameters()), (net.buffers(), again.buffers())):
        assert list(ours) == list(theirs)
        for name in ours:
            np.testing.assert_array_equal(ours[name].data, theirs[name].data, strict=True)
            assert theirs[name].name == name
    for p in again.parameters().values():
        p.data -= 0.1  # learns in place
    again.train()(X)


def test_a_layer_used_twice_comes_back_as_one(rng, tmp_path):
    shared = nn.Linear(3, 3, rng=rng)
    net = nn.Sequential(shared, nn.ReLU(), shared, nn.Tanh())
    net.save(tmp_path / "net.npz")
    again = nn.Sequential.load(tmp_path / "net.npz")
    assert again.layers[0] is again.layers[2]
    X = rng.normal(size=(3, 4))
    np.testing.assert_array_equal(again(X).data, net(X).data)


def test_sizes_may_be_numpy_s_numbers(rng, tmp_path):
    three, two = np.array([3, 2])
    net = nn.Sequential(
        nn.BatchNorm1d(three), nn.Linear(three, two, rng=rng), nn.ELU(np.float64(2))
    )
    net = nn.Sequential(net, nn.Unflatten((two, 1)), nn.Conv1d(two, three, np.int64(1), rng=rng))
    net.save(tmp_path / "net.npz")
    again = nn.Sequential.load(tmp_path / "net.npz")
    X = rng.normal(size=(3, 4))
    np.testing.assert_array_equal(again(X).data, net(X).data)


def test_layers_that_share_a_tensor_are_not_saved(rng, tmp_path):
    net = nn.Sequential(nn.Linear(3, 3, rng=rng), nn.ReLU(), nn.Linear(3, 3, rng=rng))
    net.layers[2].W = net.layers[0].W
    with pytest.raises(TypeError, match="two layers share a Tensor"):
        net.save(tmp_path / "net.npz")


def test_dropout_needs_a_generator_to_train_on(rng, tmp_path):
    net = nn.Sequential(nn.Linear(3, 3, rng=rng), nn.Dropout(0.5, rng=rng))
    net.save(tmp_path / "net.npz")
    again = nn.Sequential.load(tmp_path / "net.npz")
    with pytest.raises(ValueError, match=r"layer 1, Dropout\(0.5\) has no generator .* with rng="):
        again(np.ones((3, 2)))
    assert again.eval()(np.ones((3, 2))).shape == (3, 2)


def test_the_batch_norm_s_memory_is_kept_in_float32(rng):
    net = nn.Sequential(nn.BatchNorm1d(3, dtype=np.float32))
    out = net(rng.normal(size=(3, 4)).astype(np.float32))
    assert {b.dtype for b in net.buffers().values()} == {np.dtype(np.float32)}
    assert out.dtype == np.float32


# ---- files that somebody made up -------------------------------------------------------------
GOOD = [{"is": "Linear", "n_in": 3, "n_out": 2}]
ARRAYS = {"W1": np.zeros((2, 3)), "b1": np.zeros((2, 1))}


def npy(array):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), allow_pickle=True)
    return stream.getvalue()


def claiming(shape, descr="<f8", data=b"", version=(1, 0)):
    """An .npy member whose header promises whatever it likes."""
    stream = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    raw = stream.getvalue()
    return raw[:6] + bytes(version) + raw[8:] + data


def crafted(path, layers=GOOD, compression=zipfile.ZIP_STORED, **members):
    text = layers if isinstance(layers, str) else json.dumps(layers)
    members = {"layers": text, **ARRAYS, **members}
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, member in members.items():
            if member is not None:
                file.writestr(f"{name}.npy", member if isinstance(member, bytes) else npy(member))
    return path


def test_a_file_made_up_by_hand_loads_if_it_is_right(tmp_path):
    assert repr(nn.Sequential.load(crafted(tmp_path / "x.npz"))) == "Sequential(Linear(3 -> 2))"


class Bomb:
    def __reduce__(self):
        return print, ("executed",)


BAD = {
    "8 TiB in a header": ({"W1": claiming((2**20, 2**20))}, "claims 8,796,093,022,208 bytes"),
    "more than is there": ({"W1": claiming((2, 3), data=bytes(40))}, "claims 48 bytes .* holds 40"),
    "less than is there": ({"W1": claiming((2, 2), data=bytes(48))}, "claims 32 bytes .* holds 48"),
    "a negative shape": ({"W1": claiming((-2, -3), data=bytes(48))}, r"shape \(-2, -3\)"),
    "a header that is code": ({"W1": claiming("__import__('os')")}, "not a network"),
    "no header": ({"W1": b"something else"}, "magic string"),
    "an unknown version": ({"W1": claiming((1,), version=(9, 0))}, r"version \(9, 0\)"),
    "objects": ({"W1": npy(np.array([Bomb()], dtype=object))}, "Python objects"),
    "whole numbers for parameters": ({"W1": np.zeros((2, 3), int)}, "do not belong together: W1"),
    "another shape": ({"W1": np.zeros((3, 2))}, "do not belong together: W1"),
    "an array missing": ({"b1": None}, "would hold|do not belong together: b1"),
    "an array too many": ({"../../x": np.zeros(1)}, "do not belong together: ../../x"),
    "no layers": ({"layers": None}, "not a network"),
    "layers that are no JSON": ({"layers": "[{"}, "not a network"),
    "layers nested too deep": ({"layers": "[" * 100_000}, "not a network"),
    "layers of another form": ({"layers": '{"is": "Linear"}'}, "not a network"),
    "a layer that is not there": ({"layers": '[{"is": "os.system"}]'}, "not a network"),
    "a layer again before it is made": ({"layers": '[{"is": "again", "layer": 0}]'}, "not a"),
    "too many units": (
        {"layers": '[{"is": "Linear", "n_in": 3, "n_out": 1000000000000}]'},
        "would hold 3,000,000,000,000 numbers, but it holds 8",
    ),
    "too many channels": (
        {"layers": '[{"is": "GroupNorm", "groups": 1000000000000, "n": 1000000000000, "eps": 1}]'},
        "would hold 1,000,000,000,000 numbers",
    ),
    "too large a kernel": (
        {"layers": '[{"is": "Conv2d", "c_in": 1, "c_out": 1, "kernel": [99999, 99999], "stride": 1,'
         ' "padding": 0, "dilation": 1, "groups": 1}]'},
        "would hold 9,999,800,001 numbers",
    ),
    "too large a state": (
        {"layers": '[{"is": "LSTM", "n_in": 1, "n": 99999, "return_sequences": false}]'},
        "would hold 10,000,000,000 numbers|would hold 9,999,900,000 numbers",
    ),
    "many layers": ({"layers": json.dumps(GOOD * 1000)}, "would hold 6,000 numbers"),
    "negative sizes": ({"layers": '[{"is": "Linear", "n_in": -9, "n_out": -9}]'}, "not a network"),
    "one too large, one negative": (
        {"layers": '[{"is": "Linear", "n_in": 3, "n_out": 1000000000000},'
         ' {"is": "Linear", "n_in": -3, "n_out": 1000000000000}]'},
        "would hold 3,000,000,000,000 numbers",
    ),
    "no groups": (
        {"layers": '[{"is": "Conv2d", "c_in": 1, "c_out": 1, "kernel": [1, 1], "stride": 1,'
         ' "padding": 0, "dilation": 1, "groups": 0}]'},
        "not a network",
    ),
    "sizes that are no numbers": ({"layers": '[{"is": "Linear", "n_in": "x", "n_out": 2}]'}, "no"),
    "infinitely many": ({"layers": '[{"is": "Linear", "n_in": -Infinity, "n_out": 2}]'}, "not a"),
}  # fmt: skip


@pytest.mark.parametrize("attack", BAD)
def test_a_crafted_file_is_refused(tmp_path, capsys, attack):
    members, said = BAD[attack]
    with pytest.raises(ValueError, match=said):
        nn.Sequential.load(crafted(tmp_path / "bad.npz", **members))
    assert capsys.readouterr().out == ""


def test_a_zip_bomb_is_refused_unopened(tmp_path):
    bomb = crafted(tmp_path / "x.npz", compression=zipfile.ZIP_DEFLATED, W1=np.zeros((1000, 1000)))
    assert bomb.stat().st_size < 20_000
    with pytest.raises(ValueError, match="its members are compressed"):
        nn.Sequential.load(bomb)


def test_members_that_claim_more_than_the_file_are_refused(tmp_path):
    path = crafted(tmp_path / "x.npz")
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\x01\x02")  # the last entry of the directory
    raw[at + 20 : at + 28] = (2**31).to_bytes(4, "little") * 2
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="claim to be larger than the file"):
        nn.Sequential.load(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    path = crafted(tmp_path / "x.npz")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("W1.npy", npy(np.ones((2, 3))))
    with pytest.raises(ValueError, match="two members have the same name"):
        nn.Sequential.load(path)


def test_every_truncation_of_a_file_is_refused(tmp_path):
    whole = crafted(tmp_path / "x.npz").read_bytes()
    for length in range(0, len(whole), 61):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is not a network saved by"):
            nn.Sequential.load(tmp_path / "cut.npz")


def test_other_safetensors_files_are_refused(tmp_path, rng):
    safetensors = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "x.safetensors"
    safetensors.save_file(dict(ARRAYS), path)
    with pytest.raises(ValueError, match="not a network"):
        nn.Sequential.load(path)
    safetensors.save_file(dict(ARRAYS), path, metadata={"layers": json.dumps(GOOD * 9)})
    with pytest.raises(ValueError, match="would hold 54 numbers, but it holds 8"):
        nn.Sequential.load(path)
    nn.Sequential(nn.Linear(3, 2, rng=rng)).save(path)
    raw = path.read_bytes()
    lies = {
        "a header longer than the file": (2**40).to_bytes(8, "little") + raw[8:],
        "a larger shape": raw.replace(b"[2,3]", b"[9,9]"),
        "arrays that overlap": raw.replace(b"[48,64]", b"[32,48]"),
        "offsets beyond the end": raw.replace(b"[0,48]", b"[0,99]"),
        "cut": raw[:-8],
    }
    for lie, content in lies.items():
        assert content != raw, lie
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a network"):
            nn.Sequential.load(path)


def test_safetensors_without_the_package_says_what_to_install(monkeypatch, tmp_path, rng):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"pip install safetensors; or save .* ends in \.npz"):
        nn.Sequential(nn.Linear(3, 2, rng=rng)).save(tmp_path / "x.safetensors")
    with pytest.raises(ImportError, match="pip install safetensors"):
        nn.Sequential.load(tmp_path / "x.safetensors")


def test_a_missing_file_is_just_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        nn.Sequential.load(tmp_path / "nothing.npz")
