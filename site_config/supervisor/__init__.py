"""Start the shop on one machine and end it again: web server, task worker, scheduler.

`make run` ends in `python -m site_config.supervisor`. Standard library only and nothing of Django,
because this package decides whether Django has to be started at all before the first page.

    plan         what the environment and `.env` ask for: address, database, payments
    preparation  what has to happen before the start, and whether it already has
    child        how each child process becomes its program and ends with its parent
    processes    starting children, passing their output on, ending them
    house        the order of it all, and the banner
"""
