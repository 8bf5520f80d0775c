"""Random numbers that are the same on every platform and with every version of NumPy.

NumPy promises a stable stream of raw integers from a bit generator, but not of the distributions built on it.
Everything here is therefore built on those integers alone.
"""

import zlib

import numpy as np


def _raw(n: int, *key: int | str) -> np.ndarray:
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in key]
    # SeedSequence pads with zeros. The length is therefore part of the key: (0, 1) and (0, 1, 0) are two keys.
    return np.random.PCG64(np.random.SeedSequence([len(words), *words])).random_raw(n)


def uniform(n: int, *key: int | str) -> np.ndarray:
    """Return `n` float64 numbers in [0, 1), determined by `key` (non-negative integers and strings)."""
    return (_raw(n, *key) >> np.uint64(11)) * 2.0**-53


def bits(n: int, *key: int | str) -> np.ndarray:
    """Return `n` bits as uint8, determined by `key` (non-negative integers and strings)."""
    return np.unpackbits(_raw(-(-n // 64), *key).view(np.uint8), count=n)


def permutation(n: int, *key: int | str) -> np.ndarray:
    """Return a permutation of 0 ... n - 1 as int64, determined by `key` (non-negative integers and strings)."""
    return np.argsort(_raw(n, *key), kind="stable")
