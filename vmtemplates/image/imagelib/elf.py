# SPDX-License-Identifier: Apache-2.0
"""The little of ELF that the build reads: needed libraries, search path, module information."""
import os
import struct

from .common import BuildError

DT_NEEDED, DT_STRTAB, DT_RPATH, DT_RUNPATH, PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 5, 15, 29, 1, 2, 3


def is_elf(path):
    with open(path, "rb") as source:
        return source.read(5) == b"\x7fELF\x02"


def _text(blob, offset):
    return blob[offset:blob.index(b"\0", offset)].decode()


def needed(path):
    """(libraries, search folders, interpreter or None) of one 64-bit little-endian ELF file."""
    with open(path, "rb") as source:
        blob = source.read()
    table, size, count = struct.unpack_from("<Q", blob, 32)[0], *struct.unpack_from("<HH", blob, 54)
    heads = [struct.unpack_from("<IIQQQQQQ", blob, table + i * size) for i in range(count)]
    loads = [(h[3], h[2], h[5]) for h in heads if h[0] == PT_LOAD]
    interpreter = next((_text(blob, h[2]) for h in heads if h[0] == PT_INTERP), None)
    entries = []
    for head in heads:
        if head[0] == PT_DYNAMIC:
            entries = [struct.unpack_from("<QQ", blob, head[2] + i)
                       for i in range(0, head[5] - 15, 16)]
    strings = next((v for t, v in entries if t == DT_STRTAB), None)
    if strings is None:
        return [], [], interpreter
    base = next(strings - v + o for v, o, n in loads if v <= strings < v + n)
    libraries = [_text(blob, base + v) for t, v in entries if t == DT_NEEDED]
    paths = [_text(blob, base + v) for t, v in entries if t in (DT_RPATH, DT_RUNPATH)]
    return libraries, [p for group in paths for p in group.split(":")], interpreter


def module_info(path):
    """The .modinfo strings of a kernel module as a dictionary of lists."""
    with open(path, "rb") as source:
        blob = source.read()
    table = struct.unpack_from("<Q", blob, 40)[0]
    size, count, names = struct.unpack_from("<HHH", blob, 58)
    heads = [struct.unpack_from("<IIQQQQ", blob, table + i * size) for i in range(count)]
    result = {}
    for head in heads:
        if _text(blob, heads[names][4] + head[0]) == ".modinfo":
            for item in blob[head[4]:head[4] + head[5]].split(b"\0"):
                key, _, value = item.decode(errors="replace").partition("=")
                result.setdefault(key, []).append(value)
    return result


LIBRARY_FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib", "usr/lib", "lib64")


class Closure:
    """Copies programs into an image root together with every shared library they need."""

    def __init__(self, tree, root):
        self.tree = tree
        self.root = root

    def add(self, source, target):
        """Copy one file (and the libraries it needs) to root/target."""
        for library, place in self._libraries(source):
            if not os.path.exists(f"{self.root}/{place}"):
                self.add(library, place)
        copy_file(source, f"{self.root}/{target}")

    def _libraries(self, source):
        if not is_elf(source):
            return
        names, paths, interpreter = needed(source)
        if interpreter:
            yield self._find("ld-linux-x86-64.so.2", [], source), "lib64/ld-linux-x86-64.so.2"
        for name in names:
            if any(s in name for s in ("libasan", "libubsan", "libtsan")):
                raise BuildError(f"{source} was built with sanitizers; build the images from the release preset")
            if name != "ld-linux-x86-64.so.2":
                yield self._find(name, paths, source), f"usr/lib/x86_64-linux-gnu/{name}"

    def _find(self, name, paths, source):
        origin = os.path.dirname(source)
        for folder in (*paths, *LIBRARY_FOLDERS):
            folder = folder.replace("$ORIGIN", origin)
            path = f"{folder}/{name}" if folder.startswith(origin) else f"{self.tree}/{folder.lstrip('/')}/{name}"
            path = inside(self.tree, path)
            if path and os.path.isfile(path):
                return path
        raise BuildError(f"{source} needs {name}, which none of the packages of this image holds")


def inside(tree, path):
    """Resolve symbolic links as the guest would: an absolute target starts at the tree."""
    for _ in range(16):
        if not os.path.islink(path):
            return path
        target = os.readlink(path)
        path = f"{tree}{target}" if target.startswith("/") else os.path.join(os.path.dirname(path), target)
    return None


def copy_file(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    mode = 0o755 if os.stat(source).st_mode & 0o111 else 0o644
    with open(source, "rb") as data, open(target, "wb") as out:
        while block := data.read(1 << 20):
            out.write(block)
    os.chmod(target, mode)


def section(file, name):
    """(offset, size) of a section of a 64-bit little-endian ELF file."""
    file.seek(0)
    header = file.read(64)
    table, = struct.unpack_from("<Q", header, 0x28)
    entry, count, names = struct.unpack_from("<HHH", header, 0x3a)
    file.seek(table)
    rows = [struct.unpack_from("<II4Q", file.read(entry)) for _ in range(count)]
    file.seek(rows[names][4])
    strings = file.read(rows[names][5])
    for row in rows:
        if strings[row[0]:strings.index(b"\0", row[0])] == name:
            return row[4], row[5]
    raise BuildError(f"{file.name} has no section {name.decode()}")
