# Two versions of code, purging, on_load, upgrades.
cd "$WORK" || exit 1
erlc -o . "$TESTS/code_loading.erl" || exit 1
erl -noshell -pa . -eval 'code_loading:main(), init:stop().'
