# SPDX-License-Identifier: Apache-2.0
"""Debian packages: resolved once against an empty system, kept in a cache, unpacked by dpkg -x.

No maintainer script is ever run, so nothing of this machine's state and no generated key gets
into an image, and no root is needed.
"""
import fcntl
import json
import os
import re
import shutil

from .common import BuildError, progress, run, sha256_file, sha256_text, write_synced


class Cache:
    """The folder of downloaded packages; 'lock.json' in it names each file and its digest."""

    def __init__(self, folder, offline):
        self.folder = os.path.abspath(folder)
        self.offline = offline
        self.debs = f"{self.folder}/debs"
        os.makedirs(self.debs, exist_ok=True)
        self._guard = open(f"{self.folder}/.guard", "w", encoding="ascii")
        fcntl.flock(self._guard, fcntl.LOCK_EX)
        self.lock_path = f"{self.folder}/lock.json"
        try:
            with open(self.lock_path, encoding="utf-8") as lock:
                self.lock = json.load(lock)
        except (FileNotFoundError, ValueError):
            self.lock = {}

    def packages(self, name, wanted, unwanted, update=False):
        """The packages of one set, each {package, version, file, sha256}; downloads what lacks."""
        request = sha256_text(json.dumps([sorted(wanted), sorted(unwanted)]))
        known = self.lock.get(name)
        if known and known["request"] == request and not update and self._complete(known):
            return known["packages"]
        if self.offline:
            raise BuildError(f"the packages of '{name}' are not in the cache {self.folder}; "
                             "run once with --prepare while a package mirror can be reached")
        files = self._resolve(name, wanted, unwanted)
        self._download(name, files)
        entries = [self._entry(f) for f in sorted(files)]
        self.lock[name] = {"request": request, "packages": entries}
        write_synced(self.lock_path, json.dumps(self.lock, indent=1).encode())
        return entries

    def kernel(self, update=False):
        """The one package that holds kernel and modules, without what it would install beside it."""
        known = self.lock.get("kernel")
        if known and not update and self._complete(known):
            return known["packages"]
        if self.offline:
            raise BuildError(f"the kernel is not in the cache {self.folder}; run once with --prepare")
        name = kernel_package()
        text = run(self._apt("--print-uris", "download", name), "finding the kernel")
        found = re.search(rf"' ({re.escape(name)})_(\S+)_amd64\.deb \d+", text)
        if not found:
            raise BuildError(f"the archive does not deliver {name}")
        file = f"{name}_{found[2]}_amd64.deb"
        self._download("kernel", {file: f"{name}={found[2].replace('%3a', ':')}"})
        self.lock["kernel"] = {"request": name, "packages": [self._entry(file)]}
        write_synced(self.lock_path, json.dumps(self.lock, indent=1).encode())
        return self.lock["kernel"]["packages"]

    def _complete(self, known):
        return all(os.path.exists(f"{self.debs}/{p['file']}") for p in known["packages"])

    def _apt(self, *arguments):
        state = f"{self.folder}/apt"
        os.makedirs(f"{state}/archives/partial", exist_ok=True)
        with open(f"{state}/status", "a", encoding="ascii"):
            pass
        return ["apt-get", "-q", "-o", f"Dir::State::status={state}/status",
                "-o", f"Dir::State::extended_states={state}/extended_states",
                "-o", f"Dir::Cache={state}", "-o", f"Dir::Cache::archives={state}/archives",
                "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=",
                "-o", "APT::Install-Recommends=false", "-o", "APT::Architecture=amd64",
                *arguments]

    def _resolve(self, name, wanted, unwanted):
        """Map file name -> package=version of the closure of 'wanted', without 'unwanted'."""
        progress(f"packages: resolving {name}")
        try:
            text = run(self._apt("-y", "--print-uris", "install", *wanted), f"resolving {name}")
        except BuildError as error:
            raise BuildError(f"{error}\n  are the package lists there? run apt-get update") from error
        drop = re.compile("|".join(f"(?:{u})" for u in unwanted) or r"(?!)")
        files = {}
        for line in text.splitlines():
            found = re.match(r"'(\S+)' (\S+)_(\S+)_(amd64|all)\.deb \d+", line)
            if found and not drop.fullmatch(found[2]):
                version = found[3].replace("%3a", ":")
                files[f"{found[2]}_{found[3]}_{found[4]}.deb"] = f"{found[2]}={version}"
        if not files:
            raise BuildError(f"resolving {name}: apt named no package")
        return files

    def _download(self, name, files):
        lacking = [v for f, v in files.items() if not os.path.exists(f"{self.debs}/{f}")]
        if not lacking:
            return
        progress(f"packages: downloading {len(lacking)} for {name}")
        work = f"{self.folder}/apt/incoming"
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        run(self._apt("download", *lacking), f"downloading {name}", cwd=work)
        for got in os.listdir(work):
            os.replace(f"{work}/{got}", f"{self.debs}/{got}")
        absent = [f for f in files if not os.path.exists(f"{self.debs}/{f}")]
        if absent:
            raise BuildError(f"downloading {name}: not delivered: {' '.join(absent)}")

    def _entry(self, file):
        package, version, _ = file.split("_")
        return {"package": package, "version": version.replace("%3a", ":"), "file": file,
                "sha256": sha256_file(f"{self.debs}/{file}")}

    def tree(self, name, packages):
        """A folder with these packages unpacked; made once for each list of digests."""
        digest = sha256_text("".join(sorted(p["sha256"] for p in packages)))[:16]
        tree = f"{self.folder}/trees/{name}-{digest}"
        if os.path.isdir(tree):
            return tree
        progress(f"packages: unpacking {len(packages)} for {name}")
        temporary = f"{tree}.new"
        shutil.rmtree(temporary, ignore_errors=True)
        os.makedirs(temporary)
        for entry in packages:
            path = f"{self.debs}/{entry['file']}"
            if sha256_file(path) != entry["sha256"]:
                os.unlink(path)
                raise BuildError(f"{path} was damaged and has been removed; run the build again")
            run(["dpkg", "-x", path, temporary], f"unpacking {entry['package']}")
        for old in os.listdir(f"{self.folder}/trees"):
            if old.startswith(f"{name}-") and old != os.path.basename(temporary):
                shutil.rmtree(f"{self.folder}/trees/{old}", ignore_errors=True)
        os.rename(temporary, tree)
        return tree


def kernel_package():
    """The name of the newest signed cloud kernel package that the archive offers."""
    text = run(["apt-cache", "depends", "--important", "linux-image-cloud-amd64"], "finding the kernel")
    found = re.search(r"Depends: (linux-image-\S+-cloud-amd64)$", text, re.M)
    if not found:
        raise BuildError("the archive offers no linux-image-cloud-amd64; run apt-get update")
    return found[1]
