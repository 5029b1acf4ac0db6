import { type ChildProcess, spawn } from 'node:child_process';

/** What the reaper gives orphans between SIGTERM and SIGKILL, in tenths of a second. */
const GRACE_TENTHS = 30;

/**
 * Reads `add PID` and `drop PID`. Its input ends when the parent dies, however it dies; then it ends what is left.
 * The signals that a terminal sends to a whole group must not end it before it has done its work.
 */
const REAPER_SCRIPT = `
trap '' INT TERM HUP
pids=
while read -r verb pid; do
  case $verb in
    add) pids="$pids $pid" ;;
    drop)
      kept=
      for one in $pids; do [ "$one" = "$pid" ] || kept="$kept $one"; done
      pids=$kept ;;
  esac
done
[ -n "$pids" ] || exit 0
kill -TERM $pids 2>/dev/null
tenths=0
while [ $tenths -lt ${GRACE_TENTHS} ]; do
  alive=
  for one in $pids; do kill -0 $one 2>/dev/null && alive="$alive $one"; done
  [ -n "$alive" ] || exit 0
  sleep 0.1
  tenths=$((tenths + 1))
done
kill -KILL $alive 2>/dev/null
`;

type Reaper = { readonly shell: ChildProcess; readonly guarded: Set<number> };

/** One shell serves all children of this process; it exists only while there are any. */
let current: Reaper | undefined;

/**
 * Has process `pid`, a child of ours, ended by pid when this process is gone, also after SIGKILL. Call the answer
 * once the child has exited, before its pid can be used again. POSIX systems only.
 */
export function endWithParent(pid: number): () => void {
  current ??= startReaper();
  const reaper = current;
  reaper.guarded.add(pid);
  reaper.shell.stdin?.write(`add ${pid}\n`);
  return () => {
    if (!reaper.guarded.delete(pid)) return;
    reaper.shell.stdin?.write(`drop ${pid}\n`);
    if (reaper.guarded.size > 0) return;
    reaper.shell.stdin?.end();
    if (current === reaper) current = undefined;
  };
}

function startReaper(): Reaper {
  const shell = spawn('/bin/sh', ['-c', REAPER_SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const reaper: Reaper = { shell, guarded: new Set() };
  const forget = () => {
    if (current === reaper) current = undefined;
  };
  shell.once('error', forget);
  shell.once('exit', forget);
  shell.stdin?.on('error', forget);
  shell.unref();
  if (shell.stdin && 'unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return reaper;
}
