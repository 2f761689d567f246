"""The set-up refuses what is not what it should be, and says so."""

import json
import zipfile
from contextlib import suppress

import pytest

from dev import assets, frappe_source, packages
from dev.console import SetupError
from tests.conftest import _is_pocket_bench


def wheel_with(folder, **files: str):
	path = folder / f"{frappe_source.PACKAGE}-{frappe_source.VERSION}-py3-none-any.whl"
	with zipfile.ZipFile(path, "w") as archive:
		for name, content in files.items():
			archive.writestr(f"{frappe_source.PACKAGE}/{name.replace('__', '/')}.py", content)
	return path


def test_a_wheel_with_another_hash_is_refused_and_removed(tmp_path):
	wheel = wheel_with(tmp_path, app="print('not Frappe')")
	with pytest.raises(SetupError, match="SHA-256"):
		frappe_source.download("python", tmp_path, tmp_path / "log")
	assert not wheel.exists()


def test_a_tree_with_another_digest_is_refused_and_removed(tmp_path):
	wheel = wheel_with(tmp_path, app="print('not Frappe')")
	with pytest.raises(SetupError, match="digest"):
		frappe_source.restore(wheel, tmp_path / "tree")
	assert not (tmp_path / "tree").exists()


def test_names_are_put_back_in_files_and_paths(tmp_path, monkeypatch):
	wheel = wheel_with(tmp_path, utils__brik_helper="import criscostack  # Crisco, CRISCOSTACK, criscoerp")
	monkeypatch.setattr(frappe_source, "digest", lambda _root: frappe_source.TREE_SHA256)
	frappe_source.restore(wheel, tmp_path / "tree")
	restored = (tmp_path / "tree" / "frappe" / "utils" / "bench_helper.py").read_text()
	assert restored == "import frappe  # Frappe, FRAPPE, erpnext"


def test_without_root_the_packages_are_named(tmp_path, monkeypatch):
	monkeypatch.setattr(packages, "find", lambda _program: None)
	monkeypatch.setattr(packages, "_root_prefix", lambda: None)
	with pytest.raises(SetupError, match="mariadb-server-core redis-tools"):
		packages.ensure(tmp_path / "log")


def test_node_and_a_browser_are_asked_for_only_with_desk(tmp_path, monkeypatch):
	monkeypatch.setattr(
		packages, "find", lambda program: None if program in packages.DESK_PROGRAMS else "found"
	)
	monkeypatch.setattr(packages, "_root_prefix", lambda: None)
	assert "chromium" not in packages.ensure(tmp_path / "log")
	with pytest.raises(SetupError, match="apt-get install chromium nodejs npm "):
		packages.ensure(tmp_path / "log", desk=True)


def test_postgresql_is_asked_for_only_where_a_site_is_on_it(tmp_path, monkeypatch):
	monkeypatch.setattr(
		packages, "find", lambda program: None if program in packages.POSTGRES_PROGRAMS else "found"
	)
	monkeypatch.setattr(packages, "_root_prefix", lambda: None)
	assert "postgres" not in packages.ensure(tmp_path / "log")
	with pytest.raises(SetupError, match="apt-get install postgresql postgresql-client "):
		packages.ensure(tmp_path / "log", postgres=True)


@pytest.mark.parametrize("fails", [False, True])
def test_debians_package_is_told_to_make_no_server_while_it_is_installed(tmp_path, monkeypatch, fails):
	told = tmp_path / "createcluster.d" / "ours.conf"
	monkeypatch.setattr(packages, "NO_CLUSTER", told)
	with suppress(SetupError), packages._no_cluster([], tmp_path / "log"):
		assert told.read_text() == "create_main_cluster = false\n"
		if fails:
			raise SetupError
	assert not told.exists()


@pytest.mark.parametrize(
	("bench", "repository", "own"),
	[
		("a/.bench", "a", True),
		("a/.bench", "a/.bench/mutants/tree", True),
		("b", "a", False),
		("a", "b", False),
	],
)
def test_a_run_begins_with_empty_tables_on_the_clones_own_bench_also_in_a_copy_that_is_being_broken(
	tmp_path, bench, repository, own
):
	assert _is_pocket_bench(tmp_path / bench, tmp_path / repository) is own


def test_desk_is_built_from_packages_with_a_digest_and_no_address():
	text = (assets.SCRIPTS / "package-lock.json").read_text()
	assert "resolved" not in text
	assert "://" not in text
	locked = json.loads(text)["packages"]
	assert len(locked) > 100
	assert [name for name, about in locked.items() if name and "integrity" not in about] == []
