# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issue the laboratory's certificates with a CA of its own."""

from __future__ import annotations

from pathlib import Path

from world.layout import PATHS
from world.namespaces import quietly

DAYS = "30"


def create_authority() -> Path:
    """Create the CA and give the path of its certificate."""
    directory = Path(PATHS["pki"])
    certificate = directory / "ca.pem"
    quietly(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        DAYS,
        "-subj",
        "/O=Laboratory/CN=Laboratory CA",
        "-keyout",
        str(directory / "ca.key"),
        "-out",
        str(certificate),
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    (directory / "ca.key").chmod(0o600)
    certificate.chmod(0o644)
    return certificate


def issue(name: str) -> None:
    """Issue a server certificate for the host `name`: <name>.crt and <name>.key beside the CA."""
    directory = Path(PATHS["pki"])
    request, extensions = directory / f"{name}.csr", directory / f"{name}.ext"
    quietly(
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        f"/O=Laboratory/CN={name}",
        "-keyout",
        str(directory / f"{name}.key"),
        "-out",
        str(request),
    )
    extensions.write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n")
    quietly(
        "openssl",
        "x509",
        "-req",
        "-days",
        DAYS,
        "-in",
        str(request),
        "-CA",
        str(directory / "ca.pem"),
        "-CAkey",
        str(directory / "ca.key"),
        "-CAcreateserial",
        "-extfile",
        str(extensions),
        "-out",
        str(directory / f"{name}.crt"),
    )
    (directory / f"{name}.key").chmod(0o600)
