"""Proves that the rooms (folders of src/) have no circles: a file includes only headers of its own room or of rooms before it,
and no header includes itself through others. Prints what breaks the rule; exits 1 if anything does."""
import glob, os, re, sys

ROOMS = ['base', 'platform', 'term', 'data', 'proc', 'table', 'code', 'trace', 'exec', 'native', 'io', 'bif', 'vm']


def room_of(path):
    return path.split('/')[0]


def main():
    bad, includes = [], {}
    for path in sorted(glob.glob('src/**/*.[ch]', recursive=True)):
        name = path[len('src/'):]
        room = room_of(name)
        if room not in ROOMS:
            bad.append(f'{path}: no such room: {room}')
            continue
        includes[name] = []
        for n, line in enumerate(open(path, encoding='utf-8'), 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not m or m[1].startswith('gen/') or not os.path.exists('src/' + m[1]):
                continue
            includes[name].append(m[1])
            if ROOMS.index(room_of(m[1])) > ROOMS.index(room):
                bad.append(f'{path}:{n}: {room}/ may not include {m[1]}')
    state = {}

    def visit(name, trail):
        if state.get(name) == 'done':
            return
        if name in trail:
            bad.append('circle: ' + ' -> '.join(trail[trail.index(name):] + [name]))
            return
        for i in includes.get(name, []):
            visit(i, trail + [name])
        state[name] = 'done'

    for name in includes:
        visit(name, [])
    if bad:
        print('\n'.join(bad))
    return bool(bad)


if __name__ == '__main__':
    sys.exit(main())
