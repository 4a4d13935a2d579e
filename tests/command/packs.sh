# AVM packs: mote pack and the packs themselves, byte by byte; running them; atomvm:read_priv.
. tests/lib/command.sh

module app <<'.'
-export([start/0]).
start() ->
    io:format("~w ~w~n", [helper:help(), atomvm:read_priv(app, "data.txt")]),
    io:format("~w ~w~n", [atomvm:read_priv(app, "none"), {x, "literal", [1, 2, 3]}]).
.
module helper <<'.'
-export([help/0]).
help() -> first.
.
mkdir -p app/priv other
printf 'plain text' >app/priv/data.txt
cp app.beam one.beam
mote pack create app.avm app.beam helper.beam app/priv/data.txt
out_is ""; err_is ""; status_is 0
mote app.avm
out_is 'first <<112,108,97,105,110,32,116,101,120,116>>
undefined {x,[108,105,116,101,114,97,108],[1,2,3]}
Return value: ok'; status_is 0
mote --native app.avm
out_has 'Return value: ok'; status_is 0

# The same pack made by hand.
cat >byhand.py <<'.'
import struct, sys, zlib
def pad(b): return b + b'\0' * (-len(b) % 4)
def strip(name):
    b = open(name, 'rb').read()
    kept, at = {}, 12
    while at < len(b):
        kind, size = b[at:at + 4], struct.unpack('>I', b[at + 4:at + 8])[0]
        kept[kind] = b[at + 8:at + 8 + size]
        at += 8 + (size + 3) // 4 * 4
    if b'LitT' in kept:
        kept[b'LitU'] = zlib.decompress(kept[b'LitT'][4:])
    return kept
def entry(name, flags, content):
    head = pad(name + b'\0')
    return struct.pack('>III', 12 + len(head) + len(content), flags, 0) + head + content
def parse(b):
    assert b[:24] == b'#!/usr/bin/env AtomVM\n\0\0', b[:24]
    at, found = 24, []
    while True:
        size, flags, reserved = struct.unpack('>III', b[at:at + 12])
        assert reserved == 0
        end = b.index(b'\0', at + 12)
        name = b[at + 12:end]
        content = at + 12 + (end + 1 - at - 12 + 3) // 4 * 4
        if size == 0:
            assert name == b'end' and flags == 0 and content == len(b), (name, flags)
            return found
        assert size % 4 == 0
        found.append((name, flags, b[content:at + size], b[at:at + size]))
        at += size
pack = parse(open('app.avm', 'rb').read())
assert [(n, f) for n, f, _, _ in pack] == [(b'app.beam', 3), (b'helper.beam', 2), (b'app/priv/data.txt', 0)], pack
for name, flags, content, whole in pack[:2]:
    assert content[:4] == b'FOR1' and struct.unpack('>I', content[4:8])[0] + 8 == len(content) and content[8:12] == b'BEAM'
    original, at, seen = strip(name.decode()), 12, []
    while at < len(content):
        kind, size = content[at:at + 4], struct.unpack('>I', content[at + 4:at + 8])[0]
        assert content[at + 8:at + 8 + size] == original[kind], kind
        seen.append(kind)
        at += 8 + (size + 3) // 4 * 4
    allowed = [b'AtU8', b'Code', b'ExpT', b'LocT', b'ImpT', b'LitU', b'FunT', b'StrT']
    assert set(seen) == {k for k in allowed if k in original}, seen
    assert whole == entry(name, flags, content)
assert pack[2][3] == entry(b'app/priv/data.txt', 0, pad(struct.pack('>I', 10) + b'plain text')), pack[2][3]
hand = open('app.avm', 'rb').read()[:24] + b''.join(entry(n, f, c) for n, f, c, _ in pack) + struct.pack('>III', 0, 0, 0) + b'end\0'
open('hand.avm', 'wb').write(hand)
.
run python3 byhand.py
err_is ""; status_is 0
same_file app.avm hand.avm

mote pack list app.avm
out_has "app.beam *"; out_has "helper.beam ["; out_has "app/priv/data.txt [10]"; status_is 0
mkdir all some
mote pack extract -o all app.avm
status_is 0
same_file app/priv/data.txt all/app/priv/data.txt
mote verify all/app.beam all/helper.beam
status_is 0
mote all/app.beam
out_has "first undefined"; status_is 0
(cd some && "$MOTE" pack extract ../app.avm helper.beam) || echo "extract failed"
[ "$(ls some)" = helper.beam ] || echo "extracted: $(ls some)"
mote pack create again.avm all/app.beam all/helper.beam app/priv/data.txt
same_file app.avm again.avm
mote pack create merged.avm app.avm
same_file app.avm merged.avm
mote pack delete -o less.avm app.avm helper.beam
status_is 0
mote pack list less.avm
out_has "app.beam *"; out_has data.txt; status_is 0
case $out in *helper*) complain "helper.beam should be gone" ;; esac
mote less.avm
err_has "undefined function helper:help/0"; status_is 1

# Packs given earlier win; -s chooses the start.
cd other
module helper <<'.'
-export([help/0]).
help() -> second.
.
cd ..
mote pack create lib.avm other/helper.beam
mote less.avm lib.avm
out_has "second <<"; status_is 0
mote app.avm lib.avm
out_has "first <<"; status_is 0
module second <<'.'
-export([start/0]).
start() -> io:format("the second~n").
.
mote pack create -s second two.avm app.beam second.beam
mote two.avm
out_has "the second"; status_is 0
mote pack list two.avm
case $out in second.beam*) ;; *) complain "second.beam should come first" ;; esac
mote pack create -s nobody bad.avm app.beam
err_has nobody; status_is 1
[ ! -e bad.avm ] || echo "bad.avm was written"
mote pack create -s helper bad.avm helper.beam
err_has "does not export start/0"; status_is 1

# Lines and types on request: then a trace has them.
module boom <<'.'
-export([start/0]).
start() -> f(list_to_integer("0")).
f(X) -> {1 / X, done}.
.
mote pack create --lines --types lines.avm boom.beam
mote lines.avm
err_has "boom.erl, line 4"; status_is 1
mote pack create bare.avm boom.beam
mote bare.avm
err_has "boom:f/1"; err_lacks "line 4"; status_is 1

# What is wrong.
mote pack
err_has usage; status_is 1
for word in list extract; do
    mote pack $word missing.avm
    one_line "$err"; err_has "missing.avm: No such file"; status_is 1
    mote pack $word app.beam
    one_line "$err"; err_has "app.beam"; status_is 1
done
mote pack extract app.avm nothing.beam
one_line "$err"; status_is 1
mote pack delete app.avm nothing.beam
one_line "$err"; status_is 1
mote pack create out.avm missing.beam
one_line "$err"; status_is 1
[ ! -e out.avm ] || echo "out.avm was written"
mote pack create lonely.avm helper.beam
mote lonely.avm
one_line "$err"; err_has "start/0"; status_is 1
head -c 200 app.avm >cut.avm
mote cut.avm
out_is ""; one_line "$err"; err_has "cut.avm"; err_has offset; status_is 1
mote verify app.avm
out_is "app.avm: ok"; status_is 0
mote verify cut.avm
one_line "$err"; status_is 1
python3 - <<'.'
b = open('app.avm', 'rb').read()
open('evil.avm', 'wb').write(b.replace(b'app/priv/data.txt', b'../../../evil.txt'))
.
mote pack extract -o all evil.avm
err_has "leads out"; status_is 1
