#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program as a child subreaper and reaps whatever it leaves: stands in for an init that does.

Usage: reaper.py PROGRAM [ARGUMENT...]; ends when the last descendant has ended, with the program's status."""
import ctypes
import os
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def main(argv):
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        os.execvp(argv[0], argv)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, _frame: os.kill(child, n))
    status = 0
    while True:
        try:
            pid, word = os.wait()
        except ChildProcessError:
            return status
        except ProcessLookupError:
            continue
        if pid == child:
            status = os.waitstatus_to_exitcode(word) & 0xff


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
