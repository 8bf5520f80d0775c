"""Sign a folder's manifest with an Ed25519 key, and check such a signature.

Without the private key no one can alter the folder and sign its new manifest.
"""

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare.folders.manifest import MANIFEST, SIGNATURE
from compare.folders.output import write_whole
from shared.errors import InputError
from shared.storage import files

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_KEY_BYTES = 1 << 14
MAX_MANIFEST_BYTES = 1 << 28


def sign(folder: Path, key: Path) -> None:
    """Sign the manifest of `folder` with the private key in the PEM file `key`. Raises InputError if that is no key."""
    signed = _private(key).sign(_manifest(folder))
    write_whole(folder, SIGNATURE, base64.b64encode(signed) + b"\n")


def problem(folder: Path, key: Path) -> str | None:
    """Return why the signature is not by the owner of the public key in the PEM file `key`; None if it is. Raises
    InputError if that is no such key."""
    from cryptography.exceptions import InvalidSignature

    public = _public(key)
    if not (folder / SIGNATURE).is_file():
        return f"{SIGNATURE} is missing: the folder was not signed."
    written = files.read(folder / SIGNATURE, MAX_KEY_BYTES, "Put the original back.")
    try:
        public.verify(base64.b64decode(written, validate=False), _manifest(folder))
    except (InvalidSignature, binascii.Error):
        return f"{SIGNATURE} does not fit: {MANIFEST} was altered, or another key signed it."
    return None


def _manifest(folder: Path) -> bytes:
    return files.read(folder / MANIFEST, MAX_MANIFEST_BYTES, "Give a complete folder that 'python -m compare' wrote.")


def _private(path: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    advice = "Make one: openssl genpkey -algorithm ed25519 -out key.pem"
    key = _loaded(path, lambda content: load_pem_private_key(content, None), advice)
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path} is not a private Ed25519 key. {advice}.")
    return key


def _public(path: Path) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    advice = "Make it from the private one: openssl pkey -in key.pem -pubout -out public.pem"
    key = _loaded(path, load_pem_public_key, advice)
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path} is not a public Ed25519 key. {advice}.")
    return key


def _loaded(path: Path, load: Any, advice: str) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return load(files.read(path, MAX_KEY_BYTES, f"{advice}."))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # not PEM, another kind of key, or a password
        raise InputError(f"{path} is not a readable key ({error}). {advice}.") from None
