# SPDX-License-Identifier: Apache-2.0
"""The read-only root of one guest: a small tree of named files, packed as squashfs."""
import fnmatch
import os
import shutil

from .common import EPOCH, BuildError, run
from .elf import Closure, copy_file, inside, section

APPLETS = ("sh", "awk", "cat", "chown", "chmod", "date", "dd", "df", "dmesg", "free", "grep", "hexdump", "ip", "kill",
           "ls", "mkdir", "mount", "poweroff", "ps", "reboot", "sleep", "sync", "tr", "umount",
           "usleep")

FOLDERS = ("data", "dev", "etc", "proc", "run", "sys", "tmp", "usr/bin", "usr/sbin", "usr/lib",
           "var", "root")

PASSWD = """root:x:0:0:root:/root:/usr/sbin/nologin
aurabox:x:900:900:Aurabox server:/data:/usr/sbin/nologin
postgres:x:901:901:PostgreSQL:/data:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUP = "root:x:0:\naurabox:x:900:\npostgres:x:901:\nnogroup:x:65534:\n"
NSSWITCH = "passwd: files\ngroup: files\nhosts: files\n"


def assemble(root, recipe, tree, programs, image_dir, version):
    """Fill the folder 'root' with what 'recipe' names."""
    shutil.rmtree(root, ignore_errors=True)
    for folder in FOLDERS:
        os.makedirs(f"{root}/{folder}")
    for link in ("bin", "sbin", "lib"):
        os.symlink(f"usr/{link}", f"{root}/{link}")
    os.symlink("/run", f"{root}/var/run")
    _etc(root, recipe, version)
    closure = Closure(tree, root)
    for pattern in recipe["files"]:
        _copy_matching(tree, root, closure, pattern, recipe.get("without", ()))
    for name, path in programs.items():
        closure.add(path, f"usr/bin/{name}")
    for source, target in recipe.get("own_files", {}).items():
        copy_file(f"{image_dir}/{source}", f"{root}/{target}")
    if recipe["set"] == "guest":
        _empty_icu_data(root)
    copy_file(f"{image_dir}/root/init", f"{root}/usr/sbin/init")
    for applet in APPLETS:
        os.symlink("busybox", f"{root}/usr/bin/{applet}")


def _empty_icu_data(root):
    """libxml2 is linked with ICU for foreign character sets; its 30 MB of tables are of no use where
    everything read is UTF-8. The library stays, its tables become zeros, which take no room."""
    for folder, _, files in os.walk(f"{root}/usr/lib"):
        for name in files:
            if name.startswith("libicudata.so.") and not os.path.islink(f"{folder}/{name}"):
                with open(f"{folder}/{name}", "r+b") as library:
                    offset, size = section(library, b".rodata")
                    library.seek(offset)
                    library.write(bytes(size))


def _etc(root, recipe, version):
    contents = {
        "passwd": PASSWD, "group": GROUP, "nsswitch.conf": NSSWITCH,
        "os-release": f'NAME="Aurabox guest"\nID=aurabox\nVARIANT_ID={recipe["name"]}\n'
                      f'VERSION_ID="{version}"\nPRETTY_NAME="Aurabox {recipe["name"]} {version}"\n',
    }
    for name, text in contents.items():
        with open(f"{root}/etc/{name}", "w", encoding="utf-8") as out:
            out.write(text)
    os.symlink("/run/aurabox/hosts", f"{root}/etc/hosts")


def _copy_matching(tree, root, closure, pattern, without):
    matched = False
    base = pattern.split("*")[0].rstrip("/") if "*" in pattern else pattern
    candidates = [base]
    if os.path.isdir(f"{tree}/{base}"):
        candidates = sorted(os.path.relpath(f"{folder}/{file}", tree)
                            for folder, _, files in os.walk(f"{tree}/{base}") for file in files)
    elif "*" in pattern:
        folder = os.path.dirname(base)
        candidates = sorted(f"{folder}/{f}" for f in os.listdir(f"{tree}/{folder}"))
    for path in candidates:
        if not fnmatch.fnmatchcase(path, pattern):
            continue
        if any(fnmatch.fnmatchcase(path, w) for w in without):
            continue
        source = inside(tree, f"{tree}/{path}")
        if source is None or not os.path.isfile(source):
            continue
        closure.add(source, path if not path.startswith(("bin/", "sbin/", "lib/")) else f"usr/{path}")
        matched = True
    if not matched:
        raise BuildError(f"no package of this image holds {pattern}")


def pack(root, target):
    temporary = f"{target}.new"
    if os.path.exists(temporary):
        os.unlink(temporary)
    run(["mksquashfs", root, temporary, "-noappend", "-no-progress", "-quiet", "-all-root",
         "-no-xattrs", "-comp", "zstd", "-Xcompression-level", "15", "-b", "128K",
         "-no-exports"], "packing the root")
    os.replace(temporary, target)
