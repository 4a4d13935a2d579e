#!/usr/bin/env python3
"""Compares Mote with erl on the programs of bench/programs: Mote interpreted, Mote native and erl in turn, in one run.

    bench/run.py [-n ROUNDS] [--mote PATH] [--cpu] [WORD...]     programs whose name, or whose module's, contains a WORD; default: all

Prints time ratios to erl (smaller is faster; the smallest time of the rounds counts), their geometric means, then start-up
time, peak memory and bytes per idle process."""
import argparse, math, os, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEAMS = os.path.join(ROOT, 'build', 'bench')


def output(command, timeout=300):
    try:
        r = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
        return r.stdout.decode().split()
    except subprocess.TimeoutExpired:
        return ['timeout']


def compile_all():
    os.makedirs(BEAMS, exist_ok=True)
    folder = os.path.join(ROOT, 'bench', 'programs')
    sources = [os.path.join(folder, f) for f in sorted(os.listdir(folder)) if f.endswith('.erl')]
    stale = [s for s in sources if not os.path.exists(b := os.path.join(BEAMS, os.path.basename(s)[:-4] + '.beam'))
             or os.path.getmtime(b) < os.path.getmtime(s)]
    if stale:
        subprocess.run(['erlc', '-W0', '-o', BEAMS] + stale, check=True)


def peak_and_wall(command, rounds=10):
    """Smallest wall time in ms and peak resident memory in KiB."""
    best, peak = 1e9, 0
    for _ in range(rounds):
        start = time.perf_counter()
        pid = os.posix_spawn(command[0], command, os.environ,
                             file_actions=[(os.POSIX_SPAWN_OPEN, 0, '/dev/null', os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0)])
        _, _, usage = os.wait4(pid, 0)
        best, peak = min(best, (time.perf_counter() - start) * 1000), usage.ru_maxrss
    return best, peak


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else float('nan')


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('-n', '--rounds', type=int, default=3)
    p.add_argument('--mote', default=os.path.join(ROOT, 'build', 'release', 'mote'))
    p.add_argument('--no-native', action='store_true')
    p.add_argument('--cpu', action='store_true', help='time of all processors instead of the wall: repeats where others use the machine, too')
    p.add_argument('words', nargs='*')
    o = p.parse_args()
    compile_all()
    erl = ['erl', '-noshell', '-noinput', '-pa', BEAMS, '-s', 'bench']
    ways = {'erl': erl, 'interpreted': [o.mote, '-pa', BEAMS, '-s', 'bench'], 'native': [o.mote, '--native', '-pa', BEAMS, '-s', 'bench']}
    if o.no_native:
        del ways['native']
    if o.cpu:
        os.environ['BENCH_CPU'] = 'yes'
        erl[1:1] = ['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none']    # schedulers that wait do not spin
    lines = output(erl + ['list', 'x'])
    programs = [p for p in zip(lines[::2], lines[1::2]) if not o.words or any(w in p[1] or w in p[0] for w in o.words)]
    ratios = {w: [] for w in ways if w != 'erl'}
    print(f'{"program":18} {"erl ms":>8}' + ''.join(f'{w:>13}' for w in ratios), flush=True)
    for module, name in programs:
        best, hashes = {}, {}
        for _ in range(o.rounds):
            for way, command in ways.items():
                out = output(command + ['main', module, name])
                if len(out) == 2 and out[0].isdigit():
                    best[way] = min(best.get(way, 1 << 60), int(out[0]))
                    hashes[way] = out[1]
        row = f'{name:18} {best.get("erl", 0) / 1000:8.1f}'
        for way in ratios:
            if way not in best:
                row += f'{"failed":>13}'
            elif hashes[way] != hashes.get('erl'):
                row += f'{"WRONG":>13}'
            else:
                r = best[way] / best['erl']
                ratios[way].append(r)
                row += f'{r:13.2f}'
        print(row, flush=True)
    print(f'{"geometric mean":27}' + ''.join(f'{mean(r):13.2f}' for r in ratios.values()))
    print(f'{"programs":27}' + ''.join(f'{len(r):13}' for r in ratios.values()))
    hello = os.path.join(ROOT, 'build', 'examples')
    os.makedirs(hello, exist_ok=True)
    subprocess.run(['erlc', '-o', hello, os.path.join(ROOT, 'examples', 'hello.erl')], check=True)
    print('\nhello world:')
    erl_path = subprocess.run(['which', 'erl'], stdout=subprocess.PIPE).stdout.decode().strip()
    for what, command in {'erl': [erl_path, '-noshell', '-pa', hello, '-s', 'hello', 'start', '-s', 'init', 'stop'],
                          'mote': [o.mote, os.path.join(hello, 'hello.beam')]}.items():
        wall, peak = peak_and_wall(command)
        print(f'  {what:6} {wall:8.2f} ms wall, {peak:7} KiB peak')
    print('bytes per idle process:')
    for what, command in {'erl': ways['erl'], 'mote': ways['interpreted']}.items():
        print(f'  {what:6} {output(command + ["idle", "200000"])[:1]}')


if __name__ == '__main__':
    sys.exit(main())
