"""A shop is backed up while it sells, and comes back whole somewhere else, on both databases."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.data.conftest import Shop, new_database
from tests.servers import S3Server, seaweed

pytestmark = pytest.mark.wide


@pytest.fixture(params=["sqlite", "postgresql"])
def selling(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Shop, Shop]:
    """A shop, and an empty place for another on the same kind of database."""
    empty = request.getfixturevalue("empty")
    if request.param == "sqlite":
        return request.getfixturevalue("shop"), empty
    server = request.getfixturevalue("postgres")
    empty.url = new_database(server, f"empty-{tmp_path.name}-{tmp_path.parent.name}")
    return request.getfixturevalue("moved").shop, empty


def backup_names(depot: Path) -> list[str]:
    return sorted(path.name for path in (depot / "backups").iterdir())


def a_kept_file(depot: Path) -> Path:
    """The largest: a paid one."""
    return max((depot / "files").glob("*/*"), key=lambda path: path.stat().st_size)


def test_a_shop_that_sells_meanwhile_comes_back_whole(
    selling: tuple[Shop, Shop], tmp_path: Path
) -> None:
    shop, empty = selling
    depot, until = tmp_path / "depot", tmp_path / "until"
    shop.do("backup", depot)
    sold_before = shop.ask("facts")

    selling_on = shop.start("-m", "tests.data.shop", "write", WRITE_UNTIL=str(until))
    has_begun(selling_on, until)
    shop.do("backup", depot)
    until.touch()
    selling_on.communicate(timeout=120)
    said = empty.do("restore", depot)
    back = empty.ask("facts")

    assert "SECRET_KEY" in said
    assert len(back["paid"]) > len(sold_before["paid"])
    assert set(sold_before["grants"]) < set(back["grants"])
    assert all(wanted == fetched for wanted, fetched in back["grants"].values())
    assert set(back["paid"]) <= set(shop.ask("facts")["paid"])


def test_every_row_comes_back_as_it_was_and_every_file(
    selling: tuple[Shop, Shop], tmp_path: Path
) -> None:
    shop, empty = selling
    depot = tmp_path / "depot"
    there = shop.ask("facts")

    shop.do("backup", depot)
    empty.do("restore", depot)

    here = empty.ask("facts")
    assert here["paid"] == there["paid"]
    # Signing in for a download writes, so what that touches is compared by its rows alone.
    touched = {
        "django_session", "downloads_download", "downloads_accessevent", "downloads_userasset",
        "accounts_user", "usersessions_usersession",
    }  # fmt: skip
    for table in set(there["tables"]) - touched:
        assert here["tables"][table] == there["tables"][table], table
    for name in ("media/excerpts", "protected"):
        ours = {p.name: p.read_bytes() for p in (shop.folder / name).rglob("*") if p.is_file()}
        theirs = {p.name: p.read_bytes() for p in (empty.folder / name).rglob("*") if p.is_file()}
        assert theirs.items() <= ours.items()
        assert theirs


def test_what_is_there_is_not_copied_again(shop: Shop, tmp_path: Path) -> None:
    depot = tmp_path / "depot"
    shop.do("backup", depot)

    said = shop.do("backup", depot)

    assert " 0 of them new" in said
    assert len(backup_names(depot)) == 2


def test_pruning_keeps_every_file_that_a_kept_backup_needs(
    shop: Shop, empty: Shop, tmp_path: Path
) -> None:
    depot = tmp_path / "depot"
    shop.do("backup", depot)
    only_old = next((shop.folder / "media" / "excerpts").iterdir()).read_bytes()
    stray = depot / "files" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(only_old)

    said = shop.do("backup", depot, "--keep", 1)

    assert len(backup_names(depot)) == 1
    assert not stray.exists()
    assert "Removed: 1 old, with 1 files" in said
    empty.do("restore", depot)
    assert all(wanted == fetched for wanted, fetched in empty.ask("facts")["grants"].values())


@pytest.mark.parametrize("what", ["a file", "the database", "the manifest", "the list"])
def test_a_tampered_backup_is_refused_and_nothing_changes(
    shop: Shop, empty: Shop, tmp_path: Path, what: str
) -> None:
    depot = tmp_path / "depot"
    shop.do("backup", depot)
    backup = depot / "backups" / backup_names(depot)[0]
    names = {
        "the database": "database.sqlite3",
        "the manifest": "manifest.json",
        "the list": "files.jsonl",
    }
    path = a_kept_file(depot) if what == "a file" else backup / names[what]
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    done = empty.manage("restore", depot)

    assert done.returncode == 1
    assert "Nothing was changed" in done.stderr
    assert not empty.database.exists() or empty.database.stat().st_size == 0
    assert not empty.paid_files.exists()


def test_missing_and_altered_files_are_named_and_the_rest_is_backed_up(
    shop: Shop, empty: Shop, tmp_path: Path
) -> None:
    depot = tmp_path / "depot"
    gone, changed = sorted(p for p in shop.paid_files.rglob("*") if p.is_file())[:2]
    gone.unlink()
    content = changed.read_bytes()
    changed.chmod(0o600)
    changed.write_bytes(b"?" + content[1:])

    done = shop.manage("backup", depot)

    assert done.returncode == 1
    assert f"{gone.name} is missing" in done.stdout
    assert f"{changed.name} is altered" in done.stdout
    refused = empty.manage("restore", depot)
    assert refused.returncode == 1
    assert "--accept-missing" in refused.stderr
    empty.do("restore", depot, "--accept-missing")
    fetched = empty.ask("facts")["grants"].values()
    assert [wanted == got for wanted, got in fetched].count(True) == 1


def test_a_file_that_an_older_backup_has_outlives_its_loss_in_the_shop(
    shop: Shop, empty: Shop, tmp_path: Path
) -> None:
    depot = tmp_path / "depot"
    shop.do("backup", depot)
    next(p for p in shop.paid_files.rglob("*") if p.is_file()).unlink()

    done = shop.manage("backup", depot, "--keep", 1)

    assert done.returncode == 1
    assert "an older backup has it" in done.stdout
    assert len(backup_names(depot)) == 2  # after trouble nothing old is removed
    empty.do("restore", depot)
    assert all(wanted == fetched for wanted, fetched in empty.ask("facts")["grants"].values())


def has_begun(process: subprocess.Popen[str], until: Path) -> None:
    while not Path(f"{until}.begun").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def written(depot: Path) -> int:
    return sum(path.is_file() for path in depot.rglob("*"))


def test_what_was_killed_is_no_backup_and_the_next_one_removes_it(
    shop: Shop, tmp_path: Path
) -> None:
    depot = tmp_path / "depot"
    for files in (1, 2, 4, 7, 11):
        begun = shop.start("manage.py", "backup", str(depot))
        while begun.poll() is None and written(depot) < files:
            time.sleep(0.002)
        begun.send_signal(signal.SIGKILL)
        begun.communicate()
        names = backup_names(depot) if (depot / "backups").exists() else []
        for name in names:
            if not name.startswith("."):
                shop.do("restore", depot, "--check", "--name", name)

    shop.do("backup", depot)

    assert not any(name.startswith(".") for name in backup_names(depot))
    assert not list((depot / "files").glob(".*"))
    assert "is whole" in shop.do("restore", depot, "--check")


def test_a_shop_that_is_not_empty_is_left_alone_unless_it_is_to_be_replaced(
    shop: Shop, tmp_path: Path
) -> None:
    depot = tmp_path / "depot"
    shop.do("backup", depot)
    before = shop.ask("facts")["paid"]
    shop.ask("live")

    refused = shop.manage("restore", depot)
    still = shop.ask("facts")["paid"]
    said = shop.do("restore", depot, "--replace")

    assert refused.returncode == 1
    assert "not empty" in refused.stderr
    assert len(still) == len(before) + 1
    assert shop.ask("facts")["paid"] == before
    assert "db.sqlite3.before-" in said


def test_nothing_is_restored_beside_a_shop_that_runs(
    selling: tuple[Shop, Shop], tmp_path: Path
) -> None:
    shop, empty = selling
    depot, until = tmp_path / "depot", tmp_path / "until"
    shop.do("backup", depot)
    empty.do("restore", depot)
    running = empty.start("-m", "tests.data.shop", "write", WRITE_UNTIL=str(until))
    has_begun(running, until)

    done = empty.manage("restore", depot, "--replace")
    until.touch()
    running.communicate(timeout=120)

    assert done.returncode == 1
    assert "stop web, worker" in done.stderr


def test_paid_files_can_be_listed_without_their_bytes(
    shop: Shop, empty: Shop, tmp_path: Path
) -> None:
    depot = tmp_path / "depot"
    shop.do("backup", depot, "--without-files")

    refused = empty.manage("restore", depot)
    shutil.copytree(shop.paid_files, empty.paid_files)
    empty.do("restore", depot)

    assert refused.returncode == 1
    assert "without their bytes" in refused.stderr
    assert all(wanted == fetched for wanted, fetched in empty.ask("facts")["grants"].values())


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweed(tmp_path_factory.mktemp("bucket")) as server:
        yield server


def in_bucket(shop: Shop, server: S3Server) -> dict[str, bytes]:
    """The shop's paid files are there from now on, and not in its folder."""
    shop.more = server.environment
    files = {
        path.relative_to(shop.paid_files).as_posix(): path.read_bytes()
        for path in shop.paid_files.rglob("*")
        if path.is_file()
    }
    for key, content in files.items():
        server.client().put_object(Bucket=server.bucket, Key=key, Body=content)
    shutil.rmtree(shop.paid_files)
    return files


def test_paid_files_in_a_bucket_are_copied_down_and_up_again(
    shop: Shop, empty: Shop, bucket: S3Server, tmp_path: Path
) -> None:
    files = in_bucket(shop, bucket)
    depot, client = tmp_path / "depot", bucket.client()
    shop.do("backup", depot)
    for key in files:
        client.delete_object(Bucket=bucket.bucket, Key=key)

    lost = shop.manage("backup", depot)
    empty.more = bucket.environment
    empty.do("restore", depot)

    assert lost.returncode == 1
    assert "an older backup has it" in lost.stdout
    for key, content in files.items():
        assert client.get_object(Bucket=bucket.bucket, Key=key)["Body"].read() == content


def test_a_bucket_that_is_away_is_a_sentence_and_no_backup(shop: Shop, tmp_path: Path) -> None:
    shop.more = {
        "PROTECTED_STORAGE": "s3",
        "AWS_STORAGE_BUCKET_NAME": "protected",
        "AWS_S3_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "KEY",
        "AWS_SECRET_ACCESS_KEY": "SECRET",
    }

    done = shop.manage("backup", tmp_path / "depot")

    assert done.returncode == 2
    assert "could not be made" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_backup_of_an_older_release_is_brought_up_to_date(
    shop: Shop, empty: Shop, tmp_path: Path
) -> None:
    shop.do("migrate", "catalog_pages", "0015", "-v0")
    shop.do("backup", tmp_path / "depot")

    said = empty.do("restore", tmp_path / "depot")

    assert "older release" in said
    empty.do("migrate", "--check")
    assert all(wanted == fetched for wanted, fetched in empty.ask("facts")["grants"].values())


def test_a_backup_of_a_newer_release_is_refused(shop: Shop, empty: Shop, tmp_path: Path) -> None:
    with closing(sqlite3.connect(shop.database)) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('orders', '9999_later', 0)"
        )
        database.commit()
    shop.do("backup", tmp_path / "depot")

    done = empty.manage("restore", tmp_path / "depot")

    assert done.returncode == 1
    assert "newer release" in done.stderr
    assert "orders.9999_later" in done.stderr


def test_a_folder_of_other_things_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("Dear …")

    done = shop.manage("backup", tmp_path / "letters")

    assert done.returncode == 2
    assert "holds other things" in done.stderr
    assert [p.name for p in (tmp_path / "letters").iterdir()] == ["one.txt"]


def test_a_disk_that_is_full_makes_no_backup(shop: Shop, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: the kernel refuses the write as well."""
    depot = tmp_path / "depot"
    program = (
        "import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        f"sys.argv = ['manage.py', 'backup', {str(depot)!r}];"
        "runpy.run_path('manage.py', run_name='__main__')"
    )

    started = shop.start("-c", program)
    _, err = started.communicate(timeout=120)

    assert started.returncode == 2, err
    assert "could not be made" in err
    assert not [name for name in backup_names(depot) if not name.startswith(".")]
