# What the system, processes, ports, tables and modules tell of themselves.
cd "$WORK" || exit 1
erlc -W0 -o . "$TESTS/info.erl" || exit 1
erl +S 1 -noshell -noinput -kernel logger_level none -pa . -s info main -s init stop
