"""Images as bytes: a pruned tree, its cuts, and their coefficients in steps.

The cuts of the tree are pruned as in tree-structured coding (Chou, Lookabaugh and Gray,
IEEE Trans. Inform. Theory 35, 1989): of all subtrees with the root in it, the one with
the least squared error plus bits times their price. Then, level by level, one bit tells
whether a box is cut, one of its possible cuts is told by its number, and one coefficient
gives the means of both sides. That geometric wavelets can code images was shown by
Alani, Averbuch and Dekel (IEEE Trans. Image Process. 16, 2007), with cuts along any
line and linear pieces; here cuts are along the axes and pieces are constant.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from numbers import Real
from typing import Any

import numpy as np
from scipy.linalg import helmert

from .._lib.scikit_learn import Interval, validate_params
from ..trees import Tree
from .terms import ImageWavelets

__all__ = ["decode_image", "encode_image"]

_HEADER = struct.Struct("<HHBBd")  # rows, columns, channels (0: grey), width, step
_PART = struct.Struct("<BI")  # compressor, length
_CHECK = struct.Struct("<I")  # sum over all that comes before it
_LENGTH = struct.Struct("<H")  # of a block of digits
_BLOCK = 1000  # digits, for whose arithmetic the time grows with the square
_MOST_ROWS, _MOST_CHANNELS = 2**16 - 1, 255
_LARGEST = 2**30  # coefficient, in steps
_LARGEST_STEP = 1e100  # whose square is a number

# Bits of a cut besides its place: told or not, twice as many boxes as cuts; and a
# coefficient, for each channel. The bytes hardly depend on these numbers.
_BITS_OF_FLAGS, _BITS_OF_ZERO, _BITS_OF_COEFFICIENT = 2, 1, 3
# A coefficient in steps s has the squared error s^2 / 12 (uniform), which one more bit
# divides by four: its slope is ln 2 / 6 s^2 a bit.
_PRICE_OF_BIT = np.log(2) / 6

_LZMA = [
    {"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 20, "lc": 0, "lp": 0, "pb": 0}
]
_DAMAGED = (
    *(ValueError, TypeError, IndexError, OverflowError, MemoryError),
    *(EOFError, OSError, struct.error, zlib.error, lzma.LZMAError),
)
_COMPRESSORS = (
    (lambda data: zlib.compress(data, 9), zlib.decompress),
    (bz2.compress, bz2.decompress),
    (
        lambda data: lzma.compress(data, lzma.FORMAT_RAW, filters=_LZMA),
        lambda data: lzma.decompress(data, lzma.FORMAT_RAW, filters=_LZMA),
    ),
    (bytes, bytes),
)


@validate_params(
    {
        "wavelets": [ImageWavelets],
        "step": [Interval(Real, 0, _LARGEST_STEP, closed="right")],
    },
    prefer_skip_nested_validation=True,
)
def encode_image(wavelets: ImageWavelets, step: float = 0.5) -> bytes:
    """Write an image as bytes, by the tree wavelets that are worth their bits.

    After [1]_, where cuts are along any line and pieces are linear; here cuts are along
    the axes and pieces are constant.

    Parameters
    ----------
    wavelets : ImageWavelets
        The wavelets of :func:`~sksmooth.images.image_wavelets`.
    step : float, default=0.5
        Coefficients are rounded to multiples of it; they are in units of the pixel
        values times the square root of a number of pixels. Half the step is two to three
        times as many bytes. Cuts whose coefficients are smaller than about a step are
        left out, but for those on the way to larger ones.

    Returns
    -------
    data : bytes
        What :func:`~sksmooth.images.decode_image` reads.

    See Also
    --------
    sksmooth.images.decode_image : Reads them.

    References
    ----------
    .. [1] D. Alani, A. Averbuch and S. Dekel, *Image coding using geometric wavelets*,
       IEEE Trans. Image Process. 16 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.images import decode_image, encode_image, image_wavelets, psnr
    >>> rows, columns = np.mgrid[:128, :128] / 128
    >>> disc = ((rows - 0.5) ** 2 + (columns - 0.4) ** 2 < 0.1).astype(float)
    >>> data = encode_image(image_wavelets(disc, random_state=0))
    >>> len(data) < 500 and psnr(disc, decode_image(data)) > 25
    True
    """
    n_channels = wavelets.shape[2] if len(wavelets.shape) == 3 else 0
    if max(wavelets.shape[:2]) > _MOST_ROWS or n_channels > _MOST_CHANNELS:
        raise ValueError(
            f"The image has shape {wavelets.shape}; at most {_MOST_ROWS} rows and columns "
            f"and {_MOST_CHANNELS} channels can be coded."
        )
    colours = _colour_axes(max(n_channels, 1))
    coefficients = wavelets.coefficients @ colours.T
    if np.abs(coefficients).max() >= _LARGEST * step:
        raise ValueError("step is too small: coefficients would be 2^30 steps or more.")
    steps = np.rint(coefficients / step).astype(np.int64)
    boxes = _boxes(wavelets)
    is_cut = _worth_their_bits(wavelets, coefficients, steps, step, _n_cuts(boxes))

    flags, numbers, rounded = _levels(wavelets, boxes, is_cut, steps)
    zigzag = np.where(rounded > 0, 2 * rounded - 1, -2 * rounded).T.ravel()
    width = np.min_scalar_type(zigzag.max(initial=0)).itemsize
    mean = wavelets.decomposition.mean[0] @ colours.T
    data = b"".join(
        [
            _HEADER.pack(*wavelets.shape[:2], n_channels, width, step),
            mean.astype("<f8").tobytes(),
            _packed(np.packbits(flags).tobytes()),
            _packed(zigzag.astype(f"<u{width}").tobytes()),
            _Digits.as_bytes(*numbers),
        ]
    )
    return data + _CHECK.pack(zlib.crc32(data))


@validate_params({"data": [bytes]}, prefer_skip_nested_validation=True)
def decode_image(data: bytes) -> np.ndarray:
    """Read an image from the bytes of :func:`~sksmooth.images.encode_image`.

    Parameters
    ----------
    data : bytes
        What :func:`~sksmooth.images.encode_image` gave.

    Returns
    -------
    image : ndarray of shape (n_rows, n_columns) or (n_rows, n_columns, n_channels)
        The image, float64.

    Raises
    ------
    ValueError
        If the bytes are others, or not all of them.

    See Also
    --------
    sksmooth.images.encode_image : Writes these bytes.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.images import decode_image, encode_image, image_wavelets
    >>> rows, columns = np.mgrid[:32, :32]
    >>> image = (rows < columns).astype(float)
    >>> decode_image(encode_image(image_wavelets(image, random_state=0))).shape
    (32, 32)
    """
    data, check = data[: -_CHECK.size], data[-_CHECK.size :]
    try:
        if check != _CHECK.pack(zlib.crc32(data)):
            raise ValueError("the check sum is wrong")
        return _decoded(data)
    except _DAMAGED as error:  # the check sum may be right by chance, or by intent
        raise ValueError("data is not what encode_image gave, or not all of it.") from error


def _decoded(data: bytes) -> np.ndarray:
    n_rows, n_columns, n_channels, width, step = _HEADER.unpack_from(data)
    n_colours = max(n_channels, 1)
    start = _HEADER.size + 8 * n_colours
    mean = np.frombuffer(data[_HEADER.size : start], dtype="<f8").astype(np.float64)
    flags, start = _unpacked(data, start)
    zigzag, start = _unpacked(data, start)
    flags = np.unpackbits(np.frombuffer(flags, dtype=np.uint8)).astype(bool)
    zigzag = np.frombuffer(zigzag, dtype=f"<u{width}").astype(np.int64)
    steps = np.where(zigzag % 2, (zigzag + 1) // 2, -(zigzag // 2))
    steps = steps.reshape(n_colours, -1).T
    numbers = _Digits(data[start:])

    image = np.empty((n_rows, n_columns, n_colours))
    boxes, values = np.array([[0, n_rows, 0, n_columns]]), mean[None, :]
    while len(boxes):
        n_cuts = _n_cuts(boxes)
        is_cut = n_cuts > 0
        told, flags = np.split(flags, [is_cut.sum()])
        is_cut[is_cut] = told
        for (top, bottom, left, right), value in zip(
            boxes[~is_cut].tolist(), values[~is_cut], strict=True
        ):
            image[top:bottom, left:right] = value
        cuts = numbers.take(n_cuts[is_cut])
        coefficients, steps = np.split(steps, [len(cuts)])
        boxes = _halves(boxes[is_cut], cuts)
        values = _sides(values[is_cut], coefficients * step, boxes)
        boxes, values = boxes.reshape(-1, 4), values.reshape(-1, n_colours)
    image = image @ _colour_axes(n_colours)
    return image if n_channels else image[:, :, 0]


def _colour_axes(n_channels: int) -> np.ndarray:
    """Orthonormal axes, brightness first, in which colours are less alike."""
    return helmert(n_channels, full=True)


# ------------------------------------------------------------------------ boxes and cuts


def _n_cuts(boxes: np.ndarray) -> np.ndarray:
    """Number of ways to cut boxes (top, bottom, left, right) between rows or columns."""
    return boxes[..., 1] - boxes[..., 0] + boxes[..., 3] - boxes[..., 2] - 2


def _halves(boxes: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Both sides, shape (n_boxes, 2, 4); cuts between rows have the first numbers."""
    halves = np.repeat(boxes[:, None], 2, axis=1)
    n_row_cuts = boxes[:, 1] - boxes[:, 0] - 1
    for first, beyond, is_here in (
        (0, cuts, cuts < n_row_cuts),
        (2, cuts - n_row_cuts, cuts >= n_row_cuts),
    ):
        place = (boxes[:, first] + 1 + beyond)[is_here]
        halves[is_here, 0, first + 1] = place
        halves[is_here, 1, first] = place
    return halves


def _sides(values: np.ndarray, coefficients: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """Means of both sides, shape (n_boxes, 2, n_channels), from those of the boxes."""
    height = halves[..., 1] - halves[..., 0]
    area = height * (halves[..., 3] - halves[..., 2])
    left, right = area[:, :1], area[:, 1:]
    difference = coefficients / np.sqrt(left * right * (left + right))
    return np.stack([values - difference * right, values + difference * left], axis=1)


def _cut_numbers(wavelets: ImageWavelets, nodes: np.ndarray, boxes: np.ndarray) -> Any:
    """Numbers of the cuts that the tree makes in the boxes of some nodes."""
    tree = wavelets.forest.trees[0]
    feature = tree.feature[nodes]
    size = np.array(wavelets.shape[:2])[feature]
    # Thresholds lie halfway between the centres of pixels, at k / size.
    place = np.rint(tree.threshold[nodes] * size).astype(np.int64)
    number = place - np.where(feature == 0, boxes[:, 0], boxes[:, 2]) - 1
    return np.where(feature == 0, number, number + boxes[:, 1] - boxes[:, 0] - 1)


def _boxes(wavelets: ImageWavelets) -> np.ndarray:
    """Boxes of all nodes, shape (n_nodes, 4)."""
    tree, depth = wavelets.forest.trees[0], wavelets.decomposition.depth
    boxes = np.zeros((tree.n_nodes, 4), dtype=np.int64)
    boxes[0, 1], boxes[0, 3] = wavelets.shape[:2]
    for nodes in _cut_nodes_by_depth(tree, depth):
        halves = _halves(boxes[nodes], _cut_numbers(wavelets, nodes, boxes[nodes]))
        boxes[tree.left[nodes]], boxes[tree.right[nodes]] = halves[:, 0], halves[:, 1]
    return boxes


def _cut_nodes_by_depth(tree: Tree, depth: np.ndarray) -> list[np.ndarray]:
    nodes = np.flatnonzero(tree.left >= 0)
    nodes = nodes[np.argsort(depth[nodes], kind="stable")]
    return np.split(nodes, np.flatnonzero(np.diff(depth[nodes])) + 1)


def _worth_their_bits(
    wavelets: ImageWavelets,
    coefficients: np.ndarray,
    steps: np.ndarray,
    step: float,
    n_cuts: np.ndarray,
) -> np.ndarray:
    """Which nodes to cut, for the least squared error plus price of the bits."""
    tree = wavelets.forest.trees[0]
    gain = np.sum(coefficients**2 - (coefficients - step * steps) ** 2, axis=1)
    bits = _BITS_OF_FLAGS + np.log2(np.maximum(n_cuts, 1))
    bits += np.where(steps == 0, _BITS_OF_ZERO, _BITS_OF_COEFFICIENT).sum(axis=1)
    own = gain - _PRICE_OF_BIT * step**2 * bits
    best = np.zeros(tree.n_nodes)  # of the subtree; a node that is not cut gains nothing
    for nodes in reversed(_cut_nodes_by_depth(tree, wavelets.decomposition.depth)):
        below = best[tree.left[nodes]] + best[tree.right[nodes]]
        best[nodes] = np.maximum(own[nodes] + below, 0.0)
    return best > 0


def _levels(
    wavelets: ImageWavelets, boxes: np.ndarray, is_cut: np.ndarray, steps: np.ndarray
) -> tuple[Any, Any, Any]:
    """Flags, numbers of cuts with their bases, and coefficients, level by level."""
    tree, n_cuts = wavelets.forest.trees[0], _n_cuts(boxes)
    flags, all_cut = [], []
    nodes = np.zeros(1, dtype=np.int64)
    while len(nodes):
        nodes = nodes[n_cuts[nodes] > 0]
        flags.append(is_cut[nodes])
        nodes = nodes[is_cut[nodes]]
        all_cut.append(nodes)
        nodes = np.stack([tree.left[nodes], tree.right[nodes]], axis=1).ravel()
    nodes = np.concatenate(all_cut)
    numbers = _cut_numbers(wavelets, nodes, boxes[nodes]), n_cuts[nodes]
    return np.concatenate(flags), numbers, steps[nodes]


# --------------------------------------------------------------------------------- bytes


def _packed(data: bytes) -> bytes:
    """The shortest of what some compressors make of it."""
    tried = [compress(data) for compress, _ in _COMPRESSORS]
    best = min(range(len(tried)), key=lambda i: len(tried[i]))
    return _PART.pack(best, len(tried[best])) + tried[best]


def _unpacked(data: bytes, start: int) -> tuple[bytes, int]:
    """The part that begins at a place, and the place where it ends."""
    compressor, length = _PART.unpack_from(data, start)
    first = start + _PART.size
    return _COMPRESSORS[compressor][1](data[first : first + length]), first + length


class _Digits:
    """Digits of several bases, which share their bits: blocks of them are one number."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place, self.number, self.n_left = data, 0, 0, 0

    @staticmethod
    def as_bytes(digits: np.ndarray, bases: np.ndarray) -> bytes:
        """All digits, the first ones first."""
        blocks = []
        for start in range(0, len(digits), _BLOCK):
            block, number = slice(start, start + _BLOCK), 0
            pairs = zip(digits[block].tolist(), bases[block].tolist(), strict=True)
            for digit, base in reversed(list(pairs)):
                number = number * base + digit
            length = (number.bit_length() + 7) // 8
            blocks += [_LENGTH.pack(length), number.to_bytes(length, "little")]
        return b"".join(blocks)

    def take(self, bases: np.ndarray) -> np.ndarray:
        """The next digits, of which only the bases need to be known."""
        digits = []
        for base in bases.tolist():
            if self.n_left == 0:
                (length,) = _LENGTH.unpack_from(self.data, self.place)
                self.place += _LENGTH.size + length
                block = self.data[self.place - length : self.place]
                self.number, self.n_left = int.from_bytes(block, "little"), _BLOCK
            self.number, digit = divmod(self.number, base)
            self.n_left -= 1
            digits.append(digit)
        return np.array(digits, dtype=np.int64)
