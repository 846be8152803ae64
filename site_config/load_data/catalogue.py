"""The statements that make a catalogue: artists, genres, products, versions, tracks, files, search.

`:name` is filled in by `filling`. Product number `n` has the key `1000 + n`, so that sales need not look.
"""

from __future__ import annotations

WORDS = (
    "'Quiet','Amber','Broken','Northern','Paper','Golden','Distant','Hollow','Electric','Silver','Velvet',"
    "'Winter','Burning','Little','Midnight','Salt','Wooden','Crimson','Patient','Open'"
)
THINGS = (
    "'Harbour','Garden','Machine','River','Letters','Mountain','Radio','Orchard','Signal','Cathedral',"
    "'Window','Station','Tide','Lantern','Forest','Engine','Mirror','Island','Thunder','Kitchen','Bridge',"
    "'Compass','Desert'"
)
FIRST = "'Ada','Bo','Cleo','Dario','Esther','Femi','Greta','Hugo','Ines','Jonas','Kaya','Liv','Mateo','Nora'"
LAST = (
    "'Adler','Brook','Castell','Dray','Engel','Faro','Gale','Holm','Idris','Juno','Kerr','Lund','Marsh',"
    "'Nye','Okoro','Pell','Quist'"
)
GENRES = (
    "'Ambient','Blues','Classical','Country','Dance','Dub','Electronic','Folk','Funk','Hip hop','House',"
    "'Indie','Jazz','Latin','Metal','Pop','Punk','Reggae','Rock','Soul','Speech','Techno','World','Trip hop'"
)


def picked(words: str, number: str) -> str:
    """SQL: one of the words, by a number from 0 on."""
    return f"(ARRAY[{words}])[1 + ({number}) % {words.count(',') + 1}]"


TITLE = (
    f"{picked(WORDS, 'n')} || ' ' || {picked(THINGS, 'n / 20')}"
    " || CASE WHEN n < 460 THEN '' ELSE ' ' || n / 460 END"
)
NAME = (
    f"{picked(FIRST, 'n')} || ' ' || {picked(LAST, 'n / 14')}"
    " || CASE WHEN n < 238 THEN '' ELSE ' ' || n / 238 END"
)
# What treebeard writes: four digits of base 36 for each step.
STEP = (
    "".join(
        f"substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', 1 + (n + 1) / {36**power} % 36, 1) || "
        for power in (3, 2, 1)
    )
    + "substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', 1 + (n + 1) % 36, 1)"
)

CATALOGUE: tuple[str, ...] = (
    f"""
    INSERT INTO catalog_pages_artist (id, name, name_key, slug, biography)
    SELECT 1000 + n, {NAME}, lower({NAME}), 'artist-' || n, '' FROM generate_series(0, :artists - 1) n
    """,
    f"""
    INSERT INTO catalog_pages_genre (id, name, name_key, slug)
    SELECT 1000 + n, {picked(GENRES, "n")}, lower({picked(GENRES, "n")}), 'style-' || n
    FROM generate_series(0, 23) n
    """,
    f"""
    CREATE TEMPORARY TABLE load_product ON COMMIT DROP AS
    SELECT n, 1000 + n AS id, {TITLE} AS title, 'release-' || n AS slug, {STEP} AS step,
           1000 + n % :artists AS artist, 1000 + n % 24 AS genre,
           CASE WHEN n % 50 = 7 THEN 0 ELSE 299 + n % 12 * 100 END AS price,
           current_date - n % 3650 AS release_date,
           now() - make_interval(secs => :seconds::bigint * (:products - n) / :products) AS at,
           'A record about a ' || lower({picked(THINGS, "n / 7")}) || '.' AS description
    FROM generate_series(0, :products - 1) n
    """,
    """
    INSERT INTO wagtailcore_page (id, path, depth, numchild, title, draft_title, slug, url_path, live,
        has_unpublished_changes, seo_title, show_in_menus, search_description, expired, content_type_id,
        locked,
        latest_revision_created_at, first_published_at, last_published_at, live_revision_id,
        latest_revision_id,
        translation_key, locale_id)
    SELECT id, :path || step, :depth, 0, title, title, slug, :url_path || slug || '/', true,
        n % 40 = 9, '', false, '', false, :product_type, false,
        at, at, at, id, id, md5('page' || n)::uuid, :locale
    FROM load_product
    """,
    "UPDATE wagtailcore_page SET numchild = numchild + :products WHERE id = :catalogue",
    """
    INSERT INTO catalog_pages_productpage (page_ptr_id, price_pennies, description, credits, release_date,
        artist_id, genre_id, pay_what_you_want)
    SELECT id, price, '<p>' || description || '</p>', '', release_date, artist, genre, n % 30 = 4
    FROM load_product
    """,
    """
    INSERT INTO wagtailcore_revision (id, created_at, content, object_id, content_type_id,
        base_content_type_id,
        object_str)
    SELECT id, at, jsonb_build_object(
            'pk', id, 'path', :path || step, 'depth', :depth, 'numchild', 0, 'title', title,
            'draft_title', title, 'slug', slug, 'url_path', :url_path || slug || '/', 'live', true,
            'content_type', :product_type, 'locale', :locale, 'translation_key', md5('page' || n)::uuid,
            'has_unpublished_changes', false, 'seo_title', '', 'search_description', '',
            'artist', artist, 'genre', genre, 'price_pennies', price, 'pay_what_you_want', n % 30 = 4,
            'description', '<p>' || description || '</p>', 'credits', '', 'release_date', release_date,
            'tracks', jsonb_build_array(jsonb_build_object('pk', id, 'sort_order', 0, 'page', id,
                'title', title, 'disc', 1, 'number', 1, 'files', jsonb_build_array(
                    jsonb_build_object('pk', id, 'sort_order', 0, 'track', id,
                                       'asset', md5('asset' || n)::uuid)))),
            'contents', '[]'::jsonb),
        id::text, :product_type, :page_type, title
    FROM load_product
    """,
    """
    INSERT INTO catalog_pages_digitalasset (id, file, file_name, sha256, crc32, size_bytes, content_type,
        format_name, codec, duration_ms, bitrate_bps, sample_rate_hz, channels, tags, lineage, created_at)
    SELECT md5('asset' || n)::uuid, 'load/' || n, lower(replace(title, ' ', '-')) || '.flac',
        md5('asset' || n) || md5('more' || n), n, 20000000 + n, 'audio/flac', 'FLAC', 'flac',
        180000 + n % 120000, 800000, 44100, 2,
        jsonb_build_object('title', title, 'album', title, 'track', 1), md5('asset' || n)::uuid, at
    FROM load_product
    """,
    """
    INSERT INTO catalog_pages_producttrack (id, sort_order, title, disc, number, page_id)
    SELECT id, 0, title, 1, 1, id FROM load_product
    """,
    """
    INSERT INTO catalog_pages_trackfile (id, sort_order, asset_id, track_id)
    SELECT id, 0, md5('asset' || n)::uuid, id FROM load_product
    """,
    """
    INSERT INTO catalog_pages_fixitycheck (asset_id, found, checked_at)
    SELECT md5('asset' || n)::uuid, CASE WHEN n % 5000 = 17 THEN 'missing' ELSE 'intact' END, now()
    FROM load_product
    """,
    """
    INSERT INTO wagtailsearch_indexentry (id, object_id, content_type_id, title_norm, title, body,
        autocomplete,
        title_text, body_text)
    SELECT p.id, p.id::text, :product_type, 1, setweight(to_tsvector('simple', p.title), 'B'),
        to_tsvector('simple', p.description || ' ' || a.name || ' ' || g.name || ' ' || p.title),
        to_tsvector('simple', p.title || ' ' || a.name), p.title,
        p.description || ' ' || a.name || ' ' || g.name
    FROM load_product p JOIN catalog_pages_artist a ON a.id = p.artist
    JOIN catalog_pages_genre g ON g.id = p.genre
    """,
    """
    INSERT INTO catalog_pages_musicbatch (id, created_at, touched_at)
    SELECT 1000 + n, now() - make_interval(hours => n), now() - make_interval(hours => n)
    FROM generate_series(0, :products / 500) n
    """,
    """
    INSERT INTO catalog_pages_batchalbum (id, position, title, artist, genre, price_pennies, is_album, joined,
        is_changed, wish, sentence, batch_id, page_id)
    SELECT 1000 + n, n % 20, 'Album ' || n, 'Artist ' || n, 'Folk', 499, false, false, false, '', '',
        1000 + n / 20, NULL
    FROM generate_series(0, (:products / 500 + 1) * 20 - 1) n
    """,
    """
    INSERT INTO catalog_pages_batchtrack (id, title, artist, disc, number, left_out, album_id)
    SELECT 1000 + n, 'Track ' || n, '', 1, 1 + n % 3, false, 1000 + n / 3
    FROM generate_series(0, (:products / 500 + 1) * 60 - 1) n
    """,
    """
    INSERT INTO catalog_pages_batchfile (id, file_name, folder, sentence, asset_id, track_id, batch_id)
    SELECT 1000 + n, 'track-' || n || '.flac', '', '', NULL, 1000 + n, 1000 + n / 60
    FROM generate_series(0, (:products / 500 + 1) * 60 - 1) n
    """,
    """
    INSERT INTO catalog_pages_catalogueimport (id, created_at, file_name, state, sentence, rows_read,
        rows_same,
        rows_wrong, rows_changed, confirmed_at)
    SELECT 1000 + n, now() - make_interval(days => n), 'prices-' || n || '.csv', 'done', '', :products, 0, 0,
        :products, now()
    FROM generate_series(0, 29) n
    """,
    """
    INSERT INTO catalog_pages_importrow (id, number, page_id, title, changes, "values", errors, state,
        sentence,
        source_id)
    SELECT id, n + 2, id, title, '{"price": ["4.99", "5.99"]}', '{"price_pennies": 599}',
        CASE WHEN n % 100 = 3 THEN '{"price": "This is no price."}' ELSE '{}' END::jsonb,
        CASE n % 100 WHEN 3 THEN 'wrong' WHEN 4 THEN 'left' ELSE 'done' END, '', 1000
    FROM load_product
    """,
)
