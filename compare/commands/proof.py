"""Whether a folder is what its manifest says, and its reports are what its records say."""

import hashlib
from pathlib import Path

from compare.commands.rendering import has_records, rendered
from compare.folders import manifest
from compare.folders.manifest import MANIFEST, SEAL, Manifest, names
from compare.folders.run_folder import load_manifest
from shared import files
from shared.errors import InputError

MAX_SEAL_BYTES = 1 << 10
TEXTS = (".md", ".csv", ".parquet", ".json", ".tfevents.0")


def problems(folder: Path) -> list[str]:
    """What is not as it was written, a sentence for each file; none where all is well.

    Raises InputError where there is no manifest to hold the folder against.
    """
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} has no {MANIFEST}. Give a whole folder that 'python -m compare' wrote.")
    found = _of_manifest(folder)
    try:
        known = load_manifest(folder)
    except InputError:
        return found  # which says so
    present = names(folder)
    found += [f"{name} is missing." for name in known.files if name not in present]
    found += [f"{name} is not in the manifest." for name in present if name not in known.files]
    found += [
        f"{name} was altered: its SHA-256 is {found_there}, and the manifest says {sha256}."
        for name, sha256 in known.files.items()
        if name in present and (found_there := files.sha256(folder / name)) != sha256
    ]
    return found or _of_reports(folder, known)


def made_by_others(folder: Path) -> str | None:
    """Why reports cannot be held against what their records make now: they were made with other libraries."""
    known = load_manifest(folder)
    here = manifest.rendering_libraries()
    if known.libraries == here and known.version == manifest.code_version():
        return None
    made_with = known.libraries or "libraries that it does not name"
    return (
        f"Its reports were made with compare {known.version} and {made_with}; here are compare "
        f"{manifest.code_version()} and {here}. So they were held against their hashes alone, and not made anew."
    )


def _of_manifest(folder: Path) -> list[str]:
    """The manifest is guarded by its own hash, in a file beside it."""
    sha256 = files.sha256(folder / MANIFEST)
    if not (folder / SEAL).is_file():
        return [f"{SEAL} is missing."]
    if files.read(folder / SEAL, MAX_SEAL_BYTES, "Put the original back.") != f"{sha256}  {MANIFEST}\n".encode():
        return [f"{MANIFEST} or {SEAL} was altered: the one's SHA-256 is {sha256}, and the other says otherwise."]
    return []


def _of_reports(folder: Path, known: Manifest) -> list[str]:
    """Every figure in a report comes from a record: made anew from them, every text and table has the same bytes.

    Pictures, and the page that holds them, are held against their hashes alone: matplotlib's layout is solved anew each
    time, and may end a last bit away from where it was.
    """
    if made_by_others(folder) or not has_records(folder):
        return []
    made = rendered(folder)
    return [
        f"{name} is not what its records say: made anew, it has other bytes."
        for name, content in made.items()
        if name.endswith(TEXTS) and hashlib.sha256(content).hexdigest() != known.files.get(name)
    ]
