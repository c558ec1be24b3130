# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the texts of HTCondor's configuration files."""

from __future__ import annotations

COMMON = """\
RELEASE_DIR = /usr
SBIN = /usr/sbin
LIB = /usr/lib/condor
LIBEXEC = /usr/libexec/condor
LOCAL_CONFIG_FILE =
REQUIRE_LOCAL_CONFIG_FILE = False
CONDOR_HOST = {collector}
COLLECTOR_HOST = {collector}
UID_DOMAIN = {domain}
ENABLE_IPV6 = False
ENABLE_KERNEL_TUNING = False
SEC_USE_FAMILY_SESSION = False
SEC_DEFAULT_AUTHENTICATION = REQUIRED
SEC_DEFAULT_ENCRYPTION = REQUIRED
SEC_DEFAULT_INTEGRITY = REQUIRED
CERTIFICATE_MAPFILE = {directory}/mapfile
KERBEROS_SERVER_SERVICE = host
"""

SERVER = """\
LOCAL_DIR = {home}
LOG = {home}/log
SPOOL = {home}/spool
EXECUTE = {home}/execute
LOCK = {home}/lock
RUN = {home}/run
DAEMON_LIST = MASTER {daemons}
NETWORK_HOSTNAME = {name}
FULL_HOSTNAME = {name}
NETWORK_INTERFACE = {address}
BIND_ALL_INTERFACES = False
SCHEDD_NAME = {name}
CREDD_HOST = {name}
SEC_DEFAULT_AUTHENTICATION_METHODS = KERBEROS, FS
SEC_CREDD_WRITE_AUTHENTICATION_METHODS = KERBEROS, FS
SEC_CLIENT_AUTHENTICATION_METHODS = KERBEROS, FS
SEC_READ_AUTHENTICATION = OPTIONAL
SEC_READ_ENCRYPTION = OPTIONAL
SEC_READ_INTEGRITY = OPTIONAL
KERBEROS_SERVER_KEYTAB = {host_keytabs}/{name}.keytab
ALLOW_READ = *
ALLOW_WRITE = *
ALLOW_DAEMON = *
ALLOW_ADMINISTRATOR = root@*, condor@*
ALLOW_NEGOTIATOR = *
SEC_CREDENTIAL_DIRECTORY_OAUTH = {home}/oauth
TRUST_CREDENTIAL_DIRECTORY = True
CREDMON_OAUTH = {credmon}
CREDMON_OAUTH_LOG = {home}/log/CredMonOAuthLog
SEC_CREDENTIAL_STORER = /usr/bin/condor_vault_storer
AUTH_SSL_CLIENT_CAFILE = {pki}/ca.pem
UPDATE_INTERVAL = 5
MASTER_UPDATE_INTERVAL = 5
MAX_DEFAULT_LOG = 1 Mb
"""

CLIENT = """\
SEC_CLIENT_AUTHENTICATION_METHODS = KERBEROS
SEC_CLIENT_AUTHENTICATION = OPTIONAL
SEC_CLIENT_ENCRYPTION = OPTIONAL
SEC_CLIENT_INTEGRITY = OPTIONAL
SEC_CREDENTIAL_GETTOKEN_OPTS = -a {vault}
TOOL_LOG = /dev/null
"""

MAPFILE = r"""KERBEROS /^host\/[^@]*@{realm}$/ condor@{domain}
KERBEROS /^([^@\/]+)(\/[^@]*)?@{realm}$/ \1@{domain}
FS (.*) \1
"""
