# Streams over loopback and local ones: input in all packet modes, output with marks and timeouts, accepting, closing.
cd "$WORK" || exit 1
erlc -o . "$TESTS/tcp_sockets.erl" || exit 1
erl -noshell -pa . -eval 'tcp_sockets:main(), halt().'
