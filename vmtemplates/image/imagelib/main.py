# SPDX-License-Identifier: Apache-2.0
"""The command line of the image build."""
import argparse
import json
import os
import re
import shutil
import tempfile

from . import boot, cluster, root
from .common import BuildError, die, progress, require_tools, sha256_file, sha256_text, write_synced
from .packages import Cache, kernel_package
from .recipes import RECIPES, UNWANTED

IMAGE_DIR = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
SOURCE_DIR = os.path.dirname(os.path.dirname(IMAGE_DIR))
TOOLS = (("apt-get", "apt"), ("dpkg", "dpkg"), ("mksquashfs", "squashfs-tools"))
FILES = ("vmlinuz", "initrd", "root.squashfs")


def arguments(argv):
    parser = argparse.ArgumentParser(prog="build", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="smgr sm cm presence (default: all)")
    parser.add_argument("--out", default=f"{SOURCE_DIR}/build/images", help="where the images go")
    parser.add_argument("--bin", default=f"{SOURCE_DIR}/build/release/bin", help="our programs")
    parser.add_argument("--cache", help="downloaded packages (default: OUT/.cache)")
    parser.add_argument("--prepare", action="store_true", help="only download the packages")
    parser.add_argument("--offline", action="store_true", help="use the cache, touch no network")
    parser.add_argument("--update", action="store_true", help="take the archive's newest packages")
    parser.add_argument("--only-agent", action="store_true",
                        help="leave call servers out (to work on the boot alone)")
    options = parser.parse_args(argv)
    unknown = [n for n in options.names if n not in RECIPES]
    if unknown:
        parser.error(f"no such image: {' '.join(unknown)}; there are: {' '.join(RECIPES)}")
    if options.offline and (options.prepare or options.update):
        parser.error("--offline excludes --prepare and --update")
    options.names = options.names or list(RECIPES)
    options.out = os.path.abspath(options.out)
    options.cache = os.path.abspath(options.cache or f"{options.out}/.cache")
    return options


def product_version():
    with open(f"{SOURCE_DIR}/CMakeLists.txt", encoding="utf-8") as source:
        found = re.search(r"project\s*\([^)]*?VERSION\s+([0-9.]+)", source.read(), re.S)
    return found[1] if found else "0.0.0"


def programs_of(recipe, options):
    """Map program name -> path; says which are missing and how to make them."""
    names = recipe["programs"][:1] if options.only_agent else recipe["programs"]
    found = {n: f"{options.bin}/{n}" for n in names}
    missing = [n for n, path in found.items() if not os.path.isfile(path)]
    if missing:
        raise BuildError(f"{recipe['name']}: {', '.join(missing)} not in {options.bin}; "
                         "build the programs first or name their folder with --bin")
    return found


def source_digest():
    """A digest over all that steers the build: this tool, scripts, configuration files."""
    parts = []
    for folder, folders, files in os.walk(IMAGE_DIR):
        folders[:] = sorted(f for f in folders if f != "__pycache__")
        parts += [f"{f}:{sha256_file(f'{folder}/{f}')}" for f in sorted(files) if f != "README.md"]
    return sha256_text("\n".join(parts))


def up_to_date(folder, inputs):
    try:
        with open(f"{folder}/manifest.json", encoding="utf-8") as source:
            manifest = json.load(source)
        return manifest["inputs_sha256"] == inputs and all(
            os.path.getsize(f"{folder}/{f}") == manifest["files"][f]["size_bytes"] for f in FILES)
    except (OSError, ValueError, KeyError):
        return False


def place(data_path, target):
    """Put one shared file in place by hard link (by copy across file systems)."""
    temporary = f"{target}.new"
    if os.path.lexists(temporary):
        os.unlink(temporary)
    try:
        os.link(data_path, temporary)
    except OSError:
        shutil.copyfile(data_path, temporary)
    os.replace(temporary, target)
    # Renaming a link onto another link of the same file does nothing and leaves both.
    if os.path.lexists(temporary):
        os.unlink(temporary)


def build_boot(cache, options, kernel, tree, version):
    """Make kernel and initial RAM disk once in OUT/.shared, under names that hold their digest."""
    shared = f"{options.out}/.shared"
    os.makedirs(shared, exist_ok=True)
    guest = cache.tree("guest", kernel["guest"])
    blob = boot.initrd(tree, version, f"{guest}/bin/busybox", f"{IMAGE_DIR}/initrd/init")
    names = {"vmlinuz": f"{shared}/vmlinuz-{version}-{kernel['digest'][:12]}",
             "initrd": f"{shared}/initrd-{sha256_text(blob.hex())[:16]}"}
    if not os.path.exists(names["initrd"]):
        write_synced(names["initrd"], blob)
    if not os.path.exists(names["vmlinuz"]):
        with open(f"{tree}/boot/vmlinuz-{version}", "rb") as source:
            write_synced(names["vmlinuz"], source.read())
    for old in os.listdir(shared):
        if f"{shared}/{old}" not in names.values():
            os.unlink(f"{shared}/{old}")
    return names


def build_image(name, options, cache, sets, shared, version, sources):
    recipe = RECIPES[name]
    folder = f"{options.out}/{name}"
    programs = programs_of(recipe, options)
    digests = {n: sha256_file(p) for n, p in programs.items()}
    inputs = sha256_text(json.dumps([sources, version, digests, shared,
                                     [p["sha256"] for p in sets[recipe["set"]]]], sort_keys=True))
    if up_to_date(folder, inputs):
        progress(f"{name}: unchanged")
        return
    progress(f"{name}: assembling the root")
    tree = cache.tree(recipe["set"], sets[recipe["set"]])
    os.makedirs(folder, exist_ok=True)
    for old in ("manifest.json",):
        if os.path.exists(f"{folder}/{old}"):
            os.unlink(f"{folder}/{old}")
    with tempfile.TemporaryDirectory(prefix=f"aurabox-image-{name}-") as work:
        root.assemble(f"{work}/root", recipe, tree, programs, IMAGE_DIR, version)
        os.chmod(work, 0o755)
        if recipe.get("cluster"):
            cluster.make(f"{work}/root", f"{work}/cluster", IMAGE_DIR)
        progress(f"{name}: packing the root")
        root.pack(f"{work}/root", f"{folder}/root.squashfs")
    for file, path in shared.items():
        place(path, f"{folder}/{file}")
    os.chmod(folder, 0o755)
    files = {f: {"size_bytes": os.path.getsize(f"{folder}/{f}"), "sha256": sha256_file(f"{folder}/{f}")}
             for f in FILES}
    total = sum(f["size_bytes"] for f in files.values())
    if total > recipe["limit_mib"] << 20:
        raise BuildError(f"{name}: {total / (1 << 20):.1f} MiB, the limit is {recipe['limit_mib']} MiB")
    manifest = {
        "schema": 1, "name": name, "version": version, "inputs_sha256": inputs, "files": files,
        "kernel": os.path.basename(shared["vmlinuz"]).split("-", 1)[1].rsplit("-", 1)[0],
        "programs": [{"name": n, "sha256": d} for n, d in sorted(digests.items())],
        "packages": [{"name": p["package"], "version": p["version"], "sha256": p["sha256"]}
                     for p in [*sets["kernel"], *sets[recipe["set"]]]],
    }
    write_synced(f"{folder}/manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())
    progress(f"{name}: {total / (1 << 20):.1f} MiB (limit {recipe['limit_mib']}), {folder}")


def publish(options, version):
    """OUT itself is what auraboxd reads: links to the files and one manifest of all."""
    names = {}
    for name in RECIPES:
        folder = f"{options.out}/{name}"
        try:
            with open(f"{folder}/manifest.json", encoding="utf-8") as source:
                manifest = json.load(source)
        except (OSError, ValueError):
            continue
        for file, public in (("vmlinuz", "vmlinuz"), ("initrd", "initrd.img"),
                             ("root.squashfs", f"{name}.sqfs")):
            known = manifest["files"][file]
            if public in names and names[public]["sha256"] != known["sha256"]:
                raise BuildError(f"{name} has another {file} than the rest; build it again, too")
            place(f"{folder}/{file}", f"{options.out}/{public}")
            names[public] = {"name": public, "size": known["size_bytes"],
                             "sha256": known["sha256"], "version": manifest["version"]}
    text = json.dumps({"schema": 1, "version": version, "files": list(names.values())}, indent=1)
    write_synced(f"{options.out}/manifest.json", (text + "\n").encode())


def build(options):
    require_tools(TOOLS)
    os.umask(0o022)
    os.makedirs(options.out, exist_ok=True)
    version = product_version()
    if not options.prepare:
        for name in options.names:
            programs_of(RECIPES[name], options)
    cache = Cache(options.cache, options.offline)
    wanted = {"guest": RECIPES["sm"]["packages"]}
    wanted.update({RECIPES[n]["set"]: RECIPES[n]["packages"] for n in options.names})
    sets = {"kernel": cache.kernel(options.update)}
    for name, packages in wanted.items():
        sets[name] = cache.packages(name, packages, UNWANTED, options.update)
    if options.prepare:
        progress(f"packages are in {options.cache}")
        return
    tree = cache.tree("kernel", sets["kernel"])
    kernel_version = boot.kernel_version(tree)
    shared = build_boot(cache, options, {"guest": sets["guest"], "digest": sets["kernel"][0]["sha256"]},
                        tree, kernel_version)
    sources = source_digest()
    for name in options.names:
        build_image(name, options, cache, sets, shared, version, sources)
    publish(options, version)


def main(argv):
    try:
        build(arguments(argv))
    except BuildError as error:
        die(error)
        return 1
    return 0
