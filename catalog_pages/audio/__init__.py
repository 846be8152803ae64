"""Reading, cutting and drawing audio: everything that knows what is inside a sound file.

Public:

* ``facts`` - `AudioFacts`, `AudioTags`, `UnreadableAudio` and the table of formats. Light: safe to
  import anywhere.
* ``probe`` - `probe`: what a file is, proven by decoding it.
* ``excerpt`` - `planned_cut`'s rules live in ``cuts`` (light); `cut_excerpt` makes the file.
* ``waveform`` - `peaks`: how loud, in a row of numbers.

``probe``, ``tags``, ``decoding``, ``excerpt`` and ``waveform`` import PyAV, numpy or mutagen, which
cost tens of megabytes in every process: only the worker, the commands and the upload view may load
them. Imports point one way: ``probe``, ``excerpt``, ``waveform`` -> ``decoding``, ``tags``,
``containers`` -> ``names``, ``cuts``, ``facts``.
"""
