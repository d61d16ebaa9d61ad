"""Vectors of sixteen numbers in kernels: one instruction for sixteen runs, or classes.

LLVM vectorises loops over one array well, and not those that keep sums for many arrays side
by side. So those are written with vectors: ``load`` and ``pick`` make them, operators and
``choose`` work lane by lane, and ``store`` and ``element`` take them apart. The
compiler turns them into what the processor has: one AVX-512 register, two of AVX2, or four.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.extending import lower_builtin, models, register_model, type_callable

__all__ = [
    "LANES",
    "as_floats",
    "choose",
    "element",
    "gather",
    "load",
    "pick",
    "running_total",
    "spread",
    "store",
]

LANES = 16
intrinsic: Callable[[Callable[..., Any]], Any] = extending.intrinsic
_INDEX = ir.IntType(32)
_KINDS = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.int32: ir.IntType(32),
    types.uint32: ir.IntType(32),
    types.uint64: ir.IntType(64),
    types.boolean: ir.IntType(1),
}


class Lanes(types.Type):
    """The type of sixteen numbers of one kind."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, ir.VectorType(_KINDS[kind.dtype], LANES))


def _undefined(vector: ir.VectorType) -> ir.Constant:
    return ir.Constant(vector, ir.Undefined)


def _constants(kind: ir.Type, numbers: list[int]) -> ir.Constant:
    return ir.Constant(ir.VectorType(kind, LANES), numbers)


def _data(context, builder, kind, array):
    return context.make_array(kind)(context, builder, array).data


# --------------------------------------------------------------------- in and out of arrays


@intrinsic
def load(typing_context, array, start):
    """Return ``array[start : start + LANES]`` of a contiguous array."""
    lanes = Lanes(array.dtype)

    def generate(context, builder, signature, arguments):
        vector = context.get_value_type(lanes)
        place = builder.gep(
            _data(context, builder, signature.args[0], arguments[0]), [arguments[1]]
        )
        loaded = builder.load(builder.bitcast(place, vector.as_pointer()))
        loaded.align = array.dtype.bitwidth // 8
        return loaded

    return lanes(array, types.intp), generate


@intrinsic
def store(typing_context, array, start, lanes):
    """Write sixteen numbers to ``array[start : start + LANES]``."""

    def generate(context, builder, signature, arguments):
        data = _data(context, builder, signature.args[0], arguments[0])
        place = builder.gep(data, [arguments[1]])
        place = builder.bitcast(place, arguments[2].type.as_pointer())
        builder.store(arguments[2], place).align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic
def pick(typing_context, array, starts, step):
    """Return the numbers ``array[starts[k] + step]``, one per lane."""
    lanes = Lanes(array.dtype)

    def generate(context, builder, signature, arguments):
        data = _data(context, builder, signature.args[0], arguments[0])
        places = _data(context, builder, signature.args[1], arguments[1])
        picked = _undefined(context.get_value_type(lanes))
        for k in range(LANES):
            lane = ir.Constant(_INDEX, k)
            start = builder.load(builder.gep(places, [lane]))
            place = builder.gep(data, [builder.add(start, arguments[2])])
            picked = builder.insert_element(picked, builder.load(place), lane)
        return picked

    return lanes(array, starts, types.intp), generate


@intrinsic
def gather(typing_context, array, places):
    """Return the numbers ``array[places[k]]``, one per lane, of an array of any stride."""
    lanes = Lanes(array.dtype)

    def generate(context, builder, signature, arguments):
        (kind, _), (array, places) = signature.args, arguments
        view = context.make_array(kind)(context, builder, array)
        stride = builder.extract_value(view.strides, 0)
        start = builder.ptrtoint(view.data, stride.type)
        gathered = _undefined(context.get_value_type(lanes))
        for k in range(LANES):
            lane = ir.Constant(_INDEX, k)
            place = builder.zext(builder.extract_element(places, lane), stride.type)
            place = builder.add(start, builder.mul(place, stride))
            number = builder.load(builder.inttoptr(place, view.data.type))
            gathered = builder.insert_element(gathered, number, lane)
        return gathered

    return lanes(array, places), generate


@intrinsic
def spread(typing_context, number):
    """Return a number in all lanes."""
    lanes = Lanes(number)

    def generate(context, builder, signature, arguments):
        nothing = _undefined(context.get_value_type(lanes))
        first = builder.insert_element(nothing, arguments[0], ir.Constant(_INDEX, 0))
        return builder.shuffle_vector(first, nothing, _constants(_INDEX, [0] * LANES))

    return lanes(number), generate


@intrinsic
def element(typing_context, lanes, k):
    """Return the number in one lane."""

    def generate(context, builder, signature, arguments):
        return builder.extract_element(arguments[0], builder.trunc(arguments[1], _INDEX))

    return lanes.dtype(lanes, types.intp), generate


@intrinsic
def running_total(typing_context, lanes):
    """Return the sums of floats up to every lane."""

    def generate(context, builder, signature, arguments):
        (lanes,) = arguments
        step = 1
        while step < LANES:  # every lane has the sum of 2 lanes, then of 4, ...
            order = [(k - step) % LANES for k in range(LANES)]
            # Turning and choosing is twice as fast as shifting zeros in.
            turned = builder.shuffle_vector(lanes, lanes, _constants(_INDEX, order))
            is_later = _constants(ir.IntType(1), [k >= step for k in range(LANES)])
            lanes = builder.select(is_later, builder.fadd(lanes, turned), lanes)
            step *= 2
        return lanes

    return lanes(lanes), generate


# -------------------------------------------------------------------------- lane by lane


@intrinsic
def choose(typing_context, mask, first, second):
    """Return the first where the mask is true, and the second elsewhere."""

    def generate(context, builder, signature, arguments):
        return builder.select(*arguments)

    return first(mask, first, second), generate


@intrinsic
def as_floats(typing_context, lanes):
    """Return int32 or float64 as float32."""
    floats = Lanes(types.float32)

    def generate(context, builder, signature, arguments):
        is_float = isinstance(signature.args[0].dtype, types.Float)
        convert = builder.fptrunc if is_float else builder.sitofp
        return convert(arguments[0], context.get_value_type(floats))

    return floats(lanes), generate


def _operator(
    symbol: Callable[..., Any],
    of_floats: Callable[..., Any],
    of_integers: Callable[..., Any],
    is_test: bool = False,
) -> None:
    """Define an operator between two vectors of one kind."""

    @type_callable(symbol)
    def type_of(context):
        def result(first, second):
            if isinstance(first, Lanes) and first == second:
                return Lanes(types.boolean) if is_test else first
            return None

        return result

    @lower_builtin(symbol, Lanes, Lanes)
    def lower(context, builder, signature, arguments):
        is_float = isinstance(signature.args[0].dtype, types.Float)
        return (of_floats if is_float else of_integers)(builder, *arguments)


def _fused(name: str) -> Callable[..., Any]:
    # A product and a sum may become one instruction, where there is one.
    return lambda builder, a, b: getattr(builder, name)(a, b, flags=("contract",))


def _integer(name: str) -> Callable[..., Any]:
    return lambda builder, a, b: getattr(builder, name)(a, b)


def _compared(sign: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    return (
        lambda builder, a, b: builder.fcmp_ordered(sign, a, b),
        lambda builder, a, b: builder.icmp_unsigned(sign, a, b),
    )


_operator(operator.add, _fused("fadd"), _integer("add"))
_operator(operator.sub, _fused("fsub"), _integer("sub"))
_operator(operator.mul, _fused("fmul"), _integer("mul"))
_operator(operator.truediv, _fused("fdiv"), _integer("udiv"))
_operator(operator.and_, _integer("and_"), _integer("and_"))
_operator(operator.xor, _integer("xor"), _integer("xor"))
_operator(operator.ge, *_compared(">="), is_test=True)
_operator(operator.gt, *_compared(">"), is_test=True)
