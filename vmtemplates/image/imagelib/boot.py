# SPDX-License-Identifier: Apache-2.0
"""Kernel and initial RAM disk, the same for every guest."""
import gzip
import io
import os
import stat

from .common import EPOCH, BuildError
from .elf import module_info

# What a guest may meet before or after its root is mounted; ext4 is built into the cloud kernel.
MODULES = ("virtio_pci", "virtio_blk", "virtio_console", "virtio_net", "virtio_rng", "squashfs",
           "qemu_fw_cfg")


def kernel_version(tree):
    versions = os.listdir(f"{tree}/lib/modules")
    if len(versions) != 1:
        raise BuildError(f"expected one kernel, found {versions}")
    return versions[0]


def modules_in_order(tree, version):
    """Paths of MODULES and all they depend on, each after what it needs."""
    base = f"{tree}/lib/modules/{version}/kernel"
    found = {}
    for folder, _, files in os.walk(base):
        for file in files:
            if file.endswith(".ko"):
                found[file[:-3].replace("-", "_")] = f"{folder}/{file}"
    order = []

    def visit(name):
        if name not in found:
            raise BuildError(f"kernel {version} has no module {name}")
        if found[name] in order:
            return
        for needed in ",".join(module_info(found[name]).get("depends", [])).split(","):
            if needed:
                visit(needed.replace("-", "_"))
        order.append(found[name])

    with open(f"{tree}/lib/modules/{version}/modules.builtin", encoding="ascii") as listing:
        builtin = {os.path.basename(line.strip())[:-3].replace("-", "_") for line in listing}
    for name in MODULES:
        if name not in builtin:
            visit(name)
    return order


def _entry(out, number, name, mode, data=b"", device=(0, 0), links=1):
    """Append one newc record (the format that the kernel's initramfs unpacker reads)."""
    encoded = name.encode() + b"\0"
    fields = (number, mode, 0, 0, links, EPOCH, len(data), 0, 0, *device, len(encoded), 0)
    out.write(b"070701" + b"".join(b"%08x" % f for f in fields) + encoded)
    out.write(b"\0" * (-out.tell() % 4))
    out.write(data)
    out.write(b"\0" * (-out.tell() % 4))


def initrd(tree, version, busybox, init_script):
    """The bytes of the initial RAM disk; equal inputs give equal bytes."""
    out = io.BytesIO()
    records = [(d, stat.S_IFDIR | 0o755, b"", (0, 0)) for d in
               ("bin", "dev", "modules", "proc", "root", "sys")]
    records.append(("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)))
    with open(busybox, "rb") as source:
        records.append(("bin/busybox", stat.S_IFREG | 0o755, source.read(), (0, 0)))
    with open(init_script, "rb") as source:
        records.append(("init", stat.S_IFREG | 0o755, source.read(), (0, 0)))
    names = []
    for path in modules_in_order(tree, version):
        names.append(os.path.basename(path))
        with open(path, "rb") as source:
            records.append((f"modules/{names[-1]}", stat.S_IFREG | 0o644, source.read(), (0, 0)))
    records.append(("modules/order", stat.S_IFREG | 0o644, ("\n".join(names) + "\n").encode(), (0, 0)))
    for number, (name, mode, data, device) in enumerate(records, 1):
        _entry(out, number, name, mode, data, device)
    _entry(out, 0, "TRAILER!!!", 0)
    return gzip.compress(out.getvalue(), compresslevel=9, mtime=EPOCH)
