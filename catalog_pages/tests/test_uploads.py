"""Audio comes in through its own view: hashed, read, recognised, and never an error page."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalog_pages.admin.upload_handlers import CappedUploadHandler
from catalog_pages.models import DigitalAsset, ProductPage
from catalog_pages.roles import EDITORS
from catalog_pages.tests.editors import create_product, member_client, owner_client, tone, track
from tests.factories import make_user

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


@pytest.fixture
def editor() -> Client:
    return member_client(EDITORS)


def upload(client: Client, *files: tuple[str, bytes], **extra: Any) -> Any:
    chosen = [SimpleUploadedFile(name, content) for name, content in files]
    return client.post(reverse("digital_assets:upload"), {"files": chosen}, **extra)


def upload_json(client: Client, *files: tuple[str, bytes]) -> tuple[int, list[dict[str, Any]]]:
    response = upload(client, *files, headers=JSON)
    return response.status_code, json.loads(response.content)["results"]


def multipart(name: str, content: bytes) -> tuple[bytes, str]:
    """A body whose file name is exactly `name`, which the test client would tidy up."""
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
    body = head.encode("utf-8", "surrogateescape") + b"Content-Type: audio/wav\r\n\r\n"
    return body + content + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"


# --- What is kept ------------------------------------------------------------------------------


def test_an_upload_is_hashed_read_and_kept_byte_for_byte(editor: Client) -> None:
    content = tone()

    status, [result] = upload_json(editor, ("harbour.wav", content))

    asset = DigitalAsset.objects.get()
    assert (status, result["state"]) == (201, "stored")
    assert result["facts"][:2] == ["WAV", "0:01"]
    assert result["url"] == reverse("digital_assets:inspect", args=[asset.pk])
    assert asset.sha256 == hashlib.sha256(content).hexdigest()
    assert (asset.file_name, asset.size_bytes) == ("harbour.wav", len(content))
    assert asset.uploaded_by is not None
    with asset.file.open() as stored:
        assert stored.read() == content


@pytest.mark.parametrize(
    ("suffix", "format_name"), [(".mp3", "MP3"), (".flac", "FLAC"), (".opus", "Opus")]
)
def test_what_the_file_says_of_itself_is_shown(
    editor: Client, suffix: str, format_name: str
) -> None:
    content = tone(suffix=suffix, title="Harbour lights", artist="Mara Quist")

    status, [result] = upload_json(editor, (f"master{suffix}", content))

    assert status == 201
    assert (result["title"], result["facts"][0]) == ("Harbour lights", format_name)


def test_the_same_bytes_are_recognised_under_any_name(editor: Client) -> None:
    upload(editor, ("harbour.wav", tone()))

    status, [result] = upload_json(editor, ("copy of harbour.wav", tone()))

    assert (status, result["state"]) == (200, "duplicate")
    assert result["sentence"] == "This is the same file as “harbour.wav”, already here."
    assert result["id"] == str(DigitalAsset.objects.get().pk)


def test_several_files_come_at_once_and_one_bad_one_takes_no_other_with_it(editor: Client) -> None:
    files = [("one.wav", tone(440)), ("notes.txt", b"milk, bread"), ("two.wav", tone(550))]

    status, results = upload_json(editor, *files)

    assert status == 422
    assert [result["state"] for result in results] == ["stored", "refused", "stored"]
    assert DigitalAsset.objects.count() == 2


def test_without_javascript_the_same_form_answers_with_a_page(editor: Client) -> None:
    files = [("one.wav", tone()), ("again.wav", tone()), ("notes.txt", b"milk, bread")]

    response = upload(editor, *files)

    page = response.content.decode()
    assert response.status_code == 422
    assert "Stored." in page
    assert "This is the same file as “one.wav”, already here." in page
    assert "notes.txt" in page


def test_no_temporary_file_is_left_behind(editor: Client, tmp_path: Path, settings: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.MAX_UPLOAD_BYTES = len(tone())

    upload(editor, ("one.wav", tone()), ("large.wav", tone() + b"0"), ("notes.txt", b"milk"))

    assert list(tmp_path.iterdir()) == []
    assert DigitalAsset.objects.count() == 1


# --- What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.mp3", b"milk, bread and a stamp"),
        ("empty.wav", b""),
        ("harbour.wav", tone()[:30]),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 200),
        ("page.html", b"<script>alert(1)</script>"),
    ],
)
def test_what_is_no_audio_is_a_sentence(editor: Client, name: str, content: bytes) -> None:
    status, [result] = upload_json(editor, (name, content))

    assert (status, result["state"]) == (422, "refused")
    assert result["sentence"].endswith(".")
    assert not DigitalAsset.objects.exists()


def test_a_file_that_is_too_large_is_a_sentence_and_never_fills_the_disk(
    editor: Client, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 10_000

    status, results = upload_json(editor, ("large.wav", tone()), ("small.txt", b"milk"))

    assert status == 413
    assert results[0]["sentence"].startswith("This file is larger than 10")
    assert not DigitalAsset.objects.exists()


def test_sending_nothing_is_a_sentence(editor: Client) -> None:
    by_form, by_json = upload(editor), upload(editor, headers=JSON)

    assert by_form.status_code == by_json.status_code == 400
    assert "Choose at least one audio file." in by_form.content.decode()
    assert json.loads(by_json.content)["sentence"] == "Choose at least one audio file."


@pytest.mark.wide
@pytest.mark.parametrize("name", ["digital_assets:upload", "digital_asset_chooser:create"])
def test_too_many_files_at_once_are_a_sentence_and_none_is_kept(
    editor: Client, name: str, tmp_path: Path, settings: Any
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    url = reverse(name)
    field = "files" if name.endswith("upload") else "audio-file-file"

    def send(count: int, **extra: Any) -> Any:
        files = [SimpleUploadedFile(f"{at}.wav", tone(440 + at)) for at in range(count)]
        return editor.post(url, {field: files}, **extra)

    too_many = send(3)

    assert not DigitalAsset.objects.exists()
    assert list(tmp_path.iterdir()) == []
    if name.endswith("upload"):
        sentence = "At most 2 files can be sent at once. None of these was taken."
        by_json = send(3, headers=JSON)
        assert (too_many.status_code, by_json.status_code) == (413, 413)
        assert sentence in too_many.content.decode()
        assert by_json.json() == {"results": [], "sentence": sentence}
        assert "At most 2 files can be sent at once." in editor.get(url).content.decode()
        assert send(2).status_code == 201
    else:
        assert too_many.json()["step"] == "reshow_creation_form"


def test_too_many_files_are_nobodys_way_in_without_the_right_to_add_them(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    shopper = Client()
    shopper.force_login(make_user())

    response = upload(shopper, ("one.wav", tone()), ("two.wav", tone()))

    assert response.status_code == 302


def test_the_page_and_a_refusal_name_the_limit_alike(editor: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2048 * 1024 * 1024
    begin = {"file_name": "a.wav", "size_bytes": 2**32, "last_modified": 1}

    page = editor.get(reverse("digital_assets:upload")).content.decode()
    refused = editor.post(
        reverse("digital_assets:upload_begin"), begin, content_type="application/json"
    )

    assert "up to 2,048 MB each" in page
    assert "larger than 2,048 MB," in refused.json()["sentence"]
    assert 'data-max-size="2,048 MB"' in page


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/harbour.wav", "harbour.wav"),
        ("C:\\\\Music\\\\harbour.wav", "harbour.wav"),
        ("/etc/passwd.wav", "passwd.wav"),
        ("a" * 300 + ".wav", "a" * 251 + ".wav"),
        ("a." + "w" * 300, None),
        ("🎷 سلام.wav", "🎷 سلام.wav"),
        ("harbour\0.wav", "harbour.wav"),
        ("harbour.wav...", "harbour.wav..."),
        ("-rf *.wav", "-rf *.wav"),
        ("<b>&amp;.wav", "<b>&.wav"),
        ("\udcff\udcfe.wav", None),
        ("..", None),
        ("", None),
        ("/", None),
    ],
)
def test_no_file_name_is_an_error_page_or_a_path(
    editor: Client, sent: str, kept: str | None
) -> None:
    body, content_type = multipart(sent, tone())

    response = editor.post(reverse("digital_assets:upload"), body, content_type, headers=JSON)

    assert response.status_code in {201, 400, 422}
    for asset in DigitalAsset.objects.all():
        assert asset.file_name == kept or kept is None
        assert not {"/", "\\"} & set(asset.file_name)
        stored = Path(asset.file.path).resolve()
        assert stored.is_relative_to(Path(settings.PROTECTED_MEDIA_ROOT).resolve())
    if response.status_code != 201:
        assert not DigitalAsset.objects.exists()


@pytest.mark.wide
@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"\xff\xfe", b"--x--\r\n"])
def test_a_broken_body_is_no_error_page(editor: Client, body: bytes) -> None:
    kind = "multipart/form-data; boundary=x"

    response = editor.post(reverse("digital_assets:upload"), body, kind, headers=JSON)

    assert response.status_code == 400


# --- Who may -----------------------------------------------------------------------------------


def test_only_those_who_may_add_files_upload() -> None:
    visitor, shopper = Client(), Client()
    shopper.force_login(make_user())
    looker = make_user()
    codenames = ["access_admin", "view_digitalasset"]
    looker.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    looking = Client()
    looking.force_login(looker)

    for client in (visitor, shopper, looking):
        assert upload(client, ("one.wav", tone())).status_code == 302
        background = upload(
            client, ("one.wav", tone()), headers=JSON | {"x-requested-with": "XMLHttpRequest"}
        )
        assert background.status_code == 403
    assert looking.get(reverse("digital_assets:index")).status_code == 200
    assert not DigitalAsset.objects.exists()


@pytest.mark.parametrize("name", ["digital_assets:upload", "digital_asset_chooser:create"])
def test_an_upload_needs_the_token(name: str) -> None:
    known = owner_client()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = known.cookies
    strict.get(reverse("digital_assets:upload"))
    field = "files" if name.endswith("upload") else "audio-file-file"
    data = {field: SimpleUploadedFile("one.wav", tone())}

    without = strict.post(reverse(name), data)
    token = strict.cookies["csrftoken"].value
    chosen = {field: SimpleUploadedFile("one.wav", tone()), "csrfmiddlewaretoken": token}
    with_token = strict.post(reverse(name), chosen)

    assert without.status_code == 403
    assert with_token.status_code in {200, 201}
    assert DigitalAsset.objects.count() == 1


def test_only_get_and_post_are_answered(editor: Client) -> None:
    url = reverse("digital_assets:upload")

    assert editor.get(url).status_code == 200
    assert editor.put(url).status_code == 405
    assert editor.delete(url).status_code == 405


def test_an_upload_goes_to_a_temporary_file_whatever_its_size(editor: Client) -> None:
    response = upload(editor, ("small.wav", tone()))

    [handler] = response.wsgi_request.upload_handlers
    assert isinstance(handler, CappedUploadHandler)


def test_an_uploaded_file_is_published_in_a_product() -> None:
    owner = owner_client()
    upload(owner, ("harbour.wav", tone()))

    create_product(owner, "publish", tracks=[track("Harbour", DigitalAsset.objects.get())])

    page = ProductPage.objects.get()
    assert page.live
    assert page.tracks.get().files.get().asset.file_name == "harbour.wav"
