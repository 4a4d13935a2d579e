# Files that cannot be run: one clear line, nothing run, status 1.
. tests/lib/command.sh

module good <<'.'
-export([start/0]).
start() -> io:format("run~n").
.
refused() { # FILE WORD...: running and verifying it both give one line with these words
    file=$1
    shift
    mote "$file"
    out_is ""; one_line "$err"; err_has "$(basename "$file")"; status_is 1
    for word in "$@"; do err_has "$word"; done
    mote verify "$file"
    out_is ""; one_line "$err"; err_has "$(basename "$file")"; status_is 1
    for word in "$@"; do err_has "$word"; done
}

mote verify good.beam
out_is "good.beam: ok"; err_is ""; status_is 0
refused missing.beam "No such file"
refused no/such/dir/x.beam "No such file"
mkdir folder.beam
refused folder.beam "Is a directory"
mote "$WORK"
out_is ""; one_line "$err"; err_has "Is a directory"; status_is 1
: >empty.beam
refused empty.beam offset
: >empty.avm
mote empty.avm
out_is ""; one_line "$err"; err_has "empty.avm"; status_is 1
mote missing.avm
out_is ""; one_line "$err"; err_has "missing.avm"; err_has "No such file"; status_is 1
mote missing.erl
out_has "no such file"; status_is 1
: >empty.erl
mote empty.erl
out_has "empty.erl"; status_is 1
echo "plain text" >text.beam
refused text.beam offset
head -c 300 good.beam >cut.beam
refused cut.beam offset
if [ "$(id -u)" -ne 0 ]; then
    cp good.beam secret.beam
    chmod 0 secret.beam
    refused secret.beam "Permission denied"
fi

# Module, chunk, offset and reason of damage inside. Each change is made at a place found by its chunk's name.
change() { # OUT CHUNK OFFSET BYTE: good.beam with one byte of a chunk's content replaced
    python3 - "$@" <<'.'
import sys
out, chunk, offset, byte = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3]), int(sys.argv[4])
b = bytearray(open('good.beam', 'rb').read())
b[b.index(chunk) + 8 + offset] = byte
open(out, 'wb').write(b)
.
}
change version.beam Code 7 9        # an instruction set of the future
refused version.beam good Code offset
change opcode.beam Code 20 255      # an instruction that there is not
refused opcode.beam good Code offset
change atoms.beam AtU8 0 127        # more atoms than there are
refused atoms.beam AtU8 offset
change import.beam ImpT 7 200       # an import of no atom
refused import.beam ImpT offset
change export.beam ExpT 15 200      # an export of no label
refused export.beam good ExpT offset
change strings.beam Code 3 1        # a header that ends in its middle
refused strings.beam good Code
python3 - <<'.'
b = open('good.beam', 'rb').read()
at = b.index(b'Code')
size = int.from_bytes(b[at + 4:at + 8], 'big')
rest = b[:at] + b[at + 8 + (size + 3) // 4 * 4:]
open('nocode.beam', 'wb').write(rest[:4] + (len(rest) - 8).to_bytes(4, 'big') + rest[8:])
.
refused nocode.beam Code

# Several files: each is told about, and one bad one is enough.
mote verify good.beam cut.beam good.beam
out_is "good.beam: ok
good.beam: ok"; one_line "$err"; status_is 1
mote verify
err_has usage; status_is 1

# A damaged module behind another: the call fails, the program goes on.
module caller <<'.'
-export([start/0]).
start() -> {'EXIT', {undef, _}} = (catch cut:start()), io:format("went on~n").
.
mote caller.beam
out_is "went on
Return value: ok"; status_is 0
err_has cut.beam

# A wrong name inside is somebody else's module.
cp good.beam other.beam
mote -s other
status_is 1

# Code that goes round in a circle could not be interrupted. (A mutant of maps.beam did that.)
cat >circle.S <<'.'
{module, circle}.
{exports, [{start,0}]}.
{attributes, []}.
{labels, 4}.
{function, start, 0, 2}.
  {label,1}. {line,[]}. {func_info,{atom,circle},{atom,start},0}.
  {label,2}. {move,nil,{x,0}}.
  {label,3}. {test,is_nonempty_list,{f,3},[{x,0}]}. return.
.
erlc circle.S
refused circle.beam circle Code offset circle
