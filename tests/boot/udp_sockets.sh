# Datagrams over loopback, and what inet knows of the machine.
cd "$WORK" || exit 1
erlc -o . "$TESTS/udp_sockets.erl" || exit 1
erl -noshell -pa . -eval 'udp_sockets:main(), halt().'
