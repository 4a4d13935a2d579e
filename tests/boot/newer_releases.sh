# What releases after 25 have, where they run; as far as OTP 25's libraries can do it, bare: tests/fixtures/otp29.
cd "$WORK" || exit 1
erl -noshell -pa "$TESTS/../fixtures/otp29" -eval 'erlang:function_exported(erlang, link, 2) andalso begin priority_messages:signals(), long_queues:sessions() end, halt().'
