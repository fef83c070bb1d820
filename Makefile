# `make` or `make help` prints what there is. Everything happens in .venv; nothing else on the computer is changed.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
TOUR ?= tour-out
PATIENTS ?= 100000
TESTS ?=
# What Qt's plug-in for X11 is linked to goes into the bundle too. Library : Debian package.
QT_LINKS := libxcb-cursor.so.0:libxcb-cursor0 libxcb-icccm.so.4:libxcb-icccm4 libxcb-image.so.0:libxcb-image0 \
  libxcb-keysyms.so.1:libxcb-keysyms1 libxcb-render-util.so.0:libxcb-render-util0 libxcb-shape.so.0:libxcb-shape0 \
  libxcb-xkb.so.1:libxcb-xkb1 libxkbcommon-x11.so.0:libxkbcommon-x11-0
# Bytecode kept beside the packages halves the time to the window.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help venv run demo tour test security reliability check bench bundle bundle-test codes requirements clean

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What the application needs, pinned and verified by hash.
$(VENV)/runtime.stamp: requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "ClinicDesk needs Python 3.11 (or set PYTHON=)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) 2>/dev/null || \
	  { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	$(BIN)/python -m compileall -q clinicdesk ui
	@touch $@

# And what working on it needs.
$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

venv: $(VENV)/dev.stamp ## create .venv with everything pinned; does nothing when nothing changed

run: $(VENV)/runtime.stamp ## open your clinic
	$(BIN)/clinicdesk

demo: $(VENV)/runtime.stamp ## open the demo clinic; without a display take the tour instead
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" != Linux ]; then \
	  $(BIN)/clinicdesk --demo; \
	else \
	  echo "There is no display here, so the tour is taken instead; its pictures go to $(TOUR)."; \
	  $(BIN)/clinicdesk tour $(TOUR) && ls -1 $(TOUR)/*.png $(TOUR)/*.pdf; \
	fi

tour: $(VENV)/runtime.stamp ## every role's main job through the real windows, with pictures in tour-out (TOUR=)
	$(BIN)/clinicdesk tour $(TOUR)

test: $(VENV)/dev.stamp ## every test on real servers (TESTS="tests/rules -k dose" for some)
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q -n 2 --dist loadgroup --durations=40 --durations-min=3 $(TESTS)

security: $(VENV)/dev.stamp ## the adversarial suite: the matrix, every attack as every role, what is sealed, what is written down
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q tests/security

reliability: $(VENV)/dev.stamp ## every fault many times (some minutes): the table of docs/reliability.md
	CLINICDESK_RELIABILITY=long QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q --no-header --show-capture=no \
	  $(addprefix tests/reliability/test_,$(addsuffix .py,killed_servers killed_writer network disk_full clock logs))

check: $(VENV)/dev.stamp ## lint, types and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

bench: $(VENV)/runtime.stamp ## measure against the floor (PATIENTS=)
	$(BIN)/clinicdesk bench --patients $(PATIENTS) --json bench.json

bundle: $(VENV)/dev.stamp ## the program to install: dist/clinicdesk, which needs no Python (Linux; docs/packaging.md)
	@[ "$$(uname)" != Linux ] || .ci/libraries $(QT_LINKS)
	$(BIN)/pyinstaller --noconfirm --log-level WARN build.spec
	@du -sh dist/clinicdesk

bundle-test: $(VENV)/dev.stamp ## try dist/clinicdesk as another person would: the tour without Python, moved, read-only, twice at once
	$(BIN)/python -m pytest -q -rA --no-header --show-capture=no -o faulthandler_timeout=3600 tests/bundle

codes: $(VENV)/dev.stamp ## write resources/icd10cm.tsv.xz anew from the installed release
	$(BIN)/python resources/make_icd10cm.py resources/icd10cm.tsv.xz

requirements: $(VENV)/dev.stamp ## write the pinned requirement files anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --upgrade pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --upgrade pyproject.toml --group dev -c requirements.txt \
	  -o requirements-dev.txt

clean: ## remove .venv and what tools left behind
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist tour-out bench.json *.egg-info
	find clinicdesk ui tests migrations benchmarks -name __pycache__ -prune -exec rm -rf {} +
