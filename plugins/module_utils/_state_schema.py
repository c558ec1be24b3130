# Copyright (c) 2026 fife.managed_tokens contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Private to this collection: may change in any release.
"""Describe the tables of the state database.

Five tables are shared with the Go service managed-tokens, which reads and writes them in the same SQLite file; their
declared types are part of what it expects. Ours have names that begin with mt_ and a version of their own.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import sqlalchemy as sa

# Source: what the Go service wrote, PRAGMA application_id and user_version of its file.
APPLICATION_ID = 0x5DA82553
USER_VERSION = 1
OWN_VERSION = 1

# The declared types count: STRING is no type of SQLite's, gives NUMERIC affinity, and is what the Go service declares.
SHARED_DDL = {
    "uids": "CREATE TABLE uids (username STRING UNIQUE NOT NULL PRIMARY KEY, uid INTEGER UNIQUE NOT NULL)",
    "services": "CREATE TABLE services (id INTEGER NOT NULL PRIMARY KEY, name STRING UNIQUE NOT NULL)",
    "nodes": "CREATE TABLE nodes (id INTEGER NOT NULL PRIMARY KEY, name STRING UNIQUE NOT NULL)",
    "setup_errors": "CREATE TABLE setup_errors (service_id INTEGER UNIQUE, count INTEGER,"
    " FOREIGN KEY (service_id) REFERENCES services (id) ON DELETE CASCADE ON UPDATE NO ACTION)",
    "push_errors": "CREATE TABLE push_errors (service_id INTEGER, node_id INTEGER, count INTEGER,"
    " UNIQUE (service_id, node_id),"
    " FOREIGN KEY (service_id) REFERENCES services (id) ON DELETE CASCADE ON UPDATE NO ACTION,"
    " FOREIGN KEY (node_id) REFERENCES nodes (id) ON DELETE CASCADE ON UPDATE NO ACTION)",
}


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables; times are seconds since the epoch (UTC) and 0 for never, durations seconds."""

    shared: sa.MetaData
    own: sa.MetaData
    # Shared with the Go service.
    uids: sa.Table
    services: sa.Table
    nodes: sa.Table
    setup_errors: sa.Table
    push_errors: sa.Table
    # Ours.
    meta: sa.Table
    confirmations: sa.Table
    configured: sa.Table
    results: sa.Table
    runs: sa.Table
    stages: sa.Table
    holds: sa.Table
    notifications: sa.Table
    deliveries: sa.Table


@functools.cache
def schema() -> Schema:
    """Give the tables; needs SQLAlchemy."""
    import sqlalchemy as sa
    from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, Text, UniqueConstraint

    shared, own = sa.MetaData(), sa.MetaData()
    # On SQLite only an INTEGER PRIMARY KEY numbers its rows by itself.
    number = BigInteger().with_variant(Integer(), "sqlite")

    def time(name: str) -> sa.Column[float]:
        return Column(name, Float, nullable=False, server_default="0")

    def count(name: str) -> sa.Column[int]:
        return Column(name, Integer, nullable=False, server_default="0")

    def text(name: str) -> sa.Column[str]:
        return Column(name, Text, nullable=False, server_default="")

    def cascading(column: str) -> sa.ForeignKey:
        return ForeignKey(column, ondelete="CASCADE", onupdate="NO ACTION")

    return Schema(
        shared=shared,
        own=own,
        uids=sa.Table(
            "uids",
            shared,
            Column("username", Text, primary_key=True),
            Column("uid", BigInteger, unique=True, nullable=False),
        ),
        services=sa.Table(
            "services",
            shared,
            Column("id", number, primary_key=True),
            Column("name", Text, unique=True, nullable=False),
        ),
        nodes=sa.Table(
            "nodes",
            shared,
            Column("id", number, primary_key=True),
            Column("name", Text, unique=True, nullable=False),
        ),
        setup_errors=sa.Table(
            "setup_errors",
            shared,
            Column("service_id", BigInteger, cascading("services.id"), unique=True),
            Column("count", BigInteger),
        ),
        push_errors=sa.Table(
            "push_errors",
            shared,
            Column("service_id", BigInteger, cascading("services.id")),
            Column("node_id", BigInteger, cascading("nodes.id")),
            Column("count", BigInteger),
            UniqueConstraint("service_id", "node_id"),
        ),
        meta=sa.Table("mt_meta", own, Column("name", Text, primary_key=True), text("value")),
        # Whether what stands in uids was confirmed: `uid` is the one that was; the Go service may have put another
        # there since. `noted` is when the row was first seen.
        confirmations=sa.Table(
            "mt_confirmations",
            own,
            Column("username", Text, primary_key=True),
            Column("uid", BigInteger, nullable=False),
            time("confirmed"),
            time("noted"),
            text("source"),
        ),
        # What the configuration named last: `sort` is service or node; `gone` is since when it does not. The sort place
        # is of a service too, and `real_name` is then its account and nodes (_state_places.py).
        configured=sa.Table(
            "mt_configured",
            own,
            Column("sort", Text, primary_key=True),
            Column("name", Text, primary_key=True),
            text("real_name"),
            time("seen"),
            time("gone"),
        ),
        # The last attempt and the last success of each stage for each service and target (a credd, a node, or none).
        results=sa.Table(
            "mt_results",
            own,
            Column("stage", Text, primary_key=True),
            Column("service", Text, primary_key=True),
            Column("target", Text, primary_key=True),
            text("status"),
            time("attempted"),
            time("succeeded"),
            time("failing_since"),
            time("seconds"),
            text("kind"),
            text("message"),
            time("expires"),
            text("run"),
        ),
        runs=sa.Table(
            "mt_runs",
            own,
            Column("id", Text, primary_key=True),
            text("program"),
            text("state"),
            time("started"),
            time("ended"),
            time("deadline"),
            text("host"),
            text("machine"),
            Column("pid", BigInteger, nullable=False, server_default="0"),
            Column("pid_started", BigInteger, nullable=False, server_default="0"),
            # Outcomes; and of these services, how many were not wholly well.
            count("well"),
            count("failed"),
            count("services"),
            count("services_failed"),
            text("message"),
        ),
        # How long each stage of a program took last.
        stages=sa.Table(
            "mt_stages",
            own,
            Column("program", Text, primary_key=True),
            Column("stage", Text, primary_key=True),
            time("ended"),
            time("seconds"),
            text("run"),
        ),
        # Which nodes a run serves with a service; two runs may serve different nodes of one service at once.
        holds=sa.Table(
            "mt_holds",
            own,
            Column("service", Text, primary_key=True),
            Column("run", Text, ForeignKey("mt_runs.id", ondelete="CASCADE"), primary_key=True),
            text("nodes"),
        ),
        # Who has been told last of the trouble of a service (and node), and has to hear of its end.
        notifications=sa.Table(
            "mt_notifications",
            own,
            Column("channel", Text, primary_key=True),
            Column("service", Text, primary_key=True),
            Column("node", Text, primary_key=True),
            time("sent"),
            text("kind"),
            text("run"),
        ),
        # The last message of each sort to each target (a service, or none), once for those that were accepted and once
        # for those that were not.
        deliveries=sa.Table(
            "mt_deliveries",
            own,
            Column("channel", Text, primary_key=True),
            Column("target", Text, primary_key=True),
            Column("success", Integer, primary_key=True),
            time("sent"),
            time("seconds"),
        ),
    )
