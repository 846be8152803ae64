"""Bodies of answers: an open file, or stretches of one, on the way to a client in constant memory.

They own their file, and tell once how much of it was handed over. Used by `streaming` alone.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from downloads.multipart import Multipart
from downloads.ranges import ByteRange, first_bytes

logger = logging.getLogger(__name__)

BLOCK_BYTES = 128 * 1024
OnClose = Callable[[Sequence[ByteRange]], None]


class StoredFileDamaged(Exception):
    """The file on disk does not have the size it was stored with."""

    code = "stored_file_damaged"
    status = 503

    def __init__(self, *, expected_bytes: int, found_bytes: int) -> None:
        super().__init__(f"A stored file should have {expected_bytes} bytes and has {found_bytes}.")
        self.expected_bytes = expected_bytes
        self.found_bytes = found_bytes


class Delivery:
    """An open file on its way out: how far it got, and its end. Owns the file.

    ``on_close`` is called once, after the file was closed, however its body ended: sent whole, broken
    off, or failed. A body that is thrown away without close() closes its file when it is collected
    and tells nobody: the collector runs in any thread, in the middle of anybody's transaction.

    It is told which stretches were handed over, the first bytes of those planned: to the kernel
    where that sends the file, else to the server, which may still hold the last block when a client
    leaves. What it raises is logged and goes no further, as nobody is left to be told.
    """

    def __init__(
        self, file: IO[bytes], stretches: tuple[ByteRange, ...], on_close: OnClose | None
    ) -> None:
        self.file = file
        self.handed_bytes = 0
        self._stretches = stretches
        self._on_close = on_close

    def ends_with(self, body: object) -> Callable[[], object]:
        """A function that ends this, once; the file alone is closed when ``body`` is collected.

        ``body`` must not be referred to from here.
        """
        collected = weakref.finalize(body, self.file.close)

        def end() -> None:
            if collected.detach() is not None:
                self._end()

        return end

    def read(self, size: int, *, position: int, stop: int) -> bytes:
        """At most ``size`` bytes from ``position``, where the file stands; b"" at ``stop``.

        Raises StoredFileDamaged if the file ends before it: the server then drops the connection,
        and the client knows that its copy is short.
        """
        wanted = min(size, max(0, stop - position))
        block = self.file.read(wanted)
        if wanted and not block:
            raise StoredFileDamaged(expected_bytes=stop, found_bytes=position)
        return block

    def _end(self) -> None:
        try:
            self.file.close()
        finally:
            if self._on_close is not None:
                self._report(self._on_close)

    def _report(self, on_close: OnClose) -> None:
        try:
            on_close(first_bytes(self._stretches, self.handed_bytes))
        except Exception:
            # Django throws away what closing raises.
            logger.exception("A file was sent, and what should have followed failed.")


class FileSlice:
    """One stretch of an open file, in the shape WSGI servers want a file in; owns the file.

    Positions are the underlying file's, as servers mix ``seek`` with the descriptor's own offset:
    gunicorn asks the descriptor where it stands, sends Content-Length bytes from there by
    sendfile(), and seeks and reads where that cannot be. So ``read`` alone keeps to the stretch.
    `socket.sendfile` seeks behind what it has sent, however it ends, which is how we learn what the
    kernel took; gunicorn then moves the descriptor back. A server that sends from the descriptor
    and never seeks would seem to have sent nothing.
    """

    def __init__(
        self, file: IO[bytes], stretch: ByteRange, on_close: OnClose | None = None
    ) -> None:
        file.seek(stretch.start)
        self._stretch = stretch
        self._delivery = Delivery(file, (stretch,), on_close)
        self._end = self._delivery.ends_with(self)

    def fileno(self) -> int:
        """Raises OSError (io.UnsupportedOperation) if the file lives in memory."""
        return self._delivery.file.fileno()

    def tell(self) -> int:
        return self._delivery.file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._reached(self._delivery.file.seek(offset, whence))

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, all that are left if it is negative. Raises StoredFileDamaged."""
        position = self.tell()
        wanted = self._stretch.length if size < 0 else size
        block = self._delivery.read(wanted, position=position, stop=self._stretch.stop)
        self._reached(position + len(block))
        return block

    def close(self) -> None:
        self._end()

    def _reached(self, position: int) -> int:
        self._delivery.handed_bytes = position - self._stretch.start
        return position


class FileParts:
    """Stretches of an open file as multipart/byteranges, block by block; owns the file."""

    def __init__(
        self,
        file: IO[bytes],
        stretches: tuple[ByteRange, ...],
        form: Multipart,
        on_close: OnClose | None,
    ) -> None:
        self._stretches = stretches
        self._form = form
        self._delivery = Delivery(file, stretches, on_close)
        self._end = self._delivery.ends_with(self)

    def __iter__(self) -> Iterator[bytes]:
        """Raises StoredFileDamaged, as FileSlice.read does."""
        for stretch in self._stretches:
            yield self._form.head(stretch)
            yield from self._blocks(stretch)
        yield self._form.tail

    def close(self) -> None:
        self._end()

    def _blocks(self, stretch: ByteRange) -> Iterator[bytes]:
        position = self._delivery.file.seek(stretch.start)
        while block := self._delivery.read(BLOCK_BYTES, position=position, stop=stretch.stop):
            position += len(block)
            self._delivery.handed_bytes += len(block)
            yield block
