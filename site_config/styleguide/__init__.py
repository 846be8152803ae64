"""`/styleguide/`, in development: every component in every state, by the shop's own templates.

Nothing of it exists without DEBUG. The samples are models and dataclasses as the shop has them, never stored.
"""
