"""Instruments, effects and mixing: arrays of samples in, arrays of samples out.

A mono sound has shape ``(n,)``, a stereo one ``(2, n)``; both are float32 at ``signal.RATE``.
"""
