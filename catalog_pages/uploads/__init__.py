"""Files on their way into protected storage, in pieces, and what becomes of them.

* `receiving` - begin an upload or find it again, take its pieces, end it, drop it
* `checking` - hash it, read it, make it an asset; a background task of `tasks`
* `tidying` - pick up checks that died, remove what nobody will finish
* `places` - which of the two storages is in use: `local` (a private folder beside the files) or
  `multipart` (S3's multipart uploads, whose parts browsers send straight to the bucket)

Arrows: receiving and tidying know checking, all three know places; nothing here knows a request. Calls
to a bucket are made outside transactions.
"""
