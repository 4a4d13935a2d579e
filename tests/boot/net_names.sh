# Names and addresses by the system's resolver, services, addresses of interfaces.
cd "$WORK" || exit 1
erlc -o . "$TESTS/net_names.erl" || exit 1
erl -noshell -pa . -eval 'net_names:main(), halt().'
