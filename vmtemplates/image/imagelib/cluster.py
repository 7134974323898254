# SPDX-License-Identifier: Apache-2.0
"""The PostgreSQL cluster that smgr copies at its first boot: system tables, roles, database uc.

It holds no secret: no password, no key; its identifier and nonce are replaced in the guest.
"""
import os
import pwd
import shutil

from .common import BuildError, progress, run

# Of the machine that builds: its loader must find its own C library.
OF_THE_LOADER = ("libc.so", "libm.so", "libdl.so", "librt.so", "libpthread.so", "libresolv.so",
                 "ld-linux", "libutil.so")
EMPTIED = ("pg_wal", "pg_stat", "pg_stat_tmp", "pg_subtrans", "pg_notify")
DROPPED = ("postmaster.opts", "postmaster.pid", "pg_hba.conf", "pg_ident.conf", "postgresql.conf")


def make(root, work, image_dir):
    """Fill ROOT/usr/share/aurabox/cluster with the programs that are in 'root' already."""
    progress("smgr: making the template cluster")
    os.makedirs(work)
    libraries, folder = f"{work}/lib", f"{work}/pg"
    os.makedirs(libraries)
    source = f"{root}/usr/lib/x86_64-linux-gnu"
    for name in os.listdir(source):
        if not name.startswith(OF_THE_LOADER):
            os.symlink(f"{source}/{name}", f"{libraries}/{name}")
    options = {"env": {"LD_LIBRARY_PATH": libraries, "TZ": "UTC"}, "cwd": work}
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        nobody = pwd.getpwnam("nobody")
        os.chown(work, nobody.pw_uid, nobody.pw_gid)
        options.update(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    programs = f"{root}/usr/lib/postgresql/15/bin"
    run([f"{programs}/initdb", f"--pgdata={folder}", "--username=postgres", "--encoding=UTF8",
         "--locale=C.UTF-8", "--auth-local=peer", "--auth-host=reject", "--no-sync",
         "--data-checksums", "--wal-segsize=4"], "making the template cluster", **options)
    with open(f"{image_dir}/smgr/roles.sql", "rb") as roles:
        text = run([f"{programs}/postgres", "--single", "-j", "-D", folder, "-c", "jit=off",
                    "-c", "log_min_messages=error", "postgres"], "making roles and database",
                   stdin=roles, **options)
    if "ERROR" in text:
        raise BuildError(f"making roles and database: {text}")
    _trim(folder)
    target = f"{root}/usr/share/aurabox/cluster"
    shutil.copytree(folder, target)
    for place, folders, files in os.walk(target):
        for name in folders:
            os.chmod(f"{place}/{name}", 0o755)
        for name in files:
            os.chmod(f"{place}/{name}", 0o644)
    os.chmod(target, 0o755)


def _trim(folder):
    for name in DROPPED:
        if os.path.exists(f"{folder}/{name}"):
            os.unlink(f"{folder}/{name}")
    for name in EMPTIED:
        shutil.rmtree(f"{folder}/{name}")
        os.mkdir(f"{folder}/{name}")
