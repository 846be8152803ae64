"""Shapes of version 1. Serializers check and translate; services decide."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog_pages.assets import excerpt_for
from catalog_pages.models import Artist, DigitalAsset, Excerpt, Genre, ProductPage, ProductTrack
from catalog_pages.money import format_money
from catalog_pages.renditions import SPECS
from store_api.serializers import PlainModelSerializer


class ArtistSerializer(PlainModelSerializer[Artist]):
    class Meta:
        model = Artist
        fields = ["name", "slug"]


class GenreSerializer(PlainModelSerializer[Genre]):
    class Meta:
        model = Genre
        fields = ["name", "slug"]


class CoverSerializer(serializers.Serializer[Any]):
    width = serializers.IntegerField(help_text="Pixels; covers are square.")
    url = serializers.URLField()


class AssetSerializer(PlainModelSerializer[DigitalAsset]):
    """What a buyer receives. Nothing here leads to the file itself."""

    format = serializers.CharField(source="format_name")

    class Meta:
        model = DigitalAsset
        fields = [
            "file_name", "format", "content_type", "size_bytes", "sha256", "duration_ms", "bitrate_bps",
        ]  # fmt: skip


class ExcerptSerializer(PlainModelSerializer[Excerpt]):
    """A public cut of a track, to listen to before buying."""

    url = serializers.SerializerMethodField(help_text="MP3, with ranges.")
    waveform = serializers.ListField(
        source="peaks",
        child=serializers.IntegerField(min_value=0, max_value=100),
        help_text="Loudness from 0 to 100, evenly spaced over the cut.",
    )

    class Meta:
        model = Excerpt
        fields = ["url", "start_ms", "duration_ms", "size_bytes", "sha256", "waveform"]

    def get_url(self, excerpt: Excerpt) -> str:
        return settings.SITE_BASE_URL + excerpt.file.url


class TrackSerializer(PlainModelSerializer[ProductTrack]):
    files = serializers.SerializerMethodField()
    excerpt = serializers.SerializerMethodField(help_text="null where none has been cut.")

    class Meta:
        model = ProductTrack
        fields = ["title", "disc", "number", "excerpt", "files"]

    @extend_schema_field(AssetSerializer(many=True))
    def get_files(self, track: ProductTrack) -> Any:
        assets = [file.asset for file in track.files.all() if file.asset]
        return AssetSerializer(assets, many=True).data

    @extend_schema_field(ExcerptSerializer(allow_null=True))
    def get_excerpt(self, track: ProductTrack) -> Any:
        excerpt = excerpt_for(track)
        return ExcerptSerializer(excerpt).data if excerpt else None


class ContainedSerializer(PlainModelSerializer[ProductPage]):
    class Meta:
        model = ProductPage
        fields = ["id", "slug", "title"]


class ProductSerializer(PlainModelSerializer[ProductPage]):
    artist = ArtistSerializer()
    genre = GenreSerializer(allow_null=True)
    currency = serializers.SerializerMethodField(help_text="ISO 4217.")
    price = serializers.SerializerMethodField(help_text="As people write it, such as £4.99.")
    covers = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField(help_text="The product's page.")
    tracks = TrackSerializer(many=True)
    contains = serializers.SerializerMethodField(
        help_text="Products that are delivered with a bundle, in their order; empty for others."
    )

    class Meta:
        model = ProductPage
        fields = [
            "id", "slug", "title", "artist", "genre", "price_pennies", "currency", "price",
            "pay_what_you_want", "suggested_price_pennies", "release_date", "url", "covers",
            "tracks", "contains",
        ]  # fmt: skip
        extra_kwargs = {
            "price_pennies": {"help_text": "Minor units of the currency; 0 is free."},
            "pay_what_you_want": {
                "help_text": "Buyers name their price; `price_pennies` is the least that they pay."
            },
            "suggested_price_pennies": {
                "help_text": "What to offer first where buyers name their price; null: the least."
            },
        }

    def get_currency(self, product: ProductPage) -> str:
        return settings.STRIPE_CURRENCY

    def get_price(self, product: ProductPage) -> str:
        return format_money(product.price_pennies or 0, settings.STRIPE_CURRENCY)

    @extend_schema_field(CoverSerializer(many=True))
    def get_covers(self, product: ProductPage) -> Any:
        renditions = product.cover.ready_renditions if product.cover else []
        found = {rendition.filter_spec: rendition for rendition in renditions}
        ready = [found[spec] for spec in SPECS.values() if spec in found]
        return [
            {"width": image.width, "url": settings.SITE_BASE_URL + image.url} for image in ready
        ]

    @extend_schema_field(ContainedSerializer(many=True))
    def get_contains(self, product: ProductPage) -> Any:
        return ContainedSerializer(
            [part for part in product.contained if part.live], many=True
        ).data

    def get_url(self, product: ProductPage) -> str:
        return settings.SITE_BASE_URL + (product.get_url() or "")
