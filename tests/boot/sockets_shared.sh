# Several schedulers, and processes that share a socket.
cd "$WORK" || exit 1
erlc -o . "$TESTS/sockets_shared.erl" || exit 1
export MOTE_SCHEDULERS=4
erl -noshell -pa . -eval 'sockets_shared:main(), halt().'
