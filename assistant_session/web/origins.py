"""Whether a request comes from a page of this very site, as its browser says in `Origin`.

Host and port must be those the request was sent to. A proxy that hands on `Host $host`, as bench's nginx does, drops the
port; of a site on a port of its own only the name arrives then. Any page on that host could say so, so that the port must
be vouched for: by `host_name` in site_config.json, or by the browser (`Sec-Fetch-Site: same-origin`, which no page can
make it say).
"""

from urllib.parse import SplitResult, urlsplit

import frappe
from frappe import _

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_own() -> bool:
	"""Whether `Origin` is this site's."""
	said, here = _parts(frappe.request.headers.get("Origin")), _parts(f"//{frappe.request.host}")
	if said is None or here is None or said.hostname != here.hostname:
		return False
	if here.port is not None:
		return here.port == _port(said)
	return said.port is None or _is_configured(said) or _is_same_to_the_browser()


def wanted() -> str:
	"""What is needed, for a refusal that says what is missing."""
	said, here = _parts(frappe.request.headers.get("Origin")), _parts(f"//{frappe.request.host}")
	if said and here and said.hostname == here.hostname and here.port is None and said.port is not None:
		text = _(
			"the site's own Origin, whose port does not reach us (hand on {0}, or set {1} in site_config.json)"
		)
		return text.format("Host $http_host", "host_name")
	return _("the site's own Origin")


def _is_configured(said: SplitResult) -> bool:
	named = frappe.local.conf.get("host_name") or ""
	own = _parts(named if "://" in named else f"{said.scheme}://{named}")
	return own is not None and (own.hostname, _port(own)) == (said.hostname, _port(said))


def _is_same_to_the_browser() -> bool:
	return frappe.request.headers.get("Sec-Fetch-Site") == "same-origin"


def _port(place: SplitResult) -> int | None:
	return place.port or DEFAULT_PORTS.get(place.scheme)


def _parts(text: str | None) -> SplitResult | None:
	"""An origin, or a host; None for anything else."""
	try:
		parts = urlsplit(text or "")
		whole = parts.hostname and parts.port != 0 and not (parts.username or parts.password or parts.path)
	except ValueError:
		return None
	return parts if whole else None
