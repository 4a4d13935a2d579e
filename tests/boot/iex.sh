# Elixir's shell in a terminal.
command -v iex > /dev/null || { echo "elixir is not installed"; exit 77; }
cd "$WORK" || exit 1
python3 "$TESTS/terminal.py" iex
