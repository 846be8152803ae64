"""Reading storage again: a bit that flipped is found by name, and nothing is called wrong that is not."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from catalog_pages.assets import asset_store
from catalog_pages.excerpts import ensure_excerpts
from catalog_pages.fixity import check_asset, plan, verify
from catalog_pages.management.commands.verify_assets import Command
from catalog_pages.models import DigitalAsset, Excerpt, FixityCheck, ProductPage
from catalog_pages.tasks import verify_stored_files
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.sample_audio import write_tone
from catalog_pages.tests.stored_files import (
    before_sql,
    flip_a_bit,
    is_noted_missing,
    keep_in_folder,
    path_of,
    run,
)
from tests.factories import make_asset, make_product
from tests.together import at_once

pytestmark = pytest.mark.django_db

INTACT, MISSING, ALTERED = FixityCheck.Found


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Protected storage of the test's own."""
    folder = tmp_path / "protected"
    keep_in_folder(settings, monkeypatch, folder)
    return folder


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "catalog_pages.fixity" and record.levelno == logging.ERROR
    ]


# --- What is wrong with a file ----------------------------------------------------------------------


def test_a_bit_that_flipped_is_found_by_name() -> None:
    spoilt, sound = make_asset(file_name="harbour.flac"), make_asset()
    make_product("Harbour", assets=[spoilt, sound])
    flip_a_bit(path_of(spoilt))

    code, said = run()

    is_now = hashlib.sha256(path_of(spoilt).read_bytes()).hexdigest()
    first, summary = said.splitlines()
    assert code == 1
    assert first == (
        f"harbour.flac (asset {spoilt.pk}, in “Harbour”, stored as {spoilt.file.name}): "
        f"altered: the SHA-256 is {is_now} and should be {spoilt.sha256}."
    )
    assert summary.startswith("2 audio files checked: 1 as stored, 0 missing, 1 altered. ")
    assert spoilt.fixity.found == ALTERED
    assert sound.fixity.found == INTACT


def test_the_worker_reads_first_what_nobody_has_looked_at(caplog: pytest.LogCaptureFixture) -> None:
    seen = make_asset()
    check_asset(seen)
    spoilt = make_asset()
    flip_a_bit(path_of(spoilt))

    assert verify_stored_files.call(1) == 1

    assert spoilt.fixity.found == ALTERED
    assert len(errors(caplog)) == 1
    assert verify_stored_files.call(1) == 0  # the other one


def test_a_shop_that_lost_nothing_ends_well() -> None:
    make_product("Harbour", assets=[make_asset(), make_asset()])

    code, said = run()

    assert code == 0
    assert said.startswith("2 audio files checked: 2 as stored, 0 missing, 0 altered. 0 excerpts")
    assert "0 could not be read; 0 orphans." in said


def test_an_empty_shop_ends_well() -> None:
    assert run()[0] == 0


def _cut_short(path: Path) -> None:
    os.truncate(path, 100)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def _folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe_instead(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder_became_a_file(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"")


@pytest.mark.parametrize(
    ("happens", "found", "words"),
    [
        (_cut_short, ALTERED, "the size is 100 bytes and should be"),
        (_emptied, ALTERED, "the size is 0 bytes and should be"),
        (_longer, ALTERED, "the SHA-256 is"),
        (Path.unlink, MISSING, ": missing."),
        (_folder_instead, MISSING, "in its place"),
        (_pipe_instead, MISSING, "in its place"),
        (_folder_became_a_file, MISSING, "in its place"),
    ],
)
def test_whatever_happened_to_a_file_is_said(
    happens: Callable[[Path], object], found: str, words: str
) -> None:
    asset, _ = make_asset(), make_asset()
    happens(path_of(asset))

    code, said = run("--no-orphans")

    assert code == 1
    assert words in said
    assert f"asset {asset.pk}, in no product now, stored as {asset.file.name}" in said
    assert asset.fixity.found == found
    assert is_noted_missing(asset) is (found == MISSING)


def test_a_damaged_row_is_told_from_damaged_bytes() -> None:
    asset = make_asset()
    DigitalAsset.objects.filter(pk=asset.pk).update(crc32=asset.crc32 ^ 1)

    code, said = run()

    assert code == 1
    assert f"the CRC-32 is {asset.crc32:08x} and should be {asset.crc32 ^ 1:08x}" in said
    assert "SHA-256" not in said


def test_every_product_that_uses_the_file_is_named_once() -> None:
    asset = make_asset()
    make_product("Quay", assets=[asset, make_asset()])
    make_product("Harbour", assets=[asset], live=False)
    path_of(asset).unlink()

    assert "in “Harbour”, “Quay”, stored as" in run()[1]


def test_a_title_cannot_write_lines_of_its_own() -> None:
    asset = make_asset()
    make_product("Harbour\x1b[2J", assets=[asset, make_asset()])
    path_of(asset).unlink()

    assert "in “Harbour\N{REPLACEMENT CHARACTER}[2J”" in run()[1]


def test_a_file_that_is_back_is_intact_at_the_next_check(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asset = make_asset()
    content = path_of(asset).read_bytes()
    path_of(asset).unlink()
    assert check_asset(asset) is MISSING

    path_of(asset).write_bytes(content)

    assert check_asset(asset) is INTACT
    assert not is_noted_missing(asset)
    assert f"{asset} (asset {asset.pk}) is as it was stored again" in caplog.messages


def test_an_error_is_logged_once_not_every_night(caplog: pytest.LogCaptureFixture) -> None:
    asset, _ = make_asset(file_name="harbour.flac"), make_asset()
    path_of(asset).unlink()

    codes = [run()[0], run()[0]]

    (error,) = errors(caplog)
    assert codes == [1, 1]
    assert error.startswith(f"harbour.flac (asset {asset.pk}, ")


def test_whether_a_file_is_known_to_be_missing_costs_one_query(
    django_assert_num_queries: Any,
) -> None:
    asset = make_asset()

    with django_assert_num_queries(1):
        assert not is_noted_missing(asset)


def test_reading_takes_the_same_memory_for_any_file() -> None:
    size = 32 * 1024 * 1024
    asset = make_asset(bytes(size))

    tracemalloc.start()
    try:
        found = check_asset(asset)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found is INTACT
    assert peak < size / 4


def test_a_file_deleted_while_it_was_read_is_no_finding(caplog: pytest.LogCaptureFixture) -> None:
    asset, other = make_asset(), make_asset()
    planned, told = plan(), []

    def deleted_in_the_admin() -> None:
        path_of(asset).unlink()
        DigitalAsset.objects.filter(pk=asset.pk).delete()

    path_of(asset).unlink()
    path_of(asset).touch()
    with before_sql("LEFT OUTER JOIN", then=deleted_in_the_admin):
        report = verify(planned, tell=told.append)

    assert (report.checked, report.intact, told, errors(caplog)) == (1, 1, [], [])
    assert list(FixityCheck.objects.values_list("asset", flat=True)) == [other.pk]


# --- Samples, interrupts, company ---------------------------------------------------------------------


def test_a_sample_is_what_was_checked_longest_ago() -> None:
    names = ["last-week.flac", "never.flac", "today.flac", "last-year.flac", "never-either.flac"]
    assets = {name: make_asset(file_name=name) for name in names}
    for name, days in (("last-week.flac", 7), ("today.flac", 0), ("last-year.flac", 365)):
        then = timezone.now() - timedelta(days=days)
        FixityCheck.objects.create(asset=assets[name], found=INTACT, checked_at=then)

    def sampled(number: int) -> list[str]:
        by_id = {asset.pk: name for name, asset in assets.items()}
        return [by_id[pk] for pk in plan(number).asset_ids]

    assert sampled(3) == ["never.flac", "never-either.flac", "last-year.flac"]
    assert sampled(99)[3:] == ["last-week.flac", "today.flac"]


def test_samples_get_round_to_every_file() -> None:
    assets = [make_asset() for _ in range(5)]

    for _ in range(3):
        run("--sample", "2")

    assert FixityCheck.objects.count() == len(assets)


@pytest.mark.parametrize("number", ["0", "-1", "some"])
def test_a_sample_is_at_least_one_file(number: str) -> None:
    sentence = f"--sample: '{number}' is not a number of files: 1, 2, 3 and so on"
    with pytest.raises(CommandError, match=sentence):
        call_command("verify_assets", "--sample", number)


def test_an_interrupt_keeps_what_was_done() -> None:
    first, _ = make_asset(), make_asset()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with before_sql("INSERT INTO", "fixitycheck", then=interrupt, number=2):
        code, said = run()

    assert code == 130
    assert said.startswith("1 audio file checked: 1 as stored")
    assert list(FixityCheck.objects.values_list("asset", flat=True)) == [first.pk]


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_do_not_disturb_each_other() -> None:
    assets = [make_asset() for _ in range(6)]
    path_of(assets[0]).unlink()

    reports = at_once(*[lambda: verify(plan())] * 2)

    assert [(report.intact, report.missing) for report in reports] == [(5, 1)] * 2
    assert FixityCheck.objects.filter(found=INTACT).count() == 5
    assert is_noted_missing(assets[0])


# --- Excerpts -----------------------------------------------------------------------------------------


def product_with_excerpt(tmp_path: Path) -> tuple[ProductPage, Excerpt]:
    source = write_tone(tmp_path / "harbour.mp3", seconds=6)
    asset = asset_store(source=source, file_name=source.name).asset
    page = make_product("Harbour", assets=[asset])
    (excerpt,) = ensure_excerpts(page)
    return page, excerpt


@pytest.mark.wide
def test_a_broken_excerpt_is_found_and_can_be_made_again(tmp_path: Path) -> None:
    _, excerpt = product_with_excerpt(tmp_path)
    flip_a_bit(Path(excerpt.file.path))

    code, said = run()

    assert code == 1
    assert f"excerpt of harbour.mp3 (asset {excerpt.asset_id}, in “Harbour”" in said
    assert "It can be made again: run this with --repair-excerpts." in said
    assert "1 audio file checked: 1 as stored" in said
    assert "1 excerpt: 1 broken." in said
    assert Excerpt.objects.get() == excerpt


@pytest.mark.wide
@pytest.mark.parametrize("lost", [True, False])
def test_a_broken_excerpt_is_cut_again(
    lost: bool, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    _, excerpt = product_with_excerpt(tmp_path)
    old = Path(excerpt.file.path)
    if lost:
        old.unlink()
    else:
        flip_a_bit(old)

    with django_capture_on_commit_callbacks(execute=True):
        code, said = run("--repair-excerpts")

    new = Excerpt.objects.get()
    assert code == 1
    assert "It was made again." in said
    assert (new.start_ms, new.length_ms) == (excerpt.start_ms, excerpt.length_ms)
    assert Path(new.file.path).exists()
    assert not old.exists()
    assert run()[0] == 0


@pytest.mark.wide
def test_an_excerpt_waits_for_its_audio_file(tmp_path: Path) -> None:
    _, excerpt = product_with_excerpt(tmp_path)
    Path(excerpt.file.path).unlink()
    path_of(excerpt.asset).unlink()
    make_asset()

    code, said = run("--repair-excerpts")

    assert code == 1
    assert "It can be made again once the audio file itself is back." in said
    assert Excerpt.objects.get() == excerpt


@pytest.mark.wide
def test_a_broken_excerpt_that_nothing_plays_is_removed(tmp_path: Path) -> None:
    page, excerpt = product_with_excerpt(tmp_path)
    page.tracks.get_queryset().delete()
    Path(excerpt.file.path).unlink()

    code, said = run("--repair-excerpts")

    assert code == 1
    assert "No product plays it, so it was removed." in said
    assert not Excerpt.objects.exists()


# --- What people see ----------------------------------------------------------------------------------


def test_a_bar_counts_bytes_when_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    make_asset(bytes(300_000))
    path_of(make_asset(b"x" * 200_000)).unlink()

    run("--progress")
    bar = capsys.readouterr().err
    run()

    assert "100%" in bar
    assert "500k/500k" in bar
    assert "Checking" not in capsys.readouterr().err


def test_the_help_states_the_exit_codes() -> None:
    words = " ".join(Command().create_parser("manage.py", "verify_assets").format_help().split())

    assert "Exit codes: 0 everything is as it was stored; 1 something was found" in words
    assert "2 the storage could not be asked" in words


@pytest.mark.parametrize(
    ("found", "words"), [(INTACT, "as it was stored"), (MISSING, "missing"), (ALTERED, "altered")]
)
def test_a_files_page_says_what_was_found(found: str, words: str) -> None:
    asset = make_asset()
    moment = timezone.now().replace(2026, 3, 2, 3, 5)
    page = reverse("digital_assets:inspect", args=[asset.pk])
    client = owner_client()

    before = client.get(page).content.decode()
    FixityCheck.objects.create(asset=asset, found=found, checked_at=moment)
    after = client.get(page).content.decode()

    assert "Last checked" in before
    assert "Not yet" in before
    assert f"2 March 2026, 03:05: {words}" in after
