"""The demo catalogue: music and sleeves that the shop makes for itself.

No audio is committed. Everything a new shop shows is composed, synthesised, encoded and tagged
here, so that the ordinary ingest has real files to read and nobody's rights are in question.

Public:

* ``catalog_pages.demo.library`` - ``DemoTrack``, ``DemoRelease``, ``RELEASES`` and
  ``find_release``: pure data, cheap to import, needs neither numpy nor PyAV.
* ``catalog_pages.demo.render`` - ``write_demo_audio``: writes the tagged files into a folder.

Imports point one way: ``render`` -> ``compose`` -> ``sound`` for the music, ``render`` ->
``covers`` for the sleeves, ``render`` -> ``encode`` and ``tags`` for the files. All of them may
read ``library``; nothing in here imports Django, so worker processes start quickly.
"""
