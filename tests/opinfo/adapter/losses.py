"""Losses, where examples are PyTorch's rows and the package's columns."""

import math

import numpy as np

from tests.opinfo.adapter.arguments import axes, refuse
from tests.opinfo.compare import Unsupported
from tinygrad_dnn import nn


def reduced(fn):
    """A loss per entry, followed by PyTorch's ``reduction``."""

    def loss(*args, reduction="mean", size_average=None, reduce=None, **kwargs):
        refuse(size_average=size_average, reduce=reduce)
        each = fn(*args, **kwargs)
        return {"none": lambda x: x, "mean": np.mean, "sum": np.sum}[reduction](each)

    return loss


@reduced
def mse(x, y, weight=None):
    refuse(weight=None if weight is None else True)
    return np.square(x - y)


@reduced
def l1(x, y):
    return np.abs(x - y)


@reduced
def huber(x, y, delta=1.0):
    d = np.abs(x - y)
    return np.where(d < delta, 0.5 * np.square(d), delta * (d - 0.5 * delta))


@reduced
def smooth_l1(x, y, beta=1.0):
    d = np.abs(x - y)
    return np.where(d < beta, 0.5 * np.square(d) / (beta or 1), d - 0.5 * beta)


@reduced
def bce(a, y, weight=None):
    each = -(y * np.maximum(np.log(a), -100) + (1 - y) * np.maximum(np.log(1 - a), -100))
    return each if weight is None else weight * each


@reduced
def bce_with_logits(z, y, weight=None, pos_weight=None):
    each = (1 - y) * z + (1 if pos_weight is None else 1 + (pos_weight - 1) * y) * np.logaddexp(
        0.0, -z
    )
    return each if weight is None else weight * each


@reduced
def soft_margin(x, y):
    return np.logaddexp(0.0, -y * x)


@reduced
def margin_ranking(x, y, target, margin=0.0):
    return np.maximum(-target * (x - y) + margin, 0)


@reduced
def hinge_embedding(x, y, margin=1.0):
    return np.where(y != -1, x, 0) + np.where(y != 1, nn.relu(margin - x), 0)


@reduced
def poisson_nll(x, y, log_input=True, full=False, eps=1e-8):
    each = np.exp(x) - y * x if log_input else x - y * np.log(x + eps)
    if not full:
        return each
    many = np.where(y > 1, y, 2)  # Stirling's formula for log(y!), from 2 on
    stirling = many * np.log(many) - many + 0.5 * np.log(2 * math.pi * many)
    return each + np.where(y > 1, stirling, 0)


@reduced
def gaussian_nll(x, y, var, full=False, eps=1e-6):
    var = np.maximum(var, eps)
    if var.ndim == x.ndim - 1:
        var = np.expand_dims(var, -1)
    each = 0.5 * (np.log(var) + np.square(x - y) / var)
    return each + 0.5 * math.log(2 * math.pi) if full else each


def kl_div(x, y, reduction="mean", log_target=False, size_average=None, reduce=None):
    refuse(size_average=size_average, reduce=reduce)
    if log_target:
        each = np.exp(y) * (y - x)
    else:
        each = y * np.log(np.where(y > 0, y, 1)) - y * x
    if reduction == "batchmean":
        return np.sum(each) / x.shape[0]
    return {"none": lambda v: v, "mean": np.mean, "sum": np.sum}[reduction](each)


def cosine_similarity(x, y, dim=1, eps=1e-8):
    x, y = np.broadcast_arrays(x, y)
    axis = axes(x, dim)
    lengths = [np.maximum(np.linalg.vector_norm(v, axis=axis, keepdims=True), eps) for v in (x, y)]
    return np.sum((x / lengths[0]) * (y / lengths[1]), axis=axis)


def pairwise_distance(x, y, p=2.0, eps=1e-6, keepdim=False):
    return np.linalg.vector_norm(x - y + eps, axis=-1, keepdims=keepdim, ord=p)


def triplet_margin(anchor, near, far, margin=1.0, p=2, eps=1e-6, swap=False, **options):
    refuse(swap=swap)
    reduction = options.pop("reduction", "mean")
    refuse(**options)

    def distance(v):
        return np.linalg.vector_norm(anchor - v + eps, axis=-1, ord=p)

    each = np.maximum(margin + distance(near) - distance(far), 0)
    return {"none": lambda v: v, "mean": np.mean, "sum": np.sum}[reduction](each)


def cross_entropy(z, y, weight=None, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    """Class numbers or probabilities per row: the package's loss takes them as columns."""
    refuse(weight=weight is not None, label_smoothing=label_smoothing > 0)
    if reduction != "mean" or z.ndim != 2 or np.any(np.asarray(getattr(y, "data", y)) == -100):
        raise Unsupported("the package's cross-entropy is the mean over columns")
    if y.dtype.kind == "i" and (y == ignore_index).any():
        raise Unsupported("ignore_index=")
    return nn.cross_entropy_with_logits(z.T, y if y.ndim == 1 else y.T)


OPERATIONS = {
    "nn.functional.mse_loss": mse,
    "nn.functional.l1_loss": l1,
    "nn.functional.huber_loss": huber,
    "nn.functional.smooth_l1_loss": smooth_l1,
    "nn.functional.binary_cross_entropy": bce,
    "nn.functional.binary_cross_entropy_with_logits": bce_with_logits,
    "nn.functional.soft_margin_loss": soft_margin,
    "nn.functional.margin_ranking_loss": margin_ranking,
    "nn.functional.hinge_embedding_loss": hinge_embedding,
    "nn.functional.poisson_nll_loss": poisson_nll,
    "nn.functional.gaussian_nll_loss": gaussian_nll,
    "nn.functional.kl_div": kl_div,
    "nn.functional.cosine_similarity": cosine_similarity,
    "nn.functional.pairwise_distance": pairwise_distance,
    "nn.functional.triplet_margin_loss": triplet_margin,
    "nn.functional.cross_entropy": cross_entropy,
}
