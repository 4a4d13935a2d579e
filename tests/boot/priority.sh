# Exit signals that go in front of ordinary messages (OTP 28 and later); what OTP 25's functions can do of that: tests/fixtures/otp29.
cd "$WORK" || exit 1
erl -noshell -pa "$TESTS/../fixtures/otp29" -eval 'erlang:function_exported(erlang, link, 2) andalso priority_messages:signals(), halt().'
