"""What layers say to what does not fit: their name, both shapes, the way out."""

import re

import numpy as np
import pytest

from tinygrad_dnn import Tensor, nn

IMAGES = np.zeros((4, 2, 6, 6))
WRONG_CALLS = {
    "columns into a convolution": (
        lambda rng: nn.Sequential(nn.Conv2d(3, 8, 5, rng=rng))(np.zeros((12, 4))),
        "layer 1, Conv2d(3 -> 8, 5x5): W1 is (8, 3, 5, 5) but A0 = X is (12, 4); it needs "
        "(m, 3, height, width); nn.Unflatten makes (m, 3, height, width) of columns",
    ),
    "one image": (
        lambda rng: nn.Conv2d(3, 8, 5, rng=rng)(np.zeros((3, 9, 9))),
        "but A0 = X is (3, 9, 9); it needs (m, 3, height, width); one example is x[np.newaxis]",
    ),
    "channels last": (
        lambda rng: nn.Conv2d(3, 8, 5, rng=rng)(np.zeros((4, 9, 9, 3))),
        "it needs (m, 3, height, width); channels come first: np.transpose",
    ),
    "a second convolution": (
        lambda rng: nn.Sequential(nn.Conv2d(2, 3, 3, rng=rng), nn.Conv2d(4, 1, 3, rng=rng))(IMAGES),
        "layer 2, Conv2d(4 -> 1, 3x3): W2 is (1, 4, 3, 3) but Z1 is (4, 3, 4, 4); it needs (m, 4, ",
    ),
    "a kernel too large": (
        lambda rng: nn.Conv2d(2, 8, 5, dilation=2, padding=1, rng=rng)(IMAGES),
        "the kernel (5, 5) with dilation (2, 2) does not fit into A0 = X, which is (4, 2, 6, 6) "
        "with padding (1, 1); use a smaller kernel or more padding",
    ),
    "a function of convolution": (
        lambda rng: nn.conv1d(np.zeros((4, 2, 6)), Tensor(np.zeros((3, 4, 2)), name="K")),
        "conv1d: K is (3, 4, 2) but x is (4, 2, 6); it needs (m, 4, length)",
    ),
    "arrays without names": (
        lambda rng: nn.conv1d(np.zeros((4, 2, 6)), np.zeros((3, 4, 2))),
        "conv1d: W is (3, 4, 2) but x is (4, 2, 6); it needs (m, 4, length)",
    ),
    "a kernel of another rank": (
        lambda rng: nn.conv2d(IMAGES, np.zeros((3, 2, 2))),
        "conv2d: W is (3, 2, 2); it needs (c_out, c_in / groups, height, width), with c_out a "
        "multiple of groups = 1",
    ),
    "a kernel for other groups": (
        lambda rng: nn.conv2d(IMAGES, np.zeros((3, 1, 2, 2)), groups=2),
        "multiple of groups = 2",
    ),
    "a bias that would broadcast": (
        lambda rng: nn.conv2d(IMAGES, np.zeros((3, 2, 2, 2)), np.zeros(5)),
        "conv2d: b is (5,); it needs (3, 1, 1), a number per channel",
    ),
    "a transposed convolution": (
        lambda rng: nn.ConvTranspose2d(3, 8, 2, stride=2, output_padding=1, rng=rng)(IMAGES),
        "ConvTranspose2d(3 -> 8, 2x2, stride=2, output_padding=1): W is (3, 8, 2, 2) but A0 = X is",
    ),
    "a transposed kernel of another rank": (
        lambda rng: nn.conv_transpose2d(IMAGES, np.zeros((2, 2, 2))),
        "conv_transpose2d: W is (2, 2, 2); it needs (c_in, c_out / groups, height, width), with",
    ),
    "too much output padding": (
        lambda rng: nn.conv_transpose2d(IMAGES, np.zeros((2, 3, 2, 2)), output_padding=1),
        "conv_transpose2d: x (4, 2, 6, 6) would become (8, 8), with output_padding (1, 1); sizes "
        "must be >= 1 and output_padding less than stride (1, 1)",
    ),
    "options that are no numbers": (
        lambda rng: nn.conv2d(IMAGES, np.zeros((3, 2, 2, 2)), stride=0),
        "conv2d: stride=0; it needs a whole number >= 1, or 2 of them",
    ),
    "options for other axes": (
        lambda rng: nn.Conv2d(2, 3, (3, 3, 3), rng=rng),
        "Conv2d: kernel=(3, 3, 3); it needs a whole number >= 1, or 2 of them",
    ),
    "channels that do not divide": (
        lambda rng: nn.Conv2d(3, 4, 3, groups=2, rng=rng),
        "Conv2d(3 -> 4): both numbers of channels must be multiples of groups = 2",
    ),
    "no channels": (
        lambda rng: nn.Conv2d(0, 4, 3, rng=rng),
        "c_in must be >= 1, a whole number; got 0",
    ),
    "pooling of columns": (
        lambda rng: nn.Sequential(nn.Linear(3, 2, rng=rng), nn.MaxPool2d(2))(np.zeros((3, 4))),
        "layer 1, MaxPool2d(2x2): Z1 is (2, 4); it needs (m, c, height, width)",
    ),
    "a window too large": (
        lambda rng: nn.AvgPool2d(7)(IMAGES),
        "AvgPool2d(7x7): the kernel (7, 7) does not fit into its input, which is (4, 2, 6, 6) with",
    ),
    "windows of nothing but padding": (
        lambda rng: nn.max_pool2d(IMAGES, 2, padding=2),
        "max_pool2d: padding (2, 2) is more than half the kernel (2, 2)",
    ),
    "dilated windows of nothing but padding": (
        lambda rng: nn.max_pool1d(np.zeros((1, 1, 2)), 2, dilation=3, padding=1),
        "max_pool1d: with dilation (3,) some windows on x, which is (1, 1, 2), would see nothing "
        "but padding (1,); use less of it",
    ),
    "global pooling of columns": (
        lambda rng: nn.GlobalAvgPool2d()(np.zeros((3, 4))),
        "GlobalAvgPool2d(): its input is (3, 4); it needs (m, c, height, width)",
    ),
    "indices of another shape": (
        lambda rng: nn.max_unpool2d(IMAGES, np.zeros((4, 2, 3, 3), int), 2),
        "max_unpool2d: indices are int64 (4, 2, 3, 3); they need to be whole numbers (4, 2, 6, 6), "
        "as x is, from max_pool2d(..., return_indices=True)",
    ),
    "indices that are none": (
        lambda rng: nn.MaxUnpool2d(2)(IMAGES, IMAGES),
        "MaxUnpool2d(2x2): indices are float64 (4, 2, 6, 6); they need to be whole numbers",
    ),
    "indices too large": (
        lambda rng: nn.max_unpool2d(IMAGES, np.full(IMAGES.shape, 36), 2, output_size=6),
        "max_unpool2d: indices run from 36 to 36, but (6, 6) has places 0 to 35; see output_size=",
    ),
    "columns to fold": (
        lambda rng: nn.fold(np.zeros((2, 5, 4)), (3, 3), 2),
        "fold: x is (2, 5, 4); it needs (m, c 4, 4), a column for each of (2, 2) places",
    ),
    "a window too large to unfold": (
        lambda rng: nn.unfold(IMAGES, 7),
        "unfold: the kernel (7, 7) does not fit into x, which is (4, 2, 6, 6) with padding (0, 0)",
    ),
    "a linear function of rows": (
        lambda rng: nn.linear(np.zeros((5, 3)), np.zeros((2, 3))),
        "linear: W is (2, 3) but x is (5, 3); it needs (3, m); examples are columns here",
    ),
    "a linear function with a bias of rows": (
        lambda rng: nn.linear(np.zeros((3, 5)), np.zeros((2, 3)), np.zeros(2)),
        "linear: b is (2,), it needs (2, 1), a column that is added to every example",
    ),
    "a linear function without a matrix": (
        lambda rng: nn.linear(np.zeros((3, 5)), np.zeros(3)),
        "linear: W is (3,); it needs (n_out, n_in)",
    ),
    "neighbours of columns": (
        lambda rng: nn.LocalResponseNorm(3)(np.zeros((3, 5))),
        "LocalResponseNorm(3): its input is (3, 5); it needs (m, c, *size)",
    ),
    "slopes of other units": (
        lambda rng: nn.PReLU(3)(np.zeros((4, 3))),
        "PReLU(3): A0 = X is (4, 3); it needs (3, m)",
    ),
    "no pieces": (
        lambda rng: nn.Maxout(0),
        "Maxout(0): pieces must be >= 1, a whole number; got 0",
    ),
    "no groups": (
        lambda rng: nn.conv2d(IMAGES, np.zeros((3, 2, 2, 2)), groups=0),
        "conv2d: groups must be >= 1, a whole number; got 0",
    ),
    "no groups of a transpose": (
        lambda rng: nn.conv_transpose2d(IMAGES, np.zeros((2, 2, 2, 2)), groups=0),
        "conv_transpose2d: groups must be >= 1, a whole number; got 0",
    ),
    "no groups to normalise": (
        lambda rng: nn.group_norm(IMAGES, 0),
        "group_norm: groups must be >= 1, a whole number; got 0",
    ),
    "nothing to flatten": (
        lambda rng: nn.Flatten()(np.zeros(3)),
        "Flatten(): its input is (3,); it needs (m, ...)",
    ),
    "rows to unflatten": (
        lambda rng: nn.Unflatten((2, 3))(np.zeros((5, 6))),
        "Unflatten((2, 3)): its input is (5, 6); it needs (6, m); examples are columns, so "
        "transpose it: .T",
    ),
    "batch norm of other units": (
        lambda rng: nn.Sequential(nn.BatchNorm1d(3))(np.zeros((4, 3))),
        "layer 1, BatchNorm1d(3): A0 = X is (4, 3); it needs (3, m)",
    ),
    "batch norm of other channels": (
        lambda rng: nn.BatchNorm2d(3)(IMAGES),
        "A0 = X is (4, 2, 6, 6); it needs (m, 3, height, width)",
    ),
    "batch norm of one example": (
        lambda rng: nn.BatchNorm1d(3)(np.zeros((3, 1))),
        "it needs two values per unit at least, while training; net.eval() for one",
    ),
    "batch norm of a vector": (
        lambda rng: nn.batch_norm(np.zeros(3)),
        "batch_norm: x is (3,); it needs (n, m) or (m, c, ",
    ),
    "gamma as a row": (
        lambda rng: nn.batch_norm(np.zeros((3, 3)), np.ones(3)),
        "gamma is (3,); it needs (3, 1)",
    ),
    "a mean without a variance": (
        lambda rng: nn.batch_norm(np.zeros((3, 3)), mean=np.ones((3, 1))),
        "both or neither",
    ),
    "layer norm of other units": (
        lambda rng: nn.LayerNorm(4)(np.zeros((3, 2))),
        "LayerNorm(4): A0 = X is (3, 2); it needs (4, m)",
    ),
    "layer norm of a vector": (
        lambda rng: nn.layer_norm(np.zeros(3)),
        "x is (3,); it needs (n, m)",
    ),
    "group norm of other channels": (
        lambda rng: nn.GroupNorm(2, 4)(IMAGES),
        "GroupNorm(2, 4): A0 = X is (4, 2, 6, 6); it needs (m, 4,",
    ),
    "groups that do not divide": (
        lambda rng: nn.group_norm(IMAGES, 3),
        "group_norm: x is (4, 2, 6, 6); it needs (m, c, *size), c a multiple of groups = 3",
    ),
    "groups of a layer that do not divide": (
        lambda rng: nn.GroupNorm(3, 4),
        "n must be a multiple",
    ),
    "labels that are no numbers": (
        lambda rng: nn.Sequential(nn.Embedding(5, 2, rng=rng))(np.zeros(3)),
        "layer 1, Embedding(5, 2): A0 = X is float64 (3,); it needs whole numbers, (m,) or (T, m)",
    ),
    "labels out of range": (
        lambda rng: nn.embedding(np.array([0, 5]), np.zeros((2, 5))),
        "embedding: labels run from 0 to 5, but the 5 columns are numbered 0 to 4",
    ),
    "negative labels": (
        lambda rng: nn.embedding(np.array([-1]), np.zeros((2, 5))),
        "run from -1 to -1",
    ),
    "columns into a recurrent layer": (
        lambda rng: nn.Sequential(nn.LSTM(3, 4, rng=rng))(np.zeros((3, 4))),
        "layer 1, LSTM(3 -> 4): A0 = X is (3, 4); it needs (T, 3, m), T >= 1, or a list of T "
        "arrays (3, m)",
    ),
    "a sequence of other inputs": (
        lambda rng: nn.GRU(3, 4, rng=rng)(np.zeros((5, 4, 2))),
        "is (5, 4, 2); it needs (T, 3, m)",
    ),
    "an empty sequence": (lambda rng: nn.RNN(3, 4, rng=rng)(np.zeros((0, 3, 2))), "T >= 1"),
    "an empty list": (lambda rng: nn.RNN(3, 4, rng=rng)([]), "is a list of []; it needs (T, 3, m)"),
    "a list of unequal steps": (
        lambda rng: nn.RNN(3, 4, rng=rng)([np.zeros((3, 2)), np.zeros((3, 1))]),
        "is a list of [(3, 2), (3, 1)]; it needs (T, 3, m), T >= 1, or a list",
    ),
    "a step of other inputs": (
        lambda rng: nn.rnn_step(*map(np.zeros, [(2, 5), (4, 5), (4, 3), (4, 4), (4, 1)])),
        "rnn_step: W is (4, 3) but x is (2, 5); it needs (3, m)",
    ),
    "a state of other examples": (
        lambda rng: nn.rnn_step(*map(np.zeros, [(3, 5), (4, 1), (4, 3), (4, 4), (4, 1)])),
        "rnn_step: the state is (4, 1) but x is (3, 5); the state needs (4, 5)",
    ),
    "too few gates": (
        lambda rng: nn.gru_step(
            *map(np.zeros, [(3, 5), (4, 5), (4, 3), (12, 4), (12, 1), (12, 1)])
        ),
        "gru_step: W is (4, 3); it needs (12, 3)",
    ),
    "a padding by another name": (
        lambda rng: nn.Conv2d(2, 3, 3, padding="SAME", rng=rng),
        "Conv2d: padding='SAME'; it needs whole numbers, 'same' or 'valid'",
    ),
    "the same size with a stride": (
        lambda rng: nn.conv1d(np.ones((1, 1, 4)), np.ones((1, 1, 3)), padding="same", stride=2),
        "conv1d: padding='same' keeps the size, but stride=2 does not; give the padding in numbers",
    ),
    "a transposed convolution's padding by name": (
        lambda rng: nn.ConvTranspose1d(2, 3, 3, padding="same", rng=rng),
        "ConvTranspose1d: padding='same'; it needs a whole number >= 0, or 1 of them",
    ),
    "two inputs": (
        lambda rng: nn.Bilinear(2, 3, 4, rng=rng)(np.zeros((2, 5)), np.zeros((3, 1))),
        "Bilinear(2, 3 -> 4): W is (4, 2, 3) but x is (2, 5) and y is (3, 1); they need (2, m) and "
        "(3, m)",
    ),
}


@pytest.mark.parametrize("call", WRONG_CALLS)
def test_what_does_not_fit_is_refused_by_name(call):
    made, said = WRONG_CALLS[call]
    with pytest.raises(ValueError, match=re.escape(said)):
        made(np.random.default_rng(0))


# ---- losses ----------------------------------------------------------------------------------
COLUMNS = np.full((3, 4), 0.25)
LABELS = np.array([0, 2, 1, 1])


@pytest.mark.parametrize(
    "loss",
    [nn.mean_absolute_error, nn.huber, nn.hinge, nn.bernoulli_nll, nn.gaussian_kl],
    ids=lambda loss: loss.__name__,
)
def test_losses_of_numbers_refuse_what_would_broadcast(loss):
    with pytest.raises(ValueError, match=re.escape(f"{loss.__name__}: A is (3, 4) but Y is (4,)")):
        loss(COLUMNS, np.zeros(4))
    with pytest.raises(ValueError, match="so pass"):
        loss(COLUMNS, np.zeros((4, 3)))


@pytest.mark.parametrize("loss", [nn.triplet, nn.margin_ranking, nn.gaussian_nll])
def test_losses_of_three_arrays_refuse_what_would_broadcast(loss):
    for others in [(np.zeros(4), COLUMNS), (COLUMNS, np.zeros((1, 4)))]:
        with pytest.raises(ValueError, match="the two must be equal"):
            loss(COLUMNS, *others)


@pytest.mark.parametrize(
    "loss",
    [nn.negative_log_likelihood, nn.focal, nn.focal_with_logits, nn.multiclass_hinge],
    ids=lambda loss: loss.__name__,
)
def test_losses_of_classes_take_numbers_and_columns(loss):
    assert loss(COLUMNS, LABELS) == loss(COLUMNS, nn.one_hot(LABELS, 3))
    with pytest.raises(ValueError, match="labels run from 0 to 3"):
        loss(COLUMNS, LABELS + (LABELS == 2))


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: nn.Linear(2, 3, rng=rng),
        lambda rng: nn.Conv1d(2, 3, 2, rng=rng),
        lambda rng: nn.LSTM(2, 3, rng=rng),
        lambda rng: nn.Dropout(0.5, rng=rng),
        lambda rng: nn.dropout(COLUMNS, 0.5, rng=rng),
    ],
)
def test_a_seed_is_no_generator(make):
    with pytest.raises(TypeError, match=r"got rng=7; pass rng=np\.random\.default_rng\(7\)"):
        make(7)
