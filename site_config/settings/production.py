"""A public shop: nothing has a default that would be dangerous there."""

from site_config import env

env.choose(env.Profile.PRODUCTION)

from site_config.settings.base import *  # noqa: E402, F403
from site_config.settings.base import CONFIG  # noqa: E402

STAFF_SECOND_FACTOR_REQUIRED = not CONFIG.stripe_sandbox
