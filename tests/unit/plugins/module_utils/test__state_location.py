# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every accepted form of the setting, each refusal, and no password in anything that is shown."""

from __future__ import annotations

import importlib.util
import traceback
import typing as t
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadInput, Missing
from ansible_collections.fife.managed_tokens.plugins.module_utils._state_location import (
    DEFAULT_DATABASE,
    POSTGRESQL,
    Location,
    blank_passwords,
    locate,
    split_password,
)

FORMS = "a path that begins with / or ~, sqlite:////path, or postgresql+psycopg://user@host/database"


def url(login: str, place: str = "db.lab.example/tokens", scheme: str = "postgresql+psycopg") -> str:
    """Give a URL; put together, so that no address with a password stands in the sources."""
    return f"{scheme}://{login}@{place}"


def found(database: str, password: str = "") -> Location:
    """Give the location, which there is."""
    location = locate(database, password)
    assert location is not None
    return location


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_locate_nothing_is_no_database(text: str) -> None:
    assert locate(text) is None


FILES: tuple[tuple[str, str], ...] = (
    (DEFAULT_DATABASE, DEFAULT_DATABASE),
    (" /srv/state.db ", "/srv/state.db"),
    ("sqlite:////srv/state.db", "/srv/state.db"),
    ("sqlite:////srv/a%20b%3Fc.db", "/srv/a b?c.db"),
    ("/srv/a%20b.db", "/srv/a%20b.db"),
    ("/srv/with:colon@and.db", "/srv/with:colon@and.db"),
)


@pytest.mark.parametrize(("text", "path"), FILES)
def test_locate_file_in_every_form(text: str, path: str) -> None:
    assert found(text, "ignored") == Location(path, path=Path(path))


def test_locate_file_in_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/account")
    assert found("~/state.db").path == found("sqlite:///~/state.db").path == Path("/srv/account/state.db")


SERVERS: tuple[tuple[str, str], ...] = (
    ("u@h/d", "d on h (PostgreSQL)"),
    ("u@h:5433/d", "d on h:5433 (PostgreSQL)"),
    ("/d", "d on the local socket (PostgreSQL)"),
    ("h/d?sslmode=verify-full", "d on h (PostgreSQL)"),
    ("u@[2001:db8::1]:5432/d", "d on 2001:db8::1:5432 (PostgreSQL)"),
)


@pytest.mark.parametrize("scheme", POSTGRESQL)
@pytest.mark.parametrize(("rest", "label"), SERVERS)
def test_locate_server_in_every_form(scheme: str, rest: str, label: str) -> None:
    location = found(f"{scheme}://{rest}")
    assert (location.label, location.path) == (label, None)
    assert location.url is not None
    assert (location.url.drivername, location.url.password) == ("postgresql+psycopg", None)


PASSWORDS: tuple[tuple[str, str, str | None], ...] = (
    (url("u:inside"), "", "inside"),
    (url("u:inside"), "outside", "outside"),
    (url("u"), "outside", "outside"),
    (url("u:in%40side"), "", "in@side"),
    (url("u:in@side"), "", "in@side"),
    (url("u:in/side"), "", "in/side"),
    (url("u:"), "", None),
    (url("u"), "", None),
)


@pytest.mark.parametrize(("text", "given_password", "password"), PASSWORDS)
def test_locate_password_of_its_own_setting_wins(text: str, given_password: str, password: str | None) -> None:
    location = found(text, given_password)
    assert location.url is not None
    assert location.url.password == password
    assert (location.url.username, location.url.host, location.url.database) == ("u", "db.lab.example", "tokens")


REFUSED: tuple[tuple[str, str], ...] = (
    ("mysql://root@db/x", f"has the unknown scheme 'mysql'; it has to be {FORMS}."),
    ("file:///srv/state.db", f"has the unknown scheme 'file'; it has to be {FORMS}."),
    (
        "postgresql+asyncpg://u@h/d",
        ("asks for the driver 'asyncpg'; only psycopg is supported, as in postgresql+psycopg://user@host/database."),
    ),
    ("state.db", f"is no absolute path and no URL; it has to be {FORMS}."),
    (":memory:", f"is no absolute path and no URL; it has to be {FORMS}."),
    ("host=db user=mt password=x dbname=mt", f"is no absolute path and no URL; it has to be {FORMS}."),
    ("~nobody-of-this-name/x.db", f"is '~nobody-of-this-name/x.db', which is no absolute path; it has to be {FORMS}."),
    ("sqlite:///state.db", "names no absolute path; write sqlite:////path with four slashes."),
    ("sqlite://", "names no absolute path; write sqlite:////path with four slashes."),
    ("/srv/\0.db", f"is '/srv/\\x00.db', which is no absolute path; it has to be {FORMS}."),
    ("sqlite://srv/x.db", "names the SQLite file without a path; write sqlite:////path with four slashes."),
    ("sqlite:////srv/x.db?mode=ro", "has parameters after a question mark; an SQLite file takes none."),
    (
        "postgresql://u@h/d@e",
        "has more than one @ in its URL; in names, passwords and values it is written %40.",
    ),
    ("postgresql://u@h:port/d", f"is no URL that can be read; it has to be {FORMS}."),
    ("postgresql://u@h", "names no database; write postgresql+psycopg://user@host/database."),
    ("postgresql://u@h/", "names no database; write postgresql+psycopg://user@host/database."),
    (
        "postgresql://u@h/d?password=x",
        "has a password among its parameters; it belongs in managed_tokens_database_password.",
    ),
    (
        "postgresql://u@h/d?sslmode=verify-full&sslpassword=x",
        (
            "has the password of a key among its parameters; it belongs in a service file of libpq, which "
            "?service=NAME names."
        ),
    ),
    (
        "postgresql:///user=u password = x",
        "has a password among its parameters; it belongs in managed_tokens_database_password.",
    ),
    ("postgresql:/u:x@h/d", f"is no absolute path and no URL; it has to be {FORMS}."),
    ("u:x@h/d", f"is no absolute path and no URL; it has to be {FORMS}."),
    ("p4ss word://h/d", f"has the unknown scheme (not shown: it may hold a password); it has to be {FORMS}."),
)


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_locate_refuses_with_one_sentence(text: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        locate(text)
    assert caught.value.problems == (f"managed_tokens_database {words}",)


PACKAGES: tuple[tuple[str, str, str], ...] = (
    ("/srv/state.db", "sqlalchemy", "SQLAlchemy is not installed"),
    ("postgresql://h/d", "sqlalchemy", "SQLAlchemy is not installed"),
    ("postgresql://h/d", "psycopg", "psycopg is not installed"),
)


@pytest.mark.parametrize(("text", "package", "words"), PACKAGES)
def test_locate_missing_package_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, text: str, package: str, words: str
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == package else there(name, *more)
    )
    with pytest.raises(Missing, match=f"^The Python package {words} for .*pip install '.*managed_tokens_database"):
        locate(text)


def test_locate_file_needs_no_postgresql_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "psycopg" else there(name, *more)
    )
    assert found("/srv/state.db").path == Path("/srv/state.db")


SPLITS: tuple[tuple[str, str, str], ...] = (
    (url("u:x%2F"), url("u"), "x/"),
    (url("u:x", "h:1/d?a=b@c"), url("u", "h:1/d?a=b@c"), "x"),
    (url(":x"), url(""), "x"),
    (url("u:a/b@c"), url("u"), "a/b@c"),
    (url("u"), url("u"), ""),
    ("postgresql://h:5432/d", "postgresql://h:5432/d", ""),
    ("postgresql://[::1]/d", "postgresql://[::1]/d", ""),
    ("/srv/u:x@y.db", "/srv/u:x@y.db", ""),
    ("", "", ""),
)


@pytest.mark.parametrize(("text", "without", "password"), SPLITS)
def test_split_password_leaves_the_rest_as_it_was(text: str, without: str, password: str) -> None:
    assert split_password(text) == (without, password)


BLANKED: tuple[tuple[str, str], ...] = (
    ("host=db user=mt password=s3cret dbname=mt", "host=db user=mt password=*** dbname=mt"),
    ("PassWord = 's3 cr=\\'et' host=db", "PassWord = *** host=db"),
    ('password="s3 c=ret"', "password=***"),
    ("password='s3 cret", "password=***"),
    (r"password=s3\ cr\\et sslpassword=s3 cret host = db", r"password=*** sslpassword=*** host = db"),
    ("postgresql://u@h/d?SSLPassword=s3&cret&sslmode=require", "postgresql://u@h/d?SSLPassword=***&sslmode=require"),
    ("password= host=db", "password= ***"),
    ("/srv/password=x/state.db", "/srv/password=x/state.db"),
    ("~/password=x.db", "~/password=x.db"),
    ("postgresql+psycopg://u@h/d?passfile=/srv/pgpass", "postgresql+psycopg://u@h/d?passfile=/srv/pgpass"),
    ("", ""),
)


@pytest.mark.parametrize(("text", "without"), BLANKED)
def test_blank_passwords_leaves_the_rest_as_it_was(text: str, without: str) -> None:
    assert blank_passwords(text) == without


# Letters that no other part of these URLs and messages has.
SECRET = st.text("JXZ0149@:/?#%&=+ ", max_size=20).map(lambda text: f"JX{text}ZJ")
SHAPES: tuple[t.Callable[[str], str], ...] = (
    lambda secret: url(f"u:{quote(secret, safe='')}"),
    lambda secret: url(f"u:{secret}"),
    lambda secret: url(f"u:{secret}", "h"),
    lambda secret: url(f"u:{secret}", "h:port/d"),
    lambda secret: url(f"u:{secret}", scheme="mysql"),
    lambda secret: url(f"u:{secret}", scheme="postgresql+other"),
    lambda secret: url(f"u:{secret}", scheme="sqlite"),
    lambda secret: f"postgresql:u:{secret}@h/d",
    lambda secret: f"postgresql:/u:{secret}@h/d",
    lambda secret: f"u:{secret}@h/d",
    lambda secret: f"host=h user=u password={secret} dbname=d",
    lambda secret: f"dbname=d sslpassword='{secret}'",
    lambda secret: f"postgresql://u@h/dbname=d password={secret}",
    lambda secret: f"postgresql://u@h/d?sslpassword={secret}",
    lambda secret: f"{secret}://h/d",
    lambda secret: secret,
)


@pytest.mark.parametrize("shape", SHAPES)
@given(secret=SECRET)
@example(secret="JXZJX@ZJXZ")
@example(secret="JXZJX/ZJXZ")
@example(secret="JXZJX://ZJ")
@example(secret="0@JXZ/ZJX")
@example(secret="0@JXZ?ZJX")
def test_locate_shows_no_password(shape: t.Callable[[str], str], secret: str) -> None:
    try:
        location = found(shape(secret))
    except BadInput as err:
        shown = "".join(traceback.format_exception_only(err)) + err.msg
    else:
        shown = location.label + repr(location) + str(location)
    assert not {"J", "X", "Z"} & set(shown)


@given(secret=SECRET, outside=st.text(min_size=1))
def test_locate_takes_the_password_as_it_was_quoted(secret: str, outside: str) -> None:
    text = url(f"u:{quote(secret, safe='')}")
    for location, password in ((found(text), secret), (found(text, outside), outside)):
        assert location.url is not None
        assert location.url.password == password
        assert location.url.host == "db.lab.example"
    assert split_password(text) == (url("u"), secret)
