"""Tags and the embedded cover, through mutagen, made harmless.

What a file says about itself is never a reason to refuse it: tags that cannot be read are missing
tags. Gaps are filled from what FFmpeg saw (the INFO list of a WAV, for one) and from the name.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

from mutagen import FileType
from mutagen.aiff import AIFF as AiffFile
from mutagen.flac import FLAC as FlacFile
from mutagen.flac import Picture
from mutagen.id3 import TCON
from mutagen.mp3 import MP3 as Mp3File
from mutagen.mp4 import MP4 as Mp4File
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE as WaveFile

from catalog_pages.audio.decoding import BoundedFile, Deadline
from catalog_pages.audio.facts import AIFF, FLAC, MP3, MP4, WAV, AudioTags, Container
from catalog_pages.audio.names import parts_of_name
from catalog_pages.audio.text import clean_text
