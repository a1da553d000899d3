# make book     build the book (and say where to open it)
# make test     run everything that guards it
# make student  write notebooks without solutions, whose answers are checked
# make grade    grade what was handed in: make grade SUBMISSIONS=folder
# make teacher  write what a teacher needs of each chapter
# make plain    write notebooks that read well outside of the book
# make study    repeat a part of a stored study: make study NAME=descent
# make bench    measure time and memory beside other libraries (chapter 11)
# The rest is for those who change it: see CONTRIBUTING.md.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
STAMP := .venv/installed

BENCH := .venv-bench
OTHER := .venv-bench-mvlearn

GRADE := .venv-grade
SUBMISSIONS := _build/submissions

.PHONY: book test student plain teacher grade study bench notebooks lint lock clean

book: $(STAMP)
	$(BIN)/jupyter-book build . -W --keep-going
	$(BIN)/python tools/check_html.py
	@echo "Open $(CURDIR)/_build/html/index.html in a browser."

# A notebook's cells stay together, in order. Libraries get one thread each,
# whatever the shell says: see tools/kernel_environment.py.
test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# From the chapters as they stand, into _build/student and so on.
student plain teacher: $(STAMP)
	$(BIN)/python tools/editions $@ _build/$@
	@echo "They are in $(CURDIR)/_build/$@."

# A folder for each student holds notebooks of the student edition, answered.
grade: $(STAMP)
	$(PYTHON) -m venv $(GRADE)
	$(GRADE)/bin/pip install -q -e ".[grade]"
	rm -rf _build/grade
	$(BIN)/python tools/editions grade _build/grade/answers
	$(GRADE)/bin/python -W ignore tools/grade.py $(SUBMISSIONS) _build/grade
	@echo "Read $(CURDIR)/_build/grade/grades.html; the table is grades.csv."

study: $(STAMP)
	$(BIN)/python benchmarks/study.py $(NAME)

# The two environments cannot be one: see benchmarks/requirements-mvlearn.txt.
bench:
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install -q -r benchmarks/requirements.txt -e .
	$(PYTHON) -m venv $(OTHER)
	$(OTHER)/bin/pip install -q -r benchmarks/requirements-mvlearn.txt -e .
	$(OTHER)/bin/pip install -q --no-deps mvlearn==0.5.0
	mkdir -p _build
	$(BENCH)/bin/python benchmarks/scale.py --other $(OTHER)/bin/python \
		--output _build/scale.json --figure _build/scale.png
	@echo "The figure is _build/scale.png, all times are in _build/scale.json."

# Run all chapters and store what they print and draw.
notebooks: $(STAMP)
	$(BIN)/python tools/execute_notebooks.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy

# Pin all dependencies afresh, for every supported Python and system.
lock: $(STAMP)
	mkdir -p _build
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --fork-strategy fewest \
		--python-version 3.11 --extra book --extra test --upgrade \
		--custom-compile-command "make lock" \
		--output-file requirements.txt pyproject.toml
	grep -v "^pot==" requirements.txt > _build/pins.txt
	$(BIN)/uv pip compile --quiet --universal --no-annotate \
		--python-version 3.11 --extra launch --constraint _build/pins.txt \
		--custom-compile-command "make lock" \
		--output-file binder/requirements.txt pyproject.toml
	echo "-e ." >> requirements.txt
	echo "-e ." >> binder/requirements.txt

clean:
	rm -rf _build .venv $(BENCH) $(OTHER) $(GRADE) .mypy_cache .pytest_cache .ruff_cache

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and \
		'Python 3.11 or newer is needed: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--requirement requirements.txt
	touch $(STAMP)
