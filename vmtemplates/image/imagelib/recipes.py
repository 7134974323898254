# SPDX-License-Identifier: Apache-2.0
"""What each guest is made of. Everything that is not named here is not in the image."""

# Never in an image: interpreters, package tools, the JIT compiler, translations.
UNWANTED = ("perl.*", "lib.*-perl", "libperl.*", "libllvm.*", "libz3-.*", "locales", "libc-l10n",
            "debconf.*", "adduser", "passwd", "dpkg", "tar", "openssl", "ssl-cert", "ucf", "usrmerge",
            "sysvinit-utils", "init-system-helpers", "lsb-base", "postgresql-common",
            "postgresql-client-common", "sensible-utils", "gcc-12-base", "libgdbm.*", "logsave")

LIBRARIES = ["libssl3", "libpq5", "libmicrohttpd12", "libjansson4", "libsqlite3-0", "libxml2",
             "libpcre2-8-0", "libwslay1", "libunbound8", "tzdata", "busybox-static", "e2fsprogs"]

BASE_FILES = ["bin/busybox", "sbin/mke2fs", "sbin/e2fsck", "sbin/tune2fs", "etc/mke2fs.conf"]

# The zones that names stand for; "right" and "posix" are the same once more.
ZONES = ["usr/share/zoneinfo/*"]
ZONES_TWICE = ["usr/share/zoneinfo/right/*", "usr/share/zoneinfo/posix/*"]

POSTGRESQL = "usr/lib/postgresql/15"


def _call_server(name):
    return {"name": name, "set": "guest", "packages": LIBRARIES, "files": BASE_FILES,
            "programs": ["aurabox-agent", f"aura-{name}"], "limit_mib": 30}


RECIPES = {name: _call_server(name) for name in ("sm", "cm", "presence")}
# Time ranges of routing are kept in the zone of a location.
RECIPES["sm"] |= {"files": [*BASE_FILES, *ZONES], "without": ZONES_TWICE}
RECIPES["smgr"] = {
    "name": "smgr", "set": "smgr", "packages": [*LIBRARIES, "postgresql-15", "libc-bin"],
    "files": [*BASE_FILES, f"{POSTGRESQL}/bin/postgres", f"{POSTGRESQL}/bin/initdb",
              f"{POSTGRESQL}/bin/pg_controldata", f"{POSTGRESQL}/bin/pg_resetwal",
              f"{POSTGRESQL}/lib/*.so", "usr/share/postgresql/15/*", *ZONES,
              "usr/lib/locale/C.utf8/*"],
    "without": ["*/llvmjit*", "*/bitcode/*", "*/man/*", *ZONES_TWICE, "*plperl*", "*pltcl*", "*plpython*"],
    "own_files": {"smgr/postgresql.conf": "usr/share/aurabox/postgresql.conf",
                  "smgr/pg_hba.conf": "usr/share/aurabox/pg_hba.conf",
                  "smgr/pg_ident.conf": "usr/share/aurabox/pg_ident.conf",
                  "smgr/first-boot": "usr/sbin/smgr-first-boot"},
    "programs": ["aurabox-agent"], "limit_mib": 90, "cluster": True,
}
