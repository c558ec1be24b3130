# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration file is read as text and nothing else; whatever is wrong with it is one sentence."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fife.managed_tokens.plugins.module_utils._errors import BadFile, BadInput
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_file as legacy
from ansible_collections.fife.managed_tokens.plugins.plugin_utils import _legacy_yaml
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_json import read_json
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._legacy_yaml import read_yaml

GOOD = "experiments: {Dune: {roles: {Production: {account: dunepro}}}}\n"
LEAD = "plugin: fife.managed_tokens.managed_tokens_config\n"
PLAIN = {"experiments": {"dune": {"roles": {"production": {"account": "dunepro"}}}}}
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
MERGE_BOMB = "a0: &a0 {k: v}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 10)
)

BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty."),
    "null": (b"null\n", "it is empty."),
    "a list at the top": (b"- experiments\n", "it is a list; a configuration is a dictionary with experiments."),
    "a text at the top": (b"experiments\n", "it is a text; a configuration is a dictionary with experiments."),
    "not YAML": (b"experiments: {dune: [\n", "line 2: this is no YAML: "),
    "a tab": (b"experiments:\n\tdune: 1\n", "line 2: this is no YAML: "),
    "a control character": (b"experiments: \x01\n", "this is no YAML: it holds a character that YAML does not allow."),
    "duplicate keys": (b"a: 1\nb: 2\na: 3\n", "line 3: the key 'a' stands twice in one place."),
    "keys that differ in case only": (b"email: {From: a, from: b}\n", "email.from stands there twice; upper and lower"),
    "two documents": (b"a: 1\n---\nb: 1\n", "line 2: a second document begins; a configuration is one."),
    "python/object": (
        b"a: !!python/object/apply:os.system [id]\n",
        "line 1: the tag !!python/object/apply:os.system is refused; a configuration holds texts,",
    ),
    "python/name": (b"a: !!python/name:os.system\n", "line 1: the tag !!python/name:os.system is refused;"),
    "a tag on a dictionary": (b"a: !!set {x}\n", "line 1: the tag !!set is refused;"),
    "a binary": (b"a: !!binary aGk=\n", "line 1: the tag !!binary is refused;"),
    "an unsafe": (b"a: !unsafe x\n", "line 1: the tag !unsafe is refused;"),
    "an anchor bomb": (BOMB.encode(), "it stands for more than 100000 values (anchors are counted each time they are"),
    "a merge bomb": (MERGE_BOMB.encode(), "it stands for more than 100000 values"),
    "an anchor within itself": (b"a: &a [*a]\n", "line 1: the alias *a stands for nothing that has been read before."),
    "an alias of nothing": (b"a: *b\n", "line 1: "),
    "deep nesting": (b"a: " + b"[" * 30 + b"]" * 30, "line 1: it is nested more than 20 deep."),
    "very deep nesting": (b"a: " + b"[" * 5000, "line 1: "),
    "deep nesting by anchors": (
        b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 30)),
        "it is nested more than 20 deep.",
    ),
    "a list as a key": (b"? [a]\n: b\n", "line 1: a key has to be text."),
    "an alias as a key": (b"a: &a x\n*a : b\n", "line 2: an alias stands in the place of a key."),
    "a merge of text": (b"a: {<<: x}\n", "line 1: '<<' merges dictionaries only."),
    "two merges": (b"a: &a {}\nb: {<<: *a, <<: *a}\n", "line 2: the key '<<' stands twice in one place."),
    "not UTF-8": (b"a: 1\nb: \xe9\n", "line 2: it is not UTF-8."),
    "UTF-16": ("a: 1\n".encode("utf-16"), "line 1: it is not UTF-8."),
    "NUL": (b"a: 1\nb: \0\n", "line 2: it holds a NUL character."),
    "10 MB": (GOOD.encode() + b"#" * 10_000_000, "it is larger than 2 MiB, which no configuration is."),
}


def put(directory: Path, content: bytes | str, name: str = "managedTokens.yml") -> str:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize("name", sorted(BAD))
def test_read_tree_what_cannot_be_used_is_one_sentence(tmp_path: Path, name: str) -> None:
    content, sentence = BAD[name]
    with pytest.raises(BadInput) as caught:
        legacy.read_tree(put(tmp_path, content))
    assert sentence in caught.value.msg
    assert len(caught.value.msg) < 300
    assert "\n" not in caught.value.msg


BAD_JSON = {
    "not JSON": ('{"a": ', "line 1: this is no JSON: Expecting value."),
    "duplicate keys": ('{"a": 1, "a": 2}', "the key 'a' stands twice in one place."),
    "NaN": ('{"a": NaN}', "this is no JSON: NaN is no number of it."),
    "deep": ('{"a": ' + "[" * 100_000, "it is nested more than 20 deep."),
    "deep and closed": ('{"a": ' + "[" * 100 + "]" * 100 + "}", "it is nested more than 20 deep."),
    "many values": (json.dumps({"a": [0] * 100_001}), "it holds more than 100000 values."),
    "half a character": ('{"a": "\\ud800"}', "a holds half a character, which is no text."),
    "half a character in a key": ('{"\\ud800": 1}', "a key holds half a character, which is no text."),
}


@pytest.mark.parametrize("name", sorted(BAD_JSON))
def test_read_tree_what_cannot_be_used_is_one_sentence_in_json_too(tmp_path: Path, name: str) -> None:
    content, sentence = BAD_JSON[name]
    with pytest.raises(BadInput) as caught:
        legacy.read_tree(put(tmp_path, content, "managedTokens.json"))
    assert caught.value.msg == sentence


def test_read_tree_what_is_no_readable_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "directory.yml").mkdir()
    os.mkfifo(tmp_path / "fifo.yml")
    for name, sentence in (
        ("directory.yml", "it is no plain file."),
        ("fifo.yml", "it is no plain file."),
        ("missing.yml", "it cannot be read: No such file or directory."),
        ("nul\0.yml", "it cannot be read: its name holds a NUL character."),
    ):
        with pytest.raises(BadFile) as caught:
            legacy.read_tree(str(tmp_path / name))
        assert caught.value.msg == sentence


def test_read_tree_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_words: t.Any) -> t.NoReturn:
        raise PermissionError(13, "Permission denied")

    path = put(tmp_path, GOOD)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(BadFile, match="it cannot be read: Permission denied"):
        legacy.read_tree(path)


def test_read_tree_keys_become_lower_case_and_values_stay_text(tmp_path: Path) -> None:
    assert legacy.read_tree(put(tmp_path, GOOD)) == PLAIN
    assert legacy.read_tree(put(tmp_path, b"\xef\xbb\xbf" + GOOD.encode())) == PLAIN
    content = 'no: no\nOctal: 0123\nTime: 10:20\nDate: 2026-01-01\nYes: True\n~: ~\nText: !!str 1\nQuoted: "true"\n'
    assert legacy.read_tree(put(tmp_path, content)) == {
        "no": "no",
        "octal": "0123",
        "time": "10:20",
        "date": "2026-01-01",
        "yes": True,
        "~": None,
        "text": "1",
        "quoted": "true",
    }


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_read_tree_anchors_and_merges_work_as_sites_use_them(loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_legacy_yaml, "_LOADER", getattr(yaml, loader))
    text = "n: !!null null\nt: [True, ~, 'true', no]\na: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n"
    text += "c: {y: 4, <<: [{y: 5, z: 6}, *a]}\n"
    text += "d: [*a, &s text, *s]\n"
    assert read_yaml(text) == {
        "n": None,
        "t": [True, None, "true", "no"],
        "a": {"x": "1", "y": "2"},
        "b": {"y": "3", "x": "1"},
        "c": {"y": "4", "z": "6", "x": "1"},
        "d": [{"x": "1", "y": "2"}, "text", "text"],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(codec="ascii", exclude_categories=["Cc"])) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=4),
    max_leaves=30,
)


@given(JSON)
def test_json_is_read_the_same_as_json_and_as_yaml(value: t.Any) -> None:
    text = json.dumps(value)
    assert read_json(text) == read_yaml(text)


@given(st.text() | st.binary().map(lambda found: found.decode("latin-1")))
def test_read_yaml_and_json_know_no_other_error(text: str) -> None:
    for reader in (read_yaml, read_json):
        with contextlib.suppress(BadInput):
            reader(text)


CLAIMED: dict[str, tuple[str, str, bool]] = {
    "the name": ("managedTokens.yml", GOOD, True),
    "the name in any case": ("MANAGEDTOKENS.YAML", GOOD, True),
    "the name, broken": ("managedTokens.json", "{", True),
    "the name, empty": ("managedTokens.yml", "", True),
    "the name, an inventory": ("managedTokens.yml", "all: {children: {}}\n", False),
    "the name, another plugin": ("managedTokens.yml", "plugin: constructed\n", False),
    "the name, a forbidden extension": ("managedTokens.jsonnet", GOOD, False),
    "the name, no extension": ("managedTokens", GOOD, False),
    "another name with experiments": ("site.yml", GOOD, True),
    "another name with experiments in json": ("site.json", json.dumps(PLAIN), True),
    "another name, keys in other case": ("site.yml", GOOD.replace("experiments", "EXPERIMENTS"), True),
    "another name, broken": ("site.yml", GOOD + "x: [", False),
    "another name, experiments without roles": ("site.yml", "experiments: {dune: {emails: roles}}\n", False),
    "an inventory with the group experiments": (
        "hosts.yml",
        "experiments: {children: {dune: {hosts: {roles: {roles: {}}}}}}\n",
        False,
    ),
    "an inventory with a group named roles": ("hosts.yml", "experiments: {vars: {}, x: {roles: {}}}\n", False),
    "variables of ours": ("all.yml", "managed_tokens_experiments: {dune: {roles: {production: {}}}}\n", False),
    "a list": ("site.yml", "- experiments\n- roles\n", False),
    "one that leads to it": ("old.yml", LEAD + "path: x.yml\n", True),
    "one that leads elsewhere": ("old.yml", "plugin: constructed\nexperiments: roles\n", False),
    "a directory": ("managedTokens.yml/", "", False),
}


@pytest.mark.parametrize("name", sorted(CLAIMED))
def test_is_configuration_by_name_and_content(tmp_path: Path, name: str) -> None:
    file, content, is_ours = CLAIMED[name]
    if file.endswith("/"):
        (tmp_path / file).mkdir()
    else:
        put(tmp_path, content, file)
    assert legacy.is_configuration(str(tmp_path / file.rstrip("/"))) is is_ours


def test_read_configuration_follows_a_file_that_leads_to_one(tmp_path: Path) -> None:
    source = put(tmp_path, GOOD)
    assert legacy.read_configuration(source) == (source, PLAIN)
    assert legacy.read_configuration(put(tmp_path, LEAD + "path: managedTokens.yml\n", "old.yml")) == (source, PLAIN)
    assert legacy.read_configuration(put(tmp_path, LEAD + GOOD, "both.yml"))[1]["experiments"] == PLAIN["experiments"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (LEAD, "it has to hold plugin: fife.managed_tokens.managed_tokens_config and path: with"),
        (LEAD + "path: [x]\n", "it has to hold plugin:"),
        (LEAD + "path: x\nkeytabPath: /k\n", "it has to hold plugin:"),
        (LEAD + "path: nowhere.yml\n", "nowhere.yml: it cannot be read: No such file or directory."),
        (LEAD + "path: broken.yml\n", "broken.yml: it is a list;"),
    ],
)
def test_read_configuration_that_leads_nowhere_is_told(tmp_path: Path, content: str, sentence: str) -> None:
    put(tmp_path, "- a\n", "broken.yml")
    with pytest.raises((BadFile, BadInput)) as caught:
        legacy.read_configuration(put(tmp_path, content, "old.yml"))
    assert sentence in caught.value.msg
