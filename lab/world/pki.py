# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issue the laboratory's certificates with a CA of its own, and some with a CA that nobody here trusts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from world.accounts import own_by_service_account
from world.layout import PATHS, SERVICE_ACCOUNT
from world.namespaces import quietly

DAYS = "30"
DIRECTORY = Path(PATHS["pki"])
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Authority:
    """A CA: its certificate and its key."""

    certificate: Path
    key: Path


def create_authority(name: str = "ca", title: str = "Laboratory CA") -> Authority:
    """Create a CA: <name>.pem and <name>.key."""
    made = Authority(DIRECTORY / f"{name}.pem", DIRECTORY / f"{name}.key")
    quietly(
        "openssl",
        "req",
        "-x509",
        *NEW_KEY,
        "-days",
        DAYS,
        "-subj",
        f"/O=Laboratory/CN={title}",
        "-keyout",
        str(made.key),
        "-out",
        str(made.certificate),
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    made.key.chmod(0o600)
    made.certificate.chmod(0o644)
    return made


def other_authority() -> Authority:
    """Give the CA that no server here trusts, which `issue_clients` has created."""
    return Authority(DIRECTORY / "other-ca.pem", DIRECTORY / "other-ca.key")


def issue_server(authority: Authority, name: str, file: str = "") -> None:
    """Issue a server certificate for the host `name`: <name>.crt and .key beside the CA, or <file>.crt and .key."""
    extensions = f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n"
    key = _issue(authority, name, extensions, file)
    key.chmod(0o600)


def issue_clients(authority: Authority) -> None:
    """Issue what a client needs, all readable by the service account.

    Its own certificate, <account>.crt and .key; one of an unrelated CA, stranger.crt and .key; a directory ca with the
    certificates of both CAs.
    """
    other = create_authority("other-ca", "Unrelated CA")
    directory = DIRECTORY / "ca"
    directory.mkdir()
    shutil.copyfile(authority.certificate, directory / "lab-ca.pem")
    shutil.copyfile(other.certificate, directory / "other-ca.pem")
    for issuer, name in ((authority, SERVICE_ACCOUNT), (other, "stranger")):
        own_by_service_account(_issue(issuer, name, "extendedKeyUsage=clientAuth\n"), 0o400)


def _issue(authority: Authority, name: str, extensions: str, file: str = "") -> Path:
    """Issue a certificate and give the path of its key, which stays readable by root alone."""
    file = file or name
    key, request = DIRECTORY / f"{file}.key", DIRECTORY / f"{file}.csr"
    quietly(
        "openssl",
        "req",
        "-new",
        *NEW_KEY,
        "-subj",
        f"/O=Laboratory/CN={name}",
        "-keyout",
        str(key),
        "-out",
        str(request),
    )
    options = DIRECTORY / f"{file}.ext"
    # With the identifiers that strict verification insists on.
    options.write_text(
        f"{extensions}basicConstraints=CA:FALSE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    quietly(
        "openssl",
        "x509",
        "-req",
        "-days",
        DAYS,
        "-in",
        str(request),
        "-CA",
        str(authority.certificate),
        "-CAkey",
        str(authority.key),
        "-CAcreateserial",
        "-extfile",
        str(options),
        "-out",
        str(DIRECTORY / f"{file}.crt"),
    )
    return key
