"""The screen "Add music": many files at once, the table of albums that they make, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.images.permissions import permission_policy as pictures

from catalog_pages.admin.music_rights import may_add_music, may_publish_music
from catalog_pages.admin.music_rows import AlbumRow, ahead, album_rows, states_of
from catalog_pages.admin.upload import ACCEPTED
from catalog_pages.admin.upload_api import (
    BadRequest,
    UploadApiView,
    as_json,
    begun_as_json,
    declared,
    json_of,
    refusal,
)
from catalog_pages.assets import size_limit
from catalog_pages.audio.facts import SOLD_FORMATS
from catalog_pages.batches.asking import albums_wish, wishes_again
from catalog_pages.batches.correcting import (
    album_change,
    albums_fill,
    track_change,
    tracks_move,
)
from catalog_pages.batches.covers import MOST_BYTES, CoverTooLarge, batch_cover_add
from catalog_pages.batches.sorting import batch_begin_file, batch_sort
from catalog_pages.errors import DomainError
from catalog_pages.models import BatchAlbum, BatchTrack, MusicBatch, PendingUpload
from catalog_pages.uploads.tidying import DAYS_KEPT

ALBUMS_ON_A_PAGE = 20
PICTURES = "image/jpeg,image/png,image/webp"
MOST_AT_ONCE = 200


class MusicView(View):
    """Answers whoever may add music; refusals of the services are sentences."""

    permission_policy: Any = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not may_add_music(request.user):
            return _forbidden(request)
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as error:
            return refusal(error)

    @cached_property
    def batch(self) -> MusicBatch:
        return get_object_or_404(MusicBatch, pk=self.kwargs["pk"])

    def sent(self) -> dict[str, Any]:
        """The JSON of the body; BadRequest when it is none."""
        data = json_of(self.request)
        if not isinstance(data, dict):
            raise BadRequest
        return data


class MusicScreen(WagtailAdminTemplateMixin, MusicView):
    """A page of these, below its own breadcrumbs."""

    _show_breadcrumbs = True

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = [*self.breadcrumbs_items, {"url": reverse("music:index"), "label": _("Add music")}]
        if subtitle := self.get_page_subtitle():
            items.append({"url": "", "label": subtitle})
        return items


class MusicIndexView(MusicScreen):
    page_title = gettext_lazy("Add music")
    header_icon = "media"
    template_name = "catalog_pages/admin/music_index.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        batches = (
            MusicBatch.objects.select_related("created_by")
            .annotate(
                album_count=Count("albums", distinct=True),
                open_count=Count("albums", filter=~Q(albums__page__live=True), distinct=True),
            )
            .order_by("-touched_at", "-pk")
        )
        page = Paginator(batches, 20).get_page(request.GET.get("p"))
        return self.render_to_response(self.get_context_data(batches=page, **_adding()))

    def post(self, request: HttpRequest) -> HttpResponse:
        batch = MusicBatch.objects.create(created_by_id=request.user.pk)
        return redirect("music:batch", batch.pk)


class MusicBatchView(MusicScreen):
    page_title = gettext_lazy("Add music")
    header_icon = "media"
    template_name = "catalog_pages/admin/music_batch.html"

    def get_page_subtitle(self) -> str:
        return str(self.batch)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        unfinished = PendingUpload.objects.filter(
            batch_files__batch=self.batch, uploaded_by=request.user.pk
        )
        unfinished = unfinished.filter(state__in=PendingUpload.UNFINISHED).order_by("created_at")
        context = self.get_context_data(
            batch=self.batch,
            unfinished=[as_json(upload) for upload in unfinished],
            unsorted=self.batch.files.exclude(upload=None).exists(),
            days_kept=DAYS_KEPT,
            max_bytes=settings.MAX_UPLOAD_BYTES,
            max_size=size_limit(),
            may_publish=may_publish_music(request.user),
            may_delete=request.user.has_perm("catalog_pages.delete_musicbatch"),
            currency=settings.STRIPE_CURRENCY,
            **_adding(),
            **_table(request, self.batch),
        )
        return self.render_to_response(context)


class MusicTableView(MusicView):
    """The albums of one page, for the script to put in the place of older ones."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        context = {"batch": self.batch, "may_publish": may_publish_music(request.user)}
        context |= _table(request, self.batch)
        return render(request, "catalog_pages/admin/music_table.html", context)


class MusicStateView(MusicView):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return JsonResponse({"albums": states_of(self.batch, _page(request, self.batch))})


class MusicBeginView(UploadApiView):
    """As the upload page's own `begin`, for a file of a batch."""

    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not may_add_music(request.user):
            return _forbidden(request)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = get_object_or_404(MusicBatch, pk=pk)
        folder = _plain(request.GET.get("folder", ""))
        begun = batch_begin_file(batch=batch, user=request.user, folder=folder, **declared(request))
        return JsonResponse(begun_as_json(begun), status=201 if begun.is_new else 200)


class MusicCoverView(MusicView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not pictures.user_has_permission(request.user, "add"):
            raise PermissionDenied
        sent = request.FILES.get("file")
        if sent is None:
            raise BadRequest
        if (sent.size or 0) > MOST_BYTES:
            raise CoverTooLarge
        folder = _plain(request.POST.get("folder", ""))
        try:
            cover = batch_cover_add(
                batch=self.batch,
                data=sent.read(),
                file_name=_plain(sent.name or ""),
                folder=folder,
                user=request.user,
            )
        except OSError:
            return JsonResponse({"sentence": _("The shop's storage did not take it.")}, status=503)
        return JsonResponse(
            {"state": "stored", "sentence": _("Stored as a cover."), "title": cover.file_name}
        )


class MusicSortView(MusicView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        return JsonResponse({"sorted": batch_sort(batch_id=self.batch.pk)})


class MusicChangeView(MusicView):
    """One field of one row: `{kind, id, field, text}`. Answers with an `album` to be shown anew, or null."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        data = self.sent()
        field, text = str(data.get("field", "")), str(data.get("text", ""))
        row_id = _whole(data.get("id"))
        if data.get("kind") == "album":
            album = get_object_or_404(BatchAlbum, pk=row_id, batch=self.batch)
            changed = album_change(album=album, field=field, text=_plain(text))
            said = {"sentence": "", "album": None, "ahead": ahead(changed.release_date)}
            return JsonResponse(said)
        if data.get("kind") != "track":
            raise BadRequest
        track = get_object_or_404(BatchTrack, pk=row_id, album__batch=self.batch)
        joined = track_change(track=track, field=field, text=_plain(text))
        if joined is None:
            return JsonResponse({"sentence": "", "album": None})
        sentence = _("“%(title)s” is one track in several formats now.") % {"title": joined.title}
        return JsonResponse({"sentence": sentence, "album": joined.album_id})


class MusicMoveView(MusicView):
    """Tracks into another album: `{tracks: [id], album: id or "new"}`."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        data = self.sent()
        tracks, album = data.get("tracks"), data.get("album")
        if not isinstance(tracks, list):
            raise BadRequest
        target = tracks_move(
            batch=self.batch,
            track_ids=[_whole(track) for track in tracks],
            album_id=None if album == "new" else _whole(album),
        )
        sentence = _("Moved to “%(title)s”.") % {"title": target.title}
        return JsonResponse({"album": target.pk, "sentence": sentence})


class MusicFillView(MusicView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        data = self.sent()
        field, text = str(data.get("field", "")), _plain(str(data.get("text", "")))
        filled = albums_fill(batch=self.batch, field=field, text=text)
        said = ngettext("%(count)d album got it.", "%(count)d albums got it.", filled)
        return JsonResponse({"sentence": said % {"count": filled}})


class MusicMakeView(MusicView):
    """`{wish: draft or publish}` for the whole batch, or with `albums: [id]` for some of it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        data = self.sent()
        wish, some = data.get("wish"), data.get("albums")
        if wish not in (BatchAlbum.Wish.DRAFT, BatchAlbum.Wish.PUBLISH):
            raise BadRequest
        if wish == BatchAlbum.Wish.PUBLISH and not may_publish_music(request.user):
            return _forbidden(request)
        if some is not None and not isinstance(some, list):
            raise BadRequest
        ids = None if some is None else [_whole(pk) for pk in some]
        again = wishes_again(batch=self.batch)
        asked = albums_wish(batch=self.batch, wish=str(wish), user=request.user, album_ids=ids)
        return JsonResponse({"asked": asked + again})


class MusicDeleteView(MusicView):
    """Forgets the list; its files and its products stay."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("catalog_pages.delete_musicbatch"):
            return _forbidden(request)
        name = str(self.batch)
        self.batch.delete()
        messages.success(
            request,
            _("“%(name)s” is gone from this list. Its files and products stay.") % {"name": name},
        )
        return redirect("music:index")


class MusicMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return may_add_music(request.user)


class MusicViewSet(ViewSet):
    name = "music"
    url_prefix = "music"
    icon = "media"
    menu_label = gettext_lazy("Add music")
    menu_order = 240
    menu_item_class = MusicMenuItem
    add_to_admin_menu = True

    def get_urlpatterns(self) -> list[URLPattern]:
        under: dict[str, tuple[str, type[View]]] = {
            "": ("batch", MusicBatchView),
            "begin/": ("begin", MusicBeginView),
            "covers/": ("covers", MusicCoverView),
            "sort/": ("sort", MusicSortView),
            "table/": ("table", MusicTableView),
            "state/": ("state", MusicStateView),
            "change/": ("change", MusicChangeView),
            "move/": ("move", MusicMoveView),
            "fill/": ("fill", MusicFillView),
            "make/": ("make", MusicMakeView),
            "delete/": ("delete", MusicDeleteView),
        }
        make: Callable[..., Any] = self.construct_view
        return [
            path("", make(MusicIndexView), name="index"),
            *(
                path(f"<int:pk>/{end}", make(view), name=name)
                for end, (name, view) in under.items()
            ),
        ]


def _adding() -> dict[str, Any]:
    return {
        "accepted": f"{ACCEPTED},{PICTURES}",
        "sold_formats": SOLD_FORMATS,
        "most_at_once": MOST_AT_ONCE,
    }


def _page(request: HttpRequest, batch: MusicBatch) -> Any:
    return Paginator(batch.albums.all(), ALBUMS_ON_A_PAGE).get_page(request.GET.get("p"))


def _table(request: HttpRequest, batch: MusicBatch) -> dict[str, Any]:
    page = _page(request, batch)
    rows: list[AlbumRow] = album_rows(batch, page)
    others = list(batch.albums.filter(page=None).values("pk", "title", "artist"))
    covers = list(batch.covers.select_related("image"))
    refused = list(batch.files.filter(asset=None, upload=None).exclude(sentence="")[:200])
    return {
        "albums": rows,
        "page_obj": page,
        "targets": others,
        "covers": covers,
        "refused": refused,
    }


def _forbidden(request: HttpRequest) -> HttpResponse:
    wants_json = request.headers.get("X-Requested-With") == "XMLHttpRequest"
    sentence = _("You may not do this. Ask whoever runs the shop for the right.")
    if wants_json:
        return JsonResponse({"code": "forbidden", "sentence": sentence}, status=403)
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(sentence, status=403, content_type="text/plain; charset=utf-8")
    messages.error(request, sentence)
    return redirect(reverse("wagtailadmin_home"))


def _plain(text: str) -> str:
    """Without what PostgreSQL does not store: NUL, and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _whole(value: Any) -> int:
    """A row's number as a script sends it; Http404 for what can be none."""
    text = str(value)
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Http404
    return int(text)
