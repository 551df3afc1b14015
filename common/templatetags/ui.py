"""The component tags.

Every component is one tag here and one template of the same name in `templates/_components/`.
A tag that wraps contents is closed by `end<name>`. A tag refuses an argument it does not know, so
a misspelt one fails when the template is compiled and not in front of a patient; it hands those it
knows to its template as they are, hence `locals()`. What needs no logic (a table, a list of facts,
a grid) is plain HTML with a class. `/design` shows all of both.
"""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from lucide.templatetags.lucide import lucide

from common import counts

register = template.Library()

# Icons that point along the line of reading turn round in a right-to-left page.
DIRECTIONAL_ICONS = frozenset(
    {"arrow-left", "arrow-right", "chevron-left", "chevron-right", "log-in", "log-out", "undo-2"}
)
AVATAR_COLOURS = 6
TONE_ICONS = {
    "neutral": "circle",
    "info": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "danger": "octagon-x",
}
# Every state a row can show: its tone, and an icon, so that colour never says it alone.
STATUS_LOOKS = {
    "ACTIVE": ("success", "circle-check"),
    "ACCEPTED": ("success", "circle-check"),
    "CONFIRMED": ("success", "circle-check"),
    "SENT": ("success", "circle-check"),
    "ISSUED": ("success", "circle-check"),
    "VALID": ("success", "shield-check"),
    "AUTHENTIC": ("success", "shield-check"),
    "COMPLETED": ("info", "check"),
    "EMAIL_VERIFIED": ("info", "mail"),
    "PENDING": ("warning", "hourglass"),
    "PENDING_APPROVAL": ("warning", "hourglass"),
    "RETURNED": ("warning", "undo-2"),
    "EXPIRED": ("neutral", "clock"),
    "SUPERSEDED": ("neutral", "replace"),
    "INACTIVE": ("neutral", "circle-pause"),
    "ENDED": ("neutral", "unlink"),
    "USED": ("neutral", "check"),
    "CANCELLED": ("neutral", "x"),
    "STOPPED": ("danger", "ban"),
    "BLOCKED": ("danger", "ban"),
    "SUSPENDED": ("danger", "ban"),
    "REJECTED": ("danger", "circle-x"),
    "DECLINED": ("danger", "circle-x"),
    "REVOKED": ("danger", "circle-x"),
    "LOCKED": ("danger", "lock"),
    "FAILED": ("danger", "circle-x"),
    "ENTERED_IN_ERROR": ("danger", "circle-x"),
}


def component(template_name: str, /, **context: Any) -> SafeString:
    return render_to_string(f"_components/{template_name}.html", context)


# --- Marks -------------------------------------------------------------------


@register.simple_tag
def icon(name: str, *, size: int = 20) -> str:
    """A decorative icon: always beside words, or beside a visually hidden label."""
    return _svg(str(name), size)


@lru_cache(maxsize=512)
def _svg(name: str, size: int) -> str:
    classes = "icon icon--directional" if name in DIRECTIONAL_ICONS else "icon"
    attributes = {"class": classes, "aria-hidden": "true", "stroke-width": "1.75"}
    return lucide(name, size=size, **attributes)


@register.filter
def counted(count: int) -> str:
    """How many wait, as it is shown; live.js writes the same (`counted_to`)."""
    return counts.in_words(count)


@register.simple_tag
def counted_to() -> int:
    """For live.js: what stands for that many or more."""
    return counts.COUNTED_TO


@register.inclusion_tag("_components/badge.html")
def badge(label: str, *, tone: str = "neutral", icon: str = "") -> dict[str, Any]:
    return {"label": label, "tone": tone, "icon": icon or TONE_ICONS[tone]}


@register.inclusion_tag("_components/badge.html")
def status(code: str, label: str) -> dict[str, Any]:
    """The badge of a row's state: `{% status row.status row.get_status_display %}`."""
    key = str(code).upper().replace("-", "_")
    tone, icon_name = STATUS_LOOKS.get(key, ("neutral", "circle"))
    return {"label": label, "tone": tone, "icon": icon_name}


@register.inclusion_tag("_components/avatar.html")
def avatar(name: str, *, size: str = "md") -> dict[str, Any]:
    """Initials on a colour that stays the same for the same name."""
    words = str(name).split()
    picked = words[:1] + words[1:][-1:]
    # The zero-width non-joiner keeps two Arabic initials from joining into one word.
    initials = "\u200c".join(word[0].upper() for word in picked)
    colour = zlib.crc32(str(name).encode()) % AVATAR_COLOURS + 1
    return {"initials": initials, "colour": colour, "size": size}


@register.inclusion_tag("_components/person.html")
def person(
    name: str, *, avatar: str = "", meta: str = "", href: str = "", size: str = "md"
) -> dict[str, Any]:
    """A face and a name; `avatar` is the name without the title that `name` may begin with."""
    return {**locals(), "avatar": avatar or name}


@register.inclusion_tag("_components/countdown.html")
def countdown(expires_at: dt.datetime, *, expired: str = "") -> dict[str, Any]:
    """The time left until `expires_at`; `expired` replaces it when that moment passes."""
    return {"expires_at": expires_at, "expired": expired}


# --- Actions -----------------------------------------------------------------


@register.inclusion_tag("_components/button.html")
def button(
    label: str,
    *,
    href: str = "",
    kind: str = "primary",
    icon: str = "",
    icon_end: str = "",
    size: str = "",
    block: bool = False,
    name: str = "",
    value: str = "",
    form: str = "",
    opens: str = "",
    does: str = "",
    download: bool = False,
    disabled: bool = False,
) -> dict[str, Any]:
    """A link when it has an `href`, else a button.

    `kind`: primary, secondary, quiet or danger. `opens` is the id of a dialog. `does` names a
    small act of app.js ("print", "share"); its button stays hidden without JavaScript.
    """
    return {**locals()}


@register.inclusion_tag("_components/post_button.html")
def post_button(
    label: str,
    url: str,
    *,
    kind: str = "secondary",
    icon: str = "",
    size: str = "",
    name: str = "",
    value: str = "",
) -> dict[str, Any]:
    """A form of one button. The tag passes the page's CSRF token on by itself."""
    return {**locals()}


@register.simple_block_tag(takes_context=True)
def dialog(
    context: Context,
    content: str,
    dialog_id: str,
    *,
    title: str,
    action: str = "",
    submit: str = "",
    cancel: str = "",
    kind: str = "primary",
) -> SafeString:
    """A modal that `{% button … opens=dialog_id %}` opens.

    With an `action` its contents are a POST form, `submit` and `cancel` label its buttons, and
    `kind` is the look of the first.
    """
    return component("dialog", csrf_token=context.get("csrf_token"), **_without(locals()))


# --- Surfaces ----------------------------------------------------------------


@register.simple_block_tag
def card(
    content: str,
    *,
    title: str = "",
    icon: str = "",
    action: str = "",
    url: str = "",
    tone: str = "",
    level: int = 2,
) -> SafeString:
    """A titled surface; `action` and `url` make the link at its head."""
    return component("card", **locals())


@register.simple_block_tag
def alert(content: str, *, tone: str = "info", title: str = "", icon: str = "") -> SafeString:
    return component("alert", **{**locals(), "icon": icon or TONE_ICONS[tone]})


@register.simple_block_tag
def empty_state(content: str, *, title: str, icon: str = "inbox", level: int = 0) -> SafeString:
    """What a list shows when it is empty: why, and what to do next. Where it is all that the
    page has to say, `level=1` makes its title the page's heading."""
    return component("empty_state", **locals())


@register.simple_block_tag
def page_header(content: str, *, title: str, lead: str = "") -> SafeString:
    """The page's h1; its contents are the page's main action and little else."""
    return component("page_header", **locals())


@register.simple_block_tag
def timeline_item(
    content: str,
    *,
    title: str,
    at: dt.datetime | None = None,
    icon: str = "circle",
    tone: str = "neutral",
) -> SafeString:
    """One event of an `<ol class="timeline">`."""
    return component("timeline_item", **locals())


@register.simple_block_tag
def row(
    content: str,
    *,
    title: str,
    href: str = "",
    meta: str = "",
    icon: str = "",
    avatar: str = "",
    unread: bool = False,
    is_sentence: bool = False,
) -> SafeString:
    """One line of a `<ul class="rows">`; its contents (badges, times) stand at its end. A title
    that is a sentence runs as the page does, whatever the name it begins with."""
    return component("row", **locals())


@register.inclusion_tag("_components/stat.html")
def stat(
    label: str, value: object, *, icon: str = "", href: str = "", hint: str = ""
) -> dict[str, Any]:
    return {**locals()}


@register.inclusion_tag("_components/skeleton.html")
def skeleton(lines: int = 3) -> dict[str, Any]:
    """Grey lines in the place of what is still being fetched."""
    return {"lines": range(lines)}


# --- Finding one's way -------------------------------------------------------


@register.inclusion_tag("_components/nav_link.html", takes_context=True)
def nav_link(
    context: Context,
    label: str,
    url: str,
    *,
    icon: str = "",
    section: str = "",
    unread: int | None = None,
    counts: str = "notifications",
    main: bool = False,
) -> dict[str, Any]:
    """A link of the main navigation, current on its page and on every page of its section.

    A section is the first word of the URL names: `prescription` of `prescription-detail`; there may
    be several, with spaces between. With `unread` (0 included) it carries a number that live.js
    keeps; `counts` says of what.
    """
    match = getattr(context.get("request"), "resolver_match", None)
    name = (match.url_name or "") if match else ""
    current = name.split("-")[0] in section.split()
    return {
        "label": label,
        "url": url,
        "icon": icon,
        "unread": unread,
        "counts": counts,
        "main": main,
        "current": current,
    }


@register.inclusion_tag("_components/breadcrumbs.html")
def breadcrumbs(*parts: str) -> dict[str, Any]:
    """Label, URL, label, URL …, and last the label of the page itself."""
    return {"links": list(zip(parts[:-1:2], parts[1::2], strict=True)), "here": parts[-1]}


@register.inclusion_tag("_components/stepper.html")
def stepper(current: int, *labels: str) -> dict[str, Any]:
    """Numbered steps, `current` counted from 1; past the last one, all are done."""
    return {"current": current, "labels": labels, "total": len(labels)}


@register.inclusion_tag("_components/pagination.html")
def pagination(*, newer: str = "", older: str = "") -> dict[str, Any]:
    """The two ways on from a page of a cursor-paginated list; an empty URL is the end."""
    return {"newer": newer, "older": older}


# --- Charts ------------------------------------------------------------------

CHART_WIDTH, CHART_HEIGHT, CHART_TOP, CHART_FOOT = 440, 180, 26, 30


@register.inclusion_tag("_components/chart.html")
def chart(points: Sequence[tuple[str, float]], *, title: str, kind: str = "bar") -> dict[str, Any]:
    """Labelled values as an SVG of bars or a line, with a table for whoever cannot see it.

    Time runs the way the page is read: the first point stands at the right in Arabic.
    """
    top = _round_up(max((value for _, value in points), default=0) or 1)
    slot = CHART_WIDTH / max(len(points), 1)
    scale = (CHART_HEIGHT - CHART_TOP - CHART_FOOT) / top
    marks = []
    for index, (label, value) in enumerate(points):
        place = len(points) - 1 - index if get_language_bidi() else index
        height = value * scale
        marks.append(
            {
                "label": label,
                "value": value,
                "x": round(place * slot + slot * 0.2, 1),
                "middle": round(place * slot + slot / 2, 1),
                "y": round(CHART_HEIGHT - CHART_FOOT - height, 1),
                "width": round(slot * 0.6, 1),
                "height": round(height, 1),
            }
        )
    return {
        "title": title,
        "kind": kind,
        "marks": marks,
        "line": " ".join(f"{mark['middle']},{mark['y']}" for mark in marks),
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT,
        "floor": CHART_HEIGHT - CHART_FOOT,
        "ceiling": CHART_TOP,
        "half": (CHART_HEIGHT - CHART_FOOT + CHART_TOP) / 2,
    }


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _without(arguments: dict[str, Any]) -> dict[str, Any]:
    """A tag's arguments without the context it was called in."""
    return {name: value for name, value in arguments.items() if name != "context"}
