# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Say whether anything fails for users, now or from when, and until when the tokens last that are in place. Pure."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ansible_collections.fife.managed_tokens.plugins.module_utils._duration import in_words
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._clean_outcomes import LAST_SECOND, number, text
from ansible_collections.fife.managed_tokens.plugins.plugin_utils._notice import PUSH, RUN, InPlace, Message, Notice

NOT_KNOWN = "of unknown life"
NEVER_SEEN = "not known to be there"
TRIAL = (
    "This is a test of the notifications (managed_tokens_notifications_test). Nobody has to do anything, "
    "and nothing is counted as told."
)
MOST_NAMES = 2
# A day of the week alone says which day it is.
SAME_WEEK_S = 6 * 86400.0
# Not the user's language: everything else is in this one.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def effect_of(message: Message, now: float) -> str:
    """Give what a message says first; see `effect_on_users`."""
    return TRIAL if message.is_trial else effect_on_users(message.notices, now)


def effect_on_users(notices: t.Iterable[Notice], now: float) -> str:
    """Give one or two sentences for what the troubles among the notices mean at `now`, in seconds since the epoch; ""
    when there is no notice at all."""
    notices = list(notices)
    troubles = [item for item in notices if not item.is_recovery]
    if not troubles:
        return "Nothing of this fails any more." if notices else ""
    known = [(item, item.in_place) for item in troubles if item.in_place is not None]
    if not known:
        return "This concerns no token that is in place."
    over = [(item, found) for item, found in known if 0 < found.until <= now]
    first = min((found.until for _item, found in known if found.until > now), default=0.0)
    is_partly_known = any(found.unknown or found.never or not found.places for _item, found in known)
    if over:
        since = at(min(found.until for _item, found in over), now)
        others = f" Others last until {lasting(first, now)}." if first else ""
        return f"Users fail now: {_names(item for item, _found in over)} has expired ({since}).{others}"
    never = [item for item, found in known if found.never]
    if never:
        lasts = f" Others last until {lasting(first, now)}." if first else ""
        return f"Users may fail now: no run is known to have put in place {_names(never)}.{lasts}"
    if not first:
        return "Whether anything fails for users now is not known, nor until when the tokens in place last."
    if is_partly_known:
        known_until = f"as far as is known, the tokens in place last until {lasting(first, now)}"
        return f"Nothing is known to fail for users yet: {known_until}."
    return f"Nothing fails for users yet: the tokens in place last until {lasting(first, now)}."


def lasts(found: InPlace | None, now: float) -> str:
    """Say, to come after "token", until when it lasts at a trouble's places; "" when the trouble concerns none."""
    if found is None:
        return ""
    if not found.until:
        return NEVER_SEEN if found.never and not found.unknown else NOT_KNOWN
    if found.until <= now:
        return f"expired {at(found.until, now)}"
    return f"until {lasting(found.until, now)}" + (", where that is known" if found.unknown or found.never else "")


def lasting(until: float, now: float) -> str:
    """Say a time to come with what is left until then."""
    return f"{at(until, now)} ({in_words(max(0.0, until - now))})"


def at(seconds: float, now: float) -> str:
    """Say a time on this machine's clock, with its zone: Fri 14:20 CST, with the date if that is not near."""
    when = datetime.fromtimestamp(number(seconds, LAST_SECOND - 86400.0), UTC).astimezone()
    date = "" if abs(seconds - now) < SAME_WEEK_S else f" {when:%Y-%m-%d}"
    return f"{_DAYS[when.weekday()]}{date} {when:%H:%M} {when.tzname()}"


def _names(notices: t.Iterable[Notice]) -> str:
    names = list(dict.fromkeys(_name(item) for item in notices))
    if len(names) > MOST_NAMES:
        return f"the token in {len(names):,} of the places below"
    return f"the token of {' and of '.join(names)}"


def _name(item: Notice) -> str:
    if item.key.sort == RUN:
        return "at least one service"
    on = f" on {text(item.key.node, 80)}" if item.key.sort == PUSH else ""
    return f"{text(item.key.service, 80)}{on}"
