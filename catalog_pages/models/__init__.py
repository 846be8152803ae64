"""What is for sale. Public names of the room's models; import them from here."""

from catalog_pages.models.assets import DigitalAsset, Excerpt, FixityCheck
from catalog_pages.models.batches import (
    BatchAlbum,
    BatchCover,
    BatchFile,
    BatchTrack,
    MusicBatch,
)
from catalog_pages.models.bundles import BundledProduct
from catalog_pages.models.images import CoverImage, CoverRendition
from catalog_pages.models.imports import CatalogueImport, ImportRow
from catalog_pages.models.legal import LegalKind, LegalText, LegalVersion
from catalog_pages.models.pages import CataloguePage, HomePage, ProductPage
from catalog_pages.models.ranks import ProductRank
from catalog_pages.models.shop import ShopSettings
from catalog_pages.models.stamp import CatalogueStamp
from catalog_pages.models.taxonomy import Artist, Genre
from catalog_pages.models.tracks import ProductTrack, TrackFile
from catalog_pages.models.uploads import PendingUpload

__all__ = [
    "Artist",
    "BatchAlbum",
    "BatchCover",
    "BatchFile",
    "BatchTrack",
    "BundledProduct",
    "CatalogueImport",
    "CataloguePage",
    "CatalogueStamp",
    "CoverImage",
    "CoverRendition",
    "DigitalAsset",
    "Excerpt",
    "FixityCheck",
    "Genre",
    "HomePage",
    "ImportRow",
    "LegalKind",
    "LegalText",
    "LegalVersion",
    "MusicBatch",
    "PendingUpload",
    "ProductPage",
    "ProductRank",
    "ProductTrack",
    "ShopSettings",
    "TrackFile",
]
