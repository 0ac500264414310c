"""Packs single quantised blocks by hand and computes what they stand for, value by value.

Written from the published layout of the GGML block types, independent of the library that the loader uses:
bits are put in place one by one, and the expected numbers follow from the scales and quants that were put in.
"""

import random
import struct
from collections.abc import Callable, Sequence

Block = tuple[bytes, list[float]]
K_BLOCK, BLOCK = 256, 32
_D, _DMIN = 0.03125, 0.015625
"""Powers of two, so that half precision holds them exactly."""


def _half(value: float) -> bytes:
    return struct.pack("<e", value)


def q8_0(rng: random.Random) -> Block:
    """Pack d, then 32 signed bytes."""
    quants = [rng.randint(-128, 127) for _ in range(BLOCK)]
    return _half(_D) + struct.pack("<32b", *quants), [_D * quant for quant in quants]


def _nibbles(quants: Sequence[int]) -> bytes:
    return bytes(quants[place] | quants[place + 16] << 4 for place in range(16))


def q4_0(rng: random.Random) -> Block:
    """Pack d, then 16 bytes whose low halves come first; values are offset by 8."""
    quants = [rng.randint(0, 15) for _ in range(BLOCK)]
    return _half(_D) + _nibbles(quants), [_D * (quant - 8) for quant in quants]


def q4_1(rng: random.Random) -> Block:
    """Pack d and a minimum, then as Q4_0 without the offset."""
    quants = [rng.randint(0, 15) for _ in range(BLOCK)]
    return _half(_D) + _half(-0.25) + _nibbles(quants), [_D * quant - 0.25 for quant in quants]


def q2_k(rng: random.Random) -> Block:
    """Pack 16 bytes of 4-bit scales and minima, 64 bytes of 2-bit quants, d, dmin."""
    scales, minima = ([rng.randint(0, 15) for _ in range(16)] for _ in range(2))
    quants = [rng.randint(0, 3) for _ in range(K_BLOCK)]
    packed = bytearray(64)
    for place, quant in enumerate(quants):
        half, inside = divmod(place, 128)
        packed[half * 32 + inside % 32] |= quant << (2 * (inside // 32))
    body = bytes(scale | least << 4 for scale, least in zip(scales, minima, strict=True)) + bytes(packed)
    values = [
        _D * scales[place // 16] * quant - _DMIN * minima[place // 16] for place, quant in enumerate(quants)
    ]
    return body + _half(_D) + _half(_DMIN), values


def q3_k(rng: random.Random) -> Block:
    """Pack 32 bytes of high bits, 64 bytes of low pairs, 12 bytes of 6-bit scales, d."""
    scales = [rng.randint(-32, 31) for _ in range(16)]
    quants = [rng.randint(-4, 3) for _ in range(K_BLOCK)]
    high, low, packed = bytearray(32), bytearray(64), bytearray(12)
    for place, quant in enumerate(quants):
        raw = quant + 4
        half, inside = divmod(place, 128)
        low[half * 32 + inside % 32] |= (raw & 3) << (2 * (inside // 32))
        high[place % 32] |= (raw >> 2) << (place // 32)
    for place, scale in enumerate(scales):
        raw = scale + 32
        packed[place % 8] |= (raw & 15) << (4 * (place // 8))
        packed[8 + place % 4] |= (raw >> 4) << (2 * (place // 4))
    values = [_D * scales[place // 16] * quant for place, quant in enumerate(quants)]
    return bytes(high) + bytes(low) + bytes(packed) + _half(_D), values


def _six_bit_pairs(scales: Sequence[int], minima: Sequence[int]) -> bytes:
    """Pack eight 6-bit scales and eight 6-bit minima into 12 bytes, as Q4_K and Q5_K do."""
    packed = bytearray(12)
    for place in range(8):
        if place < 4:
            packed[place] |= scales[place]
            packed[place + 4] |= minima[place]
        else:
            packed[place + 4] |= (scales[place] & 15) | (minima[place] & 15) << 4
            packed[place - 4] |= (scales[place] >> 4) << 6
            packed[place] |= (minima[place] >> 4) << 6
    return bytes(packed)


def _k_scales(rng: random.Random) -> tuple[list[int], list[int]]:
    return [rng.randint(0, 63) for _ in range(8)], [rng.randint(0, 63) for _ in range(8)]


def _chunk_nibbles(quants: Sequence[int]) -> bytes:
    """Pack 64 values into 32 bytes, four times: the first 32 are the low halves."""
    return bytes(
        (quants[start + place] & 15) | (quants[start + 32 + place] & 15) << 4
        for start in range(0, K_BLOCK, 64)
        for place in range(32)
    )


def q4_k(rng: random.Random) -> Block:
    """Pack d, dmin, 6-bit scales and minima, 4-bit quants."""
    scales, minima = _k_scales(rng)
    quants = [rng.randint(0, 15) for _ in range(K_BLOCK)]
    body = _half(_D) + _half(_DMIN) + _six_bit_pairs(scales, minima) + _chunk_nibbles(quants)
    return body, [_D * scales[p // 32] * quant - _DMIN * minima[p // 32] for p, quant in enumerate(quants)]


def q5_k(rng: random.Random) -> Block:
    """Pack as Q4_K, with 32 bytes of fifth bits before the quants."""
    scales, minima = _k_scales(rng)
    quants = [rng.randint(0, 31) for _ in range(K_BLOCK)]
    fifth = bytearray(32)
    for place, quant in enumerate(quants):
        fifth[place % 32] |= (quant >> 4) << (place // 32)
    body = _half(_D) + _half(_DMIN) + _six_bit_pairs(scales, minima) + bytes(fifth) + _chunk_nibbles(quants)
    return body, [_D * scales[p // 32] * quant - _DMIN * minima[p // 32] for p, quant in enumerate(quants)]


def q6_k(rng: random.Random) -> Block:
    """Pack 128 bytes of low halves, 64 bytes of high pairs, 16 signed scales, d; values are offset by 32."""
    scales = [rng.randint(-128, 127) for _ in range(16)]
    quants = [rng.randint(0, 63) for _ in range(K_BLOCK)]
    low, high = bytearray(128), bytearray(64)
    for place, quant in enumerate(quants):
        half, inside = divmod(place, 128)
        low[half * 64 + inside % 64] |= (quant & 15) << (4 * (inside // 64))
        high[half * 32 + inside % 32] |= (quant >> 4) << (2 * (inside // 32))
    values = [_D * scales[place // 16] * (quant - 32) for place, quant in enumerate(quants)]
    return bytes(low) + bytes(high) + struct.pack("<16b", *scales) + _half(_D), values


PACKERS: dict[str, Callable[[random.Random], Block]] = {
    "Q8_0": q8_0,
    "Q4_0": q4_0,
    "Q4_1": q4_1,
    "Q2_K": q2_k,
    "Q3_K": q3_k,
    "Q4_K": q4_k,
    "Q5_K": q5_k,
    "Q6_K": q6_k,
}
