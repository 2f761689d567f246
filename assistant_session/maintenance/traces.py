"""What the framework keeps about sessions outside our tables: comments, files, logs, reports, queued jobs.

Rows go in the caller's transaction. Queued jobs and what waits in Redis for its table cannot be brought back, so they
go only after COMMIT (see `erasing`).
"""

import json
from collections import Counter
from collections.abc import Iterator

import frappe
from rq import registry
from rq.job import Job

from ..sessions import events, register, store, turns

OURS = (store.DOCTYPE, turns.DOCTYPE, events.DOCTYPE)
SHORTEST_TERM = 6  # shorter ones, as an address on a channel may be, are found in everybody's logs
# DocTypes that point at documents, and the fields with which they do.
POINTING = {
	"Comment": ("reference_doctype", "reference_name"),
	"Communication": ("reference_doctype", "reference_name"),
	"Activity Log": ("reference_doctype", "reference_name"),
	"View Log": ("reference_doctype", "reference_name"),
	"Email Queue": ("reference_doctype", "reference_name"),
	"Error Log": ("reference_doctype", "reference_name"),
	"ToDo": ("reference_type", "reference_name"),
	"Version": ("ref_doctype", "docname"),
	"Document Follow": ("ref_doctype", "ref_docname"),
	"Notification Log": ("document_type", "document_name"),
	"Tag Link": ("document_type", "document_name"),
	"DocShare": ("share_doctype", "share_name"),
	"Deleted Document": ("deleted_doctype", "deleted_name"),
	"Access Log": ("export_from", "reference_document"),
	"File": ("attached_to_doctype", "attached_to_name"),
}
CHILDREN = {"Communication": "Communication Link", "Email Queue": "Email Queue Recipient"}
TEXTS = {"Error Log": ("method", "error"), "Access Log": ("filters", "page")}
WAITING = "insert_queue_for_"  # where frappe.deferred_insert keeps rows for their table
JOB_REGISTRIES = (
	registry.FailedJobRegistry, registry.FinishedJobRegistry, registry.DeferredJobRegistry,
	registry.ScheduledJobRegistry, registry.CanceledJobRegistry,
)  # fmt: skip


def remove(names: set[str], terms: list[str]) -> Counter:
	"""Remove what points at these sessions, their turns and events, and logs that mention one of `terms`; returns how
	many rows of each DocType."""
	removed: Counter = Counter()
	for doctype, fields in POINTING.items():
		found = {row for row in _pointing(doctype, *fields, names)} | set(_mentioning(doctype, terms))
		_delete(doctype, sorted(found))
		removed[doctype] += len(found)
	removed["Prepared Report"] += _remove_prepared_reports()
	return +removed


def remove_outside(terms: list[str]) -> tuple[int, list[str]]:
	"""Remove queued, failed and finished jobs and waiting log rows that mention one of `terms`: how many, and what
	could not be removed. Nothing brings them back."""
	removed, left = 0, []
	for place, clear in (("queued jobs", _remove_jobs), ("waiting log entries", _remove_waiting)):
		try:
			done, kept = clear(terms)
		except register.ERRORS:
			left.append(f"{place}: Redis does not answer")
			continue
		removed += done
		left += [f"{place}: {kept} running"] if kept else []
	return removed, left


def _pointing(doctype: str, type_field: str, name_field: str, names: set[str]) -> Iterator[str]:
	rows = frappe.get_all(
		doctype, {type_field: ("in", OURS)}, ["name", f"{name_field} as pointed"], limit_page_length=0
	)
	for row in rows:
		pointed = row.pointed or ""
		if pointed in names or pointed.rpartition("-")[0] in names:  # turns and events: <session>-<sequence>
			yield row.name


def _mentioning(doctype: str, terms: list[str]) -> Iterator[str]:
	for field in TEXTS.get(doctype, ()):
		for term in terms:
			rows = frappe.get_all(
				doctype, {field: ("like", f"%{term}%")}, ["name", f"{field} as text"], limit_page_length=0
			)
			yield from (row.name for row in rows if term in row.text)  # LIKE takes _ for any character


def _delete(doctype: str, names: list[str]) -> None:
	if not names:
		return
	if doctype == "File":  # what it holds lies on disk
		for name in names:
			frappe.delete_doc("File", name, ignore_permissions=True, force=True, delete_permanently=True)
		return
	if child := CHILDREN.get(doctype):
		frappe.db.delete(child, {"parent": ("in", names)})
	frappe.db.delete(doctype, {"name": ("in", names)})


def _remove_prepared_reports() -> int:
	"""All over our DocTypes: who is in one cannot be told, and they can be prepared again."""
	reports = frappe.get_all("Report", {"ref_doctype": ("in", OURS)}, pluck="name", limit_page_length=0)
	if not reports:
		return 0
	found = frappe.get_all(
		"Prepared Report", {"report_name": ("in", reports)}, pluck="name", limit_page_length=0
	)
	if found:
		attached = {"attached_to_doctype": "Prepared Report", "attached_to_name": ("in", found)}
		_delete("File", frappe.get_all("File", attached, pluck="name", limit_page_length=0))
		_delete("Prepared Report", found)
	return len(found)


def _remove_jobs(terms: list[str]) -> tuple[int, int]:
	from frappe.utils.background_jobs import get_queues

	wanted, removed, running = [term.encode() for term in terms], 0, 0
	for queue in get_queues():
		lists = [kind(queue=queue) for kind in JOB_REGISTRIES]
		ids = {*queue.job_ids, *(one for a_list in lists for one in a_list.get_job_ids())}
		for job in _mentioned(sorted(ids), queue.connection, wanted):
			job.delete()
			removed += 1
		started = registry.StartedJobRegistry(queue=queue).get_job_ids()
		running += sum(1 for _job in _mentioned(started, queue.connection, wanted))
	return removed, running


def _mentioned(ids: list[str], connection, terms: list[bytes]) -> Iterator[Job]:
	"""Jobs of this site whose arguments hold one of `terms`."""
	for job in Job.fetch_many(ids, connection=connection):
		if job and job.id.startswith(f"{frappe.local.site}::") and any(term in job.data for term in terms):
			yield job


def _remove_waiting(terms: list[str]) -> tuple[int, int]:
	here, removed = register.connection(), 0
	key = frappe.cache().make_key(f"{WAITING}Error Log")
	for waiting in here.redis.lrange(key, 0, -1):
		text = json.dumps(json.loads(waiting), ensure_ascii=False)
		if any(term in text for term in terms):
			removed += here.redis.lrem(key, 0, waiting)
	return removed, 0
