"""Walks through the files of a folder or an archive, or a file itself, without unpacking anything to disk.

What a file is follows from its first bytes, not from its name.
"""

import bz2
import contextlib
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

from fer_utils.data.fer2013 import FaceDataError, make_error
from fer_utils.data.naming import is_hidden, printable

MAX_EXPANDED = 10**9  # bytes: the largest real copy is 0.3 GB, so more than 1 GB is a mistake or an attack
MAX_DEPTH = 3  # of archives in archives
PEEKED = 512  # bytes, by which a file is known
NO_FILE = "a pipe, a device or a link to nothing"
FIRST_BYTES = {
    b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "xz",
    b"Rar!": "rar", b"7z\xbc\xaf\x27\x1c": "7z", b"PAR1": "parquet", b"\x89HDF\r\n": "h5", b"\x93NUMPY": "npy",
    b"\xff\xfe": "utf16", b"\xfe\xff": "utf16", b"\x89PNG": "image", b"\xff\xd8\xff": "image", b"GIF8": "image",
    b"II*\0": "image", b"MM\0*": "image", b"BM": "image", b"P5": "image", b"P6": "image",
}  # fmt: skip
UNPACK = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}
# What a name promises; a file that does not keep it is damaged, or was cut short.
PROMISES = {
    ".zip": {"zip"}, ".npz": {"npz", "zip"}, ".npy": {"npy"},
    ".gz": {"gzip", "tar"}, ".tgz": {"gzip", "tar"}, ".bz2": {"bz2"}, ".xz": {"xz"},
}  # fmt: skip


class Member(NamedTuple):
    """A file that `walk_files` comes by; its stream may be read until the next one comes."""

    name: str
    n_bytes: int
    kind: str  # a value of FIRST_BYTES, or "npz", "xlsx", "tar", "text", "binary"
    stream: BinaryIO


def sniff(stream):
    """Returns what a buffered binary `stream` holds, by its first bytes, which stay in it."""
    head = stream.peek(PEEKED)[:PEEKED]
    for first, kind in FIRST_BYTES.items():
        if head.startswith(first):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image"
    if head[257:262] == b"ustar":
        return "tar"
    return "binary" if b"\0" in head else "text"


def name_zip(names):
    """Returns what a zip file with these members is: "npz", "xlsx" or "zip"."""
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    return "xlsx" if "[Content_Types].xml" in names else "zip"


def breaks_promise(name, kind):
    """Returns whether a file called `name` should be another `kind`, such as an archive."""
    promised = PROMISES.get(Path(name).suffix.lower(), {kind})
    return kind not in promised and kind in ("text", "binary")


@contextlib.contextmanager
def explain_damage(name):
    """Turns what zip, gzip and the file system raise for the unreadable file `name` into a `FaceDataError`."""
    damage = OSError, EOFError, RuntimeError, UnicodeError, zlib.error, lzma.LZMAError
    try:
        yield
    except (*damage, zipfile.BadZipFile, tarfile.TarError) as e:
        raise _make_damage_error(name, e) from e


def _make_damage_error(name, error):
    found = f"a file that is damaged, cut short or locked ({type(error).__name__})"
    return make_error(printable(name), found, "a readable copy of FER2013")


def walk_files(files, base):
    """Yields a `Member` for each of `files`, named from the folder `base`, and for each file in an archive among them.

    Archives in archives are walked too, down to `MAX_DEPTH`, together no more than `MAX_EXPANDED`. Hidden members are
    left out.
    """
    total = 0
    for file in files:
        name = file.relative_to(base).as_posix()
        if not file.is_file():
            raise make_error(printable(name), NO_FILE, "files", "Take it out of the folder")
        with explain_damage(name), file.open("rb", 2**20) as stream:
            inside = "" if len(files) == 1 else f"{name}/"
            for member in _check_promise(name, file.stat().st_size, stream, inside, MAX_DEPTH):
                if member.name != name:
                    total += member.n_bytes
                    check_size(name, total)
                yield member


def _check_promise(name, n_bytes, stream, inside, depth):
    """Yields what `_walk` does, if the file is what its name promises."""
    if breaks_promise(name, sniff(stream)):
        found = f"a file that is damaged, or no {Path(name).suffix} by its first bytes"
        raise make_error(printable(name), found, "a readable copy of FER2013")
    yield from _walk(name, n_bytes, stream, inside, depth)


def _walk(name, n_bytes, stream, inside, depth):
    """Yields the members of `stream`, or itself; names of members begin with `inside`."""
    kind = sniff(stream)
    if kind == "zip":
        yield from _walk_zip(name, n_bytes, stream, inside, depth)
    elif depth and kind == "tar":
        yield from _walk_tar(name, stream, inside, depth)
    elif depth and kind in UNPACK:
        unpacked = io.BufferedReader(_LimitedStream(UNPACK[kind](stream), name), 2**20)
        yield from _walk(name, n_bytes, unpacked, inside, depth)
        while unpacked.read(2**20):
            pass  # gzip compares its checksum only at the very end
    else:
        yield Member(name, n_bytes, kind, stream)


def _walk_zip(name, n_bytes, stream, inside, depth):
    if not isinstance(stream.raw, io.FileIO):  # within another archive: it has to be searched
        stream = io.BytesIO(stream.read())
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        # zipfile reads no member past the size stated for it, so this sum holds for what is really read.
        check_size(name, sum(member.file_size for member in members))
        _check_names(name, [member.filename for member in members])
        kind = name_zip(archive.namelist())
        if kind != "zip" or not depth:
            stream.seek(0)
            yield Member(name, n_bytes, kind, stream)
            return
        for member in members:
            if not member.is_dir() and not is_hidden(member.filename):
                with io.BufferedReader(archive.open(member), 2**20) as content:
                    name = member.filename.replace("\\", "/")  # some programs write Windows' own
                    where = f"{inside}{name}"
                    yield from _check_promise(where, member.file_size, content, f"{where}/", depth - 1)


def _walk_tar(name, stream, inside, depth):
    n_bytes = 0
    for archive, member in _list_tar(name, stream):
        _check_names(name, [member.name])
        n_bytes += member.size  # of a sparse member: more than the archive holds of it
        check_size(name, n_bytes)
        if member.isfile() and not is_hidden(member.name):
            where = f"{inside}{member.name}"
            # What tarfile gives does not say whether one can go back in it, and pandas asks.
            content = io.BufferedReader(_LimitedStream(archive.extractfile(member), where), 2**20)
            yield from _check_promise(where, member.size, content, f"{where}/", depth - 1)


def _list_tar(name, stream):
    """Yields (the archive, one of its members) of a tar; each may be read until the next one comes."""
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                yield archive, member
    except FaceDataError:
        raise
    except Exception as error:  # of a damaged header tarfile raises whatever Python does of the text in it
        raise _make_damage_error(name, error) from error


class _LimitedStream(io.RawIOBase):
    """A stream to read that refuses to give more than `MAX_EXPANDED` bytes in all."""

    def __init__(self, stream, where):
        self.stream, self.where, self.total = stream, where, 0

    def readable(self):
        return True

    def readinto(self, buffer):
        content = self.stream.read(len(buffer))
        self.total += len(content)
        check_size(self.where, self.total)
        buffer[: len(content)] = content
        return len(content)


def check_size(where, n_bytes):
    """Raises `FaceDataError` for an archive that expands to more than `MAX_EXPANDED` bytes."""
    if n_bytes > MAX_EXPANDED:
        found = f"an archive that expands to {n_bytes / 1e9:.1f} GB or more"
        raise make_error(printable(where), found, f"at most {MAX_EXPANDED / 1e9:.0f} GB")


def _check_names(where, names):
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if parts[0] == "" or ".." in parts or re.match("[A-Za-z]:", name):
            found = f"the member name {name!r}"
            raise make_error(printable(where), found, "names that stay inside the archive's own folder")
