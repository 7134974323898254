# SPDX-License-Identifier: Apache-2.0
"""What every part of the build needs: errors, progress lines, digests, safe file writing."""
import hashlib
import os
import subprocess
import sys
import time

START = time.monotonic()
# Every time stamp inside an image is this one, so that equal inputs give equal files.
EPOCH = 1735689600


class BuildError(Exception):
    """A failure that the person at the keyboard can act upon; its text is the whole message."""


def progress(what):
    print(f"[{time.monotonic() - START:6.1f} s] {what}", flush=True)


def run(argv, what, **options):
    """Run one program; a failure becomes a BuildError with the last lines it wrote."""
    env = dict(os.environ, LC_ALL="C", SOURCE_DATE_EPOCH=str(EPOCH), **options.pop("env", {}))
    try:
        done = subprocess.run(argv, env=env, stdin=options.pop("stdin", subprocess.DEVNULL),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **options)
    except FileNotFoundError as missing:
        raise BuildError(f"{what}: the program '{argv[0]}' is not installed") from missing
    if done.returncode != 0:
        tail = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-8:]
        raise BuildError(f"{what}: {argv[0]} failed ({done.returncode})\n  " + "\n  ".join(tail))
    return done.stdout.decode(errors="replace")


def sha256_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as source:
        while block := source.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_text(text):
    return hashlib.sha256(text.encode()).hexdigest()


def write_synced(path, data):
    """Replace a file so that a reader sees the old or the new content, never a part."""
    temporary = f"{path}.new"
    with open(temporary, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, path)


def require_tools(names):
    paths = os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]
    missing = [n for n, _ in names if not any(os.access(f"{p}/{n}", os.X_OK) for p in paths if p)]
    if missing:
        packages = sorted({package for name, package in names if name in missing})
        raise BuildError(f"missing programs: {', '.join(missing)}; "
                         f"install them: apt-get install --no-install-recommends {' '.join(packages)}")


def die(text):
    print(f"build: {text}", file=sys.stderr)
