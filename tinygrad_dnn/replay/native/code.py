"""Code: native code as Python expressions.  What is computed with Numbers is written down for LLVM.

A kernel is a Python function that is run once, with Numbers in place of numbers; LLVM then turns
its loops into vector instructions.  What a kernel stores is never read by its loads in another
iteration, and LLVM is told so: else every loop would first compare all addresses.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

I64, I32, I8 = ir.IntType(64), ir.IntType(32), ir.IntType(8)
SINGLE, DOUBLE = ir.FloatType(), ir.DoubleType()


class Code:
    """A function of 64-bit integers that is being written; ``real`` is its type of floats.

    ``width`` is the bytes of a vector of the processor.
    """

    def __init__(self, module: ir.Module, name: str, arguments: int, real: Any, width: int) -> None:
        kind = ir.FunctionType(ir.VoidType(), [I64] * arguments)
        self.function = ir.Function(module, kind, name)
        self.entry = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.builder = ir.IRBuilder(self.function.append_basic_block("start"))
        self.real, self.width = real, width
        self.flags: tuple[str, ...] = ("contract",)
        self.arguments = [Number(self, a) for a in self.function.args]
        text = ir.MetaDataString
        domain = module.add_metadata([text(module, "tinygrad_dnn")])
        self._stored = module.add_metadata(
            [module.add_metadata([text(module, f"stored by {name}"), domain])]
        )

    def finish(self) -> None:
        """End the function."""
        self.builder.ret_void()
        self.entry.branch(self.function.basic_blocks[1])

    # ---- numbers -----------------------------------------------------------------------------
    def lift(self, x: Any, like: Any = None) -> "Number":
        """Return ``x`` as a Number: a constant of the type of ``like``, by default of floats."""
        if isinstance(x, Number):
            return x
        return Number(self, ir.Constant(self.real if like is None else like, x))

    def whole(self, n: int) -> "Number":
        """Return the integer ``n``."""
        return Number(self, ir.Constant(I64, n))

    def variable(self, x: "Number") -> "Variable":
        """Return something that holds a number, at first ``x``."""
        return Variable(self, x)

    def intrinsic(self, name: str, *args: "Number") -> "Number":
        """Call one of LLVM's own functions of floats."""
        kinds = [a.value.type for a in args]
        f = self.function.module.declare_intrinsic(f"llvm.{name}", kinds[:1])
        return Number(self, self.builder.call(f, [a.value for a in args], fastmath=self.flags))

    # ---- memory ------------------------------------------------------------------------------
    def room(self, n: int) -> "Number":
        """Return the address of memory for ``n`` floats, of this function, made once."""
        place = self.entry.alloca(ir.ArrayType(self.real, n))
        return Number(self, self.entry.ptrtoint(place, I64))

    def load(self, base: "Number", i: Any, kind: Any = None, *, stored: bool = False) -> "Number":
        """Return entry ``i`` at ``base``; ``stored`` if this kernel may have put it there."""
        value = self.builder.load(self._place(base, i, kind or self.real))
        value.set_metadata("alias.scope" if stored else "noalias", self._stored)
        return Number(self, value)

    def store(self, base: "Number", i: Any, x: "Number") -> None:
        """Set entry ``i`` at ``base``."""
        done = self.builder.store(x.value, self._place(base, i, x.value.type))
        done.set_metadata("alias.scope", self._stored)

    def _place(self, base: "Number", i: Any, kind: Any) -> Any:
        pointer = self.builder.inttoptr(base.value, ir.PointerType(kind))
        return self.builder.gep(pointer, [self.lift(i, I64).value])

    # ---- order -------------------------------------------------------------------------------
    @contextmanager
    def loop(self, count: "Number", step: int = 1) -> Iterator["Number"]:
        """Repeat what is written in this block for 0, step, 2 step, ... below ``count``."""
        head, body, end = map(self.function.append_basic_block, ("head", "body", "end"))
        before = self.builder.block
        self.builder.branch(head)
        self.builder.position_at_end(head)
        i = self.builder.phi(I64)
        i.add_incoming(ir.Constant(I64, 0), before)
        more = self.builder.icmp_signed("<", i, count.value)
        self.builder.cbranch(more, body, end)
        self.builder.position_at_end(body)
        yield Number(self, i)
        following = self.builder.add(i, ir.Constant(I64, step), flags=("nsw",))
        i.add_incoming(following, self.builder.block)
        self.builder.branch(head)
        self.builder.position_at_end(end)

    def choose(self, condition: "Number", yes: Callable[[], Any], no: Callable[[], Any]) -> None:
        """Do one thing or the other."""
        with self.builder.if_else(condition.value) as (then, otherwise):
            with then:
                yes()
            with otherwise:
                no()

    def call(self, address: "Number", *args: "Number") -> None:
        """Call the function of integers at ``address``."""
        self._call(address, [a.value for a in args])

    def call_by_reference(self, address: "Number", *args: Any) -> None:
        """Call as Fortran does: addresses as they are; Numbers in a tuple, with their type, copied.

        The copies are in memory of this function, made once.
        """
        passed = []
        for a in args:
            if isinstance(a, tuple):
                x, kind = a
                value = self.builder.trunc(x.value, kind) if kind in (I32, I8) else x.value
                place = self.entry.alloca(kind)
                self.builder.store(value, place)
                passed.append(place)
            else:
                passed.append(self.builder.inttoptr(a.value, ir.PointerType(self.real)))
        self._call(address, passed)

    def _call(self, address: "Number", values: list[Any]) -> None:
        kind = ir.FunctionType(ir.VoidType(), [v.type for v in values])
        self.builder.call(self.builder.inttoptr(address.value, ir.PointerType(kind)), values)


class Number:
    """A float, an integer, a bit, or a mask, that is known when the code runs."""

    def __init__(self, code: Code, value: Any) -> None:
        self.code, self.value = code, value

    def _two(self, other: Any, of_floats: str, of_integers: str) -> "Number":
        b, other = self.code.builder, self.code.lift(other, self.value.type)
        if self.is_float:
            value = getattr(b, of_floats)(self.value, other.value, flags=self.code.flags)
        else:
            value = getattr(b, of_integers)(self.value, other.value)
        return Number(self.code, value)

    def _compare(self, other: Any, sign: str) -> "Number":
        b, other = self.code.builder, self.code.lift(other, self.value.type)
        if not self.is_float:
            return Number(self.code, b.icmp_signed(sign, self.value, other.value))
        compare = b.fcmp_unordered if sign == "!=" else b.fcmp_ordered
        return Number(self.code, compare(sign, self.value, other.value))

    @property
    def is_float(self) -> bool:
        """Say if it is a float, or several."""
        kind = self.value.type
        kind = kind.element if isinstance(kind, ir.VectorType) else kind
        return isinstance(kind, ir.FloatType | ir.DoubleType)

    def __add__(self, other: Any) -> "Number":
        return self._two(other, "fadd", "add")

    def __sub__(self, other: Any) -> "Number":
        return self._two(other, "fsub", "sub")

    def __mul__(self, other: Any) -> "Number":
        return self._two(other, "fmul", "mul")

    def __truediv__(self, other: Any) -> "Number":
        return self._two(other, "fdiv", "sdiv")

    def __rtruediv__(self, other: Any) -> "Number":
        return self.code.lift(other, self.value.type)._two(self, "fdiv", "sdiv")

    def __neg__(self) -> "Number":
        return Number(self.code, self.code.builder.fneg(self.value, flags=self.code.flags))

    def __abs__(self) -> "Number":
        return self.code.intrinsic("fabs", self)

    def __lt__(self, other: Any) -> "Number":
        return self._compare(other, "<")

    def __le__(self, other: Any) -> "Number":
        return self._compare(other, "<=")

    def __gt__(self, other: Any) -> "Number":
        return self._compare(other, ">")

    def __ge__(self, other: Any) -> "Number":
        return self._compare(other, ">=")

    def __eq__(self, other: Any) -> "Number":  # type: ignore[override]
        return self._compare(other, "==")

    def __ne__(self, other: Any) -> "Number":  # type: ignore[override]
        return self._compare(other, "!=")

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other: Any) -> "Number":
        return self._two(other, "", "and_")

    def __or__(self, other: Any) -> "Number":
        return self._two(other, "", "or_")

    def __lshift__(self, n: int) -> "Number":
        return self._two(n, "", "shl")

    def __rshift__(self, n: int) -> "Number":
        return self._two(n, "", "ashr")

    def smaller(self, other: Any) -> "Number":
        """Return the smaller of two integers."""
        less: Number = self < other
        return less.select(self, other)

    def select(self, yes: Any, no: Any) -> "Number":
        """Return ``yes`` where this bit is set, else ``no``."""
        like = yes if isinstance(yes, Number) else no
        yes, no = (self.code.lift(x, like.value.type) for x in (yes, no))
        return Number(self.code, self.code.builder.select(self.value, yes.value, no.value))

    # ---- other types -------------------------------------------------------------------------
    def bits(self) -> "Number":
        """Return the bits of a float, as an integer of its width."""
        wide = I32 if self.value.type == SINGLE else I64
        return Number(self.code, self.code.builder.bitcast(self.value, wide))

    def as_float(self) -> "Number":
        """Return the float with these bits."""
        return Number(self.code, self.code.builder.bitcast(self.value, self.code.real))

    def to_int(self) -> "Number":
        """Return a float without a fraction as an integer of its width."""
        wide = I32 if self.value.type == SINGLE else I64
        return Number(self.code, self.code.builder.fptosi(self.value, wide))

    def to_float(self) -> "Number":
        """Return an integer, or a mask, as a float."""
        convert = self.code.builder.uitofp if self.value.type == I8 else self.code.builder.sitofp
        return Number(self.code, convert(self.value, self.code.real))

    def to_mask(self) -> "Number":
        """Return a bit as True and False are in memory."""
        return Number(self.code, self.code.builder.zext(self.value, I8))


class Variable:
    """A number that changes while the code runs."""

    def __init__(self, code: Code, x: Number) -> None:
        self.code = code
        self.place = code.entry.alloca(x.value.type)
        self.set(x)

    def get(self) -> Number:
        """Return what it is now."""
        return Number(self.code, self.code.builder.load(self.place))

    def set(self, x: Number) -> None:
        """Let it be ``x``."""
        self.code.builder.store(x.value, self.place)
