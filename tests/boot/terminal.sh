# The shell in a terminal: line editing, history, jobs, windows that change, terminals that go away.
cd "$WORK" || exit 1
python3 "$TESTS/terminal.py" editing history reading jobs others breaking
