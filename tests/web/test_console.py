#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# needs: images
"""The console in a real browser against the real daemon and real guests: see console.mjs for what it does.

This half makes the box and does what a browser cannot: restart the daemon, spoil an image."""
import json
import os
import shutil
import signal
import subprocess
import sys

TOP = os.environ.get("AURA_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/tests/lib")
from box import Box  # noqa: E402  (the path is set just above)

SECONDS = 560


def own_images(images, folder):
    """A copy that the test may spoil: the disk's own files stay as they are."""
    os.makedirs(folder)
    for name in os.listdir(images):
        if os.path.isfile(images + "/" + name) and not name.startswith(("smgr", "cm")):
            shutil.copyfile(images + "/" + name, folder + "/" + name)


def spoil(path):
    """One byte of the image is another; the second call makes it right again."""
    with open(path, "r+b") as image:
        image.seek(4096)
        byte = image.read(1)
        image.seek(4096)
        image.write(bytes([byte[0] ^ 0xff]))


def serve(box, browser):
    """What console.mjs asks for, one JSON line each; the last says how it went."""
    for line in browser.stdout:
        if not line.startswith("@"):
            print(line, end="", flush=True)
            continue
        wish = json.loads(line[1:])
        if wish["do"] == "stop-daemon":
            box.stop_daemon()
        elif wish["do"] == "kill-daemon":
            box.stop_daemon(signal.SIGKILL)
        elif wish["do"] == "start-daemon":
            box.start_daemon()
        elif wish["do"] == "spoil":
            spoil(box.images + "/presence.sqfs")
        else:
            raise ValueError(wish)
        browser.stdin.write("done\n")
        browser.stdin.flush()
    return browser.wait(10)


def main():
    subprocess.run([TOP + "/packaging/build-console"], check=True)
    node = subprocess.run([TOP + "/packaging/build-console", "--node"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    artefacts = TOP + "/build/test-artefacts/web"
    shutil.rmtree(artefacts, ignore_errors=True)
    os.makedirs(artefacts)
    with Box("web", bin_dir=os.environ.get("AURA_RELEASE_BIN")) as box:
        images = box.dir + "/images"
        own_images(box.images, images)
        box.images = images
        box.start()
        browser = subprocess.Popen(
            box.enter(["timeout", str(SECONDS), node, TOP + "/tests/web/console.mjs", TOP, artefacts]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        status = serve(box, browser)
        if status != 0:
            raise AssertionError("console.mjs ended with %d; screenshots lie in %s" % (status, artefacts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
