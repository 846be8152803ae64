"""The shapes of what version 1 says of the catalogue. `store_api/v1/catalogue_answers.py` fills them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

AMOUNT = "Minor units of the currency; 0 is free."


class ArtistSerializer(serializers.Serializer[Any]):
    """Who made it."""

    name = serializers.CharField()
    slug = serializers.CharField(help_text="For `artists/{slug}/`, and for `products/?artist=`.")


class ArtistDetailSerializer(ArtistSerializer):
    biography = serializers.CharField(
        help_text="Plain text, a paragraph on each line; may be empty."
    )
    url = serializers.URLField(help_text="The artist's page in the shop.")


class GenreSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    slug = serializers.CharField(help_text="For `genres/{slug}/`, and for `products/?genre=`.")


class GenreDetailSerializer(GenreSerializer):
    url = serializers.URLField(help_text="The genre's page in the shop.")


class CoverSerializer(serializers.Serializer[Any]):
    width = serializers.IntegerField(help_text="Pixels; covers are square.")
    url = serializers.URLField(help_text="A WebP picture.")


class AssetSerializer(serializers.Serializer[Any]):
    """A file that a buyer receives. Nothing here leads to the file itself."""

    file_name = serializers.CharField()
    format = serializers.CharField(help_text="As people say it: FLAC, MP3, Opus.")
    content_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the bytes, in hex: what arrives can be checked.")
    duration_ms = serializers.IntegerField(allow_null=True, help_text="null: no audio.")
    bitrate_bps = serializers.IntegerField(allow_null=True)


class ExcerptSerializer(serializers.Serializer[Any]):
    """A public cut of a track, to listen to before buying."""

    url = serializers.URLField(
        help_text="MP3, with ranges. It stays the same as long as the cut does."
    )
    start_ms = serializers.IntegerField(help_text="Where in the track it begins.")
    duration_ms = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    waveform = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=100),
        help_text="Loudness from 0 to 100, evenly spaced over the cut.",
    )


class TrackSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    disc = serializers.IntegerField(allow_null=True)
    number = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True, help_text="Of the whole track.")
    excerpt = ExcerptSerializer(allow_null=True, help_text="null where none has been cut yet.")
    files = AssetSerializer(many=True, help_text="One for each format.")


class FormatSerializer(serializers.Serializer[Any]):
    """All files of one format that a buyer receives."""

    name = serializers.CharField(help_text="As people say it, and as `?format=` takes it.")
    files_count = serializers.IntegerField()
    size_bytes = serializers.IntegerField(help_text="Of all these files together.")


class LinkedProductSerializer(serializers.Serializer[Any]):
    """Another product; `products/{slug}/` says all of it."""

    id = serializers.IntegerField()
    slug = serializers.CharField()
    title = serializers.CharField()
    artist = ArtistSerializer()
    price_pennies = serializers.IntegerField(help_text=f"On its own. {AMOUNT}")
    covers = CoverSerializer(many=True, help_text="From small to large; empty without a picture.")


class ProductSerializer(serializers.Serializer[Any]):
    """Something to buy: a single, an album, or a bundle of other products."""

    id = serializers.IntegerField(help_text="What a cart wants to know.")
    slug = serializers.CharField()
    title = serializers.CharField()
    artist = ArtistSerializer()
    genre = GenreSerializer(allow_null=True)
    price_pennies = serializers.IntegerField(help_text=AMOUNT)
    currency = serializers.CharField(help_text="ISO 4217.")
    price = serializers.CharField(help_text="As people write it, such as £4.99.")
    pay_what_you_want = serializers.BooleanField(
        help_text="Buyers name their price; `price_pennies` is the least that they pay."
    )
    suggested_price_pennies = serializers.IntegerField(
        allow_null=True,
        help_text="What to offer first where buyers name their price; null: the least.",
    )
    on_sale = serializers.BooleanField(
        help_text="Whether it can be bought now. false: its release date, or that of a bundle's part, lies "
        "ahead, and it can be bought from that day on; or a part of a bundle is not for sale at the moment. "
        "What is not for sale for other reasons is not listed."
    )
    release_date = serializers.DateField(allow_null=True)
    published_at = serializers.DateTimeField(
        allow_null=True, help_text="When it first appeared in the shop."
    )
    description = serializers.CharField(
        help_text="Plain text, a paragraph on each line; may be empty."
    )
    credits = serializers.CharField(
        help_text="Who played and recorded, one on each line; may be empty."
    )
    download_limit = serializers.IntegerField(
        allow_null=True,
        help_text="How often a buyer may download each file; null: without a limit.",
    )
    url = serializers.URLField(help_text="The product's page in the shop.")
    covers = CoverSerializer(many=True, help_text="From small to large; empty without a picture.")
    formats = FormatSerializer(
        many=True, help_text="What is delivered, by format; a bundle's contents included."
    )
    tracks_count = serializers.IntegerField(help_text="A bundle's contents included.")
    duration_ms = serializers.IntegerField(help_text="Of all these tracks together.")
    tracks = TrackSerializer(
        many=True, help_text="Its own, in order; those of a bundle's contents there."
    )
    contains = LinkedProductSerializer(
        many=True,
        help_text="Products that are delivered with a bundle, in their order; empty for others.",
    )
    in_bundles = LinkedProductSerializer(many=True, help_text="Bundles on sale that contain it.")
