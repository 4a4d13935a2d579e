# OTP's crypto library (a NIF library that others have compiled), and TLS over loopback with it.
cd "$WORK" || exit 1
# That of a release which is not the installed one may want a newer libcrypto than this machine has.
erl -noshell -eval 'Other = list_to_integer(erlang:system_info(otp_release)) > 25, halt(case code:ensure_loaded(crypto) of {error, _} when Other -> 1; _ -> 0 end).' > /dev/null 2>&1 ||
    { echo "crypto of this release cannot be loaded here"; exit 77; }
erlc -o . "$TESTS/crypto_and_tls.erl" || exit 1
erl -noshell -pa . -eval 'crypto_and_tls:main(), halt().'
