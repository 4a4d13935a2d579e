# Ports, files of trace messages, profilers.
cd "$WORK" || exit 1
erlc -o . "$TESTS/tracing.erl" || exit 1
erl -noshell -noinput -kernel logger_level none -pa . -s tracing main -s init stop
