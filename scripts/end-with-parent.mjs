// Preloaded into the children of node-child.mjs: the channel closes when the parent is gone, also after SIGKILL.
// Flags pass on to what the child forks; those have a parent and a channel of their own, which stay untouched.
if (process.ppid === Number(new URL(import.meta.url).searchParams.get('pid'))) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}
