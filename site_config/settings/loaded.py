"""The environment, read once for the profile that was chosen; every part of the settings takes it here."""

from site_config import env

CONFIG = env.Config.load(env.profile())
