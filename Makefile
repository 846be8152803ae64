# Every command of the project; bare `make` lists them. GNU make 3.81 or newer and a POSIX shell.
# Paths are relative, because the folder's own name may hold spaces. Tools are called as modules of
# .venv's Python, so nothing has to be activated and the folder may be moved.

.DEFAULT_GOAL := help
PY := .venv/bin/python
ARGS ?=
WIDE ?=
ONLY ?=
# Without bytecode every process of the tests would compile 550 modules anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## List these commands
	@echo 'Digital Downloads'
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile | expand -t 20

run: ## Start the shop on http://127.0.0.1:8000 (HOST=, PORT= and PYTHON= choose others)
	@bin/venv run
	@exec $(PY) -m site_config.supervisor

test: dev ## Run the quick tests on SQLite, on every core (ARGS="-k cart" chooses; WIDE=1 runs all tests)
	@exec $(PY) -m pytest -m "not prove$(if $(WIDE),, and not wide)$(if $(ONLY), and ($(ONLY)))" -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

prove: dev ## Run everything long, by hand (ARGS="-k commands" chooses)
	@exec $(PY) -m pytest -m prove -o timeout=0 $(ARGS)

lint: dev ## Look for mistakes in Python and templates
	$(PY) -m ruff check .
	$(PY) -m djlint --lint frontend_templates

format: dev ## Rewrite Python into the one format
	$(PY) -m ruff check --fix --select I .
	$(PY) -m ruff format .

types: dev ## Check the types
	$(PY) -m mypy .

imports: dev ## Check that the rooms import in one direction only
	$(PY) -c 'from importlinter.cli import lint_imports_command as main; main(["--no-logo"])'

check: lint types imports ## All of the above that changes nothing, and Django's own checks
	$(PY) -m ruff format --check .
	$(PY) manage.py check
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py lint_migrations

secrets: dev ## Look for keys and passwords in what is committed or about to be (ARGS=--accept: all that is found is none)
	@$(PY) bin/look_for_secrets.py $(ARGS)

audit: dev ## Ask whether a pinned package has a known hole; says so when it cannot ask
	@$(PY) bin/audit.py

SBOM ?= var/sbom.json
sbom: dev ## Write the list of all that the shop is made of, as CycloneDX JSON (SBOM= chooses the file)
	@mkdir -p '$(dir $(SBOM))'
	@$(PY) -W ignore::UserWarning -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible \
		--of JSON -o '$(SBOM)' requirements.txt
	@echo 'The list is in $(SBOM).'

pins: ## Pin the requirements again after pyproject.toml changed (ARGS=--upgrade for newer ones)
	@bin/pins $(ARGS)

diagrams: dev ## Draw the diagrams of docs/ from the code
	$(PY) manage.py draw_diagrams

CODE ?= de
messages: dev ## Collect every sentence for a translator, in locale/ (CODE=pt_BR chooses the language)
	@$(PY) manage.py makemessages -l $(CODE) --no-obsolete $(foreach one,.venv bench tests stripe_sandbox styleguide demo var,-i '*$(one)*')

openapi: dev ## Write docs/openapi.yaml, the description of the API, from the code
	$(PY) manage.py spectacular --api-version v1 --validate --fail-on-warn --file docs/openapi.yaml

contract: dev ## Say what has changed in the API since its last release, and what that breaks
	@$(PY) manage.py api_contract

release-api: dev ## Keep today's description of the API as the one that must hold from now on
	@$(PY) manage.py api_contract --release

bench: dev ## Measure speed and memory beside things that anybody knows (ARGS="webhook" chooses)
	@exec $(PY) -m bench $(ARGS)

clean: ## Remove .venv and caches; var/ with the shop's data and protected_media/ stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

dev:
	@bin/venv dev

.PHONY: help run test prove bench lint format types imports check secrets audit sbom pins diagrams openapi contract release-api clean dev
