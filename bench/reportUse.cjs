// Preloaded (node --require) into a measured process: leaves its peak memory and CPU time in a file when it ends.
// VmHWM, because resourceUsage().maxRSS of a young process is that of its parent (getrusage(2), execve(2)).
const { readFileSync, writeFileSync } = require('node:fs');

process.once('exit', () => {
  const [, peakKb] = /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  const use = { peakMb: peakKb / 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 };
  writeFileSync(process.env.BENCH_USE_FILE, JSON.stringify(use));
});
