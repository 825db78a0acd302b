// Preloaded (node --require) into a measured process: writes its peak memory and CPU time to a file at its end.
// VmHWM, because resourceUsage().maxRSS of a new process includes its parent's (getrusage(2), execve(2)).
const { readFileSync, writeFileSync } = require('node:fs');

process.once('exit', () => {
  const [, peakKb] = /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const use = { peakMb: peakKb / 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 };
  writeFileSync(process.env.BENCH_USE_FILE, JSON.stringify(use));
});
